//! Arguments become requests, answers become text.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use tracebook_app::rpc::{
    Caller, Capture as CaptureRequest, Captured, Check, ConsoleText, EvidenceRow, Exported, Imported, Listed, Request,
};
use tracebook_app::{Code, Config, Error, Tracebook};
use tracebook_core::console::{ConsoleRow, plain};
use tracebook_core::entry::{Entry as EntryWithText, EntryRow, Revision};
use tracebook_core::errors::ErrorRow;
use tracebook_core::evidence::Kind;
use tracebook_core::ids::Id;
use tracebook_core::logs::LogRow;
use tracebook_core::trace::TraceSummary;

use crate::args::{Args, Capture, Command, Entry, Evidence, Export, Live};
use crate::out::{Out, columns};

/// Runs a command and returns the exit code.
pub(crate) async fn run(args: Args, out: &Out) -> Result<u8, Error> {
    let data_dir = match &args.command {
        // Without a journal there is nowhere to keep a log.
        Command::Verify { .. } | Command::Search { .. } | Command::Check { .. } | Command::Sync { .. } => None,
        Command::Demo { .. } if args.data.is_none() => Some(tracebook_app::demo::throw_away_dir()?),
        _ => Some(Config::data_dir(args.data)?),
    };
    tracebook_app::diagnostics::start(data_dir.as_deref(), args.verbose)?;
    let data_dir = data_dir.unwrap_or_default();
    match args.command {
        Command::Serve(serve) => crate::serve::run(data_dir, serve, args.json, out).await,
        Command::Demo { out: folder } => demo(data_dir, folder, out).await,
        Command::Verify { paths } => verify(&paths, out),
        Command::Search { .. } => Err(Error::not_built("search")),
        Command::Check { .. } => Err(Error::not_built("check")),
        Command::Sync { .. } => Err(Error::not_built("sync")),
        command => {
            let config = Config { data_dir, receivers: None, watch: Vec::new() };
            let door = Door { tracebook: Tracebook::start(config).await? };
            let code = with_journal(&door, command, out).await;
            door.tracebook.shutdown().await;
            code
        }
    }
}

/// The same door that the windows use.
pub(crate) struct Door {
    tracebook: Arc<Tracebook>,
}

/// The one call that a command line makes at a time.
const CALL: &str = "cli";

impl Door {
    /// Asks; Ctrl-C ends the call in good order rather than the program, so that what came before is kept.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, cmd: &str, args: Json) -> Result<T, Error> {
        let request: Request = serde_json::from_value(json!({ "cmd": cmd, "args": args })).map_err(Error::internal)?;
        let caller = self.caller();
        let mut answer = std::pin::pin!(self.tracebook.rpc(request, &caller));
        let answer = tokio::select! {
            answer = &mut answer => answer,
            () = crate::serve::stopped() => {
                let cancel = Request::cancel(tracebook_app::rpc::Cancel { call: CALL.to_owned() });
                self.tracebook.rpc(cancel, &caller).await?;
                tokio::select! {
                    answer = answer => answer,
                    // What cannot be cancelled is left to itself at the second time.
                    () = crate::serve::stopped() => Err(Error::new(Code::Cancelled, "interrupted", "")),
                }
            }
        }?;
        serde_json::from_str(answer.get()).map_err(Error::internal)
    }

    fn caller(&self) -> Caller {
        Caller { client: format!("cli-{}", std::process::id()), call: CALL.to_owned() }
    }
}

async fn with_journal(door: &Door, command: Command, out: &Out) -> Result<u8, Error> {
    match command {
        Command::Entry(entry) => self::entry(door, entry, out).await,
        Command::Import { paths } => import(door, paths, out).await,
        Command::Slots { entry } => slots(door, &entry, out).await,
        Command::Live(live) => self::live(door, live, out).await,
        Command::Capture(capture) => self::capture(door, capture, out).await,
        Command::Evidence(evidence) => self::evidence(door, evidence, out).await,
        Command::Doctor { source, from } => doctor(door, source, from, out).await,
        Command::Source(source) => crate::source::run(door, source, out).await,
        Command::Relay(relay) => crate::relay::run(door, relay, out).await,
        Command::Export(export) => self::export(door, export, out).await,
        Command::Env { target } => {
            let answer: Json = door.ask("env", json!({ "for": target })).await?;
            out.answer(&answer, |a| a["text"].as_str().unwrap_or_default().to_owned());
            Ok(0)
        }
        other => Err(Error::internal(format!("no way for {other:?}"))),
    }
}

