//! The cards of X-Ray's settings, as tables: groups and sampling rules.

use tracebook_core::evidence::{Frozen, Kind};
use tracebook_core::text;
use tracebook_core::xray::{Group, Groups, SamplingRule, SamplingRules};

use super::Picture;
use super::captions;
use super::frame::PAD;
use super::layout::{self, CODE, END, HEAD, Head, MONO, NAME, NAME_BOLD, SMALL, STRIP, STRIP_CHART};
use super::measure::Font;
use super::table::{Table, made};
use super::xml::Svg;

/// Maximum number of groups or rules that are drawn.
const MOST_ROWS: usize = 40;
/// Maximum number of lines of a filter expression.
const MOST_LINES: usize = 5;
const LINE: f64 = 16.0;

/// The positions of the columns of groups.
const EXPRESSION: f64 = 230.0;
const INSIGHTS: f64 = 760.0;

impl Picture for Groups {
    fn full(&self, frozen: Option<&Frozen>) -> String {
        groups(self, frozen)
    }

    fn strip(&self, frozen: Option<&Frozen>) -> String {
        groups_strip(self, frozen)
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

impl Picture for SamplingRules {
    fn full(&self, frozen: Option<&Frozen>) -> String {
        rules(self, frozen)
    }

    fn strip(&self, frozen: Option<&Frozen>) -> String {
        rules_strip(self, frozen)
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

/// Draws the full card of groups.
pub(super) fn groups(groups: &Groups, frozen: Option<&Frozen>) -> String {
    let head = groups_head(groups);
    let mut svg = Svg::new();
    let mut y =
        columns(&mut svg, &[(PAD, "Name"), (EXPRESSION, "Filter expression"), (INSIGHTS, "Insights")], head.bottom());
    for (i, group) in groups.groups.iter().take(MOST_ROWS).enumerate() {
        y += group_row(&mut svg, group, y, i % 2 == 1);
    }
    y = rest(&mut svg, groups.groups.len(), "group", "groups", y);
    let description = format!("{} · {}", head.pill.1, head.facts);
    layout::sheet(frozen, &head, &description, svg, y, &groups.notes)
}

/// Draws the compact card of groups: their names.
pub(super) fn groups_strip(groups: &Groups, frozen: Option<&Frozen>) -> String {
    let mut svg = Svg::new();
    names(&mut svg, groups.groups.iter().map(|g| (g.name.as_str(), "")));
    layout::strip(frozen, &groups_head(groups), svg)
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

fn group_row(svg: &mut Svg, group: &Group, top: f64, odd: bool) -> f64 {
    let lines = CODE.wrap(&group.filter_expression, INSIGHTS - EXPRESSION - 16.0, MOST_LINES);
    let lines: Vec<String> = if group.filter_expression.trim().is_empty() { Vec::new() } else { lines };
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = lines.len().max(1) as f64 * LINE + 32.0;
    if odd {
        layout::band(svg, top, height);
    }
    let y = top + 19.0;
    let name = named(&group.name);
    layout::put(svg, "name b", PAD, y, &NAME_BOLD.fit(&name, EXPRESSION - PAD - 16.0));
    let mut line = y;
    if lines.is_empty() {
        layout::put(svg, "name muted", EXPRESSION, line, "every trace: it has no expression");
        line += LINE;
    }
    for text in &lines {
        layout::code(svg, "", EXPRESSION, line, text);
        line += LINE;
    }
    let (class, word) = if group.insights_enabled { ("good", "on") } else { ("note", "off") };
    let width = layout::tag(svg, INSIGHTS, y - 4.0, class, word, 60.0);
    if group.notifications_enabled {
        layout::put(svg, "small muted", INSIGHTS + width + 6.0, y, "notifies");
    }
    layout::put(svg, "small mono muted", PAD, line + 1.0, &MONO.fit(&layout::clean(&group.arn), END - PAD));
    height
}

/// The positions of the columns of rules.
const RULE_NAME: f64 = 74.0;
const MATCHES: f64 = 240.0;
const RESERVOIR: f64 = 560.0;
const RATE: f64 = 656.0;

/// Draws the full card of sampling rules.
pub(super) fn rules(rules: &SamplingRules, frozen: Option<&Frozen>) -> String {
    let head = rules_head(rules);
    let mut svg = Svg::new();
    let mut y = columns(
        &mut svg,
        &[(PAD, "Priority"), (RULE_NAME + 6.0, "Name"), (MATCHES, "Matches"), (RESERVOIR, "Reservoir"), (RATE, "Rate")],
        head.bottom(),
    );
    for (i, rule) in rules.rules.iter().take(MOST_ROWS).enumerate() {
        y += rule_row(&mut svg, rule, y, i % 2 == 1);
    }
    y = rest(&mut svg, rules.rules.len(), "rule", "rules", y);
    let description = format!("{} · {}", head.pill.1, head.facts);
    layout::sheet(frozen, &head, &description, svg, y, &rules.notes)
}

/// Draws the compact card of sampling rules: names and rates.
pub(super) fn rules_strip(rules: &SamplingRules, frozen: Option<&Frozen>) -> String {
    let mut svg = Svg::new();
    let rates: Vec<String> = rules.rules.iter().take(3).map(|r| format!("{} %", text::percent(r.fixed_rate))).collect();
    names(&mut svg, rules.rules.iter().zip(&rates).map(|(r, rate)| (r.name.as_str(), rate.as_str())));
    layout::strip(frozen, &rules_head(rules), svg)
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

fn rule_row(svg: &mut Svg, rule: &SamplingRule, top: f64, odd: bool) -> f64 {
    let mut lines: Vec<String> = Vec::new();
    let room = RESERVOIR - MATCHES - 16.0;
    let matches = matches(rule);
    for (name, value) in matches.iter().take(6) {
        lines.push(MONO.fit(&layout::clean(&format!("{name} {value}")), room));
    }
    if matches.len() > 6 {
        lines.push(format!("and {} more", matches.len() - 6));
    }
    if matches.is_empty() {
        lines.push("every request".to_owned());
    }
    let words = SMALL.wrap(&sentence(rule), END - RESERVOIR, 2);
    let ignored = ignored(rule);
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = {
        let left = lines.len() as f64 * LINE + 12.0;
        let right = 24.0 + (words.len() + ignored.len()) as f64 * LINE + 12.0;
        left.max(right).max(44.0)
    };
    if odd {
        layout::band(svg, top, height);
    }
    let y = top + 19.0;
    layout::put(svg, "name", PAD, y, &NAME.fit(&text::grouped(rule.priority as usize), RULE_NAME - PAD));
    layout::put(svg, "name b", RULE_NAME + 6.0, y, &NAME_BOLD.fit(&named(&rule.name), MATCHES - RULE_NAME - 20.0));
    let mut line = y;
    for text in &lines {
        layout::put(svg, if matches.is_empty() { "small muted" } else { "small mono" }, MATCHES, line, text);
        line += LINE;
    }
    let reservoir = format!("{}/s", text::grouped(rule.reservoir_size as usize));
    layout::put(svg, "name", RESERVOIR, y, &NAME.fit(&reservoir, RATE - RESERVOIR - 8.0));
    let partial = rule.fixed_rate < 1.0;
    let rate = NAME_BOLD.fit(&format!("{} %", text::percent(rule.fixed_rate)), 92.0);
    layout::put(svg, if partial { "name b open" } else { "name b" }, RATE, y, &rate);
    bar(svg, rule.fixed_rate, RATE + 98.0, y - 9.0, END - RATE - 98.0);
    let mut line = y + 20.0;
    for text in &words {
        layout::put(svg, if partial { "small open" } else { "small muted" }, RESERVOIR, line, text);
        line += LINE;
    }
    for text in &ignored {
        layout::put(svg, "small bad", RESERVOIR, line, &SMALL.fit(text, END - RESERVOIR));
        line += LINE;
    }
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

/// The first three names at the right of a compact card, each with its description.
fn names<'a>(svg: &mut Svg, list: impl Iterator<Item = (&'a str, &'a str)>) {
    let list: Vec<_> = list.take(3).collect();
    #[expect(clippy::cast_precision_loss, reason = "at most three")]
    let mut y = STRIP / 2.0 + 4.0 - (list.len() as f64 - 1.0) * 8.0;
    for (name, said) in list {
        let room = END - STRIP_CHART - Font::bold(11.0).width(said) - 10.0;
        layout::put(svg, "small", STRIP_CHART, y, &SMALL.fit(&named(name), room));
        layout::end(svg, "head", END, y, &HEAD.fit(said, 80.0));
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
