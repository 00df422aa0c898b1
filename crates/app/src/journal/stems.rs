//! The names of entries' files in an export.

use std::collections::{BTreeMap, HashSet};

use tracebook_core::ids::Id;

use super::Journal;
use crate::ground::error::Error;
use crate::ground::files::{MAX_STEM_BYTES, shortened};
use crate::ground::schema::EntryFile;

impl Journal {
    /// The file name (without `.md`) of every entry: its own where it was imported, else from the week or slug;
    /// unique also on file systems that ignore case.
    pub(crate) async fn stems(&self) -> Result<BTreeMap<Id, String>, Error> {
        let mut oldest_first = self.store.entries(false).await?;
        oldest_first.sort_by_key(|row| row.id);
        let mut files = self.store.entry_files().await?;
        let mut taken: HashSet<String> = HashSet::new();
        let mut stems = BTreeMap::new();
        for row in oldest_first {
            let file = files.remove(&row.id);
            // Import skips a repository's README; an entry that was imported from one by name keeps it.
            let may_be_readme = file.is_some();
            let wanted = file.unwrap_or_else(|| {
                row.slug.strip_prefix("week-").map_or(row.slug.clone(), |rest| format!("week{rest}"))
            });
            let mut stem = wanted.clone();
            let mut n = 1;
            while (!may_be_readme && stem.eq_ignore_ascii_case("readme")) || !taken.insert(stem.to_lowercase()) {
                n += 1;
                stem = format!("{}-{n}", shortened(&wanted, MAX_STEM_BYTES));
            }
            stems.insert(row.id, stem);
        }
        Ok(stems)
    }

    /// The name of every entry's file, with `.md`.
    pub(crate) async fn entry_files(&self) -> Result<Vec<EntryFile>, Error> {
        let stems = self.stems().await?;
        Ok(stems.into_iter().map(|(entry, stem)| EntryFile { entry, file: format!("{stem}.md") }).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Home;

    #[tokio::test]
    async fn an_entry_is_linked_by_the_name_of_its_file() {
        let home = Home::new().await;
        home.entry("Notes", "# Notes\n\n[the other](other-notes.md)\n").await;
        home.entry("Other notes", "# Other\n\ntext\n").await;
        let files: Vec<_> = home.app.journal.entry_files().await.expect("lists").into_iter().map(|f| f.file).collect();
        assert_eq!(files, ["notes.md", "other-notes.md"]);
        home.export(false).await.expect("exports");
        assert!(files.iter().all(|file| home.out().join("journal").join(file).exists()));
    }
}
