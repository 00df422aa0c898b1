//! The section `[relay]` of `tracebook.toml`: names of credentials, never their values.

use std::collections::BTreeMap;

use serde::Deserialize;

use tracebook_sources::otlp::client::HONEYCOMB_HEADER;

/// Where received telemetry is forwarded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Destination {
    /// An OTLP endpoint: what arrives over OTLP, traces and logs.
    Otlp,
    /// X-Ray: what arrives as segments.
    Xray,
    /// CloudWatch Logs: what arrives by PutLogEvents.
    Logs,
    /// Rollbar: what arrives as items.
    Rollbar,
}

impl Destination {
    pub(crate) const ALL: [Self; 4] = [Self::Otlp, Self::Xray, Self::Logs, Self::Rollbar];

    /// Its name in the store, the settings and the commands. Never renamed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::Xray => "xray",
            Self::Logs => "logs",
            Self::Rollbar => "rollbar",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|to| to.name() == name)
    }
}

/// What is forwarded; nothing by default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RelaySettings {
    /// Where OTLP data goes.
    pub(crate) otlp: Option<OtlpRelay>,
    /// Forward segments to X-Ray.
    pub(crate) xray: bool,
    /// Forward log events to CloudWatch Logs.
    pub(crate) logs: bool,
    /// Forward items to Rollbar.
    pub(crate) rollbar: bool,
    /// MiB that may be queued for all destinations.
    pub(crate) max_mib: u32,
    /// Hours that a payload may be queued.
    pub(crate) max_hours: u32,
}

/// An OTLP/HTTP endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OtlpRelay {
    /// `https://api.honeycomb.io`.
    pub(crate) endpoint: String,
    /// Turning it off keeps the endpoint.
    #[serde(default = "yes")]
    pub(crate) on: bool,
    /// Where the key is: `honeycomb` (the keychain, or `HONEYCOMB_API_KEY`) or `env:NAME`. Without it no key is sent.
    #[serde(default)]
    pub(crate) key: Option<String>,
    /// The header for the key.
    #[serde(default)]
    pub(crate) header: Option<String>,
    /// Other headers; none may carry a credential.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

/// The key of an OTLP endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Honeycomb's, from the keychain or its variable.
    Honeycomb,
    /// An environment variable.
    Variable(String),
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self { otlp: None, xray: false, logs: false, rollbar: false, max_mib: 64, max_hours: 7 * 24 }
    }
}

impl RelaySettings {
    pub(crate) fn is_on(&self, to: Destination) -> bool {
        match to {
            Destination::Otlp => self.otlp.as_ref().is_some_and(|otlp| otlp.on),
            Destination::Xray => self.xray,
            Destination::Logs => self.logs,
            Destination::Rollbar => self.rollbar,
        }
    }

    /// Bytes that may be queued.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.max_mib) << 20
    }

    /// Nanoseconds that a payload may be queued.
    pub(crate) fn nanos(&self) -> i64 {
        i64::from(self.max_hours).saturating_mul(60 * 60 * 1_000_000_000)
    }

    /// What is wrong with the settings.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.max_mib == 0 || self.max_hours == 0 {
            return Some("relay needs at least 1 MiB and 1 hour".to_owned());
        }
        self.otlp.as_ref().and_then(OtlpRelay::problem)
    }
}

impl OtlpRelay {
    /// `None` where no key is sent.
    pub(crate) fn key(&self) -> Option<Key> {
        let key = self.key.as_deref()?;
        match key.strip_prefix("env:") {
            Some(name) => Some(Key::Variable(name.to_owned())),
            None => Some(Key::Honeycomb),
        }
    }

    /// The header for the key.
    pub(crate) fn header(&self) -> &str {
        self.header.as_deref().unwrap_or(HONEYCOMB_HEADER)
    }