async fn entry(door: &Door, command: Entry, out: &Out) -> Result<u8, Error> {
    match command {
        Entry::New { week, title, body } => {
            let body = body.as_deref().map(read_text).transpose()?;
            let entry: EntryWithText =
                door.ask("entry_new", json!({ "week": week, "title": title, "body": body })).await?;
            out.answer(&entry.row, |row| format!("{} ({})", row.slug, row.title));
        }
        Entry::List { deleted } => {
            let rows: Vec<EntryRow> = door.ask("entry_list", json!({ "deleted": deleted })).await?;
            out.answer(&rows, |rows| {
                columns(
                    &rows
                        .iter()
                        .map(|r| vec![r.slug.clone(), r.title.clone(), r.updated_at.clone()])
                        .collect::<Vec<_>>(),
                )
            });
        }
        Entry::Show { entry, revision: None } => {
            let entry: EntryWithText = door.ask("entry_get", json!({ "entry": entry })).await?;
            out.answer(&entry, |e| e.body.clone());
        }
        Entry::Show { entry, revision: Some(revision) } => {
            let body: String = door.ask("entry_revision", json!({ "entry": entry, "revision": revision })).await?;
            let entry: EntryWithText = door.ask("entry_get", json!({ "entry": entry })).await?;
            out.answer(&EntryWithText { body, revision, ..entry }, |e| e.body.clone());
        }
        Entry::Set { entry, body, base } => {
            let body = read_text(&body)?;
            let request = json!({ "entry": entry, "base": base, "body": body, "cut": "set" });
            let written: Json = door.ask("entry_write", request).await?;
            if written["accepted"] != json!(true) {
                return Err(Error::new(
                    Code::Refused,
                    written["message"].as_str().unwrap_or_default(),
                    "Read the text that is there with `entry show`, bring yours into it, and set it with its revision as --base",
                ));
            }
            let entry: EntryWithText = door.ask("entry_get", json!({ "entry": entry })).await?;
            out.answer(&entry.row, |row| format!("{} is at revision {}", row.slug, written["revision"]));
        }
        Entry::History { entry } => {
            let revisions: Vec<Revision> = door.ask("entry_history", json!({ "entry": entry })).await?;
            out.answer(&revisions, |rows| {
                let cells = |r: &Revision| {
                    vec![r.revision.to_string(), r.created_at.clone(), r.reason.clone(), format!("{} bytes", r.bytes)]
                };
                columns(&rows.iter().map(cells).collect::<Vec<_>>())
            });
        }
        Entry::Delete { entry } => {
            let row: EntryRow = door.ask("entry_delete", json!({ "entry": entry })).await?;
            out.answer(&row, |row| format!("{} is in the bin; `entry restore {}` takes it out", row.slug, row.slug));
        }
        Entry::Restore { entry } => {
            let row: EntryRow = door.ask("entry_restore", json!({ "entry": entry })).await?;
            out.answer(&row, |row| format!("{} is back", row.slug));
        }
    }
    Ok(0)
}

async fn import(door: &Door, paths: Vec<String>, out: &Out) -> Result<u8, Error> {
    let mut texts = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        match path.as_str() {
            "-" => texts.push(json!({ "name": "stdin.md", "text": read_text("-")? })),
            _ => files.push(path),
        }
    }
    let imported: Imported = door.ask("import", json!({ "paths": files, "texts": texts })).await?;
    out.answer(&imported, |done| {
        let mut text = String::new();
        for entry in &done.entries {
            text.push_str(&format!("{} ({})\n", entry.slug, entry.title));
        }
        for evidence in &done.evidence {
            text.push_str(&format!("  {} {}\n", evidence.id, evidence.title));
        }
        text
    });
    say_warnings(out, &imported.warnings);
    Ok(0)
}

