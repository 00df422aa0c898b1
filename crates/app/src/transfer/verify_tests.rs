//! What `verify` says of clones that were changed, moved, merged and copied.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tracebook_core::assemble::{LooseSpan, assemble};
use tracebook_core::console::{Console, Output};
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::{Body, Frozen, Kind};
use tracebook_core::freeze::{self, Click, Origin};
use tracebook_core::ids::{Entropy, Id, SpanId, TraceId};
use tracebook_core::question::Question;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Protocol, Span, SpanKind};
use tracebook_render::export::{EntryInput, entry};
use tracebook_render::manifest::{Line, Manifest};
use tracebook_render::verify::Verdict;

use super::verify::{Class, EntryVerdict, Verified, class, to_csv, to_html, verify, verify_and_redraw};
use crate::ground::schema::{Caller, Capture};
use crate::testing::Home;

/// A clone of an exported journal on disk.
struct Clone {
    dir: tempfile::TempDir,
    files: BTreeMap<String, Vec<u8>>,
}

fn copied(from: &BTreeMap<String, Vec<u8>>, to: &Path) {
    for (path, bytes) in from {
        let path = to.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes");
        std::fs::write(path, bytes).expect("writes");
    }
}

fn read_all(dir: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).expect("reads") {
        let entry = entry.expect("reads");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type().expect("a type").is_dir() {
            true => read_all(&entry.path(), &format!("{name}/"), files),
            false => {
                files.insert(name, std::fs::read(entry.path()).expect("reads"));
            }
        }
    }
}

impl Clone {
    fn of(files: BTreeMap<String, Vec<u8>>) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        copied(&files, dir.path());
        Self { dir, files }
    }

    /// Two entries with four pieces of evidence, one of which has its data in a file of its own.
    async fn exported() -> Self {
        Self::exported_with(130).await
    }

    /// As [`Self::exported`]; the second evidence has so many lines.
    async fn exported_with(lines: usize) -> Self {
        let home = Home::new().await;
        let one = home.entry("Week 1", "# Week 1\n\nFirst *words*.\n").await;
        let two = home.entry("Week 2", "# Week 2\n\nOther words.\n\n- a\n- b\n").await;
        let long = format!("{}\n", "a long line of output, which is repeated ".repeat(60)).repeat(lines);
        for (into, output) in [(&one, "db  running"), (&one, &*long), (&two, "3 passed"), (&two, "backend  up")] {
            let request = Capture { into: Some(into.clone()), ..Capture::of(Kind::Console) };
            let output = Output { console: Console::from_text("docker compose ps", output), ..Output::default() };
            home.app.capture.capture_console(output, request, &Caller::default()).await.expect("captures");
        }
        home.export(false).await.expect("exports");
        let mut files = BTreeMap::new();
        read_all(&home.out(), "", &mut files);
        home.app.shutdown().await;
        Self::of(files)
    }

    fn verified(&self) -> Verified {
        verify(&[self.dir.path().display().to_string()], None).expect("verifies")
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn text(&self, path: &str) -> String {
        String::from_utf8(self.files[path].clone()).expect("UTF-8")
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(path), bytes).expect("writes");
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).expect("renames");
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.path(path)).expect("removes");
    }

    /// As it was exported.
    fn restore(&self) {
        std::fs::remove_dir_all(self.dir.path()).expect("removes");
        copied(&self.files, self.dir.path());
    }

    fn pictures(&self) -> Vec<String> {
        self.files.keys().filter(|path| path.ends_with(".svg")).cloned().collect()
    }
}

/// What a reader of the answer learns: all verdicts and notes, without the names of files.
fn said(verified: &Verified) -> Vec<String> {
    let evidence = verified.evidence.iter().map(|e| format!("{} {:?} {}", e.verdict.word(), e.id, e.notes.len()));
    let entries = verified.entries.iter().map(|e| format!("{} {}", e.verdict.word(), e.notes.join("; ")));
    evidence.chain(entries).chain(verified.warnings.iter().cloned()).collect()
}

fn verdicts(verified: &Verified) -> Vec<Verdict> {
    verified.evidence.iter().map(|e| e.verdict).collect()
}

#[tokio::test]
async fn an_export_is_intact_and_has_a_manifest() {
    let clone = Clone::exported().await;
    let verified = clone.verified();
    assert!(verified.ok, "{verified:?}");
    assert_eq!(verdicts(&verified), [Verdict::Intact; 4]);
    assert!(verified.entries.iter().all(|e| e.verdict == EntryVerdict::Intact && e.notes.is_empty()));
    assert_eq!((verified.entries.len(), verified.warnings.len()), (2, 0), "{verified:?}");
    let manifest = Manifest::read(&clone.files["journal/tracebook.jsonl"]).expect("a manifest");
    let files: Vec<&str> = manifest.lines.iter().map(|line| line.file.as_str()).collect();
    assert_eq!(files, ["week1.md", "week2.md"]);
    assert!(manifest.lines.iter().all(|line| line.evidence.len() == 2));
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("small") % below
    }
}

