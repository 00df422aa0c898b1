//! Log events, errors, console lines and settings; what is dropped when it is old.

use std::collections::BTreeMap;

use tracebook_core::errors::Level;
use tracebook_core::telemetry::{ConsoleRecord, ErrorRecord, LogEncoding, LogRecord};
use tracebook_core::xray::{Group, SamplingRule};

use super::*;
use crate::console::{LineQuery, RowChange, ScreenChanges};
use crate::refusals::Refusal;
use crate::request_log::RequestCount;
use tracebook_core::log_query::{LogQuery, SettingChange};
use tracebook_core::question::Window;

pub(super) fn log(time: i64, group: &str, message: &str) -> LogRecord {
    LogRecord {
        timestamp: Nanos(time),
        group: group.into(),
        stream: "a/b_%".into(),
        message: message.into(),
        trace_id: (time % 10 == 0).then_some(TraceId([7; 16])),
        span_id: None,
        severity: String::new(),
        severity_number: 0,
        encoding: LogEncoding::Cloudwatch,
        raw: Vec::new(),
        resource: Arc::from(&b""[..]),
        scope: Arc::from(&b""[..]),
    }
}

pub(super) fn error(uuid: &str, item: &str, time: i64, level: Level, person: &str) -> ErrorRecord {
    ErrorRecord {
        uuid: uuid.into(),
        item: item.into(),
        title: format!("title {uuid}"),
        level,
        timestamp: Nanos(time),
        environment: "test".into(),
        person: person.into(),
        trace_id: None,
        raw: b"{}".to_vec(),
    }
}

#[tokio::test]
async fn paging_misses_no_log_event_in_either_direction() {
    let (_dir, telemetry) = telemetry().await;
    // Ten at the same time: `seq` decides.
    let batch: Vec<LogRecord> = (0..50).map(|i| log(i / 10, "cruddur", &format!("m{i}"))).collect();
    telemetry.commit_logs(&batch, Nanos(100)).await.expect("commits");
    for newest_first in [false, true] {
        let mut question = LogQuery { newest_first, limit: 7, ..LogQuery::default() };
        let mut seen = Vec::new();
        loop {
            let page = telemetry.logs(&question).await.expect("reads");
            let Some(last) = page.last() else { break };
            question.after = Some((last.record.timestamp, last.seq));
            seen.extend(page.iter().map(|l| l.seq));
        }
        let mut wanted: Vec<i64> = (1..=50).collect();
        if newest_first {
            wanted.reverse();
        }
        assert_eq!(seen, wanted);
    }
    let stored = telemetry.log(1).await.expect("reads").expect("there");
    assert_eq!((stored.record, stored.received), (batch[0].clone(), Nanos(100)));
}

#[tokio::test]
async fn log_events_are_listed_by_arrival() {
    let (_dir, telemetry) = telemetry().await;
    // A clock that is ahead, one that is behind, and a right one.
    for (time, now) in [(900, 100), (10, 110), (120, 120), (121, 120)] {
        telemetry.commit_logs(&[log(time, "g", &format!("m{time}"))], Nanos(now)).await.expect("commits");
    }
    let newest = LogQuery { by_arrival: true, newest_first: true, limit: 2, ..LogQuery::default() };
    let mut question = newest.clone();
    let mut seen = Vec::new();
    loop {
        let page = telemetry.logs(&question).await.expect("reads");
        let Some(last) = page.last() else { break };
        question.after = Some((last.received, last.seq));
        seen.extend(page.into_iter().map(|l| l.record.message));
    }
    assert_eq!(seen, ["m121", "m120", "m10", "m900"]);
    let since = LogQuery { arrived: Some(Nanos(110)), limit: 9, ..newest.clone() };
    assert_eq!(telemetry.logs(&since).await.expect("reads").len(), 3);
    let range = LogQuery { from: Some(Nanos(120)), before: Some(Nanos(121)), limit: 9, ..newest };
    assert_eq!(telemetry.logs(&range).await.expect("reads").len(), 1);
}

