//! Masking of what is exported, and the way back.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use tracebook_core::entry::{self, Entry, EntryRow};
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_core::masking::{self, Hit, Rules, Slot, Table, Text, evidence};
use tracebook_core::text;
use tracebook_render::export::LiveInput;
use tracebook_render::import::ImportedEntry;
use tracebook_render::{card, markdown};
use tracebook_store::masks::Exception;

use super::Transfer;
use crate::ground::error::Error;
use crate::ground::files::sha256;
use crate::ground::schema::MaskException;
use crate::ground::settings::Settings;

/// The most times that an export is repeated because another process gives placeholders, too.
pub(super) const MOST_TRIES: usize = 8;
/// The kind of placeholders of accounts, and the rule of those that are known.
const ACCOUNT: &str = "ACCOUNT_ID";
const ACCOUNT_RULE: &str = "aws-account";
const RULES_EXAMPLE: &str = "Write for example:\n[[masking.rules]]\nname = \"student number\"\nplaceholder = \"STUDENT\"\npattern = 'M-[0-9]{6}'";

/// What masks one export.
#[derive(Clone, Debug)]
pub(super) struct Masking {
    pub(super) rules: Rules,
    pub(super) table: Table,
    /// Values that stay in the texts of single entries.
    places: HashMap<String, Vec<String>>,
    pub(super) exceptions: Vec<Exception>,
    configured: Vec<String>,
    /// A digest of the rules and exceptions.
    pub(super) configuration: String,
    /// Accounts in the texts of each entry of this export, which are masked also where no word says what they are.
    accounts: HashMap<Id, BTreeSet<String>>,
    /// The journal's secret, if it is not stored yet.
    fresh: Option<Vec<u8>>,
}

/// What an entry is exported from.
pub(super) struct MaskedEntry {
    pub(super) row: EntryRow,
    pub(super) body: String,
    pub(super) evidence: BTreeMap<Id, Frozen>,
    pub(super) live: BTreeMap<Id, LiveInput>,
    /// The placeholders of its texts, with the journal that gave each.
    pub(super) masks: BTreeMap<String, String>,
    pub(super) hits: Vec<Hit>,
    /// Everything that would be an account, were it known as one.
    pub(super) numbers: BTreeSet<String>,
}

impl Masking {
    /// The rules for the text of one entry.
    pub(super) fn rules_of(&self, entry: Id) -> Rules {
        match self.places.get(&entry.to_string()) {
            Some(values) => self.rules.allowing(values.iter().cloned()),
            None => self.rules.clone(),
        }
    }

    /// Whether a value stays unmasked, in all entries or in this one.
    pub(super) fn is_allowed(&self, entry: Id, value: &str) -> bool {
        let entry = entry.to_string();
        let applies = |one: &Exception| one.value == value && one.entry.as_ref().is_none_or(|of| *of == entry);
        self.exceptions.iter().any(applies) || self.configured.iter().any(|one| one == value)
    }

    /// Remembers the accounts in the texts of an entry.
    pub(super) fn learn(&mut self, entry: &Entry) {
        let mut accounts = BTreeSet::new();
        for text in [entry.body.as_str(), entry.row.title.as_str()] {
            let found = self.rules.find(text, &Text::default()).into_iter().filter(|one| one.kind == ACCOUNT);
            accounts.extend(found.map(|one| text[one.range].to_owned()));
        }
        self.remember(entry.row.id, accounts);
    }

    /// Remembers accounts that an entry is known to have.
    pub(super) fn remember(&mut self, entry: Id, accounts: BTreeSet<String>) {
        self.accounts.insert(entry, accounts);
    }

    /// The accounts in the texts of an entry, as they were remembered.
    pub(super) fn accounts_of(&self, entry: Id) -> BTreeSet<String> {
        self.accounts.get(&entry).cloned().unwrap_or_default()
    }

    /// The accounts that this journal or this export has.
    pub(super) fn known_accounts(&self) -> BTreeSet<String> {
        let mut all: BTreeSet<String> = self.accounts.values().flatten().cloned().collect();
        all.extend(self.table.values_of(ACCOUNT));
        all
    }

    /// The same, with kind and rule of each.
    pub(super) fn known(&self) -> Vec<(String, String, String)> {
        self.known_accounts().into_iter().map(|value| (ACCOUNT.to_owned(), value, ACCOUNT_RULE.to_owned())).collect()
    }

