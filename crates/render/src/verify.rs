//! Verifies that pictures agree with their data, and texts with their pictures.
//!
//! Input is not trusted. Nothing is interpreted as XML, no links are followed, and every result is a verdict with a
//! reason.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use tracebook_core::canonical::{digest, to_canonical};
use tracebook_core::doubts::{self, Doubt, Rule};
use tracebook_core::evidence::{Frozen, ReadError};
use tracebook_core::ids::Id;

use crate::block::{self, our_file, relative};
use crate::card::{self, Form, Held, NotRead, RENDERER, Size, Table, Width};
use crate::export::{ENTRY_FILE, EntryFile};
use crate::markdown::{Page, page, scan, shape};

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Picture, table and data match.
    Intact,
    /// They match, with values masked for the export.
    Masked,
    /// The data matches its digest, but another version of the renderer drew it, so the picture cannot be compared.
    Redrawn,
    /// They match, but something contradicts them, now or when the evidence was imported.
    Doubtful,
    /// Not a card of this app.
    Foreign,
    /// The picture, or its data file, is missing.
    Missing,
    /// Picture, table or data was changed.
    Edited,
}

impl Verdict {
    /// The name in the command line's output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Masked => "masked",
            Self::Edited => "edited",
            Self::Redrawn => "redrawn",
            Self::Doubtful => "doubtful",
            Self::Missing => "missing",
            Self::Foreign => "foreign",
        }
    }
}

/// The verdict on one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileVerdict {
    /// Its path, relative like that of the Markdown file.
    pub file: String,
    /// The evidence it shows, if known.
    pub id: Option<Id>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, as a sentence.
    pub why: String,
    /// What contradicts it: what is recorded from an import, and what the evidence itself shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
}

/// Data from a picture.
pub(crate) struct Data {
    pub(crate) frozen: Frozen,
    /// Why it is not the data that the picture names; its digest is then that of the data as it is now.
    pub(crate) mismatch: Option<Mismatch>,
    pub(crate) drawing_holds: bool,
    pub(crate) renderer: String,
    form: Form,
    /// Whether the data is in the wide picture beside it.
    beside: bool,
}

impl Data {
    /// The picture that this renderer draws of the data.
    fn drawn_again(&self) -> String {
        match self.beside {
            true => card::narrow(&self.frozen, self.form.size),
            false => card::svg(&self.frozen, self.form).svg,
        }
    }
}

/// Data that does not match the digest that its picture names.
pub(crate) struct Mismatch {
    /// The digest that the picture names.
    pub(crate) named: String,
    why: String,
}

impl Mismatch {
    pub(crate) fn doubt(&self) -> Doubt {
        Doubt::new(Rule::Digest, &self.why)
    }
}

/// Data that was not read.
pub(crate) struct Refused {
    id: Option<Id>,
    verdict: Verdict,
    pub(crate) why: String,
}

fn refuse(id: Option<Id>, verdict: Verdict, why: impl Into<String>) -> Refused {
    Refused { id, verdict, why: why.into() }
}

/// Undoes what checkouts and editors do to whole files: another line ending, a byte order mark, a line ending at the
/// end that is added or removed. Pictures are written with LF only, and with one at the end.
fn as_drawn(text: &str) -> Cow<'_, str> {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let feeds = bare.matches('\n').count();
    let turned = match feeds > 0 && bare.matches("\r\n").count() == feeds {
        true => Cow::Owned(bare.replace("\r\n", "\n")),
        false => Cow::Borrowed(bare),
    };
    match turned.strip_suffix('\n') {
        Some(rest) if !rest.ends_with('\n') => turned,
        Some(_) | None => Cow::Owned(format!("{}\n", turned.trim_end_matches('\n'))),
    }
}

