//! The message of a commit, from what changed.

use crate::ground::schema::SyncChange;

/// The longest first line.
const MOST: usize = 72;

/// What happened to an entry, by a name that may be published: `week 2`, or the name of its file.
pub(super) type Named = (String, SyncChange);

/// The name of an entry in a message.
pub(super) fn name(week: Option<&str>, file: &str) -> String {
    week.map_or_else(|| file.to_owned(), |week| format!("week {week}"))
}

/// The message: a line, and where it only counts, the names below it.
pub(super) fn of(entries: &[Named], evidence: usize) -> String {
    let kinds = [
        (SyncChange::Added, "added"),
        (SyncChange::Restored, "restored"),
        (SyncChange::Edited, "edited"),
        (SyncChange::Deleted, "deleted"),
    ];
    let names = |kind: SyncChange| -> Vec<&str> {
        entries.iter().filter(|(_, change)| *change == kind).map(|(name, _)| name.as_str()).collect()
    };
    let found: Vec<(Vec<&str>, &str)> =
        kinds.into_iter().map(|(kind, word)| (names(kind), word)).filter(|(names, _)| !names.is_empty()).collect();
    let of_evidence = (evidence > 0).then(|| format!("{evidence} evidence added"));
    let line = |parts: Vec<String>| match parts.is_empty() {
        true => "journal: files updated".to_owned(),
        false => format!("journal: {}", parts.join(", ")),
    };
    let named = found.iter().map(|(names, word)| format!("{} {word}", listed(names)));
    let whole = line(named.chain(of_evidence.clone()).collect());
    if whole.chars().count() <= MOST {
        return whole;
    }
    let counted = found.iter().map(|(names, word)| {
        let entries = if names.len() == 1 { "1 entry".to_owned() } else { format!("{} entries", names.len()) };
        format!("{entries} {word}")
    });
    let mut message = line(counted.chain(of_evidence).collect());
    message.push('\n');
    for (names, word) in found {
        message.push('\n');
        for name in names {
            message.push_str(&format!("{word}: {name}\n"));
        }
    }
    message
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_changed() {
        let one = |name: &str, change| (name.to_owned(), change);
        let edited = [one("week 2", SyncChange::Edited), one("week 3", SyncChange::Edited)];
        assert_eq!(of(&edited, 4), "journal: week 2 and week 3 edited, 4 evidence added");
        let mixed = [one("a", SyncChange::Deleted), one("b", SyncChange::Added), one("c", SyncChange::Restored)];
        assert_eq!(of(&mixed, 0), "journal: b added, c restored, a deleted");
        assert_eq!(of(&[], 0), "journal: files updated");
        let many: Vec<Named> = (1..=20).map(|n| one(&format!("week {n}"), SyncChange::Added)).collect();
        let message = of(&many, 1);
        assert!(message.starts_with("journal: 20 entries added, 1 evidence added\n\nadded: week 1\n"), "{message}");
        assert_eq!(message.lines().count(), 22);
    }
}