#[tokio::test]
async fn log_queries_filter_by_every_field() {
    let (_dir, telemetry) = telemetry().await;
    telemetry.commit_logs(&[log(10, "a", "x"), log(20, "b", "y"), log(25, "a", "z")], Nanos(1)).await.expect("commits");
    let found = async |question: LogQuery| -> String {
        let found = telemetry.logs(&LogQuery { limit: 10, ..question }).await.expect("reads");
        found.iter().map(|l| l.record.message.as_str()).collect()
    };
    assert_eq!(found(LogQuery::default()).await, "xyz");
    assert_eq!(found(LogQuery { group: Some("a".into()), ..LogQuery::default() }).await, "xz");
    assert_eq!(found(LogQuery { trace_id: Some(TraceId([7; 16])), ..LogQuery::default() }).await, "xy");
    assert_eq!(found(LogQuery { from: Some(Nanos(20)), ..LogQuery::default() }).await, "yz");
    assert_eq!(found(LogQuery { before: Some(Nanos(20)), ..LogQuery::default() }).await, "x");
    assert_eq!(found(LogQuery { stream_prefix: "a/b_".into(), ..LogQuery::default() }).await, "xyz");
    assert_eq!(found(LogQuery { stream_prefix: "a_b".into(), ..LogQuery::default() }).await, "");
    assert_eq!(found(LogQuery { max_bytes: 2, ..LogQuery::default() }).await, "xy");
    assert_eq!(found(LogQuery { streams: vec!["other".into()], ..LogQuery::default() }).await, "");
}

#[tokio::test]
async fn deleting_a_group_deletes_only_its_events() {
    let (_dir, telemetry) = telemetry().await;
    let tags = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    assert_eq!(telemetry.create_log_group("g", &tags, Nanos(1)).await.expect("creates"), SettingChange::Done);
    assert_eq!(telemetry.create_log_group("g", &tags, Nanos(2)).await.expect("knows it"), SettingChange::Conflict);
    assert_eq!(telemetry.create_log_stream("g", "a/b_%", Nanos(1)).await.expect("creates"), SettingChange::Done);
    let over_otlp = LogRecord { encoding: LogEncoding::OtlpJson, ..log(3, "g", "otlp") };
    telemetry.commit_logs(&[log(1, "g", "four"), log(2, "other", "x"), over_otlp], Nanos(9)).await.expect("commits");
    let group = &telemetry.log_groups(None).await.expect("lists")[0];
    assert_eq!((group.stored_bytes, group.tags.len()), (4, 1));
    let streams = telemetry.log_streams("g").await.expect("lists").expect("there");
    assert_eq!((streams[0].first_event, streams[0].last_event), (Some(Nanos(1)), Some(Nanos(1))));
    assert!(telemetry.set_log_retention("g", Some(7)).await.expect("sets"));
    assert!(telemetry.delete_log_group("g").await.expect("deletes"));
    assert!(telemetry.log_streams("g").await.expect("lists").is_none());
    let left = telemetry.logs(&LogQuery { limit: 9, ..LogQuery::default() }).await.expect("reads");
    assert_eq!(left.iter().map(|l| l.record.message.as_str()).collect::<Vec<_>>(), ["x", "otlp"]);
}

#[tokio::test]
async fn occurrences_are_grouped_into_items_and_a_known_uuid_counts_once() {
    let (_dir, telemetry) = telemetry().await;
    let batch = [
        error("a", "one", 5, Level::Error, "ada"),
        error("b", "one", 9, Level::Info, "ada"),
        error("c", "two", 7, Level::Warning, ""),
    ];
    telemetry.commit_errors(&batch, Nanos(1)).await.expect("commits");
    telemetry.commit_errors(&batch[..1], Nanos(2)).await.expect("commits again");
    let items = telemetry.error_items(Window::default(), 0, 10).await.expect("lists");
    let row = |i: usize| (items[i].latest.uuid.as_str(), items[i].occurrences, items[i].worst, items[i].people);
    assert_eq!(items.len(), 2);
    assert_eq!(row(0), ("a", 2, Level::Error, 1), "what arrived last");
    assert_eq!(row(1), ("c", 1, Level::Warning, 0));
    assert_eq!((items[0].first, items[0].received), (Nanos(5), Nanos(2)));
    let arrived = |at: i64| telemetry.error_items(Window::since(Nanos(at)), 0, 10);
    assert_eq!(arrived(2).await.expect("lists").len(), 1);
    assert_eq!(arrived(3).await.expect("lists").len(), 0, "whatever the sender's clock says");
    let until = Window { to: Some(Nanos(7)), ..Window::default() };
    assert_eq!(telemetry.error_items(until, 0, 10).await.expect("lists").len(), 1);
    assert_eq!(telemetry.occurrences("one", 9).await.expect("lists").len(), 2);
    assert_eq!(telemetry.occurrence("a").await.expect("reads"), Some(batch[0].clone()));
    assert_eq!(
        telemetry.error_items(Window { from: Some(Nanos(8)), ..Window::default() }, 0, 10).await.expect("lists").len(),
        1
    );
}

