//! The cards of X-Ray's settings, as tables: groups and sampling rules.

use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::text;
use tracebook_core::xray::{Group, Groups, SamplingRule, SamplingRules};

use super::Picture;
use super::captions;
use super::form::Width;
use super::frame::{PAD, end_of};
use super::layout::{self, Area, CODE, HEAD, Head, MONO, NAME, NAME_BOLD, SMALL};
use super::table::{Table, made};
use super::xml::Svg;

/// Maximum number of groups or rules that are drawn.
const MOST_ROWS: usize = 40;
/// Maximum number of lines of a filter expression.
const MOST_LINES: usize = 5;
const LINE: f64 = 17.0;

impl Picture for &Groups {
    fn head(&self, _: Option<&Frozen>) -> Head {
        groups_head(self)
    }

    fn body(&self, svg: &mut Svg, top: f64) -> f64 {
        let place = GroupColumns::of(svg.width());
        let mut y = match place.narrow {
            true => top - 8.0,
            false => {
                let heads = [(PAD, "Name"), (place.expression, "Filter expression"), (place.insights, "Insights")];
                columns(svg, &heads, top)
            }
        };
        for (i, group) in self.groups.iter().take(MOST_ROWS).enumerate() {
            y += group_row(svg, group, &place, y, i % 2 == 1);
        }
        rest(svg, self.groups.len(), "group", "groups", y)
    }

    /// The names.
    fn chart(&self, svg: &mut Svg, area: Area) {
        names(svg, self.groups.iter().map(|g| (g.name.as_str(), "")), area);
    }

    fn notes(&self, _: Width) -> Vec<String> {
        self.notes.clone()
    }

    fn table(&self) -> Table {
        groups_table(self)
    }

    fn subject(&self) -> String {
        captions::kind(Kind::Groups).to_owned()
    }

    fn facts(&self) -> Vec<String> {
        let names: Vec<&str> = self.groups.iter().map(|g| g.name.as_str()).collect();
        captions::named(&names).into_iter().collect()
    }
}

impl Picture for &SamplingRules {
    fn head(&self, _: Option<&Frozen>) -> Head {
        rules_head(self)
    }

    fn body(&self, svg: &mut Svg, top: f64) -> f64 {
        let place = RuleColumns::of(svg.width());
        let mut y = match place.narrow {
            true => top - 8.0,
            false => {
                let heads = [
                    (PAD, "Priority"),
                    (place.name, "Name"),
                    (place.matches, "Matches"),
                    (place.reservoir, "Reservoir"),
                    (place.rate, "Rate"),
                ];
                columns(svg, &heads, top)
            }
        };
        for (i, rule) in self.rules.iter().take(MOST_ROWS).enumerate() {
            y += match place.narrow {
                true => rule_block(svg, rule, y, i % 2 == 1),
                false => rule_row(svg, rule, &place, y, i % 2 == 1),
            };
        }
        rest(svg, self.rules.len(), "rule", "rules", y)
    }

    /// Names and rates.
    fn chart(&self, svg: &mut Svg, area: Area) {
        let rates: Vec<String> =
            self.rules.iter().take(3).map(|r| format!("{} %", text::percent(r.fixed_rate))).collect();
        names(svg, self.rules.iter().zip(&rates).map(|(r, rate)| (r.name.as_str(), rate.as_str())), area);
    }

    fn notes(&self, _: Width) -> Vec<String> {
        self.notes.clone()
    }

    fn table(&self) -> Table {
        rules_table(self)
    }

    fn subject(&self) -> String {
        captions::kind(Kind::SamplingRules).to_owned()
    }

    fn facts(&self) -> Vec<String> {
        let names: Vec<&str> = self.rules.iter().map(|r| r.name.as_str()).collect();
        captions::named(&names).into_iter().collect()
    }
}

/// The positions of the columns of groups; on a narrow card, everything stands below the name.
struct GroupColumns {
    narrow: bool,
    expression: f64,
    insights: f64,
    end: f64,
}

