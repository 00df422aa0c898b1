//! Imports an exported entry with its evidence.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use tracebook_core::canonical::digest;
use tracebook_core::doubts::{self, Doubt, Rule};
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_core::live_card::LiveCard;

use crate::block::{self, Found, InlineShown, Shown, our_file};
use crate::card;
use crate::entry_file::{ENTRY_FILE, EntryFile, EntryInput, Listed, LiveInput, SaidCard};
use crate::markdown::{Page, Reference, image, one_line, page, query, scan};
use crate::verify;

/// The result of an import.
#[derive(Clone, Debug)]
pub struct ImportedEntry {
    /// The entry's id.
    pub id: Id,
    /// Its short name in the original journal; it may already be in use in this one.
    pub slug: String,
    /// Its week.
    pub week: Option<String>,
    pub title: String,
    /// Its text: the original bytes if the Markdown is unchanged since the export, else with the edits.
    pub body: String,
    /// The evidence that could be read. What does not match its digest is doubted.
    pub evidence: Vec<Frozen>,
    /// What in a piece of evidence, or in the files around it, contradicts something else.
    pub doubts: BTreeMap<Id, Vec<Doubt>>,
    /// The live cards that it shows, validated, with their last frozen evidence. Their sources are not queried.
    pub live: Vec<LiveInput>,
    /// The placeholders of its text that replace a value, and the journal that gave each.
    pub masks: BTreeMap<String, String>,
    /// Warnings about what could not be imported.
    pub warnings: Vec<String>,
}

/// The most folders in which one piece of evidence is searched for.
const MOST_FOLDERS: usize = 8;

