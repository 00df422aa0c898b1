//! The rows of a trace.

use std::collections::{HashMap, HashSet};

use super::Omitted;
use crate::analysis::timing::Timing;
use crate::assemble::{Row, Tree};
use crate::attributes;
use crate::ids::SpanId;
use crate::template::template;
use crate::text::{count, grouped};
use crate::time::human_duration;
use crate::trace::{SpanKind, Trace};

/// This many equal siblings become one row.
const FOLD_FROM: usize = 4;

/// Equal siblings that are one row: the same service, title and statement, and equal spans below them, none of which
/// failed or is in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The depth of the siblings.
    pub depth: usize,
    /// The missing parent, shown once above its first child.
    pub phantom: Option<SpanId>,
    /// The siblings, in the order of rows.
    pub members: Vec<usize>,
    /// The number of spans below them.
    pub below: usize,
    /// The sum of their times in nanoseconds.
    pub total: u64,
    /// The 95th percentile of their times (nearest rank), in nanoseconds.
    pub p95: u64,
    /// The longest of their times, in nanoseconds.
    pub longest: u64,
}

impl Fold {
    /// The number of spans that the row stands for.
    pub fn spans(&self) -> usize {
        self.members.len() + self.below
    }

    /// `37 × SELECT activities`
    pub fn title(&self, trace: &Trace) -> String {
        let title = self.members.first().map(|i| trace.spans[*i].title()).unwrap_or_default();
        format!("{} × {title}", grouped(self.members.len()))
    }

    /// `412 ms in all, p95 14 ms, longest 20 ms, 74 spans below`
    pub fn facts(&self) -> String {
        let duration = |nanos: u64| human_duration(i64::try_from(nanos).unwrap_or(i64::MAX));
        let mut facts =
            format!("{} in all, p95 {}, longest {}", duration(self.total), duration(self.p95), duration(self.longest));
        if self.below > 0 {
            facts.push_str(&format!(", {} below", count(self.below, "span")));
        }
        facts
    }
}

/// An item of a drawn trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpanItem {
    /// A span.
    Span(Row),
    /// Equal siblings.
    Fold(Fold),
    /// Spans that are left out here.
    Gap(Omitted),
}

/// The chosen rows of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanChoice {
    /// In the order of rows.
    pub items: Vec<SpanItem>,
    /// The sum of the gaps.
    pub omitted: Omitted,
}

/// A row that may be chosen: a span, or a fold at the place of its first member.
#[derive(Clone, Debug)]
struct Unit {
    /// Index into [`Tree::rows`].
    row: usize,
    fold: Option<usize>,
    /// The nearest ancestor that is a unit.
    parent: Option<usize>,
}

/// The rows of a trace that may be chosen. Finding equal siblings reads every span, so it is done once for all sizes.
#[derive(Clone, Debug)]
pub struct SpanUnits {
    folds: Vec<Fold>,
    /// By the index of a span: the fold that it is a part of.
    folded: Vec<Option<usize>>,
    units: Vec<Unit>,
}

impl SpanUnits {
    /// The rows of a trace that may be chosen.
    pub fn of(trace: &Trace, tree: &Tree) -> Self {
        let folds = folds(trace, tree);
        let mut folded: Vec<Option<usize>> = vec![None; trace.spans.len()];
        for (f, fold) in folds.iter().enumerate() {
            for member in &fold.members {
                folded[*member] = Some(f);
            }
        }
        for row in &tree.rows {
            if let Some(parent) = tree.parents[row.index] {
                folded[row.index] = folded[row.index].or(folded[parent]);
            }
        }
        let units = units(tree, &folds, &folded);
        Self { folds, folded, units }
    }
}

/// Chooses at most `room` rows of a trace: the root, every failed span with its ancestors, the critical path, the
/// slowest by self time, the first and the last child of what is shown, and then the others in their order. Gaps need
/// no room.
pub fn spans(trace: &Trace, tree: &Tree, timing: &Timing, units: &SpanUnits, room: usize) -> SpanChoice {
    let SpanUnits { folds, folded, units } = units;
    let chosen = choose(trace, tree, timing, units, folds, room);

    let mut choice = SpanChoice::default();
    let mut shown: Vec<Option<&Unit>> = vec![None; tree.rows.len()];
    let mut shown_folds = vec![false; folds.len()];
    for (unit, chosen) in units.iter().zip(&chosen) {
        if *chosen {
            shown[unit.row] = Some(unit);
            if let Some(fold) = unit.fold {
                shown_folds[fold] = true;
            }
        }
    }
    for (at, row) in tree.rows.iter().enumerate() {
        match shown[at].map(|unit| unit.fold) {
            Some(Some(fold)) => choice.items.push(SpanItem::Fold(folds[fold].clone())),
            Some(None) => choice.items.push(SpanItem::Span(*row)),
            None if folded[row.index].is_some_and(|f| shown_folds[f]) => {}
            None => {
                let mut one = Omitted::default();
                one.add(trace.spans[row.index].failure().is_some());
                choice.omitted.join(one);
                match choice.items.last_mut() {
                    Some(SpanItem::Gap(gap)) => gap.join(one),
                    _ => choice.items.push(SpanItem::Gap(one)),
                }
            }
        }
    }
    choice
}

