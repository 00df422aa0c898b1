//! `ConsoleActivityExporter` of .NET: a property of the activity a line, and lists below their headings.

use serde_json::{Map, Value as Json};
use tracebook_core::time::Nanos;

use super::{Printed, event, link, untyped};

const NO_TIME: &str = "the time of an event was not printed in a known form; the start of its span is shown";

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Properties,
    Tags,
    Events,
    Links,
    Scope,
    ScopeTags,
    Resource,
}

/// What a list below a heading consists of so far.
#[derive(Default)]
struct Lists {
    /// Name, printed time and tags.
    events: Vec<(String, String, Map<String, Json>)>,
    /// Trace id, span id and tags.
    links: Vec<(String, String, Map<String, Json>)>,
}

/// Converts a span.
pub(in crate::console) fn span(text: &str) -> Option<Map<String, Json>> {
    let mut printed = Printed::default();
    let mut lists = Lists::default();
    let mut part = Part::Properties;
    let mut duration = None;
    let mut last_tag = String::new();
    for line in text.lines() {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        if let Some(next) = heading(body).filter(|next| indent == 0 || *next == Part::ScopeTags) {
            part = next;
            continue;
        }
        // Versions before 1.3 wrote the status below the tags.
        let property = body.split_once(':').filter(|(key, _)| key.starts_with("Activity.") || *key == "StatusCode");
        if let Some((key, value)) = property {
            let value = value.trim();
            match key {
                "Activity.TraceId" => value.clone_into(&mut printed.trace_id),
                "Activity.SpanId" => value.clone_into(&mut printed.span_id),
                "Activity.Id" => {
                    let mut ids = value.split('-').skip(1);
                    printed.trace_id = ids.next()?.to_owned();
                    printed.span_id = ids.next()?.to_owned();
                }
                "Activity.ParentSpanId" => value.clone_into(&mut printed.parent_id),
                "Activity.ParentId" => printed.parent_id = value.split('-').nth(2).unwrap_or_default().to_owned(),
                "Activity.TraceState" => value.clone_into(&mut printed.trace_state),
                "Activity.DisplayName" => value.clone_into(&mut printed.name),
                "Activity.ActivitySourceName" => value.clone_into(&mut printed.scope.0),
                "Activity.Kind" => value.clone_into(&mut printed.kind),
                "Activity.StartTime" => printed.start = Nanos::parse_rfc3339(value),
                "Activity.Duration" => duration = length(value),
                "StatusCode" => value.clone_into(&mut printed.status),
                "Activity.StatusDescription" => value.clone_into(&mut printed.message),
                _ => {}
            }
            continue;
        }
        match part {
            Part::Tags if indent > 0 => {
                let (key, value) = pair(body);
                printed.attributes.insert(key.clone(), untyped(&value));
                last_tag = key;
            }
            // A value of several lines.
            Part::Tags => {
                if let Some(value) = printed.attributes.get_mut(&last_tag) {
                    let before = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    *value = format!("{before}\n{line}").into();
                }
            }
            Part::Events if indent <= 4 => {
                let (name, time) = body.strip_suffix(']').and_then(|b| b.rsplit_once(" [")).unwrap_or((body, ""));
                lists.events.push((name.to_owned(), time.to_owned(), Map::new()));
            }
            Part::Events => add(lists.events.last_mut().map(|event| &mut event.2), body),
            Part::Links if indent <= 4 => {
                let (trace, span) = body.split_once(' ').unwrap_or((body, ""));
                lists.links.push((trace.to_owned(), span.trim().to_owned(), Map::new()));
            }
            Part::Links => add(lists.links.last_mut().map(|link| &mut link.2), body),
            Part::Scope => match pair(body) {
                (key, value) if key == "Name" => printed.scope.0 = value,
                (key, value) if key == "Version" => printed.scope.1 = value,
                _ => {}
            },
            Part::Resource => match pair(body) {
                (key, value) if key == "Schema URL" => printed.schema_url = value,
                (key, value) => {
                    printed.resource.insert(key, untyped(&value));
                }
            },
            Part::ScopeTags | Part::Properties => {}
        }
    }
    let start = printed.start?;
    printed.end = duration.map(|length: i64| Nanos(start.0.saturating_add(length)));
    // Before there was a status, it was these two tags.
    for (tag, to) in [("otel.status_code", &mut printed.status), ("otel.status_description", &mut printed.message)] {
        if let Some(Json::String(value)) = printed.attributes.get(tag)
            && to.is_empty()
        {
            value.clone_into(to);
        }
    }
    printed.links = lists.links.into_iter().map(|(trace, span, tags)| link(&trace, &span, "", tags)).collect();
    for (name, time, tags) in lists.events {
        let at = event_time(&time, start);
        if at.is_none() {
            printed.notes.push(NO_TIME.to_owned());
        }
        printed.events.push(event(&name, at.unwrap_or(start), tags));
    }
    Some(printed.into_json())
}

fn heading(line: &str) -> Option<Part> {
    Some(match line {
        "Activity.Tags:" | "Activity.TagObjects:" => Part::Tags,
        "Activity.Events:" => Part::Events,
        "Activity.Links:" => Part::Links,
        "Tags:" => Part::ScopeTags,
        "Instrumentation scope (ActivitySource):" => Part::Scope,
        "Resource associated with Activity:" => Part::Resource,
        _ => return None,
    })
}

fn pair(line: &str) -> (String, String) {
    let (key, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
    (key.to_owned(), value.to_owned())
}

fn add(tags: Option<&mut Map<String, Json>>, line: &str) {
    if let Some(tags) = tags {
        let (key, value) = pair(line);
        tags.insert(key, untyped(&value));
    }
}

/// `00:00:00.0012345`, or with days before it: `1.02:03:04`.
fn length(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let (days, hours, minutes): (i64, i64, i64) = (days.parse().ok()?, hours.parse().ok()?, minutes.parse().ok()?);
    let seconds: i64 = seconds.parse().ok()?;
    let whole = days.checked_mul(24)?.checked_add(hours)?.checked_mul(60)?.checked_add(minutes)?;
    whole.checked_mul(60)?.checked_add(seconds)?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// A time in the format of the machine's culture, such as `11/23/2026 3:20:42 PM +00:00` or `23.11.2026 15:20:42
/// +01:00`. Of day and month in doubt, those that are nearer to the span's start.
fn event_time(text: &str, start: Nanos) -> Option<Nanos> {
    if let Some(time) = Nanos::parse_rfc3339(text) {
        return Some(time);
    }
    let mut words = text.split([' ', '\u{202f}']).filter(|word| !word.is_empty());
    let date: Vec<u16> = words.next()?.split(['/', '.', '-']).map(str::parse).collect::<Result<_, _>>().ok()?;
    let clock = words.next()?;
    let (mut half, mut zone) = ("", "Z");
    for word in words {
        match word {
            "AM" | "PM" => half = word,
            _ => zone = word,
        }
    }
    let (hour, rest) = clock.split_once(':')?;
    let hour: u16 = hour.parse().ok()?;
    let hour = match half {
        "" => hour,
        "PM" => hour % 12 + 12,
        _ => hour % 12,
    };
    let [a, b, c] = date[..] else { return None };
    let orders = [(c, a, b), (c, b, a), (a, b, c)];
    let times = orders.into_iter().filter_map(|(year, month, day)| {
        Nanos::parse_rfc3339(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{rest}{zone}"))
    });
    times.min_by_key(|time| time.0.abs_diff(start.0))
}
