//! A report that a user can attach to a bug: what runs, how it is set up, what it counted and logged. Without
//! credentials, and with the home directory and the user's name shortened.

use std::fmt::{Display, Write as _};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use tracebook_core::catalog::Vendor;
use tracebook_core::credentials::{PLACEHOLDER, is_credential_name};

use crate::diagnostics::{LogFile, redact};
use crate::doctor::Doctor;
use crate::ground::error::{Code, Error};
use crate::ground::files::cannot_write;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{Caller, Check, DoctorReport, DoctorReported, DoctorRequest};
use crate::ground::settings;
use crate::relay::RelayControl;
use crate::status::Overview;

/// How a report begins: a file that begins otherwise is not overwritten.
const TITLE: &str = "# Tracebook report\n";
/// How many lines of the log are in it.
const LOG_LINES: usize = 300;
/// Variables whose values are shown; of the others that concern us only the names are.
const SHOWN_VARIABLES: [&str; 12] = [
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_ENDPOINT_URL_XRAY",
    "AWS_REGION",
    "AWS_XRAY_DAEMON_ADDRESS",
    "AWS_XRAY_SDK_ENABLED",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_SDK_DISABLED",
    "OTEL_TRACES_EXPORTER",
    "TRACEBOOK_LOG",
];
/// What the names of variables that concern us begin with, beside those of the vendors.
const OUR_VARIABLES: [&str; 2] = ["OTEL_", "TRACEBOOK_"];

/// Writes reports. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    data_dir: PathBuf,
    journal: tracebook_store::Journal,
    store: tracebook_store::Telemetry,
    doctor: Doctor,
    status: Overview,
    relay: RelayControl,
    runtime: Runtime,
}

impl Reporter {
    pub(crate) fn new(
        data_dir: &Path,
        journal: &tracebook_store::Journal,
        store: &tracebook_store::Telemetry,
        doctor: &Doctor,
        status: &Overview,
        relay: &RelayControl,
        runtime: &Runtime,
    ) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            journal: journal.clone(),
            store: store.clone(),
            doctor: doctor.clone(),
            status: status.clone(),
            relay: relay.clone(),
            runtime: runtime.clone(),
        }
    }

    pub(crate) async fn write(&self, request: DoctorReport, caller: &Caller) -> Result<DoctorReported, Error> {
        let path = std::path::absolute(&request.path)
            .map_err(|e| Error::usage(format!("{}: {e}", request.path), "Name a file for the report"))?;
        refuse_foreign(&path)?;
        let doctor = DoctorRequest { source: request.source, from: request.from };
        let checks = self.doctor.examine(doctor, caller).await?;
        let text = self.report(&checks).await?;
        let text = Hidden::of_this_process().remove(&text);
        write(&path, &text).map_err(|e| cannot_write(&path, &e))?;
        tracing::info!(bytes = text.len(), "report written");
        Ok(DoctorReported { checks, report: path.display().to_string() })
    }

    async fn report(&self, checks: &[Check]) -> Result<String, Error> {
        let status = self.status.status().await?;
        let relay = self.relay.status().await?;
        let mut report = Report(format!("{TITLE}\nWritten {}. Read it before you attach it.\n", self.runtime.now()));

        report.heading("Versions");
        report.item("Tracebook", &status.version);
        report.item("operating system", operating_system());
        report.item("schema of journal.db", self.journal.schema_version().await?);
        report.item("schema of telemetry.db", self.store.schema_version().await?);

        report.heading("Settings");
        report.block(&settings_without_comments(&self.data_dir));
        report.heading("Environment");
        let mut variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| {
                let vendors = Vendor::ALL.into_iter().map(|vendor| &*vendor.info().variables);
                OUR_VARIABLES.into_iter().chain(vendors).any(|prefix| name.starts_with(prefix))
            })
            .collect();
        variables.sort();
        for (name, value) in variables {
            match SHOWN_VARIABLES.contains(&name.as_str()) {
                true => report.item(&name, value),
                false => report.item(&name, "(set)"),
            }
        }

        report.heading("Receivers");
        for receiver in &status.receivers {
            let address = receiver.address.as_deref().unwrap_or("not listening");
            let other = if receiver.elsewhere { ", in another process" } else { "" };
            report.item(&receiver.name, format!("{address}{other} {}", receiver.problem));
        }
        for problem in &status.problems {
            report.item("problem", problem);
        }

        report.heading("Counters of this process");
        report.item("spans received", status.spans_received);
        report.item("log events received", status.logs_received);
        report.item("errors received", status.errors_received);
        report.item("refused", status.rejected);
        report.item("last refusal", &status.last_rejected);
        report.item("telemetry removed to make room", status.telemetry.dropped);

        report.heading("Requests to receivers");
        for row in self.store.request_counts().await? {
            report.item(
                &format!("{} {} {}", row.listener, row.path, row.status),
                format!("{} times, last {}", row.count, row.last),
            );
        }

        report.heading("What receivers turned away");
        for row in self.store.refusals().await? {
            report.item(
                &format!("{} {}", row.listener, row.place),
                format!("{} times, first {}, last {}: {}", row.count, row.first, row.last, row.reason),
            );
        }

        report.heading("Relay");
        for row in relay.rows {
            let switch = if row.on { "on" } else { "off" };
            report.item(
                &row.name,
                format!(
                    "{switch}, {} queued, {} sent, {} refused, {} dropped. {} {}",
                    row.waiting, row.sent, row.refused, row.dropped, row.problem, row.refusal
                ),
            );
        }

        report.heading("Databases");
        report.item("entries", self.journal.entries(false).await?.len());
        report.item("evidence", self.journal.evidence_records(None).await?.len());
        report.item("telemetry", format!("{} of {} bytes", status.telemetry.bytes, status.telemetry.limit_bytes));
        for name in ["journal.db", "journal.db-wal", "telemetry.db", "telemetry.db-wal"] {
            if let Ok(file) = std::fs::metadata(self.data_dir.join(name)) {
                report.item(name, format!("{} bytes", file.len()));
            }
        }

        report.heading("Checks");
        for check in checks {
            let mark = if check.ok { "ok" } else { "FAILED" };
            report.item(&format!("{}: {}", check.source, check.check), format!("{mark}. {}", check.detail));
        }

        report.heading("Log");
        report.block(&LogFile::new(&self.data_dir).tail(LOG_LINES));
        Ok(report.0)
    }
}

