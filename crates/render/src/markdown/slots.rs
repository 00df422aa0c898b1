//! The slot finder: recognizes lines of a text that ask for a picture.
//!
//! An image with an empty target, `![Traces]()`, is always a slot. A line of a paragraph is a slot if it is short and,
//! without its decoration (brackets, `TODO:`, `#2`, an arrow), has one of these forms:
//!
//! 1. **Order**: a verb such as `insert`, up to four words, then a picture: `insert image of …`,
//!    `please add a screenshot showing …`, `Put Honeycomb traces pic here`. After the picture the line ends, or
//!    continues with `of`, `for`, `from`, `showing`, `with`, or `here`; `add image to ECR` is a different order.
//! 2. **Naming**: a picture `of` something, without a verb: `Image of LogEvents`, `Screenshot: daemon output`. Next to
//!    a real picture, such a line is that picture's caption and not a slot.
//! 3. **Kind first**: the subject, then the picture: `#2 Type Error Image`, `traces screenshot here`.
//! 4. **Placeholder**: only a picture, but in brackets or with a position: `[screenshot]`, `image here`,
//!    `TODO: picture`.
//! 5. **Here**: an order for evidence that does not name a picture: `insert traces here`, `[add rollbar error]`.
//!
//! 6. **Mark**: what only a placeholder looks like: `<<<<< image 3 >>>>>`, `(screenshot 393.png)`, `[screenshot]()`,
//!    `<img src="">`, `img<>`, `TODO: Authorizer logs`, and `Image` alone in its paragraph.
//!
//! [`super::slot_foreign`] reads the same forms in other languages.
//!
//! Each of these makes a line ordinary prose instead: a finite verb or a pronoun outside quotes, a question, an image
//! that is not a screenshot (`Docker image`, `profile picture`), a definite article before form 2, more than fourteen
//! words. Words of five letters or more may contain one typing error, unless the result is another English word.

use std::ops::Range;

use super::page::{Home, Page, Run};
use super::slot_foreign;
use super::slot_words::{
    ALSO, ARTICLES, DEFINITE, EVIDENCE, LABELS, LEADS, OTHER_IMAGES, OTHER_WORK, OWN_WORDS, POINTERS, SENTENCE, STRONG,
    TASKS, VERBS, WEAK,
};
use super::wants::wants;

