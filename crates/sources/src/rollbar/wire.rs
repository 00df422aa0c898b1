//! From a request's body to the `data` of its items: JSON, plain or in a form, one item or a batch.
//!
//! An SDK sends an error once. So items are accepted even if they are not strict JSON, nested too deeply or far too
//! large; what was changed is noted in the item itself, under [`NOTES`].

use std::borrow::Cow;
use std::collections::VecDeque;

use serde_json::{Map, Value};
use tracebook_core::credentials::{self, PLACEHOLDER, Removed};
use tracebook_core::text::{count, grouped};

use crate::json::{Readable, elements, members, mend, tree_bytes, words};
use crate::text::clip;

/// The most JSON of one item that is kept unchanged: Rollbar's own limit.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The most items of one request that are kept.
pub const MAX_ITEMS: usize = 1000;

/// The member of a stored item that lists what was cut to store it.
pub const NOTES: &str = "tracebook.notes";

/// Calls `each` with the `data` of every item, without access tokens, or with why it is not an item. Returns how many
/// items over [`MAX_ITEMS`] were left out.
///
/// # Errors
/// Why the body contains no items at all.
pub fn read(
    body: &[u8],
    content_type: Option<&str>,
    mut each: impl FnMut(Result<Value, String>),
) -> Result<usize, String> {
    let json = match is_form(body, content_type) {
        true => Cow::Owned(field(body, b"payload").ok_or("the form has no field `payload`")?),
        false => Cow::Borrowed(body),
    };
    let text = String::from_utf8_lossy(&json);
    let mut notes = Vec::new();
    if matches!(text, Cow::Owned(_)) {
        notes.push("the payload was not UTF-8; what could not be read is written as U+FFFD".to_owned());
    }
    let text = text.trim_start_matches('\u{feff}');
    let repaired;
    let Collected { items, left_out } = match split(text) {
        Ok(found) => found,
        Err(why) => {
            repaired = repair(text).ok_or_else(|| why.clone())?;
            notes.push(REPAIRED.to_owned());
            split(&repaired).map_err(|_| why)?
        }
    };
    for text in items {
        each(item(text, notes.clone()));
    }
    Ok(left_out)
}

/// What [`read`], and a record of each item, take at most, in bytes.
pub(super) fn reading_bytes(body: &[u8], content_type: Option<&str>) -> usize {
    /// What one item takes as values: see [`fits`]; its members are cut to fit one by one.
    const MOST: usize = 32 * 1024 * 1024;
    /// A control character becomes six.
    const ESCAPED: usize = 6;
    let length = body.len();
    let (decoded, values) = match is_form(body, content_type) {
        true => (length, length.saturating_mul(100)),
        false => (0, tree_bytes(body)),
    };
    // An unreadable byte becomes three.
    let lossy = if str::from_utf8(body).is_ok() { 0 } else { 3 * length };
    let repaired = 2 * ESCAPED * length.min(MAX_REPAIRED);
    // Its values, its record's bytes, and the parts that are read for its columns.
    decoded + lossy + repaired + 2 * length + 3 * values.min(MOST)
}

const REPAIRED: &str =
    "the payload was not strict JSON; lone surrogates are written as U+FFFD, NaN and infinite numbers as text";

/// Whether it is a form, by content type, or by its beginning if the content type is missing or wrong: no JSON begins
/// so.
fn is_form(body: &[u8], content_type: Option<&str>) -> bool {
    let named = content_type
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    let begins_as_json = body.trim_ascii_start().first().is_some_and(|byte| b"{[".contains(byte));
    body.starts_with(b"payload=") || (named && !begins_as_json)
}

/// A field of a form.
fn field(form: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let value = form
        .split(|&byte| byte == b'&')
        .find_map(|pair| pair.strip_prefix(name).and_then(|rest| rest.strip_prefix(b"=")))?;
    let digit = |at: usize| value.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        at += 1;
        match (byte, digit(at), digit(at + 1)) {
            (b'%', Some(high), Some(low)) => {
                out.extend(u8::try_from(high * 16 + low));
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(byte),
        }
    }
    Some(out)
}

#[derive(Default)]
struct Collected<'a> {
    items: Vec<&'a str>,
    left_out: usize,
}

impl<'a> Collected<'a> {
    fn add(&mut self, text: &'a str) {
        match self.items.len() < MAX_ITEMS {
            true => self.items.push(text),
            false => self.left_out += 1,
        }
    }
}

/// The text of every item's `data`.
fn split(text: &str) -> Result<Collected<'_>, String> {
    let mut found = Collected::default();
    match text.trim_start().as_bytes().first() {
        None => return Err("the body is empty".to_owned()),
        Some(b'[') => elements(text, |payload| in_payload(payload, &mut found))?,
        Some(_) => in_payload(text, &mut found)?,
    }
    Ok(found)
}

