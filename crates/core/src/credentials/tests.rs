use serde_json::Value as Json;

use super::tokens::{self, Class, Run, Token};
use super::*;

#[path = "../../../../tests/planted/mod.rs"]
mod planted;

fn remove_from_json(json: &mut Json) -> Removed {
    let mut document = json.take().into();
    let removed = super::remove_from_json(&mut document);
    *json = document.into();
    removed
}

fn clean(text: &str) -> String {
    remove_from_text(text, &mut Removed::default()).into_owned()
}

/// Characters of a class, the same for the same number.
fn characters(run: Run, seed: &mut u64) -> String {
    let all: Vec<char> =
        (0..128u8).filter(|b| run.class.has(*b) && b.is_ascii_alphanumeric()).map(char::from).collect();
    (0..run.least.max(usize::from(run.class == Class::Line)))
        .map(|_| {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            all[usize::try_from(*seed >> 33).expect("31 bits") % all.len()]
        })
        .collect()
}

/// A text of a token's form.
fn example(token: &Token, seed: u64) -> String {
    let mut seed = seed;
    let mut text = characters(token.before, &mut seed) + token.prefix + &characters(token.first, &mut seed);
    for (mark, run) in token.then {
        text += mark;
        text += &characters(*run, &mut seed);
    }
    text
}

#[test]
fn every_form_is_found_and_its_near_miss_stays() {
    for (n, token) in tokens::all().enumerate() {
        assert!(!token.origin.is_empty() && !token.name.is_empty());
        for seed in 0..5 {
            let text = example(token, 1000 * n as u64 + seed);
            let secret = if token.keep { text.replacen(token.prefix, "", 1) } else { text.clone() };
            for around in ["{}", "key id {}.", "x\n{}\ny", "got {} from", "\"{}\"", "a={},b=1"] {
                let out = clean(&around.replace("{}", &text));
                assert!(!out.contains(&secret), "{}: {text} in {around}: {out}", token.name);
                assert_eq!(clean(&out), out, "{}: a second pass changes nothing", token.name);
            }
            if token.first.least > 12 && token.first.class != Class::Line {
                // The terminal broke the line.
                let (a, b) = text.split_at(text.len() - 6);
                for line in
                    [format!("{a}\n{b}"), format!("web-1  | at {a}\nweb-1  | {b}"), format!("\"{a}\" +\n  \"{b}\"")]
                {
                    let out = clean(&line);
                    assert!(!out.contains(&a[a.len() - 8..]) && !out.contains(b), "{}: {line}: {out}", token.name);
                }
            }
        }
        assert_eq!(clean(token.near), token.near, "{}", token.name);
    }
}