/// Data beside a picture as it was written: editors add a line ending or a byte order mark, and format JSON.
fn as_sealed(bytes: &[u8], said: &str) -> Option<Vec<u8>> {
    if digest(bytes) == said {
        return Some(bytes.to_vec());
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if digest(bare.as_bytes()) == said {
        return Some(bare.as_bytes().to_vec());
    }
    let canonical = as_canonical(text)?.into_bytes();
    (digest(&canonical) == said).then_some(canonical)
}

/// JSON, which may begin with a byte order mark, in its canonical form.
fn as_canonical(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
    to_canonical(&value).ok()
}

/// Reads the data of a picture. `read_sidecar` is called with the name of a file in the same folder.
pub(crate) fn data(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Data, Refused> {
    data_within(svg, read_sidecar, true)
}

/// As [`data`]. `refers`: whether the picture may refer to another one; that one may not, so that references end.
fn data_within(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>, refers: bool) -> Result<Data, Refused> {
    let Ok(text) = std::str::from_utf8(svg) else {
        let head = svg.get(..svg.len().min(400)).unwrap_or_default();
        let ours = String::from_utf8_lossy(head).contains(" data-renderer=\"");
        let verdict = if ours { Verdict::Edited } else { Verdict::Foreign };
        return Err(refuse(None, verdict, "it is not UTF-8 text"));
    };
    let envelope = card::open(&as_drawn(text)).map_err(|e| match e {
        NotRead::NotOurs(why) => refuse(None, Verdict::Foreign, why),
        NotRead::Broken(why) => refuse(None, Verdict::Edited, why),
    })?;
    let (canonical, sidecar, mismatch) = match envelope.held {
        Held::Picture(_) if !refers => {
            return Err(refuse(None, Verdict::Edited, "the picture that should have its data has none"));
        }
        Held::Picture(name) => {
            let id = name.split('.').next().and_then(|id| id.parse::<Id>().ok());
            if id.is_none_or(|id| name != card::file_name(id, envelope.form.size)) {
                return Err(refuse(id, Verdict::Edited, "the picture with its data does not have a valid name"));
            }
            let Some(bytes) = read_sidecar(&name) else {
                return Err(refuse(
                    id,
                    Verdict::Missing,
                    format!("the picture {name}, which has its data, is missing"),
                ));
            };
            let wide = data_within(&bytes, read_sidecar, false)?;
            if wide.frozen.digest != envelope.digest || id != Some(wide.frozen.evidence.id) {
                return Err(refuse(id, Verdict::Edited, format!("the picture {name} has other data")));
            }
            return Ok(Data {
                frozen: wide.frozen,
                drawing_holds: envelope.drawing_holds,
                renderer: envelope.renderer,
                form: envelope.form,
                mismatch: None,
                beside: true,
            });
        }
        Held::Inside(canonical) if digest(canonical.as_bytes()) == envelope.digest => (canonical, None, None),
        Held::Inside(changed) => (changed, None, Some("the data does not match its digest".to_owned())),
        Held::Beside(name, said) => {
            let id: Option<Id> = name.strip_suffix(".json").and_then(|id| id.parse().ok());
            if id.is_none() {
                return Err(refuse(None, Verdict::Edited, "its data file does not have a valid name"));
            }
            let Some(bytes) = read_sidecar(&name) else {
                return Err(refuse(id, Verdict::Missing, format!("its data file {name} is missing")));
            };
            let sealed = as_sealed(&bytes, &said).filter(|_| said == envelope.digest);
            let mismatch = sealed.is_none().then(|| format!("the data file {name} does not match its digest"));
            let Ok(canonical) = String::from_utf8(sealed.unwrap_or(bytes)) else {
                return Err(refuse(id, Verdict::Edited, format!("the data file {name} is not UTF-8 text")));
            };
            (canonical, id, mismatch)
        }
    };
    // What was changed is in no form that a digest depends on.
    let canonical = match &mismatch {
        None => canonical,
        Some(why) => as_canonical(&canonical).ok_or_else(|| refuse(sidecar, Verdict::Edited, why))?,
    };
    let frozen = match Frozen::read(&canonical) {
        Ok(frozen) => frozen,
        Err(newer @ ReadError::Newer(_)) => {
            let holds = envelope.drawing_holds && mismatch.is_none();
            let verdict = if holds { Verdict::Redrawn } else { Verdict::Edited };
            return Err(refuse(sidecar, verdict, newer.to_string()));
        }
        Err(shape) => {
            let why = mismatch.map_or_else(|| shape.to_string(), |why| format!("{why}, and {shape}"));
            return Err(refuse(sidecar, Verdict::Edited, why));
        }
    };
    if sidecar.is_some_and(|id| id != frozen.evidence.id) {
        return Err(refuse(sidecar, Verdict::Edited, "its data file belongs to other evidence"));
    }
    let mismatch = mismatch.map(|why| Mismatch { named: envelope.digest, why });
    Ok(Data {
        frozen,
        mismatch,
        drawing_holds: envelope.drawing_holds,
        renderer: envelope.renderer,
        form: envelope.form,
        beside: false,
    })
}

/// A contradiction between a picture and its data, which match their digests. A picture of this renderer is drawn
/// again; spaces between its elements, which formatters change, do not count. One of another renderer cannot be drawn
/// again, but it shows the digest of the data that it was drawn from.
pub(crate) fn picture_doubt(svg: &[u8], data: &Data) -> Option<Doubt> {
    let text = std::str::from_utf8(svg).unwrap_or_default();
    let text = as_drawn(text);
    let squeezed = |text: &str| -> String { outside(text).split_whitespace().collect() };
    let first = text.lines().next().unwrap_or_default();
    let named = first.split_once(" data-renderer=\"").and_then(|(_, rest)| rest.split('"').next());
    let tidy = || format!("{}\n", text.trim_start_matches('\u{feff}').trim_end());
    let why = if named != Some(data.renderer.as_str()) {
        "its picture was not drawn by the renderer that it names"
    } else if data.renderer == RENDERER {
        match squeezed(&data.drawn_again()) == squeezed(text.trim_start_matches('\u{feff}')) {
            true => return None,
            false => "its picture shows other data: drawing the data again gives a different picture",
        }
    } else if !data.drawing_holds && !card::open(&tidy()).is_ok_and(|envelope| envelope.drawing_holds) {
        "its picture was changed after it was drawn"
    } else if !shows_digest(&text, data) {
        "its picture was drawn from data with another digest"
    } else {
        return None;
    };
    Some(Doubt::new(Rule::Picture, why))
}

/// A picture without its metadata.
fn outside(svg: &str) -> String {
    let start = svg.find("<metadata>").unwrap_or(svg.len());
    let end = svg.find("</metadata>").unwrap_or(svg.len());
    format!("{}{}", &svg[..start], svg.get(end.max(start)..).unwrap_or_default())
}

/// Whether a drawing of any renderer shows the digest of its data. Full cards always do, smaller ones where there is
/// room, at the end of a text.
fn shows_digest(svg: &str, data: &Data) -> bool {
    let drawing = outside(svg);
    let digest = card::short_digest(&data.frozen.digest);
    let ends = |at: usize| drawing[at..].starts_with("</text>");
    let mut shown = drawing.match_indices("sha256:").filter(|(at, text)| {
        let digits = drawing[at + text.len()..].bytes().take(12).take_while(u8::is_ascii_hexdigit).count();
        digits == 12 && ends(at + text.len() + digits)
    });
    match data.form.size {
        Size::Full => shown.any(|(at, _)| drawing[at..].starts_with(&digest)),
        Size::Compact | Size::Line => {
            let shown: Vec<_> = shown.collect();
            shown.is_empty() || shown.iter().any(|(at, _)| drawing[*at..].starts_with(&digest))
        }
    }
}

/// The verdict on one picture. `read_sidecar` is called with the name of a file in the same folder.
pub fn svg(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> (Option<Id>, Verdict, String) {
    let Checked { id, verdict, why, .. } = checked(svg, read_sidecar);
    (id, verdict, why)
}

/// The same as a row, with what contradicts the evidence.
pub fn svg_file(file: String, svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> FileVerdict {
    let Checked { id, verdict, why, frozen } = checked(svg, read_sidecar);
    let doubts = frozen.map(|frozen| doubts::of(&frozen.evidence)).unwrap_or_default();
    FileVerdict { file, id, verdict, why, doubts }
}

/// The verdict on a file, and its data if it matches its digest.
struct Checked {
    id: Option<Id>,
    verdict: Verdict,
    why: String,
    frozen: Option<Frozen>,
}

fn checked(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> Checked {
    match data(svg, read_sidecar) {
        Ok(Data { mismatch: Some(Mismatch { why, .. }), frozen, .. }) => {
            Checked { id: Some(frozen.evidence.id), verdict: Verdict::Edited, why, frozen: None }
        }
        Ok(data) => {
            let (verdict, why) = picture(svg, &data);
            Checked { id: Some(data.frozen.evidence.id), verdict, why, frozen: Some(data.frozen) }
        }
        Err(Refused { id, verdict, why }) => Checked { id, verdict, why, frozen: None },
    }
}

/// The verdict on a picture whose data matches its digest.
fn picture(svg: &[u8], data: &Data) -> (Verdict, String) {
    if !data.drawing_holds {
        return (Verdict::Edited, "the picture was changed: its bytes do not match its digest".to_owned());
    }
    let text = std::str::from_utf8(svg).unwrap_or_default();
    let text = as_drawn(text);
    let again = data.drawn_again();
    let same = again == text;
    if data.renderer != RENDERER {
        // Another renderer's name on a drawing that is identical to this renderer's means that it was relabelled.
        let ours = text.lines().next() == again.lines().next();
        return match ours {
            true => (Verdict::Edited, "it was not drawn by the renderer that it names".to_owned()),
            false => (
                Verdict::Redrawn,
                format!(
                    "drawn by renderer {}; this is renderer {RENDERER}, so the picture could not be compared; its data matches its digest",
                    data.renderer
                ),
            ),
        };
    }
    if !same {
        return (
            Verdict::Edited,
            "the picture was changed: drawing its data again gives a different picture".to_owned(),
        );
    }
    match card::masked(&data.frozen.canonical) {
        0 => (Verdict::Intact, "picture and data agree".to_owned()),
        n => (Verdict::Masked, format!("picture and data agree; {n} values were masked for the export")),
    }
}

/// The verdicts on all evidence of an exported text, one per file, in the order of the text.
///
/// The text must show everything that its `entry.json` lists. Other differences from the exported text are not
/// reported, since users may edit it.
///
/// The folder of `md_path` is the prefix of the reported paths, and its file name determines the path of `entry.json`.
/// `read` is called with paths relative to the Markdown file (`assets/week2/01J….svg`), never with ones outside its
/// folder.
pub fn markdown(md_path: &str, md: &str, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Vec<FileVerdict> {
    let base = md_path.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"));
    let page = page(md);
    let blocks = block::find(md, &page);
    let mut answers: Vec<(usize, FileVerdict)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut say = |at: usize, path: &str, id: Option<Id>, verdict: Verdict, why: String| {
        let file = format!("{base}{path}");
        match places.get(&file).and_then(|place| answers.get_mut(*place)) {
            // One verdict per file: the worst of all its occurrences.
            Some((_, known)) if known.verdict >= verdict => {}
            Some((_, known)) => *known = FileVerdict { file, id, verdict, why, doubts: Vec::new() },
            None => {
                places.insert(file.clone(), answers.len());
                answers.push((at, FileVerdict { file, id, verdict, why, doubts: Vec::new() }));
            }
        }
    };
    // A text may show a file many times, and checking it includes drawing it.
    let mut files: HashMap<(String, Id), Checked> = HashMap::new();
    let mut tables: HashMap<Id, Table> = HashMap::new();
    let mut recorded = recorded_doubts(md_path, read);
    for found in &blocks {
        // Pictures and blocks are in the order of the text.
        let first = page.pictures.partition_point(|p| p.range.start < found.range.start);
        let inside = page.pictures[first..].iter().take_while(|p| p.range.start < found.range.end);
        let inside = inside.filter_map(|p| our_file(&p.destination)).next();
        let Some((shown, folder)) = found.shown() else {
            let path = inside.map_or_else(
                || found.id.to_string(),
                |(folder, id, size)| format!("{folder}/{}", card::file_name(id, size)),
            );
            say(
                found.range.start,
                &path,
                Some(found.id),
                Verdict::Edited,
                "the block around the picture is incomplete".to_owned(),
            );
            continue;
        };
        let path = format!("{folder}/{}", card::file_name(found.id, shown.size));
        let known = files.entry((path.clone(), found.id)).or_insert_with(|| file(&path, found.id, read));
        let Checked { id, mut verdict, ref why, ref frozen } = *known;
        let mut why = why.clone();
        let compared = matches!(verdict, Verdict::Intact | Verdict::Masked | Verdict::Redrawn);
        if let (Some(frozen), true) = (frozen, compared) {
            let table = tables.entry(found.id).or_insert_with(|| card::table(frozen));
            let written = found.lines.as_deref().unwrap_or_default();
            let doubts = recorded.get(&found.id).map_or(&[][..], Vec::as_slice);
            // A picture of an earlier renderer stands beside the table that it wrote, or beside today's.
            let written_before = verdict == Verdict::Redrawn
                && !is_written(written, &shown.block(frozen, table, &folder, found.live, doubts, found.has_narrow()));
            let earlier = if written_before { card::earlier_tables(frozen) } else { Vec::new() };
            let is_of = |table: &&Table| {
                is_written(written, &shown.block(frozen, table, &folder, found.live, doubts, found.has_narrow()))
            };
            let table = earlier.iter().find(is_of).or(earlier.first()).unwrap_or(table);
            let ours = shown.block(frozen, table, &folder, found.live, doubts, found.has_narrow());
            if found.has_markup() {
                verdict = Verdict::Edited;
                why = "the alternative text of the picture contains HTML or a link".to_owned();
            } else if !is_written(written, &ours) {
                verdict = Verdict::Edited;
                why = match rows(written) == rows(&ours) {
                    true => "the table or the caption in the text does not match the data".to_owned(),
                    false => "the table in the text does not have the rows of the data".to_owned(),
                };
            } else if written.iter().any(|line| found.picture_line() != Some(line.trim()) && may_contain_a_link(line)) {
                verdict = Verdict::Redrawn;
                why = "an earlier version or a formatter wrote the table, in which addresses in the data become \
                       links; export it again"
                    .to_owned();
            }
        }
        if found.has_narrow() {
            let path = format!("{folder}/{}", card::file_name(found.id, Form::new(shown.size, Width::NARROW)));
            let known = files.entry((path.clone(), found.id)).or_insert_with(|| file(&path, found.id, read));
            // As long as it is no worse than the wide one, one line for both is enough.
            if known.verdict > verdict {
                say(found.range.start, &path, known.id, known.verdict, known.why.clone());
            }
        }
        say(found.range.start, &path, id, verdict, why);
    }
    let mut others: HashSet<String> = HashSet::new();
    for picture in &page.pictures {
        let at = picture.range.start;
        let before = blocks.partition_point(|b| b.range.start <= at);
        if before.checked_sub(1).is_some_and(|i| blocks[i].lines.is_some() && blocks[i].range.contains(&at)) {
            continue;
        }
        match our_file(&picture.destination) {
            Some((folder, id, size)) => {
                let path = format!("{folder}/{}", card::file_name(id, size));
                let known = files.entry((path.clone(), id)).or_insert_with(|| file(&path, id, read));
                say(at, &path, known.id, known.verdict, known.why.clone());
            }
            None => {
                let Some(path) = relative(&picture.destination) else { continue };
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                if others.contains(&path) {
                    continue;
                }
                let ours = folder.starts_with("assets/") && read(&format!("{folder}/entry.json")).is_some();
                match ours.then(|| read(&path)) {
                    None => {}
                    Some(None) => say(at, &path, None, Verdict::Missing, "the picture is missing".to_owned()),
                    Some(Some(bytes)) => {
                        let known = checked(&bytes, &|name| read(&format!("{folder}/{name}")));
                        let (verdict, why) = match known.id {
                            // Renamed cards still contain their data.
                            Some(_) => (known.verdict, known.why),
                            None => (Verdict::Foreign, "this picture was not made by Tracebook".to_owned()),
                        };
                        say(at, &path, known.id, verdict, why);
                    }
                }
                others.insert(path);
            }
        }
    }
    for found in &blocks {
        recorded.entry(found.id).or_insert_with(|| found.doubts().into_iter().collect());
    }
    let judged: HashMap<Id, Vec<Doubt>> = files
        .values()
        .filter_map(|known| known.frozen.as_ref())
        .map(|frozen| (frozen.evidence.id, doubts::of(&frozen.evidence)))
        .collect();
    for gone in not_shown(md_path, &page, &blocks, read) {
        say(md.len(), &gone.file, gone.id, gone.verdict, gone.why);
    }
    answers.sort_by_key(|(at, _)| *at);
    let with_doubts = |(_, mut answer): (usize, FileVerdict)| {
        let of = |map: &HashMap<Id, Vec<Doubt>>| answer.id.and_then(|id| map.get(&id)).cloned().unwrap_or_default();
        let (recorded, judged) = (of(&recorded), of(&judged));
        if !recorded.is_empty() && matches!(answer.verdict, Verdict::Intact | Verdict::Masked | Verdict::Redrawn) {
            answer.verdict = Verdict::Doubtful;
            answer.why = format!("it was imported, and is doubtful: {}", doubts::reasons(&recorded));
        }
        doubts::add(&mut answer.doubts, recorded.into_iter().chain(judged));
        answer
    };
    answers.into_iter().map(with_doubts).collect()
}

/// The doubts in `entry.json`, by evidence.
fn recorded_doubts(md_path: &str, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> HashMap<Id, Vec<Doubt>> {
    let bytes = read(&format!("{}/entry.json", assets(md_path)));
    let about = bytes.and_then(|bytes| {
        serde_json::from_slice::<EntryFile>(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)).ok()
    });
    let mut recorded: HashMap<Id, Vec<Doubt>> = HashMap::new();
    for stated in about.into_iter().filter(|about| about.tracebook <= ENTRY_FILE).flat_map(|about| about.doubts) {
        doubts::add(recorded.entry(stated.evidence).or_default(), stated.doubts);
    }
    recorded
}

/// The folder of a text's assets, relative to it.
fn assets(md_path: &str) -> String {
    let name = md_path.rsplit_once('/').map_or(md_path, |(_, name)| name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    format!("assets/{stem}")
}

/// Whether a block says what this version writes, however it is formatted. Users may edit the picture's alternative
/// text.
fn is_written(written: &[String], ours: &[String]) -> bool {
    let is_control = |line: &String| line.contains(|c: char| c.is_control() && c != '\t');
    !written.iter().any(is_control)
        && !has_more_cells(written, ours)
        && shape(&written.join("\n")) == shape(&ours.join("\n"))
}

/// Whether a row has more cells than the table has columns. Renderers leave those out, so the shape does, too.
fn has_more_cells(written: &[String], ours: &[String]) -> bool {
    let Some(columns) = ours.iter().find(|line| line.starts_with("| ")).map(|head| cells(head)) else { return false };
    let table = written.iter().skip_while(|line| !line.trim_start().starts_with("<details"));
    let table = table.skip(1).take_while(|line| !line.trim_start().starts_with("</details"));
    table.filter(|line| line.contains('|')).any(|line| cells(line) > columns)
}

/// The number of cells of a row, with or without pipes around it.
fn cells(row: &str) -> usize {
    let row = row.trim();
    let inner = row.strip_prefix('|').unwrap_or(row);
    let mut escaped = false;
    let pipes = inner.chars().filter(|c| {
        let pipe = *c == '|' && !escaped;
        escaped = *c == '\\' && !escaped;
        pipe
    });
    pipes.count() + usize::from(!inner.ends_with('|'))
}

fn rows(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.trim_start().starts_with('|')).count()
}

/// Whether GFM's autolinks would find a link in a line, in which earlier versions escaped data by backslashes only, and
/// formatters may have replaced character references.
fn may_contain_a_link(line: &str) -> bool {
    // Those of the block itself.
    let line = line.split("<br><sub><a href=").next().unwrap_or_default().to_ascii_lowercase();
    line.contains("://") || line.contains("www.") || line.contains('@')
}

/// Evidence in `entry.json` that the text does not show, with paths relative to the Markdown file.
fn not_shown(
    md_path: &str,
    page: &Page,
    blocks: &[block::Found],
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Vec<FileVerdict> {
    let folder = assets(md_path);
    let file = format!("{folder}/entry.json");
    let Some(bytes) = read(&file) else { return Vec::new() };
    let about: EntryFile =
        match serde_json::from_slice::<EntryFile>(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)) {
            Ok(about) if about.tracebook <= ENTRY_FILE => about,
            Ok(_) => {
                let why = "reading it requires a newer Tracebook".to_owned();
                return vec![FileVerdict { file, id: None, verdict: Verdict::Redrawn, why, doubts: Vec::new() }];
            }
            // Other programs use this file name too.
            Err(_) if !String::from_utf8_lossy(&bytes).contains("\"tracebook\"") => return Vec::new(),
            Err(error) => {
                let why = format!("it cannot be read, so the text cannot be compared with it: {error}");
                return vec![FileVerdict { file, id: None, verdict: Verdict::Edited, why, doubts: Vec::new() }];
            }
        };
    // How often each piece of evidence is shown: as a block, and as a picture.
    let mut shown: HashMap<Id, (usize, usize)> = HashMap::new();
    for found in blocks {
        shown.entry(found.id).or_default().0 += 1;
    }
    for (_, id, _) in page.pictures.iter().filter_map(|p| our_file(&p.destination)) {
        shown.entry(id).or_default().1 += 1;
    }
    let mut named: HashMap<Id, (usize, usize)> = HashMap::new();
    let mut gone = Vec::new();
    for reference in about.references {
        let id = reference.evidence;
        let (blocks, places) = named.entry(id).or_default();
        *blocks += usize::from(reference.block || reference.live.as_ref().is_some_and(|live| live.block));
        *places += 1;
        let (blocks_shown, pictures_shown) = shown.get(&id).copied().unwrap_or_default();
        let why = if *places > pictures_shown.max(blocks_shown) {
            "entry.json lists this evidence, but the text no longer shows it there"
        } else if *blocks > blocks_shown {
            "the text shows the picture without its table: the block's marker line is missing"
        } else {
            continue;
        };
        let source = scan(&reference.source);
        let shown = source.references.first().or(source.live.first());
        let size = shown.map_or(Size::Full, |r| Size::of(&r.size));
        let file = format!("{folder}/{}", card::file_name(id, size));
        let (verdict, why) = (Verdict::Missing, why.to_owned());
        gone.push(FileVerdict { file, id: Some(id), verdict, why, doubts: Vec::new() });
    }
    gone
}

/// The verdict on a file that should show this evidence.
fn file(path: &str, expected: Id, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Checked {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let without_data = |verdict, why| Checked { id: Some(expected), verdict, why, frozen: None };
    let Some(bytes) = read(path) else { return without_data(Verdict::Missing, "the picture is missing".to_owned()) };
    let known = checked(&bytes, &|name| read(&format!("{folder}/{name}")));
    match known.id {
        Some(other) if other != expected => {
            without_data(Verdict::Edited, format!("the file contains evidence {other}, but is named after {expected}"))
        }
        _ => Checked { id: Some(expected), ..known },
    }
}

/// The evidence in a picture, if it matches its digest. `read_sidecar` is called with the name of a file in the same
/// folder.
pub fn evidence(svg: &[u8], read_sidecar: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<Frozen> {
    data(svg, read_sidecar).ok().filter(|data| data.mismatch.is_none()).map(|data| data.frozen)
}
