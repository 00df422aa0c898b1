//! `tracebook live`.

use tracebook_app::Error;
use tracebook_app::api::{Listed, LiveConsole, LiveErrors, LiveLogs, LiveQuestion, LiveTraces};
use tracebook_core::console::plain;
use tracebook_core::skew;

use crate::args::{List, Live};
use crate::client::Client;
use crate::out::Out;

pub(super) async fn run(client: &Client, live: Live, out: &Out) -> Result<u8, Error> {
    let Live { what, source, range, filter, limit, oldest_first } = live;
    let since = range.window()?;
    let question = LiveQuestion { source, filter, since, limit, oldest_first, ..LiveQuestion::default() };
    match what {
        List::Traces => {
            let LiveQuestion { source, filter, since, limit, .. } = question;
            let request = LiveTraces { source, filter, since, limit, ..LiveTraces::default() };
            let traces = client.call(request).await?;
            Ok(listed(out, &traces, |t| {
                vec![
                    t.trace_id.to_string(),
                    t.start.clone(),
                    t.status.clone(),
                    format!("{:.1} ms", t.duration_ms),
                    format!("{} spans", t.spans),
                    t.name.clone(),
                    t.services.join(", "),
                    clock(t.skew_ms),
                    t.unfinished.clone().unwrap_or_default(),
                ]
            }))
        }
        List::Logs => {
            let logs = client.call(LiveLogs(question)).await?;
            Ok(listed(out, &logs, |l| {
                let stream = format!("{} {}", l.group, l.stream);
                vec![
                    l.id.clone(),
                    l.timestamp.clone(),
                    l.severity.clone(),
                    stream,
                    first_line(&l.message),
                    clock(l.skew_ms),
                ]
            }))
        }
        List::Errors => {
            let errors = client.call(LiveErrors(question)).await?;
            Ok(listed(out, &errors, |e| {
                vec![
                    e.id.clone(),
                    e.last.clone(),
                    e.level.clone(),
                    format!("{}×", e.occurrences),
                    e.environment.clone(),
                    e.person.clone().unwrap_or_default(),
                    first_line(&e.title),
                    clock(e.skew_ms),
                ]
            }))
        }
        List::Console => {
            let lines = client.call(LiveConsole(question)).await?;
            Ok(listed(out, &lines, |l| vec![l.timestamp.clone(), l.stream.clone(), plain(&l.text)]))
        }
    }
}

/// How far the sender's clock is off, where it is.
fn clock(skew_ms: Option<i64>) -> String {
    skew_ms.map(skew::short).unwrap_or_default()
}

/// Prints a list with its notes. Returns the exit code, 1 if nothing matched.
fn listed<T: serde::Serialize>(out: &Out, list: &Listed<T>, cells: impl Fn(&T) -> Vec<String>) -> u8 {
    out.table(&list.rows, cells);
    for note in &list.notes {
        out.note(note);
    }
    if list.rows.is_empty() && list.asked_at.is_none() {
        out.note(
            "Nothing matched. `tracebook env` prints the settings that make a service send here; `tracebook doctor` finds out why nothing arrives.",
        );
    }
    u8::from(list.rows.is_empty())
}

/// The first line of a text, at most 160 characters of it.
fn first_line(text: &str) -> String {
    const MAX_CHARS: usize = 160;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
