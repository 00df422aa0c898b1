//! Credentials in a JSON tree. The texts under one name, in the order of the document, are read as the lines of one
//! text, so that a key or token that was logged line by line is found.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::names::{self, Name};
use super::packed;
use super::scan::{self, Cut};
use super::values::{self, Form};
use super::{PLACEHOLDER, Removed, bytes};
use crate::json::{Json, member};

/// Columns of a table whose names are looked at.
const MOST_CELLS: usize = 1000;

/// The texts under one name.
struct Column<'a, 't> {
    name: String,
    class: Name,
    /// Columns of the members, by their names.
    members: BTreeMap<String, usize>,
    texts: Vec<&'a mut Cow<'t, str>>,
    /// All texts, each on a line.
    joined: String,
}

struct Columns<'a, 't> {
    columns: Vec<Column<'a, 't>>,
    /// Names that come from data.
    keys: String,
    /// `{"bytes": "base64"}`.
    blobs: Vec<(Name, &'a mut Cow<'t, str>)>,
    /// Values that were removed on the way.
    removed: Vec<String>,
}

/// Removes credentials from a tree. `more` finds texts that were removed elsewhere.
pub(super) fn clean(json: &mut Json<'_>, removed: &mut Removed, more: Option<&AhoCorasick>) {
    if Searched::new(json).remove(removed, more) {
        rename(json, removed, more);
    }
}

/// As [`clean`]. What was removed elsewhere is asked for when the tree has been searched, so that both can be done at
/// the same time.
pub(super) fn clean_too<R: AsRef<Removed>>(json: &mut Json<'_>, elsewhere: impl FnOnce() -> R) -> R {
    let mut removed = Removed::default();
    let searched = Searched::new(json);
    let elsewhere = elsewhere();
    let more = elsewhere.as_ref().telling();
    if searched.remove(&mut removed, more) {
        rename(json, &mut removed, more);
    }
    elsewhere
}

/// A tree in which credentials were looked for.
struct Searched<'a, 't> {
    columns: Columns<'a, 't>,
    /// What was found in each column.
    cuts: Vec<Vec<Cut>>,
    key_cuts: Vec<Cut>,
}

impl<'a, 't> Searched<'a, 't> {
    fn new(json: &'a mut Json<'t>) -> Self {
        let root = Column {
            name: String::new(),
            class: Name::Plain,
            members: BTreeMap::new(),
            texts: Vec::new(),
            joined: String::new(),
        };
        let mut columns = Columns { columns: vec![root], keys: String::new(), blobs: Vec::new(), removed: Vec::new() };
        columns.gather(json, 0, "");
        let cuts = columns.columns.iter().map(scan_column).collect();
        let key_cuts = scan::scan(columns.keys.as_bytes());
        Self { columns, cuts, key_cuts }
    }

    /// Removes what was found here, and what `more` finds. Returns whether names contain some of it, which [`rename`]
    /// removes.
    fn remove(self, removed: &mut Removed, more: Option<&AhoCorasick>) -> bool {
        let Self { mut columns, mut cuts, key_cuts } = self;
        columns.removed.drain(..).for_each(|text| removed.push(text));
        for (column, found) in columns.columns.iter().zip(&cuts) {
            found.iter().for_each(|cut| push_lines(&column.joined[cut.start..cut.end], removed));
        }
        key_cuts.iter().for_each(|cut| push_lines(&columns.keys[cut.start..cut.end], removed));
        for (name, text) in &mut columns.blobs {
            clean_blob(*name, text, removed);
        }
        // What one place gave away is removed everywhere.
        let mut renamed = !key_cuts.is_empty();
        for finder in [removed.telling(), more].into_iter().flatten() {
            for (column, cuts) in columns.columns.iter().zip(&mut cuts) {
                cuts.extend(finder.find_iter(&column.joined).map(|found| Cut {
                    start: found.start(),
                    end: found.end(),
                    what: "",
                }));
            }
            renamed |= finder.is_match(&columns.keys);
        }
        let mut again = 0;
        for (column, cuts) in columns.columns.into_iter().zip(cuts) {
            if !cuts.is_empty() {
                let first = cuts.iter().filter(|cut| !cut.what.is_empty()).count();
                let cuts = scan::merged(cuts);
                again += cuts.len().saturating_sub(first);
                apply(column, &cuts);
            }
        }
        removed.again += again;
        renamed
    }
}

