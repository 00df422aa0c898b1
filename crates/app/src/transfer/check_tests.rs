//! What `check` reports of a journal, and `verify` of texts.

use std::sync::Arc;

use tracebook_core::console::{Console, Output};
use tracebook_core::evidence::Kind;
use tracebook_core::ids::Id;
use tracebook_render::markdown::ProblemKind;
use tracebook_render::written::EntryVerdict;

use super::verify::{Verified, verify};
use crate::ground::error::Code;
use crate::ground::schema::{Caller, Capture, EntryCheck, EntryChecked, EntryNew, EvidenceDelete};
use crate::testing::{Home, ManualClock};

impl Home {
    async fn check(&self, entry: Option<&str>) -> EntryChecked {
        let request = EntryCheck { entry: entry.map(str::to_owned) };
        self.app.transfer.check(request, &Caller::default()).await.expect("checks")
    }

    async fn kinds(&self, entry: &str) -> Vec<(Option<usize>, ProblemKind)> {
        self.check(Some(entry)).await.problems.into_iter().map(|p| (p.line, p.kind)).collect()
    }

    async fn console(&self, into: &str) -> Id {
        let request = Capture { into: Some(into.to_owned()), ..Capture::of(Kind::Console) };
        let console = Console::from_text("docker compose ps", "db  running");
        let captured = self
            .app
            .capture
            .capture_console(Output { console, ..Output::default() }, request, &Caller::default())
            .await
            .expect("captures");
        captured.evidence.id
    }

    fn verified(&self, expect: Option<u32>) -> Verified {
        verify(&[self.out().display().to_string()], expect).expect("verifies")
    }
}

#[tokio::test]
async fn a_check_lists_the_problems_of_all_entries_by_line() {
    let home = Home::new().await;
    let fine = home.entry("Fine", "# Fine\n\nText.\n").await;
    home.console(&fine).await;
    assert_eq!(home.check(None).await, EntryChecked { ok: true, ..EntryChecked::default() });

    let text = "# Poor\n\nTODO\n\n## Empty\n\n## Slots\n\n![Traces]()\n\nAKIAIOSFODNN7EXAMPLA and\nexport password=hunter2secret9\n\n\
                ![Chart of it](a.png) ![](b.png)\n\n[there](#nowhere) http://localhost:3000\n";
    let poor = home.entry("Poor", text).await;
    let checked = home.check(None).await;
    assert!(!checked.ok);
    assert!(checked.problems.iter().all(|problem| problem.entry == poor));
    let found: Vec<_> = checked.problems.iter().map(|p| (p.line.unwrap_or(0), p.kind.word())).collect();
    assert_eq!(
        found,
        [
            (3, "todo"),
            (5, "empty-section"),
            (9, "slot"),
            (11, "leak"),
            (12, "leak"),
            (14, "picture"),
            (14, "picture"),
            (14, "alt-text"),
            (16, "anchor"),
            (16, "expires"),
        ]
    );
    // Never the credential itself.
    assert!(checked.problems.iter().all(|p| !p.message.contains("hunter2") && !p.message.contains("AKIA")));
    let error = home.app.transfer.check(EntryCheck { entry: Some("none".to_owned()) }, &Caller::default()).await;
    assert_eq!(error.expect_err("no such entry").code, Code::NotFound);
}

#[tokio::test]
async fn evidence_that_an_export_cannot_show_is_a_problem() {
    let home = Home::new().await;
    let entry = home.entry("One", "# One\n\ntext\n").await;
    let shown = home.console(&entry).await;
    assert_eq!(home.kinds(&entry).await, []);
    let line = |body: &str| body.lines().position(|line| line.contains("evidence:")).map(|at| at + 1);
    let body = home.app.journal.find_entry(&entry).await.expect("there").body;
    let request = EvidenceDelete { id: shown, purge: false };
    home.app.evidence.delete(request, &Caller::default()).await.expect("deletes");
    assert_eq!(home.kinds(&entry).await, [(line(&body), ProblemKind::Evidence)]);
    let other = home
        .entry("Two", "# Two\n\n![x](evidence:01JABCDEFGHJKMNPQRSTVWXYZ0)\n\n![y](live:01JABCDEFGHJKMNPQRSTVWXYZ0)\n")
        .await;
    assert_eq!(home.kinds(&other).await, [(Some(3), ProblemKind::Evidence), (Some(5), ProblemKind::Evidence)]);
}

