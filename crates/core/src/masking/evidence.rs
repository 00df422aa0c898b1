//! Masked evidence: the same data with placeholders, a list of the places, and a digest of its own.
//!
//! ```json
//! {"schema": 1, "id": "01J…", …, "masked": [{"pointer": "/provenance/console_link", "rule": "aws-arn"}],
//!  "original": "sha256:…"}
//! ```
//! `original` is a commitment: the digest of the salt of the evidence (hex digits), a colon, and the digest of the
//! original. Whoever has the original and its salt can show that it is what was masked; nobody else can compare guesses
//! with it, since the salt never leaves the journal.

use serde_json::Value as Json;

use super::find::{Found, Text};
use super::{Hit, MaskedPlace, Rules, Table, distinctive};
use crate::canonical;
use crate::evidence::{Frozen, ReadError};

/// Names of texts that are ids, times or other values of the form itself.
const FORM: [&str; 16] = [
    "trace_id",
    "span_id",
    "parent_id",
    "parent",
    "kind",
    "protocol",
    "level",
    "severity",
    "time",
    "timestamp",
    "start",
    "end",
    "captured_at",
    "tool",
    "digest",
    "uuid",
];
/// Names of paths of requests, which may begin like a folder of a user.
const REQUEST_PATHS: [&str; 6] = ["http.target", "http.route", "url.path", "http.path", "next.route", "request.url"];

/// Why evidence cannot be masked.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    #[error("its data is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("masking a value made it unreadable: {0}")]
    Unreadable(#[from] ReadError),
}

/// Whether evidence was masked when it was exported.
pub fn is_masked(frozen: &Frozen) -> bool {
    // Nothing else has these names at the root; the cheap test comes first.
    frozen.canonical.contains("\"masked\":[")
        && serde_json::from_str::<Json>(&frozen.canonical)
            .is_ok_and(|json| json.get("masked").is_some_and(Json::is_array))
}

/// The commitment of masked evidence.
pub fn commitment(salt: &str, digest: &str) -> String {
    canonical::digest(format!("{salt}:{digest}").as_bytes())
}

/// Masks evidence. `None` if there is nothing to mask, and for evidence that was masked already.
///
/// # Errors
/// [`MaskError`] if the data cannot be read with the placeholders, so that it must not be exported.
pub fn mask(frozen: &Frozen, rules: &Rules, table: &mut Table) -> Result<Option<(Frozen, Vec<Hit>)>, MaskError> {
    mask_with(frozen, rules, table, &[])
}

/// As [`mask`], with values to find wherever they stand: kind, value and rule of each.
///
/// # Errors
/// As [`mask`].
pub fn mask_with(
    frozen: &Frozen,
    rules: &Rules,
    table: &mut Table,
    known: &[(String, String, String)],
) -> Result<Option<(Frozen, Vec<Hit>)>, MaskError> {
    if is_masked(frozen) {
        return Ok(None);
    }
    let mut json: Json = serde_json::from_str(&frozen.canonical)?;
    let mut places = Vec::new();
    let more = Text::with(known.to_vec());
    let mut walk = Walk { rules, more: &more, places: &mut places, pointer: String::new(), varied: None };
    walk.value(&json, "");
    // A name that one attribute has may also be in a message.
    let found = places.iter().flat_map(|place: &Place| place.hits()).collect::<Vec<_>>();
    let own = distinctive(&found, rules);
    if !own.is_empty() {
        let more = Text::with(own.into_iter().chain(known.iter().cloned()).collect());
        places.clear();
        Walk { rules, more: &more, places: &mut places, pointer: String::new(), varied: None }.value(&json, "");
    }
    let mut masked: Vec<MaskedPlace> = Vec::new();
    let mut hits = Vec::new();
    for Place { pointer, text, found, named } in places {
        let Some(node) = json.pointer_mut(&pointer) else { continue };
        let (new, of_place) = table.replace(&text, found, named);
        if of_place.is_empty() {
            continue;
        }
        *node = Json::String(new);
        for hit in &of_place {
            let place = MaskedPlace { pointer: pointer.clone(), rule: hit.rule.clone() };
            if masked.last() != Some(&place) {
                masked.push(place);
            }
        }
        hits.extend(of_place);
    }
    if hits.is_empty() {
        return Ok(None);
    }
    masked.sort();
    masked.dedup();
    let original = commitment(&table.salt(&frozen.evidence.id.to_string()), &frozen.digest);
    if let Some(root) = json.as_object_mut() {
        root.insert("masked".to_owned(), serde_json::to_value(&masked)?);
        root.insert("original".to_owned(), Json::String(original));
    }
    let canonical = canonical::to_canonical(&json)?;
    Ok(Some((Frozen::read(&canonical)?, hits)))
}

/// Whether masked evidence was made from this original, and only by masking: by this journal's placeholders, at the
/// places that it names.
pub fn is_masked_form(masked: &Frozen, original: &Frozen, table: &Table) -> bool {
    let (Ok(mut json), Ok(mut before)) =
        (serde_json::from_str::<Json>(&masked.canonical), serde_json::from_str::<Json>(&original.canonical))
    else {
        return false;
    };
    let Some(root) = json.as_object_mut() else { return false };
    let Some(places) = root.remove("masked").and_then(|places| serde_json::from_value::<Vec<MaskedPlace>>(places).ok())
    else {
        return false;
    };
    let committed = root.remove("original");
    let expected = commitment(&table.salt(&original.evidence.id.to_string()), &original.digest);
    if committed.as_ref().and_then(Json::as_str) != Some(expected.as_str()) {
        return false;
    }
    let origins = places.iter().filter_map(|place| json.pointer(&place.pointer)?.as_str());
    let origins = table.origins(&origins.collect::<Vec<_>>());
    let mut table = table.clone();
    for place in places {
        let (Some(node), Some(was)) = (json.pointer_mut(&place.pointer), before.pointer_mut(&place.pointer)) else {
            return false;
        };
        let Some(text) = node.as_str() else { return false };
        let restored = table.unmask(text, &origins);
        // Numbers become texts; both are compared as text.
        *was = Json::String(scalar(was).unwrap_or_default());
        *node = Json::String(restored);
    }
    json == before
}

