//! `tracebook verify`, of files and of a class.

use std::path::Path;

use tracebook_app::signing::{AllowedSigners, SignatureVerdict};
use tracebook_app::verify::{self as app, Class, EntryVerdict, Student, VerifiedEntry, VerifiedEvidence};
use tracebook_app::{Code, Error};
use tracebook_core::text::count;

use crate::args::Verify;
use crate::out::{Out, columns};

pub(super) fn verify(asked: &Verify, out: &Out) -> Result<u8, Error> {
    match &asked.class {
        Some(dir) => class(asked, dir, out),
        None => files(asked, out),
    }
}

fn allowed(asked: &Verify) -> Result<Option<AllowedSigners>, Error> {
    asked.allowed_signers.as_deref().map(AllowedSigners::read).transpose()
}

fn files(asked: &Verify, out: &Out) -> Result<u8, Error> {
    let expect = asked.expect;
    let verified = app::verify_signed(&asked.paths, expect, asked.redraw.as_deref(), allowed(asked)?)?;
    let listed = asked.allowed_signers.is_some();
    out.answer(&verified, |verified| {
        let cells = |e: &VerifiedEvidence| vec![e.verdict.word().to_owned(), e.file.clone(), e.why.clone()];
        let mut rows: Vec<Vec<String>> = verified.evidence.iter().map(cells).collect();
        let found = rows.len();
        let texts = |e: &VerifiedEntry| {
            let why = std::iter::once(&e.why).chain(&e.notes).cloned().collect::<Vec<_>>().join("; ");
            vec![e.verdict.word().to_owned(), e.file.clone(), why]
        };
        let said = |e: &&VerifiedEntry| e.verdict != EntryVerdict::Intact || !e.notes.is_empty();
        rows.extend(verified.entries.iter().filter(said).map(texts));
        let signatures = verified.signatures.iter().filter(|s| s.verdict != SignatureVerdict::Absent || listed);
        rows.extend(signatures.map(|s| vec![s.verdict.word().to_owned(), s.file.clone(), s.why.clone()]));
        let wanted = expect.unwrap_or(1).max(1);
        let verdict = match (verified.ok, found) {
            (true, _) => "all of it is intact".to_owned(),
            (false, 0) => "NOTHING was verified".to_owned(),
            (false, _) if found < usize::try_from(wanted).unwrap_or(usize::MAX) => {
                format!("FEWER than the expected {wanted}")
            }
            (false, _) if !verified.signed => "NOT all of it is signed as it has to be".to_owned(),
            (false, _) => "NOT all of it is intact".to_owned(),
        };
        format!("{}{found} evidence, {verdict}", columns(&rows))
    });
    out.warnings(&verified.warnings);
    Ok(u8::from(!verified.ok))
}

fn class(asked: &Verify, dir: &Path, out: &Out) -> Result<u8, Error> {
    let class = app::class_signed(dir, asked.course.as_deref(), allowed(asked)?)?;
    if let Some(file) = &asked.csv {
        write(file, &app::to_csv(&class))?;
    }
    if let Some(file) = &asked.html {
        write(file, &app::to_html(&class))?;
    }
    out.answer(&class, |class| text(class, asked.course.is_some()));
    out.warnings(&class.warnings);
    Ok(u8::from(!class.ok))
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(file, text).map_err(|e| {
        Error::new(
            Code::Storage,
            format!("{} could not be written: {e}", file.display()),
            "Name a file in a folder that exists",
        )
    })
}

fn text(class: &Class, graded: bool) -> String {
    let cells = |student: &Student| {
        let verdicts: Vec<String> = student.verdicts.iter().map(|(verdict, n)| format!("{n} {verdict}")).collect();
        let mut cells =
            vec![if student.ok { "ok" } else { "no" }.to_owned(), student.name.clone(), verdicts.join(", ")];
        if graded {
            cells.push(format!("{} met, {} missing", student.met.len(), student.missing.len()));
        }
        let shared = match student.shared_with.len() {
            0 => String::new(),
            1 => format!("shares with {}", student.shared_with[0].name),
            n => format!("shares with {} and {} more", student.shared_with[0].name, n - 1),
        };
        let notes = student.notes.first().cloned().unwrap_or_default();
        cells.push([shared, notes].into_iter().filter(|said| !said.is_empty()).collect::<Vec<_>>().join("; "));
        cells
    };
    let rows: Vec<Vec<String>> = class.students.iter().map(cells).collect();
    let fine = class.students.iter().filter(|student| student.ok).count();
    format!("{}{}, {fine} without a finding", columns(&rows), count(rows.len(), "student"))
}