    /// What is wrong, without repeating what may be a credential.
    pub(crate) fn problem(&self) -> Option<String> {
        let behind = self.endpoint.split_once("://").map_or("", |(_, behind)| behind);
        let authority = behind.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() || authority.contains('@') || self.endpoint.contains('?') {
            return Some(
                "relay.otlp.endpoint is not an address like https://api.honeycomb.io, or contains a user name, a password or a query"
                    .to_owned(),
            );
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        // The value may be a key that was pasted by mistake, so it is not repeated.
        match self.key.as_deref() {
            None | Some("honeycomb") => {}
            Some(key) if key.strip_prefix("env:").is_some_and(is_name) => {}
            Some(_) => {
                return Some(
                    "relay.otlp.key names where the key is: \"honeycomb\", or \"env:NAME\" for an environment variable"
                        .to_owned(),
                );
            }
        }
        let carries = self.headers.keys().find(|name| is_credential(name))?;
        Some(format!(
            "relay.otlp.headers contains {carries}, which carries a credential; credentials are not stored in this file. Write key = \
             \"env:NAME\" and header = \"{carries}\""
        ))
    }

    /// As written to the file.
    pub(crate) fn written(&self) -> toml_edit::Value {
        let mut table = toml_edit::InlineTable::new();
        table.insert("endpoint", self.endpoint.as_str().into());
        for (name, value) in [("key", &self.key), ("header", &self.header)] {
            if let Some(value) = value {
                table.insert(name, value.as_str().into());
            }
        }
        if !self.headers.is_empty() {
            let headers: toml_edit::InlineTable =
                self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            table.insert("headers", headers.into());
        }
        if !self.on {
            table.insert("on", false.into());
        }
        table.into()
    }
}

fn is_credential(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    header == HONEYCOMB_HEADER
        || ["auth", "cookie", "token", "key", "secret", "password", "credential", "dsn", "signature"]
            .iter()
            .any(|word| header.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> RelaySettings {
        toml::from_str(text).expect("reads")
    }

    #[test]
    fn nothing_is_forwarded_by_default() {
        let set = RelaySettings::default();
        assert!(Destination::ALL.iter().all(|to| !set.is_on(*to)));
        assert_eq!((read(""), set.bytes(), set.nanos()), (set.clone(), 64 << 20, 7 * 86_400_000_000_000));
        assert_eq!(set.problem(), None);
    }

    #[test]
    fn configured_destinations_are_on() {
        let set = read("xray = true\notlp = { endpoint = \"https://api.honeycomb.io\", key = \"honeycomb\" }");
        assert_eq!(Destination::ALL.map(|to| set.is_on(to)), [true, true, false, false]);
        let otlp = set.otlp.expect("set");
        assert_eq!((otlp.key(), otlp.header()), (Some(Key::Honeycomb), "x-honeycomb-team"));
        let off = read("[otlp]\nendpoint = \"https://a.example\"\non = false\nkey = \"env:OTLP_KEY\"");
        assert!(!off.is_on(Destination::Otlp) && off.problem().is_none());
        assert_eq!(off.otlp.expect("set").key(), Some(Key::Variable("OTLP_KEY".to_owned())));
        assert!(toml::from_str::<RelaySettings>("xrya = true").is_err());
    }

    #[test]
    fn a_credential_in_the_file_is_rejected_and_not_quoted() {
        for text in [
            "otlp = { endpoint = \"https://a.example\", key = \"hcaik_planted\" }",
            "otlp = { endpoint = \"https://a.example\", key = \"env:hcaik planted\" }",
            "otlp = { endpoint = \"https://a.example\", headers = { Authorization = \"Basic planted\" } }",
            "otlp = { endpoint = \"https://a.example\", headers = { X-Honeycomb-Team = \"planted\" } }",
            "otlp = { endpoint = \"https://me:planted@a.example\" }",
            "otlp = { endpoint = \"https://a.example/?key=planted\" }",
            "otlp = { endpoint = \"https://a.example\", headers = { x-sentry-auth = \"planted\" } }",
            "otlp = { endpoint = \"https://a.example\", headers = { uptrace-dsn = \"planted\" } }",
            "otlp = { endpoint = \"https://a.example\", headers = { x-api-key = \"planted\" } }",
        ] {
            let problem = read(text).problem().expect(text);
            assert!(!problem.contains("planted"), "{problem}");
        }
        assert_eq!(
            read("otlp = { endpoint = \"https://a.example\", headers = { x-honeycomb-dataset = \"a\" } }").problem(),
            None
        );
        assert!(read("max_mib = 0").problem().is_some());
    }

    #[test]
    fn written_settings_can_be_read() {
        let mut otlp = OtlpRelay {
            endpoint: "https://a.example/\"x\"".into(),
            on: false,
            key: Some("honeycomb".into()),
            header: Some("x-team".into()),
            headers: BTreeMap::from([("x-honeycomb-dataset".to_owned(), "a b".to_owned())]),
        };
        for on in [false, true] {
            otlp.on = on;
            assert_eq!(read(&format!("otlp = {}", otlp.written())).otlp, Some(otlp.clone()));
        }
    }
}
