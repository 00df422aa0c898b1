//! What manifests list of evidence, and whether keys that are trusted signed them.

use std::collections::{BTreeMap, BTreeSet};

use tracebook_core::ids::Id;
use tracebook_render::verify::Verdict;

use super::Check;
use super::index::Listing;
use crate::signing::SignatureVerdict;

/// The evidence that the manifests of a clone list.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The digests of each, if the manifest has them.
    digests: BTreeMap<Id, BTreeSet<String>>,
    /// Those in manifests that are signed by a trusted key.
    signed: BTreeMap<Id, BTreeSet<String>>,
}

impl Listed {
    /// Adds a manifest. `required` says whether trusted keys were named.
    pub(super) fn add(&mut self, listing: &Listing, required: bool) {
        let trusted = required && listing.signature.verdict == SignatureVerdict::Trusted;
        for line in &listing.manifest.lines {
            // Without a digest for each, none can be assigned.
            let digests: &[String] = if line.digests.len() == line.evidence.len() { &line.digests } else { &[] };
            for (id, digest) in line.evidence.iter().zip(digests) {
                self.digests.entry(*id).or_default().insert(digest.clone());
                if trusted {
                    self.signed.entry(*id).or_default().insert(digest.clone());
                }
            }
        }
    }
}

impl Check {
    /// Compares evidence with what the manifests of its clone list. `first` is the number of rows before this clone.
    pub(super) fn compare_listed(&mut self, first: usize) {
        let listed = std::mem::take(&mut self.listed);
        for row in self.evidence.iter_mut().skip(first) {
            let Some((id, about)) = row.id.zip(row.about.as_ref()) else { continue };
            let digest = &about.frozen.digest;
            if let Some(digests) = listed.digests.get(&id).filter(|digests| !digests.contains(digest))
                && row.verdict.holds()
            {
                let other = digests.iter().next().map_or("", String::as_str);
                row.verdict = Verdict::Edited;
                row.why = format!("the manifest lists other data for it: {other}, and this is {digest}");
                row.notes.insert(0, row.why.clone());
            }
            if self.allowed.is_some() && !listed.signed.get(&id).is_some_and(|digests| digests.contains(digest)) {
                row.unsigned = true;
                row.notes.push("no manifest that a trusted key signed lists it".to_owned());
            }
        }
    }

    /// Whether the signatures are as they were required to be.
    pub(super) fn signed(&self) -> bool {
        match &self.allowed {
            None => self.signatures.iter().all(|signature| signature.verdict.holds()),
            Some(_) => {
                let trusted = |verdict| verdict == SignatureVerdict::Trusted;
                let all = self.signatures.iter().all(|signature| trusted(signature.verdict));
                all && !self.signatures.is_empty() && self.evidence.iter().all(|row| !row.unsigned)
            }
        }
    }
}