/// Every change of what a reader learns appears in the answer. Prints how many tamperings of each class were tried.
#[tokio::test]
async fn every_tampering_is_reported() {
    // Large data is drawn at each verification, so only what concerns it is tried with it.
    let large = Clone::exported().await;
    let clone = Clone::exported_with(1).await;
    let before = said(&clone.verified());
    let mut dice = Dice(7);
    let mut figures: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut try_in = |clone: &Clone, class: &'static str, what: &str| {
        let verified = clone.verified();
        let (tried, missed) = figures.entry(class).or_default();
        *tried += 1;
        let unsaid = match class.starts_with("said: ") {
            true => said(&verified) == before,
            false => verified.ok,
        };
        if unsaid {
            *missed += 1;
            println!("not said: {class}: {what}\n{:?}", said(&verified));
        }
    };
    let mut try_one = |class, what: &str| try_in(&clone, class, what);
    let changed = |bytes: &[u8], at: usize, dice: &mut Dice| {
        let mut bytes = bytes.to_vec();
        bytes[at] = match bytes[at] {
            b'0'..=b'8' => bytes[at] + 1,
            b'a'..=b'y' | b'A'..=b'Y' if dice.next(2) == 0 => bytes[at] + 1,
            byte => byte ^ 0x01,
        };
        bytes
    };
    for path in clone.pictures() {
        let bytes = &clone.files[&path];
        for _ in 0..40 {
            let at = dice.next(bytes.len() - 1);
            clone.write(&path, changed(bytes, at, &mut dice));
            try_one("a byte of a picture", &format!("{path} at {at}"));
        }
        for _ in 0..10 {
            let (at, mut shorter) = (dice.next(bytes.len() - 1), bytes.clone());
            shorter.remove(at);
            clone.write(&path, &shorter);
            try_one("a picture without a byte", &format!("{path} at {at}"));
        }
        for length in [0, 10, bytes.len() / 2, bytes.len() - 20] {
            clone.write(&path, &bytes[..length]);
            try_one("a picture that is cut", &format!("{path} to {length}"));
        }
        clone.restore();
        if !path.contains(".narrow.") {
            clone.remove(&path);
            try_one("a picture that is deleted", &path);
            clone.restore();
        }
    }
    let wide: Vec<String> = clone.pictures().into_iter().filter(|path| !path.contains(".narrow.")).collect();
    for one in &wide {
        for other in wide.iter().filter(|other| *other != one) {
            clone.write(one, &clone.files[other]);
            try_one("a picture in place of another", one);
        }
        clone.restore();
    }
    for path in ["journal/week1.md", "journal/week2.md"] {
        let md = clone.text(path);
        let blocks: Vec<(usize, usize)> = (md.match_indices("<!-- tracebook:evidence"))
            .map(|(at, _)| (at, at + md[at..].find("<!-- /tracebook -->").expect("its end") + 19))
            .collect();
        for (start, end) in &blocks {
            let block = &md[*start..*end];
            let picture = start + block.find("![").expect("a picture");
            let words = picture..picture + md[picture..].find("](").expect("a target");
            for _ in 0..150 {
                let at = start + dice.next(block.len());
                let byte = md.as_bytes()[at];
                if words.contains(&at) || !byte.is_ascii_alphanumeric() {
                    continue;
                }
                let bytes = changed(md.as_bytes(), at, &mut dice);
                clone.write(path, bytes);
                try_one("a letter or digit of a table, caption or marker", &format!("{path} at {at}"));
            }
            let lines: Vec<&str> = block.lines().collect();
            for n in 0..lines.len() {
                if lines[n].trim().is_empty() {
                    continue;
                }
                let mut fewer = lines.clone();
                fewer.remove(n);
                clone.write(path, md.replace(block, &fewer.join("\n")));
                try_one("a block without a line", lines[n]);
                for more in
                    ["| 1 | forged |", "![x](https://example.com/a.png)", "<img src=x>", "[a](https://a.example)"]
                {
                    let mut with = lines.clone();
                    with.insert(n, more);
                    if n > 0 {
                        clone.write(path, md.replace(block, &with.join("\n")));
                        try_one("a block with a line more", more);
                    }
                }
            }
            clone.write(path, md.replace(block, ""));
            try_one("a block that is deleted", path);
            let about = format!("journal/assets/{}/entry.json", &path["journal/".len()..path.len() - 3]);
            clone.remove(&about);
            try_one("a block and entry.json that are deleted", path);
            clone.write(&about, "{\"tracebook\":2}");
            try_one("a block that is deleted, and entry.json that is emptied", path);
            clone.restore();
        }
        clone.remove(path);
        try_one("a text that is deleted", path);
        let folder = format!("journal/assets/{}", &path["journal/".len()..path.len() - 3]);
        std::fs::remove_dir_all(clone.path(&folder)).expect("removes");
        try_one("a text and its folder that are deleted", path);
        clone.restore();
        std::fs::remove_dir_all(clone.path(&folder)).expect("removes");
        try_one("a folder that is deleted", path);
        clone.restore();
        clone.rename(&folder, &format!("{folder}-old"));
        try_one("said: a folder with another name", path);
        clone.remove(&format!("{folder}-old/entry.json"));
        try_one("said: a folder with another name, without entry.json", path);
        clone.restore();
        clone.rename(path, "journal/other.md");
        try_one("said: a text with another name", path);
        let (start, end) = blocks[0];
        clone.write("journal/other.md", format!("{}{}", &md[..start], &md[end..]));
        try_one("a text with another name, without a block", path);
        clone.restore();
        clone.remove(&format!("{folder}/entry.json"));
        try_one("said: entry.json that is deleted", path);
        for bad in ["", "{", "[]", "{\"tracebook\": 2}", "{\"tracebook\": 99}", "\u{0}"] {
            clone.write(&format!("{folder}/entry.json"), bad);
            try_one("said: entry.json that cannot be read", bad);
        }
        clone.restore();
        // Into another entry, with and without its picture.
        let other = if path.ends_with("1.md") { "journal/week2.md" } else { "journal/week1.md" };
        let block = md[start..end].to_owned();
        clone.write(other, format!("{}\n\n{block}\n", clone.text(other)));
        try_one("said: a block that is also in another text", path);
        clone.write(path, md.replace(&block, ""));
        try_one("said: a block that is in another text", path);
        clone.restore();
    }
    for bad in ["", "{", "{\"tracebook\":99}", "<<<<<<<\n"] {
        clone.write("journal/tracebook.jsonl", bad);
        try_one("said: a manifest that cannot be read", bad);
    }
    clone.remove("journal/tracebook.jsonl");
    try_one("said: a manifest that is deleted", "");
    clone.restore();
    for path in &wide {
        clone.rename(path, &path.replace(".svg", "-renamed.svg"));
        try_one("said: a picture with another name", path);
        clone.restore();
        std::fs::create_dir_all(clone.path("elsewhere")).expect("makes");
        if !path.contains("/week1/") || !clone.files.contains_key(&path.replace(".svg", ".json")) {
            clone.write(&format!("elsewhere/{}", path.rsplit('/').next().expect("a name")), &clone.files[path]);
            try_one("said: a copy of a picture", path);
        }
        clone.restore();
    }
    let data = large.files.keys().find(|path| path.ends_with(".json") && !path.ends_with("entry.json"));
    let data = data.expect("data of its own").clone();
    for _ in 0..20 {
        let bytes = &large.files[&data];
        let at = dice.next(bytes.len() - 1);
        large.write(&data, changed(bytes, at, &mut dice));
        try_in(&large, "a byte of a data file", &format!("at {at}"));
    }
    large.remove(&data);
    try_in(&large, "a data file that is deleted", &data);
    let all: usize = figures.values().map(|(tried, _)| tried).sum();
    for (class, (tried, missed)) in &figures {
        println!("{tried:5} tried, {missed} not said: {class}");
    }
    println!("{all:5} in all");
    assert!(all >= 1_000, "{all}");
    assert!(figures.values().all(|(_, missed)| *missed == 0), "{figures:?}");
}

