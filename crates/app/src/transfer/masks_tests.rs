//! Masking by export, and the way back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tracebook_core::console::{Console, Output};
use tracebook_core::evidence::Kind;
use tracebook_core::ids::Id;
use tracebook_render::verify::Verdict;

use super::verify::{Verified, verify};
use crate::ground::error::{Code, Error};
use crate::ground::schema::{
    Caller, Capture, EntryCheck, EntryWrite, EvidenceList, Export, Exported, MaskAllow, MaskList, MaskPreview,
    MaskProve,
};
use crate::ground::settings;
use crate::testing::Home;

/// What must not leave.
const PLANTED: [&str; 12] = [
    "987654321098",
    "maria@keller.io",
    "maria.k@uni.de",
    "84.157.12.9",
    "10.0.12.7",
    "2a02:8109:9ac0:1d5c::7b21",
    "marias-mbp",
    "/home/maria",
    "/Users/maria",
    "ip-10-0-1-2",
    "kellers-desk",
    "u-8812-maria",
];
/// What must stay.
const KEPT: [&str; 6] = [
    "6b0459acd2fb2577c226bb0ed076fe79",
    "Root=1-5759e988-bd862e3fe1be46a994272793",
    "user@example.com",
    "127.0.0.1:4567",
    "account 123456789012",
    "version 4.18.2.1",
];

const BODY: &str = "# Week 2 of maria@keller.io

My AWS account is 987654321098, and 987654321098 pays. Trace 6b0459acd2fb2577c226bb0ed076fe79,
`Root=1-5759e988-bd862e3fe1be46a994272793`, user@example.com, account 123456789012, version 4.18.2.1.

```console
maria@marias-mbp:~/src$ curl http://10.0.12.7:4567/api
127.0.0.1:4567 from 84.157.12.9, [2a02:8109:9ac0:1d5c::7b21]:443
File \"/home/maria/src/app.py\" on ip-10-0-1-2.ec2.internal, and kellers-desk for u-8812-maria
```

| Who | Where |
| --- | --- |
| maria.k@uni.de | /Users/maria/x |