/// Reads an exported entry. `read` is called with paths relative to the Markdown file (`assets/week2/01J….svg`).
///
/// # Errors
/// A message if `entry.json` cannot be parsed or was written by a later version.
pub fn exported(md: &str, entry_json: &str, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<ImportedEntry, String> {
    let about = EntryFile::read(entry_json.as_bytes()).map_err(|e| format!("entry.json cannot be read: {e}"))?;
    if !about.is_known() {
        return Err(format!(
            "entry.json has format {}, and this version reads up to {ENTRY_FILE}: reading it requires a newer Tracebook",
            about.tracebook
        ));
    }
    let converted = about.with_own_line_ends(md);
    let md = converted.as_deref().unwrap_or(md);
    let page = page(md);
    // The folders in which the text shows each evidence.
    let mut folders: BTreeMap<Id, Vec<String>> = about.references.iter().map(|r| (r.evidence, Vec::new())).collect();
    for (folder, id, _) in page.pictures.iter().filter_map(|p| our_file(&p.destination)) {
        let known = folders.entry(id).or_default();
        if known.len() < MOST_FOLDERS && folder != about.folder && !known.contains(&folder) {
            known.push(folder);
        }
    }

    let mut warnings = Vec::new();
    let mut evidence: HashMap<Id, Frozen> = HashMap::new();
    let mut all_doubts: BTreeMap<Id, Vec<Doubt>> = BTreeMap::new();
    let mut comparable: HashSet<Id> = HashSet::new();
    // The digests that pictures name beside changed data.
    let mut named: HashMap<Id, String> = HashMap::new();
    for (id, folders) in folders {
        match find_evidence(id, std::iter::once(&about.folder).chain(&folders), read) {
            Ok(found) => {
                warnings.extend(found.warning);
                let known = all_doubts.entry(id).or_default();
                doubts::add(known, doubts::of(&found.frozen.evidence));
                doubts::add(known, found.doubts);
                if found.same_renderer {
                    comparable.insert(id);
                }
                named.extend(found.named.map(|digest| (id, digest)));
                evidence.insert(id, found.frozen);
            }
            Err(why) => warnings.push(why),
        }
    }
    // What earlier imports found, which a new export no longer shows otherwise.
    for stated in &about.doubts {
        if evidence.contains_key(&stated.evidence) {
            doubts::add(all_doubts.entry(stated.evidence).or_default(), stated.doubts.iter().cloned());
        }
    }
    let stated: HashSet<Id> = about.doubts.iter().map(|stated| stated.evidence).collect();
    let mut tables: HashMap<Id, Vec<Vec<String>>> = HashMap::new();
    for found in block::find(md, &page) {
        let Some(frozen) = evidence.get(&found.id) else { continue };
        let known = all_doubts.entry(found.id).or_default();
        if !stated.contains(&found.id) {
            doubts::add(known, found.doubts());
        }
        // Beside changed data the text agrees with the picture, which the doubt about the data states.
        let digest = card::short_digest(named.get(&found.id).unwrap_or(&frozen.digest));
        if found.digest().is_some_and(|written| digest != format!("sha256:{written}")) {
            doubts::add(known, [Doubt::new(Rule::Text, "the text beside its picture names the digest of other data")]);
        }
        let Some(written) = found.table().filter(|_| comparable.contains(&found.id)) else { continue };
        let known_tables = tables.entry(found.id).or_insert_with(|| {
            let all = std::iter::once(card::table(frozen)).chain(card::earlier_tables(frozen));
            all.map(|table| block::table_shape(&table)).collect()
        });
        if !known_tables.contains(&written) {
            doubts::add(known, [Doubt::new(Rule::Text, "the table in the text shows other data")]);
        }
    }
    all_doubts.retain(|_, doubts| !doubts.is_empty());

    let mut live = live_cards(&about, &mut warnings);
    let body = match as_exported(md, &about) {
        Some(body) => body,
        None => {
            let (evidence, live) = (by_id(&evidence), live.iter().map(|live| (live.card.id, live)).collect());
            Edited::new(md, &about, live, evidence).body(&page, &mut warnings)
        }
    };
    // The file may list any number of cards that the text does not show.
    let shown: BTreeSet<Id> = scan(&body).live.iter().map(|r| r.id).collect();
    live.retain(|live| shown.contains(&live.card.id));
    let mut evidence: Vec<Frozen> = evidence.into_values().collect();
    evidence.sort_by_key(|f| f.evidence.id);
    Ok(ImportedEntry {
        id: about.id,
        slug: about.slug,
        week: about.week,
        title: about.title,
        body,
        evidence,
        doubts: all_doubts,
        live,
        masks: about.masks,
        warnings,
    })
}

/// The live cards in `entry.json`. The file is not trusted, so each is validated as if it were
/// new.
fn live_cards(about: &EntryFile, warnings: &mut Vec<String>) -> Vec<LiveInput> {
    let mut cards = Vec::new();
    for said in &about.live {
        let said = match said {
            SaidCard::Card(said) => said,
            SaidCard::Unreadable(value) => {
                let id: String = value["id"].as_str().unwrap_or_default().chars().take(40).collect();
                warnings.push(format!("live card {id:?}: this version cannot read its query; it was skipped"));
                continue;
            }
        };
        let card = LiveCard {
            id: said.id,
            title: said.title.clone(),
            question: said.question.clone(),
            pace_seconds: said.pace_seconds,
            paused: false,
        };
        match card.checked() {
            Ok((card, removed)) => {
                if removed > 0 {
                    warnings.push(format!("live card {}: a value that looks like a credential was removed", card.id));
                }
                cards.push(LiveInput { card, frozen: said.frozen, lost: false });
            }
            Err(why) => warnings.push(format!("live card {}: {why}; it was skipped", said.id)),
        }
    }
    cards
}

/// Evidence that was read from a picture.
struct FromPicture {
    frozen: Frozen,
    warning: Option<String>,
    doubts: Vec<Doubt>,
    /// The digest that the picture names, if that is not the digest of the data.
    named: Option<String>,
    /// Whether this version's renderer drew it, so that its table can be compared, too.
    same_renderer: bool,
}

impl FromPicture {
    fn new(path: &str, bytes: &[u8], data: verify::Data) -> Self {
        let doubt = match &data.mismatch {
            Some(mismatch) => Some(mismatch.doubt()),
            None => verify::picture_doubt(bytes, &data),
        };
        let edited = !data.drawing_holds && data.mismatch.is_none();
        Self {
            warning: edited.then(|| format!("{path}: the picture was edited; its data is intact and was read")),
            doubts: doubt.into_iter().collect(),
            named: data.mismatch.map(|mismatch| mismatch.named),
            same_renderer: data.renderer == card::RENDERER,
            frozen: data.frozen,
        }
    }

    /// Compares another picture of the same evidence.
    fn compare(&mut self, bytes: &[u8], other: Result<verify::Data, verify::Refused>) {
        let doubt = match other {
            Ok(data) if data.frozen.digest == self.frozen.digest => match data.mismatch {
                Some(mismatch) => Some(mismatch.doubt()),
                None => verify::picture_doubt(bytes, &data),
            },
            Ok(verify::Data { mismatch: None, .. }) => Some(copy("its other picture contains other data")),
            Ok(_) | Err(_) => Some(copy("the data in its other picture does not match its digest")),
        };
        doubts::add(&mut self.doubts, doubt);
    }
}

fn copy(why: &str) -> Doubt {
    Doubt::new(Rule::Copy, why)
}

/// Reads a piece of evidence from its picture, of any size and width, in the first folder that contains it. The other
/// pictures in that folder are compared with it. Data that does not match its digest is read only where no picture
/// contains data that does.
fn find_evidence<'a>(
    id: Id,
    folders: impl Iterator<Item = &'a String>,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Result<FromPicture, String> {
    let mut why = format!("evidence {id}: its picture is missing");
    let mut changed: Option<FromPicture> = None;
    for folder in folders {
        let mut first: Option<FromPicture> = None;
        for form in card::Form::exported() {
            // A narrow drawing has no data of its own.
            if first.is_none() && form.width == card::Width::NARROW {
                continue;
            }
            let path = format!("{folder}/{}", card::file_name(id, form));
            let Some(bytes) = read(&path) else { continue };
            let data = verify::data(&bytes, &|name| read(&format!("{folder}/{name}")));
            if let Some(first) = &mut first {
                first.compare(&bytes, data);
                continue;
            }
            match data {
                Ok(data) if data.frozen.evidence.id == id => {
                    let found = FromPicture::new(&path, &bytes, data);
                    match (&found.named, &changed) {
                        (None, _) => first = Some(found),
                        (Some(_), None) => changed = Some(found),
                        (Some(_), Some(_)) => {}
                    }
                }
                Ok(data) => {
                    why = format!("{path}: it contains evidence {}, not {id}; it was skipped", data.frozen.evidence.id)
                }
                Err(refused) => why = format!("{path}: {}; it was skipped", refused.why),
            }
        }
        if let Some(mut found) = first {
            if changed.is_some() {
                doubts::add(&mut found.doubts, [copy("the data in its other picture does not match its digest")]);
            }
            return Ok(found);
        }
    }
    changed.ok_or(why)
}

