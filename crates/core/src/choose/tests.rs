use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::analysis::timing::Timing;
use crate::assemble::{LooseSpan, Tree, assemble};
use crate::console::ConsoleLine;
use crate::ids::{SpanId, TraceId};
use crate::level::LogLevel;
use crate::logs::LogEvent;
use crate::time::Nanos;
use crate::trace::{Protocol, Span, StatusCode, Trace};

fn id(n: usize) -> SpanId {
    SpanId((n as u64 + 1).to_be_bytes())
}

/// A span below another one, by their numbers.
fn span(n: usize, parent: Option<usize>, name: &str, from: i64, length: i64) -> Span {
    let mut span = Span::new(id(n), name, Protocol::Otlp, Nanos(from * 1_000_000));
    span.parent = parent.map(id);
    span.end = Some(Nanos((from + length) * 1_000_000));
    span.service = "shop".into();
    span
}

fn failed(mut span: Span, message: &str) -> Span {
    span.status.code = StatusCode::Error;
    span.status.message = message.into();
    span
}

fn trace(spans: impl IntoIterator<Item = Span>) -> Trace {
    let loose = spans.into_iter().map(LooseSpan::from);
    assemble(TraceId([1; 16]), loose)
}

fn chosen(trace: &Trace, room: usize) -> SpanChoice {
    let tree = Tree::of(trace);
    spans(trace, &tree, &Timing::of(trace, &tree), &SpanUnits::of(trace, &tree), room)
}

/// The texts of items: a name, `37 × name`, or `-12` for a gap with `!` for each error in it.
fn drawn(trace: &Trace, room: usize) -> Vec<String> {
    let text = |item: &SpanItem| match item {
        SpanItem::Span(row) => trace.spans[row.index].name.clone(),
        SpanItem::Fold(fold) => fold.title(trace),
        SpanItem::Gap(gap) => format!("-{}{}", gap.rows, "!".repeat(gap.errors)),
    };
    chosen(trace, room).items.iter().map(text).collect()
}

/// Every span is shown, folded or omitted, once; returns the shown ones.
fn counted(trace: &Trace, choice: &SpanChoice) -> BTreeSet<usize> {
    let tree = Tree::of(trace);
    let mut shown = BTreeSet::new();
    let mut folded = BTreeSet::new();
    let (mut gaps, mut errors) = (0, 0);
    for item in &choice.items {
        match item {
            SpanItem::Span(row) => assert!(shown.insert(row.index), "shown once"),
            SpanItem::Fold(fold) => {
                let before = folded.len();
                let mut stack = fold.members.clone();
                while let Some(i) = stack.pop() {
                    assert!(folded.insert(i), "folded once");
                    assert!(trace.spans[i].failure().is_none(), "an error is not folded");
                    stack.extend(&tree.children[i]);
                }
                assert_eq!(folded.len() - before, fold.spans());
            }
            SpanItem::Gap(gap) => {
                gaps += gap.rows;
                errors += gap.errors;
            }
        }
    }
    assert!(shown.is_disjoint(&folded));
    assert_eq!(Omitted { rows: gaps, errors }, choice.omitted);
    assert_eq!(shown.len() + folded.len() + gaps, trace.spans.len(), "nothing is lost");
    let all_errors: BTreeSet<usize> = (0..trace.spans.len()).filter(|i| trace.spans[*i].failure().is_some()).collect();
    assert_eq!(all_errors.difference(&shown).count(), errors, "every error is shown or counted");
    shown
}

#[test]
fn a_late_error_is_shown_with_its_ancestors() {
    let mut all = vec![span(0, None, "GET /", 0, 1_000)];
    all.extend((1..200).map(|i| span(i, Some(0), &format!("step {}", ["a", "b", "c"][i % 3].repeat(i)), i as i64, 1)));
    all.push(span(200, Some(0), "outer", 900, 90));
    all.push(failed(span(201, Some(200), "inner", 910, 50), "boom"));
    let trace = trace(all);
    let names = drawn(&trace, 20);
    assert!(names.contains(&"outer".to_owned()) && names.contains(&"inner".to_owned()), "{names:?}");
    let choice = chosen(&trace, 20);
    assert_eq!(counted(&trace, &choice).len(), 20);
}

#[test]
fn equal_siblings_are_one_row() {
    let mut all = vec![span(0, None, "GET /", 0, 500)];
    all.extend((1..38).map(|i| span(i, Some(0), "SELECT activities", i as i64 * 12, if i > 35 { 14 } else { 11 })));
    all.push(span(38, Some(0), "render", 480, 10));
    let trace = trace(all);
    assert_eq!(drawn(&trace, 60), ["GET /", "37 × SELECT activities", "render"]);
    let choice = chosen(&trace, 60);
    counted(&trace, &choice);
    let SpanItem::Fold(fold) = &choice.items[1] else { panic!("a fold") };
    assert_eq!(fold.facts(), "413 ms in all, p95 14 ms, longest 14 ms");
}