/// The groups of equal siblings.
fn folds(trace: &Trace, tree: &Tree) -> Vec<Fold> {
    // The form of each span with everything below it; `None` where it must stay visible.
    let mut forms: Vec<Option<usize>> = vec![None; trace.spans.len()];
    let mut below: Vec<usize> = vec![0; trace.spans.len()];
    type Form<'a> = (&'a str, String, SpanKind, String, Vec<usize>);
    let mut known: HashMap<Form<'_>, usize> = HashMap::new();
    for row in tree.rows.iter().rev() {
        let span = &trace.spans[row.index];
        let children = &tree.children[row.index];
        below[row.index] = children.iter().map(|c| below[*c] + 1).sum();
        if span.failure().is_some() || span.end.is_none() {
            continue;
        }
        let Some(inner) = children.iter().map(|c| forms[*c]).collect::<Option<Vec<usize>>>() else { continue };
        let detail = attributes::detail(span).map(|d| template(&d.text)).unwrap_or_default();
        let next = known.len();
        let form = (span.service.as_str(), template(&span.title()), span.kind, detail, inner);
        forms[row.index] = Some(*known.entry(form).or_insert(next));
    }
    let mut folds = Vec::new();
    let phantoms: HashMap<usize, SpanId> = tree.rows.iter().filter_map(|row| Some((row.index, row.phantom?))).collect();
    let depths: HashMap<usize, usize> = tree.rows.iter().map(|row| (row.index, row.depth)).collect();
    let mut group = |siblings: &[usize]| {
        let mut groups: HashMap<(usize, Option<SpanId>), Vec<usize>> = HashMap::new();
        for i in siblings {
            // Tops are siblings if they miss the same parent.
            let missing = if tree.parents[*i].is_none() { trace.spans[*i].parent } else { None };
            if let Some(form) = forms[*i] {
                groups.entry((form, missing)).or_default().push(*i);
            }
        }
        for members in groups.into_values().filter(|members| members.len() >= FOLD_FROM) {
            let mut times: Vec<u64> = members
                .iter()
                .map(|i| trace.spans[*i].duration().map_or(0, |nanos| u64::try_from(nanos).unwrap_or(0)))
                .collect();
            times.sort_unstable();
            let rank = (times.len() * 95).div_ceil(100).max(1) - 1;
            folds.push(Fold {
                depth: depths.get(&members[0]).copied().unwrap_or_default(),
                phantom: members.iter().find_map(|i| phantoms.get(i).copied()),
                below: members.iter().map(|i| below[*i]).sum(),
                total: times.iter().fold(0, |sum, n| sum.saturating_add(*n)),
                p95: times[rank],
                longest: times[times.len() - 1],
                members,
            });
        }
    };
    group(&tree.tops);
    // Within a group that folds, nothing else is grouped: the outer fold contains it.
    for row in &tree.rows {
        if tree.children[row.index].len() >= FOLD_FROM {
            group(&tree.children[row.index]);
        }
    }
    // The root is never folded.
    let root = tree.rows.first().map(|row| row.index);
    folds.retain(|fold| root.is_none_or(|root| !fold.members.contains(&root)));
    outermost(tree, folds)
}

/// Removes folds within folds.
fn outermost(tree: &Tree, mut folds: Vec<Fold>) -> Vec<Fold> {
    let mut inside = vec![false; tree.parents.len()];
    for fold in &folds {
        for member in &fold.members {
            inside[*member] = true;
        }
    }
    // Whether an ancestor is a member.
    let mut within = vec![false; tree.parents.len()];
    for row in &tree.rows {
        if let Some(parent) = tree.parents[row.index] {
            within[row.index] = within[parent] || inside[parent];
        }
    }
    folds.retain(|fold| !within[fold.members[0]]);
    folds
}

fn units(tree: &Tree, folds: &[Fold], folded: &[Option<usize>]) -> Vec<Unit> {
    let first: HashMap<usize, usize> = folds.iter().enumerate().map(|(f, fold)| (fold.members[0], f)).collect();
    let mut units: Vec<Unit> = Vec::with_capacity(tree.rows.len());
    let mut at: HashMap<usize, usize> = HashMap::with_capacity(tree.rows.len());
    for (row, Row { index, .. }) in tree.rows.iter().enumerate() {
        let fold = first.get(index).copied();
        if fold.is_none() && folded[*index].is_some() {
            continue;
        }
        let parent = tree.parents[*index].and_then(|parent| at.get(&parent).copied());
        at.insert(*index, units.len());
        units.push(Unit { row, fold, parent });
    }
    units
}

/// The units under choice.
struct Chooser<'a> {
    units: &'a [Unit],
    chosen: Vec<bool>,
    room: usize,
}

