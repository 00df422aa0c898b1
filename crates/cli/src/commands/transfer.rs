//! `tracebook import`, `check` and `export`.

use std::path::Path;

use tracebook_app::Error;
use tracebook_app::api::{EntryCheck, Export as Request, ExportFormat as Format, Import, NamedText, Problem};
use tracebook_core::text::count;

use crate::args::{Export, ExportFormat};
use crate::client::Client;
use crate::input::{read_text, with_passphrase};
use crate::out::{Out, columns};

pub(super) async fn import(client: &Client, paths: Vec<String>, out: &Out) -> Result<u8, Error> {
    let (stdin, paths): (Vec<String>, Vec<String>) = paths.into_iter().partition(|path| path == "-");
    let texts = match stdin.is_empty() {
        true => Vec::new(),
        false => vec![NamedText { name: "stdin.md".to_owned(), text: read_text("-")? }],
    };
    let imported = client.call(Import { paths, texts }).await?;
    out.answer(&imported, |done| {
        let mut text = String::new();
        for entry in &done.entries {
            text.push_str(&format!("{} ({})\n", entry.slug, entry.title));
        }
        for evidence in &done.evidence {
            text.push_str(&format!("  {} {}\n", evidence.id, evidence.title));
        }
        text
    });
    out.warnings(&imported.warnings);
    Ok(0)
}

pub(super) async fn check(client: &Client, entry: Option<String>, out: &Out) -> Result<u8, Error> {
    let checked = client.call(EntryCheck { entry }).await?;
    out.answer(&checked, |checked| {
        let place = |p: &Problem| p.line.map_or(p.entry.clone(), |line| format!("{}:{line}", p.entry));
        let cells = |p: &Problem| vec![place(p), p.kind.word().to_owned(), p.message.clone()];
        let rows: Vec<Vec<String>> = checked.problems.iter().map(cells).collect();
        let masks: u32 = checked.masks.iter().map(|masks| masks.count).sum();
        let masked = match masks {
            0 => String::new(),
            n => format!("an export masks {} in the text (`mask preview`)\n", values(n)),
        };
        match rows.len() {
            0 => format!("nothing is missing\n{masked}"),
            n => format!("{}{}\n{masked}", columns(&rows), count(n, "problem")),
        }
    });
    Ok(u8::from(!checked.ok))
}

fn values(n: u32) -> String {
    count(usize::try_from(n).unwrap_or(usize::MAX), "value")
}

pub(super) async fn export(client: &Client, export: Export, out: &Out) -> Result<u8, Error> {
    let folder = export.to.clone();
    let ask = |passphrase| {
        client.call(Request {
            entries: export.entries.clone(),
            to: export.to.clone(),
            force: export.force,
            allow_leaks: export.allow_leaks,
            redraw: export.redraw,
            allow: Vec::new(),
            format: match export.format {
                ExportFormat::Github => Format::Github,
                ExportFormat::Html => Format::Html,
                ExportFormat::Bundle => Format::Bundle,
            },
            raw: export.raw,
            sign: export.sign.clone(),
            passphrase,
        })
    };
    let done = with_passphrase(ask).await?;
    out.answer(&done, |done| {
        let mut text = String::new();
        for path in &done.written {
            text.push_str(&format!("wrote {}\n", Path::new(&folder).join(path).display()));
        }
        let masked = if done.masked > 0 { format!(", {} masked", values(done.masked)) } else { String::new() };
        text.push_str(&format!("{} written, {} unchanged{masked}\n", done.written.len(), done.unchanged));
        text.extend(done.signed_by.iter().map(|key| format!("signed with {key}\n")));
        text
    });
    out.warnings(&done.warnings);
    for path in &done.refused {
        out.warn(&format!(
            "{path} was not written by Tracebook, or has changed since: left as it is (--force overwrites it)"
        ));
    }
    Ok(if done.refused.is_empty() { 0 } else { 4 })
}
