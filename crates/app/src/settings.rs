//! `tracebook.toml` in the data directory: what the user set. Never a secret.

use std::path::Path;

use serde::Deserialize;

use crate::error::Error;

/// The file's name.
pub(crate) const FILE: &str = "tracebook.toml";

/// What is set; what is not has its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) telemetry: TelemetryLimits,
}

/// How much telemetry is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TelemetryLimits {
    /// MiB of `telemetry.db`.
    pub(crate) max_mib: u32,
    /// Days since it arrived.
    pub(crate) max_days: u32,
}

impl Default for TelemetryLimits {
    fn default() -> Self {
        Self { max_mib: 512, max_days: 7 }
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

impl Settings {
    /// Reads the file; where there is none, everything has its default.
    pub(crate) fn read(data_dir: &Path) -> Result<Self, Error> {
        const EXAMPLE: &str = "Write for example:\n[telemetry]\nmax_mib = 512\nmax_days = 7";
        let path = data_dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::usage(format!("{}: {error}", path.display()), EXAMPLE)),
        };
        let settings: Self = toml::from_str(&text)
            .map_err(|e| Error::usage(format!("{}: {}", path.display(), e.to_string().trim_end()), EXAMPLE))?;
        // A megabyte holds the schema and little else: trimming would never end.
        if settings.telemetry.max_mib < 8 || settings.telemetry.max_days == 0 {
            return Err(Error::usage(format!("{}: telemetry needs at least 8 MiB and 1 day", path.display()), EXAMPLE));
        }
        Ok(settings)
    }
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
    fn what_is_not_set_has_its_default() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Settings::read(folder.path()).map_err(|e| e.message), Ok(Settings::default()));
        let limits = read("[telemetry]\nmax_mib = 64").expect("reads").telemetry;
        assert_eq!((limits.bytes(), limits.max_days), (64 << 20, 7));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("[telemetry]\nmax_mb = 1", "max_mb"),
            ("[telemetry]\nmax_mib = 1", "at least 8 MiB"),
            ("[telemetry]\nmax_days = \"a\"", "max_days"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(said), "{error}");
        }
    }
}