/// A slot's byte range and text.
pub(super) struct Found {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

/// Every slot of a text, in document order.
pub(super) fn find(body: &str, page: &Page) -> Vec<Found> {
    let mut found: Vec<Found> = page
        .pictures
        .iter()
        .filter(|p| p.destination.trim().is_empty() && body[p.range.clone()].ends_with(')'))
        .map(|p| Found { range: p.range.clone(), text: p.alt.clone() })
        .collect();
    // `[screenshot]()`: brackets around a picture, with an empty target.
    for anchor in
        page.anchors.iter().filter(|a| a.destination.trim().is_empty() && body[a.range.clone()].ends_with(')'))
    {
        let text = anchor.text.trim();
        if read(&format!("[{text}]")).is_some() || words(text).iter().any(|word| word.is(STRONG)) {
            found.push(Found { range: anchor.range.clone(), text: text.to_owned() });
        }
    }
    for (i, run) in page.runs.iter().enumerate() {
        let neighbours = [i.checked_sub(1), Some(i), Some(i + 1)];
        let captioned =
            neighbours.into_iter().flatten().filter_map(|j| page.runs.get(j)).any(|r| shows_a_picture(page, r));
        match run.home {
            Home::Flow => in_paragraph(body, run, captioned, &mut found),
            Home::Html => in_html(body, run, &mut found),
            Home::Elsewhere => {}
        }
    }
    found.sort_by_key(|f| f.range.start);
    found
}

/// Whether a piece of text is an existing picture. Evidence does not count, so that filling one slot does not turn the
/// next one into a caption.
fn shows_a_picture(page: &Page, run: &Run) -> bool {
    let real = |i: &usize| {
        let target = page.pictures[*i].destination.trim();
        !target.is_empty() && !target.starts_with("evidence:") && !target.starts_with("live:")
    };
    run.pictures.iter().any(real) && run.lines.iter().all(|l| l.mixed || words(&l.text).len() <= 8)
}

fn in_paragraph(body: &str, run: &Run, captioned: bool, found: &mut Vec<Found>) {
    for (i, line) in run.lines.iter().enumerate() {
        if line.range.is_empty() {
            continue;
        }
        let source = body[line.range.clone()].trim();
        if is_done(body, line.range.start, source) {
            continue;
        }
        if let Some(range) = empty_img(source) {
            let start =
                line.range.start + (body[line.range.clone()].len() - body[line.range.clone()].trim_start().len());
            let text = alt_of(&source[range.clone()]).to_owned();
            found.push(Found { range: start + range.start..start + range.end, text });
            continue;
        }
        // `<insert screenshot here>` is an HTML tag to the parser, but meant as a slot.
        let tag = line.mixed && is_order_tag(source);
        // So is `<to-do>` before an order.
        let marked = line.mixed.then(|| behind_mark(source)).flatten();
        if line.mixed && !tag && marked.is_none() {
            continue;
        }
        let text = if tag { source } else { line.text.trim() };
        let alone = run.lines.len() == 1 && is_lone_picture(text) && !in_list(body, line.range.start);
        let form = match marked {
            Some(rest) => read(&format!("TODO: {rest}")),
            None => read(text).or(alone.then_some(Form::Naming)),
        };
        let Some(form) = form else { continue };
        // In a wrapped paragraph a line may be part of a sentence, unless the lines around it are complete sentences.
        let whole = |at: usize| ends_sentence(&run.lines[at].text) || read(run.lines[at].text.trim()).is_some();
        // An order that starts with a capital or a bracket starts a new sentence.
        let starts = form.is_order() && text.starts_with(|c: char| c.is_uppercase() || "[(<{".contains(c));
        let begins = i == 0 || starts || whole(i - 1);
        let ends = i + 1 == run.lines.len()
            || text.ends_with(['.', ':', ']', '>', ')', '!'])
            || read(run.lines[i + 1].text.trim()).is_some()
            || run.lines[i + 1].text.trim_start().starts_with(char::is_uppercase);
        if begins && ends && (form.is_order() || !captioned) {
            let start = line.range.start;
            found.push(Found {
                range: start..start + body[line.range.clone()].trim_end().len(),
                text: source.to_owned(),
            });
        }
    }
}

fn in_html(body: &str, run: &Run, found: &mut Vec<Found>) {
    let (Some(first), Some(last)) = (run.lines.first(), run.lines.last()) else { return };
    let raw = &body[first.range.start..last.range.end];
    let text = raw.trim();
    if let Some(range) = empty_img(text) {
        let start = first.range.start + (raw.len() - raw.trim_start().len());
        found.push(Found { range: start + range.start..start + range.end, text: alt_of(&text[range]).to_owned() });
    } else if is_order_tag(text) {
        let start = first.range.start + (raw.len() - raw.trim_start().len());
        found.push(Found { range: start..start + text.len(), text: text.to_owned() });
    }
}

/// `<insert screenshot here>`: words alone between angle brackets, and an order.
fn is_order_tag(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')) else { return false };
    inner.contains(' ')
        && inner.chars().all(|c| c.is_ascii_alphanumeric() || " -_".contains(c))
        && read(text).is_some_and(Form::is_order)
}

/// Whether a line is struck through or a ticked task.
fn is_done(body: &str, start: usize, source: &str) -> bool {
    let line = body[..start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let before = body[line..start].to_ascii_lowercase();
    let struck = source.starts_with("~~") || source.starts_with("<del>") || source.starts_with("<s>");
    before.contains("[x]") || before.trim_end().ends_with("~~") || struck
}

fn in_list(body: &str, start: usize) -> bool {
    let line = body[..start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    !body[line..start].trim_matches([' ', '\t', '>', '*', '_', '\u{feff}']).is_empty()
        || body[line..start].contains("* ")
}

/// `Image`, `Screenshots`: one word for a picture, written like a heading.
fn is_lone_picture(text: &str) -> bool {
    let word = text.trim_end_matches([':', '.']);
    word.starts_with(char::is_uppercase)
        && matches!(word.to_lowercase().as_str(), "image" | "screenshot" | "screenshots" | "picture")
}

/// The first `<img>` that has no source, or an empty one.
fn empty_img(text: &str) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<img").filter(|at| lower[at + 4..].starts_with([' ', '>', '/', '\n']))?;
    let end = start + lower[start..].find('>')? + 1;
    let tag = &lower[start..end];
    let source = tag.split_once("src").map(|(_, rest)| rest.trim_start());
    let empty = match source.and_then(|rest| rest.strip_prefix('=')).map(str::trim_start) {
        None => source.is_none(),
        Some(value) => ["\"\"", "''", ">", "/>", "\"#\"", "\" \""].iter().any(|empty| value.starts_with(empty)),
    };
    empty.then_some(start..end)
}

/// The alternative text of a tag, or the tag.
fn alt_of(tag: &str) -> &str {
    let alt = tag.split_once("alt=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(alt, _)| alt.trim());
    alt.filter(|alt| !alt.is_empty()).unwrap_or(tag)
}

/// The text behind `<to-do>` or `<placeholder>`, which are no elements.
fn behind_mark(text: &str) -> Option<&str> {
    let (tag, rest) = text.strip_prefix('<')?.split_once('>')?;
    let known = ["to-do", "todo", "placeholder", "tbd", "fixme", "insert", "pending"];
    let rest = rest.trim();
    (known.contains(&tag.trim().to_ascii_lowercase().as_str()) && !rest.is_empty() && !rest.contains('<'))
        .then_some(rest)
}

/// `put_image`, `s3:PutImage`: a name of a program, not words.
fn is_identifier(text: &str) -> bool {
    let word = text.trim_matches(|c: char| !c.is_alphanumeric());
    !text.contains(char::is_whitespace)
        && word.contains(['_', '(', '.'])
        && !word.to_ascii_lowercase().ends_with("here")
}

/// `Image: postgres:13-alpine`, `image: ghcr.io/a/b`: a container image.
fn is_container_image(text: &str) -> bool {
    let Some((key, value)) = text.split_once([':', '-', '–']) else { return false };
    let value = value.trim().trim_matches(['"', '\'', '`']);
    let name = |c: char| c.is_ascii_alphanumeric() || "._-/:@${}".contains(c);
    key.trim().to_ascii_lowercase().ends_with("image")
        && !value.is_empty()
        && value.chars().all(name)
        && value.contains(['/', ':', '$', '.'])
}

fn ends_sentence(text: &str) -> bool {
    let text = text.trim_end().trim_end_matches(['"', '\'', ')', '*', '_']);
    text.is_empty() || text.ends_with(['.', '!', '?', ':', ';', ']', '>'])
}

/// The form of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Order,
    Naming,
    KindFirst,
    Placeholder,
    Here,
}

impl Form {
    /// Whether it asks for something, so that it is a slot even next to a picture.
    fn is_order(self) -> bool {
        matches!(self, Self::Order | Self::Here | Self::Placeholder)
    }
}

const MOST_WORDS: usize = 14;
const MOST_BYTES: usize = 160;

/// Reads one line. `None`: ordinary prose.
fn read(text: &str) -> Option<Form> {
    if text.len() > MOST_BYTES || text.contains('?') {
        return None;
    }
    let whole = text;
    let (text, wrapped) = unwrap(text);
    if (!wrapped && is_identifier(text)) || is_container_image(text) {
        return None;
    }
    let sentence_end = text.ends_with('.');
    let mut all = words(text);
    let (mut labelled, mut task) = (false, false);
    // `#2`, `2.` and `TODO` are common ways to number and mark slots.
    while let Some(first) = all.first() {
        let number = first.text.chars().all(|c| c.is_ascii_digit()) && all.len() > 1;
        let label = !first.quoted && LABELS.contains(&first.text.as_str()) && (all.len() > 1 || first.text != "here");
        if !number && !label {
            break;
        }
        labelled |= label;
        task |= ["todo", "tbd", "fixme", "placeholder", "tba"].contains(&first.text.as_str());
        all.remove(0);
    }
    join_screen_shot(&mut all);
    goes_here(&mut all);
    if all.is_empty() || all.len() > MOST_WORDS {
        return None;
    }
    let marked = wrapped || labelled;
    let polite =
        all.iter().take_while(|w| ["please", "pls", "plz", "now", "also", "kindly"].contains(&w.text.as_str())).count();
    let body = &all[polite..];
    if body.first().is_some_and(|w| w.is(VERBS)) {
        return order(without_condition(body), wrapped);
    }
    // `[Placeholder for the student to insert screenshot of …]`
    let handed_on = body.iter().take(6).position(|w| w.is_exact(&["to"]));
    if let (true, Some(to)) = (marked, handed_on)
        && body.get(to + 1).is_some_and(|w| w.is(VERBS))
    {
        return order(&body[to + 1..], wrapped);
    }
    // `I need to add screenshot here` is a sentence, and the remaining forms exclude sentences.
    if all.iter().any(|w| !w.quoted && SENTENCE.contains(&w.text.as_str())) {
        return None;
    }
    let foreign = || slot_foreign::read(behind_label(text), marked);
    if all.iter().any(|w| !w.quoted && slot_foreign::is_sentence(&w.text)) {
        return foreign();
    }
    let naming = naming(&all, sentence_end);
    let kind_first = || kind_first(&all, marked);
    naming
        .or_else(kind_first)
        .or_else(|| placeholder(&all, marked))
        .or_else(|| numbered(&all, wrapped))
        .or_else(|| task_names_evidence(&all, task && whole.len() > 4))
        .or_else(foreign)
}

/// A text without `TODO:` and the like.
fn behind_label(text: &str) -> &str {
    match text.split_once([':', ' ']) {
        Some((label, rest)) if LABELS.contains(&label.trim_matches(['@', '*']).to_lowercase().as_str()) => rest.trim(),
        _ => text,
    }
}

/// Form 6: `(screenshot 393.png)`, `<image 3>`.
fn numbered(all: &[Word], wrapped: bool) -> Option<Form> {
    let (picture, rest) = all.split_first()?;
    let plain = rest.iter().all(|w| !w.is_exact(&["above", "below", "following", "attached"]) && !w.is_exact(SENTENCE));
    let number = matches!(rest, [n] if n.text.chars().all(|c| c.is_ascii_digit()));
    let fits = match picture.is(STRONG) {
        true => (1..=5).contains(&rest.len()) && plain,
        false => picture.is(WEAK) && number,
    };
    (wrapped && fits).then_some(Form::Placeholder)
}

/// Form 6: `TODO: Authorizer logs`.
fn task_names_evidence(all: &[Word], task: bool) -> Option<Form> {
    let last = all.last()?;
    let verb = |w: &Word| {
        w.is_exact(TASKS) || w.is_exact(VERBS) || (w.is_exact(OTHER_WORK) && !w.is_kind()) || w.text.ends_with("ing")
    };
    let names = task && (2..=5).contains(&all.len()) && last.is_exact(EVIDENCE) && !all.iter().any(verb);
    names.then_some(Form::Here)
}

/// Form 1 and 5: `insert …`.
fn order(all: &[Word], wrapped: bool) -> Option<Form> {
    let verb = &all[0];
    let rest = &all[1..];
    // Verbs that also start ordinary instructions count only with a screenshot or brackets.
    let loose = ["upload", "show", "take", "need", "needs", "missing", "provide", "drop"].contains(&verb.text.as_str());
    let gap = rest.iter().take(5).position(Word::is_picture);
    if let Some(at) = gap {
        let (between, picture, after) = (&rest[..at], &rest[at], &rest[at + 1..]);
        let strong = picture.is(STRONG);
        if between.iter().any(|w| w.is_exact(LEADS) || w.is_exact(SENTENCE) || w.is_exact(&["or", "and", "other"])) {
            return None;
        }
        if !strong && between.iter().any(|w| w.is_exact(OTHER_IMAGES)) {
            return None;
        }
        // `Add the image` refers to an existing one, as in `Add the image tag`, unless it is about traces and the like.
        let definite = between.iter().any(|w| w.is_exact(DEFINITE));
        let ends = match after {
            [] => strong || wrapped || (!definite && !loose && between.len() <= 4),
            [next, ..] if next.is_exact(POINTERS) => after.len() <= 3,
            // `Insert image: traces`, `Insert image - traces`.
            _ if picture.colon && wants_anything(after) => {
                after.iter().all(|w| w.quoted || !is_sentence_of_order(&w.text))
            }
            [next, ..] if next.is_exact(LEADS) => {
                let complement = &after[1..];
                !complement.is_empty()
                    && (strong || wrapped || !definite || wants_anything(complement))
                    && (strong || wrapped || !loose || wants_anything(complement))
                    && complement.iter().all(|w| w.quoted || !is_sentence_of_order(&w.text))
                    && (strong || !complement.iter().any(|w| w.is_exact(&["to", "into", "onto"])))
                    && (strong || !next.is_exact(&["from", "with", "for"]) || wants_anything(complement))
            }
            [next, also, ..] if strong && next.is_exact(&["and", "plus"]) => also.is_exact(ALSO),
            [next, ..] if strong => {
                next.is_exact(&["that", "in", "on", "to", "where", "when"])
                    && after.last().is_some_and(|w| w.is_exact(POINTERS))
            }
            _ => false,
        };
        return ends.then_some(Form::Order);
    }
    // Form 5: evidence is named instead of a picture, and the line refers to its own position.
    let pointed = rest.last().is_some_and(|w| w.is_exact(&["here"]));
    let subject = if pointed { &rest[..rest.len() - 1] } else { rest };
    let plain = subject.iter().all(|w| {
        w.quoted || (!SENTENCE.contains(&w.text.as_str()) && !w.is_exact(&["to", "into", "in", "on", "for", "from"]))
    });
    let short = (1..=5).contains(&subject.len());
    ((pointed || wrapped) && short && plain && !loose && wants_anything(subject)).then_some(Form::Here)
}

/// `… if needed`: an optional order is still an order.
fn without_condition(all: &[Word]) -> &[Word] {
    match all {
        [order @ .., condition, _] if condition.is_exact(&["if"]) => order,
        _ => all,
    }
}

/// An order's complement may contain a relative clause (`screenshot of the error that I got`), but not a second order.
fn is_sentence_of_order(word: &str) -> bool {
    ["is", "are", "was", "were", "will", "because", "so", "but", "then", "should", "could", "would", "if"]
        .contains(&word)
}

/// Form 2: `image of …`.
fn naming(all: &[Word], sentence_end: bool) -> Option<Form> {
    let all = match all.first() {
        Some(first) if first.is_exact(ARTICLES) && all.len() > 1 => &all[1..],
        _ => all,
    };
    let at = all.iter().take(3).position(Word::is_picture)?;
    let strong = all[at].is(STRONG);
    let before = &all[..at];
    if before
        .iter()
        .any(|w| w.is_exact(DEFINITE) || w.is_exact(OTHER_IMAGES) || (w.is_exact(OTHER_WORK) && !w.is_kind()))
    {
        return None;
    }
    if sentence_end && all.len() > 7 {
        return None;
    }
    match &all[at + 1..] {
        [next, complement @ ..] if next.is_exact(&["of", "showing"]) || (strong && next.is_exact(LEADS)) => {
            if complement.is_empty() || complement.len() > 10 {
                return None;
            }
            // `Image of the container`: unless a kind of evidence is named, only `screenshot` counts.
            let fits = strong || wants_anything(complement) || complement.last().is_some_and(|w| w.is_exact(&["here"]));
            let exists = complement.iter().any(|w| w.is_exact(&["above", "below", "following"]));
            (fits && !exists).then_some(Form::Naming)
        }
        // `Screenshot: daemon output`.
        complement @ [_, ..] if before.is_empty() && all[at].colon && (strong || wants_anything(complement)) => {
            (complement.len() <= 6 && wants_anything(complement)).then_some(Form::Naming)
        }
        _ => None,
    }
}

/// Form 3: `Type Error Image`.
fn kind_first(all: &[Word], marked: bool) -> Option<Form> {
    let here = all.last().is_some_and(|w| w.is_exact(&["here"]));
    let end = all.len() - usize::from(here);
    let (picture, before) = all[..end].split_last()?;
    if !picture.is_picture() || before.is_empty() || before.len() > 6 {
        return None;
    }
    let strong = picture.is(STRONG);
    let work = before.iter().any(|w| {
        !w.quoted
            && OTHER_WORK.contains(&w.text.as_str())
            && !(w.is_kind() && before.len() > 1 || marked && w.is_kind())
    });
    let first_works = before
        .first()
        .is_some_and(|w| w.is_exact(&["trace", "log", "query"]) && before.get(1).is_some_and(|w| w.is_exact(DEFINITE)));
    let definite = before.iter().any(|w| w.is_exact(DEFINITE));
    let other = before.last().is_some_and(|w| w.is_exact(OTHER_IMAGES));
    let gerund = before
        .iter()
        .any(|w| w.text.len() > 5 && w.text.ends_with("ing") && !w.is_exact(&["logging", "tracing", "billing"]));
    if work && !single_kind(before) || first_works || definite || (other && !strong) || gerund {
        return None;
    }
    (wants_anything(before) || strong && (here || marked || before.len() <= 4)).then_some(Form::KindFirst)
}

/// `Trace screenshot`, `log pic`: a single word that could be a verb, but names a kind of evidence.
fn single_kind(before: &[Word]) -> bool {
    matches!(before, [only] if only.is_kind())
}

/// Form 4: `[screenshot]`, `image here`.
fn placeholder(all: &[Word], marked: bool) -> Option<Form> {
    let all = match all {
        [first, rest @ ..] if first.is_exact(ARTICLES) => rest,
        _ => all,
    };
    match all {
        [only] if only.is_picture() => marked.then_some(Form::Placeholder),
        [picture, rest @ ..] if picture.is_picture() => {
            let pointed = match rest {
                [here] => here.is_exact(&["here", "tbd", "later", "placeholder"]),
                [to, come] => to.is_exact(&["to"]) && come.is_exact(&["come", "follow"]),
                _ => false,
            };
            pointed.then_some(Form::Placeholder)
        }
        _ => None,
    }
}

fn wants_anything(words: &[Word]) -> bool {
    let text: Vec<&str> = words.iter().map(|w| w.original.as_str()).collect();
    wants(&text.join(" ")) != "unknown"
}

/// One word of a line, with the properties that the grammar uses.
#[derive(Debug)]
struct Word {
    /// In lower case, without punctuation around it.
    text: String,
    /// As written.
    original: String,
    /// Inside quotes or a code span.
    quoted: bool,
    /// A colon or a dash follows.
    colon: bool,
}

impl Word {
    fn is(&self, list: &[&str]) -> bool {
        !self.quoted && list.iter().any(|known| alike(&self.text, known))
    }

    fn is_exact(&self, list: &[&str]) -> bool {
        !self.quoted && list.contains(&self.text.as_str())
    }

    fn is_picture(&self) -> bool {
        self.is(STRONG) || self.is(WEAK)
    }

    fn is_kind(&self) -> bool {
        wants(&self.original) != "unknown"
    }
}

/// Removes brackets and other decoration. Also returns whether there were brackets.
fn unwrap(text: &str) -> (&str, bool) {
    let mut text = text.trim();
    let mut wrapped = false;
    for empty in ["<>", "()", "[]", "{}"] {
        // `img<>`: brackets with nothing in them.
        if let Some(rest) = text.strip_suffix(empty).filter(|rest| !rest.is_empty()) {
            (text, wrapped) = (rest, true);
        }
    }
    for arrow in ["-->", "->", "=>", "==>"] {
        text = text.strip_suffix(arrow).unwrap_or(text).trim_end();
    }
    loop {
        let before = text;
        text = text.trim_matches(|c: char| c.is_whitespace() || "*_~=#>-–—→➡📷🖼️📸…!".contains(c) && c != '>').trim();
        text = text.trim_start_matches(['>', '-']).trim_start();
        for (open, close) in [("[", "]"), ("(", ")"), ("{", "}"), ("<", ">"), ("【", "】")] {
            // Quotes are removed only in pairs: `Image of "x"` keeps its quotes.
            if let Some(inner) = text.strip_prefix(open).and_then(|t| t.strip_suffix(close)) {
                text = inner.trim();
                wrapped = true;
            }
        }
        if text == before {
            return (text, wrapped);
        }
    }
}

fn words(text: &str) -> Vec<Word> {
    let mut quoted = false;
    let mut out = Vec::new();
    for raw in text.split(|c: char| c.is_whitespace() || c == '/' || c == ',' || c == '_') {
        let opens = raw.starts_with(['"', '“', '‘', '\'', '`', '«']);
        let closes = raw.trim_end_matches(['.', ':', '!']).ends_with(['"', '”', '’', '\'', '`', '»']) && raw.len() > 1;
        quoted |= opens;
        let original = raw.trim_matches(|c: char| !c.is_alphanumeric());
        if matches!(raw, "-" | "–" | "—" | ":" | "->" | "→")
            && let Some(last) = out.last_mut()
        {
            let last: &mut Word = last;
            last.colon = true;
        }
        if !original.is_empty() {
            let text = original.to_lowercase().replace('’', "'");
            let colon = raw.ends_with(':');
            // `screenshot-here` is two words, `x-ray` and `docker-compose` are one.
            match text.split_once('-') {
                Some((a, b)) if POINTERS.contains(&b) || LEADS.contains(&b) || VERBS.contains(&a) => {
                    for part in [a, b] {
                        out.push(Word { text: part.to_owned(), original: part.to_owned(), quoted, colon });
                    }
                }
                _ => out.push(Word { text, original: original.to_owned(), quoted, colon }),
            }
        }
        if closes {
            quoted = false;
        }
    }
    out
}

/// `screen shot`, `screen-shot`, `screen capture`.
fn join_screen_shot(words: &mut Vec<Word>) {
    let mut i = 0;
    while i < words.len() {
        if !words[i].quoted
            && ["screen-shot", "screen-shots", "screen-grab", "screen-capture"].contains(&words[i].text.as_str())
        {
            words[i].text = "screenshot".to_owned();
        }
        let second = ["shot", "shots", "grab", "grabs", "capture", "cap", "print"];
        let pair = words[i].text == "screen" && words.get(i + 1).is_some_and(|w| second.contains(&w.text.as_str()));
        if pair && !words[i].quoted {
            words[i].text = "screenshot".to_owned();
            words.remove(i + 1);
        }
        i += 1;
    }
}

/// `image goes here` is equivalent to `image here`.
fn goes_here(words: &mut Vec<Word>) {
    if let [.., goes, here] = words.as_slice()
        && goes.is_exact(&["goes", "go", "comes", "belongs"])
        && here.is_exact(&["here"])
    {
        words.remove(words.len() - 2);
    }
}

/// Whether two words are the same except for one typing error.
fn alike(word: &str, known: &str) -> bool {
    if word == known {
        return true;
    }
    let slips = match known.len() {
        0..=4 => return false,
        5..=8 => 1,
        _ => 2,
    };
    !OWN_WORDS.contains(&word)
        && word.is_ascii()
        && word.len().abs_diff(known.len()) <= slips
        && edits(word, known) <= slips
}

/// The edit distance: omitted, added, changed or transposed letters.
fn edits(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 || j == 0 {
                rows[i][j] = i + j;
                continue;
            }
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}