async fn slots(door: &Door, entry: &str, out: &Out) -> Result<u8, Error> {
    let entry: EntryWithText = door.ask("entry_get", json!({ "entry": entry })).await?;
    let markup: Json = door.ask("markup", json!({ "entry": entry.row.slug, "body": entry.body })).await?;
    let slots: Vec<Json> = markup["slots"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| json!({ "n": s["n"], "line": s["line"], "text": s["text"], "wants": s["wants"] }))
        .collect();
    out.answer(&slots, |slots| {
        let word = |j: &Json| j.as_str().map_or_else(|| j.to_string(), str::to_owned);
        let cells = |s: &Json| vec![word(&s["n"]), format!("line {}", s["line"]), word(&s["wants"]), word(&s["text"])];
        columns(&slots.iter().map(cells).collect::<Vec<_>>())
    });
    Ok(0)
}

async fn live(door: &Door, live: Live, out: &Out) -> Result<u8, Error> {
    let request = json!({ "source": live.source, "filter": live.filter, "since": live.since, "limit": live.limit,
        "oldest_first": live.oldest_first });
    match live.what.as_str() {
        "traces" => {
            let traces: Listed<TraceSummary> = door.ask("live_traces", request).await?;
            Ok(listed(out, &traces, |t| {
                vec![
                    t.trace_id.to_string(),
                    t.start.clone(),
                    t.status.clone(),
                    format!("{:.1} ms", t.duration_ms),
                    format!("{} spans", t.spans),
                    t.name.clone(),
                    t.services.join(", "),
                ]
            }))
        }
        "logs" => {
            let logs: Listed<LogRow> = door.ask("live_logs", request).await?;
            let cells = |l: &LogRow| {
                let place = format!("{} {}", l.group, l.stream);
                vec![l.id.clone(), l.timestamp.clone(), l.severity.clone(), place, one_line(&l.message)]
            };
            Ok(listed(out, &logs, cells))
        }
        "errors" => {
            let errors: Listed<ErrorRow> = door.ask("live_errors", request).await?;
            let cells = |e: &ErrorRow| {
                let person = e.person.clone().unwrap_or_default();
                let times = format!("{}×", e.occurrences);
                vec![
                    e.id.clone(),
                    e.last.clone(),
                    e.level.clone(),
                    times,
                    e.environment.clone(),
                    person,
                    one_line(&e.title),
                ]
            };
            Ok(listed(out, &errors, cells))
        }
        _ => {
            let lines: Listed<ConsoleRow> = door.ask("live_console", request).await?;
            let cells = |l: &ConsoleRow| vec![l.timestamp.clone(), l.stream.clone(), plain(&l.text)];
            Ok(listed(out, &lines, cells))
        }
    }
}

fn listed<T: serde::Serialize>(out: &Out, list: &Listed<T>, cells: impl Fn(&T) -> Vec<String>) -> u8 {
    let rows = &list.rows;
    out.answer(rows, |rows| columns(&rows.iter().map(cells).collect::<Vec<_>>()));
    for note in &list.notes {
        out.note(note);
    }
    if rows.is_empty() && list.asked_at.is_none() {
        out.note("Nothing matched. `tracebook env` prints the settings that point a service here, `tracebook doctor` says why nothing arrives.");
    }
    u8::from(rows.is_empty())
}

