//! `tracebook doctor` and `env`.

use serde_json::json;

use tracebook_app::Error;
use tracebook_app::api::{Check, DoctorReport, DoctorRequest, EnvRequest};

use crate::args::Doctor;
use crate::client::Client;
use crate::out::Out;

pub(super) async fn run(client: &Client, doctor: Doctor, out: &Out) -> Result<u8, Error> {
    let Doctor { receiver: source, source: from, report, .. } = doctor;
    let from = from.unwrap_or_default();
    match report {
        None => {
            let checks = client.call(DoctorRequest { source, from }).await?;
            out.answer(&json!({ "checks": checks }), |_| checks.iter().map(text).collect());
        }
        Some(path) => {
            let reported = client.call(DoctorReport { path: path.display().to_string(), source, from }).await?;
            out.answer(&reported, |r| {
                let checks: String = r.checks.iter().map(text).collect();
                format!("{checks}\nThe report is in {}. Read it before you attach it.", r.report)
            });
        }
    }
    Ok(0)
}

fn text(check: &Check) -> String {
    let mark = if check.ok { "✓" } else { "✗" };
    let mut text = format!("{mark} {}: {}\n    {}\n", check.source, check.check, check.detail);
    for line in check.fix.lines() {
        text.push_str(&format!("    → {line}\n"));
    }
    text
}

pub(super) async fn env(client: &Client, target: Option<String>, out: &Out) -> Result<u8, Error> {
    let answer = client.call(EnvRequest { target }).await?;
    out.answer(&answer, |a| a.text.clone());
    Ok(0)
}