impl GroupColumns {
    fn of(width: Width) -> Self {
        let end = end_of(width);
        match width.is_narrow() {
            true => Self { narrow: true, expression: PAD, insights: PAD, end },
            false => Self { narrow: false, expression: PAD + (end - PAD) * 0.26, insights: end - 100.0, end },
        }
    }
}

fn groups_head(groups: &Groups) -> Head {
    let title = match groups.groups.as_slice() {
        [one] => format!("X-Ray group {}", captions::brief(&one.name)),
        _ => "X-Ray groups".to_owned(),
    };
    let mut facts = vec![text::count(groups.groups.len(), "group")];
    if let [one] = groups.groups.as_slice() {
        facts = vec![match one.filter_expression.is_empty() {
            true => "every trace".to_owned(),
            false => one.filter_expression.clone(),
        }];
    }
    let insights = groups.groups.iter().filter(|g| g.insights_enabled).count();
    if insights > 0 {
        facts.push(match groups.groups.len() {
            1 => "insights on".to_owned(),
            _ => format!("insights on for {}", text::grouped(insights)),
        });
    }
    Head {
        title,
        facts: facts.join(" · "),
        aside: String::new(),
        pill: ("note", "GROUPS".to_owned()),
        chips: Vec::new(),
    }
}

fn group_row(svg: &mut Svg, group: &Group, place: &GroupColumns, top: f64, odd: bool) -> f64 {
    let name_room = if place.narrow { place.end - PAD } else { place.expression - PAD - 16.0 };
    let expression_room = if place.narrow { place.end - PAD } else { place.insights - place.expression - 16.0 };
    let names = NAME_BOLD.wrap(&named(&group.name), name_room, 2);
    let expression = match group.filter_expression.trim() {
        "" => Vec::new(),
        _ => CODE.wrap(&group.filter_expression, expression_room, MOST_LINES),
    };
    let arn = MONO.wrap(&layout::clean(&group.arn), place.end - PAD, if place.narrow { 3 } else { 1 });
    let arn: Vec<String> = arn.into_iter().filter(|line| !line.is_empty()).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let lines = |n: usize| n as f64 * LINE;
    let upper = match place.narrow {
        true => lines(names.len() + expression.len().max(1)) + 26.0,
        false => lines(names.len().max(expression.len()).max(1)),
    };
    let height = upper + lines(arn.len()) + 14.0;
    if odd {
        layout::band(svg, top, height);
    }
    let mut y = layout::lines(svg, "name b", PAD, top + 6.0, &names, LINE);
    if !place.narrow {
        y = top + 6.0;
    }
    if expression.is_empty() {
        layout::put(svg, "name muted", place.expression, y + LINE - 4.0, "every trace: it has no expression");
        y += LINE;
    }
    for text in &expression {
        layout::code(svg, "", place.expression, y + LINE - 4.0, text);
        y += LINE;
    }
    let (class, word) = if group.insights_enabled { ("good", "on") } else { ("note", "off") };
    let middle = if place.narrow { y + 13.0 } else { top + 15.0 };
    let word = if place.narrow { format!("insights {word}") } else { word.to_owned() };
    let width = layout::tag(svg, place.insights, middle, class, &word, 120.0);
    if group.notifications_enabled {
        layout::put(svg, "small muted", place.insights + width + 6.0, middle + 4.0, "notifies");
    }
    layout::lines(svg, "small mono muted", PAD, top + 6.0 + upper, &arn, LINE);
    height
}

/// The positions of the columns of rules.
struct RuleColumns {
    narrow: bool,
    name: f64,
    matches: f64,
    reservoir: f64,
    rate: f64,
    end: f64,
}

