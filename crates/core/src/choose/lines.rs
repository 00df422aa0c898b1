//! The rows of logs, of consoles, and of other lists in the order of time.

use std::collections::{HashMap, HashSet};

use super::Omitted;
use crate::console::{ConsoleLine, LineKind, classify, plain, prefix};
use crate::level::{self, LogLevel};
use crate::logs::LogEvent;
use crate::template::template;
use crate::text::beginning;

/// This many near-equal lines fold: the first and the last are shown, those between them are counted.
const FOLD_FROM: usize = 5;

/// What is known about a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineRow {
    /// Its level, from [`crate::level`].
    pub level: Option<LogLevel>,
    /// What near-equal lines have in common: their template and their source.
    pub form: String,
    /// Lines of one block belong together: a traceback, a printed record.
    pub block: Option<usize>,
    /// Whether it is more to the point than others: it matched a search, or names the request.
    pub matched: bool,
}

impl LineRow {
    fn is_error(&self) -> bool {
        self.level.is_some_and(LogLevel::is_error)
    }
}

/// How lines are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The most rows that are shown. Folded lines and gaps need no room.
    pub room: usize,
    /// This many first lines come before everything but errors.
    pub head: usize,
    /// This many last lines come before everything but errors.
    pub tail: usize,
    /// This many lines around an error come before the rest.
    pub around: usize,
    /// Whether near-equal lines fold wherever they are; else only in a row, and only where there is no room for all.
    /// Errors of a kind fold wherever they are in either case, but only where other lines would.
    pub scattered: bool,
    /// Whether errors fold, too.
    pub errors: Errors,
}

/// What happens to near-equal errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// They fold like other lines, so that each kind of error has room; what is folded is counted below the first.
    Fold,
    /// As up to renderer 4, whose tables are compared: errors do not fold, and what is folded is counted in place of
    /// the first folded line.
    Stay,
}

impl Manner {
    /// For log events.
    pub fn logs(room: usize) -> Self {
        Self { room, head: 2, tail: 12, around: 0, scattered: true, errors: Errors::Fold }
    }

    /// For lines of a console.
    pub fn console(room: usize) -> Self {
        Self { room, head: room / 6, tail: room / 3, around: 2, scattered: false, errors: Errors::Fold }
    }
}

/// An item of a list of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineItem {
    /// A line, by its index.
    Line(usize),
    /// Lines like the one above, up to the last one of them, which is shown.
    Similar(Vec<usize>),
    /// Lines that are left out here.
    Gap(Omitted),
}

/// The chosen lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineChoice {
    /// In the order of lines; [`LineItem::Similar`] follows the first of its group.
    pub items: Vec<LineItem>,
    /// The sum of the gaps.
    pub omitted: Omitted,
}

/// Chooses log events: errors, the newest, warnings, and then the others from the newest back. Near-equal ones fold.
pub fn logs<'a>(events: impl Iterator<Item = &'a LogEvent>, room: usize) -> LineChoice {
    let rows: Vec<LineRow> = events.map(log_row).collect();
    lines(&rows, Manner::logs(room))
}

/// What is known about a log event.
pub fn log_row(event: &LogEvent) -> LineRow {
    LineRow {
        level: event.log_level(),
        form: format!("{}\u{0}{}\u{0}{}", event.group, event.stream, template(&event.message)),
        ..LineRow::default()
    }
}

/// Chooses lines of a console: errors and tracebacks, the first and the last lines, and what stands around errors.
pub fn console(lines_of: &[ConsoleLine], room: usize) -> LineChoice {
    lines(&console_rows(lines_of), Manner::console(room))
}

