//! From records to rows: which are whole, what can be put together from others, and what is lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use tracebook_core::ids::Id;

use super::Lost;
use super::pages::{Kind, PageFile};
use super::records::{Record, Table, Value};
use crate::error::StoreError;
use crate::evidence;

/// The records of a damaged journal.
pub(super) struct Salvage {
    records: Vec<Record>,
    /// `PRAGMA user_version`, if it can be read.
    pub(super) user_version: Option<i32>,
}

/// A row that is put together from revisions.
struct Revised<'a> {
    revision: i64,
    body: &'a str,
    created_at: i64,
}

impl Salvage {
    pub(super) fn read(journal: &Path, log: &Path) -> Result<Self, StoreError> {
        let mut pages = PageFile::open(journal, log)?;
        let mut records = Vec::new();
        pages.each(|cell| records.extend(Record::read(&cell)))?;
        Ok(Self { records, user_version: pages.user_version })
    }

    /// The rows for a new journal, and what is lost. `names` are titles by id from a backup.
    pub(super) fn rows<'t>(
        &mut self,
        tables: &'t [Table],
        names: &BTreeMap<String, String>,
    ) -> (Vec<(&'t Table, Record)>, Vec<Lost>) {
        let mut by_table: BTreeMap<&str, (&Table, Vec<Record>)> =
            tables.iter().map(|table| (table.name.as_str(), (table, Vec::new()))).collect();
        let (mut pairs, mut keys) = (Vec::new(), Vec::new());
        for record in std::mem::take(&mut self.records) {
            match tables.iter().filter(|table| table.fits(&record)).collect::<Vec<_>>()[..] {
                [] if record.kind == Kind::Index => keys.push(record),
                [] => {}
                // Two texts are rows of several tables, or of an index of theirs.
                [_, _, ..] if record.kind == Kind::Index => pairs.push(record),
                [table, ..] => by_table.entry(&table.name).or_insert((table, Vec::new())).1.push(record),
            }
        }
        let mut lost = Vec::new();
        let entries = by_table.remove("entry");
        let revisions = by_table.remove("revision");
        let evidence = by_table.remove("evidence");
        let mut rows: Vec<(&Table, Record)> = Vec::new();
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut shown: BTreeSet<String> = BTreeSet::new();
        if let (Some((table, entries)), Some((revision_table, revisions))) = (entries, revisions) {
            let revisions: Vec<Record> =
                revisions.into_iter().filter(|record| has_id(record) && record.complete()).collect();
            let entries = whole_entries(table, entries, &revisions, &mut lost);
            known.extend(entries.iter().filter_map(id_of));
            rows.extend(entries.into_iter().map(|record| (table, record)));
            rows.extend(revisions.into_iter().map(|record| (revision_table, record)));
        }
        if let Some((table, records)) = evidence {
            let records = whole_evidence(table, records, &mut lost);
            shown.extend(records.iter().filter_map(id_of));
            rows.extend(records.into_iter().map(|record| (table, record)));
        }
        let mut others: BTreeSet<String> = BTreeSet::new();
        for (table, records) in by_table.into_values() {
            for record in records.into_iter().filter(Record::complete) {
                others.extend(id_of(&record));
                rows.push((table, record));
            }
        }
        let mut missing_evidence = BTreeSet::new();
        for record in pairs.into_iter().filter(Record::complete) {
            let (Some(first), Some(second)) = (text(&record, 0), text(&record, 1)) else { continue };
            let name = if !known.contains(first) {
                continue; // an index, or the entry is lost, too
            } else if second.parse::<Id>().is_ok() {
                if !shown.contains(second) {
                    missing_evidence.insert(second.to_owned());
                }
                "placement"
            } else {
                "dismissed_slot"
            };
            if let Some(table) = tables.iter().find(|table| table.name == name) {
                rows.push((table, record));
            }
        }
        let reported: BTreeSet<String> = lost.iter().map(|lost: &Lost| lost.id.clone()).collect();
        let there = |id: &str| known.contains(id) || shown.contains(id) || others.contains(id) || reported.contains(id);
        lost.extend(only_named(&keys, &missing_evidence, there));
        for lost in &mut lost {
            if let Some(name) = names.get(&lost.id) {
                if lost.title.is_empty() {
                    lost.title.clone_from(name);
                }
                lost.detail.push_str("; the newest backup has it");
            }
        }
        lost.sort();
        lost.dedup();
        (rows, lost)
    }
}

/// Entries as they were; with the text of their newest revision where theirs cannot be read; and from revisions only.
fn whole_entries(table: &Table, records: Vec<Record>, revisions: &[Record], lost: &mut Vec<Lost>) -> Vec<Record> {
    let mut revised: HashMap<&str, Revised<'_>> = HashMap::new();
    for record in revisions {
        let (Some(id), Some(revision), Some(body)) = (text(record, 0), integer(record, 1), text(record, 2)) else {
            continue;
        };
        let created_at = integer(record, 5).unwrap_or(0);
        if revised.get(id).is_none_or(|known| known.revision < revision) {
            revised.insert(id, Revised { revision, body, created_at });
        }
    }
    let mut whole: Vec<Record> = Vec::new();
    let mut seen = BTreeSet::new();
    for mut record in records.into_iter().filter(has_id) {
        let Some(id) = id_of(&record) else { continue };
        if !seen.insert(id.clone()) {
            continue;
        }
        if !record.complete() {
            let title = text(&record, 3).unwrap_or_default().to_owned();
            let cut = record.cut.take().unwrap_or_default();
            let newest = revised.get(id.as_str());
            let (body, detail) = match newest {
                Some(newest) => (newest.body.to_owned(), format!("its text is that of revision {}", newest.revision)),
                None if record.values.len() == 4 && !cut.is_empty() => {
                    let detail = format!("its text is cut off after {} bytes", cut.len());
                    (cut, detail)
                }
                None => {
                    lost.push(Lost { kind: "entry", id, title, detail: "its text cannot be read".to_owned() });
                    continue;
                }
            };
            record = entry(table, &id, Some(&record), &body, newest);
            lost.push(Lost { kind: "entry", id, title, detail });
        }
        whole.push(record);
    }
    for (id, newest) in &revised {
        if seen.insert((*id).to_owned()) {
            let record = entry(table, id, None, newest.body, Some(newest));
            lost.push(Lost {
                kind: "entry",
                id: (*id).to_owned(),
                title: text(&record, 3).unwrap_or_default().to_owned(),
                detail: format!(
                    "it is put together from its revision {}: title, slug and week are new",
                    newest.revision
                ),
            });
            whole.push(record);
        }
    }
    whole
}

