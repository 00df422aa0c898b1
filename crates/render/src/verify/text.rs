//! The verdicts on an exported text and everything that it shows.

use std::collections::{BTreeSet, HashMap, HashSet};

use tracebook_core::doubts::{self, Doubt};
use tracebook_core::ids::Id;

use super::{Checked, FileVerdict, Verdict, checked};
use crate::block::{self, our_file, relative};
use crate::card::{self, Form, Size, Table, Width};
use crate::entry_file::EntryFile;
use crate::manifest::Line;
use crate::markdown::{Page, page, page_and_shape, scan, shape};
use crate::written::{EntryVerdict, Exported, by_manifest, composed, said, said_raw};

/// A text to check, and where to find what belongs to it.
pub struct Text<'a> {
    /// Its path. The folder is the prefix of the reported paths.
    pub path: &'a str,
    pub md: &'a str,
    /// Path, relative to the text, and content of its `entry.json`.
    pub entry_json: Option<(String, Vec<u8>)>,
    /// Its lines in the manifest: none if there is no manifest, several after a merge.
    pub lines: &'a [Line],
    /// Reads a file by its path relative to the text (`assets/week2/01J….svg`), never one outside its folder.
    pub read: &'a Reading<'a>,
    /// Finds the picture of a piece of evidence that is not where the text shows it, by its id and its usual name.
    pub elsewhere: &'a Finding<'a>,
}

/// Reads a file by its path.
type Reading<'a> = dyn Fn(&str) -> Option<Vec<u8>> + 'a;

/// Finds a picture in another place by the id of its evidence and its usual name.
type Finding<'a> = dyn Fn(Id, &str) -> Option<Elsewhere<'a>> + 'a;

/// A picture in another place.
pub struct Elsewhere<'a> {
    /// Its path, as in the answer.
    pub path: String,
    pub bytes: Vec<u8>,
    /// Reads a file of its folder.
    pub beside: Box<Reading<'a>>,
}

/// The verdicts on a text.
#[derive(Debug)]
pub struct TextVerdict {
    /// One row for each evidence file, in the order of the text.
    pub files: Vec<FileVerdict>,
    /// The evidence that it shows.
    pub shown: BTreeSet<Id>,
    /// Whether it still says what was exported; `None` if nothing says what that was.
    pub entry: Option<(EntryVerdict, String)>,
}

