//! What a user does with masks: list, preview, allow, prove.

use std::collections::{BTreeMap, HashMap};

use tracebook_core::entry::Entry;
use tracebook_core::masking::{Text, evidence, placeholder};
use tracebook_render::verify;
use tracebook_store::masks::Exception;

use super::Transfer;
use super::masks::{Masking, changed_lines, parts};
use crate::ground::error::Error;
use crate::ground::files::{MAX_FILE_BYTES, typed_path};
use crate::ground::folder::Folder;
use crate::ground::schema::{
    Caller, MaskAllow, MaskCount, MaskList, MaskPlace, MaskPreview, MaskPreviewed, MaskProof, MaskProve, MaskRow,
    MaskRule, MaskRules, MaskTable, MaskValue,
};

/// The most places of a preview.
const MOST_PLACES: usize = 1_000;

impl Transfer {
    pub(crate) async fn mask_list(&self, _: MaskList) -> Result<MaskTable, Error> {
        let masking = self.masking().await?;
        let row = |(kind, number, slot): (String, u32, _)| {
            let (value, origin) = parts(slot);
            MaskRow { placeholder: placeholder(&kind, number), value, origin }
        };
        let masks = masking.table.values().into_iter().map(row).collect();
        Ok(MaskTable { masks, exceptions: Self::exceptions_of(&masking, &self.slugs().await?) })
    }

    pub(crate) async fn mask_rules(&self, _: MaskRules) -> Result<Vec<MaskRule>, Error> {
        let masking = self.masking().await?;
        let rules = masking.rules.all().iter().map(|rule| MaskRule {
            name: rule.name.clone(),
            placeholders: rule.kinds.clone(),
            from: rule.from.clone(),
            own: rule.own,
        });
        Ok(rules.collect())
    }

    /// The slugs of all entries by id.
    async fn slugs(&self) -> Result<HashMap<String, String>, Error> {
        let mut rows = self.journal.store.entries(false).await?;
        rows.extend(self.journal.store.entries(true).await?);
        Ok(rows.into_iter().map(|row| (row.id.to_string(), row.slug)).collect())
    }

    pub(crate) async fn mask_preview(&self, request: MaskPreview, caller: &Caller) -> Result<MaskPreviewed, Error> {
        let call = self.runtime.begin(caller);
        let stems = self.journal.stems().await?;
        let wanted = self.wanted(&request.entries, &stems).await?;
        let mut masking = self.masking().await?;
        for entry in &wanted {
            masking.learn(entry);
        }
        let mut masking = Some(masking);
        let mut found = Counted::default();
        for (n, entry) in wanted.iter().enumerate() {
            call.progress(n, wanted.len(), format!("Reading {}", entry.row.title))?;
            let Some(stem) = stems.get(&entry.row.id) else { continue };
            let out = self.tree_of(entry, stem, &mut masking).await?;
            found.add(entry, &out.masked_title, &out.masked_body, &out.hits);
        }
        call.progress(wanted.len(), wanted.len(), "Done")?;
        let exceptions = match &masking {
            Some(masking) => Self::exceptions_of(masking, &self.slugs().await?),
            None => Vec::new(),
        };
        Ok(MaskPreviewed { exceptions, ..found.done() })
    }

    pub(crate) async fn mask_allow(&self, request: MaskAllow, caller: &Caller) -> Result<MaskTable, Error> {
        let mut value = request.value.trim().to_owned();
        if value.is_empty() {
            return Err(Error::usage("no value was given", "`mask preview` shows the values that an export masks"));
        }
        let masking = self.masking().await?;
        // A placeholder stands for its value.
        if let Some(known) = masking.table.value(&value) {
            value = known.to_owned();
        }
        let entry = match &request.entry {
            Some(entry) => Some(self.journal.find_entry(entry).await?.row.id.to_string()),
            None => None,
        };
        let exception = Exception { value, entry };
        let changed =
            self.journal.store.except_mask(&exception, request.allowed, self.runtime.now(), &caller.client).await?;
        if !changed && !request.allowed {
            return Err(Error::not_found(
                format!("{} is no exception", exception.value),
                "`mask list` shows the exceptions; those of tracebook.toml are removed there",
            ));
        }
        self.mask_list(MaskList {}).await
    }

    /// How many values of the texts of entries an export would mask, by rule.
    pub(super) fn count_masks(masking: &Masking, entries: &[Entry]) -> Vec<MaskCount> {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for entry in entries {
            for one in masking.rules_of(entry.row.id).find(&entry.body, &Text::default()) {
                *counts.entry(one.rule).or_default() += 1;
            }
        }
        sorted(counts)
    }