    /// Masks an entry with its evidence.
    pub(super) fn entry(
        &mut self,
        entry: &Entry,
        shown: BTreeMap<Id, Frozen>,
        live: BTreeMap<Id, LiveInput>,
    ) -> Result<MaskedEntry, Error> {
        if !self.accounts.contains_key(&entry.row.id) {
            self.learn(entry);
        }
        let known = self.known();
        let numbers = numbers_of(entry, &shown, &live);
        let mut hits = Vec::new();
        let mut evidence: BTreeMap<Id, Frozen> = BTreeMap::new();
        for (id, frozen) in shown {
            let masked = evidence::mask_with(&frozen, &self.rules, &mut self.table, &known).map_err(|why| {
                Error::internal(format!("evidence {id} cannot be masked, so nothing of it was exported: {why}"))
            })?;
            let frozen = match masked {
                Some((masked, of_evidence)) => {
                    hits.extend(of_evidence);
                    masked
                }
                None => frozen,
            };
            evidence.insert(id, frozen);
        }
        // A name that evidence has as an attribute may stand in the text.
        let more = Text::with(masking::distinctive(&hits, &self.rules).into_iter().chain(known).collect());
        let rules = self.rules_of(entry.row.id);
        let mut mask = |table: &mut Table, text: &str| {
            let (masked, of_text) = table.mask(text, &rules, &more);
            hits.extend(of_text);
            masked
        };
        let (paths, renamed) = local_files(&entry.body, &rules, &mut self.table);
        let body = match paths.is_empty() {
            true => mask(&mut self.table, &entry.body),
            false => {
                let mut body = String::with_capacity(entry.body.len());
                let mut at = 0;
                for (range, new) in paths {
                    body.push_str(&mask(&mut self.table, &entry.body[at..range.start]));
                    body.push_str(&new);
                    at = range.end;
                }
                body.push_str(&mask(&mut self.table, &entry.body[at..]));
                body
            }
        };
        let mut row = entry.row.clone();
        row.title = mask(&mut self.table, &row.title);
        let mut live = live;
        for card in live.values_mut().map(|live| &mut live.card) {
            card.title = mask(&mut self.table, &card.title);
            card.question.filter = mask(&mut self.table, &card.question.filter);
            card.question.id = card.question.id.take().map(|id| mask(&mut self.table, &id));
        }
        row.slug = self.slug(&entry.row);
        let mut texts = vec![body.clone(), row.title.clone()];
        texts.extend(evidence.values().flat_map(|frozen| [card::alt(frozen), card::caption(frozen)]));
        texts.extend(live.values().flat_map(|live| {
            let question = &live.card.question;
            [live.card.title.clone(), question.filter.clone(), question.id.clone().unwrap_or_default()]
        }));
        let masks = self.table.origins(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        hits.extend(renamed);
        Ok(MaskedEntry { row, body, evidence, live, masks, hits, numbers })
    }

    /// The path of a file in an export.
    pub(super) fn path(&mut self, path: &str) -> String {
        self.table.mask_path(path, &self.rules)
    }

    /// The name of an entry's file in an export, without its ending.
    pub(super) fn stem(&mut self, row: &EntryRow, stem: &str) -> String {
        // Most files are named after the slug.
        let named = |slug: &str| slug.strip_prefix("week-").map_or(slug.to_owned(), |rest| format!("week{rest}"));
        match stem.strip_prefix(&named(&row.slug)) {
            Some(rest) => format!("{}{rest}", named(&self.slug(row))),
            None => self.path(stem),
        }
    }

    /// The slug of an entry in an export: one that was made from its title is made from the masked title.
    fn slug(&mut self, row: &EntryRow) -> String {
        let rules = self.rules_of(row.id);
        let (title, hits) = self.table.mask(&row.title, &rules, &Text::default());
        let of = |title: &str| entry::slug(row.week.as_deref(), title);
        match row.slug.strip_prefix(&of(&row.title)) {
            Some(rest) if !hits.is_empty() => format!("{}{rest}", of(&title)),
            // It has no place for brackets.
            _ => self.table.mask_path(&row.slug, &rules).to_lowercase().replace('_', "-"),
        }
    }

    /// Reserves the placeholders in a text that was not exported from any journal.
    pub(super) fn reserve(&mut self, text: &str) {
        self.table.unmask(text, &BTreeMap::new());
    }

    /// What an export says becomes what this journal has.
    pub(super) fn unmask(&mut self, imported: &mut ImportedEntry) {
        let masks = &imported.masks;
        let mut read = |text: &mut String| *text = self.table.unmask(text, masks);
        read(&mut imported.body);
        read(&mut imported.title);
        for card in imported.live.iter_mut().map(|live| &mut live.card) {
            read(&mut card.title);
            read(&mut card.question.filter);
            if let Some(id) = &mut card.question.id {
                read(id);
            }
        }
    }
}

/// The numbers in what an entry is exported from that have the length of an account's.
fn numbers_of(entry: &Entry, shown: &BTreeMap<Id, Frozen>, live: &BTreeMap<Id, LiveInput>) -> BTreeSet<String> {
    let mut numbers = BTreeSet::new();
    let mut read = |text: &str| numbers.extend(masking::account_numbers(text).map(str::to_owned));
    read(&entry.body);
    read(&entry.row.title);
    shown.values().for_each(|frozen| read(&frozen.canonical));
    for question in live.values().map(|live| &live.card.question) {
        read(&question.filter);
        question.id.iter().for_each(|id| read(id));
    }
    live.values().for_each(|live| read(&live.card.title));
    numbers
}

/// The targets of local pictures whose names are masked, in the order of the text, each with its new form; and a hit
/// for each.
fn local_files(body: &str, rules: &Rules, table: &mut Table) -> (Vec<(Range<usize>, String)>, Vec<Hit>) {
    /// More different names than any text has.
    const MOST: usize = 200;
    let mut names: HashSet<String> = HashSet::new();
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    // Most texts have nothing to find, and then no link either.
    if rules.find(body, &Text::default()).is_empty() {
        return (found, Vec::new());
    }
    let mut hits = Vec::new();
    // Other targets are masked like any text.
    for link in markdown::links(body).into_iter().filter(|link| link.picture) {
        let name = link.destination;
        if names.len() >= MOST || names.contains(&name) || rules.find(&name, &Text::default()).is_empty() {
            continue;
        }
        let new = table.mask_path(&name, rules);
        for one in rules.find(&name, &Text::default()) {
            let (value, placeholder) = (name[one.range].to_owned(), new.clone());
            hits.push(Hit { rule: one.rule, kind: one.kind, value, placeholder, named: false });
        }
        found.extend(body.match_indices(&name).map(|(at, _)| (at..at + name.len(), new.clone())));
        names.insert(name);
    }
    found.sort_by(|a, b| a.0.start.cmp(&b.0.start).then(b.0.end.cmp(&a.0.end)));
    let mut end = 0;
    found.retain(|(range, _)| {
        let free = range.start >= end;
        if free {
            end = range.end;
        }
        free
    });
    (found, hits)
}

impl Transfer {
    /// The rules and placeholders as they are now.
    pub(super) async fn masking(&self) -> Result<Masking, Error> {
        let settings = Settings::read(&self.data_dir)?.masking;
        let stored = self.journal.store.masks().await?;
        let everywhere = stored.exceptions.iter().filter(|e| e.entry.is_none()).map(|e| e.value.clone());
        let allowed: HashSet<String> = everywhere.chain(settings.allow.iter().cloned()).collect();
        let rules = Rules::new(&settings.rules, allowed)
            .map_err(|why| Error::usage(format!("tracebook.toml: [masking] {why}"), RULES_EXAMPLE))?;
        let mut places: HashMap<String, Vec<String>> = HashMap::new();
        for exception in &stored.exceptions {
            if let Some(entry) = &exception.entry {
                places.entry(entry.clone()).or_default().push(exception.value.clone());
            }
        }
        let (secret, fresh) = match self.journal.store.known_mask_secret().await? {
            Some(secret) => (secret, None),
            None => {
                let entropy = self.runtime.entropy();
                let mut fresh: Vec<u8> = (0..4).flat_map(|_| entropy.ten_bytes()).collect();
                fresh.truncate(32);
                (fresh.clone(), Some(fresh))
            }
        };
        let table = Table::new(secret, stored.slots);
        let configuration = sha256(format!("{settings:?}{:?}", stored.exceptions).as_bytes());
        Ok(Masking {
            rules,
            table,
            places,
            exceptions: stored.exceptions,
            configured: settings.allow,
            configuration,
            accounts: HashMap::new(),
            fresh,
        })
    }