/// Markdown that is being written.
struct Report(String);

impl Report {
    fn heading(&mut self, title: &str) {
        self.0.push_str(&format!("\n## {title}\n\n"));
    }

    fn item(&mut self, name: &str, value: impl Display) {
        let value = value.to_string();
        if !value.trim().is_empty() {
            self.0.push_str(&format!("- {name}: {}\n", redact::line(value.trim())));
        }
    }

    /// Lines as they are, each without credentials.
    fn block(&mut self, text: &str) {
        self.0.push_str("```\n");
        // A fence inside would end the block.
        for line in redact::credentials(text).lines() {
            self.0.push_str(&redact::line(line).replace("```", "'''"));
            self.0.push('\n');
        }
        self.0.push_str("```\n");
    }
}

/// The settings file as it was understood. Comments are left out: they may say anything.
fn settings_without_comments(data_dir: &Path) -> String {
    let text = match std::fs::read_to_string(data_dir.join(settings::FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return format!("(no {})", settings::FILE),
        Err(error) => return format!("({}: {error})", settings::FILE),
    };
    match toml::from_str::<toml::Table>(&text) {
        Ok(table) => table.to_string(),
        // The error's own text quotes the line.
        Err(error) => format!("({} cannot be read: {})", settings::FILE, error.message()),
    }
}

fn operating_system() -> String {
    let name = std::fs::read_to_string("/etc/os-release").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(line.trim_matches('"').to_owned())
    });
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut text = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    for part in [name.unwrap_or_default(), kernel.trim().to_owned()].iter().filter(|part| !part.is_empty()) {
        // Writing to a string cannot fail.
        write!(text, ", {part}").ok();
    }
    text
}

