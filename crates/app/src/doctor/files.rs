//! The database files: damage, what was set aside, backups.

use std::path::Path;

use tracebook_core::text;
use tracebook_store::repair::Repair;
use tracebook_store::{Journal, aside, backup};

use super::step;
use crate::ground::error::Error;
use crate::ground::schema::Check;

pub(super) async fn checks(data_dir: &Path, journal: &Journal) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut add = |check: &str, ok: bool, detail: String, fix: String| {
        checks.push(step("journal", check, ok, detail, fix));
    };
    match journal.damage().await {
        Ok(None) => add("journal.db is sound", true, "no damage was found".to_owned(), String::new()),
        Ok(Some(damage)) => add(
            "journal.db is sound",
            false,
            format!("it is damaged: {damage}"),
            "# Close Tracebook, then:\ntracebook doctor --repair".to_owned(),
        ),
        Err(error) => {
            let error = Error::from(error);
            add("journal.db is sound", false, error.message, error.hint);
        }
    }
    let aside: Vec<String> = aside::set_aside_before(data_dir)
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    if !aside.is_empty() {
        add(
            "telemetry.db was never damaged",
            false,
            format!("a damaged one was set aside, and a new one started: {}", aside.join(", ")),
            format!("# Entries and evidence are not affected. Delete what was set aside in {}", data_dir.display()),
        );
    }
    let detail = match backup::newest_backup(data_dir) {
        Some(newest) => format!("the newest is {}", newest.display()),
        None => "there is none yet: the window and `tracebook serve` make one a day".to_owned(),
    };
    add("the journal is backed up", true, detail, String::new());
    checks
}

/// What a repair found and did.
pub(crate) fn after_repair(repair: &Repair) -> Vec<Check> {
    let Some(kept) = &repair.kept else {
        let detail = "no damage was found, and nothing was changed".to_owned();
        return vec![step("journal", "journal.db is sound", true, detail, String::new())];
    };
    let rows = |table: &str| repair.recovered.get(table).copied().unwrap_or(0);
    let detail = format!(
        "it was damaged ({}), and is repaired: {} entries, {} revisions and {} pieces of evidence were recovered. The original is kept as {}",
        repair.damage.first().map_or("", String::as_str),
        rows("entry"),
        rows("revision"),
        rows("evidence"),
        kept.display()
    );
    let mut checks = vec![step("journal", "journal.db is sound", true, detail, String::new())];
    let lost = text::count(repair.lost.len(), "thing");
    let (ok, detail, fix) = match repair.lost.is_empty() {
        true => (true, "everything could be read".to_owned(), String::new()),
        false => (
            false,
            format!("{lost} could not be recovered as it was"),
            "# A backup may have it: the daily ones are in the folder backups".to_owned(),
        ),
    };
    checks.push(step("journal", "nothing was lost", ok, detail, fix));
    checks
}