#[test]
fn only_the_credential_itself_is_removed() {
    for (text, secret) in [
        ("id AKIAIOSFODNN7EXAMPLE.", "AKIAIOSFODNN7EXAMPLE"),
        ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("x-honeycomb-team=hcaik_01hq8yx3p9w2k7m4n5b6c8d9f0g1h2j3k4l5m6n7p8", "hcaik_"),
        ("postgresql://postgres:pa55word@db:5432/cruddur", "pa55word"),
        ("redis://:pa/55@word@cache:6379/0", "55@word"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalr"),
        (r#"{"access_token": "0123456789abcdef0123456789abcdef"}"#, "0123456789abcdef"),
        ("https://b.s3.amazonaws.com/o?X-Amz-Signature=deadbeef&x=1", "deadbeef"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
        (r#"{"msg":"{\"password\": \"tr0ub4dor\"}"}"#, "tr0ub4dor"),
        (r#"{\\\"password\\\":\\\"tr0ub4dor\\\"}"#, "tr0ub4dor"),
        ("export SECRET_KEY=swordfish", "swordfish"),
        ("  passphrase: swordfish", "swordfish"),
        ("mysql -u root -phunter2 shop", "hunter2"),
        ("mysql -uroot --password hunter2", "hunter2"),
        ("curl -u bob:hunter2 http://x", "hunter2"),
        ("curl -sS --user bob:hunter2 http://x", "hunter2"),
        (
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4==;E=1",
            "Zm9v",
        ),
        ("Server=db;Database=shop;User Id=sa;Password=hunter2;Encrypt=true", "hunter2"),
        ("rollbar.init(\"0123456789abcdef0123456789abcdef\", \"production\")", "0123456789abcdef"),
        ("GET /reset?user=1&token=f3a9c1d2e4b5&x=1", "f3a9c1d2e4b5"),
        ("user=bob&password=p%40ss+word", "p%40ss"),
        ("password%3Dhunter2%26user%3Dbob", "hunter2"),
        ("CREATE USER bob WITH PASSWORD 'hunter2'", "hunter2"),
        ("ALTER USER bob IDENTIFIED BY 'hunter2'", "hunter2"),
        ("<password>hunter2</password>", "hunter2"),
        ("- name: DB_PASSWORD\n  value: hunter2", "hunter2"),
        (r#"{"name": "DB_PASSWORD", "value": "hunter2"}"#, "hunter2"),
        ("('password', 'hunter2xyz9')", "hunter2xyz9"),
        ("os.environ[\"SECRET_KEY\"] = \"swordfish\"", "swordfish"),
        ("connect(password='swordfish', user='bob')", "swordfish"),
        ("Cookie: sid=abc; theme=dark", "sid=abc"),
        ("set-cookie: session=abc; Path=/", "session=abc"),
        ("bob:hunter2@tcp(127.0.0.1:3306)/shop", "hunter2"),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("sent basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("\u{1b}[1mpass\u{1b}[0mword=\u{1b}[31mhunter2\u{1b}[0m", "hunter2"),
        ("invalid token 9f8e7d6c5b4ag", "9f8e7d6c5b4a"),
        ("&quot;password&quot;:&quot;hunter2&quot;", "hunter2"),
        (r#"{"\u0070assword":"hunter2"}"#, "hunter2"),
        (r"https:\/\/bob:hunter2@example.org\/x", "hunter2"),
        ("machine example.org login bob password hunter2x9", "hunter2x9"),
        ("password: str = \"swordfish\"", "swordfish"),
    ] {
        let out = clean(text);
        assert!(!out.contains(secret), "{out}");
        assert!(out.contains(PLACEHOLDER), "{out}");
        assert_eq!(clean(&out), out, "a second pass changes nothing");
    }
}

#[test]
fn ordinary_telemetry_is_unchanged() {
    for text in [
        "GET /api/activities/home",
        "1-4efaaf4d-1e8720b39541901950019ee5",
        "Successfully sent batch of 1 segments (0.085 seconds)",
        "http://127.0.0.1:4567/api/activities/@andrewbrown",
        "the basic idea: tokens are counted",
        "user_agent load.py/1",
        "PASS src/App.test.js",
        "--- PASS: TestLogin2 (0.00s)",
        "Password: wrong for user bob",
        "GET /list?token=next",
        "sig=none",
        "cookie: banner shown",
        "token.count=3 cookie.consent=yes",
        "password_reset_url=/reset tokens: 512 secretary",
        "Basic authentication required",
        "FATAL: password authentication failed for user \"postgres\"",
        "commit 3f2b8c1a9d4e4f6a8b7c1d2e3f4a5b6c7d8e9f0a",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "session 3f2b8c1a-9d4e-4f6a-8b7c-1d2e3f4a5b6c started",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "password=password",
        "password = os.environ[\"DB_PASSWORD\"]",
        "token=${TOKEN} password=$DB_PASSWORD secret={{ secret }}",
        "password: ********",
        "tracebook_core::credentials::tests: 3 removed",
        "mysql -u root -h db shop",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn a_signature_is_removed_with_its_header() {
    let signed = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/x, Signature=deadbeefdeadbeef";
    assert!(!clean(signed).contains("deadbeef"), "{}", clean(signed));
}

#[test]
fn values_are_removed_by_name() {
    let mut json = serde_json::json!({
        "attributes": [{"key": "db.password", "value": "x1"}, {"key": "http.request.header.cookie", "value": ["a=b"]}],
        "headers": {"X-Rollbar-Access-Token": "abc", "Accept": "*/*"},
        "limits": {"password_min_length": "12", "has_password": true, "token.count": "3"},
        "table": {"columns": ["name", "password"], "rows": [["bob", "x1y2"], ["eve", "z3"]]},
        "numbers": [{"key": "password", "value": {"int": "86421357"}}, {"key": "tokens", "value": {"int": "86421357"}}],
    });
    let removed = remove_from_json(&mut json);
    assert_eq!(removed.count(), 6, "{json}");
    assert_eq!(json["table"]["rows"], serde_json::json!([["bob", PLACEHOLDER], ["eve", PLACEHOLDER]]));
    assert_eq!(json["attributes"][0]["value"], PLACEHOLDER);
    assert_eq!(json["headers"]["Accept"], "*/*");
    assert_eq!(json["numbers"][1]["value"]["int"], "86421357");
    assert_eq!(format!("{removed:?}"), "6 credentials", "what was removed does not print");
}

#[test]
fn raw_bytes_keep_their_length() {
    let mut removed = Removed::default();
    removed.push("hunter22".into());
    let mut bytes = b"\x0a\x08hunter22 AKIAIOSFODNN7EXAMPLE\xff".to_vec();
    let before = bytes.len();
    overwrite_in_bytes(&mut bytes, &removed);
    assert_eq!(bytes.len(), before);
    assert_eq!(&bytes[..], b"\x0a\x08******** ********************\xff");
}

#[test]
fn values_removed_by_name_are_removed_everywhere() {
    let mut json = serde_json::json!({
        "trace_id": "0123456789abcdef0123456789abcdef",
        "attributes": [
            {"key": "db.password", "value": "Tr0ub4dor&3"},
            {"key": "http.request.header.authorization", "value": ["Bearer opaque-words-only"]},
            {"key": "x_token", "value": "0123456789abcdef0123456789abcdef"},
            {"key": "other_token", "value": "internal"},
            {"key": "empty_token", "value": "undefined"},
            {"key": "time_token", "value": "2026-11-24 16:05:00"},
        ],
        "kind": "internal",
        "name": "connect with Tr0ub4dor&3 as Tr0ub4dor&3",
        "logs": {"Tr0ub4dor&3": ["undefined internal 2026-11-24 16:05:00", "got opaque-words-only"]},
        "token in a text": "0123456789abcdef0123456789abcdef",
    });
    let removed = remove_from_json(&mut json);
    let text = json.to_string();
    assert!(!text.contains("Tr0ub4dor") && !text.contains("opaque-words"), "{text}");
    assert_eq!(json["name"], "connect with [credential removed] as [credential removed]");
    assert_eq!(json["logs"][PLACEHOLDER][0], "undefined internal 2026-11-24 16:05:00", "common words stay");
    assert_eq!(json["attributes"][3]["value"], "internal");
    assert_eq!(json["token in a text"], PLACEHOLDER);
    assert_eq!(
        (json["trace_id"].as_str(), json["kind"].as_str()),
        (Some("0123456789abcdef0123456789abcdef"), Some("internal"))
    );
    assert_eq!(removed.take_from_text("psql with Tr0ub4dor&3"), "psql with [credential removed]");
    let mut raw = serde_json::from_str(r#"{"message":["Tr0ub4dor&3"]}"#).expect("JSON");
    removed.remove_from_json_too(&mut raw);
    assert_eq!(Json::from(raw)["message"][0], PLACEHOLDER);
}

#[test]
fn ten_thousand_secrets_are_removed_in_one_pass() {
    let secret = |n: usize| format!("s3cret-{:x}", n * 7919 + 1_000_003);
    let mut json = Json::Array(
        (0..10_000)
            .map(|n| {
                serde_json::json!({
                    "attributes": [{"key": "db.password", "value": secret(n)}],
                    "message": format!("{} connects as {} {}", "x".repeat(300), secret((n * 31) % 10_000), secret((n * 17) % 10_000)),
                })
            })
            .collect(),
    );
    let start = std::time::Instant::now();
    let removed = remove_from_json(&mut json);
    assert_eq!(removed.count(), 30_000);
    assert!(!json.to_string().contains("s3cret"));
    let mut record = format!("\u{1}{} {}", "y".repeat(300), secret(77)).into_bytes();
    for _ in 0..10_000 {
        overwrite_in_bytes(&mut record, &removed);
    }
    assert!(!record.windows(6).any(|w| w == b"s3cret"));
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// A key of a kind, with lines like those of a real one.
fn key(label: &str, lines: usize) -> Vec<String> {
    let mut seed = lines as u64 + label.len() as u64;
    let run = |length: usize| Run { class: Class::Base64, least: length, most: length };
    let mut key = vec![format!("-----BEGIN {label}-----")];
    key.extend((0..lines).map(|_| characters(run(64), &mut seed)));
    key.push(characters(run(14), &mut seed) + "==");
    key.push(format!("-----END {label}-----"));
    key
}

const LABELS: &[&str] = &[
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
];

#[test]
fn a_key_is_found_whatever_stands_before_and_between_its_lines() {
    for label in LABELS {
        let key = key(label, 6);
        let body = &key[1..key.len() - 1];
        let join = |before: &str, after: &str| key.iter().map(|l| format!("{before}{l}{after}")).collect::<Vec<_>>();
        for text in [
            key.join("\n"),
            key.join("\\n"),
            key.join("\\\\n"),
            key.join(" "),
            key.join("\r\n"),
            join("web-1  | ", "").join("\n"),
            join("2026-11-24T16:05:00.123Z INFO app: ", "").join("\n"),
            join("> ", "").join("\n"),
            join("    ", "").join("\n"),
            join("\"", "\\n\"").join("\n"),
            join("\"", "\\n\" +").join("\n"),
            join("{\"level\":\"info\",\"message\":\"", "\",\"request_id\":\"3f2b8c1a-9d4e-4f6a-8b7c-1d2e3f4a5b6c\"}")
                .join("\n"),
            join("\u{1b}[32mkey\u{1b}[0m ", "").join("\n"),
            join("", "\nGET /health 200").join("\n"),
            key.join("\n").replace(' ', "%20").replace('\n', "%0A"),
        ] {
            let out = clean(&text);
            for line in body {
                assert!(!out.contains(line.trim_end_matches('=')), "{label}: {line} in\n{text}\n{out}");
            }
            assert_eq!(text.matches("GET /health 200").count(), out.matches("GET /health 200").count());
            assert_eq!(clean(&out), out);
        }
    }
    let public = key("PUBLIC KEY", 3).join("\n");
    assert_eq!(clean(&public), public);
}

#[test]
fn a_key_is_found_when_every_line_is_a_record() {
    let lines = key("RSA PRIVATE KEY", 8);
    let body = &lines[1..lines.len() - 1];
    let event = |n: usize, line: &str| {
        serde_json::json!({
            "timestamp": n.to_string(), "group": "/ecs/web", "stream": "web/1", "message": line,
            "attributes": [{"key": "log.line", "value": format!("out {line}")}],
        })
    };
    let mut events = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        events.push(event(n, line));
        events.push(event(n, "GET /api/activities/home 200 trace 3f2b8c1a9d4e4f6a8b7c1d2e3f4a5b6c"));
    }
    let mut json = serde_json::json!({"events": events});
    remove_from_json(&mut json);
    let out = json.to_string();
    for line in body {
        assert!(!out.contains(line), "{line}\n{out}");
    }
    assert_eq!(
        out.matches("GET /api/activities/home 200 trace 3f2b8c1a9d4e4f6a8b7c1d2e3f4a5b6c").count(),
        2 * lines.len()
    );
}

#[test]
fn credentials_are_found_in_base64() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    let inner =
        ["password=hunter2 and more of it", "{\"client_secret\": \"swordfish~~~\"}", "https://bob:hunter2@db/x?y=???"];
    let key = key("EC PRIVATE KEY", 3).join("\n");
    for inner in inner.iter().copied().chain([key.as_str()]) {
        for encoded in [
            STANDARD.encode(inner),
            STANDARD_NO_PAD.encode(inner),
            URL_SAFE.encode(inner),
            URL_SAFE_NO_PAD.encode(inner),
        ] {
            for text in [
                encoded.clone(),
                format!("body={encoded}&x=1"),
                format!("got \"{encoded}\""),
                encoded.replace('=', "%3D"),
            ] {
                let out = clean(&text);
                assert!(!out.contains(encoded.trim_end_matches('=')), "{inner}: {text}: {out}");
            }
            if encoded.len() > 120 {
                let lines: Vec<&str> =
                    encoded.as_bytes().chunks(76).map(|c| std::str::from_utf8(c).expect("ASCII")).collect();
                let out = clean(&lines.join("\n"));
                for line in lines {
                    assert!(!out.contains(line.trim_end_matches('=')), "{inner}: {line} in {out}");
                }
            }
        }
    }
    for plain in ["hello world, this is a text of some length", "{\"page\": 3, \"order\": \"asc\", \"cursor\": 1234}"] {
        let encoded = STANDARD.encode(plain);
        assert_eq!(clean(&encoded), encoded);
    }
}

#[test]
fn planted_credentials_are_removed_from_every_text_and_look_alikes_stay() {
    let secrets = planted::secrets();
    let forms: [fn(&str) -> String; 10] = [
        |text| text.to_owned(),
        |text| format!("2026-11-30T11:14:06.123Z INFO app: {text}"),
        |text| format!("web-1  | {}", text.replace('\n', "\nweb-1  | ")),
        |text| format!("got \"{text}\" from upstream"),
        |text| format!("({text})"),
        |text| format!("\u{1b}[32mINFO\u{1b}[0m {text}\u{1b}[0m"),
        |text| text.chars().map(|c| if c == 'a' { "\u{1b}[1ma".to_owned() } else { c.to_string() }).collect(),
        |text| serde_json::json!({ "level": "info", "message": text }).to_string(),
        |text| serde_json::json!({ "log": serde_json::json!({ "message": text }).to_string() }).to_string(),
        |text| {
            text.bytes()
                .map(|b| {
                    if b.is_ascii_alphanumeric() || b == b'.' { char::from(b).to_string() } else { format!("%{b:02X}") }
                })
                .collect()
        },
    ];
    let mut leaks = Vec::new();
    for planted in &secrets {
        for (n, form) in forms.iter().enumerate() {
            let text = form(&planted.text);
            let out = clean(&text);
            // The secret as it stands in this form.
            let secret = form(&planted.secret);
            let secret = if [0, 6, 9].contains(&n) { secret } else { planted.secret.clone() };
            if out.contains(&secret) || console_text(&out).contains(&planted.secret) {
                leaks.push(format!("{} in form {n}: {text}\n  {out}", planted.kind));
            }
        }
    }
    assert!(secrets.len() >= 150, "{}", secrets.len());
    assert!(leaks.is_empty(), "{} of {}:\n{}", leaks.len(), secrets.len() * forms.len(), leaks.join("\n"));

    let look_alikes = planted::look_alikes();
    let changed: Vec<String> = look_alikes
        .iter()
        .map(|text| (text, clean(text)))
        .filter(|(text, out)| *text != out)
        .map(|(text, out)| format!("{text}\n  {out}"))
        .collect();
    assert!(look_alikes.len() >= 200, "{}", look_alikes.len());
    assert!(
        changed.len() * 100 <= look_alikes.len(),
        "{} of {}:\n{}",
        changed.len(),
        look_alikes.len(),
        changed.join("\n")
    );
    // As the values of an attribute, too.
    let mut json =
        Json::Array(look_alikes.iter().map(|text| serde_json::json!({"key": "note", "value": text})).collect());
    let before = json.clone();
    remove_from_json(&mut json);
    let (Json::Array(before), Json::Array(after)) = (before, json) else { panic!("lists") };
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert!(changed * 100 <= after.len(), "{changed} of {}", after.len());
}

fn console_text(text: &str) -> String {
    crate::console::plain(text)
}
