//! The verdicts on a class: one folder for each student, and what stands in several of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use tracebook_core::course::{self, Course};
use tracebook_core::entry;
use tracebook_core::evidence::{Evidence, Kind};
use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;
use tracebook_render::markdown;
use tracebook_render::verify::{self, Verdict};

use super::homework::{Lacking, Met, Paper, judge};
use super::{Check, EntryVerdict, File, PICTURES, has_extension};
use crate::courses;
use crate::ground::error::Error;
use crate::ground::files::sha256;
use crate::ground::folder::{Entry, Folder};
use crate::signing::{AllowedSigners, SignatureVerdict};

/// The most students.
const MOST_STUDENTS: usize = 2_000;
/// The largest picture that is compared, and the most bytes of all pictures of a student.
const LARGEST_PICTURE: u64 = 16 * 1024 * 1024;
const MOST_PICTURE_BYTES: u64 = 512 * 1024 * 1024;
/// From this many students on, a picture that more than half of them have is taken for material of the course.
const A_FEW: usize = 4;

/// The result for a class.
#[derive(Clone, Debug, Serialize)]
pub struct Class {
    /// Whether all students have evidence, all of it holds, no homework is missing, and nothing is shared.
    pub ok: bool,
    /// One row for each folder, by name.
    pub students: Vec<Student>,
    /// What was not looked at.
    pub warnings: Vec<String>,
}

/// The result for one student.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Student {
    /// The folder's name.
    pub name: String,
    /// As [`Class::ok`], of this student.
    pub ok: bool,
    /// The homework that is met; empty without a course.
    pub met: Vec<Met>,
    /// The required homework that is not met.
    pub missing: Vec<Lacking>,
    /// How many pieces of evidence have each verdict.
    pub verdicts: BTreeMap<&'static str, usize>,
    /// When the first and the last piece of evidence that holds was captured (RFC 3339).
    pub first: Option<String>,
    pub last: Option<String>,
    /// The students who have the same evidence or pictures.
    pub shared_with: Vec<Shared>,
    /// Whose keys signed the manifests: the principal, else the fingerprint.
    pub signed_by: Vec<String>,
    pub evidence: Vec<StudentEvidence>,
    /// What else there is to say: missing entries, warnings.
    pub notes: Vec<String>,
}

/// What two students have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// The other student.
    pub name: String,
    /// How many ids of evidence, digests of data, trace ids, and other pictures are the same.
    pub ids: u32,
    pub digests: u32,
    pub traces: u32,
    pub pictures: u32,
}

/// One piece of evidence of a student.
#[derive(Clone, Debug, Serialize)]
pub struct StudentEvidence {
    pub file: String,
    pub id: Option<Id>,
    pub verdict: Verdict,
    pub notes: Vec<String>,
    /// Its kind, title and time of capture, if its data can be read.
    pub kind: Option<Kind>,
    pub title: Option<String>,
    pub captured_at: Option<String>,
}

/// What is collected from a student's folder beside the verdicts.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Whether texts are read for the rules of a course.
    graded: bool,
    papers: Vec<Paper>,
    images: BTreeSet<String>,
}

impl Findings {
    /// Keeps a text.
    pub(super) fn text(&mut self, path: &str, week: Option<&str>, md: &str) {
        if !self.graded {
            return;
        }
        let stem = Path::new(path).file_stem().unwrap_or_default().to_string_lossy();
        let title = || markdown::title(md).and_then(|title| entry::week_of(&title));
        let week = week.map(str::to_owned).or_else(|| entry::week_of(&stem)).or_else(title);
        let (own, shown) = verify::own_words(md);
        self.papers.push(Paper { week, sections: markdown::sections(&own), shown });
    }

    /// Keeps the digests of the pictures below the folders of exported texts.
    pub(super) fn keep_images(&mut self, files: &[File], journals: &[&Path]) {
        let mut left = MOST_PICTURE_BYTES;
        for file in files {
            let path = Path::new(&file.name);
            let is_picture = PICTURES.iter().any(|kind| has_extension(path, kind));
            if !is_picture || !journals.iter().any(|journal| file.real.starts_with(journal)) {
                continue;
            }
            if let Ok(bytes) = file.folder.read(path, LARGEST_PICTURE.min(left)) {
                left = left.saturating_sub(bytes.len() as u64);
                self.images.insert(sha256(&bytes));
            }
        }
    }
}

