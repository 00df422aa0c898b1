//! Exports of what did not change since the last one.

use tracebook_core::console::{Console, Output};
use tracebook_core::evidence::Kind;
use tracebook_core::ids::Id;
use tracebook_store::files::LastExport;

use crate::ground::schema::{Caller, Capture, EntryWrite, EvidenceDelete, Export, Exported, MaskAllow};
use crate::testing::Home;

const ACCOUNT: &str = "987654321098";

impl Home {
    async fn shown(&self, slug: &str, output: &str) -> Id {
        let request = Capture { into: Some(slug.to_owned()), ..Capture::of(Kind::Console) };
        let output = Output { console: Console::from_text("aws", output), ..Output::default() };
        self.app.capture.capture_console(output, request, &Caller::default()).await.expect("captures").evidence.id
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.out().join(path)).expect("a file")
    }

    async fn export_now(&self) -> Exported {
        self.export(false).await.expect("exports")
    }

    /// What is remembered of the last export to its folder.
    async fn remembered(&self) -> (String, Vec<(Id, LastExport)>) {
        let root = self.out().canonicalize().expect("there").display().to_string();
        let all = self.app.journal.store.last_exports(&root).await.expect("reads");
        (root, all.into_iter().collect())
    }
}

#[tokio::test]
async fn an_unchanged_entry_is_neither_masked_nor_drawn_again() {
    let home = Home::new().await;
    let slug = home.entry("Week 1", "# Week 1\n\nMail maria@keller.io.\n").await;
    home.shown(&slug, "arn:aws:iam::987654321098:role/x").await;
    let first = home.export_now().await;
    let (root, mut all) = home.remembered().await;
    assert_eq!(all.len(), 1);
    // The number of masked values in the next answer can only come from there.
    let masked = format!("\"masked\":{}", first.masked);
    assert!(all[0].1.outcome.contains(&masked), "{:?}", all[0]);
    all[0].1.outcome = all[0].1.outcome.replace(&masked, "\"masked\":777");
    home.app.journal.store.remember_exports(&root, &all, home.app.runtime.now()).await.expect("writes");
    let again = home.export_now().await;
    assert_eq!((again.written.len(), again.masked), (0, 777));
    // With the manifest and the file of attributes, which were written, too.
    assert_eq!(again.unchanged as usize, first.written.len());
    // Not with everything as it stands.
    let to = home.out().display().to_string();
    let request = Export { to, allow_leaks: true, ..Export::default() };
    let open = home.app.transfer.export(request, &Caller::default()).await.expect("exports");
    assert!(open.masked == 0 && !open.written.is_empty(), "{open:?}");
    assert!(home.read("journal/week1.md").contains("maria@keller.io"));
    let masked = home.export_now().await;
    assert!(!masked.written.is_empty(), "{masked:?}");
    assert!(!home.read("journal/week1.md").contains("maria@keller.io"));
}

#[tokio::test]
async fn what_changed_is_written_again() {
    let home = Home::new().await;
    let one = home.entry("Week 1", "# Week 1\n\nMail maria@keller.io.\n").await;
    let two = home.entry("Week 2", "# Week 2\n\nOther words.\n").await;
    let id = home.shown(&one, "GET / 200").await;
    let first = home.export_now().await;
    let card = first.written.iter().find(|path| path.ends_with(".svg")).expect("a drawing").clone();

    // A file that is gone.
    std::fs::remove_file(home.out().join(&card)).expect("removes");
    assert_eq!(home.export_now().await.written, std::slice::from_ref(&card));
    // A file that somebody else changed.
    let drawn = home.read(&card);
    std::fs::write(home.out().join(&card), drawn.replace("<svg", "<svg data-x=\"1\"")).expect("writes");
    let refused = home.export_now().await;
    assert_eq!((refused.refused.as_slice(), refused.written.len()), (std::slice::from_ref(&card), 0));
    assert_eq!(home.export(true).await.expect("exports").written, std::slice::from_ref(&card));
    assert_eq!(home.read(&card), drawn);
    // A word.
    let entry = home.app.journal.find_entry(&two).await.expect("there");
    let write = EntryWrite { entry: two, body: entry.body.replace("Other", "Better"), base: None, cut: None };
    home.app.journal.entry_write(write, &Caller::default()).await.expect("writes");
    assert_eq!(home.export_now().await.written, ["journal/week2.md", "journal/tracebook.jsonl"]);
    // An exception.
    let allow = MaskAllow { value: "maria@keller.io".to_owned(), entry: None, allowed: true };
    home.app.transfer.mask_allow(allow, &Caller::default()).await.expect("allows");
    assert!(home.export_now().await.written.contains(&"journal/week1.md".to_owned()));
    assert!(home.read("journal/week1.md").contains("maria@keller.io"));
    // Evidence in the bin is reported each time; purged, it cannot be exported.
    for purge in [false, true] {
        let delete = EvidenceDelete { id, purge };
        home.app.evidence.delete(delete, &Caller::default()).await.expect("deletes");
        let said = home.export_now().await.warnings.join(" ");
        assert!(said.contains(if purge { "not in this journal" } else { "in the bin" }), "{said}");
    }
}

#[tokio::test]
async fn an_account_in_later_evidence_is_masked_in_earlier_entries() {
    let home = Home::new().await;
    home.entry("Week 1", &format!("# Week 1\n\nThe number is {ACCOUNT}.\n")).await;
    home.entry("Week 2", "# Week 2\n\nNo number: 4567.\n").await;
    let three = home.entry("Week 3", "# Week 3\n").await;
    home.shown(&three, &format!("arn:aws:iam::{ACCOUNT}:role/x")).await;
    home.export_now().await;
    let text = home.read("journal/week1.md");
    assert!(!text.contains(ACCOUNT) && text.contains("<ACCOUNT_ID_1>"), "{text}");
    let again = home.export_now().await;
    assert_eq!(again.written, [] as [&str; 0]);
    // The same holds for an account that becomes known later.
    let later = "482915730164";
    home.entry("Week 4", &format!("# Week 4\n\nThe number is {later}.\n")).await;
    home.export_now().await;
    let is_open = |home: &Home| home.read("journal/week4.md").contains(later);
    let known = home.read("journal/week4.md");
    assert!(is_open(&home), "nothing says yet that it is an account: {known}");
    home.shown(&three, &format!("arn:aws:iam::{later}:role/x")).await;
    home.export_now().await;
    assert!(!is_open(&home), "{}", home.read("journal/week4.md"));
}