/// A row of the table of entries, with what can be read of the damaged one.
fn entry(table: &Table, id: &str, damaged: Option<&Record>, body: &str, newest: Option<&Revised<'_>>) -> Record {
    let heading = body.lines().map(|line| line.trim_start_matches('#').trim()).find(|line| !line.is_empty());
    let title = heading.unwrap_or("Recovered entry").chars().take(200).collect();
    let revision = newest.map_or(1, |newest| newest.revision);
    let at = newest.map_or(0, |newest| newest.created_at);
    let values = table.columns.iter().enumerate().map(|(n, column)| {
        if column.name == "body" {
            return Value::Text(body.to_owned());
        }
        if let Some(value) = damaged.and_then(|record| record.values.get(n)) {
            return value.clone();
        }
        match column.name.as_str() {
            "id" => Value::Text(id.to_owned()),
            "slug" => Value::Text(format!("recovered-{}", id.to_lowercase())),
            "title" => Value::Text(String::clone(&title)),
            "revision" | "last_revision" => Value::Integer(revision),
            "created_at" | "updated_at" => Value::Integer(at),
            _ => Value::Null,
        }
    });
    let values: Vec<Value> = values.collect();
    Record::made(values)
}

/// Evidence whose data still has its digest; without its raw data where that cannot be read.
fn whole_evidence(table: &Table, records: Vec<Record>, lost: &mut Vec<Lost>) -> Vec<Record> {
    let mut whole = Vec::new();
    let column = |name: &str| table.position(name).unwrap_or(usize::MAX);
    let (digest, canonical, raw) = (column("digest"), column("canonical"), column("raw"));
    for mut record in records.into_iter().filter(has_id) {
        let Some(id) = id_of(&record) else { continue };
        let title = text(&record, 2).unwrap_or_default().to_owned();
        let mut miss = |detail: &str| {
            lost.push(Lost { kind: "evidence", id: id.clone(), title: title.clone(), detail: detail.to_owned() });
        };
        let sound = match (text(&record, digest), record.values.get(canonical)) {
            (Some(digest), Some(Value::Blob(bytes))) => evidence::frozen(bytes).is_ok_and(|f| f.digest == digest),
            // It was purged.
            (Some(_), Some(Value::Null)) => true,
            _ => false,
        };
        if !sound {
            miss("its data cannot be read");
            continue;
        }
        let raw_is_sound = match record.values.get(raw) {
            Some(Value::Blob(bytes)) => evidence::decoded(bytes).is_ok(),
            Some(Value::Null) => true,
            _ => false,
        };
        if !raw_is_sound || !record.complete() {
            miss("only the data as received, and whether it was in the bin");
            let mut values: Vec<Value> = record.values.into_iter().take(raw).collect();
            values.resize(table.columns.len(), Value::Null);
            record = Record::made(values);
        }
        whole.push(record);
    }
    whole
}

/// What only an index, or an entry that shows it, names.
fn only_named(keys: &[Record], missing_evidence: &BTreeSet<String>, there: impl Fn(&str) -> bool) -> Vec<Lost> {
    let gone = || "nothing of it but its name can be read".to_owned();
    // An index has the value and the number of its row.
    let named: Vec<(&str, i64)> = keys
        .iter()
        .filter(|record| record.complete() && record.values.len() == 2)
        .filter_map(|record| Some((text(record, 0)?, integer(record, 1)?)))
        .collect();
    let slugs: HashMap<i64, &str> =
        named.iter().filter(|(name, _)| name.parse::<Id>().is_err()).map(|(name, row)| (*row, *name)).collect();
    let mut lost: BTreeMap<&str, Lost> = BTreeMap::new();
    for id in missing_evidence.iter().filter(|id| !there(id)) {
        lost.insert(id, Lost { kind: "evidence", id: id.clone(), title: String::new(), detail: gone() });
    }
    for (id, row) in named.iter().filter(|(name, _)| name.parse::<Id>().is_ok() && !there(name)) {
        // Rows of entries and of evidence are numbered independently, so a slug of the same number is a guess.
        let title = slugs.get(row).map(|slug| format!("perhaps {slug}")).unwrap_or_default();
        lost.entry(id).or_insert(Lost { kind: "unknown", id: (*id).to_owned(), title, detail: gone() });
    }
    lost.into_values().collect()
}

fn text(record: &Record, column: usize) -> Option<&str> {
    record.values.get(column)?.text()
}

fn integer(record: &Record, column: usize) -> Option<i64> {
    record.values.get(column)?.integer()
}

/// The id that a row begins with.
fn id_of(record: &Record) -> Option<String> {
    text(record, 0).filter(|id| id.parse::<Id>().is_ok()).map(str::to_owned)
}

fn has_id(record: &Record) -> bool {
    id_of(record).is_some()
}