/// What is compared across students: an id, a digest, a trace id or the digest of a picture, and which of these it is.
type Mark = (Shape, String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Shape {
    Id,
    Digest,
    Trace,
    Picture,
}

/// Checks every folder in `dir`, each as [`super::verify`] does, on all cores. Without a course,
/// homework is not judged.
///
/// # Errors
/// If `dir` or the course file cannot be read, or there are too many folders. What is wrong with one folder is
/// in its row.
pub fn class(dir: &Path, course: Option<&Path>) -> Result<Class, Error> {
    class_signed(dir, course, None)
}

/// As [`class`]. With a list of allowed signers, all evidence has to be signed by one of them.
///
/// # Errors
/// As [`class`].
pub fn class_signed(dir: &Path, course: Option<&Path>, allowed: Option<AllowedSigners>) -> Result<Class, Error> {
    let allowed = allowed.map(Arc::new);
    let course = course.map(read_course).transpose()?;
    let mut warnings: Vec<String> = allowed.iter().flat_map(|allowed| allowed.warnings.iter().cloned()).collect();
    let names = students(dir, &mut warnings)?;
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Judged>>> = Mutex::new(vec![None; names.len()]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(names.len()) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(name) = names.get(n) else { return };
                    let answer = student(dir, name, course.as_ref(), allowed.as_ref());
                    done.lock().unwrap_or_else(PoisonError::into_inner)[n] = Some(answer);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (mut students, marks): (Vec<Student>, Vec<BTreeSet<Mark>>) = done.into_iter().flatten().unzip();
    compare(&mut students, &marks, &mut warnings);
    let ok = !students.is_empty() && students.iter().all(|student| student.ok);
    Ok(Class { ok, students, warnings })
}

/// A row, and what it may share with others.
type Judged = (Student, BTreeSet<Mark>);

fn read_course(file: &Path) -> Result<Course, Error> {
    course::parse(&courses::read(file)?).map_err(|problems| {
        let more = if problems.len() > 1 { format!(", and {} more", problems.len() - 1) } else { String::new() };
        let first = problems.first().map(|problem| format!("{}: {}", problem.line, problem.message));
        Error::usage(
            format!("{}:{}{more}", file.display(), first.unwrap_or_default()),
            "`tracebook course check` lists everything that is wrong with it",
        )
    })
}

/// The names of the folders in a folder.
fn students(dir: &Path, warnings: &mut Vec<String>) -> Result<Vec<String>, Error> {
    let hint = "Name a folder that has one folder for each student";
    let cannot = |e: std::io::Error| Error::not_found(format!("{}: {e}", dir.display()), hint);
    let real = dir.canonicalize().map_err(cannot)?;
    if !real.is_dir() {
        return Err(Error::usage(format!("{} is not a folder", dir.display()), hint));
    }
    let folder = Folder::open(&real).map_err(cannot)?;
    let mut names = Vec::new();
    for (name, entry) in folder.entries(MOST_STUDENTS * 2).map_err(cannot)? {
        let hidden = name.to_string_lossy().starts_with('.');
        match (entry, name.into_string()) {
            _ if hidden => {}
            (Entry::Folder, Ok(name)) => names.push(name),
            (Entry::Folder, Err(name)) => {
                warnings.push(format!("{} was not checked: its name is not UTF-8", name.to_string_lossy()));
            }
            (Entry::Link, name) => {
                let name = name.unwrap_or_else(|name| name.to_string_lossy().into_owned());
                warnings.push(format!("{name} was not checked: it is a link"));
            }
            (Entry::File | Entry::Special, _) => {}
        }
    }
    if names.is_empty() {
        return Err(Error::not_found(format!("{} has no folders", dir.display()), hint));
    }
    if names.len() > MOST_STUDENTS {
        return Err(Error::usage(format!("{} has more than {MOST_STUDENTS} folders", dir.display()), hint));
    }
    Ok(names)
}

fn student(
    dir: &Path,
    name: &str,
    course: Option<&Course>,
    allowed: Option<&Arc<AllowedSigners>>,
) -> (Student, BTreeSet<Mark>) {
    let class = Findings { graded: course.is_some(), ..Findings::default() };
    let mut check = Check { class: Some(class), allowed: allowed.cloned(), ..Check::default() };
    let mut student = Student { name: name.to_owned(), ..Student::default() };
    let checked = check.path(&dir.join(name).display().to_string());
    let findings = check.class.take().unwrap_or_default();
    let verified = match checked.and_then(|()| check.finish(1)) {
        Ok(verified) => verified,
        Err(error) => {
            student.notes.push(error.message);
            return (student, BTreeSet::new());
        }
    };
    let mut marks: BTreeSet<Mark> = findings.images.into_iter().map(|digest| (Shape::Picture, digest)).collect();
    let mut holding: BTreeMap<Id, &Evidence> = BTreeMap::new();
    let mut times: Vec<Nanos> = Vec::new();
    for row in &verified.evidence {
        *student.verdicts.entry(row.verdict.word()).or_default() += 1;
        let about = row.about.as_ref();
        if let Some(about) = about {
            marks.insert((Shape::Id, about.frozen.evidence.id.to_string()));
            marks.insert((Shape::Digest, about.frozen.digest.clone()));
            marks.extend(about.trace().map(|trace| (Shape::Trace, trace.to_string())));
            if row.verdict.holds() {
                holding.insert(about.frozen.evidence.id, &about.frozen.evidence);
                times.push(about.captured_at());
            }
        }
        student.evidence.push(StudentEvidence {
            file: row.file.clone(),
            id: row.id,
            verdict: row.verdict,
            notes: row.notes.clone(),
            kind: about.map(|about| about.kind()),
            title: about.map(|about| about.frozen.evidence.title()),
            captured_at: about.map(|about| about.captured_at().rfc3339()),
        });
    }
    student.first = times.iter().min().map(|time| time.rfc3339());
    student.last = times.iter().max().map(|time| time.rfc3339());
    if let Some(course) = course {
        (student.met, student.missing) = judge(course, &findings.papers, &holding);
    }
    for signature in &verified.signatures {
        if !signature.verdict.holds() || signature.verdict == SignatureVerdict::Absent && allowed.is_some() {
            student.notes.push(format!("{}: {}", signature.file, signature.why));
        }
        student.signed_by.extend(signature.principal.clone().or_else(|| signature.signer.clone()));
    }
    if !verified.signed && student.notes.is_empty() {
        student.notes.push("some evidence is not listed by a manifest that a trusted key signed".to_owned());
    }
    for entry in &verified.entries {
        match entry.verdict {
            EntryVerdict::Missing => student.notes.push(format!("{}: {}", entry.file, entry.why)),
            EntryVerdict::Intact | EntryVerdict::Changed => {
                student.notes.extend(entry.notes.iter().map(|note| format!("{}: {note}", entry.file)));
            }
        }
    }
    if verified.evidence.is_empty() {
        student.notes.push("no evidence was found".to_owned());
    }
    student.notes.extend(verified.warnings);
    student.ok = verified.ok && student.missing.is_empty();
    (student, marks)
}

/// Finds what several students have.
fn compare(students: &mut [Student], marks: &[BTreeSet<Mark>], warnings: &mut Vec<String>) {
    let mut owners: HashMap<&Mark, Vec<usize>> = HashMap::new();
    for (n, marks) in marks.iter().enumerate() {
        for mark in marks {
            owners.entry(mark).or_default().push(n);
        }
    }
    let mut common = 0_usize;
    let mut pairs: BTreeMap<(usize, usize), BTreeMap<Shape, u32>> = BTreeMap::new();
    for ((kind, _), owners) in owners {
        if *kind == Shape::Picture && owners.len() > A_FEW && owners.len() * 2 > students.len() {
            common += 1;
            continue;
        }
        for (at, one) in owners.iter().enumerate() {
            for other in &owners[at + 1..] {
                *pairs.entry((*one, *other)).or_default().entry(*kind).or_default() += 1;
            }
        }
    }
    if common > 0 {
        warnings.push(format!(
            "{common} pictures are in most of the folders, so they were taken for material of the course"
        ));
    }
    let names: Vec<String> = students.iter().map(|student| student.name.clone()).collect();
    for ((one, other), counts) in pairs {
        let of = |shape| counts.get(&shape).copied().unwrap_or_default();
        let (ids, digests) = (of(Shape::Id), of(Shape::Digest));
        let (traces, pictures) = (of(Shape::Trace), of(Shape::Picture));
        for (mine, theirs) in [(one, other), (other, one)] {
            let name = names[theirs].clone();
            students[mine].shared_with.push(Shared { name, ids, digests, traces, pictures });
            students[mine].ok = false;
        }
    }
    for student in students {
        student.shared_with.sort_by(|a, b| a.name.cmp(&b.name));
    }
}