impl RuleColumns {
    fn of(width: Width) -> Self {
        let end = end_of(width);
        let at = |share: f64| PAD + (end - PAD) * share;
        let name = PAD + 62.0;
        Self { narrow: width.is_narrow(), name, matches: at(0.26), reservoir: at(0.63), rate: at(0.74), end }
    }
}

fn rules_head(rules: &SamplingRules) -> Head {
    let title = match rules.rules.as_slice() {
        [one] => format!("X-Ray sampling rule {}", captions::brief(&one.name)),
        _ => "X-Ray sampling rules".to_owned(),
    };
    let partial = rules.rules.iter().filter(|r| r.fixed_rate < 1.0).count();
    let mut facts = vec![text::count(rules.rules.len(), "rule"), "the lowest priority that matches decides".to_owned()];
    if let [one] = rules.rules.as_slice() {
        facts = vec![sentence(one)];
    }
    let pill = match (partial, rules.rules.len()) {
        (0, _) => ("note", "SAMPLING RULES".to_owned()),
        (_, 1) => ("open", "BELOW 100 %".to_owned()),
        (n, _) => ("open", format!("{} BELOW 100 %", text::grouped(n))),
    };
    Head { title, facts: facts.join(" · "), aside: String::new(), pill, chips: Vec::new() }
}

/// What a rule matches, one condition a line.
fn conditions(rule: &SamplingRule, room: f64) -> Vec<String> {
    let matches = matches(rule);
    let mut lines: Vec<String> = matches
        .iter()
        .take(6)
        .map(|(name, value)| MONO.fit(&layout::clean(&format!("{name} {value}")), room))
        .collect();
    if matches.len() > 6 {
        lines.push(format!("and {} more", matches.len() - 6));
    }
    if matches.is_empty() {
        lines.push("every request".to_owned());
    }
    lines
}

/// The classes of a rule's conditions, rate and sentence.
fn rule_classes(rule: &SamplingRule) -> [&'static str; 3] {
    let partial = rule.fixed_rate < 1.0;
    [
        if matches(rule).is_empty() { "small muted" } else { "small mono" },
        if partial { "name b open" } else { "name b" },
        if partial { "small open" } else { "small muted" },
    ]
}

fn rule_row(svg: &mut Svg, rule: &SamplingRule, place: &RuleColumns, top: f64, odd: bool) -> f64 {
    let lines = conditions(rule, place.reservoir - place.matches - 16.0);
    let names = NAME_BOLD.wrap(&named(&rule.name), place.matches - place.name - 14.0, 2);
    let words = SMALL.wrap(&sentence(rule), place.end - place.reservoir, 3);
    let ignored = ignored(rule);
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = {
        let left = lines.len().max(names.len()) as f64 * LINE + 12.0;
        let right = 24.0 + (words.len() + ignored.len()) as f64 * LINE + 12.0;
        left.max(right).max(44.0)
    };
    if odd {
        layout::band(svg, top, height);
    }
    let y = top + 19.0;
    let [condition, rate_class, said] = rule_classes(rule);
    layout::put(svg, "name", PAD, y, &NAME.fit(&text::grouped(rule.priority as usize), place.name - PAD));
    layout::lines(svg, "name b", place.name, y + 4.0 - LINE, &names, LINE);
    layout::lines(svg, condition, place.matches, y + 4.0 - LINE, &lines, LINE);
    let reservoir = format!("{}/s", text::grouped(rule.reservoir_size as usize));
    layout::put(svg, "name", place.reservoir, y, &NAME.fit(&reservoir, place.rate - place.reservoir - 8.0));
    let rate = NAME_BOLD.fit(&format!("{} %", text::percent(rule.fixed_rate)), 92.0);
    layout::put(svg, rate_class, place.rate, y, &rate);
    bar(svg, rule.fixed_rate, place.rate + 98.0, y - 9.0, place.end - place.rate - 98.0);
    let line = layout::lines(svg, said, place.reservoir, y + 24.0 - LINE, &words, LINE);
    for (i, text) in ignored.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "at most two")]
        let at = line + (i + 1) as f64 * LINE - 4.0;
        layout::put(svg, "small bad", place.reservoir, at, &SMALL.fit(text, place.end - place.reservoir));
    }
    height
}