#[tokio::test]
async fn what_is_moved_copied_and_renamed_still_holds() {
    let clone = Clone::exported().await;
    let words = |verified: &Verified| {
        let mut words: Vec<&str> = verified.evidence.iter().map(|e| e.verdict.word()).collect();
        words.sort_unstable();
        words.join(" ")
    };
    clone.rename("journal/assets/week2", "journal/assets/other");
    let verified = clone.verified();
    assert!(verified.ok, "{verified:?}");
    assert_eq!(words(&verified), "intact intact moved moved");
    assert!(verified.evidence.iter().any(|e| e.file.contains("assets/other")));
    clone.restore();
    clone.rename("journal/week2.md", "journal/renamed.md");
    let verified = clone.verified();
    assert!(verified.ok, "{verified:?}");
    assert!(
        verified
            .entries
            .iter()
            .any(|e| e.notes == ["it was exported as week2.md", "its entry.json is in assets/week2"])
    );
    clone.restore();
    // A second copy of the whole journal.
    let copy: BTreeMap<String, Vec<u8>> = clone
        .files
        .iter()
        .filter(|(path, _)| path.ends_with(".svg") || path.ends_with(".json"))
        .map(|(path, bytes)| (path.replace("journal/assets", "backup"), bytes.clone()))
        .collect();
    copied(&copy, clone.dir.path());
    let verified = clone.verified();
    assert!(verified.ok, "{verified:?}");
    assert_eq!(words(&verified), "duplicate duplicate duplicate duplicate intact intact intact intact");
    clone.restore();
    // A block that was moved from one text to the other.
    let (one, two) = (clone.text("journal/week1.md"), clone.text("journal/week2.md"));
    let start = one.find("<!-- tracebook:evidence").expect("a block");
    let end = start + one[start..].find("<!-- /tracebook -->").expect("its end") + 19;
    clone.write("journal/week1.md", one.replace(&one[start..end], ""));
    clone.write("journal/week2.md", format!("{two}\n\n{}\n", &one[start..end]));
    let verified = clone.verified();
    assert!(verified.ok, "{verified:?}");
    assert_eq!(words(&verified), "intact intact intact moved");
}