#[tokio::test]
async fn lines_keep_the_order_of_arrival() {
    let (_dir, telemetry) = telemetry().await;
    let lines: Vec<ConsoleRecord> = (0..5)
        .map(|i| ConsoleRecord {
            stream: "flask".into(),
            timestamp: Nanos(i),
            stderr: i == 3,
            text: format!("\u{1b}[31m{i}\u{1b}[0m"),
            trace_id: None,
        })
        .collect();
    telemetry.commit_console(&lines, Nanos(1)).await.expect("commits");
    let newest = LineQuery { newest_first: true, limit: 2, ..LineQuery::default() };
    let found = telemetry.console(&newest).await.expect("reads");
    assert_eq!(found.iter().map(|l| l.record.clone()).collect::<Vec<_>>(), [lines[4].clone(), lines[3].clone()]);
    let older = LineQuery { older_than: Some(found[1].seq), ..newest };
    assert_eq!(telemetry.console(&older).await.expect("reads")[0].record, lines[2]);
}

#[tokio::test]
async fn rows_of_a_screen_change_in_place() {
    let (_dir, telemetry) = telemetry().await;
    let record = |text: &str, at: i64| ConsoleRecord {
        stream: "up".into(),
        timestamp: Nanos(at),
        stderr: false,
        text: text.into(),
        trace_id: None,
    };
    let change = |at: usize, text: &str, time: i64, as_printed: bool| RowChange {
        at,
        record: record(text, time),
        begun: None,
        as_printed,
    };
    let lines = async |printed: bool| -> Vec<String> {
        let query = LineQuery { printed, limit: 100, ..LineQuery::default() };
        telemetry.console(&query).await.expect("reads").into_iter().map(|line| line.record.text).collect()
    };
    let first = ScreenChanges {
        rows: vec![change(0, "web ...", 1, true), change(1, "db ...", 2, true), change(2, "", 3, true)],
        length: 3,
        ..ScreenChanges::default()
    };
    let stored = telemetry.commit_screen("up", &[], &first, Nanos(1)).await.expect("commits");
    assert_eq!(stored.len(), 3);
    let second = ScreenChanges {
        rows: vec![change(0, "web ... done", 4, false), change(2, "next", 5, true), change(3, "last", 6, true)],
        length: 4,
        settled: 2,
        printed: vec![record("web ...", 1), record("up, web ... done", 4)],
    };
    let stored = telemetry.commit_screen("up", &stored, &second, Nanos(2)).await.expect("commits");
    assert_eq!(lines(false).await, ["web ... done", "db ...", "next", "last"]);
    assert_eq!(lines(true).await, ["db ...", "next", "last", "web ...", "up, web ... done"], "in the order of storing");
    assert_eq!(stored.len(), 2);
    // Rows that were removed, one that was dropped meanwhile, and rows that were lost before they could be stored.
    let third = ScreenChanges { rows: vec![change(0, "NEXT", 7, false)], length: 1, ..ScreenChanges::default() };
    let stored = telemetry.commit_screen("up", &stored, &third, Nanos(3)).await.expect("commits");
    assert_eq!(lines(false).await, ["web ... done", "db ...", "NEXT"]);
    let fourth = ScreenChanges {
        rows: vec![change(50, "later", 8, true), change(51, "latest", 9, true)],
        length: 52,
        settled: 51,
        printed: Vec::new(),
    };
    let stored = telemetry.commit_screen("up", &stored, &fourth, Nanos(4)).await.expect("commits");
    assert_eq!(stored.len(), 1);
    let none = ScreenChanges { length: 1, ..ScreenChanges::default() };
    assert_eq!(telemetry.commit_screen("up", &stored, &none, Nanos(5)).await.expect("commits"), stored);
    telemetry.trim(Nanos(5)).await.expect("trims");
    let gone = ScreenChanges { rows: vec![change(0, "x", 10, false)], length: 1, ..ScreenChanges::default() };
    telemetry.commit_screen("up", &stored, &gone, Nanos(6)).await.expect("a row that was removed is no error");
    assert_eq!(lines(false).await, Vec::<String>::new());
}

