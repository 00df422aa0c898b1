//! `tracebook doctor` and `env`.

use std::path::Path;

use serde_json::{Value, json};

use tracebook_app::api::{Check, DoctorReport, DoctorRequest, EnvRequest};
use tracebook_app::{Error, Tracebook};

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

/// Repairs the journal, which may be too damaged to be opened.
pub(super) async fn repair(data_dir: &Path, out: &Out) -> Result<u8, Error> {
    let repaired = Tracebook::repair(data_dir).await?;
    let repair = &repaired.repair;
    let lost: Vec<Value> = repair
        .lost
        .iter()
        .map(|lost| json!({ "kind": lost.kind, "id": lost.id, "title": lost.title, "detail": lost.detail }))
        .collect();
    let answer = json!({
        "checks": repaired.checks,
        "repair": {
            "repaired": repair.kept.is_some(),
            "damage": repair.damage,
            "kept": repair.kept,
            "recovered": repair.recovered,
            "lost": lost,
        },
    });
    out.answer(&answer, |_| {
        let mut words: String = repaired.checks.iter().map(text).collect();
        for lost in &repair.lost {
            words.push_str(&format!("    {} {} {}: {}\n", lost.kind, lost.id, lost.title, lost.detail));
        }
        words
    });
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
