//! Reads a course file. Every problem is reported with its line, what is wrong, and what to write.

use core::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::need::{Count, EvidenceNeed, Feature, Measure, Need, Origin, TextMeasure, TextNeed};
use super::{Course, Homework, Week};
use crate::entry;
use crate::evidence::Kind;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// The most weeks of a course.
const MAX_WEEKS: usize = 101;
/// The most homework, and the most challenges, of a week.
const MAX_PARTS: usize = 50;
/// The most needs of one homework.
const MAX_NEEDS: usize = 20;
/// The largest number of pieces of evidence that one need asks for.
const MAX_COUNT: u32 = 50;
/// The same for all homework, or all challenges, of a week together.
const MAX_PLACES: u32 = 400;
/// The most words that a need asks for.
const MAX_WORDS: u32 = 100_000;
/// The longest title, in characters.
const MAX_TITLE: usize = 200;
/// The longest template, in bytes.
const MAX_TEMPLATE: usize = 64 * 1024;
/// Problems beyond these are not reported.
const MAX_PROBLEMS: usize = 20;

/// Something in a course file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// What is wrong, as a sentence without its full stop.
    pub message: String,
    /// What to write, as a sentence without its full stop.
    pub hint: String,
}

/// Reads a course.
///
/// # Errors
/// What is wrong with it, by line, at most 20; never empty.
pub fn parse(text: &str) -> Result<Course, Vec<Problem>> {
    let mut reader = Reader { text, problems: Vec::new() };
    if text.len() > MAX_BYTES {
        reader.add(0, format!("the file has {} bytes", text.len()), format!("Course files have at most {MAX_BYTES}"));
        return Err(reader.problems);
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(MAX_PROBLEMS) {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().trim().replace('\n', ", ");
        reader.add(at, message, "Texts are in quotes, and lists in [ ]; see https://toml.io".to_owned());
    }
    if !reader.problems.is_empty() {
        reader.problems.sort_by_key(|problem| problem.line);
        return Err(reader.problems);
    }
    let course = reader.course(root.get_ref());
    if reader.problems.is_empty() {
        return Ok(course);
    }
    reader.problems.sort_by_key(|problem| problem.line);
    reader.problems.truncate(MAX_PROBLEMS);
    Err(reader.problems)
}

/// A table and where it is.
#[derive(Clone, Copy)]
struct Table<'a, 'i> {
    fields: &'a DeTable<'i>,
    at: usize,
    /// What it is in messages: `a week`.
    what: &'static str,
}

struct Reader<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn add(&mut self, at: usize, message: String, hint: String) {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        self.problems.push(Problem { line, message, hint });
    }

    fn course(&mut self, root: &DeTable<'_>) -> Course {
        let root = Table { fields: root, at: 0, what: "a course" };
        self.known(root, &["title", "week"]);
        let title = self.title(root, "title").unwrap_or_default();
        let mut course = Course { title, weeks: Vec::new() };
        for table in self.tables(root, "week", "a week", MAX_WEEKS) {
            let week = self.week(table);
            if course.weeks.iter().any(|other| other.week == week.week) {
                let message = format!("week {} is there twice", week.week);
                self.add(table.at, message, "Give each week its own number".to_owned());
            } else {
                course.weeks.push(week);
            }
        }
        if course.weeks.is_empty() && self.problems.is_empty() {
            let hint = "Write [[week]], and below it number = 1 and title = \"…\"";
            self.add(0, "the course has no weeks".to_owned(), hint.to_owned());
        }
        course
    }

    fn week(&mut self, table: Table<'_, '_>) -> Week {
        self.known(table, &["number", "title", "template", "homework", "challenge"]);
        let number = match field(table, "number") {
            Some(value) => self.number(value),
            None => {
                let hint = "Write number = 1, or number = \"X\" for the extra week";
                self.add(table.at, "this week has no number".to_owned(), hint.to_owned());
                String::new()
            }
        };
        Week {
            week: number,
            title: self.title(table, "title").unwrap_or_default(),
            homework: self.parts(table, "homework", "a homework"),
            challenges: self.parts(table, "challenge", "a challenge"),
            template: self.template(table),
        }
    }

    fn number(&mut self, value: &Spanned<DeValue<'_>>) -> String {
        let text = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::String(text) => text,
            _ => "",
        };
        entry::week(text).unwrap_or_else(|_| {
            let hint = "Weeks have numbers from 0 to 99, or \"X\"";
            self.add(
                value.span().start,
                format!("{} is no number of a week", shown(self.text, value.span())),
                hint.to_owned(),
            );
            String::new()
        })
    }

    fn template(&mut self, table: Table<'_, '_>) -> Option<String> {
        let value = field(table, "template")?;
        let hint = "Write template = \"\"\"…\"\"\", with {title}, {homework} and {challenges} where these belong";
        let Some(text) = value.get_ref().as_str() else {
            self.add(value.span().start, "template is not a text".to_owned(), hint.to_owned());
            return None;
        };
        if text.len() > MAX_TEMPLATE || text.contains('\0') {
            let message = "the template is too long or contains a zero byte".to_owned();
            self.add(value.span().start, message, format!("Templates have at most {MAX_TEMPLATE} bytes"));
            return None;
        }
        Some(text.to_owned())
    }

    fn parts(&mut self, week: Table<'_, '_>, key: &'static str, what: &'static str) -> Vec<Homework> {
        let mut parts: Vec<Homework> = Vec::new();
        let mut places = 0_u32;
        for table in self.tables(week, key, what, MAX_PARTS) {
            self.known(table, &["title", "needs"]);
            let title = self.title(table, "title").unwrap_or_default();
            if title.is_empty() && field(table, "title").is_none() {
                let hint = "Write title = \"…\": it becomes the heading in the entry";
                self.add(table.at, format!("{what} has no title"), hint.to_owned());
            }
            let needs = self.needs(table);
            places +=
                needs.iter().map(|need| if let Need::Evidence(need) = need { need.count } else { 0 }).sum::<u32>();
            parts.push(Homework { title, needs });
        }
        if places > MAX_PLACES {
            let message = format!("the {key} of this week needs {places} pieces of evidence");
            self.add(week.at, message, format!("At most {MAX_PLACES} are possible"));
        }
        parts
    }

    fn needs(&mut self, part: Table<'_, '_>) -> Vec<Need> {
        let Some(value) = field(part, "needs") else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            let hint = "Write needs = [{ kind = \"trace\" }], with one pair of braces for each thing that is needed";
            self.add(value.span().start, "needs is not a list".to_owned(), hint.to_owned());
            return Vec::new();
        };
        if items.len() > MAX_NEEDS {
            let message = format!("needs has {} items", items.len());
            self.add(value.span().start, message, format!("At most {MAX_NEEDS} are possible"));
            return Vec::new();
        }
        items.iter().filter_map(|item| self.need(item)).collect()
    }

    fn need(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Need> {
        let at = value.span().start;
        match value.get_ref() {
            // A kind alone.
            DeValue::String(word) => {
                let kind = self.kind(word, at)?;
                Some(Need::Evidence(evidence_need(vec![kind])))
            }
            DeValue::Table(fields) => {
                let table = Table { fields, at, what: "a need" };
                let is_text = ["words", "pictures", "section"].iter().any(|key| field(table, key).is_some());
                if is_text { self.text_need(table) } else { self.evidence_need(table) }
            }
            _ => {
                let hint = "Write { kind = \"trace\" } or { words = 50 }";
                self.add(at, format!("{} is no need", shown(self.text, value.span())), hint.to_owned());
                None
            }
        }
    }

    fn text_need(&mut self, table: Table<'_, '_>) -> Option<Need> {
        self.known(table, &["words", "pictures", "section"]);
        let words = self.amount(table, "words", MAX_WORDS);
        let pictures = self.amount(table, "pictures", MAX_WORDS);
        let section = self.title(table, "section");
        let (measure, least) = match (words, pictures) {
            (Some(words), None) => (TextMeasure::Words, words),
            (None, Some(pictures)) => (TextMeasure::Pictures, pictures),
            (Some(_), Some(_)) => {
                let hint = "Write two needs: { words = 50 }, { pictures = 1 }";
                self.add(table.at, "a need has both words and pictures".to_owned(), hint.to_owned());
                return None;
            }
            (None, None) => {
                if field(table, "words").is_none() && field(table, "pictures").is_none() {
                    let hint = "Write { words = 50, section = \"…\" }";
                    self.add(
                        table.at,
                        "a need has a section, but neither words nor pictures".to_owned(),
                        hint.to_owned(),
                    );
                }
                return None;
            }
        };
        Some(Need::Text(TextNeed { measure, least, section }))
    }

    fn evidence_need(&mut self, table: Table<'_, '_>) -> Option<Need> {
        let mut known = vec!["kind", "count", "from", "with", "contains", "slot"];
        known.extend(Measure::ALL.iter().map(|measure| measure.word()));
        self.known(table, &known);
        if field(table, "kind").is_none() {
            let hint =
                format!("Write kind = \"trace\"; the kinds are {}", list(Kind::ALL.iter().map(|kind| kind.word())));
            self.add(table.at, "a need has no kind".to_owned(), hint);
            return None;
        }
        let kinds: Vec<Kind> =
            self.words(table, "kind").into_iter().filter_map(|(word, at)| self.kind(&word, at)).collect();
        if kinds.is_empty() {
            return None;
        }
        let mut need = evidence_need(kinds);
        need.count = match field(table, "count") {
            Some(_) => self.amount(table, "count", MAX_COUNT)?,
            None => 1,
        };
        for (word, at) in self.words(table, "from") {
            if let Some(origin) =
                self.one_of(Origin::of_word(&word), &word, at, "from", &names(Origin::ALL, Origin::word))
            {
                self.fits(&need, origin.kinds(), at, origin.word());
                need.from.push(origin);
            }
        }
        for (word, at) in self.words(table, "with") {
            let found = Feature::of_word(&word);
            if let Some(feature) = self.one_of(found, &word, at, "with", &names(Feature::ALL, Feature::word)) {
                self.fits(&need, feature.kinds(), at, feature.word());
                need.with.push(feature);
            }
        }
        for measure in Measure::ALL {
            if let Some(value) = field(table, measure.word())
                && let Some(least) = self.amount(table, measure.word(), MAX_WORDS)
            {
                self.fits(&need, measure.kinds(), value.span().start, measure.word());
                need.least.push(Count { measure: *measure, least });
            }
        }
        need.contains = self.words(table, "contains").into_iter().map(|(text, _)| text).collect();
        if let Some(slot) = self.title(table, "slot") {
            need.slot = slot;
        }
        Some(Need::Evidence(need))
    }

    /// Reports what none of a need's kinds can have.
    fn fits(&mut self, need: &EvidenceNeed, kinds: &[Kind], at: usize, word: &str) {
        if need.kinds.iter().any(|kind| kinds.contains(kind)) {
            return;
        }
        let message = format!("{word:?} is not possible for {}", list(need.kinds.iter().map(|kind| kind.word())));
        self.add(at, message, format!("It is possible for {}", list(kinds.iter().map(|kind| kind.word()))));
    }

    fn kind(&mut self, word: &str, at: usize) -> Option<Kind> {
        self.one_of(word.parse().ok(), word, at, "kind", &names(&Kind::ALL, Kind::word))
    }

    fn one_of<T>(&mut self, found: Option<T>, word: &str, at: usize, key: &str, words: &[&str]) -> Option<T> {
        if found.is_none() {
            let word = crate::text::printable(word, 40);
            self.add(at, format!("{word:?} is not known as {key}"), hint_for(&word, words));
        }
        found
    }

    /// Reports fields that are not known.
    fn known(&mut self, table: Table<'_, '_>, keys: &[&str]) {
        for key in table.fields.keys() {
            let name = key.get_ref().as_ref();
            if !keys.contains(&name) {
                let name = crate::text::printable(name, 40);
                self.add(key.span().start, format!("{name:?} is not known in {}", table.what), hint_for(&name, keys));
            }
        }
    }

    /// One line of text, if the field is there.
    fn title(&mut self, table: Table<'_, '_>, key: &str) -> Option<String> {
        let value = field(table, key)?;
        let text = value.get_ref().as_str().map(str::trim);
        match text {
            Some(text)
                if !text.is_empty() && text.chars().count() <= MAX_TITLE && !text.chars().any(char::is_control) =>
            {
                Some(text.to_owned())
            }
            _ => {
                let hint = format!("Write {key} = \"…\", one line of at most {MAX_TITLE} characters");
                self.add(value.span().start, format!("{} is no {key}", shown(self.text, value.span())), hint);
                None
            }
        }
    }

    /// A text, or a list of texts, with their places.
    fn words(&mut self, table: Table<'_, '_>, key: &str) -> Vec<(String, usize)> {
        let Some(value) = field(table, key) else { return Vec::new() };
        let one = core::slice::from_ref(value);
        let items =
            value.get_ref().as_array().map_or(one, |items| items.get(..items.len().min(MAX_NEEDS)).unwrap_or(one));
        let mut words = Vec::new();
        for item in items {
            match item.get_ref().as_str().map(str::trim) {
                Some(word) if !word.is_empty() && word.chars().count() <= MAX_TITLE => {
                    words.push((word.to_owned(), item.span().start));
                }
                _ => {
                    let message = format!("{} is no text for {key}", shown(self.text, item.span()));
                    self.add(item.span().start, message, format!("Write {key} = \"…\" or {key} = [\"…\", \"…\"]"));
                }
            }
        }
        words
    }

    /// A number from 1 to `most`, if the field is there.
    fn amount(&mut self, table: Table<'_, '_>, key: &str, most: u32) -> Option<u32> {
        let value = field(table, key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse::<u32>().ok(),
            _ => None,
        };
        let number = number.filter(|n| (1..=most).contains(n));
        if number.is_none() {
            let message = format!("{} is no number for {key}", shown(self.text, value.span()));
            self.add(value.span().start, message, format!("Write {key} = 1, or another number up to {most}"));
        }
        number
    }

    fn tables<'a, 'i>(
        &mut self,
        table: Table<'a, 'i>,
        key: &str,
        what: &'static str,
        most: usize,
    ) -> Vec<Table<'a, 'i>> {
        let Some(value) = field(table, key) else { return Vec::new() };
        let path = if what == "a week" { "[[week]]".to_owned() } else { format!("[[week.{key}]]") };
        let Some(items) = value.get_ref().as_array() else {
            self.add(value.span().start, format!("{key} is not a list"), format!("Write {path}, with double brackets"));
            return Vec::new();
        };
        if items.len() > most {
            let message = format!("there are {} of {path}", items.len());
            self.add(value.span().start, message, format!("At most {most} are possible"));
            return Vec::new();
        }
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(fields) => tables.push(Table { fields, at: item.span().start, what }),
                None => {
                    let message = format!("{} is not {what}", shown(self.text, item.span()));
                    self.add(item.span().start, message, format!("Write {path}, and its fields below"));
                }
            }
        }
        tables
    }
}

fn evidence_need(kinds: Vec<Kind>) -> EvidenceNeed {
    let slot = kinds.first().map_or("Evidence", |kind| &kind.info().label).to_owned();
    EvidenceNeed { kinds, count: 1, from: Vec::new(), with: Vec::new(), contains: Vec::new(), least: Vec::new(), slot }
}

fn field<'a, 'i>(table: Table<'a, 'i>, key: &str) -> Option<&'a Spanned<DeValue<'i>>> {
    table.fields.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
}

fn names<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| word(*one)).collect()
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// What a file has at a place, short.
fn shown(text: &str, span: Range<usize>) -> String {
    let written = text.get(span).unwrap_or_default();
    crate::text::printable(written.lines().next().unwrap_or_default(), 40)
}

/// The word that was probably meant, else all of them.
fn hint_for(word: &str, words: &[&str]) -> String {
    let near = words.iter().map(|known| (distance(word, known), known)).min();
    match near {
        Some((distance, known)) if distance <= 2 && distance < word.chars().count() => {
            format!("Did you mean {known:?}? Possible are {}", words.join(", "))
        }
        _ => format!("Possible are {}", words.join(", ")),
    }
}

/// The number of letters to insert, remove or replace. Both texts are short.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