#[tokio::test]
async fn settings_are_replaced_by_name() {
    let (_dir, telemetry) = telemetry().await;
    let rule = |name: &str, priority| SamplingRule { name: name.into(), priority, ..SamplingRule::default() };
    for rule in [rule("b", 1), rule("a", 2), rule("b", 3)] {
        telemetry.put_sampling_rule(&rule, Nanos(1)).await.expect("puts");
    }
    let rules = telemetry.sampling_rules().await.expect("lists");
    assert_eq!(rules, [rule("a", 2), rule("b", 3)]);
    assert!(telemetry.delete_sampling_rule("a").await.expect("deletes"));
    assert!(!telemetry.delete_sampling_rule("a").await.expect("knows"));
    let group = Group { name: "g".into(), ..Group::default() };
    telemetry.put_xray_group(&group, Nanos(1)).await.expect("puts");
    assert_eq!(telemetry.xray_groups().await.expect("lists"), [group]);
}

#[tokio::test]
async fn request_counts_add_up_and_are_bounded() {
    let (_dir, telemetry) = telemetry().await;
    let heard =
        |path: String, last| RequestCount { listener: "http".into(), path, status: 404, count: 2, last: Nanos(last) };
    telemetry.count_requests(&[heard("POST /".into(), 1)]).await.expect("writes");
    telemetry.count_requests(&[heard("POST /".into(), 9)]).await.expect("writes");
    assert_eq!(
        telemetry.request_counts().await.expect("reads"),
        [RequestCount { count: 4, ..heard("POST /".into(), 9) }]
    );
    let many: Vec<RequestCount> = (0..300).map(|i| heard(format!("GET /{i}"), i)).collect();
    telemetry.count_requests(&many).await.expect("writes");
    assert_eq!(telemetry.request_counts().await.expect("reads").len(), 100);
}

#[tokio::test]
async fn refusals_add_up_and_are_bounded() {
    let (_dir, telemetry) = telemetry().await;
    let refusal = |listener: &str, place: String, last| Refusal {
        listener: listener.into(),
        place,
        kind: "no name".into(),
        reason: format!("no name ({last})"),
        count: 2,
        first: Nanos(last),
        last: Nanos(last),
    };
    telemetry.add_refusals(&[refusal("xray", "UDP datagram".into(), 1)]).await.expect("writes");
    telemetry.add_refusals(&[refusal("xray", "UDP datagram".into(), 9)]).await.expect("writes");
    let both = Refusal { count: 4, first: Nanos(1), ..refusal("xray", "UDP datagram".into(), 9) };
    assert_eq!(telemetry.refusals().await.expect("reads"), std::slice::from_ref(&both));
    let many: Vec<Refusal> = (10..500).map(|n| refusal("http", format!("GET /{n}"), n)).collect();
    telemetry.add_refusals(&many).await.expect("writes");
    let rows = telemetry.refusals().await.expect("reads");
    assert_eq!((rows.len(), rows.last()), (61, Some(&both)), "one listener does not push out another");
    telemetry.trim(Nanos(499)).await.expect("trims");
    assert_eq!(telemetry.refusals().await.expect("reads").len(), 1, "old ones go");
}