impl Chooser<'_> {
    /// Chooses a unit, if there is room.
    fn take(&mut self, unit: usize) {
        if self.room > 0 && !self.chosen[unit] {
            self.chosen[unit] = true;
            self.room -= 1;
        }
    }

    /// The ancestors of a unit, nearest first.
    fn above(&self, unit: usize) -> impl Iterator<Item = usize> + use<'_> {
        std::iter::successors(self.units[unit].parent, |above| self.units[*above].parent)
    }

    /// Chooses the ancestors of a unit, nearest first, as far as there is room.
    fn take_above(&mut self, unit: usize) {
        let mut next = self.units[unit].parent;
        while let Some(above) = next.filter(|_| self.room > 0) {
            self.take(above);
            next = self.units[above].parent;
        }
    }

    /// Chooses a unit with its ancestors, if there is room for all of them within `limit`.
    fn take_whole(&mut self, unit: usize, limit: &mut usize) {
        let most = self.room.min(*limit);
        let missing: Vec<usize> =
            std::iter::once(unit).chain(self.above(unit)).filter(|u| !self.chosen[*u]).take(most + 1).collect();
        if missing.len() <= most {
            *limit -= missing.len();
            for unit in missing {
                self.take(unit);
            }
        }
    }
}

fn choose(trace: &Trace, tree: &Tree, timing: &Timing, units: &[Unit], folds: &[Fold], room: usize) -> Vec<bool> {
    if units.len() <= room {
        return vec![true; units.len()];
    }
    let span_of = |unit: &Unit| tree.rows[unit.row].index;
    let mut chooser = Chooser { units, chosen: vec![false; units.len()], room };
    if !units.is_empty() {
        chooser.take(0);
    }

    // Errors: distinct ones first.
    let mut seen: HashSet<(String, String)> = HashSet::new();
    let (mut distinct, mut others) = (Vec::new(), Vec::new());
    for (u, unit) in units.iter().enumerate() {
        let span = &trace.spans[span_of(unit)];
        if unit.fold.is_some() || span.failure().is_none() {
            continue;
        }
        let message = span.exceptions.first().map_or_else(
            || if span.cause_ref.is_empty() { span.status.message.clone() } else { span.cause_ref.clone() },
            crate::trace::Exception::line,
        );
        let key = (span.title(), template(&message));
        if seen.insert(key) { distinct.push(u) } else { others.push(u) }
    }
    for unit in &distinct {
        chooser.take(*unit);
    }
    if others.len() <= chooser.room {
        for unit in &others {
            chooser.take(*unit);
        }
    }
    // Where not all of them fit, what the distinct ones follow from says more than further equal ones.
    for list in [&distinct, &others] {
        for unit in list {
            chooser.take(*unit);
            if chooser.chosen[*unit] {
                chooser.take_above(*unit);
            }
        }
    }

    // The critical path, those who take most time on it first; at most half of what is left, and again at the end.
    let sum = |unit: &Unit, of: &[u64]| match unit.fold {
        Some(fold) => folds[fold].members.iter().fold(0u64, |sum, i| sum.saturating_add(of[*i])),
        None => of[span_of(unit)],
    };
    let on_path = |unit: &Unit| match unit.fold {
        Some(fold) => folds[fold].members.iter().any(|i| timing.on_path[*i]),
        None => timing.on_path[span_of(unit)],
    };
    let order = |of: &[u64], keep: &dyn Fn(&Unit) -> bool| {
        let mut order: Vec<(u64, usize)> =
            units.iter().enumerate().filter(|(_, u)| keep(u)).map(|(i, u)| (sum(u, of), i)).collect();
        order.sort_by_key(|(nanos, i)| (std::cmp::Reverse(*nanos), *i));
        order
    };
    let path = order(&timing.critical_nanos, &on_path);
    let slowest = order(&timing.self_nanos, &|_| true);
    for (list, share) in [(&path, 2), (&slowest, 2)] {
        let mut limit = chooser.room / share;
        for (_, unit) in list {
            if limit == 0 {
                break;
            }
            chooser.take_whole(*unit, &mut limit);
        }
    }

    // The first and the last child of each chosen unit.
    let mut ends: HashMap<Option<usize>, (usize, usize)> = HashMap::new();
    for (u, unit) in units.iter().enumerate() {
        ends.entry(unit.parent).and_modify(|(_, last)| *last = u).or_insert((u, u));
    }
    let parents: Vec<Option<usize>> =
        std::iter::once(None).chain((0..units.len()).filter(|u| chooser.chosen[*u]).map(Some)).collect();
    for parent in parents {
        if let Some((first, last)) = ends.get(&parent) {
            chooser.take(*first);
            chooser.take(*last);
        }
    }

    // What is left, in its order: parents come before their children.
    for unit in 0..units.len() {
        if chooser.room == 0 {
            break;
        }
        chooser.take(unit);
    }
    chooser.chosen
}