#[tokio::test]
async fn two_files_with_one_id_and_other_data_are_doubtful() {
    let clone = Clone::exported().await;
    let path =
        clone.pictures().into_iter().find(|path| path.contains("week2") && !path.contains("narrow")).expect("one");
    let id: Id = path.rsplit('/').next().and_then(|name| name[..26].parse().ok()).expect("an id");
    let other = frozen(id, "forged");
    clone.write("other.svg", tracebook_render::card::svg(&other, tracebook_render::card::Size::Full).svg);
    let verified = clone.verified();
    assert!(!verified.ok);
    let of_id: Vec<Verdict> = verified.evidence.iter().filter(|e| e.id == Some(id)).map(|e| e.verdict).collect();
    assert_eq!(of_id, [Verdict::Doubtful, Verdict::Doubtful]);
}

fn git(dir: &Path, arguments: &[&str]) -> bool {
    let identity = ["-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").current_dir(dir).args(identity).args(arguments).output().expect("git runs");
    if !output.status.success() {
        println!(
            "git {arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    output.status.success()
}

/// Two branches edit different entries, and different sentences of one.
#[tokio::test]
async fn branches_merge_without_conflict() {
    let home = Home::new().await;
    let body = "# T\n\nFirst sentence.\n\nSecond.\n\nThird.\n\nFourth.\n\nFifth.\n\nLast sentence.\n";
    let (one, two) = (home.entry("One", body).await, home.entry("Two", body).await);
    for into in [&one, &two] {
        let request = Capture { into: Some(into.clone()), ..Capture::of(Kind::Console) };
        let output = Output { console: Console::from_text("ls", "a"), ..Output::default() };
        home.app.capture.capture_console(output, request, &Caller::default()).await.expect("captures");
    }
    home.export(false).await.expect("exports");
    let repo = home.out();
    for arguments in [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-qm", "exported"]] {
        assert!(git(&repo, arguments));
    }
    let edit = async |slug: &str, from: &str, to: &str| {
        let entry = home.app.journal.find_entry(slug).await.expect("there");
        let body = entry.body.replace(from, to);
        let caller = Caller::default();
        let written = home.app.journal.write_body(entry.row.id, Some(entry.revision), body, None, &caller);
        assert!(written.await.expect("writes").accepted);
        home.export(false).await.expect("exports").written
    };
    let changes: [&[(&str, &str, &str)]; 2] = [
        &[("one", "First sentence.", "First sentence, edited.")],
        &[("one", "Last sentence.", "Last sentence, edited."), ("two", "Third.", "Third, edited.")],
    ];
    for (branch, edits) in ["left", "right"].into_iter().zip(changes) {
        assert!(git(&repo, &["checkout", "-q", "main"]) && git(&repo, &["checkout", "-q", "-b", branch]));
        for (slug, from, to) in edits {
            let written = edit(slug, from, to).await;
            assert_eq!(written, [format!("journal/{slug}.md"), "journal/tracebook.jsonl".to_owned()]);
        }
        assert!(git(&repo, &["commit", "-qam", branch]));
        for (slug, from, to) in edits {
            edit(slug, to, from).await;
        }
        assert!(git(&repo, &["checkout", "-q", "--", "."]));
    }
    assert!(git(&repo, &["checkout", "-q", "main"]) && git(&repo, &["merge", "-q", "--no-edit", "left"]));
    assert!(git(&repo, &["merge", "-q", "--no-edit", "right"]), "a conflict");
    let manifest = Manifest::read(&std::fs::read(repo.join("journal/tracebook.jsonl")).expect("reads")).expect("reads");
    assert_eq!(manifest.unread, Vec::<String>::new());
    let verified = verify(&[repo.display().to_string()], Some(2)).expect("verifies");
    assert!(verified.ok, "{verified:?}");
    // What both branches changed was exported by neither.
    let texts: Vec<EntryVerdict> = verified.entries.iter().map(|e| e.verdict).collect();
    assert_eq!(texts, [EntryVerdict::Changed, EntryVerdict::Intact]);
    home.import(&repo).await.expect("imports");
    let merged = home.app.journal.find_entry("one").await.expect("there").body;
    assert!(merged.contains("First sentence, edited.") && merged.contains("Last sentence, edited."), "{merged}");
    let exported = home.export(false).await.expect("exports");
    assert_eq!((exported.written, exported.refused), (vec!["journal/tracebook.jsonl".to_owned()], Vec::new()));
    let verified = verify(&[repo.display().to_string()], Some(2)).expect("verifies");
    assert!(verified.entries.iter().all(|e| e.verdict == EntryVerdict::Intact), "{verified:?}");
    home.app.shutdown().await;
}

#[tokio::test]
async fn the_manifest_keeps_entries_of_others_and_forgets_deleted_ones() {
    let home = Home::new().await;
    let slug = home.entry("One", "# One\n").await;
    home.export(false).await.expect("exports");
    let path = home.out().join("journal/tracebook.jsonl");
    assert!(!path.exists(), "there is no evidence");
    let request = Capture { into: Some(slug), ..Capture::of(Kind::Console) };
    let output = Output { console: Console::from_text("ls", "a"), ..Output::default() };
    home.app.capture.capture_console(output, request, &Caller::default()).await.expect("captures");
    home.export(false).await.expect("exports");
    let manifest = Manifest::read(&std::fs::read(&path).expect("reads")).expect("reads");
    let line = |file: &str, n: u64| Line {
        entry: made_id(n),
        file: file.to_owned(),
        text: "sha256:0".to_owned(),
        evidence: Vec::new(),
        digests: Vec::new(),
    };
    let more = manifest.with(vec![line("theirs.md", 1), line("gone.md", 2)], |_| true);
    std::fs::write(&path, more.to_text()).expect("writes");
    std::fs::write(home.out().join("journal/theirs.md"), "theirs").expect("writes");
    assert_eq!(home.export(false).await.expect("exports").written, ["journal/tracebook.jsonl"]);
    let manifest = Manifest::read(&std::fs::read(&path).expect("reads")).expect("reads");
    let files: Vec<&str> = manifest.lines.iter().map(|line| line.file.as_str()).collect();
    assert_eq!(files, ["one.md", "theirs.md"]);
    // A file that only has its name is not touched.
    std::fs::write(&path, "mine").expect("writes");
    assert_eq!(home.export(false).await.expect("exports").refused, ["journal/tracebook.jsonl"]);
    assert_eq!(std::fs::read_to_string(&path).expect("reads"), "mine");
    home.app.shutdown().await;
}

const CAPTURED: i64 = 1_795_447_300_000_000_000;

struct Fixed(u64);

impl Entropy for Fixed {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.0.to_be_bytes());
        random
    }
}