#[tokio::test]
async fn old_traces_are_dropped_whole_and_the_rest_stays() {
    let (_dir, telemetry) = telemetry().await;
    for (trace, now) in [(1, 10), (2, 20), (3, 30)] {
        let spans = [record(trace, 1, None, Some(1)), record(trace, 2, Some(1), Some(2))];
        telemetry.commit(&spans, Nanos(now)).await.expect("commits");
        telemetry.commit_logs(&[log(now, "g", "m")], Nanos(now)).await.expect("commits");
    }
    // A late span makes an old trace recent again.
    telemetry.commit(&[record(1, 3, Some(1), Some(3))], Nanos(40)).await.expect("commits");
    telemetry.trim(Nanos(30)).await.expect("trims");
    assert_eq!(telemetry.dropped(), 2 + 2, "one trace of two spans, two log events");
    let left: Vec<TraceId> =
        telemetry.traces(&newest(9)).await.expect("lists").iter().map(|t| t.summary.trace_id).collect();
    assert_eq!(left, [TraceId([1; 16]), TraceId([3; 16])]);
    assert_eq!(telemetry.spans(TraceId([1; 16])).await.expect("reads").len(), 3);
    assert!(telemetry.spans(TraceId([2; 16])).await.expect("reads").is_empty());
    telemetry.trim(Nanos(30)).await.expect("trims");
    assert_eq!(telemetry.dropped(), 4, "nothing more");
}

#[tokio::test]
async fn a_clock_that_was_set_back_is_seen_in_the_arrivals() {
    let (_dir, telemetry) = telemetry().await;
    assert_eq!(telemetry.set_back().await.expect("reads"), None);
    telemetry.commit_logs(&[log(1, "g", "m")], Nanos(5)).await.expect("commits");
    telemetry.commit(&[record(1, 1, None, Some(1))], Nanos(9)).await.expect("commits");
    assert_eq!(telemetry.set_back().await.expect("reads"), Some(Nanos(0)), "each kind is by itself");
    telemetry.commit(&[record(2, 1, None, Some(1))], Nanos(2)).await.expect("commits");
    assert_eq!(telemetry.set_back().await.expect("reads"), Some(Nanos(7)));
}

#[tokio::test]
async fn watchers_see_which_kind_was_written() {
    let (_dir, telemetry) = telemetry().await;
    let mut watch = telemetry.watch().await.expect("watches");
    let before = watch.written().await.expect("reads");
    telemetry.commit_logs(&[log(1, "g", "m")], Nanos(1)).await.expect("commits");
    assert!(watch.changed().await.expect("looks"));
    let after = watch.written().await.expect("reads");
    let changed: Vec<&String> = after.iter().filter(|(k, n)| before.get(*k) != Some(n)).map(|(k, _)| k).collect();
    assert_eq!(changed, ["logs"]);
    assert_eq!(telemetry.arrivals().await.expect("reads").cloudwatch_logs, Some(Nanos(1)));
}

#[tokio::test]
async fn a_printed_span_never_replaces_one_that_was_sent() {
    let (_dir, telemetry) = telemetry().await;
    let sent = record(1, 1, None, Some(5_000));
    let printed = SpanRecord { encoding: Encoding::ConsoleJson, raw: vec![1], ..sent.clone() };
    telemetry.commit(std::slice::from_ref(&printed), Nanos(1)).await.expect("commits");
    telemetry.commit(std::slice::from_ref(&sent), Nanos(2)).await.expect("commits");
    telemetry.commit(std::slice::from_ref(&printed), Nanos(3)).await.expect("commits");
    assert_eq!(telemetry.spans(TraceId([1; 16])).await.expect("reads"), [sent]);
}

