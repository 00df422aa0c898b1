//! `tracebook.toml` in the data directory: the user's settings. Never a secret.

pub(crate) mod relay;
mod vendors;

use std::io::Write as _;
use std::path::Path;

use serde::Deserialize;
use tracebook_core::masking::CustomRule;
use tracing::level_filters::LevelFilter;

use crate::ground::error::Error;
use crate::ground::files::cannot_write;
use crate::ground::settings::relay::RelaySettings;
pub(crate) use crate::ground::settings::vendors::AwsSettings;
use crate::ground::settings::vendors::VendorSettings;

/// The file's name.
pub(crate) const FILE: &str = "tracebook.toml";

/// All sections; what is missing has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) telemetry: TelemetryLimits,
    pub(crate) receivers: ReceiverSettings,
    pub(crate) relay: RelaySettings,
    pub(crate) log: LogSettings,
    pub(crate) course: CourseSettings,
    pub(crate) masking: MaskingSettings,
    pub(crate) export: ExportSettings,
    /// The sections of the vendors, and of nothing else.
    #[serde(flatten)]
    pub(crate) vendors: VendorSettings,
}

/// Limits of stored telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TelemetryLimits {
    /// MiB of `telemetry.db`.
    pub(crate) max_mib: u32,
    /// Days since arrival.
    pub(crate) max_days: u32,
    /// Whether credentials are removed before data is stored and forwarded.
    pub(crate) redact: bool,
}

/// Who may use what the receivers' APIs (X-Ray, CloudWatch Logs) offer besides sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReceiverSettings {
    /// Read received telemetry back.
    pub(crate) read: Who,
    /// Delete it, and change settings such as sampling rules.
    pub(crate) change: Who,
}

/// Whose requests are answered; each includes the ones before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Who {
    Nobody,
    /// Processes of the user who runs Tracebook.
    #[default]
    User,
    /// Every process on this machine.
    Machine,
    /// Containers too, over their bridge.
    Containers,
}

impl Who {
    /// The word in `tracebook.toml`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::User => "user",
            Self::Machine => "machine",
            Self::Containers => "containers",
        }
    }
}

/// Which course the journal has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CourseSettings {
    /// The course file; empty for `course.toml` in the data directory. A relative path begins there.
    pub(crate) file: String,
}

/// What exports mask besides the built-in rules, and what they do not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MaskingSettings {
    pub(crate) rules: Vec<CustomRule>,
    /// Values that are exported as they are.
    pub(crate) allow: Vec<String>,
}

/// How exports are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExportSettings {
    /// The key that signs every export: a file, `agent`, `keychain` or a fingerprint; empty for none.
    pub(crate) sign: String,
}

/// Settings for the log file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSettings {
    pub(crate) level: LogLevel,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// No log file.
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub(crate) fn filter(self) -> LevelFilter {
        match self {
            Self::Off => LevelFilter::OFF,
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

impl Default for TelemetryLimits {
    fn default() -> Self {
        Self { max_mib: 512, max_days: 7, redact: false }
    }
}

impl TelemetryLimits {
    pub(crate) fn bytes(self) -> u64 {
        u64::from(self.max_mib) * 1024 * 1024
    }

    pub(crate) fn nanos(self) -> i64 {
        i64::from(self.max_days).saturating_mul(24 * 60 * 60 * 1_000_000_000)
    }
}

const EXAMPLE: &str = "Write for example:\n[telemetry]\nmax_mib = 512\nmax_days = 7\n[aws]\nprofile = \"bootcamp\"\nregion = \"ca-central-1\"";

const RELAY_EXAMPLE: &str =
    "Write for example:\n[relay]\nxray = true\notlp = { endpoint = \"https://api.honeycomb.io\", key = \"honeycomb\" }";

impl Settings {
    /// Reads the file; a missing file means defaults.
    pub(crate) fn read(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join(FILE);
        let settings: Self = toml::from_str(&text(&path)?)
            .map_err(|e| Error::usage(format!("{}: {}", path.display(), e.to_string().trim_end()), EXAMPLE))?;
        // One megabyte holds little more than the schema: trimming would never end.
        if settings.telemetry.max_mib < 8 || settings.telemetry.max_days == 0 {
            return Err(Error::usage(format!("{}: telemetry needs at least 8 MiB and 1 day", path.display()), EXAMPLE));
        }
        if let Some(problem) = settings.relay.problem() {
            return Err(Error::usage(format!("{}: {problem}", path.display()), RELAY_EXAMPLE));
        }
        Ok(settings)
    }
}

fn text(path: &Path) -> Result<String, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Error::usage(format!("{}: {error}", path.display()), EXAMPLE)),
    }
}

