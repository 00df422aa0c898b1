//! The screen of a watched command, kept in telemetry.

use tracebook_core::console::{ConsoleLine, Display, trace_id_in};
use tracebook_core::credentials;
use tracebook_core::telemetry::ConsoleRecord;
use tracebook_core::time::Nanos;
use tracebook_store::Telemetry;
use tracebook_store::console::{RowChange, ScreenChanges, StoredRow};

/// What a terminal would show of a command that runs. Its rows are stored, and changed in place.
#[derive(Debug)]
pub(super) struct StoredScreen {
    stream: String,
    store: Telemetry,
    /// `[telemetry] redact`
    redact: bool,
    display: Display,
    /// The stored rows that may change.
    rows: Vec<StoredRow>,
}

impl StoredScreen {
    pub(super) fn new(stream: &str, store: Telemetry, redact: bool) -> Self {
        Self { stream: stream.to_owned(), store, redact, display: Display::default(), rows: Vec::new() }
    }

    /// Writes a line, or its beginning if it does not end here.
    pub(super) fn write(&mut self, text: &str, stderr: bool, time: Nanos, ends: bool) {
        match ends {
            true => self.display.line(text, stderr, Some(time)),
            false => self.display.part(text, stderr, Some(time)),
        }
    }

    /// Stores what has changed. What cannot be stored, because the disk is full, is stored with the next changes.
    pub(super) async fn store(&mut self, now: Nanos) {
        let changes = self.display.changes();
        let (places, lines): (Vec<_>, Vec<_>) =
            changes.rows.into_iter().map(|row| ((row.at, row.as_printed, row.begun), row.line)).unzip();
        let rows = places.into_iter().zip(self.records(lines));
        let changes = ScreenChanges {
            rows: rows
                .map(|((at, as_printed, begun), record)| {
                    let begun = begun.filter(|begun| *begun != record.timestamp);
                    RowChange { at, record, begun, as_printed }
                })
                .collect(),
            length: changes.length,
            settled: changes.settled,
            printed: self.records(changes.printed),
        };
        match self.store.commit_screen(&self.stream, &self.rows, &changes, now).await {
            Ok(rows) => {
                self.rows = rows;
                self.display.kept();
            }
            Err(error) => tracing::warn!(%error, "lines of a watched command could not be stored"),
        }
    }

    fn records(&self, lines: Vec<ConsoleLine>) -> Vec<ConsoleRecord> {
        let record = |line: ConsoleLine| ConsoleRecord {
            stream: self.stream.clone(),
            timestamp: line.time.unwrap_or_default(),
            stderr: line.stderr,
            trace_id: trace_id_in(&line.text),
            text: line.text,
        };
        let mut records: Vec<ConsoleRecord> = lines.into_iter().map(record).collect();
        if self.redact {
            credentials::redact_console(&mut records);
        }
        records
    }
}