fn made_id(n: u64) -> Id {
    Id::new(Nanos(CAPTURED), &Fixed(n))
}

fn frozen_body(id: Id, body: Body) -> Frozen {
    let click = Click {
        id,
        question: Question::default(),
        captured_at: Nanos(CAPTURED),
        tool: "tracebook 0.1.0".into(),
        supersedes: None,
        origin: Origin::default(),
    };
    freeze::body(body, click).expect("it has a JSON form").frozen
}

fn frozen(id: Id, text: &str) -> Frozen {
    frozen_body(id, Body::Console(Console::from_text("ls", text)))
}

/// A trace of a server span and `spans` children.
fn traced(n: u64, spans: u64) -> Frozen {
    let start = CAPTURED - 5_000_000_000;
    let loose = (0..=spans).map(|i| {
        let name = if i == 0 { "GET /api".to_owned() } else { format!("step {i}") };
        let at = start + i64::try_from(i).expect("small") * 1_000_000;
        let mut span = Span::new(SpanId((n * 1_000 + i + 1).to_be_bytes()), &name, Protocol::Otlp, Nanos(at));
        span.parent = (i > 0).then(|| SpanId((n * 1_000 + 1).to_be_bytes()));
        span.end = Some(Nanos(at + 9_000_000));
        span.service = ["backend", "db"][usize::from(i % 2 == 1)].into();
        span.kind = if i == 0 { SpanKind::Server } else { SpanKind::Internal };
        LooseSpan::from(span)
    });
    let trace: TraceId = format!("{:032x}", u128::from(n) + 1).parse().expect("an id");
    frozen_body(made_id(n), Body::Trace(assemble(trace, loose)))
}