fn card_size(word: &str) -> crate::card::Size {
    crate::card::Size::of(word)
}

/// The entry's text if the Markdown is unchanged since the export, except for line endings that git converted.
fn as_exported(md: &str, about: &EntryFile) -> Option<String> {
    let expected = about.digest.as_ref()?;
    let is = |text: &str| digest(text.as_bytes()) == *expected;
    let text = match is(md) {
        true => md.to_owned(),
        false => Some(md.replace("\r\n", "\n")).filter(|text| text != md && is(text))?,
    };
    let references = about.references.iter().map(|r| (r.span, r.source.as_str()));
    let all = references.chain(about.unfrozen.iter().map(|u| (u.span, u.source.as_str())));
    let places: Option<Vec<(usize, usize, &str)>> =
        all.map(|(span, source)| span.both().map(|(at, length)| (at, length, source))).collect();
    let mut places = places?;
    places.sort_unstable_by_key(|(at, ..)| *at);
    let mut body = String::with_capacity(text.len());
    let mut read = 0;
    for (at, length, source) in places {
        let end = at.checked_add(length)?;
        body.push_str(text.get(read..at)?);
        body.push_str(source);
        read = end;
    }
    body.push_str(text.get(read..)?);
    Some(body)
}

/// Whether the references can be found in an exported text without their offsets.
pub(crate) fn leads_back(input: &EntryInput<'_>, md: &str, about: &EntryFile) -> bool {
    let evidence = input.evidence.iter().map(|(id, frozen)| (*id, frozen)).collect();
    let live = input.live.iter().map(|(id, live)| (*id, live)).collect();
    let page = page(md);
    Edited::new(md, about, live, evidence).body(&page, &mut Vec::new()) == input.body
}

fn by_id(evidence: &HashMap<Id, Frozen>) -> HashMap<Id, &Frozen> {
    evidence.iter().map(|(id, frozen)| (*id, frozen)).collect()
}