/// The verdicts on all evidence of an exported text, one per file, in the order of the text. As [`text`], without a
/// manifest; the file name of `md_path` determines the path of `entry.json`.
pub fn markdown(md_path: &str, md: &str, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Vec<FileVerdict> {
    let name = md_path.rsplit_once('/').map_or(md_path, |(_, name)| name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let path = format!("assets/{stem}/entry.json");
    let entry_json = read(&path).map(|bytes| (path, bytes));
    text(&Text { path: md_path, md, entry_json, lines: &[], read, elsewhere: &|_, _| None }).files
}

/// The verdicts on an exported text, by one parse.
///
/// The text must show everything that its `entry.json` and its manifest list. Other differences from the exported text
/// are no fault, since users may edit it.
pub fn text(input: &Text<'_>) -> TextVerdict {
    let Text { path: md_path, md, read, .. } = *input;
    let base = md_path.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"));
    let (page, shape) = page_and_shape(md);
    let blocks = block::find(md, &page);
    let mut answers: Vec<(usize, FileVerdict)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut say = |at: usize, file: String, id: Option<Id>, verdict: Verdict, why: String, known: Option<&Checked>| {
        let about = known.and_then(|known| known.about.clone());
        match places.get(&file).and_then(|place| answers.get_mut(*place)) {
            // One verdict per file: the worst of all its occurrences.
            Some((_, known)) if known.verdict >= verdict => {}
            Some((_, known)) => *known = FileVerdict { about, ..FileVerdict::new(file, id, verdict, why) },
            None => {
                places.insert(file.clone(), answers.len());
                answers.push((at, FileVerdict { about, ..FileVerdict::new(file, id, verdict, why) }));
            }
        }
    };
    // A text may show a file many times, and checking it includes drawing it.
    let mut files: HashMap<(String, Id), Found> = HashMap::new();
    let find = |path: &str, id: Id| file(path, &format!("{base}{path}"), id, input);
    let mut tables: HashMap<Id, Table> = HashMap::new();
    let mut recorded = recorded_doubts(input);
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
            let why = "the block around the picture is incomplete".to_owned();
            say(found.range.start, format!("{base}{path}"), Some(found.id), Verdict::Edited, why, None);
            continue;
        };
        let path = format!("{folder}/{}", card::file_name(found.id, shown.size));
        let known = files.entry((path.clone(), found.id)).or_insert_with(|| find(&path, found.id));
        let Checked { id, mut verdict, ref why, ref frozen, .. } = known.checked;
        let mut why = why.clone();
        let compared = verdict.holds();
        if let (Some(frozen), true) = (frozen, compared) {
            let table = tables.entry(found.id).or_insert_with(|| card::table(frozen));
            let written = found.lines.as_deref().unwrap_or_default();
            let doubts = recorded.get(&found.id).map_or(&[][..], Vec::as_slice);
            // A picture of an earlier renderer stands beside the table that it wrote, or beside today's.
            let written_before = known.checked.about.as_ref().is_some_and(|about| about.renderer != card::RENDERER)
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
            } else if verdict == Verdict::Intact && !is_written_exactly(written, &ours) {
                verdict = Verdict::Reformatted;
                why = "picture, table and data agree; the text around the picture was formatted".to_owned();
            }
        }
        if found.has_narrow() {
            let path = format!("{folder}/{}", card::file_name(found.id, Form::new(shown.size, Width::NARROW)));
            let narrow = files.entry((path.clone(), found.id)).or_insert_with(|| find(&path, found.id));
            // As long as it is no worse than the wide one, one line for both is enough.
            if narrow.checked.verdict > verdict {
                let Checked { id, verdict, ref why, .. } = narrow.checked;
                say(found.range.start, narrow.file.clone(), id, verdict, why.clone(), Some(&narrow.checked));
            }
        }
        if let Some(known) = files.get(&(path, found.id)) {
            say(found.range.start, known.file.clone(), id, verdict, why, Some(&known.checked));
        }
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
                let Found { file, checked } = files.entry((path.clone(), id)).or_insert_with(|| find(&path, id));
                say(at, file.clone(), checked.id, checked.verdict, checked.why.clone(), Some(&*checked));
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
                    Some(None) => {
                        let why = "the picture is missing".to_owned();
                        say(at, format!("{base}{path}"), None, Verdict::Missing, why, None);
                    }
                    Some(Some(bytes)) => {
                        let known = checked(&bytes, &|name| read(&format!("{folder}/{name}")));
                        let (verdict, why) = match known.id {
                            // Renamed cards still contain their data.
                            Some(_) => (known.verdict, known.why.clone()),
                            None => (Verdict::Foreign, "this picture was not made by Tracebook".to_owned()),
                        };
                        say(at, format!("{base}{path}"), known.id, verdict, why, Some(&known));
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
        .filter_map(|known| known.checked.frozen.as_ref())
        .map(|frozen| (frozen.evidence.id, doubts::of(&frozen.evidence)))
        .collect();
    let pictures = page.pictures.iter().filter_map(|p| our_file(&p.destination)).map(|(_, id, _)| id);
    let shown: BTreeSet<Id> = blocks.iter().map(|found| found.id).chain(pictures).collect();
    let mut gone = not_shown(input, &page, &blocks);
    let told: HashSet<Id> = gone.iter().filter_map(|gone| gone.id).collect();
    for id in listed(input.lines).filter(|id| !shown.contains(id) && !told.contains(id)) {
        let why = "the manifest lists this evidence, but the text no longer shows it";
        gone.push(FileVerdict::new(card::file_name(id, Size::Full), Some(id), Verdict::Missing, why));
    }
    for gone in gone {
        say(md.len(), format!("{base}{}", gone.file), gone.id, gone.verdict, gone.why, None);
    }
    answers.sort_by_key(|(at, _)| *at);
    let with_doubts = |(_, mut answer): (usize, FileVerdict)| {
        let of = |map: &HashMap<Id, Vec<Doubt>>| answer.id.and_then(|id| map.get(&id)).cloned().unwrap_or_default();
        let (recorded, judged) = (of(&recorded), of(&judged));
        if !recorded.is_empty() && answer.verdict.holds() {
            answer.verdict = Verdict::Doubtful;
            answer.why = format!("it was imported, and is doubtful: {}", doubts::reasons(&recorded));
        }
        doubts::add(&mut answer.doubts, recorded.into_iter().chain(judged));
        answer
    };
    let files = answers.into_iter().map(with_doubts).collect();
    let said = said(&shape);
    let exported = input.entry_json.as_ref().and_then(|(_, bytes)| Exported::read(bytes));
    let by_entry = exported.and_then(|exported| exported.verdict(md, &said, &said_raw(&shape)));
    let entry = match by_manifest(&said, input.lines) {
        // An export of an earlier version into the same folder.
        Some((EntryVerdict::Changed, _)) | None if by_entry.is_some() => by_entry,
        by_manifest => by_manifest,
    };
    TextVerdict { files, shown, entry }
}

/// A text without the pictures and tables of evidence, line by line as it is, and the evidence with the line that it is
/// shown on, from 1.
pub fn own_words(md: &str) -> (String, Vec<(Id, usize)>) {
    let page = page(md);
    let blocks = block::find(md, &page);
    let mut cut: Vec<(std::ops::Range<usize>, Id)> = blocks.into_iter().map(|found| (found.range, found.id)).collect();
    let inside = |at: usize, cut: &[(std::ops::Range<usize>, Id)]| {
        let before = cut.partition_point(|(range, _)| range.start <= at);
        before.checked_sub(1).is_some_and(|n| cut[n].0.contains(&at))
    };
    let pictures = page.pictures.iter().filter_map(|p| Some((p.range.clone(), our_file(&p.destination)?.1)));
    let pictures: Vec<_> = pictures.filter(|(range, _)| !inside(range.start, &cut)).collect();
    cut.extend(pictures);
    cut.sort_by_key(|(range, _)| range.start);
    let (mut own, mut shown, mut read, mut line) = (String::with_capacity(md.len()), Vec::new(), 0, 1);
    for (range, id) in cut {
        if range.start < read {
            continue;
        }
        let before = &md[read..range.start];
        own.push_str(before);
        line += before.matches('\n').count();
        shown.push((id, line));
        let lines = md[range.clone()].matches('\n').count();
        own.push_str(&"\n".repeat(lines));
        line += lines;
        read = range.end;
    }
    own.push_str(&md[read..]);
    (own, shown)
}

/// The evidence that every line lists.
fn listed(lines: &[Line]) -> impl Iterator<Item = Id> {
    let first = lines.first().map(|line| line.evidence.as_slice()).unwrap_or_default();
    first.iter().copied().filter(|id| lines.iter().all(|line| line.evidence.contains(id)))
}

/// The doubts in `entry.json`, by evidence.
fn recorded_doubts(input: &Text<'_>) -> HashMap<Id, Vec<Doubt>> {
    let about = input.entry_json.as_ref().and_then(|(_, bytes)| EntryFile::read(bytes).ok());
    let mut recorded: HashMap<Id, Vec<Doubt>> = HashMap::new();
    for stated in about.into_iter().filter(EntryFile::is_known).flat_map(|about| about.doubts) {
        doubts::add(recorded.entry(stated.evidence).or_default(), stated.doubts);
    }
    recorded
}

/// Whether a block says what this version writes, however it is formatted. Users may edit the picture's alternative
/// text.
fn is_written(written: &[String], ours: &[String]) -> bool {
    let is_control = |line: &String| line.contains(|c: char| c.is_control() && c != '\t');
    !written.iter().any(is_control)
        && !has_more_cells(written, ours)
        && composed(&shape(&written.join("\n")).join("\n")) == composed(&shape(&ours.join("\n")).join("\n"))
}

/// Whether a block is as this version writes it, up to blanks at the ends of lines and to the picture, whose
/// alternative text users may write as they like.
fn is_written_exactly(written: &[String], ours: &[String]) -> bool {
    const PICTURE: usize = 1;
    let same = |(n, (line, own)): (usize, (&String, &String))| n == PICTURE || line.trim_end() == own.trim_end();
    written.len() == ours.len() && written.iter().zip(ours).enumerate().all(same)
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
fn not_shown(input: &Text<'_>, page: &Page, blocks: &[block::Found]) -> Vec<FileVerdict> {
    let Some((file, bytes)) = &input.entry_json else { return Vec::new() };
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let about = match EntryFile::read(bytes) {
        Ok(about) if about.is_known() => about,
        Ok(_) => {
            let why = "reading it requires a newer Tracebook";
            return vec![FileVerdict::new(file.clone(), None, Verdict::Edited, why)];
        }
        // Other programs use this file name too.
        Err(_) if !String::from_utf8_lossy(bytes).contains("\"tracebook\"") && input.lines.is_empty() => {
            return Vec::new();
        }
        Err(error) => {
            let why = format!("it cannot be read, so the text cannot be compared with it: {error}");
            return vec![FileVerdict::new(file.clone(), None, Verdict::Edited, why)];
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
        gone.push(FileVerdict::new(file, Some(id), Verdict::Missing, why));
    }
    gone
}

/// The verdict on a file, and its path in the answer.
struct Found {
    file: String,
    checked: Checked,
}

/// The verdict on the file that should show this evidence, or on the one that does so in another place.
fn file(path: &str, shown: &str, expected: Id, input: &Text<'_>) -> Found {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let without_data = |verdict, why| Checked { id: Some(expected), verdict, why, frozen: None, about: None };
    let Some(bytes) = (input.read)(path) else {
        let missing = || Found {
            file: shown.to_owned(),
            checked: without_data(Verdict::Missing, "the picture is missing".to_owned()),
        };
        let Some(found) = (input.elsewhere)(expected, name) else { return missing() };
        let known = checked(&found.bytes, &*found.beside);
        if known.id != Some(expected) {
            return missing();
        }
        let checked = match known.verdict.holds() {
            true => Checked {
                verdict: Verdict::Moved,
                why: format!("the picture is not at {shown}, where the text shows it, but here; {}", known.why),
                ..known
            },
            false => known,
        };
        return Found { file: found.path, checked };
    };
    let known = checked(&bytes, &|name| (input.read)(&format!("{folder}/{name}")));
    let checked = match known.id {
        Some(other) if other != expected => {
            without_data(Verdict::Edited, format!("the file contains evidence {other}, but is named after {expected}"))
        }
        _ => Checked { id: Some(expected), ..known },
    };
    Found { file: shown.to_owned(), checked }
}