/// A rule on a narrow card: its parts below one another.
fn rule_block(svg: &mut Svg, rule: &SamplingRule, top: f64, odd: bool) -> f64 {
    let room = end_of(svg.width()) - PAD;
    let names = NAME_BOLD.wrap(&named(&rule.name), room, 2);
    let facts = format!(
        "priority {} · reservoir {}/s",
        text::grouped(rule.priority as usize),
        text::grouped(rule.reservoir_size as usize)
    );
    let lines = conditions(rule, room);
    let words = SMALL.wrap(&sentence(rule), room, 4);
    let ignored: Vec<String> = ignored(rule).into_iter().flat_map(|text| SMALL.wrap(&text, room, 2)).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = (names.len() + 2 + lines.len() + words.len() + ignored.len()) as f64 * LINE + 16.0;
    if odd {
        layout::band(svg, top, height);
    }
    let [condition, rate_class, said] = rule_classes(rule);
    let mut y = layout::lines(svg, "name b", PAD, top + 5.0, &names, LINE);
    y = layout::lines(svg, "small muted", PAD, y, &[SMALL.fit(&facts, room)], LINE);
    y = layout::lines(svg, condition, PAD, y, &lines, LINE);
    let rate = format!("{} %", text::percent(rule.fixed_rate));
    layout::put(svg, rate_class, PAD, y + 15.0, &rate);
    let beside = NAME_BOLD.width(&rate) + 10.0;
    bar(svg, rule.fixed_rate, PAD + beside, y + 6.0, room - beside);
    y = layout::lines(svg, said, PAD, y + LINE + 3.0, &words, LINE);
    layout::lines(svg, "small bad", PAD, y, &ignored, LINE);
    height
}

/// A share as a bar.
fn bar(svg: &mut Svg, rate: f64, x: f64, y: f64, width: f64) {
    let share = if rate.is_finite() { rate.clamp(0.0, 1.0) } else { 0.0 };
    layout::block(svg, "chip", x, y, width, 9.0, 4.5);
    if share > 0.0 {
        let class = if share < 1.0 { "open" } else { "good" };
        layout::block(svg, class, x, y, (width * share).max(9.0), 9.0, 4.5);
    }
}

/// The conditions of a rule other than `*`.
pub(super) fn matches(rule: &SamplingRule) -> Vec<(String, String)> {
    let fields = [
        ("service", &rule.service_name),
        ("type", &rule.service_type),
        ("host", &rule.host),
        ("method", &rule.http_method),
        ("path", &rule.url_path),
        ("resource", &rule.resource_arn),
    ];
    let attributes = rule.attributes.iter().take(50).map(|(name, value)| {
        (format!("attribute {}", text::beginning(name, 200)), text::beginning(value, 200).to_owned())
    });
    fields
        .into_iter()
        .filter(|(_, value)| !matches!(value.as_str(), "*" | ""))
        .map(|(name, value)| (name.to_owned(), text::beginning(value, 200).to_owned()))
        .chain(attributes)
        .collect()
}

/// Why SDKs ignore a rule.
fn ignored(rule: &SamplingRule) -> Vec<String> {
    let mut why = Vec::new();
    if !matches!(rule.resource_arn.as_str(), "*" | "") {
        why.push("SDKs ignore it: its resource is not *".to_owned());
    }
    if !rule.attributes.is_empty() {
        why.push("SDKs ignore it: it matches on attributes".to_owned());
    }
    why
}

