use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::assemble::{LooseSpan, assemble};
use crate::evidence::{Body, Frozen};
use crate::freeze::{self, Click, Origin};
use crate::ids::SpanId;
use crate::question::Question;
use crate::time::Nanos;
use crate::trace::{Protocol, Span};
use crate::value::Attribute;

fn rules() -> Rules {
    Rules::new(&[], HashSet::new()).expect("the built-in rules are valid")
}

fn table() -> Table {
    Table::new(vec![7; 32], [])
}

fn masked(text: &str) -> String {
    table().mask(text, &rules(), &Text::default()).0
}

/// What stands in a text, and what an export writes.
const MASKED: &[(&str, &str)] = &[
    ("arn:aws:xray:us-east-1:987654321098:group/x", "arn:aws:xray:us-east-1:<ACCOUNT_ID_1>:group/x"),
    ("arn%3Aaws%3Axray%3Aus-east-1%3A987654321098%3Agroup", "arn%3Aaws%3Axray%3Aus-east-1%3A<ACCOUNT_ID_1>%3Agroup"),
    (
        "`987654321098.dkr.ecr.us-east-1.amazonaws.com/backend-flask:latest`",
        "`<ACCOUNT_ID_1>.dkr.ecr.us-east-1.amazonaws.com/backend-flask:latest`",
    ),
    (
        "https://sqs.us-east-1.amazonaws.com/987654321098/jobs",
        "https://sqs.us-east-1.amazonaws.com/<ACCOUNT_ID_1>/jobs",
    ),
    ("https://987654321098.signin.aws.amazon.com/console", "https://<ACCOUNT_ID_1>.signin.aws.amazon.com/console"),
    (
        "https://us-east-1.console.aws.amazon.com/ecr/repositories/private/987654321098/x?region=us-east-1",
        "https://us-east-1.console.aws.amazon.com/ecr/repositories/private/<ACCOUNT_ID_1>/x?region=us-east-1",
    ),
    (
        "https://987654321098-ab12cd34.us-east-1.console.aws.amazon.com/x",
        "https://<ACCOUNT_ID_1>-ab12cd34.us-east-1.console.aws.amazon.com/x",
    ),
    ("AWS_ACCOUNT_ID=987654321098", "AWS_ACCOUNT_ID=<ACCOUNT_ID_1>"),
    ("export AWS_ACCOUNT_ID=\"987654321098\"", "export AWS_ACCOUNT_ID=\"<ACCOUNT_ID_1>\""),
    ("My **AWS account** is `987654321098`.", "My **AWS account** is `<ACCOUNT_ID_1>`."),
    ("Account ID\n9876-5432-1098", "Account ID\n<ACCOUNT_ID_1>"),
    ("987654321098 is my account, and 987654321098 again", "<ACCOUNT_ID_1> is my account, and <ACCOUNT_ID_1> again"),
    (
        "{\"Account\": \"987654321098\", \"ownerId\":\"876543210987\"}",
        "{\"Account\": \"<ACCOUNT_ID_1>\", \"ownerId\":\"<ACCOUNT_ID_2>\"}",
    ),
    ("bootcamp @ 9876-5432-1098", "bootcamp @ <ACCOUNT_ID_1>"),
    ("s3://cdk-hnb659fds-assets-987654321098-us-east-1/x", "s3://cdk-hnb659fds-assets-<ACCOUNT_ID_1>-us-east-1/x"),
    ("arn:aws:iam::987654321098:user/maria.keller", "arn:aws:iam::<ACCOUNT_ID_1>:user/<USER_1>"),
    ("write to maria.keller@gmail.com, please", "write to <EMAIL_1>, please"),
    ("maria\\_k@uni-mail.de", "<EMAIL_1>"),
    ("?email=maria.keller%40gmail.com&x=1", "?email=<EMAIL_1>&x=1"),
    ("assets/maria@keller.io.png", "assets/<EMAIL_1>.png"),
    ("2a02:8109:9ac0:1d5c::7b21: refused", "<IP_1>: refused"),
    ("<maria@keller.io>", "<<EMAIL_1>>"),
    ("203.0.113.9 and 84.157.12.9 - - [x]", "203.0.113.9 and <IP_1> - - [x]"),
    ("http://10.0.12.7:4567/api and 192.168.1.20", "http://<IP_1>:4567/api and <IP_2>"),
    ("X-Forwarded-For: 84.157.12.9, 10.0.0.1", "X-Forwarded-For: <IP_1>, <IP_2>"),
    ("peer [2a02:8109:9ac0:1d5c::7b21]:443", "peer [<IP_1>]:443"),
    ("fe80::1c2b:3fff:fe4d:5a6b%eth0", "<IP_1>%eth0"),
    ("\u{1b}[32m10.0.12.7\u{1b}[0m up", "\u{1b}[32m<IP_1>\u{1b}[0m up"),
    ("on ip-10-0-12-7.ec2.internal and ip-10-0-12-7", "on <HOST_1> and <HOST_2>"),
    ("ec2-3-80-11-2.compute-1.amazonaws.com", "<HOST_1>"),
    ("{\"host.name\": \"marias-macbook.fritz.box\"}", "{\"host.name\": \"<HOST_1>\"}"),
    ("hostname=marias-macbook", "hostname=<HOST_1>"),
    ("maria@marias-mbp:~/src$ ls", "<USER_1>@<HOST_1>:~/src$ ls"),
    ("[maria@marias-mbp src]$ ls", "[<USER_1>@<HOST_1> src]$ ls"),
    ("maria@marias-mbp src % ls", "<USER_1>@<HOST_1> src % ls"),
    (
        "\u{1b}[01;32mmaria@marias-mbp\u{1b}[00m:\u{1b}[01;34m~/src\u{1b}[00m$ ls",
        "\u{1b}[01;32m<USER_1>@<HOST_1>\u{1b}[00m:\u{1b}[01;34m~/src\u{1b}[00m$ ls",
    ),
    ("gitpod@ws-4711-abc:/workspace$ ls", "gitpod@<HOST_1>:/workspace$ ls"),
    ("ssh -i key.pem maria@bastion-7", "ssh -i key.pem <USER_1>@<HOST_1>"),
    ("USER=maria", "USER=<USER_1>"),
    ("File \"/home/maria/src/app.py\", line 3", "File \"<HOME_1>/src/app.py\", line 3"),
    ("/Users/maria.keller/x, /home/maria.", "<HOME_1>/x, <HOME_2>."),
    ("C:\\Users\\maria\\src and C:\\\\Users\\\\maria", "<HOME_1>\\src and <HOME_2>"),
    ("C:\\Users\\Maria Keller\\src", "<HOME_1>\\src"),
    ("/mnt/c/Users/maria/src", "<HOME_1>/src"),
    ("{\"user.id\": \"u-8812\"}", "{\"user.id\": \"<PERSON_1>\"}"),
    ("enduser.id=maria", "enduser.id=<PERSON_1>"),
    ("\\n/home/maria/x", "\\n<HOME_1>/x"),
];