/// What is known about the lines of a console. Colours and the prefix of docker compose do not count.
pub fn console_rows(lines: &[ConsoleLine]) -> Vec<LineRow> {
    let kinds = classify(lines);
    let mut rows: Vec<LineRow> = Vec::with_capacity(lines.len());
    let mut blocks = 0;
    // The block of the last lines of each container, and whether an error began it.
    let mut open: HashMap<(&str, bool), (usize, bool)> = HashMap::new();
    for (line, kind) in lines.iter().zip(&kinds) {
        let beginning = beginning(&line.text, 2_000);
        let (container, rest) = match prefix(beginning) {
            Some(found) => (found.container, found.rest),
            None => ("", beginning),
        };
        let text = plain(rest);
        let key = (container, line.stderr);
        let own = level::of_text(&text);
        let mut row = LineRow {
            level: own,
            form: format!("{container}\u{0}{}\u{0}{}", line.stderr, template(&text)),
            ..LineRow::default()
        };
        let continues = text.starts_with([' ', '\t']) && !text.trim().is_empty()
            || ["Caused by", "at ", "... "].iter().any(|head| text.starts_with(head));
        match (kind, open.get(&key).copied()) {
            (LineKind::Traceback, Some((block, true))) => row.block = Some(block),
            (LineKind::Traceback, _) => {
                blocks += 1;
                open.insert(key, (blocks, true));
                row.block = Some(blocks);
            }
            (_, Some((block, _))) if continues => {
                row.block = Some(block);
                // A line of a stack is no error of its own.
                row.level = row.level.filter(|level| !level.is_error());
            }
            _ => {
                open.remove(&key);
                if row.is_error() {
                    blocks += 1;
                    open.insert(key, (blocks, false));
                    row.block = Some(blocks);
                }
            }
        }
        if *kind == LineKind::Traceback {
            // Its exception is the error; its heading and its frames belong to it.
            let heading = text.contains("Traceback (most recent call last)");
            row.level = row.level.filter(|level| level.is_error() && !heading && !continues);
        }
        rows.push(row);
    }
    rows
}

/// Near-equal lines that fold.
struct Group {
    /// The first of the group, which is not folded.
    first: usize,
    /// Those between the first and the last.
    between: Vec<usize>,
}

/// Chooses lines.
pub fn lines(rows: &[LineRow], manner: Manner) -> LineChoice {
    let fold_errors = manner.errors == Errors::Fold;
    let groups = match manner.scattered {
        true => scattered(rows, |row| fold_errors || !row.is_error()),
        false if rows.len() > manner.room => {
            let mut groups = runs(rows);
            if fold_errors {
                groups.extend(scattered(rows, LineRow::is_error));
                groups.sort_by_key(|group| group.first);
            }
            groups
        }
        false => Vec::new(),
    };
    let by_first: HashMap<usize, &Group> = groups.iter().map(|group| (group.first, group)).collect();
    let mut folded: Vec<Option<usize>> = vec![None; rows.len()];
    for (g, group) in groups.iter().enumerate() {
        for i in &group.between {
            folded[*i] = Some(g);
        }
    }
    let chosen = choose(rows, &folded, &groups, manner);
    let mut choice = LineChoice::default();
    let mut told = vec![false; groups.len()];
    for (i, row) in rows.iter().enumerate() {
        if chosen[i] {
            choice.items.push(LineItem::Line(i));
            if let Some(group) = by_first.get(&i).filter(|_| fold_errors) {
                choice.items.push(LineItem::Similar(group.between.clone()));
            }
            continue;
        }
        // A group whose first line is not shown is omitted: there is nothing that its lines are like.
        match folded[i].filter(|g| chosen[groups[*g].first]) {
            Some(_) if fold_errors => {}
            Some(g) => {
                if !std::mem::replace(&mut told[g], true) {
                    choice.items.push(LineItem::Similar(groups[g].between.clone()));
                }
            }
            None => {
                let mut one = Omitted::default();
                one.add(row.is_error());
                choice.omitted.join(one);
                match choice.items.last_mut() {
                    Some(LineItem::Gap(gap)) => gap.join(one),
                    _ => choice.items.push(LineItem::Gap(one)),
                }
            }
        }
    }
    choice
}

fn alike(a: &LineRow, b: &LineRow) -> bool {
    a.level == b.level && a.form == b.form
}