#[test]
fn different_statements_and_errors_do_not_fold() {
    let query = |i: usize, text: &str| {
        let mut span = span(i, Some(0), "SELECT", i as i64 * 10, 9);
        span.attributes = vec![crate::value::Attribute::new("db.statement", text)];
        span
    };
    let mut all = vec![span(0, None, "GET /", 0, 500)];
    all.extend((1..5).map(|i| query(i, &format!("SELECT * FROM users WHERE id = {i}"))));
    all.extend((5..9).map(|i| query(i, ["a", "b", "c", "d"][i - 5])));
    all.extend((9..14).map(|i| failed(query(i, "SELECT 1"), "boom")));
    let trace = trace(all);
    let names = drawn(&trace, 60);
    assert_eq!(names[1], "4 × SELECT");
    assert_eq!(names.len(), 2 + 4 + 5);
}

#[test]
fn groups_fold_with_what_is_below_them() {
    let mut all = vec![span(0, None, "GET /", 0, 500)];
    for i in 0..5 {
        all.push(span(10 + i * 10, Some(0), "item", i as i64 * 20, 19));
        all.extend((1..6).map(|j| span(10 + i * 10 + j, Some(10 + i * 10), "query", i as i64 * 20 + j as i64, 1)));
    }
    let trace = trace(all);
    assert_eq!(drawn(&trace, 60), ["GET /", "5 × item"]);
    counted(&trace, &chosen(&trace, 60));
}

#[test]
fn more_errors_than_rows_are_counted_distinct_ones_first() {
    let mut all = vec![span(0, None, "GET /", 0, 5_000)];
    all.extend((1..100).map(|i| failed(span(i, Some(0), "pay", i as i64, 1), &format!("timeout after {i} ms"))));
    all.push(failed(span(100, Some(0), "log", 200, 1), "disk full"));
    let trace = trace(all);
    let choice = chosen(&trace, 10);
    let shown = counted(&trace, &choice);
    assert_eq!(choice.omitted, Omitted { rows: 91, errors: 91 });
    assert!(shown.iter().any(|i| trace.spans[*i].name == "log"));
}

#[test]
fn an_error_at_the_end_of_a_long_chain_is_shown() {
    let all = (0..500usize).map(|i| {
        let span = span(i, i.checked_sub(1), "call", i as i64, 1_000 - i as i64);
        if i == 499 { failed(span, "deep") } else { span }
    });
    let trace = trace(all);
    let choice = chosen(&trace, 30);
    let shown = counted(&trace, &choice);
    assert!(shown.contains(&0) && shown.contains(&499) && shown.contains(&498));
}

#[test]
fn ten_thousand_spans_are_chosen_quickly() {
    let mut all = vec![span(0, None, "GET /", 0, 50_000)];
    all.extend((1..10_000).map(|i| {
        let parent = if i % 50 == 0 { 0 } else { i - 1 };
        let span = span(i, Some(parent), &format!("step {}", "x".repeat(i % 97)), i as i64, 40 - (i as i64 % 40));
        if i % 997 == 0 { failed(span, "boom") } else { span }
    }));
    let trace = trace(all);
    let began = std::time::Instant::now();
    let choice = chosen(&trace, 60);
    assert!(began.elapsed().as_secs_f64() < 2.0, "{:?}", began.elapsed());
    assert_eq!(choice.omitted.errors, 0);
    counted(&trace, &choice);
}

fn event(millis: i64, severity: &str, message: &str) -> LogEvent {
    LogEvent {
        timestamp: Nanos(millis * 1_000_000),
        severity: severity.into(),
        message: message.into(),
        ..LogEvent::default()
    }
}

/// Every line is shown, folded or omitted, once; returns the shown ones.
fn counted_lines(rows: usize, errors: &BTreeSet<usize>, choice: &LineChoice) -> BTreeSet<usize> {
    let (mut shown, mut folded) = (BTreeSet::new(), BTreeSet::new());
    for pair in choice.items.windows(2) {
        if let [item, LineItem::Similar(members)] = pair
            && members.iter().any(|i| errors.contains(i))
        {
            assert!(matches!(item, LineItem::Line(i) if errors.contains(i) && *i < members[0]), "below one like them");
            assert!(members.iter().all(|i| errors.contains(i)));
        }
    }
    let mut omitted = Omitted::default();
    for item in &choice.items {
        match item {
            LineItem::Line(i) => assert!(shown.insert(*i)),
            LineItem::Similar(members) => members.iter().for_each(|i| assert!(folded.insert(*i))),
            LineItem::Gap(gap) => omitted.join(*gap),
        }
    }
    assert!(shown.is_disjoint(&folded));
    assert_eq!(omitted, choice.omitted);
    assert_eq!(shown.len() + folded.len() + omitted.rows, rows, "nothing is lost");
    let counted = errors.iter().filter(|i| folded.contains(*i)).count() + omitted.errors;
    assert_eq!(errors.difference(&shown).count(), counted, "every error is shown or counted");
    shown
}

