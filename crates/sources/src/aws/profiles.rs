//! The profiles of the shared config and credentials files, read by AWS's own parser.

use std::collections::HashMap;

use aws_config::profile::{ProfileFileLoadError, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::fs_util::{Os, home_dir};
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::sdk_config::SharedHttpClient;

use super::shared_file::{self, Broken, Odd, Rewritten};
use super::text::sentence;
use crate::cloud::{Fault, SourceError};

/// Where a profile gets its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// An access key in the file, possibly with a session token.
    StaticKeys,
    /// IAM Identity Center: `aws sso login`.
    Sso,
    /// A role, assumed with another profile's credentials.
    AssumesRole,
    /// A command that prints credentials.
    Process,
    /// A role, assumed with a token file.
    WebIdentity,
    /// `aws login`, whose session only the AWS CLI can read.
    Login,
    /// The environment: `AWS_ACCESS_KEY_ID` and related variables. Of a connection, never of a profile.
    Environment,
    /// None: settings only.
    Nothing,
}

impl CredentialKind {
    /// Its label in lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::StaticKeys => "static keys",
            Self::Sso => "SSO",
            Self::AssumesRole => "assumes a role",
            Self::Process => "a process",
            Self::WebIdentity => "web identity",
            Self::Login => "aws login",
            Self::Environment => "the environment",
            Self::Nothing => "nothing",
        }
    }
}

/// A profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub region: Option<String>,
    /// The source of its credentials, as [`CredentialKind`] names it: `static keys`, `SSO`, `assumes a role`, `a
    /// process`, `web identity`, `aws login`, `nothing`.
    pub kind: &'static str,
}

/// All profiles of `~/.aws/config` and `~/.aws/credentials` (or of the files that `AWS_CONFIG_FILE` and
/// `AWS_SHARED_CREDENTIALS_FILE` name), `default` first, then by name. Empty if there are no such files.
///
/// # Errors
/// [`Fault::Invalid`] with file and line if a file cannot be read.
pub async fn profiles() -> Result<Vec<Profile>, SourceError> {
    listed(&Machine::real()).await
}

pub(super) async fn listed(machine: &Machine) -> Result<Vec<Profile>, SourceError> {
    let set = machine.profiles().await?;
    let mut names: Vec<&str> = set.profiles().collect();
    names.sort_unstable_by_key(|name| (*name != "default", *name));
    let shown = |name: &str| Profile {
        name: name.to_owned(),
        region: set.get_profile(name).and_then(|p| p.get("region")).map(str::to_owned),
        kind: kind(&set, name).word(),
    };
    Ok(names.into_iter().map(shown).collect())
}

/// Reads both files from text instead of the machine's, in every way that [`profiles`] and
/// [`connect`](super::connect) do. For the fuzzer.
#[doc(hidden)]
pub async fn read_config(config: &str, credentials: &str, profile: &str) {
    let vars: HashMap<String, String> =
        [("HOME", "/home"), ("AWS_PROFILE", profile)].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let files = [("/home/.aws/config", config), ("/home/.aws/credentials", credentials)];
    let machine = Machine::new(vars, Fs::from_slice(&files));
    let Ok(set) = machine.profiles().await else { return };
    for name in set.profiles() {
        kind(&set, name);
        sources(&set, name);
    }
    machine.region(&set, machine.chosen(None), None);
    for keys in [None, Some("aws_access_key_id = AKID")] {
        let files = machine.files(keys).await;
        aws_config::profile::load(&machine.fs, &machine.env, &files, None).await.ok();
    }
}

/// The region that [`connect`](super::connect) will use, as far as the config can be read: the configured one, else
/// `AWS_REGION`, else `AWS_DEFAULT_REGION`, else the profile's.
pub async fn region(profile: Option<&str>, set: Option<&str>) -> Option<String> {
    let machine = Machine::real();
    let profiles = machine.profiles().await.unwrap_or_default();
    machine.region(&profiles, machine.chosen(profile), set)
}

/// Where a profile gets its credentials, decided in aws-config's order.
pub(super) fn kind(set: &ProfileSet, name: &str) -> CredentialKind {
    let Some(profile) = set.get_profile(name) else { return CredentialKind::Nothing };
    let has = |key: &str| profile.get(key).is_some();
    match () {
        () if has("web_identity_token_file") => CredentialKind::WebIdentity,
        () if has("role_arn") => CredentialKind::AssumesRole,
        () if has("sso_session") || has("sso_start_url") => CredentialKind::Sso,
        () if has("login_session") => CredentialKind::Login,
        () if has("credential_process") => CredentialKind::Process,
        () if has("aws_access_key_id") || has("aws_secret_access_key") => CredentialKind::StaticKeys,
        () => CredentialKind::Nothing,
    }
}

/// The profiles from which a role is assumed, the named one first. Each once, because sources may form a loop.
pub(super) fn sources<'a>(set: &'a ProfileSet, name: &'a str) -> Vec<&'a str> {
    let mut names = vec![name];
    while let Some(next) = names.last().and_then(|name| set.get_profile(name)?.get("source_profile")) {
        if names.contains(&next) {
            break;
        }
        names.push(next);
    }
    names
}

/// What aws-config sees of the machine: its environment and its files. aws-config reads them, this crate does not.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) vars: HashMap<String, String>,
    pub(super) env: Env,
    pub(super) fs: Fs,
    /// The HTTP client for credential requests; `None` for aws-config's own.
    pub(super) http: Option<SharedHttpClient>,
}

impl Machine {
    pub(super) fn new(vars: HashMap<String, String>, fs: Fs) -> Self {
        Self { env: Env::from(vars.clone()), vars, fs, http: None }
    }