#[tokio::test]
async fn spans_that_share_an_id_are_all_kept_and_repeated_ones_are_one() {
    let (_dir, telemetry) = telemetry().await;
    let client = SpanRecord { twin: 3, raw: vec![1], ..record(1, 1, None, Some(5_000)) };
    let server = SpanRecord { twin: 4, raw: vec![2], service: "back".into(), ..record(1, 1, None, Some(4_000)) };
    let bytes = |row: &crate::traces::TraceRow| (row.summary.spans, row.bytes);
    telemetry.commit(&[client.clone(), server.clone()], Nanos(1)).await.expect("commits");
    let first = bytes(&telemetry.traces(&newest(9)).await.expect("lists")[0]);
    assert_eq!(first.0, 2);
    // A repeating exporter, in one batch and in several.
    telemetry.commit(&[server.clone(), client.clone(), server.clone()], Nanos(2)).await.expect("commits");
    telemetry.commit(std::slice::from_ref(&client), Nanos(3)).await.expect("commits");
    assert_eq!(telemetry.spans(TraceId([1; 16])).await.expect("reads"), [client.clone(), server.clone()]);
    assert_eq!(bytes(&telemetry.traces(&newest(9)).await.expect("lists")[0]), first);
    // One that was printed gives way to both, whichever comes first.
    let printed = SpanRecord { encoding: Encoding::ConsoleJson, twin: 0, ..client.clone() };
    telemetry.commit(std::slice::from_ref(&printed), Nanos(4)).await.expect("commits");
    assert_eq!(telemetry.spans(TraceId([1; 16])).await.expect("reads").len(), 2);
    let other = |span: &SpanRecord| SpanRecord { trace_id: TraceId([2; 16]), ..span.clone() };
    telemetry.commit(&[other(&printed)], Nanos(5)).await.expect("commits");
    telemetry.commit(&[other(&client), other(&server)], Nanos(6)).await.expect("commits");
    assert_eq!(telemetry.spans(TraceId([2; 16])).await.expect("reads"), [other(&client), other(&server)]);
    let rows = telemetry.traces(&newest(9)).await.expect("lists");
    assert_eq!(rows.iter().map(|row| row.summary.spans).collect::<Vec<_>>(), [2, 2]);
    telemetry
        .commit(&[record(3, 1, None, None), SpanRecord { trace_id: TraceId([3; 16]), ..printed }], Nanos(7))
        .await
        .expect("commits");
    assert_eq!(telemetry.spans(TraceId([3; 16])).await.expect("reads").len(), 1);
}

#[tokio::test]
async fn lists_and_reads_of_large_records_are_bounded() {
    let (_dir, telemetry) = telemetry().await;
    // A trace of three spans, and of more services than a list can show.
    let mut spans: Vec<_> = (1..=150).map(|n| record(1, n, (n > 1).then_some(1), Some(1))).collect();
    for (n, span) in spans.iter_mut().enumerate() {
        span.service = format!("service {n}");
        span.raw = vec![7; if n < 3 { 400_000 } else { 10 }];
    }
    for spans in spans.chunks(120) {
        telemetry.commit(spans, Nanos(1)).await.expect("commits");
        let rows = telemetry.traces(&newest(9)).await.expect("lists");
        assert_eq!((rows[0].summary.services.len(), rows[0].summary.services[0].as_str()), (50, "service 0"));
        assert!(rows[0].bytes > 1_200_000, "{}", rows[0].bytes);
    }
    let (known, unknown) = (TraceId([1; 16]), TraceId([2; 16]));
    let both = [unknown, known];
    let read = |most| telemetry.first_spans_of(&both, most);
    assert_eq!(read(1 << 30).await.expect("reads").iter().map(Vec::len).collect::<Vec<_>>(), [0, 150]);
    assert_eq!(read(1_000_000).await.expect("reads").iter().map(Vec::len).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(read(10).await.expect("reads").iter().map(Vec::len).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(telemetry.trace_bytes(&[unknown]).await.expect("reads"), [0]);

    let logs: Vec<_> = (0..9).map(|n| LogRecord { raw: vec![7; 1000], ..log(n, "g", "m") }).collect();
    telemetry.commit_logs(&logs, Nanos(1)).await.expect("commits");
    let some = LogQuery { limit: 9, max_bytes: 2_500, ..LogQuery::default() };
    assert_eq!(telemetry.logs(&some).await.expect("reads").len(), 3, "a record's bytes count");

    telemetry.commit_errors(&[error("a", "one", 5, Level::Error, "ada")], Nanos(1)).await.expect("commits");
    let whole = telemetry.error_items(Window::default(), 0, 9).await.expect("lists").remove(0).latest;
    let brief = telemetry.error_items_briefly(Window::default(), 0, 9).await.expect("lists").remove(0).latest;
    assert!(!whole.raw.is_empty() && brief.raw.is_empty());
    assert_eq!(brief, ErrorRecord { raw: Vec::new(), ..whole });
}
