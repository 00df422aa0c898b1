//! No sender takes the room of others: neither by what it sends nor by what it creates.

use std::collections::BTreeMap;

use tracebook_core::log_query::{LogQuery, SettingChange};
use tracebook_core::xray::{Group, SamplingRule};

use super::limits::{MIB, counted, on_disk, trace, within};
use super::records::log;
use super::*;
use crate::request_log::RequestCount;
use crate::traces::{TraceQuery, TraceRow};

/// Traces of a service, two spans and `bytes` each.
fn traces_of(service: &str, from: u64, n: u64, bytes: usize) -> Vec<SpanRecord> {
    let mut spans: Vec<SpanRecord> = (from..from + n).flat_map(|n| trace(n, bytes)).collect();
    spans.iter_mut().for_each(|span| span.service = service.to_owned());
    spans
}

async fn listed(telemetry: &Telemetry) -> Vec<TraceRow> {
    telemetry.traces(&TraceQuery { limit: 100_000, ..TraceQuery::default() }).await.expect("lists")
}

async fn count_of(telemetry: &Telemetry, service: &str) -> usize {
    listed(telemetry).await.iter().filter(|row| row.summary.services == [service]).count()
}

fn tags(n: usize) -> BTreeMap<String, String> {
    (0..50).map(|i| (format!("{n}-{i}-{}", "k".repeat(110)), "v".repeat(256))).collect()
}

#[tokio::test]
async fn a_service_that_floods_evicts_nothing_of_a_quiet_one() {
    let (dir, telemetry) = within(8).await;
    let mut sent = 0;
    for round in 0..40 {
        // The quiet one is the oldest, and sends some more in the middle.
        if round == 0 || round == 20 {
            telemetry.commit(&traces_of("quiet", 1_000_000 + round, 10, 2_000), Nanos(1)).await.expect("commits");
            sent += 20;
        }
        let flood = traces_of("noisy", round * 1_000, 1_000, 2_000);
        telemetry.commit(&flood, Nanos(2 + i64::try_from(round).expect("small"))).await.expect("commits");
        sent += u64::try_from(flood.len()).expect("small");
    }
    assert_eq!(count_of(&telemetry, "quiet").await, 20);
    let there: u64 = u64::try_from(telemetry.span_count().await.expect("counts")).expect("positive");
    assert_eq!(there + telemetry.dropped(), sent, "what was acknowledged is there or was counted as dropped");
    let newest = trace(39_999, 2_000)[0].trace_id;
    assert_eq!(telemetry.spans(newest).await.expect("reads").len(), 2, "the newest of the noisy one are there");
    assert!(count_of(&telemetry, "noisy").await > 1_500, "it may use what others leave");
    assert!(on_disk(&dir).0 <= 8 * MIB + MIB / 2, "{:?}", on_disk(&dir));
    counted(&telemetry).await;
}

#[tokio::test]
async fn many_quiet_services_are_kept_and_counting_survives_another_start() {
    let (dir, telemetry) = within(8).await;
    for n in 0..30 {
        let batch = traces_of(&format!("quiet-{n}"), 1_000_000 + n * 100, 5, 1_000);
        telemetry.commit(&batch, Nanos(1)).await.expect("commits");
    }
    let mut telemetry = telemetry;
    for round in 0..30 {
        telemetry.commit(&traces_of("noisy", round * 1_000, 700, 2_000), Nanos(2)).await.expect("commits");
        if round % 10 == 9 {
            telemetry.close().await;
            telemetry = Telemetry::open_within(dir.path(), 8 * MIB).await.expect("opens");
        }
    }
    let quiet = listed(&telemetry).await;
    let quiet = quiet.iter().filter(|row| row.summary.services[0].starts_with("quiet")).count();
    assert_eq!(quiet, 150);
}