fn one_line(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

async fn capture(door: &Door, capture: Capture, out: &Out) -> Result<u8, Error> {
    let kind: Kind = capture.kind.parse().map_err(|e: String| Error::usage(e, "`tracebook capture --help`"))?;
    if kind != Kind::Console && (capture.file.is_some() || !capture.command.is_empty()) {
        return Err(Error::usage(
            "a file or a command is captured as console output",
            "Write capture console --file FILE, or capture console -- COMMAND",
        ));
    }
    if capture.file.is_some() && !capture.command.is_empty() {
        return Err(Error::usage("both a file and a command were given", "Give one of the two"));
    }
    let mut request = CaptureRequest {
        kind,
        id: capture.id,
        source: serde_json::from_value(json!(capture.source)).map_err(Error::internal)?,
        latest: capture.latest,
        filter: capture.filter,
        since: capture.since,
        text: None,
        into: capture.into,
        slot: capture.slot,
        caption: capture.caption,
    };
    let mut exit_code = None;
    let captured: Captured = if capture.command.is_empty() {
        if let Some(file) = &capture.file {
            let source = match file.as_str() {
                "-" => "standard input".to_owned(),
                path => {
                    std::path::Path::new(path).file_name().map_or(path.to_owned(), |n| n.to_string_lossy().into_owned())
                }
            };
            let text = String::from_utf8_lossy(&read_bytes(file)?).into_owned();
            request.text = Some(ConsoleText { source, text });
        }
        door.ask("capture", serde_json::to_value(&request).map_err(Error::internal)?).await?
    } else {
        let interrupted = crate::serve::stopped_token();
        let console = door.tracebook.run_command(&capture.command, interrupted).await?;
        exit_code = console.exit_code;
        door.tracebook.capture_console(console, request, &door.caller()).await?
    };
    let row = &captured.evidence;
    let mut answer = json!({
        "id": row.id, "kind": row.kind, "title": row.title, "digest": row.digest, "captured_at": row.captured_at,
        "entries": row.entries, "warnings": captured.warnings, "reference": captured.reference,
    });
    if kind == Kind::Console {
        answer["exit_code"] = json!(exit_code);
    }
    out.answer(&answer, |_| match row.entries.is_empty() {
        true => format!("{}  {}\nIt is in no entry yet; put this into one:\n{}", row.id, row.title, captured.reference),
        false => format!("{}  {}\nin {}", row.id, row.title, row.entries.join(", ")),
    });
    say_warnings(out, &captured.warnings);
    Ok(0)
}

async fn doctor(door: &Door, source: Option<String>, from: Option<String>, out: &Out) -> Result<u8, Error> {
    let from = from.unwrap_or_else(|| "local".to_owned());
    let checks: Vec<Check> = door.ask("doctor", json!({ "source": source, "from": from })).await?;
    out.answer(&json!({ "checks": checks }), |_| {
        let mut text = String::new();
        for check in &checks {
            let mark = if check.ok { "✓" } else { "✗" };
            text.push_str(&format!("{mark} {}: {}\n    {}\n", check.source, check.check, check.detail));
            for line in check.fix.lines() {
                text.push_str(&format!("    → {line}\n"));
            }
        }
        text
    });
    Ok(0)
}

async fn evidence(door: &Door, command: Evidence, out: &Out) -> Result<u8, Error> {
    match command {
        Evidence::List { entry } => {
            let rows: Vec<EvidenceRow> = door.ask("evidence_list", json!({ "entry": entry })).await?;
            out.answer(&rows, |rows| {
                let place =
                    |r: &EvidenceRow| if r.entries.is_empty() { "not placed".to_owned() } else { r.entries.join(", ") };
                let cells =
                    |r: &EvidenceRow| vec![r.id.to_string(), r.kind.word().to_owned(), place(r), r.title.clone()];
                columns(&rows.iter().map(cells).collect::<Vec<_>>())
            });
        }
        Evidence::Show { evidence, raw: true, .. } => {
            let raw = door.tracebook.evidence_raw(id(&evidence)?).await?;
            out.answer(&raw, |raw| format!("{raw:#}"));
        }
        Evidence::Show { evidence, svg: true, .. } => {
            let svg = door.tracebook.card(id(&evidence)?, tracebook_app::evidence::Size::Full).await?;
            out.answer(&json!({ "svg": svg }), |_| svg.clone());
        }
        Evidence::Show { evidence, .. } => {
            let id = id(&evidence)?;
            let frozen = door.tracebook.frozen(id).await?;
            let view: Json = door.ask("evidence_get", json!({ "id": id })).await?;
            let mut answer = view["row"].clone();
            if let Some(map) = answer.as_object_mut() {
                map.insert("evidence".to_owned(), serde_json::from_str(&frozen.canonical).map_err(Error::internal)?);
            }
            let table = tracebook_app::evidence::as_text(&frozen);
            out.answer(&answer, |_| table);
        }
        Evidence::Diff { left, right } => {
            let difference = door.tracebook.evidence_diff(id(&left)?, id(&right)?).await?;
            out.answer(&difference, |d| d.to_string());
            return Ok(u8::from(!difference.same));
        }
        Evidence::Delete { evidence, purge } => {
            let row: EvidenceRow = door.ask("evidence_delete", json!({ "id": id(&evidence)?, "purge": purge })).await?;
            out.answer(&row, |row| match purge {
                true => format!("{} is erased for good", row.id),
                false => format!("{} is in the bin", row.id),
            });
        }
    }
    Ok(0)
}

async fn export(door: &Door, export: Export, out: &Out) -> Result<u8, Error> {
    if export.format != "github" {
        return Err(Error::not_built(&format!("export --format {}", export.format)));
    }
    if export.allow_leaks {
        out.note("--allow-leaks: nothing is masked yet in this version, so this changes nothing");
    }
    let request = json!({ "entries": export.entries, "to": export.to, "force": export.force });
    let done: Exported = door.ask("export", request).await?;
    out.answer(&done, |done| {
        let mut text = String::new();
        for path in &done.written {
            text.push_str(&format!("wrote {}\n", PathBuf::from(&export.to).join(path).display()));
        }
        text.push_str(&format!("{} written, {} unchanged\n", done.written.len(), done.unchanged));
        text
    });
    say_warnings(out, &done.warnings);
    for path in &done.refused {
        out.warn(&format!(
            "{path} was changed by somebody else since we wrote it, or is not ours: left alone (--force overwrites)"
        ));
    }
    Ok(if done.refused.is_empty() { 0 } else { 4 })
}

fn verify(paths: &[String], out: &Out) -> Result<u8, Error> {
    let verified = tracebook_app::verify::verify(paths)?;
    out.answer(&verified, |verified| {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for e in &verified.evidence {
            rows.push(vec![e.verdict.word().to_owned(), e.file.clone(), e.why.clone()]);
        }
        let count = verified.evidence.len();
        let verdict = if verified.ok { "everything agrees" } else { "NOT everything agrees" };
        format!("{}{count} evidence, {verdict}", columns(&rows))
    });
    Ok(u8::from(!verified.ok))
}

async fn demo(journal: PathBuf, folder: Option<PathBuf>, out: &Out) -> Result<u8, Error> {
    let folder = folder.unwrap_or_else(|| journal.join("export"));
    let say = |line: String| out.note(&line);
    let done = tracebook_app::demo::run(journal, &folder, &say).await?;
    out.answer(&done, |done| {
        let mut text = String::from("\nExported:\n");
        for path in &done.exported {
            text.push_str(&format!("  {path}\n"));
        }
        text.push_str(&format!(
            "\nThe journal is in {dir}. Look at it in a browser:\n  {program} --data {dir} serve --ui\n",
            dir = done.data_dir.display(),
            program = std::env::args_os().next().map_or("tracebook".to_owned(), |p| p.to_string_lossy().into_owned())
        ));
        text
    });
    Ok(0)
}

fn id(text: &str) -> Result<Id, Error> {
    text.parse().map_err(|e: tracebook_core::ids::IdError| Error::usage(e.to_string(), "`evidence list` shows the ids"))
}

fn say_warnings(out: &Out, warnings: &[String]) {
    for warning in warnings {
        out.warn(warning);
    }
}

/// A file's bytes, or standard input's.
fn read_bytes(path: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = match path {
        "-" => std::io::stdin().lock().read_to_end(&mut bytes).map(drop),
        _ => std::fs::read(path).map(|read| bytes = read),
    };
    read.map_err(|e| Error::usage(format!("{path}: {e}"), "Name a file that can be read, or - for standard input"))?;
    Ok(bytes)
}

/// A file's text, or standard input's.
fn read_text(path: &str) -> Result<String, Error> {
    String::from_utf8(read_bytes(path)?).map_err(|e| {
        Error::usage(
            format!(
                "{path} is not UTF-8: the byte at position {} does not fit. Nothing was written",
                e.utf8_error().valid_up_to()
            ),
            "Convert it first, for example with: iconv -f WINDOWS-1252 -t UTF-8",
        )
    })
}