/// Texts that look like it and identify nobody.
const KEPT: &[&str] = &[
    "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
    "6b0459acd2fb2577c226bb0ed076fe79",
    "00-6b0459acd2fb2577c226bb0ed076fe79-00f067aa0ba902b7-01",
    "01JD4ZK8S7M5V9TQ2WXYB3CDEF",
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "d5bf7af8c9012345678901234567890123456789",
    "arn:aws:iam::123456789012:role/x and 111122223333 is an account",
    "account 123456789012",
    "arn:aws:lambda:us-east-1:901920570463:layer:aws-otel-python:1",
    "took 198765432109 ns",
    "1795447213087",
    "1795447213087028123",
    "202611231520 was the build",
    "order 198765432109",
    "+491701234567",
    "v1.2.3.4",
    "version 4.18.2.1",
    "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "requests==2.31.0.1",
    "1.2.3.4.5.6",
    "999.1.2.3",
    "python 3.11.4, flask 2.3.2",
    "127.0.0.1:4318 and 0.0.0.0:4567",
    "http://localhost:3000 and http://[::1]:4318",
    "192.0.2.7, 198.51.100.3, 203.0.113.99",
    "2001:db8::1",
    "10.0.0.0/8 and 192.168.0.0/16",
    "255.255.255.0",
    "169.254.169.254",
    "8.8.8.8",
    "12:34:56.789",
    "2026-11-23T15:20:13Z",
    "std::fs::read and dead::beef",
    "00:1b:44:11:3a:b7",
    "00:11:22:33:44:55:66:77",
    "user@example.com and me@mail.example.org",
    "git@github.com:andrew/repo.git",
    "logo@2x.png",
    "jquery@3.6.min.js",
    "2a02:8109:9ac0:1d5c:0000:0000:0000:7b21:2a02:8109",
    "npm i @opentelemetry/api@1.7.0",
    "user@1000.service",
    "@app.route(\"/home/feed\")",
    "GET /home/feed 200",
    "/api/activities/home/x",
    "https://shop.example/home/index",
    "/home/gitpod/app and /home/runner/work",
    "/Users/Shared/x",
    "hostname = socket.gethostname()",
    "hostname=socket.gethostname()",
    "hostname: db",
    "localhost",
    "backend-flask",
    "user_id = request.args.get('user_id')",
    "SELECT * FROM users WHERE user_id = 5",
    "user.id is set by the SDK",
    "10 accounts of 2026",
    "The account page loads in 120 ms",
    "root@<HOST_9>:~# ls",
    "ec2-user",
    "i-0abcd1234ef567890",
    "vpc-0a1b2c3d4e5f",
    "eni-1234567890ab",
    "request 9f86d081-884c-7d65",
    "$1.234.567.890",
    "0x1234567890ab",
    "123456789012345678901234",
];

