//! An item's `data` as core's types. Payloads may contain anything: nothing here fails, and what does not have the
//! expected type is still shown as what it is.

mod likeness;

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use tracebook_core::errors::{CodeFrame, ErrorTrace, Level, Occurrence, Person};
use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::ErrorRecord;
use tracebook_core::text::{NAME_BYTES, TITLE_BYTES, bounded, count, first_line, grouped};
use tracebook_core::time::Nanos;
use tracebook_core::value::Attribute;

use super::wire::NOTES;
use crate::json::DEEPEST;
use crate::text::clip;

/// The most attributes that one part of an occurrence shows.
const MAX_ATTRIBUTES: usize = 1000;

/// The most exceptions of a chain.
const MAX_TRACES: usize = 50;

/// The most frames of one exception; a runaway recursion of Python has 1000.
const MAX_FRAMES: usize = 1000;

/// The most lines of code before and after a frame's own; rollbar.js sends four.
const MAX_CONTEXT: usize = 20;

/// Rollbar's own limit of titles, in characters.
const MAX_TITLE_LENGTH: usize = 255;

/// The record of an occurrence; `data` is kept unchanged. An item without a time gets the time when it was `received`.
///
/// # Errors
/// Why it is not an item.
pub fn record(data: &Json, received: Nanos) -> Result<ErrorRecord, String> {
    let Json::Object(map) = data else {
        return Err(format!("`data` should be an object and is {}", clip(&data.to_string())));
    };
    if !map.get("body").is_some_and(Json::is_object) {
        return Err("`data` has no `body` with a trace, a trace_chain, a message or a crash_report".to_owned());
    }
    let raw = serde_json::to_vec(data).map_err(|error| error.to_string())?;
    let occurrence = occurrence(data, received);
    Ok(ErrorRecord {
        trace_id: trace_id(map),
        person: bounded(occurrence.person.as_ref().map(|p| p.label().to_owned()).unwrap_or_default(), NAME_BYTES),
        uuid: occurrence.uuid,
        item: occurrence.item,
        title: bounded(occurrence.title, TITLE_BYTES),
        level: occurrence.level,
        timestamp: occurrence.timestamp,
        environment: bounded(occurrence.environment, NAME_BYTES),
        raw,
    })
}

/// Reads stored bytes, with warnings about what could not be read. Never fails.
pub fn read(record_raw: &[u8], received: Nanos) -> (Occurrence, Vec<String>) {
    match serde_json::from_slice(record_raw) {
        Ok(data) => (occurrence(&data, received), Vec::new()),
        Err(error) => {
            let unreadable = Occurrence {
                uuid: uuid_of(record_raw, received),
                item: item_of("unreadable"),
                title: "An error that is not readable".to_owned(),
                timestamp: received,
                ..Occurrence::default()
            };
            (unreadable, vec![format!("the error is not readable: {error}")])
        }
    }
}

/// Reads an item's `data`; one without a time gets the time when it was `received`. Never fails.
pub fn occurrence(data: &Json, received: Nanos) -> Occurrence {
    let empty = Map::new();
    let map = data.as_object().unwrap_or(&empty);
    let mut notes = list(map.get(NOTES)).iter().filter_map(Json::as_str).map(str::to_owned).collect::<Vec<_>>();
    let part = |name: &str| map.get(name).and_then(Json::as_object).unwrap_or(&empty);
    let body = part("body");

    let traces = traces(body, &mut notes);
    let message = match traces.is_empty() {
        true => message(body),
        false => String::new(),
    };
    let timestamp = timestamp(map.get("timestamp"), received, &mut notes).unwrap_or(received);
    let level = level(map.get("level"), !traces.is_empty() || body.contains_key("crash_report"), &mut notes);
    let uuid = map.get("uuid").and_then(Json::as_str).map(str::trim).filter(|uuid| (1..=64).contains(&uuid.len()));
    let said = map.get("title").map(text).unwrap_or_default();
    let title = match said.trim().is_empty() {
        true => title(&traces, &message),
        false => first_line(&said, MAX_TITLE_LENGTH),
    };

    Occurrence {
        uuid: uuid.map_or_else(|| uuid_of(&serde_json::to_vec(data).unwrap_or_default(), timestamp), str::to_owned),
        item: item(map, &traces, &message, &title),
        title,
        level,
        timestamp,
        environment: map.get("environment").map(text).unwrap_or_default(),
        context: map.get("context").map(text).unwrap_or_default(),
        person: person(part("person")),
        request: request(map, &mut notes),
        custom: custom(map, body, &mut notes),
        other: other(map, body, &mut notes),
        traces,
        message,
        notes,
    }
}