/// The files of a student with these pieces of evidence in one entry.
fn folder(entry_n: u64, week: &str, evidence: &[Frozen]) -> BTreeMap<String, Vec<u8>> {
    let shelf: BTreeMap<Id, Frozen> = evidence.iter().map(|frozen| (frozen.evidence.id, frozen.clone())).collect();
    let row = EntryRow {
        id: made_id(1_000_000 + entry_n),
        slug: format!("week-{week}"),
        week: Some(week.to_owned()),
        title: format!("Week {week}"),
        updated_at: String::new(),
    };
    let body: String =
        evidence.iter().map(|frozen| format!("![x](evidence:{})\n\nSome words.\n\n", frozen.evidence.id)).collect();
    let body = format!("# Week {week}\n\n## Traces\n\n{body}");
    let input = EntryInput { row: &row, body: &body, file: "week", evidence: &shelf, live: &BTreeMap::new() };
    let mut tree = entry(&input);
    let manifest = Manifest::default().with(tree.line.take().into_iter().collect(), |_| true);
    tree.files.insert("journal/tracebook.jsonl".to_owned(), manifest.to_text().into_bytes());
    tree.files
}

fn class_of(students: &[(&str, BTreeMap<String, Vec<u8>>)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, files) in students {
        copied(files, &dir.path().join(name));
        std::fs::create_dir_all(dir.path().join(name)).expect("makes");
    }
    dir
}

fn classed(dir: &Path, course: Option<&Path>) -> Class {
    class(dir, course).expect("checks")
}

#[test]
fn a_class_is_compared() {
    let own = |n: u64| folder(n, "2", &[traced(n, 3), frozen(made_id(n + 100), "own")]);
    let mut dan = own(4);
    let picture = b"\x89PNG a picture of a terminal".to_vec();
    dan.insert("journal/assets/week/shot.png".to_owned(), picture.clone());
    let mut eve = own(5);
    eve.insert("journal/assets/week/other-name.png".to_owned(), picture);
    // The same trace, captured by each of them.
    let again = frozen_body(made_id(900), traced(6, 3).evidence.body);
    let dir = class_of(&[
        ("ann", own(1)),
        ("bob", own(2)),
        ("bob-again", own(2)),
        ("dan", dan),
        ("eve", eve),
        ("fay", own(6)),
        ("gus", folder(7, "2", &[again])),
        ("nobody", BTreeMap::new()),
        (".git", own(9)),
    ]);
    let result = classed(dir.path(), None);
    let names: Vec<&str> = result.students.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["ann", "bob", "bob-again", "dan", "eve", "fay", "gus", "nobody"]);
    let of = |name: &str| result.students.iter().find(|s| s.name == name).expect("a row");
    assert!(of("ann").ok && !result.ok, "{:?}", of("ann"));
    assert_eq!(of("ann").verdicts, BTreeMap::from([("intact", 2)]));
    let shares = |name: &str| -> Vec<(&str, u32, u32, u32, u32)> {
        of(name).shared_with.iter().map(|s| (s.name.as_str(), s.ids, s.digests, s.traces, s.pictures)).collect()
    };
    assert_eq!(shares("bob"), [("bob-again", 2, 2, 1, 0)]);
    assert_eq!(shares("eve"), [("dan", 0, 0, 0, 1)]);
    assert_eq!(shares("gus"), [("fay", 0, 0, 1, 0)]);
    assert_eq!(of("nobody").notes, ["no evidence was found"]);
    assert_eq!(of("ann").first.as_deref(), Some("2026-11-23T15:21:40.000Z"));

    let csv = to_csv(&result);
    assert_eq!(csv.lines().count(), 9);
    assert!(csv.contains("\"bob-again (2 evidence, 2 data, 1 traces)\""), "{csv}");
    let html = to_html(&result);
    assert!(html.starts_with("<!doctype html>") && html.contains("bob-again") && !html.contains("<script"));
}