/// A Markdown file that may have been edited after its export.
struct Edited<'a> {
    md: &'a str,
    about: &'a EntryFile,
    live: HashMap<Id, &'a LiveInput>,
    evidence: HashMap<Id, &'a Frozen>,
    /// The evidence in `entry.json`.
    listed: HashSet<Id>,
    /// The references in `entry.json`, by what they refer to.
    known: HashMap<Origin, Vec<Known<'a>>>,
}

/// Evidence, or a live card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Origin {
    Evidence(Id),
    Live(Id),
}

/// An original reference: its Markdown, and the parsed form if it can be parsed in isolation.
#[derive(Debug)]
struct Known<'a> {
    source: &'a str,
    parsed: Option<Reference>,
    /// Its evidence, if it was read, and how it is shown.
    shown: Option<(Id, Shown)>,
}

/// The most references to one target that an edited one is compared with.
const MOST_KNOWN: usize = 64;

/// Ranges of a text in its order, to look up whether a byte is in one of them.
struct Ranges(Vec<Range<usize>>);

impl Ranges {
    fn of(edits: &[(Range<usize>, Replacement)]) -> Self {
        let mut ranges: Vec<Range<usize>> = edits.iter().map(|(range, _)| range.clone()).collect();
        ranges.sort_by_key(|range| range.start);
        Self(ranges)
    }

    fn contain(&self, at: usize) -> bool {
        let before = self.0.partition_point(|range| range.start <= at);
        before.checked_sub(1).and_then(|i| self.0.get(i)).is_some_and(|range| range.contains(&at))
    }
}

/// The target of a reference.
#[derive(Clone, Copy)]
enum Target {
    Evidence(Id),
    /// A live card, and the evidence that it shows, if any.
    Live(Id, Option<Id>),
}

impl Target {
    fn origin(self) -> Origin {
        match self {
            Self::Evidence(id) => Origin::Evidence(id),
            Self::Live(card, _) => Origin::Live(card),
        }
    }
}

/// What takes the place of something that an export wrote.
enum Replacement {
    /// The reference to what is shown.
    Shown(Target, Shown),
    Nothing,
}

/// What a listed reference refers to, its Markdown, and its evidence.
fn origin_of(listed: Listed<'_>) -> (Origin, &str, Option<Id>) {
    match listed {
        Listed::Reference(reference) => {
            let evidence = reference.evidence;
            let origin = reference.live.as_ref().map_or(Origin::Evidence(evidence), |live| Origin::Live(live.card));
            (origin, &reference.source, Some(evidence))
        }
        Listed::Unfrozen(unfrozen) => (Origin::Live(unfrozen.card), &unfrozen.source, None),
    }
}

impl<'a> Known<'a> {
    fn of(origin: Origin, source: &'a str, frozen: Option<&Frozen>) -> Self {
        let markup = scan(source);
        let parsed = match origin {
            Origin::Evidence(_) => markup.references.into_iter().next(),
            Origin::Live(_) => markup.live.into_iter().next(),
        };
        let of = |(reference, frozen): (&Reference, &Frozen)| (frozen.evidence.id, Shown::of(reference, frozen));
        let shown = parsed.as_ref().zip(frozen).map(of);
        Self { source, parsed, shown }
    }
}

