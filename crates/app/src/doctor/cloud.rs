//! The checks of cloud sources: credentials, identity, and data.

use super::Doctor;
use crate::cloud;
use crate::ground::error::{Code, Error};
use crate::ground::schema::{Caller, Check, Identity, Vendor, WhoAmI};

impl Doctor {
    /// The checks for one vendor, in the order in which they can fail.
    pub(crate) async fn cloud_checks(&self, vendor: Vendor, caller: &Caller) -> Vec<Check> {
        let check = |check: &str, ok: bool, detail: String, fix: String| Check {
            source: vendor.info().checks.to_string(),
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
                checks.extend(cloud::vendor(vendor).checks(&self.cloud, caller).await);
            }
            Err(error) => checks.push(check(which(&error), false, error.message, error.hint)),
        }
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