#[test]
fn hostile_names_stay_text_in_reports() {
    let mut student = folder(1, "2", &[traced(1, 2)]);
    student.insert("journal/=HYPERLINK(1).md".to_owned(), b"\xff\xfe".to_vec());
    let dir = class_of(&[
        ("=cmd|' /C calc'!A0", folder(2, "2", &[traced(2, 2)])),
        ("+1", BTreeMap::new()),
        ("-1", BTreeMap::new()),
        ("@sum", BTreeMap::new()),
        ("<img src=x onerror=alert(1)>\"'", student),
    ]);
    let result = classed(dir.path(), None);
    let csv = to_csv(&result);
    for row in csv.lines().skip(1) {
        let first = row.trim_start_matches('"');
        assert!(!first.starts_with(['=', '+', '-', '@']), "{row}");
    }
    for name in ["\"'=cmd|", "\"'+1\"", "\"'-1\"", "\"'@sum\""] {
        assert!(csv.contains(name), "{name} in {csv}");
    }
    let html = to_html(&result);
    assert!(!html.contains("<img") && html.contains("&lt;img src=x"));
}

#[test]
fn homework_is_met_by_evidence_that_holds() {
    let course = tempfile::NamedTempFile::new().expect("a file");
    let text = "[[week]]\nnumber = 2\ntitle = \"Tracing\"\n\
        [[week.homework]]\ntitle = \"Traces\"\nneeds = [{ kind = \"trace\" }]\n\
        [[week.homework]]\ntitle = \"Console\"\nneeds = [{ kind = \"console\", contains = \"passed\" }]\n";
    std::fs::write(course.path(), text).expect("writes");
    let both = folder(1, "2", &[traced(1, 2), frozen(made_id(101), "3 passed")]);
    let mut forged = folder(2, "2", &[traced(2, 2), frozen(made_id(102), "3 passed")]);
    let path = format!("journal/assets/week/{}.svg", made_id(102));
    let svg = String::from_utf8(forged[&path].clone()).expect("UTF-8").replace("3 passed", "9 passed");
    forged.insert(path, svg.into_bytes());
    let dir = class_of(&[("ann", both), ("bob", forged), ("cat", folder(3, "7", &[traced(3, 2)]))]);
    let result = classed(dir.path(), Some(course.path()));
    let of = |name: &str| result.students.iter().find(|s| s.name == name).expect("a row");
    let titles = |name: &str| {
        let met: Vec<String> = of(name).met.iter().map(|met| met.title.clone()).collect();
        let missing: Vec<String> = of(name).missing.iter().map(|lacking| lacking.title.clone()).collect();
        (met.join(" "), missing.join(" "))
    };
    assert_eq!(titles("ann"), ("Traces Console".to_owned(), String::new()), "{:?}", of("ann"));
    assert_eq!(of("ann").met[0].evidence, [made_id(1)]);
    assert_eq!(titles("bob"), ("Traces".to_owned(), "Console".to_owned()));
    assert_eq!(titles("cat"), (String::new(), "Traces Console".to_owned()));
    assert!(of("cat").missing[0].why.contains("week 2"));
    assert!(of("ann").ok && !of("bob").ok && !of("cat").ok);
    std::fs::write(course.path(), "nonsense = 1").expect("writes");
    assert!(class(dir.path(), Some(course.path())).is_err());
    assert!(class(&dir.path().join("ann/journal/week.md"), None).is_err());
    assert!(class(&dir.path().join("nothing"), None).is_err());
}

#[cfg(unix)]
#[test]
fn links_in_a_class_are_not_followed() {
    let dir = class_of(&[("ann", folder(1, "2", &[traced(1, 2)]))]);
    let outside = class_of(&[("bob", folder(2, "2", &[traced(2, 2)]))]);
    std::os::unix::fs::symlink(outside.path().join("bob"), dir.path().join("bob")).expect("links");
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("ann/journal/zero.md")).expect("links");
    let result = classed(dir.path(), None);
    assert_eq!(result.students.len(), 1);
    assert!(result.warnings.iter().any(|warning| warning.contains("bob")), "{:?}", result.warnings);
    assert!(result.students[0].notes.iter().any(|note| note.contains("zero.md")), "{:?}", result.students[0].notes);
}