impl<'a> Edited<'a> {
    fn new(
        md: &'a str,
        about: &'a EntryFile,
        live: HashMap<Id, &'a LiveInput>,
        evidence: HashMap<Id, &'a Frozen>,
    ) -> Self {
        let mut known: HashMap<Origin, Vec<Known<'a>>> = HashMap::new();
        let mut add = |origin: Origin, source: &'a str, frozen: Option<&Frozen>| {
            let known = known.entry(origin).or_default();
            // The same reference may be listed any number of times.
            if known.len() == MOST_KNOWN || known.last().is_some_and(|last| last.source == source) {
                return;
            }
            known.push(Known::of(origin, source, frozen));
        };
        for listed in about.in_order() {
            let (origin, source, id) = origin_of(listed);
            add(origin, source, id.and_then(|id| evidence.get(&id).copied()));
        }
        let listed = about.references.iter().map(|r| r.evidence).collect();
        Self { md, about, live, evidence, listed, known }
    }

    /// Replaces every block, picture and live card of the export with its reference, and keeps everything else.
    fn body(&self, page: &Page, warnings: &mut Vec<String>) -> String {
        let blocks = block::find(self.md, page);
        let mut edits: Vec<(Range<usize>, Replacement)> = Vec::new();
        for found in &blocks {
            let target = self.target(found, warnings);
            match found.shown() {
                Some((shown, _)) => edits.push((found.range.clone(), Replacement::Shown(target, shown))),
                None if found.lines.is_some()
                    && !page.pictures.iter().any(|p| found.range.contains(&p.range.start)) =>
                {
                    warnings.push(format!(
                        "evidence {}: its block no longer contains a picture; the reference was restored",
                        found.id
                    ));
                    let shown = self.default_shown(target);
                    edits.push((found.range.clone(), Replacement::Shown(target, shown)));
                }
                None => warnings.push(format!(
                    "evidence {}: its block is incomplete; only its picture was converted to a reference",
                    found.id
                )),
            }
        }
        // Each of these three is in the order of the text.
        let in_blocks = Ranges::of(&edits);
        let first_inline = edits.len();
        for inline in block::find_live(self.md, page) {
            if in_blocks.contain(inline.range.start) {
                continue;
            }
            let card = inline.card;
            let instead = match inline.what {
                // The query is unknown, but the evidence is available.
                InlineShown::Picture(..) if !self.knows(card) => {
                    warnings.push(no_question(card, "its evidence was kept"));
                    let md = &self.md[inline.range.clone()];
                    let marker = md.rfind("<!--").unwrap_or(md.len());
                    edits.push((inline.range.start + marker..inline.range.end, Replacement::Nothing));
                    continue;
                }
                InlineShown::Picture(shown, id) => {
                    let shown = shown.of_live_picture(self.evidence.get(&id).copied());
                    Replacement::Shown(Target::Live(card, Some(id)), shown)
                }
                InlineShown::Words(alt) => {
                    if !self.knows(card) {
                        warnings.push(no_question(card, "the reference was restored, but does not resolve"));
                    }
                    let shown = Shown { alt, ..self.default_shown(Target::Live(card, None)) };
                    Replacement::Shown(Target::Live(card, None), shown)
                }
                InlineShown::Nothing => {
                    warnings
                        .push(format!("live card {card}: its picture or text is missing; the reference was restored"));
                    let target = Target::Live(card, None);
                    Replacement::Shown(target, self.default_shown(target))
                }
            };
            edits.push((inline.range, instead));
        }
        let in_lines = Ranges::of(&edits[first_inline..]);
        for picture in &page.pictures {
            let Some((_, id, size)) = our_file(&picture.destination) else { continue };
            let ours = self.evidence.contains_key(&id) || self.listed.contains(&id);
            let at = picture.range.start;
            if ours && !in_blocks.contain(at) && !in_lines.contain(at) {
                let shown = Shown { alt: picture.alt.clone(), caption: picture.title.clone(), size };
                edits.push((picture.range.clone(), Replacement::Shown(Target::Evidence(id), shown)));
            }
        }
        edits.sort_by_key(|(range, _)| range.start);
        let in_order = self.paired(&edits);
        let mut body = String::with_capacity(self.md.len());
        let mut read = 0;
        for (n, (range, instead)) in edits.iter().enumerate() {
            // Of overlapping edits, the first one applies.
            if range.start < read {
                continue;
            }
            body.push_str(&self.md[read..range.start]);
            if let Replacement::Shown(target, shown) = instead {
                let own = in_order.as_ref().and_then(|listed| listed.get(n));
                let own = own.filter(|own| self.is_same(own, *target, shown) || own.parsed.is_none());
                match own {
                    Some(own) => body.push_str(own.source),
                    None => body.push_str(&self.source(*target, shown)),
                }
            }
            read = range.end;
        }
        body.push_str(&self.md[read..]);
        body
    }

    /// The listed references, if what the text shows is the same sequence: two references to the same evidence may
    /// look the same in the text and differ in the entry.
    fn paired(&self, edits: &[(Range<usize>, Replacement)]) -> Option<Vec<Known<'a>>> {
        let listed = self.about.in_order();
        if listed.len() != edits.len() {
            return None;
        }
        let pair = |(listed, (_, instead)): (Listed<'a>, &(Range<usize>, Replacement))| {
            let (origin, source, id) = origin_of(listed);
            let Replacement::Shown(target, _) = instead else { return None };
            (target.origin() == origin).then_some((origin, source, id))
        };
        let pairs: Option<Vec<_>> = listed.into_iter().zip(edits).map(pair).collect();
        let known = |(origin, source, id): (Origin, &'a str, Option<Id>)| {
            Known::of(origin, source, id.and_then(|id| self.evidence.get(&id).copied()))
        };
        Some(pairs?.into_iter().map(known).collect())
    }

    /// Whether the file lists a live card, also one whose query is not taken in.
    fn knows(&self, card: Id) -> bool {
        self.live.contains_key(&card) || self.listed_title(card).is_some()
    }

    fn listed_title(&self, card: Id) -> Option<&str> {
        self.about.live.iter().find_map(|said| match said {
            SaidCard::Card(said) if said.id == card => Some(said.title.as_str()),
            SaidCard::Card(_) | SaidCard::Unreadable(_) => None,
        })
    }

    /// The target of a block. If the query of its live card is not in this `entry.json`, that is the evidence.
    fn target(&self, found: &Found, warnings: &mut Vec<String>) -> Target {
        match found.live {
            Some(card) if self.knows(card) => Target::Live(card, Some(found.id)),
            Some(card) => {
                warnings.push(no_question(card, "its evidence was kept"));
                Target::Evidence(found.id)
            }
            None => Target::Evidence(found.id),
        }
    }

    fn frozen(&self, target: Target) -> Option<&Frozen> {
        match target {
            Target::Evidence(id) | Target::Live(_, Some(id)) => self.evidence.get(&id).copied(),
            Target::Live(_, None) => None,
        }
    }

    fn default_shown(&self, target: Target) -> Shown {
        let known = self.known(target).iter().find(|known| known.parsed.is_some());
        match (known, target) {
            (Some(Known { shown: Some((_, shown)), .. }), _) => shown.clone(),
            (Some(Known { parsed: Some(reference), .. }), Target::Live(_, None)) => Shown {
                alt: reference.alt.clone(),
                caption: reference.caption.clone(),
                size: card_size(&reference.size),
            },
            _ => Shown { alt: String::new(), caption: String::new(), size: card_size("full") },
        }
    }

    /// The original references to a target.
    fn known(&self, target: Target) -> &[Known<'a>] {
        self.known.get(&target.origin()).map_or(&[], Vec::as_slice)
    }

    /// Whether a text shows a reference as it is in the entry.
    fn is_same(&self, known: &Known<'_>, target: Target, shown: &Shown) -> bool {
        match (&known.parsed, self.frozen(target), target) {
            (None, ..) => false,
            (Some(reference), Some(frozen), _) => match &known.shown {
                Some((id, own)) if *id == frozen.evidence.id => own == shown,
                _ => Shown::of(reference, frozen) == *shown,
            },
            (Some(reference), None, Target::Live(card, _)) => self.words(card, &reference.alt) == shown.alt,
            (Some(reference), None, Target::Evidence(_)) => reference.alt == shown.alt,
        }
    }

    /// The reference for what the text shows: the original one, unless alternative text, caption or size were edited.
    fn source(&self, target: Target, shown: &Shown) -> String {
        let known = self.known(target);
        let frozen = self.frozen(target);
        if let Some(known) = known.iter().find(|known| self.is_same(known, target, shown)) {
            return known.source.to_owned();
        }
        // A reference-style image cannot be read without its definition.
        if let [Known { source, parsed: None, .. }] = known {
            return (*source).to_owned();
        }
        let first = known.iter().find_map(|known| known.parsed.as_ref());
        let caption = match (&shown.caption, first) {
            (own, _) if !own.is_empty() => own.clone(),
            (_, Some(reference)) if frozen.is_some_and(|f| Shown::of(reference, f).caption.is_empty()) => {
                reference.caption.clone()
            }
            _ => String::new(),
        };
        let size = query(shown.size.word());
        let to = match target {
            Target::Evidence(id) => format!("evidence:{id}{size}"),
            Target::Live(card, _) => format!("live:{card}{size}"),
        };
        image(&one_line(&shown.alt), &to, &one_line(&caption))
    }

    /// The text in place of a card that was never frozen.
    fn words(&self, card: Id, alt: &str) -> String {
        let title = || {
            self.live.get(&card).map(|live| live.card.title.as_str()).or(self.listed_title(card)).unwrap_or_default()
        };
        one_line(if alt.is_empty() { title() } else { alt })
    }
}

fn no_question(card: Id, what: &str) -> String {
    format!("live card {card}: its query is not in this entry.json; {what}")
}