#[test]
fn what_identifies_is_replaced() {
    for (text, expected) in MASKED {
        assert_eq!(masked(text), *expected, "{text}");
    }
}

#[test]
fn look_alikes_stay() {
    let touched: Vec<_> = KEPT.iter().filter(|text| masked(text) != **text).map(|text| (text, masked(text))).collect();
    assert!(touched.is_empty(), "{touched:#?}");
}

#[test]
fn what_is_masked_is_not_masked_again_and_comes_back() {
    for (text, _) in MASKED {
        let mut table = table();
        let (out, hits) = table.mask(text, &rules(), &Text::default());
        assert!(!hits.is_empty(), "{text}");
        assert_eq!(table.unmask(&out, &table.origins(&[&out])), *text);
        let mut other = Table::new(vec![8; 32], []);
        let (again, hits) = other.mask(&out, &rules(), &Text::default());
        assert_eq!((again.as_str(), hits.len()), (out.as_str(), 0), "{text}");
    }
}

#[test]
fn a_value_keeps_its_placeholder_and_the_numbers_of_others_are_reserved() {
    let rules = rules();
    let mut table = table();
    let origins = BTreeMap::from([("<IP_3>".to_owned(), "0123456789abcdef".to_owned())]);
    assert_eq!(table.unmask("from <IP_3> of another journal", &origins), "from <IP_3> of another journal");
    let mut mask = |text: &str| table.mask(text, &rules, &Text::default()).0;
    assert_eq!(mask("10.0.0.9 10.0.0.10"), "<IP_4> <IP_5>");
    assert_eq!(mask("10.0.0.10 <IP_3>"), "<IP_5> <IP_3>");
    // A placeholder of this journal that somebody wrote is not the value.
    let (out, _) = table.mask("write <IP_4> for 10.0.0.9", &rules, &Text::default());
    assert_eq!(out, "write <PLACEHOLDER_1> for <IP_4>");
    let origins = table.origins(&[&out, "<IP_3>"]);
    assert_eq!(origins.get("<IP_3>").map(String::as_str), Some("0123456789abcdef"));
    assert_eq!(table.unmask(&out, &origins), "write <IP_4> for 10.0.0.9");
    assert_eq!(
        table.unmask("\\<IP\\_4\\> &lt;IP_4&gt;", &BTreeMap::from([("<IP_4>".to_owned(), table.journal())])),
        "10.0.0.9 10.0.0.9"
    );
    assert_eq!(table.unmask("<IP_4>", &BTreeMap::new()), "<IP_4>", "its origin is not known");
    let stored: Vec<_> = table.take_new().into_iter().map(|new| (new.kind, new.number, new.slot)).collect();
    let mut again = Table::new(vec![7; 32], stored);
    assert_eq!(again.mask("10.0.0.9", &rules, &Text::default()).0, "<IP_4>");
    assert!(again.take_new().is_empty());
}