fn traces(body: &Map<String, Json>, notes: &mut Vec<String>) -> Vec<ErrorTrace> {
    let sent = match (body.get("trace_chain"), body.get("trace")) {
        (Some(Json::Array(chain)), _) if !chain.is_empty() => chain.as_slice(),
        (_, Some(Json::Array(chain))) => chain.as_slice(),
        (_, Some(one)) => std::slice::from_ref(one),
        _ => &[],
    };
    if sent.len() > MAX_TRACES {
        notes.push(format!("{MAX_TRACES} of {} are shown", count(sent.len(), "exception")));
    }
    sent.iter().take(MAX_TRACES).filter_map(Json::as_object).map(|sent| trace(sent, notes)).collect()
}

fn trace(sent: &Map<String, Json>, notes: &mut Vec<String>) -> ErrorTrace {
    let said = |name| sent.get("exception").and_then(|exception| exception.get(name)).map(text).unwrap_or_default();
    let frames = list(sent.get("frames"));
    // Of too many, the oldest and the most recent are kept.
    let (beginning, end) = match frames.len().checked_sub(MAX_FRAMES) {
        Some(over) if over > 0 => {
            notes.push(format!("{} of {} are left out of the middle", grouped(over), count(frames.len(), "frame")));
            (&frames[..MAX_FRAMES / 2], &frames[over + MAX_FRAMES / 2..])
        }
        _ => (frames, &frames[..0]),
    };
    ErrorTrace {
        class: said("class"),
        message: Some(said("message")).filter(|message| !message.is_empty()).unwrap_or_else(|| said("description")),
        frames: beginning.iter().chain(end).map(|sent| frame(sent, notes)).collect(),
    }
}

fn frame(sent: &Json, notes: &mut Vec<String>) -> CodeFrame {
    let Json::Object(sent) = sent else { return CodeFrame { filename: text(sent), ..CodeFrame::default() } };
    let said = |name| sent.get(name).map(text).unwrap_or_default();
    let (args, locals) = variables(sent, notes);
    let context = |part: &str| list(sent.get("context").and_then(|context| context.get(part)));
    let (pre, post) = (context("pre"), context("post"));
    if pre.len().max(post.len()) > MAX_CONTEXT {
        let words = format!("more than {MAX_CONTEXT} lines of code around a frame's own are left out");
        if !notes.contains(&words) {
            notes.push(words);
        }
    }
    CodeFrame {
        filename: said("filename"),
        lineno: said("lineno").parse().ok(),
        colno: said("colno").parse().ok(),
        method: said("method"),
        code: said("code"),
        pre: pre[pre.len().saturating_sub(MAX_CONTEXT)..].iter().map(text).collect(),
        post: post.iter().take(MAX_CONTEXT).map(text).collect(),
        args,
        locals,
    }
}

/// A frame's arguments and its other variables. pyrollbar sends names in `argspec`, `varargspec` and `keywordspec` and
/// values among the `locals`; older SDKs send values only, as `args` and `kwargs`.
fn variables(sent: &Map<String, Json>, notes: &mut Vec<String>) -> (Vec<Attribute>, Vec<Attribute>) {
    let empty = Map::new();
    let held = sent.get("locals").and_then(Json::as_object).unwrap_or(&empty);
    let one = |spec: &str| sent.get(spec).and_then(Json::as_str).filter(|name| !name.is_empty());
    let named = list(sent.get("argspec")).iter().filter_map(Json::as_str).map(|name| (name, ""));
    let gathering = [(one("varargspec"), "*"), (one("keywordspec"), "**")];
    let gathering = gathering.into_iter().filter_map(|(name, stars)| Some((name?, stars)));

    let mut args = Flat::new("arguments");
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for (name, stars) in named.chain(gathering) {
        if taken.insert(name) {
            args.add(format!("{stars}{}", short(name)), held.get(name).unwrap_or(&Json::Null));
        }
    }
    list(sent.get("args")).iter().enumerate().for_each(|(n, value)| args.add(n.to_string(), value));
    if let Some(Json::Object(kwargs)) = sent.get("kwargs") {
        kwargs.iter().for_each(|(name, value)| args.add(short(name).to_owned(), value));
    }
    let mut locals = Flat::new("local variables");
    // One level: a local's value is one value, whatever it contains.
    let others = held.iter().filter(|(name, _)| !taken.contains(name.as_str()));
    others.for_each(|(name, value)| locals.add(short(name).to_owned(), value));
    (args.done(notes), locals.done(notes))
}