fn in_payload<'a>(text: &'a str, found: &mut Collected<'a>) -> Result<(), String> {
    let mut data = None;
    let mut is_data = false;
    members(text, |key, value| {
        match key.as_ref() {
            "data" => data = Some(value),
            "body" => is_data = true,
            _ => {}
        }
        Ok(())
    })?;
    match data {
        Some(list) if list.starts_with('[') => {
            return elements(list, |data| {
                found.add(data);
                Ok(())
            });
        }
        Some(one) => found.add(one),
        None if is_data => found.add(text),
        None => return Err("it has no `data`".to_owned()),
    }
    Ok(())
}

/// Reads the `data` of one item, cut if it is too large.
fn item(text: &str, mut notes: Vec<String>) -> Result<Value, String> {
    let repaired = match serde_json::from_str::<Readable>(text) {
        Ok(Readable) => None,
        Err(_) => repair(text),
    };
    if repaired.is_some() {
        notes.push(REPAIRED.to_owned());
    }
    let mut cutter = Cutter::default();
    let read = cutter.item(repaired.as_deref().unwrap_or(text))?;
    let mut data = match read {
        Value::Object(data) => data,
        other => return Err(format!("`data` should be an object and is {}", clip(&other.to_string()))),
    };
    for name in [NOTES, "access_token", "accessToken"] {
        data.shift_remove(name);
    }
    data.values_mut().for_each(hide_tokens);
    notes.append(&mut cutter.notes);
    if cutter.unsaid > 0 {
        notes.push(format!("and {} more", count(cutter.unsaid, "cut")));
    }
    if !notes.is_empty() {
        data.insert(NOTES.to_owned(), notes.into());
    }
    Ok(Value::Object(data))
}

/// Removes access tokens at deeper levels, where a notifier sends its settings. No deeper than the JSON reader goes.
fn hide_tokens(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(hide_tokens),
        Value::Object(map) => {
            for (key, value) in map {
                match key.to_ascii_lowercase().as_str() {
                    "access_token" | "accesstoken" | "x-rollbar-access-token" => *value = PLACEHOLDER.into(),
                    _ => hide_tokens(value),
                }
            }
        }
        _ => {}
    }
}

/// How deeply an oversized value is taken apart before the rest becomes text: enough for a value within a local of a
/// frame. Every level reads its text once more.
const LEVELS: usize = 12;

/// Maximum number of elements kept of a long list.
const ELEMENTS: usize = 100;

/// The room that everything gets at least.
const LEAST: usize = 32;

/// What the smallest values may take in memory.
const MAX_LEAST: usize = 1024;

/// The most bytes that are rewritten where they are not strict JSON.
const MAX_REPAIRED: usize = 4 * 1024 * 1024;

/// The most JSON text of what is nested too deeply.
const DEEP_TEXT: usize = 1024;

/// The most notes on one item.
const MAX_NOTES: usize = 20;

/// Makes values fit, and notes what it did.
#[derive(Default)]
struct Cutter {
    notes: Vec<String>,
    unsaid: usize,
}

impl Cutter {
    fn item(&mut self, text: &str) -> Result<Value, String> {
        if text.len() <= MAX_BYTES {
            return self.cut(text, MAX_BYTES, "", 0);
        }
        // Half, because text may grow again when it is escaped.
        let value = self.cut(text, MAX_BYTES / 2, "", 0)?;
        let size = format!("the item was {} KiB of JSON and was cut", text.len() / 1024);
        self.notes.insert(0, size);
        Ok(value)
    }

    fn note(&mut self, path: &str, what: &str) {
        match self.notes.len() < MAX_NOTES {
            true => self.notes.push(format!("{}: {what}", if path.is_empty() { "data" } else { path })),
            false => self.unsaid += 1,
        }
    }