/// The lines between the first and the last of each group of near-equal lines, of those that may fold.
fn scattered(rows: &[LineRow], may_fold: impl Fn(&LineRow) -> bool) -> Vec<Group> {
    let mut groups: HashMap<(Option<LogLevel>, &str), Vec<usize>> = HashMap::new();
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| may_fold(row)) {
        groups.entry((row.level, &row.form)).or_default().push(i);
    }
    let mut groups: Vec<Group> = groups.into_values().filter_map(|group| folding(&group)).collect();
    groups.sort_by_key(|group| group.first);
    groups
}

/// As [`scattered`], but of lines in a row only, without errors and what belongs to them.
fn runs(rows: &[LineRow]) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut run: Vec<usize> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let folds_here = !row.is_error() && row.block.is_none();
        if let Some(last) = run.last()
            && !(folds_here && alike(&rows[*last], row))
        {
            groups.extend(folding(&run));
            run.clear();
        }
        if folds_here {
            run.push(i);
        }
    }
    groups.extend(folding(&run));
    groups
}

fn folding(group: &[usize]) -> Option<Group> {
    (group.len() >= FOLD_FROM).then(|| Group { first: group[0], between: group[1..group.len() - 1].to_vec() })
}

fn choose(rows: &[LineRow], folded: &[Option<usize>], groups: &[Group], manner: Manner) -> Vec<bool> {
    let mut chosen = vec![false; rows.len()];
    let mut room = manner.room;
    let mut take = |i: usize| {
        if room > 0 && folded[i].is_none() && !chosen[i] {
            chosen[i] = true;
            room -= 1;
        }
    };
    let n = rows.len();
    let mut seen = HashSet::new();
    let errors: Vec<usize> = (0..n).filter(|i| rows[*i].is_error()).collect();
    let (distinct, others): (Vec<usize>, Vec<usize>) =
        errors.iter().partition(|i| seen.insert(rows[**i].form.as_str()));
    for i in distinct {
        take(i);
    }
    if manner.errors == Errors::Fold {
        // Errors of one kind may differ in their level.
        for group in groups.iter().filter(|group| rows[group.first].is_error()) {
            take(group.first);
        }
    }
    let last = n.saturating_sub(manner.tail)..n;
    for i in last.rev().chain(0..manner.head.min(n)) {
        take(i);
    }
    for i in others.into_iter().rev() {
        take(i);
    }
    for i in (0..n).filter(|i| rows[*i].matched) {
        take(i);
    }
    // What belongs to an error: the end of its block first, then the lines around it.
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    for (i, row) in rows.iter().enumerate() {
        if let Some(block) = row.block {
            members.entry(block).or_default().push(i);
        }
    }
    const MOST_OF_BLOCK: usize = 24;
    for i in errors.iter().filter(|i| folded[**i].is_none()) {
        if let Some(block) = rows[*i].block.and_then(|block| members.remove(&block)) {
            // The nearest to the exception say most; the heading is the first.
            let mut order = block.clone();
            order.sort_by_key(|j| (i.abs_diff(*j), *j));
            for j in order.into_iter().take(MOST_OF_BLOCK).chain(block.first().copied()) {
                take(j);
            }
        }
    }
    for i in errors.iter().filter(|i| folded[**i].is_none()) {
        for j in i.saturating_sub(manner.around)..n.min(i + manner.around + 1) {
            take(j);
        }
    }
    for i in (0..n).filter(|i| rows[*i].level == Some(LogLevel::Warn)) {
        if seen.insert(rows[i].form.as_str()) {
            take(i);
        }
    }
    // The first of each group, so that what is folded has a line above it.
    for group in groups {
        take(group.first);
    }
    // The rest, from the newest back. The frames of a folded exception say nothing without it.
    let folded_blocks: HashSet<usize> =
        errors.iter().filter(|i| folded[**i].is_some()).filter_map(|i| rows[*i].block).collect();
    for i in (0..n).rev().filter(|i| rows[*i].block.is_none_or(|block| !folded_blocks.contains(&block))) {
        take(i);
    }
    chosen
}
