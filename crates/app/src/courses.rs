//! The journal's course: a file, or the one that is compiled in.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tracebook_core::course::{self, Course, Homework, MAX_BYTES, Need, Week};

use crate::ground::error::Error;
use crate::ground::files::typed_path;
use crate::ground::schema::{CourseGet, CourseHomework, CourseProblem, CourseView, CourseWeek, WeekRow};

/// The file in the data directory that is used unless the settings name another.
const FILE: &str = "course.toml";

/// The course of a journal. Its file is read again after it has changed. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Courses {
    file: PathBuf,
    /// Whether the settings name the file, so that it has to exist.
    named: bool,
    read: Arc<Mutex<Option<(Stamp, Current)>>>,
}

/// What tells that a file has not changed.
type Stamp = Option<(SystemTime, u64)>;

/// The course that is used now.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) course: Arc<Course>,
    /// Why the journal's file is not used.
    pub(crate) problem: Option<String>,
}

impl Courses {
    /// With the file that `[course]` of the settings names; a relative path begins at the data directory.
    pub(crate) fn new(data_dir: &Path, named: &str) -> Self {
        let (file, named) = match named.trim() {
            "" => (data_dir.join(FILE), false),
            name => (data_dir.join(typed_path(name)), true),
        };
        Self { file, named, read: Arc::default() }
    }

    /// The journal's course; the one that is compiled in if its file cannot be used.
    pub(crate) fn current(&self) -> Current {
        let stamp = std::fs::metadata(&self.file).ok().and_then(|file| Some((file.modified().ok()?, file.len())));
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, current)) = &*read
            && *known == stamp
        {
            return current.clone();
        }
        let current = self.load(stamp);
        *read = Some((stamp, current.clone()));
        current
    }

    fn load(&self, stamp: Stamp) -> Current {
        let builtin = |problem| Current { course: Arc::new(course::builtin().clone()), problem };
        if stamp.is_none() && !self.named {
            return builtin(None);
        }
        let instead = "the built-in course is used";
        let name = self.file.display();
        match read(&self.file).map(|text| course::parse(&text)) {
            Ok(Ok(course)) => Current { course: Arc::new(course), problem: None },
            Ok(Err(problems)) => builtin(problems.first().map(|problem| {
                let more = if problems.len() > 1 { ", and more" } else { "" };
                format!(
                    "{name}:{}: {}{more}; {instead} (`tracebook course check` lists all)",
                    problem.line, problem.message
                )
            })),
            Err(error) => builtin(Some(format!("{}; {instead}", error.message))),
        }
    }

    pub(crate) fn weeks(&self) -> Vec<WeekRow> {
        let row = |week: &Week| WeekRow { week: week.week.clone(), title: week.entry_title() };
        self.current().course.weeks.iter().map(row).collect()
    }

    /// The course of a file, or of the journal, with what is wrong with it.
    pub(crate) fn show(&self, request: CourseGet) -> Result<CourseView, Error> {
        let file = match request.file.as_deref().map(str::trim) {
            Some("") | None if self.named || self.file.exists() => Some(self.file.clone()),
            Some("") | None => None,
            Some(name) => Some(typed_path(name)),
        };
        let toml = match &file {
            Some(file) => read(file)?,
            None => course::BUILTIN.to_owned(),
        };
        let mut view = CourseView { file: file.map(|file| file.display().to_string()), ..CourseView::default() };
        match course::parse(&toml) {
            Ok(course) => {
                view.weeks = course.weeks.iter().map(week_view).collect();
                view.title = course.title;
            }
            Err(problems) => {
                view.problems = problems
                    .into_iter()
                    .map(|p| CourseProblem { line: p.line, message: p.message, hint: p.hint })
                    .collect();
            }
        }
        Ok(CourseView { toml, ..view })
    }
}

fn week_view(week: &Week) -> CourseWeek {
    let part = |(part, challenge): (&Homework, bool)| CourseHomework {
        title: part.title.clone(),
        challenge,
        needs: part.needs.iter().map(Need::text).collect(),
    };
    CourseWeek { week: week.week.clone(), title: week.entry_title(), homework: week.parts().map(part).collect() }
}

/// The text of a course file, which is at most one byte longer than the parser reads.
///
/// # Errors
/// If it is missing, no regular file, or not UTF-8.
pub(crate) fn read(file: &Path) -> Result<String, Error> {
    let hint = "Name a course file; `tracebook course show --toml` prints one to begin with";
    let cannot = |why: String| Error::not_found(format!("{}: {why}", file.display()), hint);
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|e| cannot(e.to_string()))?;
    if !opened.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err(cannot("is not a file".to_owned()));
    }
    // One byte more, so that the parser reports the size.
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    opened.take(most).read_to_end(&mut bytes).map_err(|e| cannot(e.to_string()))?;
    String::from_utf8(bytes).map_err(|_| cannot("is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[week]]\nnumber = 12\ntitle = \"Last\"\n";

    #[test]
    fn a_file_in_the_data_directory_is_the_course() {
        let folder = tempfile::tempdir().expect("a folder");
        let courses = Courses::new(folder.path(), "");
        assert_eq!(courses.weeks().len(), 13);
        assert_eq!(courses.show(CourseGet::default()).expect("shows").file, None);
        let file = folder.path().join(FILE);
        std::fs::write(&file, ONE).expect("writes");
        assert_eq!(courses.weeks().iter().map(|w| w.title.as_str()).collect::<Vec<_>>(), ["Week 12 — Last"]);
        // Read again after a change, and not lost by a mistake.
        std::fs::write(&file, format!("{ONE}titel = 1\n")).expect("writes");
        assert_eq!(courses.weeks().len(), 13);
        let problem = courses.current().problem.expect("a problem");
        assert!(problem.contains("course.toml:4: \"titel\" is not known in a week; the built-in"), "{problem}");
        let view = courses.show(CourseGet::default()).expect("shows");
        assert_eq!((view.weeks.len(), view.problems[0].line), (0, 4));
        std::fs::remove_file(&file).expect("removes");
        assert_eq!(courses.current().problem, None);
    }

    #[test]
    fn the_settings_name_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("mine.toml"), ONE).expect("writes");
        assert_eq!(Courses::new(folder.path(), "mine.toml").weeks().len(), 1);
        let absolute = folder.path().join("mine.toml").display().to_string();
        assert_eq!(Courses::new(Path::new("/"), &absolute).weeks().len(), 1);
        let missing = Courses::new(folder.path(), "gone.toml");
        assert_eq!(missing.weeks().len(), 13);
        assert!(missing.current().problem.expect("a problem").contains("gone.toml"));
        assert!(missing.show(CourseGet::default()).is_err());
        // Neither folders nor other bytes.
        std::fs::write(folder.path().join("bytes.toml"), [0xff, 0xfe]).expect("writes");
        for name in [".", "bytes.toml"] {
            let file = Some(folder.path().join(name).display().to_string());
            assert!(missing.show(CourseGet { file }).is_err(), "{name}");
        }
        std::fs::write(folder.path().join("large.toml"), "#".repeat(MAX_BYTES + 5)).expect("writes");
        let file = Some(folder.path().join("large.toml").display().to_string());
        assert_eq!(missing.show(CourseGet { file }).expect("reads").problems.len(), 1);
    }
}