[console](https://us-east-1.console.aws.amazon.com/ecr/repositories/private/987654321098/x) and <maria@keller.io>.
<a href=\"mailto:maria@keller.io\">write</a> and `<IP_7>`.

";

const OUTPUT: &str = "maria@marias-mbp:~$ docker compose ps\n{\"host.name\": \"kellers-desk\", \"user.id\": \"u-8812-maria\"}\n\
    arn:aws:iam::987654321098:role/x from 84.157.12.9 10.0.12.7 2a02:8109:9ac0:1d5c::7b21\n/home/maria/src /Users/maria \
    maria@keller.io maria.k@uni.de ip-10-0-1-2\nkellers-desk again\n987654321098\n127.0.0.1:4567 <b>";

impl Home {
    /// An entry that has everything, with one evidence as a block, with an own caption, and in a sentence.
    async fn with_everything(output: &str) -> (Self, String, Id) {
        let home = Self::new().await;
        let slug = home.entry("Week 2 of maria@keller.io", BODY).await;
        let request = Capture { into: Some(slug.clone()), ..Capture::of(Kind::Console) };
        let console = Console::from_text("docker compose ps", output);
        let output = Output { console, ..Output::default() };
        let captured = home.app.capture.capture_console(output, request, &Caller::default()).await.expect("captures");
        let id = captured.evidence.id;
        home.write_body(&slug, |body| {
            format!("{body}\nIn a sentence ![of 10.0.12.7](evidence:{id}?size=compact \"for maria@keller.io\") it is.\n\n![seen on 10.0.12.7](evidence:{id} \"by maria.k@uni.de\")\n")
        })
        .await;
        (home, slug, id)
    }

    async fn write_body(&self, slug: &str, change: impl Fn(&str) -> String) {
        let entry = self.app.journal.find_entry(slug).await.expect("there");
        let write = EntryWrite { entry: slug.to_owned(), body: change(&entry.body), base: None, cut: None };
        self.app.journal.entry_write(write, &Caller::default()).await.expect("writes");
    }

    async fn text_of(&self, slug: &str) -> String {
        self.app.journal.find_entry(slug).await.expect("there").body
    }

    async fn allow(&self, value: &str, entry: Option<&str>, allowed: bool) -> Result<(), Error> {
        let request = MaskAllow { value: value.to_owned(), entry: entry.map(str::to_owned), allowed };
        self.app.transfer.mask_allow(request, &Caller::default()).await.map(drop)
    }

    async fn export_with(&self, allow_leaks: bool) -> Exported {
        let to = self.out().display().to_string();
        let request = Export { to, allow_leaks, force: true, ..Export::default() };
        self.app.transfer.export(request, &Caller::default()).await.expect("exports")
    }

    fn files(&self) -> BTreeMap<PathBuf, String> {
        fn walk(folder: &Path, root: &Path, files: &mut BTreeMap<PathBuf, String>) {
            for entry in std::fs::read_dir(folder).expect("lists") {
                let path = entry.expect("reads").path();
                if path.is_dir() {
                    walk(&path, root, files);
                } else {
                    let text = String::from_utf8_lossy(&std::fs::read(&path).expect("reads")).into_owned();
                    files.insert(path.strip_prefix(root).expect("below").to_owned(), text);
                }
            }
        }
        let mut files = BTreeMap::new();
        walk(&self.out(), &self.out(), &mut files);
        files
    }

    fn all_verified(&self) -> Verified {
        verify(&[self.out().display().to_string()], None).expect("verifies")
    }
}

fn none_is_planted(files: &BTreeMap<PathBuf, String>) {
    for (path, text) in files {
        for planted in PLANTED {
            assert!(!text.contains(planted), "{planted} in {}: {text}", path.display());
            assert!(!path.display().to_string().contains("maria"), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn nothing_that_identifies_leaves_and_it_comes_home() {
    // The large one has its data in a file of its own.
    for output in [
        OUTPUT.to_owned(),
        format!("{OUTPUT}\n{}", format!("10.0.12.7 GET /api/activities/home 200 {}\n", "x".repeat(2_000)).repeat(150)),
    ] {
        let (home, slug, id) = Home::with_everything(&output).await;
        let body = home.text_of(&slug).await;
        let done = home.export(false).await.expect("exports");
        assert!(done.masked > 20, "{done:?}");
        let files = home.files();
        none_is_planted(&files);
        let all: String = files.values().map(String::as_str).collect();
        for kept in KEPT {
            assert!(all.contains(kept), "{kept}");
        }
        let again = home.export(false).await.expect("exports");
        assert_eq!((again.written.len(), again.masked), (0, done.masked), "{again:?}");
        let found = home.all_verified();
        assert!(found.ok && !found.evidence.is_empty(), "{found:?}");
        assert!(found.evidence.iter().all(|e| e.verdict == Verdict::Masked), "{found:?}");

        // Here again: nothing is added, nothing changes.
        let revisions = home.app.journal.find_entry(&slug).await.expect("there").revision;
        let back = home.import(&home.out()).await.expect("imports");
        assert_eq!(back.warnings, Vec::<String>::new());
        assert_eq!(home.text_of(&slug).await, body);
        assert_eq!(home.app.journal.find_entry(&slug).await.expect("there").revision, revisions);
        let rows = home.app.evidence.list(EvidenceList::default()).await.expect("lists");
        assert_eq!((rows.len(), rows[0].imported_at.is_none()), (1, true));

        // Elsewhere: the same bytes, twice.
        let other = Home::new().await;
        for _ in 0..2 {
            let done = other.import(&home.out()).await.expect("imports");
            assert_eq!(done.warnings, Vec::<String>::new());
        }
        other.export(false).await.expect("exports");
        assert_eq!(other.files(), files);
        assert!(other.text_of(&done_slug(&other).await).await.contains("<ACCOUNT_ID_1>"));
        // And from there home again.
        home.import(&other.out()).await.expect("imports");
        assert_eq!(home.text_of(&slug).await, body);

        // Its file is named after the title, so the others stay behind.
        std::fs::remove_dir_all(home.out()).expect("removes");
        // Without masks everything is as it stands, and that comes home, too.
        home.export_with(true).await;
        let open: String = home.files().values().map(String::as_str).collect();
        assert!(PLANTED.iter().all(|planted| open.contains(planted)));
        assert!(home.all_verified().evidence.iter().all(|e| e.verdict == Verdict::Intact));
        let mut back = home.import(&home.out()).await.expect("imports");
        // An address in angle brackets is taken for a link to a file.
        back.warnings.retain(|warning| !warning.contains("the linked file maria@keller.io"));
        assert_eq!(back.warnings, Vec::<String>::new());
        assert_eq!(home.text_of(&slug).await, body);
        let proof = home.app.transfer.mask_prove(MaskProve { evidence: id, file: None }).await.expect("proves");
        assert!(proof.ok && proof.masked_digest.is_some());
        home.app.shutdown().await;
        other.app.shutdown().await;
    }
}

async fn done_slug(home: &Home) -> String {
    home.app.journal.store.entries(false).await.expect("lists")[0].slug.clone()
}

#[tokio::test]
async fn edits_at_the_host_come_home_with_the_values() {
    let (home, slug, id) = Home::with_everything(OUTPUT).await;
    let body = home.text_of(&slug).await;
    home.export(false).await.expect("exports");
    let md = home.out().join("journal").join(md_name(&home));
    let text = std::fs::read_to_string(&md).expect("reads");
    let edited = text
        .replace("and <ACCOUNT_ID_1> pays", "and <ACCOUNT_ID_1> does not pay")
        .replace("![seen on ", "![now seen on ");
    assert_ne!(edited, text);
    std::fs::write(&md, &edited).expect("writes");
    let done = home.import(&home.out()).await.expect("imports");
    assert_eq!(done.warnings, Vec::<String>::new());
    let now = home.text_of(&slug).await;
    let expected = body.replace("987654321098 pays", "987654321098 does not pay").replace("![seen on", "![now seen on");
    assert_eq!(now, expected);
    // A file with a placeholder that this journal has not given, or that is another journal's.
    let foreign = home.dir.path().join("foreign.md");
    std::fs::write(&foreign, "# Other\n\nfrom <IP_1> and <IP_99>\n").expect("writes");
    home.import(&foreign).await.expect("imports");
    assert_eq!(home.text_of("other").await, "# Other\n\nfrom <IP_1> and <IP_99>\n");
    home.write_body("other", |body| format!("{body}\n192.168.77.1\n")).await;
    home.export_with(false).await;
    let other = home.files().remove(Path::new("journal/foreign.md")).expect("there");
    assert!(other.contains("from <PLACEHOLDER_1> and <IP_99>") && other.contains("<IP_100>"), "{other}");
    let _ = id;
    home.app.shutdown().await;
}

fn md_name(home: &Home) -> String {
    let name = home.files().into_keys().find(|path| path.extension().is_some_and(|e| e == "md")).expect("a text");
    name.file_name().expect("a name").to_string_lossy().into_owned()
}

#[tokio::test]
async fn values_and_places_can_be_left_as_they_are() {
    let (home, slug, _) = Home::with_everything(OUTPUT).await;
    let preview = MaskPreview { entries: vec![slug.clone()] };
    let before = home.app.transfer.mask_preview(preview.clone(), &Caller::default()).await.expect("previews");
    let value = before.values.iter().find(|v| v.value == "987654321098").expect("found");
    assert_eq!((value.placeholder.as_str(), value.entries.as_slice()), ("<ACCOUNT_ID_1>", &[slug.clone()][..]));
    assert!(before.total > 20 && before.rules.iter().any(|r| r.rule == "ipv4" && r.count > 3), "{before:?}");
    let place = before.places.iter().find(|p| p.line == Some(3)).expect("the third line");
    assert!(place.before.contains("987654321098") && place.after.contains("<ACCOUNT_ID_1> pays"), "{place:?}");
    let list = home.app.transfer.mask_list(MaskList {}).await.expect("lists");
    assert!(list.masks.is_empty(), "a preview stores nothing");

    let checked = home.app.transfer.check(EntryCheck::default(), &Caller::default()).await.expect("checks");
    assert!(checked.masks.iter().any(|m| m.rule == "email"), "{checked:?}");

    home.allow("84.157.12.9", None, true).await.expect("allows");
    home.allow("10.0.12.7", Some(&slug), true).await.expect("allows");
    home.export(false).await.expect("exports");
    let files = home.files();
    let md = files.iter().find(|(path, _)| path.extension().is_some_and(|e| e == "md")).expect("a text").1;
    assert!(md.contains("84.157.12.9") && md.contains("http://10.0.12.7:4567"), "{md}");
    for (path, text) in files.iter().filter(|(path, _)| path.extension().is_some_and(|e| e == "svg")) {
        assert!(!text.contains("10.0.12.7"), "only in the text: {}", path.display());
    }
    assert_eq!(home.import(&home.out()).await.expect("imports").warnings, Vec::<String>::new());

    home.allow("84.157.12.9", None, false).await.expect("disallows");
    let missing = home.allow("84.157.12.9", None, false).await.expect_err("was no exception");
    assert_eq!(missing.code, Code::NotFound);
    let again = home.app.transfer.mask_preview(preview, &Caller::default()).await.expect("previews");
    assert!(again.values.iter().any(|v| v.value == "84.157.12.9"));
    assert_eq!(again.exceptions.len(), 1);

    // The user's own rules and exceptions.
    let file = home.dir.path().join("data").join(settings::FILE);
    std::fs::write(&file, "[masking]\nallow = [\"maria.k@uni.de\"]\n[[masking.rules]]\nname = \"course\"\nplaceholder = \"COURSE\"\npattern = 'Week 2'\n").expect("writes");
    std::fs::remove_dir_all(home.out()).expect("removes");
    home.export_with(false).await;
    let all: String = home.files().values().map(String::as_str).collect();
    assert!(all.contains("<COURSE_1> of <EMAIL_1>") && all.contains("maria.k@uni.de") && !all.contains("84.157.12.9"));
    std::fs::write(&file, "[[masking.rules]]\nname = \"x\"\nplaceholder = \"X\"\npattern = '('\n").expect("writes");
    let error = home.export(false).await.expect_err("not a pattern");
    assert!(error.code == Code::Usage && error.message.contains("\"x\""), "{error:?}");
    home.app.shutdown().await;
}

#[tokio::test]
async fn changed_masked_evidence_is_neither_intact_nor_this_journals() {
    let (home, _, id) = Home::with_everything(OUTPUT).await;
    home.export(false).await.expect("exports");
    let folder = home.files().into_keys().find(|path| path.ends_with(format!("{id}.svg"))).expect("a picture");
    let path = home.out().join(folder);
    let svg = std::fs::read_to_string(&path).expect("reads");
    let prove = |path: &Path| MaskProve { evidence: id, file: Some(path.display().to_string()) };
    assert!(home.app.transfer.mask_prove(prove(&path)).await.expect("proves").ok);
    for (from, to) in [
        ("\\\"rule\\\":\\\"ipv4\\\"", "\\\"rule\\\":\\\"ipv5\\\""),
        ("kellers", "kellerz"),
        ("again", "never"),
        ("original\\\":\\\"sha256:", "original\\\":\\\"sha256:0"),
    ] {
        let changed = svg.replacen(from, to, 1);
        if changed == svg {
            continue;
        }
        std::fs::write(&path, changed).expect("writes");
        let found = home.all_verified();
        assert!(!found.ok && found.evidence.iter().any(|e| e.verdict == Verdict::Edited), "{from}: {found:?}");
        home.app.transfer.mask_prove(prove(&path)).await.expect_err("does not match its digest");
    }
    home.app.shutdown().await;
}

#[tokio::test]
async fn names_of_files_are_masked_too() {
    let home = Home::new().await;
    let clone = home.dir.path().join("clone/journal");
    std::fs::create_dir_all(clone.join("assets")).expect("makes");
    std::fs::write(clone.join("of-maria@keller.io.md"), "# A\n\n![](assets/maria@keller.io.png)\n").expect("writes");
    std::fs::write(clone.join("assets/maria@keller.io.png"), "picture").expect("writes");
    home.import(&clone).await.expect("imports");
    home.export(false).await.expect("exports");
    let files = home.files();
    none_is_planted(&files);
    let paths: Vec<String> = files.keys().map(|path| path.display().to_string()).collect();
    assert!(paths.contains(&"journal/assets/EMAIL_2.png".to_owned()), "{paths:?}");
    assert!(files[Path::new("journal/EMAIL_1.md")].contains("![](assets/EMAIL_2.png)"), "{files:?}");
    let again = home.export(false).await.expect("exports");
    assert!(again.written.is_empty() && again.warnings.is_empty(), "{again:?}");
    home.app.shutdown().await;
}

#[tokio::test]
async fn an_account_that_one_text_names_is_masked_wherever_it_stands() {
    let home = Home::new().await;
    let console = |text: &str| Console::from_text("sh", text);
    for (title, body) in [("A", "# A\n"), ("B", "# B\n\nMy AWS account is 987654321098.\n")] {
        let slug = home.entry(title, body).await;
        let request = Capture { into: Some(slug), ..Capture::of(Kind::Console) };
        let output = Output { console: console("987654321098\n198765432109"), ..Output::default() };
        home.app.capture.capture_console(output, request, &Caller::default()).await.expect("captures");
    }
    home.export(false).await.expect("exports");
    let files = home.files();
    none_is_planted(&files);
    assert!(files.values().any(|text| text.contains("198765432109")), "another number stays");
    assert!(home.export(false).await.expect("exports").written.is_empty());
    home.app.shutdown().await;
}