    /// Reads JSON text into about `room` bytes of JSON. Returns the reader's error.
    fn cut(&mut self, text: &str, room: usize, path: &str, depth: usize) -> Result<Value, String> {
        let text = text.trim();
        if fits(text, room)
            && let Ok(value) = serde_json::from_str(text)
        {
            return Ok(value);
        }
        match text.as_bytes().first() {
            Some(b'{') if depth < LEVELS && room >= LEAST => self.object(text, room, path, depth),
            Some(b'[') if depth < LEVELS && room >= LEAST => self.list(text, room, path, depth),
            Some(b'{' | b'[') => {
                self.note(path, "too large or nested too deep, the beginning of its JSON is kept");
                let start = begin(text, room.min(DEEP_TEXT));
                Ok(credentials::remove_from_text(&start, &mut Removed::default()).into_owned().into())
            }
            Some(b'"') => {
                let whole: Cow<'_, str> = serde_json::from_str::<String>(text).map_err(|e| words(&e))?.into();
                // Escaped text is shorter when decoded, and will be escaped again.
                let room = (room as u128 * whole.len() as u128 / text.len() as u128) as usize;
                let start = begin(&whole, room);
                if start.len() < whole.len() {
                    self.note(path, &format!("about {room} of {} bytes are kept", whole.len()));
                }
                Ok(start.into_owned().into())
            }
            _ => serde_json::from_str(text).map_err(|e| words(&e)),
        }
    }

    fn object(&mut self, text: &str, room: usize, path: &str, depth: usize) -> Result<Value, String> {
        let most = if fits(text, room) { usize::MAX } else { room / LEAST };
        let mut pieces = Vec::new();
        let mut all = 0usize;
        members(text, |key, value| {
            all += 1;
            if pieces.len() < most {
                pieces.push((key, value));
            }
            Ok(())
        })?;
        // Two quotes, a colon, a comma.
        let sizes: Vec<usize> = pieces.iter().map(|(key, value)| key.len() + 4 + value.len()).collect();
        let mut map = Map::new();
        let mut kept = 0;
        for ((key, value), share) in pieces.into_iter().zip(shares(&sizes, room)) {
            let Some(room) = share.checked_sub(key.len() + 4) else { continue };
            let value = self.cut(value, room, &join(path, &key), depth + 1)?;
            map.insert(key.into_owned(), value);
            kept += 1;
        }
        if kept < all {
            self.note(path, &format!("{} of {} left out", grouped(all - kept), count(all, "member")));
        }
        Ok(Value::Object(map))
    }

    /// A list that is too long keeps some of its beginning and more of its end, where the newest elements are.
    fn list(&mut self, text: &str, room: usize, path: &str, depth: usize) -> Result<Value, String> {
        let most = match fits(text, room) {
            true => usize::MAX,
            false => ELEMENTS.min(room / LEAST),
        };
        let beginning = most / 5;
        let mut pieces = Vec::new();
        let mut end = VecDeque::new();
        let mut all = 0usize;
        elements(text, |element| {
            if all < beginning {
                pieces.push((all, element));
            } else {
                end.push_back((all, element));
                if end.len() > most - beginning {
                    end.pop_front();
                }
            }
            all += 1;
            Ok(())
        })?;
        pieces.extend(end);
        if pieces.len() < all {
            let words = format!("{} of {} left out of the middle", grouped(all - pieces.len()), count(all, "element"));
            self.note(path, &words);
        }
        let sizes: Vec<usize> = pieces.iter().map(|(_, value)| 1 + value.len()).collect();
        let mut list = Vec::with_capacity(pieces.len());
        for ((index, value), share) in pieces.into_iter().zip(shares(&sizes, room)) {
            list.push(self.cut(value, share.saturating_sub(1), &join(path, &index.to_string()), depth + 1)?);
        }
        Ok(Value::Array(list))
    }
}

/// Whether a text may be read whole: it has at most `room` bytes, and not so many small values that they take far more.
fn fits(text: &str, room: usize) -> bool {
    /// What a value takes in memory for each byte of its text. Items of SDKs take about ten.
    const DENSITY: usize = 16;
    text.len() <= room && tree_bytes(text.as_bytes()) <= room.saturating_mul(DENSITY).saturating_add(MAX_LEAST)
}

/// Divides `room`: small values get all that they need, large ones share the rest evenly.
fn shares(sizes: &[usize], room: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&i| sizes[i]);
    let mut left = room;
    let mut shares = vec![0; sizes.len()];
    for (n, &i) in order.iter().enumerate() {
        shares[i] = sizes[i].min(left / (order.len() - n));
        left -= shares[i];
    }
    shares
}

fn join(path: &str, key: &str) -> String {
    match path.is_empty() {
        true => clip(key),
        false => format!("{path}.{}", clip(key)),
    }
}

/// At most the first `room` bytes, and an ellipsis if there are more.
fn begin(text: &str, room: usize) -> Cow<'_, str> {
    match text.len() <= room {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{}…", &text[..text.floor_char_boundary(room.saturating_sub(3))])),
    }
}

/// The text as strict JSON, see [`mend`]. `None` if there is nothing to mend, or if the text is too long.
fn repair(text: &str) -> Option<String> {
    if text.len() > MAX_REPAIRED { None } else { mend(text) }
}

#[cfg(test)]
mod tests;