#[tokio::test]
async fn a_log_group_that_floods_evicts_nothing_of_a_quiet_one() {
    let (_dir, telemetry) = within(8).await;
    let quiet: Vec<_> = (0..20).map(|i| log(i, "quiet", &"q".repeat(500))).collect();
    telemetry.commit_logs(&quiet, Nanos(1)).await.expect("commits");
    for round in 0..30 {
        let flood: Vec<_> = (0..1_000).map(|i| log(i, "noisy", &"n".repeat(1_500))).collect();
        telemetry.commit_logs(&flood, Nanos(2 + round)).await.expect("commits");
    }
    let group = |name: &str| LogQuery { group: Some(name.into()), limit: 100_000, ..LogQuery::default() };
    assert_eq!(telemetry.logs(&group("quiet")).await.expect("reads").len(), 20);
    let noisy = telemetry.logs(&group("noisy")).await.expect("reads").len();
    assert!(noisy > 2_500, "{noisy}");
    assert_eq!(u64::try_from(noisy).expect("small") + telemetry.dropped(), 30_000);
    counted(&telemetry).await;
}

#[tokio::test]
async fn large_resources_count_towards_the_limit_and_starve_nobody() {
    let (dir, telemetry) = within(8).await;
    telemetry.commit(&traces_of("quiet", 1_000_000, 20, 2_000), Nanos(1)).await.expect("commits");
    for round in 0..20_u64 {
        let mut flood = traces_of("noisy", round * 100, 20, 500);
        for (i, span) in flood.iter_mut().enumerate() {
            let mut body = vec![b'r'; 64 << 10];
            body[..8].copy_from_slice(&(round * 1_000 + i as u64).to_be_bytes());
            span.resource = Arc::from(body);
        }
        telemetry.commit(&flood, Nanos(2)).await.expect("commits");
        assert!(on_disk(&dir).0 <= 9 * MIB, "{:?}", on_disk(&dir));
    }
    assert_eq!(count_of(&telemetry, "quiet").await, 20);
    assert!(count_of(&telemetry, "noisy").await >= 20, "the newest batch is there");
}

#[tokio::test]
async fn groups_streams_and_tags_leave_room_for_telemetry() {
    let (dir, telemetry) = within(8).await;
    telemetry.commit(&traces_of("before", 0, 1_000, 2_000), Nanos(1)).await.expect("commits");
    let mut refused = 0;
    for n in 0..900 {
        match telemetry.create_log_group(&format!("group-{n}"), &tags(n), Nanos(2)).await.expect("answers") {
            SettingChange::Done => {}
            SettingChange::LimitExceeded => refused += 1,
            SettingChange::Conflict => panic!("it is new"),
        }
    }
    assert!((700..900).contains(&refused), "{refused} of 900 groups with 50 tags each");
    assert_eq!(telemetry.set_log_tags("group-0", &tags(1_000)).await.expect("answers"), SettingChange::Done);
    let mut streams = 0;
    while telemetry
        .create_log_stream("group-0", &format!("{streams}-{}", "s".repeat(500)), Nanos(2))
        .await
        .expect("answers")
        == SettingChange::Done
    {
        streams += 1;
        assert!(streams < 20_000, "streams are bounded, too");
    }
    assert_eq!(
        telemetry.log_groups(None).await.expect("lists").len(),
        900 - refused,
        "a refusal leaves nothing behind"
    );
    assert!(
        telemetry.create_log_group("group-0", &BTreeMap::new(), Nanos(2)).await.expect("answers")
            == SettingChange::Conflict
    );
    telemetry.commit(&traces_of("after", 10_000, 1_000, 2_000), Nanos(3)).await.expect("commits");
    assert_eq!((count_of(&telemetry, "before").await, count_of(&telemetry, "after").await), (1_000, 1_000));
    assert_eq!(telemetry.dropped(), 0);
    assert!(on_disk(&dir).0 <= 8 * MIB, "{:?}", on_disk(&dir));
    counted(&telemetry).await;
    telemetry.delete_log_group("group-0").await.expect("deletes");
    counted(&telemetry).await;
    let again = telemetry.create_log_group("again", &tags(2_000), Nanos(3)).await.expect("answers");
    assert_eq!(again, SettingChange::Done, "there is room again");
}