#[test]
fn values_can_be_allowed_and_rules_added() {
    let allowed = Rules::new(&[], HashSet::from(["10.0.0.9".to_owned()])).expect("valid");
    assert_eq!(table().mask("10.0.0.9 10.0.0.10", &allowed, &Text::default()).0, "10.0.0.9 <IP_1>");
    let rule = |name: &str, placeholder: &str, pattern: Option<&str>| CustomRule {
        name: name.to_owned(),
        placeholder: placeholder.to_owned(),
        pattern: pattern.map(str::to_owned),
        names: Vec::new(),
        from: String::new(),
        keep: vec!["M-0000".to_owned()],
        spread: false,
    };
    let own = Rules::new(&[rule("student", "STUDENT", Some("M-[0-9]{4}"))], HashSet::new()).expect("valid");
    assert_eq!(table().mask("M-1234 M-0000 XM-1234", &own, &Text::default()).0, "<STUDENT_1> M-0000 XM-1234");
    for wrong in [
        rule("a", "student", Some("x")),
        rule("a", "", Some("x")),
        rule("a", "PLACEHOLDER", Some("x")),
        rule("a", "X", Some("(")),
        rule("a", "X", Some("x*")),
        rule("a", "X", None),
        rule("email", "X", Some("x")),
    ] {
        assert!(Rules::new(std::slice::from_ref(&wrong), HashSet::new()).is_err(), "{wrong:?}");
    }
    for rule in rules().all() {
        assert!(!rule.from.is_empty() && !rule.kinds.is_empty(), "{}", rule.name);
    }
}

fn frozen(attributes: Vec<Attribute>, message: &str) -> Frozen {
    let mut span = Span::new(SpanId([1; 8]), "home", Protocol::Otlp, Nanos(1_795_447_213_087_028_123));
    span.end = Some(Nanos(1_795_447_213_099_428_123));
    span.status.message = message.to_owned();
    span.attributes = attributes;
    let loose = vec![LooseSpan::from(span)];
    let click = Click {
        id: "01JD4ZK8S7M5V9TQ2WXYB3CDEF".parse().expect("a ULID"),
        question: Question { filter: "user:maria@keller.io".to_owned(), ..Question::default() },
        captured_at: Nanos(1_795_447_300_000_000_000),
        tool: "tracebook 0.1.0".into(),
        supersedes: None,
        origin: Origin {
            console_link: Some("https://us-east-1.console.aws.amazon.com/x?account=987654321098".to_owned()),
            ..Origin::default()
        },
    };
    let trace = assemble("6b0459acd2fb2577c226bb0ed076fe79".parse().expect("an id"), loose);
    freeze::body(Body::Trace(trace), click).expect("a trace has a JSON form").frozen
}

#[test]
fn evidence_is_masked_in_body_and_provenance_and_only_its_journal_knows_it() {
    let original = frozen(
        vec![
            Attribute::new("host.name", "kellers-desk"),
            Attribute::new("user.id", 4711),
            Attribute::new("enduser.id", "maria"),
            Attribute::new("http.target", "/home/feed"),
            Attribute::new("http.client_ip", "84.157.12.9"),
            Attribute::new("cloud.account.id", "987654321098"),
            Attribute::new("server.address", "localhost"),
            Attribute::new("user.email", "bob@example.com"),
        ],
        "kellers-desk refused 84.157.12.9",
    );
    let mut table = table();
    let (masked, hits) = evidence::mask(&original, &rules(), &mut table).expect("masks").expect("there is something");
    for gone in ["kellers-desk", "4711", "maria", "84.157.12.9", "987654321098"] {
        assert!(!masked.canonical.contains(gone), "{gone}: {}", masked.canonical);
    }
    for kept in
        ["/home/feed", "localhost", "bob@example.com", "6b0459acd2fb2577c226bb0ed076fe79", "<HOST_1> refused <IP_1>"]
    {
        assert!(masked.canonical.contains(kept), "{kept}: {}", masked.canonical);
    }
    assert_eq!(masked.evidence.provenance.question.filter, "user:<EMAIL_1>");
    let link = masked.evidence.provenance.console_link.as_deref();
    assert_eq!(link, Some("https://us-east-1.console.aws.amazon.com/x?account=<ACCOUNT_ID_1>"));
    assert_eq!(masked.evidence.id, original.evidence.id);
    assert_ne!(masked.digest, original.digest);
    assert!(!masked.canonical.contains(&original.digest) && evidence::is_masked(&masked));
    assert!(
        masked.canonical.contains("{\"pointer\":\"/provenance/console_link\",\"rule\":\"aws-console-link\"}"),
        "{}",
        masked.canonical
    );
    assert!(hits.iter().any(|hit| hit.named && hit.value == "4711" && hit.kind == "PERSON"));
    // Deterministic, and not masked again.
    let again = evidence::mask(&original, &rules(), &mut table).expect("masks").expect("as before").0;
    assert_eq!(again, masked);
    assert!(evidence::mask(&masked, &rules(), &mut table).expect("masks").is_none());

    assert!(evidence::is_masked_form(&masked, &original, &table));
    assert!(!evidence::is_masked_form(&masked, &original, &Table::new(vec![8; 32], [])));
    for (from, to) in [("<IP_1>", "<IP_2>"), ("refused", "accepted"), ("\"home\"", "\"away\""), ("<PERSON_1>", "4712")]
    {
        let text = masked.canonical.replacen(from, to, 1);
        assert_ne!(text, masked.canonical, "{from}");
        let changed = Frozen::read(&text).expect("reads");
        assert!(!evidence::is_masked_form(&changed, &original, &table), "{from}");
    }
    // Also after a value was allowed: what was masked at the time was only masked.
    let salt = table.salt("01JD4ZK8S7M5V9TQ2WXYB3CDEF");
    let commitment = evidence::commitment(&salt, &original.digest);
    assert!(masked.canonical.contains(&commitment));
}