/// What of this process's surroundings must not stand in a report.
#[derive(Default)]
struct Hidden {
    /// Values of variables whose names say that they are credentials.
    secrets: Vec<String>,
    home: String,
    user: String,
}

impl Hidden {
    fn of_this_process() -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let home = dirs::home_dir().map(|home| home.display().to_string()).unwrap_or_default();
        let user = [variable("USER"), variable("LOGNAME"), variable("USERNAME")];
        Self {
            secrets: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .filter(|(name, value)| is_credential_name(name) && value.trim().len() >= 6)
                .map(|(_, value)| value.trim().to_owned())
                .collect(),
            home: if home.len() > 1 { home } else { String::new() },
            user: user.into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
        }
    }

    fn remove(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // The longest first: one may be a part of another.
        let mut secrets: Vec<&String> = self.secrets.iter().collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in secrets {
            text = text.replace(secret.as_str(), PLACEHOLDER);
        }
        if !self.home.is_empty() {
            text = text.replace(&self.home, "~");
        }
        shorten_user(&text, &self.user)
    }
}

/// Replaces a user's name where it is a part of a path (`/run/user-data/NAME/x`), since as a word it may mean anything.
fn shorten_user(text: &str, user: &str) -> String {
    if user.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(user) {
        let (before, after) = (&rest[..at], &rest[at + user.len()..]);
        let is_part = before.ends_with(['/', '\\'])
            && !after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        out.push_str(before);
        out.push_str(if is_part { "~" } else { user });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// An existing file is overwritten only if it is an earlier report.
fn refuse_foreign(path: &Path) -> Result<(), Error> {
    let is_report = || {
        let mut start = vec![0; TITLE.len()];
        std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == TITLE.as_bytes()
    };
    match std::fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(there) if there.is_file() && is_report() => Ok(()),
        Ok(_) => Err(Error::new(
            Code::Refused,
            format!("{} is there already and is not a report of Tracebook", path.display()),
            "Name another file",
        )),
    }
}

/// Writes a file whole or not at all, for the user alone.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_the_environment_and_names_are_hidden_wherever_they_stand() {
        let hidden = Hidden {
            secrets: vec!["0123456789abcdef".into(), "0123456789abcdef-long".into()],
            home: "/home/ada".into(),
            user: "ada".into(),
        };
        assert_eq!(
            hidden.remove("0123456789abcdef-long /home/ada/x /tmp/ada/y /tmp/ada.b Canada ada 0123456789abcdef"),
            format!("{PLACEHOLDER} ~/x /tmp/~/y /tmp/ada.b Canada ada {PLACEHOLDER}")
        );
        assert_eq!(Hidden::default().remove("as it was"), "as it was");
    }

    #[test]
    fn settings_are_shown_without_comments_and_broken_ones_without_their_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(settings::FILE);
        assert_eq!(settings_without_comments(folder.path()), "(no tracebook.toml)");
        std::fs::write(&path, "# s3cret\n[aws]\nregion = \"eu-west-1\" # s3cret\n").expect("writes");
        assert_eq!(settings_without_comments(folder.path()), "[aws]\nregion = \"eu-west-1\"\n");
        std::fs::write(&path, "[aws\ns3cret = 1").expect("writes");
        let text = settings_without_comments(folder.path());
        assert!(text.contains("cannot be read") && !text.contains("s3cret"), "{text}");
    }

    #[test]
    fn only_an_earlier_report_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.md");
        assert!(refuse_foreign(&path).is_ok());
        write(&path, &format!("{TITLE}\nold")).expect("writes");
        assert!(refuse_foreign(&path).is_ok());
        write(&path, &format!("{TITLE}\nnew")).expect("overwrites");
        assert!(std::fs::read_to_string(&path).is_ok_and(|text| text.ends_with("new")));
        for other in ["# Tracebook", "notes", ""] {
            std::fs::write(&path, other).expect("writes");
            assert_eq!(refuse_foreign(&path).map_err(|e| e.code), Err(Code::Refused), "{other}");
        }
        assert_eq!(refuse_foreign(folder.path()).map_err(|e| e.code), Err(Code::Refused), "a folder");
    }
}