#[test]
fn near_equal_log_lines_fold_and_errors_stay() {
    let mut events: Vec<LogEvent> =
        (0..76).map(|i| event(i * 10, "INFO", &format!("GET /health/{i} took {i} ms"))).collect();
    events.insert(30, event(295, "", "GET http /api? 500 INTERNAL SERVER ERROR"));
    let choice = logs(events.iter(), 60);
    let shown = counted_lines(77, &BTreeSet::from([30]), &choice);
    assert_eq!(shown, BTreeSet::from([0, 30, 76]));
    assert_eq!(choice.items[0], LineItem::Line(0));
    assert!(matches!(&choice.items[1], LineItem::Similar(members) if members.len() == 74));
}

#[test]
fn near_equal_errors_fold_so_that_each_kind_is_shown() {
    let mut events: Vec<LogEvent> = (0..76).map(|i| event(i * 10, "ERROR", &format!("timeout after {i} ms"))).collect();
    events.insert(40, event(395, "ERROR", "disk full"));
    events.insert(70, event(685, "FATAL", "timeout after 9 ms"));
    let errors: BTreeSet<usize> = (0..events.len()).collect();
    let choice = logs(events.iter(), 60);
    assert_eq!(counted_lines(78, &errors, &choice), BTreeSet::from([0, 40, 70, 77]));
    assert!(matches!(&choice.items[1], LineItem::Similar(members) if members.len() == 74));
    // As renderers up to 4 chose: each error takes a row.
    let rows: Vec<LineRow> = events.iter().map(log_row).collect();
    let before = lines(&rows, Manner { errors: Errors::Stay, ..Manner::logs(60) });
    assert_eq!(counted_lines(78, &errors, &before).len(), 60);
    assert!(!before.items.iter().any(|item| matches!(item, LineItem::Similar(_))));
}

#[test]
fn repeated_tracebacks_fold_to_the_first_and_the_last() {
    let mut lines = vec![line("starting")];
    for i in 0..40 {
        lines.push(line("Traceback (most recent call last):"));
        lines.push(line(&format!("  File \"/app/app.py\", line {}, in run", 10 + i % 2)));
        lines.push(line(&format!("ValueError: order {i} has no customer")));
        lines.push(line(&format!("GET /orders/{i} 200")));
    }
    lines.push(line("KeyError: 'id'"));
    let rows = console_rows(&lines);
    let errors: BTreeSet<usize> = (0..lines.len()).filter(|i| rows[*i].level.is_some_and(LogLevel::is_error)).collect();
    assert!(errors.len() >= 41, "{errors:?}");
    let choice = console(&lines, 60);
    let shown = counted_lines(lines.len(), &errors, &choice);
    // The first with its frames, the last, and the other kind.
    for i in [1, 2, 3, 159, 161] {
        assert!(shown.contains(&i), "{i}: {shown:?}");
    }
    let folded = choice.items.iter().filter_map(|item| match item {
        LineItem::Similar(members) if errors.contains(&members[0]) => Some(members.len()),
        _ => None,
    });
    assert_eq!(folded.collect::<Vec<_>>(), [38]);
}

#[test]
fn the_newest_events_are_kept() {
    let words = ["red", "green", "blue"];
    let events: Vec<LogEvent> =
        (0..200).map(|i| event(i, "INFO", &format!("{} {}", words[i as usize % 3], "x".repeat(i as usize)))).collect();
    let choice = logs(events.iter(), 60);
    let shown = counted_lines(200, &BTreeSet::new(), &choice);
    assert!((142..200).all(|i| shown.contains(&i)) && shown.contains(&0));
}

fn line(text: &str) -> ConsoleLine {
    ConsoleLine { text: text.into(), ..ConsoleLine::default() }
}