    pub(super) fn real() -> Self {
        let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        Self::new(std::env::vars_os().filter_map(text).collect(), Fs::real())
    }

    pub(super) fn var(&self, key: &str) -> Option<&str> {
        self.vars.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The profile in effect if none is named.
    pub(super) fn chosen<'a>(&'a self, named: Option<&'a str>) -> &'a str {
        named.or(self.var("AWS_PROFILE")).unwrap_or("default")
    }

    /// The region in effect, without validation.
    pub(super) fn region(&self, profiles: &ProfileSet, chosen: &str, set: Option<&str>) -> Option<String> {
        let region = set
            .or_else(|| self.var("AWS_REGION"))
            .or_else(|| self.var("AWS_DEFAULT_REGION"))
            .or_else(|| profiles.get_profile(chosen)?.get("region"));
        region.map(str::to_owned)
    }

    /// The profiles in the files.
    pub(super) async fn profiles(&self) -> Result<ProfileSet, SourceError> {
        let mut files = EnvConfigFiles::builder();
        for file in FILES {
            files = files.with_contents(file.kind, self.rewritten(&file).await?.text);
        }
        aws_config::profile::load(&self.fs, &self.env, &files.build(), None).await.map_err(|e| broken(&e))
    }

    /// A section of the files that the AWS CLI reads and AWS's library for Rust does not: with the file's path.
    pub(super) async fn odd(&self, kind: &str, name: &str) -> Option<(String, Odd)> {
        for file in FILES {
            let Ok(read) = self.rewritten(&file).await else { continue };
            let same = |odd: &Odd| odd.name == name && (odd.kind == kind || odd.kind.is_empty() && kind == "profile");
            if let Some(odd) = read.odd.into_iter().find(same) {
                return Some((self.path(&file), odd));
            }
        }
        None
    }

    /// A file as AWS's parser reads it; a missing one counts as empty, as in aws-config.
    async fn rewritten(&self, file: &File) -> Result<Rewritten, SourceError> {
        let path = self.path(file);
        let bytes = self.fs.read_to_end(&path).await.unwrap_or_default();
        let is_config = matches!(file.kind, EnvConfigFileKind::Config);
        shared_file::decoded(&bytes).and_then(|text| shared_file::rewritten(&text, is_config)).map_err(|broken| {
            let Broken { line, column, why } = broken;
            SourceError::new(
                Fault::Invalid,
                format!("the AWS config cannot be read: {path}, line {line}, character {column}: {why}"),
                "Fix the line in an editor; `aws configure list` shows whether the AWS CLI can read it",
            )
        })
    }

    fn path(&self, file: &File) -> String {
        let path = self.var(file.var).unwrap_or(file.path);
        match (path.strip_prefix("~/"), home_dir(&self.env, Os::real())) {
            (Some(rest), Some(home)) => format!("{home}/{rest}"),
            _ => path.to_owned(),
        }
    }

    /// The two files without settings that would redirect credential requests; see [`without_endpoints`]. With `keys`,
    /// a role whose `credential_source` is the environment is assumed with those.
    pub(super) async fn files(&self, keys: Option<&str>) -> EnvConfigFiles {
        let mut files = EnvConfigFiles::builder();
        for file in FILES {
            // A file that cannot be read was reported when the profiles were read.
            let text = self.rewritten(&file).await.unwrap_or_default().text;
            let text = without_endpoints(&text);
            files = files.with_contents(file.kind, keys.map_or(text.clone(), |_| sourced(&text)));
        }
        if let Some(keys) = keys {
            files = files.with_contents(EnvConfigFileKind::Credentials, format!("[{ENVIRONMENT}]\n{keys}"));
        }
        files.build()
    }
}

/// One of the two shared files.
struct File {
    kind: EnvConfigFileKind,
    /// The variable that names another path.
    var: &'static str,
    path: &'static str,
}

const FILES: [File; 2] = [
    File { kind: EnvConfigFileKind::Config, var: "AWS_CONFIG_FILE", path: "~/.aws/config" },
    File { kind: EnvConfigFileKind::Credentials, var: "AWS_SHARED_CREDENTIALS_FILE", path: "~/.aws/credentials" },
];

/// The profile that stands for the keys of the environment.
const ENVIRONMENT: &str = "tracebook-environment";

/// A file whose `endpoint_url` lines have no effect, in profiles and in `[services …]` sections: they may point to our
/// own receiver.
pub(super) fn without_endpoints(text: &str) -> String {
    rewritten(text, |key, value| (key == "endpoint_url").then(|| format!("endpoint_not_taken ={value}")))
}

/// A file whose roles are assumed from [`ENVIRONMENT`] instead of from the environment itself, which is not consulted
/// if a profile is named: its keys would take precedence over the profile.
fn sourced(text: &str) -> String {
    let is_environment = |value: &str| value.trim().eq_ignore_ascii_case("environment");
    rewritten(text, |key, value| {
        (key == "credential_source" && is_environment(value)).then(|| format!("source_profile = {ENVIRONMENT}"))
    })
}

/// Replaces some `key = value` lines, one by one, so that continuation lines still belong to them.
fn rewritten(text: &str, instead: impl Fn(&str, &str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let other = line.split_once('=').and_then(|(key, value)| instead(&key.trim().to_ascii_lowercase(), value));
        match other {
            Some(other) => {
                out.push_str(&line[..line.len() - line.trim_start().len()]);
                out.push_str(&other);
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

fn broken(error: &ProfileFileLoadError) -> SourceError {
    let mut why = error.to_string();
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
        why = cause.to_string();
    }
    SourceError::new(
        Fault::Invalid,
        format!("the AWS config cannot be read: {}", sentence(&why, "no reason given")),
        "Fix the line in an editor; `aws configure list` shows whether the AWS CLI can read it",
    )
}