#[tokio::test]
async fn evidence_from_long_before_the_entry_is_a_problem() {
    const DAY: i64 = 24 * 3600 * 1_000_000_000;
    let clock = Arc::new(ManualClock::at("2026-11-01T00:00:00Z"));
    let home = Home::at(&clock).await;
    let first = home.entry("One", "# One\n\ntext\n").await;
    let id = home.console(&first).await;
    clock.advance(29 * DAY);
    let second = home.entry("Two", &format!("# Two\n\n![x](evidence:{id})\n")).await;
    clock.advance(2 * DAY);
    let third = home.entry("Three", &format!("# Three\n\n![x](evidence:{id})\n")).await;
    assert_eq!(home.kinds(&first).await, []);
    assert_eq!(home.kinds(&second).await, []);
    assert_eq!(home.kinds(&third).await, [(Some(3), ProblemKind::OldEvidence)]);
}

#[tokio::test]
async fn required_homework_is_met_by_evidence_of_its_kind() {
    let home = Home::new().await;
    let new = EntryNew { week: Some("6".to_owned()), title: None, body: Some("# Week 6\n\ntext\n".to_owned()) };
    let entry = home.app.journal.entry_new(new, &Caller::default()).await.expect("makes").row.slug;
    assert_eq!(home.kinds(&entry).await, [(None, ProblemKind::Homework), (None, ProblemKind::Homework)]);
    home.console(&entry).await;
    let checked = home.check(Some(&entry)).await;
    assert_eq!(checked.problems.len(), 1, "each evidence counts once");
    assert!(checked.problems[0].message.contains("\"Health checks\" is not met: 1 console output"));
    home.console(&entry).await;
    assert_eq!(home.kinds(&entry).await, []);
}

#[tokio::test]
async fn nothing_to_verify_and_less_than_expected_are_not_ok() {
    let home = Home::new().await;
    std::fs::create_dir_all(home.out()).expect("makes");
    assert!(!home.verified(None).ok, "an empty folder");
    let entry = home.entry("One", "# One\n\ntext\n").await;
    home.export(false).await.expect("exports");
    assert!(!home.verified(None).ok, "a text without evidence");
    home.console(&entry).await;
    home.export(false).await.expect("exports");
    for (expect, ok) in [(None, true), (Some(0), true), (Some(1), true), (Some(2), false)] {
        assert_eq!(home.verified(expect).ok, ok, "{expect:?}");
    }
}

#[tokio::test]
async fn a_text_is_intact_when_formatted_changed_when_edited_and_missing_when_gone() {
    let home = Home::new().await;
    let entry = home.entry("One", "# One\n\n* a\n* b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n").await;
    home.console(&entry).await;
    home.export(false).await.expect("exports");
    let path = home.out().join("journal/one.md");
    let text = std::fs::read_to_string(&path).expect("reads");
    let verdict = |written: Option<&str>| {
        match written {
            Some(written) => std::fs::write(&path, written).expect("writes"),
            None => std::fs::remove_file(&path).expect("removes"),
        }
        let verified = home.verified(None);
        assert_eq!(verified.entries.len(), 1);
        assert!(verified.entries[0].file.ends_with("journal/one.md"));
        (verified.entries[0].verdict, verified.ok)
    };
    assert_eq!(verdict(Some(&text)), (EntryVerdict::Intact, true));
    assert_eq!(verdict(Some(&text.replace('\n', "\r\n"))), (EntryVerdict::Intact, true));
    assert_eq!(verdict(Some(&text.replace("| 1 | 2 |", "| 1   |  2 |"))), (EntryVerdict::Intact, true));
    assert_eq!(verdict(Some(&format!("{text}\n\n"))), (EntryVerdict::Intact, true));
    assert_eq!(verdict(Some(&text.replace("| 1 | 2 |", "| 1 | 3 |"))), (EntryVerdict::Changed, true));
    assert_eq!(verdict(Some(&text.replace("# One", "# Two"))), (EntryVerdict::Changed, true));
    assert_eq!(
        verdict(None),
        (EntryVerdict::Missing, false),
        "the picture alone must not make a deleted entry look intact"
    );
}
