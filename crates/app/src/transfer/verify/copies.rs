//! The same evidence in several files.

use std::collections::BTreeMap;

use tracebook_core::doubts::{Doubt, Rule};
use tracebook_core::ids::Id;
use tracebook_render::verify::Verdict;

use super::{Place, VerifiedEvidence};

/// Marks copies that no export listed as *duplicate*, and files with one id and different data as *doubtful*.
pub(super) fn compare(rows: &mut [VerifiedEvidence]) {
    let mut by_id: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
    for (n, row) in rows.iter().enumerate() {
        if let (Some(id), Some(_)) = (row.id, &row.about) {
            by_id.entry(id).or_default().push(n);
        }
    }
    for mut same in by_id.into_values().filter(|same| same.len() > 1) {
        let digest = |n: usize| rows[n].about.as_ref().map(|about| about.frozen.digest.clone());
        if same.iter().any(|n| digest(*n) != digest(same[0])) {
            for n in same {
                let doubt = Doubt::new(Rule::Copy, "another file has the same id and other data");
                let row = &mut rows[n];
                if row.verdict.holds() {
                    row.verdict = Verdict::Doubtful;
                    row.why = format!("{}, but {}", row.why, doubt.why);
                }
                row.notes.push(doubt.why.clone());
                row.doubts.push(doubt);
            }
            continue;
        }
        // What an export listed first, then what a text shows.
        same.sort_by_key(|n| (rows[*n].place, *n));
        let original = rows[same[0]].file.clone();
        let folder = |file: &str| file.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
        for n in same.into_iter().skip(1) {
            let row = &mut rows[n];
            // Several sizes of one card stand in one folder, and two entries may show the same evidence.
            if row.place == Place::Listed || folder(&row.file) == folder(&original) || !row.verdict.holds() {
                continue;
            }
            row.verdict = Verdict::Duplicate;
            row.why = format!("a copy of the evidence in {original}, which no export listed here; {}", row.why);
            row.notes.insert(0, row.why.clone());
        }
    }
}
