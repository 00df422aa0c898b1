//! The checks of cloud sources: credentials, identity, and data.

use super::Doctor;
use crate::ground::error::{Code, Error};
use crate::ground::schema::{Caller, Check, Identity, Vendor, WhoAmI};

impl Doctor {
    /// The checks for one vendor, in the order in which they can fail.
    pub(crate) async fn cloud_checks(&self, vendor: Vendor, caller: &Caller) -> Vec<Check> {
        let source = match vendor {
            Vendor::Aws => "aws",
            Vendor::Rollbar => "rollbar-cloud",
            Vendor::Honeycomb => "honeycomb",
        };
        let check = |check: &str, ok: bool, detail: String, fix: String| Check {
            source: source.to_owned(),
            check: check.to_owned(),
            ok,
            detail,
            fix,
        };
        let mut checks = Vec::new();
        if let Err(error) = self.cloud.settings() {
            return vec![check("settings", false, error.message, error.hint)];
        }
        match self.cloud.who_am_i(WhoAmI { vendor }, caller).await {
            Ok(identity) => {
                checks.push(check("credentials", true, who(&identity), String::new()));
                for note in &identity.notes {
                    checks.push(check("permissions", true, note.clone(), String::new()));
                }
                if vendor == Vendor::Aws {
                    checks.extend(self.aws_checks(caller, &check).await);
                }
            }
            Err(error) => checks.push(check(which(&error), false, error.message, error.hint)),
        }
        checks
    }

    /// Whether both services can be read, and have data.
    async fn aws_checks(&self, caller: &Caller, check: &impl Fn(&str, bool, String, String) -> Check) -> Vec<Check> {
        let failed = |name: &str, error: Error| check(name, false, error.message, error.hint);
        let ask = match self.cloud.ask_aws(caller).await {
            Ok(ask) => ask,
            Err(error) => return vec![failed("credentials", error)],
        };
        let mut checks = Vec::new();
        checks.push(match self.cloud.list_traces(&ask, "", None, 1, None).await {
            Ok(list) if list.rows.is_empty() => check(
                "X-Ray traces",
                false,
                format!("X-Ray in {} has no trace of the last 6 hours", ask.region()),
                "Is the region the one that the daemon or collector sends to? Without a daemon the SDK drops segments silently"
                    .to_owned(),
            ),
            Ok(_) => check("X-Ray traces", true, format!("X-Ray in {} has traces", ask.region()), String::new()),
            Err(error) => failed("X-Ray traces", error),
        });
        let outcome = ask.aws.logs.groups("", &ask.fetch).await;
        checks.push(match self.cloud.answered(Vendor::Aws, outcome).await {
            Ok(found) if found.rows.is_empty() => check(
                "log groups",
                false,
                format!("there is no log group in {}", ask.region()),
                "watchtower makes one when it sends for the first time; is the region right?".to_owned(),
            ),
            Ok(found) => {
                let names: Vec<&str> = found.rows.iter().take(5).map(|g| g.name.as_str()).collect();
                check("log groups", true, format!("{}: {}", found.rows.len(), names.join(", ")), String::new())
            }
            Err(error) => failed("log groups", error),
        });
        checks
    }
}

fn which(error: &Error) -> &'static str {
    match error.code {
        Code::Credentials => "credentials",
        Code::Unreachable | Code::Throttled => "reachable",
        _ => "settings",
    }
}

fn who(identity: &Identity) -> String {
    let parts = [&identity.account, &identity.name, &identity.region];
    let said: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    match said.is_empty() {
        true => "they are accepted".to_owned(),
        false => said.join(" · "),
    }
}