impl<'a, 't> Columns<'a, 't> {
    fn gather(&mut self, json: &'a mut Json<'t>, column: usize, field: &str) {
        if self.columns[column].class == Name::Password
            && let Some(digits) = number(json)
            && values::is_credential(Name::Password, &digits, Form::Data)
        {
            self.removed.push(digits);
            *json = Json::text(PLACEHOLDER);
            return;
        }
        match json {
            Json::Text(text) => {
                if !is_form(field, text) {
                    let column = &mut self.columns[column];
                    column.joined.push_str(text);
                    column.joined.push('\n');
                    column.texts.push(text);
                }
            }
            Json::List(list) => self.gather_list(list, column, field),
            Json::Object(map) => {
                if map.len() == 1 && matches!(&map[0], (name, Json::Text(_)) if name == "bytes") {
                    if let (_, Json::Text(text)) = &mut map[0] {
                        self.blobs.push((self.columns[column].class, text));
                    }
                    return;
                }
                // `{"key": "name", "value": …}`, as OTLP and evidence write attributes; `name` in other formats.
                let is_value = |key: &str| matches!(key, "value" | "Value" | "values" | "stringValue");
                let named = (map.len() <= 8 && map.iter().any(|(key, _)| is_value(key)))
                    .then(|| {
                        ["key", "name", "Key", "Name"].iter().find_map(|key| member(map, key).and_then(Json::as_str))
                    })
                    .flatten()
                    .map(|name| self.member(column, name));
                // The result of a query: a row's cells stand under the names of its columns.
                let cells: Vec<usize> = match (member(map, "columns"), member(map, "rows")) {
                    (Some(Json::List(names)), Some(Json::List(_))) => {
                        let names = names.iter().take(MOST_CELLS).map(|name| name.as_str().unwrap_or_default());
                        names.map(|name| self.member(column, name)).collect()
                    }
                    _ => Vec::new(),
                };
                for (key, value) in map.iter_mut() {
                    if !key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
                        self.keys.push_str(key);
                        self.keys.push('\n');
                    }
                    let member = match named {
                        Some(named) if is_value(key) => named,
                        // The value of an attribute in one of its types.
                        _ if is_type(key) => column,
                        _ => self.member(column, key),
                    };
                    if key == "rows" && !cells.is_empty() && matches!(value, Json::List(_)) {
                        self.gather_rows(value, member, &cells);
                    } else {
                        self.gather(value, member, key);
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn gather_list(&mut self, list: &'a mut [Json<'t>], column: usize, field: &str) {
        // `["authorization", "Bearer …"]`: headers as pairs.
        let pair = match &*list {
            [Json::Text(name), Json::Text(_)] if names::judge(name) > Name::Weak => Some(self.member(column, name)),
            _ => None,
        };
        for (n, value) in list.iter_mut().enumerate() {
            let column = pair.filter(|_| n == 1).unwrap_or(column);
            self.gather(value, column, field);
        }
    }

    fn gather_rows(&mut self, rows: &'a mut Json<'t>, column: usize, cells: &[usize]) {
        let Json::List(rows) = rows else { return };
        for row in rows {
            match row {
                Json::List(row) => {
                    for (n, cell) in row.iter_mut().enumerate() {
                        self.gather(cell, cells.get(n).copied().unwrap_or(column), "rows");
                    }
                }
                row => self.gather(row, column, "rows"),
            }
        }
    }

    fn member(&mut self, owner: usize, key: &str) -> usize {
        // `line1`, `line2`: lines of one text.
        let short = key.trim_end_matches(|c: char| c.is_ascii_digit());
        let short = if short.is_empty() { "0" } else { short };
        if let Some(member) = self.columns[owner].members.get(short) {
            return *member;
        }
        let tail =
            |name: &str| name.rsplit('.').take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(".");
        let name = format!("{}.{}", tail(&self.columns[owner].name), values::begin(key, 128));
        let class = match names::judge(&name) {
            // Lists and objects of credentials.
            Name::Plain if key.bytes().all(|b| b.is_ascii_digit()) => self.columns[owner].class,
            class => class,
        };
        let member = self.columns.len();
        self.columns.push(Column { name, class, members: BTreeMap::new(), texts: Vec::new(), joined: String::new() });
        self.columns[owner].members.insert(short.to_owned(), member);
        member
    }
}

/// The digits of a number, also of evidence's integers.
fn number(json: &Json<'_>) -> Option<String> {
    match json {
        Json::Number(number) => Some(number.to_string()),
        Json::Object(map) if map.len() == 1 => member(map, "int").and_then(Json::as_str).map(str::to_owned),
        Json::Object(_) | Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) => None,
    }
}

/// The types of OTLP's values in JSON, and of evidence's.
fn is_type(key: &str) -> bool {
    matches!(
        key,
        "stringValue" | "arrayValue" | "kvlistValue" | "bytesValue" | "intValue" | "doubleValue" | "map" | "values"
    )
}

/// Whether a text is part of the format of evidence rather than data: ids, kinds, bytes. Without it the rest could not
/// be read.
fn is_form(field: &str, text: &str) -> bool {
    match field {
        "trace_id" | "span_id" | "id" | "parent" => {
            text.len() >= 16 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
        }
        "kind" | "protocol" | "protocols" | "code" | "level" | "origin" | "by" => {
            text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        }
        "int" | "double" => text.len() <= 24,
        _ => false,
    }
}

fn scan_column(column: &Column<'_, '_>) -> Vec<Cut> {
    let mut cuts = scan::scan(column.joined.as_bytes());
    if column.class != Name::Plain {
        let mut start = 0;
        for text in &column.texts {
            if values::is_credential(column.class, text, Form::Data) {
                cuts.push(Cut { start, end: start + text.len(), what: scan::BY_NAME });
            }
            start += text.len() + 1;
        }
        cuts = scan::merged(cuts);
    }
    cuts
}

/// A cut over several lines is several texts. So is each quoted parameter in it: `response="…"` of an `Authorization`
/// header may also stand alone, as a command's argument.
fn push_lines(text: &str, removed: &mut Removed) {
    /// Shorter parameters are names of users, hosts and algorithms.
    const SHORTEST: usize = 16;
    for line in text.split('\n').filter(|line| !line.trim().is_empty()) {
        if line.contains("=\"") {
            let quoted = line.split('"').skip(1).step_by(2).filter(|value| value.len() >= SHORTEST);
            quoted.for_each(|value| removed.push(value.to_owned()));
        }
        removed.push(line.to_owned());
    }
}

fn apply(column: Column<'_, '_>, cuts: &[Cut]) {
    let mut start = 0;
    let mut next = 0;
    for text in column.texts {
        let end = start + text.len();
        while next < cuts.len() && cuts[next].end <= start {
            next += 1;
        }
        let inside = cuts[next..].iter().take_while(|cut| cut.start < end);
        let inside = inside.map(|cut| (cut.start.max(start) - start, cut.end.min(end) - start));
        if let Cow::Owned(clean) = without(text, inside) {
            *text = Cow::Owned(clean);
        }
        start = end + 1;
    }
}

/// A text without some parts.
pub(super) fn without(text: &str, parts: impl Iterator<Item = (usize, usize)>) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut from = 0;
    for (start, end) in parts.filter(|(start, end)| start < end) {
        // Cuts are at ASCII characters; invalid UTF-8 was not in the text.
        let (Some(before), true) = (text.get(from..start), text.is_char_boundary(end)) else { continue };
        clean.push_str(before);
        clean.push_str(PLACEHOLDER);
        from = end;
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[from..]);
    Cow::Owned(clean)
}

/// Bytes stay bytes, of the same length.
fn clean_blob(name: Name, text: &mut Cow<'_, str>, removed: &mut Removed) {
    let by_text = !scan::scan(text.as_bytes()).is_empty();
    let decoded = BASE64.decode(text.as_bytes()).ok();
    let by_name =
        decoded.as_ref().is_some_and(|bytes| values::is_credential(name, &String::from_utf8_lossy(bytes), Form::Data));
    let inside = decoded.as_ref().is_some_and(|bytes| packed::has_credential(bytes, name, removed));
    if by_text || by_name || inside {
        removed.push(std::mem::replace(text, Cow::Owned(BASE64.encode(PLACEHOLDER))).into_owned());
        return;
    }
    if let Some(mut decoded) = decoded
        && bytes::overwrite(&mut decoded, removed)
    {
        *text = Cow::Owned(BASE64.encode(decoded));
        removed.again += 1;
    }
}

/// Removes what was removed, and what `more` finds, from the names of members.
fn rename(json: &mut Json<'_>, removed: &mut Removed, more: Option<&AhoCorasick>) {
    let mut again = 0;
    let finders: Vec<&AhoCorasick> = [removed.telling(), more].into_iter().flatten().collect();
    rename_members(json, &finders, &mut again);
    removed.again += again;
}

fn rename_members(json: &mut Json<'_>, finders: &[&AhoCorasick], again: &mut usize) {
    match json {
        Json::List(list) => list.iter_mut().for_each(|value| rename_members(value, finders, again)),
        Json::Object(members) => {
            for (key, value) in members {
                rename_members(value, finders, again);
                if key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
                    continue;
                }
                let mut name =
                    without(key, scan::scan(key.as_bytes()).iter().map(|cut| (cut.start, cut.end))).into_owned();
                for finder in finders {
                    let found: Vec<(usize, usize)> =
                        finder.find_iter(&name).map(|found| (found.start(), found.end())).collect();
                    name = without(&name, found.into_iter()).into_owned();
                }
                if name != *key {
                    *again += 1;
                    *key = Cow::Owned(name);
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
    }
}