#[tokio::test]
async fn what_nothing_uses_goes_with_old_telemetry() {
    let (_dir, telemetry) = telemetry().await;
    for (name, at) in [("old", 10), ("busy", 10), ("new", 30)] {
        telemetry.create_log_group(name, &BTreeMap::new(), Nanos(at)).await.expect("creates");
        telemetry.create_log_stream(name, "a/b_%", Nanos(at)).await.expect("creates");
    }
    telemetry.create_log_stream("busy", "idle", Nanos(10)).await.expect("creates");
    telemetry.commit_logs(&[log(1, "busy", "m")], Nanos(25)).await.expect("commits");
    for (name, at) in [("old", 10), ("new", 30)] {
        let group = Group { name: name.to_owned(), ..Group::default() };
        telemetry.put_xray_group(&group, Nanos(at)).await.expect("puts");
        let rule = SamplingRule { name: name.to_owned(), ..SamplingRule::default() };
        telemetry.put_sampling_rule(&rule, Nanos(at)).await.expect("puts");
    }
    telemetry.trim(Nanos(20)).await.expect("trims");
    let groups =
        || async { telemetry.log_groups(None).await.expect("lists").into_iter().map(|g| g.name).collect::<Vec<_>>() };
    assert_eq!(groups().await, ["busy", "new"]);
    assert!(!telemetry.has_log_stream("busy", "idle").await.expect("reads"));
    assert!(telemetry.has_log_stream("busy", "a/b_%").await.expect("reads"));
    let names = |rules: Vec<SamplingRule>| rules.into_iter().map(|rule| rule.name).collect::<Vec<_>>();
    assert_eq!(names(telemetry.sampling_rules().await.expect("lists")), ["new"]);
    assert_eq!(telemetry.xray_groups().await.expect("lists").len(), 1);
    counted(&telemetry).await;
    // An SDK that asks for its rules keeps them.
    telemetry.use_xray_settings(Nanos(50)).await.expect("notes");
    telemetry.trim(Nanos(40)).await.expect("trims");
    assert_eq!(names(telemetry.sampling_rules().await.expect("lists")), ["new"]);
    assert_eq!(groups().await, [""; 0]);
    counted(&telemetry).await;
}

#[tokio::test]
async fn unknown_paths_do_not_push_out_the_requests_that_doctor_looks_for() {
    let (_dir, telemetry) = telemetry().await;
    let request = |path: String, status, last| RequestCount {
        listener: "http".into(),
        path,
        status,
        count: 1,
        last: Nanos(last),
    };
    let known = [
        request("POST /GetSamplingRules".into(), 200, 1),
        RequestCount { listener: "watch".into(), ..request("npm start".into(), 1_000, 1) },
    ];
    telemetry.count_requests(&known).await.expect("counts");
    for round in 0..20 {
        let flood: Vec<RequestCount> = (0..200).map(|i| request(format!("GET /{round}/{i}"), 404, 2 + round)).collect();
        telemetry.count_requests(&flood).await.expect("counts");
    }
    let rows = telemetry.request_counts().await.expect("reads");
    assert_eq!(rows.iter().filter(|row| known.contains(row)).count(), 2);
    assert!(rows.len() <= 300, "{}", rows.len());
    telemetry.trim(Nanos(10)).await.expect("trims");
    let rows = telemetry.request_counts().await.expect("reads");
    assert!(rows.iter().all(|row| row.last >= Nanos(10) || row.listener == "watch"), "old ones go, but for commands");
}

#[tokio::test]
async fn a_list_is_small_however_long_the_names_are() {
    let (_dir, telemetry) = telemetry().await;
    let long = |c: &str| c.repeat(1 << 20);
    for n in 0..10_u64 {
        let mut spans = traces_of(&long("ü"), n, 1, 100);
        spans.iter_mut().for_each(|span| span.title = long("t"));
        telemetry.commit(&spans[..1], Nanos(1)).await.expect("commits");
        // The row is computed again for the second span, in SQL.
        telemetry.commit(&spans[1..], Nanos(2)).await.expect("commits");
    }
    let mut many = Vec::new();
    for i in 0..200 {
        let mut span = trace(99, 100)[0].clone();
        (span.span_id, span.service) = (SpanId([i; 8]), format!("service-{i}"));
        many.push(span);
    }
    telemetry.commit(&many, Nanos(3)).await.expect("commits");
    let rows = listed(&telemetry).await;
    let size: usize = rows
        .iter()
        .map(|row| row.summary.name.len() + row.summary.services.iter().map(String::len).sum::<usize>())
        .sum();
    assert!(rows.len() == 11 && size < 30_000, "{} rows, {size} bytes", rows.len());
    assert!(rows.iter().all(|row| row.summary.services.len() <= 50));
    assert_eq!(
        telemetry.spans(trace(0, 100)[0].trace_id).await.expect("reads")[0].title.len(),
        1 << 20,
        "kept as sent"
    );
}