/// The text of a message or a crash report.
fn message(body: &Map<String, Json>) -> String {
    match (body.get("message"), body.get("crash_report")) {
        (Some(Json::Object(message)), _) => message.get("body").map(text).unwrap_or_default(),
        (Some(message), _) => text(message),
        (None, Some(Json::Object(report))) => report.get("raw").map(text).unwrap_or_default(),
        (None, Some(report)) => text(report),
        (None, None) => String::new(),
    }
}

fn level(sent: Option<&Json>, exception: bool, notes: &mut Vec<String>) -> Level {
    let usual = if exception { Level::Error } else { Level::Info };
    let Some(sent) = sent.filter(|sent| !sent.is_null()) else { return usual };
    let word = text(sent).trim().to_ascii_lowercase();
    // Rollbar's numbers, and Python's.
    match word.as_str() {
        "10" => Level::Debug,
        "20" => Level::Info,
        "30" | "warn" => Level::Warning,
        "40" => Level::Error,
        "50" | "fatal" => Level::Critical,
        word => word.parse().unwrap_or_else(|()| {
            notes.push(format!("the level {:?} is not known; {} is shown", clip(word), usual.word()));
            usual
        }),
    }
}

fn timestamp(sent: Option<&Json>, received: Nanos, notes: &mut Vec<String>) -> Option<Nanos> {
    let sent = sent.filter(|sent| !sent.is_null())?;
    // Seconds would be after the year 5138, so these are milliseconds.
    const NO_SECONDS: f64 = 1e11;
    let read = match sent {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let read = match (read, sent) {
        (Some(number), _) if number.abs() >= NO_SECONDS => Nanos::from_seconds(number / 1e3),
        (Some(number), _) => Nanos::from_seconds(number),
        (None, Json::String(text)) => Nanos::parse_rfc3339(text.trim()),
        (None, _) => None,
    };
    if read.is_none() {
        let sent = clip(&text(sent));
        notes.push(format!("the timestamp {sent:?} is not readable; the time it was received is shown"));
    }
    // A list would show it at one of its ends, where nobody finds it.
    let wrong = read.and_then(|time| crate::time::objection(time, received));
    if let Some(why) = &wrong {
        notes.push(format!("the timestamp is {why}; the time it was received is shown"));
    }
    read.filter(|_| wrong.is_none())
}

fn person(sent: &Map<String, Json>) -> Option<Person> {
    let said = |name| sent.get(name).map(text).filter(|text| !text.is_empty());
    let person = Person { id: said("id").unwrap_or_default(), username: said("username"), email: said("email") };
    (person != Person::default()).then_some(person)
}

fn request(data: &Map<String, Json>, notes: &mut Vec<String>) -> Vec<Attribute> {
    let mut flat = Flat::new("attributes of the request");
    if let Some(request) = data.get("request").filter(|request| !request.is_null()) {
        flat.object(request, "request");
    }
    flat.done(notes)
}

/// Custom data, and a message's extra data: pyrollbar sends its `extra_data` in both places.
fn custom(data: &Map<String, Json>, body: &Map<String, Json>, notes: &mut Vec<String>) -> Vec<Attribute> {
    let mut flat = Flat::new("attributes of custom data");
    let custom = data.get("custom").filter(|custom| !custom.is_null());
    if let Some(custom) = custom {
        flat.object(custom, "custom");
    }
    for place in ["message", "trace"] {
        let Some(Json::Object(extra)) = body.get(place) else { continue };
        for (key, value) in extra {
            let is_extra = match place {
                "message" => key != "body",
                _ => key == "extra",
            };
            if is_extra && !custom.and_then(|custom| custom.get(key)).is_some_and(|twin| are_same(twin, value)) {
                flat.value(short(key), value, 1);
            }
        }
    }
    flat.done(notes)
}

/// Equal, or strings that were equal before each was cut.
fn are_same(a: &Json, b: &Json) -> bool {
    match (a.as_str().and_then(|a| a.strip_suffix('…')), b.as_str().and_then(|b| b.strip_suffix('…'))) {
        (Some(a), Some(b)) => a.starts_with(b) || b.starts_with(a),
        _ => a == b,
    }
}

/// Everything without a field of its own.
fn other(data: &Map<String, Json>, body: &Map<String, Json>, notes: &mut Vec<String>) -> Vec<Attribute> {
    const SHOWN: &[&str] = &[
        "body",
        "level",
        "timestamp",
        "environment",
        "context",
        "person",
        "request",
        "custom",
        "uuid",
        "title",
        NOTES,
    ];
    let mut flat = Flat::new("other attributes");
    for (key, value) in data.iter().filter(|(key, _)| !SHOWN.contains(&key.as_str())) {
        match value {
            Json::Array(pairs) if key == "attributes" => {
                for (n, pair) in pairs.iter().enumerate() {
                    match (pair.get("key").and_then(Json::as_str), pair.get("value")) {
                        (Some(name), Some(value)) => {
                            flat.value(&format!("{key}.{}", short(name)), value, 1);
                        }
                        _ => flat.value(&format!("{key}.{n}"), pair, 1),
                    }
                }
            }
            _ => flat.value(short(key), value, 1),
        }
    }
    if let Some(Json::Object(person)) = data.get("person") {
        for (key, value) in person.iter().filter(|(key, _)| !["id", "username", "email"].contains(&key.as_str())) {
            flat.value(&format!("person.{}", short(key)), value, 1);
        }
    }
    const IN_BODY: &[&str] = &["trace", "trace_chain", "message", "crash_report"];
    for (key, value) in body.iter().filter(|(key, _)| !IN_BODY.contains(&key.as_str())) {
        flat.value(&format!("body.{}", short(key)), value, 1);
    }
    flat.done(notes)
}

/// Attributes with dotted names, from nested objects and from lists that contain objects.
struct Flat {
    what: &'static str,
    attributes: Vec<Attribute>,
    left_out: usize,
}

impl Flat {
    fn new(what: &'static str) -> Self {
        Self { what, attributes: Vec::new(), left_out: 0 }
    }

    fn add(&mut self, key: String, value: &Json) {
        match self.attributes.len() < MAX_ATTRIBUTES {
            true => self.attributes.push(Attribute { key, value: crate::json::value(value.clone()) }),
            false => self.left_out += 1,
        }
    }

    /// The members of what should be an object; something else becomes an attribute named `otherwise`.
    fn object(&mut self, value: &Json, otherwise: &str) {
        match value {
            Json::Object(map) => map.iter().for_each(|(key, value)| self.value(short(key), value, 1)),
            value => self.value(otherwise, value, 1),
        }
    }

    fn value(&mut self, key: &str, value: &Json, depth: usize) {
        let is_nested = |value: &Json| value.is_object() || value.is_array();
        match value {
            // A name grows with every level, so deep values, and those after the limit, stay whole.
            _ if depth >= DEEPEST || self.left_out > 0 => self.add(key.to_owned(), value),
            Json::Object(map) if !map.is_empty() => {
                map.iter().for_each(|(name, value)| self.value(&format!("{key}.{}", short(name)), value, depth + 1));
            }
            Json::Array(list) if list.iter().any(is_nested) => {
                list.iter().enumerate().for_each(|(n, value)| self.value(&format!("{key}.{n}"), value, depth + 1));
            }
            value => self.add(key.to_owned(), value),
        }
    }

    fn done(self, notes: &mut Vec<String>) -> Vec<Attribute> {
        if self.left_out > 0 {
            notes.push(format!("more than {MAX_ATTRIBUTES} {}, {} not shown", self.what, self.left_out));
        }
        self.attributes
    }
}

/// The beginning of a name, which is repeated in every name below it.
fn short(name: &str) -> &str {
    const MAX_NAME_LENGTH: usize = 200;
    &name[..name.floor_char_boundary(MAX_NAME_LENGTH)]
}

fn title(traces: &[ErrorTrace], message: &str) -> String {
    match traces.first() {
        Some(trace) if trace.message.trim().is_empty() && !trace.class.is_empty() => {
            first_line(&trace.class, MAX_TITLE_LENGTH)
        }
        Some(trace) if trace.class.is_empty() && !trace.message.trim().is_empty() => {
            first_line(&trace.message, MAX_TITLE_LENGTH)
        }
        Some(trace) if !trace.class.is_empty() => {
            first_line(&format!("{}: {}", trace.class, trace.message.trim()), MAX_TITLE_LENGTH)
        }
        None if !message.trim().is_empty() => first_line(message, MAX_TITLE_LENGTH),
        _ => "An error that does not say what it is".to_owned(),
    }
}

/// The item that an occurrence belongs to, as Rollbar documents it.
///
/// Items are separated by environment first (<https://docs.rollbar.com/docs/environments>: "Items are separated by
/// environment"; <https://docs.rollbar.com/docs/rollbar-terminology>: a hash that was seen before "in the same project
/// and environment"). Within one, by <https://docs.rollbar.com/docs/grouping-algorithm>: a given fingerprint; else the
/// classes, and every frame's file and method but not its line, where dates and SHAs in a file's path and numbers of
/// two or more digits in a method's name do not count; else the message without what looks like data. The message of an
/// exception only counts if there is no frame.
fn item(data: &Map<String, Json>, traces: &[ErrorTrace], message: &str, title: &str) -> String {
    use std::fmt::Write as _;
    let environment = data.get("environment").map(text).unwrap_or_default();
    let mut key = format!("environment {environment}\n");
    let given = data.get("fingerprint").filter(|given| !given.is_null()).map(text).filter(|given| !given.is_empty());
    if let Some(given) = given {
        // Writing to a string cannot fail.
        write!(key, "fingerprint\n{given}").ok();
        return item_of(&key);
    }
    let root = data.get("server").and_then(Json::as_object).map(root).unwrap_or_default();
    for trace in traces {
        writeln!(key, "class {}", trace.class).ok();
        for frame in &trace.frames {
            // The end of a script's URL depends on what was served.
            let file = frame.filename.split(['?', '#']).next().unwrap_or_default();
            let file = file.strip_prefix(root).filter(|rest| rest.starts_with(['/', '\\'])).unwrap_or(file);
            writeln!(key, "frame {}\n{}", likeness::file(file), likeness::method(&frame.method)).ok();
        }
        if trace.frames.is_empty() {
            writeln!(key, "message {}", likeness::message(&trace.message)).ok();
        }
    }
    if traces.is_empty() {
        let said = if message.trim().is_empty() { title } else { message };
        write!(key, "message {}", likeness::message(said.trim())).ok();
    }
    item_of(&key)
}

/// Where the code is on the machine that sent it: Rollbar leaves it out, so that a checkout elsewhere has the same
/// items.
fn root(server: &Map<String, Json>) -> &str {
    let root = server.get("root").and_then(Json::as_str).unwrap_or_default();
    root.trim_end_matches(['/', '\\'])
}

fn item_of(key: &str) -> String {
    hex::encode(&Sha256::digest(key.as_bytes())[..8])
}

fn uuid_of(raw: &[u8], timestamp: Nanos) -> String {
    let mut hash = Sha256::new_with_prefix(raw);
    hash.update(timestamp.0.to_be_bytes());
    hex::encode(&hash.finalize()[..16])
}

/// The trace id in the headers of the request, or else in custom data.
fn trace_id(data: &Map<String, Json>) -> Option<TraceId> {
    let headers = data.get("request").and_then(|request| request.get("headers")).and_then(Json::as_object);
    let header = |wanted: &str| {
        let values = headers?.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value);
        values.filter_map(|value| value.get(0).unwrap_or(value).as_str()).find_map(id_in)
    };
    let message = data.get("body").and_then(|body| body.get("message"));
    let custom = [data.get("custom"), message].into_iter().flatten().filter_map(Json::as_object).flatten();
    let mut named = custom.filter(|(name, _)| {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        let name: String = letters.take(20).map(|c| c.to_ascii_lowercase()).collect();
        ["traceid", "tracetraceid", "oteltraceid", "xraytraceid", "traceparent", "xamzntraceid"].contains(&&*name)
    });
    header("traceparent")
        .or_else(|| header("x-amzn-trace-id"))
        .or_else(|| named.find_map(|(_, value)| id_in(value.as_str()?)))
}

/// A trace id in any of its written forms: bare, W3C's `00-…-…-01` with any flags, X-Ray's `Root=1-…;Sampled=1`.
fn id_in(text: &str) -> Option<TraceId> {
    let text = text.trim();
    let root = || {
        text.split(';').find_map(|pair| {
            let (name, id) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("root").then(|| id.parse().ok())?
        })
    };
    let parent = || match text.split('-').collect::<Vec<_>>().as_slice() {
        [version, id, span, _, ..] if version.len() == 2 && *version != "ff" && span.len() == 16 => id.parse().ok(),
        _ => None,
    };
    text.parse().ok().or_else(parent).or_else(root)
}

/// A string as itself, null as nothing, anything else as JSON.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

fn list(value: Option<&Json>) -> &[Json] {
    value.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests;