    pub(crate) async fn mask_prove(&self, request: MaskProve) -> Result<MaskProof, Error> {
        let id = request.evidence;
        let original = self.journal.store.evidence(id).await?;
        let hint = "`evidence list` shows the evidence of this journal";
        let original =
            original.ok_or_else(|| Error::not_found(format!("evidence {id} is not in this journal"), hint))?;
        let mut masking = self.masking().await?;
        let masked = match &request.file {
            Some(file) => Some(read_picture(file)?),
            None => {
                let known = masking.known();
                let masked = evidence::mask_with(&original, &masking.rules, &mut masking.table, &known)
                    .map_err(|why| Error::internal(format!("evidence {id}: {why}")))?;
                masked.map(|(masked, _)| masked)
            }
        };
        let salt = masking.table.salt(&id.to_string());
        let ok = masked.as_ref().is_none_or(|masked| {
            masked.digest == original.digest || evidence::is_masked_form(masked, &original, &masking.table)
        });
        let commitment = evidence::commitment(&salt, &original.digest);
        let masked_digest = masked.map(|masked| masked.digest).filter(|digest| *digest != original.digest);
        Ok(MaskProof { evidence: id, ok, digest: original.digest, masked_digest, salt, commitment })
    }
}

fn read_picture(file: &str) -> Result<tracebook_core::evidence::Frozen, Error> {
    let path = typed_path(file);
    let cannot = |why: &dyn std::fmt::Display| {
        Error::not_found(format!("{}: {why}", path.display()), "Name a picture of an export: assets/…/01J….svg")
    };
    let real = path.canonicalize().map_err(|e| cannot(&e))?;
    let (Some(folder), Some(name)) = (real.parent(), real.file_name()) else { return Err(cannot(&"it has no folder")) };
    let folder = Folder::open(folder).map_err(|e| cannot(&e))?;
    let bytes = folder.read(std::path::Path::new(name), MAX_FILE_BYTES).map_err(|e| cannot(&e))?;
    let beside = |name: &str| folder.read(std::path::Path::new(name), MAX_FILE_BYTES).ok();
    verify::evidence(&bytes, &beside).ok_or_else(|| cannot(&"it has no evidence that matches its digest"))
}

/// What was found, while entries are read.
#[derive(Default)]
struct Counted {
    total: u32,
    rules: BTreeMap<String, u32>,
    values: BTreeMap<(String, String), MaskValue>,
    places: Vec<MaskPlace>,
}

impl Counted {
    fn add(&mut self, entry: &Entry, title: &str, body: &str, hits: &[tracebook_core::masking::Hit]) {
        let slug = &entry.row.slug;
        for hit in hits {
            self.total += 1;
            *self.rules.entry(hit.rule.clone()).or_default() += 1;
            let key = (hit.placeholder.clone(), hit.rule.clone());
            let value = self.values.entry(key).or_insert_with(|| MaskValue {
                rule: hit.rule.clone(),
                value: hit.value.clone(),
                placeholder: hit.placeholder.clone(),
                count: 0,
                entries: Vec::new(),
            });
            value.count += 1;
            if value.entries.last() != Some(slug) {
                value.entries.push(slug.clone());
            }
        }
        let mut place = |line: Option<u32>, before: String, after: String| {
            if self.places.len() < MOST_PLACES {
                self.places.push(MaskPlace { entry: slug.clone(), line, before, after });
            }
        };
        if entry.row.title != title {
            place(None, entry.row.title.clone(), title.to_owned());
        }
        for (line, before, after) in changed_lines(&entry.body, body) {
            place(Some(line), before, after);
        }
    }

    fn done(self) -> MaskPreviewed {
        let mut values: Vec<MaskValue> = self.values.into_values().collect();
        values.sort_by(|a, b| b.count.cmp(&a.count).then(a.placeholder.cmp(&b.placeholder)));
        MaskPreviewed {
            total: self.total,
            rules: sorted(self.rules),
            values,
            places: self.places,
            exceptions: Vec::new(),
        }
    }
}

fn sorted(counts: BTreeMap<String, u32>) -> Vec<MaskCount> {
    let mut counts: Vec<MaskCount> = counts.into_iter().map(|(rule, count)| MaskCount { rule, count }).collect();
    counts.sort_by(|a, b| b.count.cmp(&a.count).then(a.rule.cmp(&b.rule)));
    counts
}