#[test]
fn the_traceback_in_the_middle_is_shown() {
    let word = |i: usize| "abcdefghij".chars().cycle().skip(i % 10).take(5 + i % 13).collect::<String>();
    let mut lines: Vec<ConsoleLine> = (0..300).map(|i| line(&format!("{} {}", word(i), word(i * 7)))).collect();
    let traceback = [
        "Traceback (most recent call last):",
        "  File \"/app/app.py\", line 141, in data_handle",
        "    model = UserActivities.run(user_handle)",
        "TypeError: 'NoneType' object is not iterable",
    ];
    for (i, text) in traceback.into_iter().enumerate() {
        lines.insert(150 + i, line(text));
    }
    lines.insert(220, line("Exception in thread \"main\" java.lang.IllegalStateException: x"));
    lines.insert(221, line("\tat com.example.Main.run(Main.java:7)"));
    let choice = console(&lines, 60);
    let shown = counted_lines(lines.len(), &BTreeSet::from([153, 220]), &choice);
    for i in [0, 150, 151, 152, 153, 220, 221, lines.len() - 1] {
        assert!(shown.contains(&i), "{i}");
    }
}

#[test]
fn console_lines_fold_only_without_room() {
    let lines: Vec<ConsoleLine> = (0..70).map(|i| line(&format!("INSERT 0 {i}"))).collect();
    assert_eq!(console(&lines, 80).items.len(), 70);
    let choice = console(&lines, 60);
    assert_eq!(counted_lines(70, &BTreeSet::new(), &choice), BTreeSet::from([0, 69]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_span_is_lost_or_shown_twice(
        parents in prop::collection::vec((0usize..40, 0usize..4, prop::option::weighted(0.15, 0usize..3), -5i64..60), 1..40),
        room in 1usize..30,
    ) {
        let all = parents.iter().enumerate().map(|(i, (parent, name, error, from))| {
            let span = span(i, (*parent < 38).then_some(*parent), ["a", "b", "c", "d"][*name], *from, 5);
            match error {
                Some(error) => failed(span, ["x", "y", "z"][*error]),
                None => span,
            }
        });
        let trace = trace(all);
        let choice = chosen(&trace, room);
        let shown = counted(&trace, &choice);
        let rows = choice.items.iter().filter(|item| !matches!(item, SpanItem::Gap(_))).count();
        prop_assert!(rows <= room);
        prop_assert!(shown.contains(&0), "the root is shown");
        // Naive: with room for all errors, all are shown; a message is never missing while another is there twice.
        let errors: Vec<usize> = (0..trace.spans.len()).filter(|i| trace.spans[*i].failure().is_some()).collect();
        if errors.len() < room {
            prop_assert!(errors.iter().all(|i| shown.contains(i)));
        }
        let key = |i: &usize| (trace.spans[*i].name.clone(), trace.spans[*i].status.message.clone());
        let distinct: BTreeSet<_> = errors.iter().map(key).collect();
        if distinct.len() < room {
            let told: BTreeSet<_> = errors.iter().filter(|i| shown.contains(i)).map(key).collect();
            prop_assert_eq!(told, distinct);
        }
        // In the order of rows.
        let order: Vec<usize> = choice.items.iter().filter_map(|item| match item {
            SpanItem::Span(row) => Some(row.index),
            SpanItem::Fold(fold) => fold.members.first().copied(),
            SpanItem::Gap(_) => None,
        }).collect();
        let places: Vec<usize> =
            order.iter().map(|i| Tree::of(&trace).rows.iter().position(|r| r.index == *i).expect("a row")).collect();
        prop_assert!(places.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn no_line_is_lost_or_shown_twice(
        lines in prop::collection::vec((0usize..4, 0usize..5, any::<bool>()), 0..80),
        room in 1usize..30,
        scattered in any::<bool>(),
        fold in any::<bool>(),
    ) {
        let levels = [None, Some(LogLevel::Info), Some(LogLevel::Warn), Some(LogLevel::Error)];
        let rows: Vec<LineRow> = lines.iter().map(|(level, form, matched)| LineRow {
            level: levels[*level],
            form: form.to_string(),
            block: None,
            matched: *matched && *form == 0,
        }).collect();
        let choice = super::lines(&rows, Manner {
            room,
            head: 2,
            tail: 3,
            around: 1,
            scattered,
            errors: if fold { Errors::Fold } else { Errors::Stay },
        });
        let errors: BTreeSet<usize> = (0..rows.len()).filter(|i| levels[lines[*i].0] == Some(LogLevel::Error)).collect();
        let shown = counted_lines(rows.len(), &errors, &choice);
        prop_assert!(shown.len() <= room);
        let distinct = |of: &mut dyn Iterator<Item = &usize>| of.map(|i| lines[*i].1).collect::<BTreeSet<_>>();
        let all = distinct(&mut errors.iter());
        if all.len() <= room {
            prop_assert_eq!(distinct(&mut errors.iter().filter(|i| shown.contains(i))), all);
        }
    }
}