    /// Stores what was given since the last time. False if another process gave the same, so that what was masked with
    /// it must be masked again.
    pub(super) async fn keep_masks(&self, masking: &mut Masking) -> Result<bool, Error> {
        let new = masking.table.take_new();
        if new.is_empty() {
            return Ok(true);
        }
        if let Some(fresh) = masking.fresh.take()
            && self.journal.store.mask_secret(&fresh).await? != fresh
        {
            return Ok(false);
        }
        Ok(self.journal.store.add_masks(&new, self.runtime.now()).await?)
    }

    pub(super) fn exceptions_of(masking: &Masking, slugs: &HashMap<String, String>) -> Vec<MaskException> {
        let stored = masking.exceptions.iter().map(|exception| MaskException {
            value: exception.value.clone(),
            entry: exception.entry.as_ref().map(|id| slugs.get(id).cloned().unwrap_or_else(|| id.clone())),
            configured: false,
        });
        let configured = masking.configured.iter().map(|value| MaskException {
            value: value.clone(),
            entry: None,
            configured: true,
        });
        let mut all: Vec<_> = stored.chain(configured).collect();
        all.sort();
        all
    }
}

/// The value of a slot, and the journal that gave it if that is another one.
pub(super) fn parts(slot: Slot) -> (Option<String>, Option<String>) {
    match slot {
        Slot::Value(value) => (Some(value), None),
        Slot::Reserved(origin) => (None, origin),
    }
}

/// The lines of two texts that differ, which have the same number of them: number from 1, before and after.
pub(super) fn changed_lines(before: &str, after: &str) -> Vec<(u32, String, String)> {
    const SHOWN: usize = 200;
    let (old, new): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
    let shown = |line: &str| text::shorten(&text::marked(line.trim()), SHOWN);
    let pairs = (1..).zip(old.iter().zip(new.iter()));
    pairs.filter(|(_, (a, b))| a != b).map(|(n, (a, b))| (n, shown(a), shown(b))).collect()
}