/// The effect of a rule, as text.
pub(super) fn sentence(rule: &SamplingRule) -> String {
    let reservoir = match rule.reservoir_size {
        0 => None,
        1 => Some("the first request a second".to_owned()), // words: allow
        n => Some(format!("the first {} requests a second", text::grouped(n as usize))), // words: allow
    };
    let rate = rule.fixed_rate;
    if rate >= 1.0 {
        return "samples every request".to_owned();
    }
    let share = match rate {
        rate if rate > 0.0 => Some(format!("{} % of requests", text::percent(rate))),
        _ => None,
    };
    match (reservoir, share) {
        (None, None) => "samples nothing: these requests leave no trace".to_owned(),
        (Some(first), None) => format!("samples {first} and none of the others"),
        (None, Some(share)) => format!("samples {share}: the others leave no trace"),
        (Some(first), Some(share)) => {
            format!("samples {first}, then {}: the others leave no trace", share.replace("requests", "the rest"))
        }
    }
}

fn named(name: &str) -> String {
    match layout::clean(name) {
        name if name.is_empty() => "(no name)".to_owned(),
        name => name,
    }
}

/// The column headings; returns where the rows begin.
fn columns(svg: &mut Svg, heads: &[(f64, &str)], top: f64) -> f64 {
    for (x, text) in heads {
        layout::put(svg, "small muted", *x, top + 8.0, text);
    }
    top + 16.0
}

/// The note on rows that were left out.
fn rest(svg: &mut Svg, all: usize, one: &str, many: &str, y: f64) -> f64 {
    if all == 0 {
        layout::put(svg, "name muted", PAD, y + 18.0, &format!("There are no {many}."));
        return y + 26.0;
    }
    let hidden = all.saturating_sub(MOST_ROWS);
    if hidden == 0 {
        return y;
    }
    let word = if hidden == 1 { one } else { many };
    let text = format!("… and {} more {word} (all in the data)", text::grouped(hidden));
    layout::put(svg, "name muted", PAD, y + 18.0, &text);
    y + 26.0
}

/// The first three names of a compact card, each with its description.
fn names<'a>(svg: &mut Svg, list: impl Iterator<Item = (&'a str, &'a str)>, area: Area) {
    let list: Vec<_> = list.take(3).collect();
    #[expect(clippy::cast_precision_loss, reason = "at most three")]
    let mut y = area.middle() + 4.0 - (list.len() as f64 - 1.0) * 8.0;
    for (name, said) in list {
        let room = area.width() - HEAD.width(said) - 10.0;
        layout::put(svg, "small", area.left, y, &SMALL.fit(&named(name), room));
        layout::end(svg, "head", area.right, y, &HEAD.fit(said, 80.0));
        y += 16.0;
    }
}

fn groups_table(groups: &Groups) -> Table {
    let on = |on: bool| if on { "on" } else { "off" }.to_owned();
    let rows = groups.groups.iter().map(|g| {
        let expression = match g.filter_expression.is_empty() {
            true => "every trace".to_owned(),
            false => g.filter_expression.clone(),
        };
        [g.name.clone(), expression, on(g.insights_enabled), on(g.notifications_enabled), g.arn.clone()]
    });
    let summary = text::count(groups.groups.len(), "group");
    made(summary, ["Name", "Filter expression", "Insights", "Notifications", "ARN"], groups.groups.len(), rows)
}

fn rules_table(rules: &SamplingRules) -> Table {
    let rows = rules.rules.iter().map(|r| {
        let matches: Vec<String> = matches(r).into_iter().map(|(name, value)| format!("{name} {value}")).collect();
        [
            r.priority.to_string(),
            r.name.clone(),
            if matches.is_empty() { "every request".to_owned() } else { matches.join(", ") },
            format!("{}/s", text::grouped(r.reservoir_size as usize)),
            format!("{} %", text::percent(r.fixed_rate)),
            sentence(r),
            r.modified.human(),
        ]
    });
    let summary = text::count(rules.rules.len(), "rule");
    let head = ["Priority", "Name", "Matches", "Reservoir", "Rate", "In words", "Changed"];
    made(summary, head, rules.rules.len(), rows)
}