/// Changes keys of one section and nothing else: comments and order stay. `None` removes a key. The file is replaced
/// as a whole, so that a crash leaves the old or the new one.
pub(crate) fn change(data_dir: &Path, section: &str, keys: &[(&str, Option<toml_edit::Value>)]) -> Result<(), Error> {
    let path = data_dir.join(FILE);
    let mut document: toml_edit::DocumentMut = text(&path)?
        .parse()
        .map_err(|e: toml_edit::TomlError| Error::usage(format!("{}: {}", path.display(), e.message()), EXAMPLE))?;
    let table = document.entry(section).or_insert(toml_edit::table());
    let Some(table) = table.as_table_like_mut() else {
        return Err(Error::usage(format!("{}: {section} is not a section", path.display()), EXAMPLE));
    };
    for (key, value) in keys {
        match value {
            // Assigned rather than inserted, so that a comment after the value stays.
            Some(value) => match table.get_mut(key) {
                Some(item) => *item = toml_edit::value(value.clone()),
                None => drop(table.insert(key, toml_edit::value(value.clone()))),
            },
            None => drop(table.remove(key)),
        }
    }
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(data_dir)?;
        file.write_all(document.to_string().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|e| e.error)
    };
    write().map(drop).map_err(|e| cannot_write(&path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), text).expect("writes");
        Settings::read(folder.path()).map_err(|e| e.message)
    }

    #[test]
    fn missing_settings_have_defaults() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Settings::read(folder.path()).map_err(|e| e.message), Ok(Settings::default()));
        let limits = read("[telemetry]\nmax_mib = 64").expect("reads").telemetry;
        assert_eq!((limits.bytes(), limits.max_days), (64 << 20, 7));
        let level = |text| read(text).expect("reads").log.level.filter();
        assert_eq!(level(""), LevelFilter::INFO);
        assert_eq!(level("[log]\nlevel = \"off\""), LevelFilter::OFF);
        assert_eq!(read("[course]\nfile = \"a.toml\"").expect("reads").course.file, "a.toml");
        assert_eq!(read("").expect("reads").receivers, ReceiverSettings { read: Who::User, change: Who::User });
        for who in [Who::Nobody, Who::User, Who::Machine, Who::Containers] {
            let text = format!("[receivers]\nread = \"{}\"\nchange = \"nobody\"", who.word());
            let expected = ReceiverSettings { read: who, change: Who::Nobody };
            assert_eq!(read(&text).expect("reads").receivers, expected);
        }
    }

    #[test]
    fn errors_are_reported() {
        for (text, said) in [
            ("[telemetry]\nmax_mb = 1", "max_mb"),
            ("[telemetry]\nmax_mib = 1", "at least 8 MiB"),
            ("[telemetry]\nmax_days = \"a\"", "max_days"),
            ("[rollbar]\ntoken = \"x\"", "[rollbar] has no `token`: its keys are endpoint, web"),
            ("[rollbar]\nweb = 1", "[rollbar] invalid type"),
            (
                "[loki]\nendpoint = \"x\"",
                "[loki] is no section: the sections are telemetry, receivers, relay, log, masking, export, aws",
            ),
            ("endpoint = \"x\"", "[endpoint] is no section"),
            ("[export]\nkey = \"x\"", "key"),
            ("[log]\nlevel = \"loud\"", "loud"),
            ("[[masking.rules]]\nname = \"a\"", "placeholder"),
            ("[[masking.rules]]\nname = \"a\"\nplaceholder = \"A\"\nregex = \"x\"", "regex"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_change_leaves_the_rest_of_the_file_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        let at = |text: &str| std::fs::write(&path, text).expect("writes");
        at("# mine\n[telemetry]\nmax_mib = 64 # small disk\n\n[aws]\nprofile = \"a\"\n");
        change(folder.path(), "aws", &[("profile", Some("b".into())), ("region", Some("eu-west-1".into()))])
            .expect("sets");
        change(folder.path(), "rollbar", &[("endpoint", Some("http://127.0.0.1:1".into()))]).expect("sets");
        change(folder.path(), "aws", &[("region", None), ("endpoint", None)]).expect("takes away");
        let now = std::fs::read_to_string(&path).expect("reads");
        assert_eq!(
            now,
            "# mine\n[telemetry]\nmax_mib = 64 # small disk\n\n[aws]\nprofile = \"b\"\n\n[rollbar]\nendpoint = \"http://127.0.0.1:1\"\n"
        );
        at("[aws\n");
        let error = change(folder.path(), "aws", &[("profile", None)]).expect_err("is not overwritten");
        assert!(error.message.contains(FILE), "{}", error.message);
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "[aws\n");
    }
}