#[test]
fn evidence_without_identifying_data_stays_as_it_is() {
    let mut plain = frozen(vec![Attribute::new("http.route", "/api/home")], "");
    plain.evidence.provenance.console_link = None;
    plain.evidence.provenance.question.filter = String::new();
    let plain = plain.evidence.seal().expect("seals");
    assert!(evidence::mask(&plain, &rules(), &mut table()).expect("masks").is_none());
}

#[test]
fn long_texts_take_linear_time() {
    let rules = rules();
    let time = |text: &str| {
        let best = (0..3).map(|_| {
            let start = std::time::Instant::now();
            std::hint::black_box(rules.find(text, &Text::default()));
            start.elapsed()
        });
        best.min().expect("three runs")
    };
    for part in [
        "a",
        "a@",
        "a@b.",
        "1.",
        "1:",
        "arn:aws:",
        "console.aws.amazon.com/",
        "account ",
        "x@y ",
        "/home/",
        "10.0.0.1 ",
        "maria@keller.io ",
        "ssh a",
        "<IP_1>",
        "\u{1b}[1m",
        "0123456789",
        "AIDA",
        "cdk-a-a",
        "\\_",
        "\"hostname\":\"a\"",
        "987654321098 account ",
    ] {
        let (short, long) = (part.repeat(20_000 / part.len()), part.repeat(320_000 / part.len()));
        let (short, long) = (time(&short), time(&long));
        // 16 times as long; other programs run, too.
        let limit = short * 64 + std::time::Duration::from_millis(80);
        assert!(long < limit, "{part:?}: {short:?}, and {long:?} for 16 times as much");
    }
}

proptest! {
    #[test]
    fn unmasking_gives_the_original(parts in prop::collection::vec(part(), 0..24)) {
        let text = parts.concat();
        let mut table = table();
        // What earlier exports have given.
        table.mask("10.0.0.1 and maria@keller.io", &rules(), &Text::default());
        let (out, _) = table.mask(&text, &rules(), &Text::default());
        let origins = table.origins(&[&out]);
        prop_assert_eq!(table.unmask(&out, &origins), text.clone());
        let (again, _) = table.mask(&text, &rules(), &Text::default());
        prop_assert_eq!((again, table.unmask(&out, &origins)), (out, text));
        }
}

fn part() -> impl Strategy<Value = String> {
    let known: Vec<String> =
        MASKED.iter().map(|(text, _)| (*text).to_owned()).chain(KEPT.iter().map(|text| (*text).to_owned())).collect();
    let odd = [
        "<IP_1>",
        "<IP_2>",
        "<EMAIL_7>",
        "<PLACEHOLDER_1>",
        "&lt;",
        "<",
        ">",
        "\n",
        " ",
        "| a | b |",
        "`",
        "\\",
        "é",
        "_",
        "<IP_",
        "1>",
    ];
    prop_oneof![
        3 => prop::sample::select(known),
        2 => prop::sample::select(odd.map(str::to_owned).to_vec()),
        1 => "[ -~é\n]{0,12}",
    ]
}