/// A text, or the number of an attribute as text.
fn scalar(node: &Json) -> Option<String> {
    let number = |name: &str| match node.as_object()? {
        map if map.len() == 1 => map.get(name),
        _ => None,
    };
    match node {
        Json::String(text) => Some(text.clone()),
        _ => match number("int").or_else(|| number("double"))? {
            Json::String(text) => Some(text.clone()),
            Json::Number(n) => Some(n.to_string()),
            _ => None,
        },
    }
}

/// A text in which something was found.
struct Place {
    pointer: String,
    text: String,
    found: Vec<Found>,
    named: bool,
}

impl Place {
    fn hits(&self) -> impl Iterator<Item = Hit> {
        self.found.iter().map(|one| Hit {
            rule: one.rule.clone(),
            kind: one.kind.clone(),
            value: self.text[one.range.clone()].to_owned(),
            placeholder: String::new(),
            named: self.named,
        })
    }
}

struct Walk<'a> {
    rules: &'a Rules,
    more: &'a Text,
    places: &'a mut Vec<Place>,
    pointer: String,
    /// The name of the values that are walked, if they are those of one name.
    varied: Option<String>,
}

/// The names of the columns of a table.
fn column_names(columns: &Json) -> Vec<String> {
    let name = |column: &Json| match column {
        Json::String(name) => name.clone(),
        column => column.get("name").and_then(Json::as_str).unwrap_or_default().to_owned(),
    };
    columns.as_array().map(|columns| columns.iter().map(name).collect()).unwrap_or_default()
}

impl Walk<'_> {
    fn rows(&mut self, rows: &[Json], columns: &[String]) {
        for (n, row) in rows.iter().enumerate() {
            for (m, cell) in row.as_array().into_iter().flatten().enumerate() {
                let before = self.pointer.len();
                self.pointer.push_str(&format!("/rows/{n}"));
                self.inside(&m.to_string(), cell, columns.get(m).map_or("rows", String::as_str));
                self.pointer.truncate(before);
            }
        }
    }

    fn inside(&mut self, step: &str, node: &Json, name: &str) {
        let before = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        self.value(node, name);
        self.pointer.truncate(before);
    }

    fn value(&mut self, node: &Json, name: &str) {
        match node {
            Json::String(text) => self.text(text.clone(), name),
            Json::Array(list) => {
                for (n, node) in list.iter().enumerate() {
                    self.inside(&n.to_string(), node, name);
                }
            }
            Json::Object(map) => {
                if let (Some(Json::String(key)), Some(value)) = (map.get("key"), map.get("value")) {
                    self.inside("value", value, key);
                    return;
                }
                // An attribute with a number, which becomes a text if its name says so.
                if let Some(text) = scalar(node) {
                    let (found, whole) = self.rules.find_named(name, &text, &Text::default());
                    if whole {
                        self.push(text, found, true);
                    }
                    return;
                }
                // The result of a query: a row's cells are called as their columns.
                if let (Some(columns), Some(Json::Array(rows))) =
                    (map.get("columns").map(column_names), map.get("rows"))
                {
                    self.rows(rows, &columns);
                }
                // What differs between occurrences: the values of one name.
                let varied = match (map.get("name"), map.get("values")) {
                    (Some(Json::String(name)), Some(Json::Array(_))) => Some(name.as_str()),
                    _ => None,
                };
                let person = name == "person";
                for (key, node) in map {
                    if FORM.contains(&key.as_str()) && (node.is_string() || node.is_number()) {
                        continue;
                    }
                    match (person, key.as_str()) {
                        (_, "rows") if map.contains_key("columns") => {}
                        (_, "values" | "value") if varied.is_some() || self.varied.is_some() => {
                            let before = self.varied.take();
                            let name = varied.map(str::to_owned).or(before.clone()).unwrap_or_default();
                            self.varied = Some(name.clone());
                            self.inside(key, node, &name);
                            self.varied = before;
                        }
                        (true, key @ ("id" | "username" | "email")) => self.inside(key, node, &format!("person.{key}")),
                        // The parts of a list or map keep its name.
                        (_, "map" | "list") if map.len() == 1 => self.inside(key, node, name),
                        (_, "bytes") if map.len() == 1 => {}
                        (_, key) => self.inside(key, node, key),
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn text(&mut self, text: String, name: &str) {
        // Nothing that identifies is shorter.
        if text.is_empty() {
            return;
        }
        let (mut found, whole) = self.rules.find_named(name, &text, self.more);
        if REQUEST_PATHS.contains(&name) {
            found.retain(|one| one.kind != "HOME");
        }
        if !found.is_empty() || text.contains(['<', '&']) {
            self.push(text, found, whole);
        }
    }

    fn push(&mut self, text: String, found: Vec<Found>, named: bool) {
        self.places.push(Place { pointer: self.pointer.clone(), text, found, named });
    }
}