/// Two hundred folders with eleven pieces of evidence each. The time is that of this profile, beside other tests.
#[test]
fn a_large_class_takes_seconds() {
    let students: Vec<(String, BTreeMap<String, Vec<u8>>)> = (0..200)
        .map(|n| {
            let evidence: Vec<Frozen> = (0..11).map(|i| traced(n * 11 + i, 12)).collect();
            (format!("student-{n}"), folder(n, "2", &evidence))
        })
        .collect();
    let named: Vec<(&str, BTreeMap<String, Vec<u8>>)> =
        students.iter().map(|(name, files)| (name.as_str(), files.clone())).collect();
    let dir = class_of(&named);
    let began = std::time::Instant::now();
    let result = classed(dir.path(), None);
    let took = began.elapsed();
    println!("200 folders with 2,200 evidence: {took:?}");
    let all: usize = result.students.iter().flat_map(|student| student.verdicts.values()).sum();
    assert!(result.ok && all == 2_200);
    assert!(took < std::time::Duration::from_secs(120), "{took:?}");
}

#[tokio::test]
async fn drawings_of_earlier_renderers_are_kept_until_asked() {
    let clone = Clone::exported().await;
    let ours = tracebook_render::card::RENDERER;
    // As renderer 4 would have drawn it: another drawing of the same data, with its digest.
    let older = |svg: &str| {
        let start = svg.find("<metadata>").expect("data");
        let end = svg.find("</metadata>").expect("data") + "</metadata>".len();
        let draw = |text: &str| {
            text.replace(&format!("data-renderer=\"{ours}\""), "data-renderer=\"4\"").replace("</svg>", "<g/></svg>")
        };
        let (head, tail) = (draw(&svg[..start]), draw(&svg[end..]));
        let digest = tracebook_core::canonical::digest(format!("{head}{tail}").as_bytes());
        let mut data: serde_json::Value =
            serde_json::from_str(&svg[start + "<metadata>".len()..end - "</metadata>".len()]).expect("JSON");
        data["renderer"] = "4".into();
        data["drawing"] = digest.into();
        format!("{head}<metadata>{data}</metadata>{tail}")
    };
    for path in clone.pictures() {
        clone.write(&path, older(&clone.text(&path)));
    }
    let verified = clone.verified();
    assert!(verified.ok, "{verified:?}");
    assert_eq!(verdicts(&verified), [Verdict::Redrawn; 4]);
    let to = tempfile::tempdir().expect("a folder");
    let paths = [clone.dir.path().display().to_string()];
    verify_and_redraw(&paths, None, Some(to.path())).expect("verifies");
    for path in clone.pictures() {
        let name = path.rsplit('/').next().expect("a name");
        assert_eq!(std::fs::read(to.path().join(name)).expect("drawn"), clone.files[&path], "{name}");
    }
    // Nothing that is there is changed.
    let name = clone.pictures()[0].rsplit('/').next().expect("a name").to_owned();
    std::fs::write(to.path().join(&name), "mine").expect("writes");
    let verified = verify_and_redraw(&paths, None, Some(to.path())).expect("verifies");
    assert!(verified.warnings.iter().any(|w| w.contains(&name)), "{:?}", verified.warnings);
    assert_eq!(std::fs::read_to_string(to.path().join(&name)).expect("reads"), "mine");
    // A picture that names an unknown renderer cannot be compared with anything.
    let path = &clone.pictures()[0];
    for renderer in ["0", "99", "x", ""] {
        let svg = older(&clone.text(path)).replace("data-renderer=\"4\"", &format!("data-renderer=\"{renderer}\""));
        clone.write(path, svg.replace("\"renderer\":\"4\"", &format!("\"renderer\":\"{renderer}\"")));
        assert!(!clone.verified().ok, "{renderer}");
    }
}

#[tokio::test]
async fn a_text_with_a_decomposed_name_is_found() {
    let home = Home::new().await;
    let slug = home.entry("Entrée", "# Entrée\n").await;
    let entry = home.app.journal.find_entry(&slug).await.expect("there");
    home.app.shutdown().await;
    let mut tree = folder(1, "2", &[traced(1, 2)]);
    let about = tree.remove("journal/week.md").map(|md| String::from_utf8(md).expect("UTF-8")).expect("a text");
    assert!(entry.body.contains('é'));
    // `é` in two characters, as macOS stores names, in a text that has it in one.
    let renamed = about.replace("assets/week/", "assets/entr%C3%A9e/");
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (path, bytes) in tree {
        files.insert(path.replace("assets/week/", "assets/entre\u{301}e/"), bytes);
    }
    files.insert("journal/entre\u{301}e.md".to_owned(), renamed.into_bytes());
    let clone = Clone::of(files);
    let verified = clone.verified();
    assert!(verified.evidence.iter().all(|e| e.verdict.holds()), "{verified:?}");
}
