//! How a sender handles responses.

use async_trait::async_trait;

use tracebook_core::time::Nanos;
use tracebook_sources::cloud::{Fault, Fetch, SourceError};
use tracebook_sources::otlp::outgoing::Form;
use tracebook_sources::otlp::wire;
use tracebook_store::console::LineQuery;
use tracebook_store::relay::Queued;

use super::*;
use crate::relay::sender::STREAM;
use crate::relay::sinks::{Outcome, Sink};

/// The ids of all spans that a fake accepted.
fn taken(heard: &[Heard]) -> Vec<String> {
    heard
        .iter()
        .flat_map(|heard| wire::decode_protobuf(&heard.plain()).expect("a request").records)
        .map(|record| record.span_id.to_string())
        .collect()
}

fn ids() -> Vec<String> {
    fixture_spans().iter().map(|span| span.span_id.to_string()).collect()
}

#[tokio::test]
async fn received_data_is_forwarded_once_with_our_own_key() {
    let fake = Fake::start(Vec::new(), answer(200, "")).await;
    let mut bench = Bench::new(&otlp_settings(&fake.url())).await.with_key("hcaik_own").await;
    bench.queue(spans_one_by_one()).await;
    bench.start(Destination::Otlp);
    let n = ids().len() as u64;
    let count = bench.until(Destination::Otlp, "sent", |count| count.sent == n).await;
    assert_eq!((count.waiting, count.refused, count.problem.as_str()), (0, 0, ""));
    let heard = fake.heard();
    assert_eq!(taken(&heard), ids(), "in order, and each once");
    assert_eq!((heard.len(), heard[0].path.as_str()), (1, "/v1/traces"));
    assert_eq!(heard[0].headers["x-honeycomb-team"], "hcaik_own");
    bench.stop().await;
}

#[tokio::test]
async fn a_busy_or_failing_service_gets_it_later() {
    let busy = Answer { headers: vec![("retry-after", "1")], ..answer(429, "slow down") };
    let script = vec![busy, answer(503, ""), answer(500, "oops"), answer(502, "")];
    let fake = Fake::start(script, answer(200, "")).await;
    let mut bench = Bench::new(&otlp_settings(&fake.url())).await.with_key("k").await;
    bench.queue(spans_one_by_one()).await;
    let before = std::time::Instant::now();
    bench.start(Destination::Otlp);
    let n = ids().len() as u64;
    let count = bench.until(Destination::Otlp, "sent", |count| count.sent == n).await;
    assert!(before.elapsed() >= Duration::from_secs(1), "it was asked to wait a second");
    assert_eq!((count.refused, count.dropped, count.problem.as_str()), (0, 0, ""));
    let heard = fake.heard();
    assert_eq!(heard.len(), 5);
    assert_eq!(taken(&heard[4..]), ids());
    bench.stop().await;
}

#[tokio::test]
async fn an_unreachable_service_is_reported_and_sending_resumes() {
    let addr = Fake::start(Vec::new(), answer(200, "")).await.addr;
    let mut bench = Bench::new(&otlp_settings(&format!("http://{addr}"))).await.with_key("k").await;
    let mut lines = bench.relay.lines();
    bench.start(Destination::Otlp);
    bench.queue(spans_one_by_one()).await;
    let count = bench.until(Destination::Otlp, "said", |count| !count.problem.is_empty()).await;
    assert!(count.problem.contains("127.0.0.1 cannot be reached"), "{}", count.problem);
    assert!(count.since.is_some() && count.waiting == ids().len() as u64);
    let fake = Fake::at(addr, Vec::new(), |_| answer(200, "")).await;
    let count = bench.until(Destination::Otlp, "sent", |count| count.waiting == 0).await;
    assert_eq!((count.problem.as_str(), count.since), ("", None));
    assert_eq!(taken(&fake.heard()), ids());
    let said = [lines.recv().await.expect("a line"), lines.recv().await.expect("a line")];
    assert!(said[0].contains("Z [Warn] Relay to OpenTelemetry waits: 127.0.0.1 cannot be reached"), "{}", said[0]);
    assert!(said[1].ends_with("Z [Info] Relay to OpenTelemetry goes on"), "{}", said[1]);
    bench.stop().await;
}

#[tokio::test]
async fn without_a_key_it_waits_and_with_another_it_goes_on() {
    let only_new = |heard: &Heard| match heard.headers.get("x-honeycomb-team") {
        Some(key) if key == "new" => answer(200, ""),
        _ => answer(401, "{\"error\":\"unknown API key\"}"),
    };
    let fake = Fake::at("127.0.0.1:0".parse().expect("an address"), Vec::new(), only_new).await;
    let mut bench = Bench::new(&otlp_settings(&fake.url())).await;
    if bench.cloud.secrets.find(honeycomb()).await.is_some() {
        return; // this machine has a real key in its environment, which must not be used
    }
    bench.queue(spans_one_by_one()).await;
    bench.start(Destination::Otlp);
    let count = bench.until(Destination::Otlp, "said", |count| !count.problem.is_empty()).await;
    assert_eq!(count.problem, "there is no Honeycomb key to send with");
    assert!(count.hint.contains("HONEYCOMB_API_KEY"), "{}", count.hint);
    assert!(fake.heard().is_empty(), "nothing is sent without one");

    bench.key(honeycomb(), "old").await;
    let count = bench.until(Destination::Otlp, "refused", |count| count.problem.contains("401")).await;
    assert_eq!((count.waiting, count.sent), (ids().len() as u64, 0));
    let tried = fake.heard().len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(fake.heard().len(), tried, "a rejected key is not retried indefinitely");

    bench.key(honeycomb(), "new").await;
    bench.relay.try_again();
    let count = bench.until(Destination::Otlp, "sent", |count| count.waiting == 0).await;
    assert_eq!((count.sent, count.refused, count.problem.as_str()), (ids().len() as u64, 0, ""));
    bench.stop().await;
}

#[tokio::test]
async fn one_bad_payload_does_not_block_others() {
    let poison = ids()[1].clone();
    let bad = poison.clone();
    let picky = move |heard: &Heard| match taken(std::slice::from_ref(heard)).contains(&bad) {
        true => answer(400, "{\"message\":\"bad span\"}"),
        false => answer(200, ""),
    };
    let fake = Fake::at("127.0.0.1:0".parse().expect("an address"), Vec::new(), picky).await;
    let mut bench = Bench::new(&otlp_settings(&fake.url())).await.with_key("k").await;
    bench.queue(spans_one_by_one()).await;
    bench.start(Destination::Otlp);
    let count = bench.until(Destination::Otlp, "done", |count| count.waiting == 0 && count.refused == 1).await;
    assert_eq!(count.sent, ids().len() as u64 - 1);
    assert!(count.refusal.contains("400: bad span"), "{}", count.refusal);
    assert_eq!(count.problem, "", "the rest went");
    // It was tried in a batch and separately, and not again.
    let tries = fake.heard().iter().filter(|heard| taken(std::slice::from_ref(heard)).contains(&poison)).count();
    assert_eq!(tries, 2);
    bench.stop().await;
}

#[tokio::test]
async fn payloads_in_flight_at_shutdown_are_sent_by_the_next_process() {
    let fake = Fake::start(vec![Answer { hangs: true, ..answer(200, "") }], answer(200, "")).await;
    let mut bench = Bench::new(&otlp_settings(&fake.url())).await.with_key("k").await;
    bench.queue(spans_one_by_one()).await;
    bench.start(Destination::Otlp);
    let start = std::time::Instant::now();
    while fake.heard().is_empty() {
        assert!(start.elapsed() < TIMEOUT, "nothing was sent");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = std::time::Instant::now();
    let dir = bench.stop().await;
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());

    let mut bench = Bench::again(dir).await.with_key("k").await;
    assert_eq!(bench.count(Destination::Otlp).await.waiting, ids().len() as u64, "nothing is lost");
    bench.start(Destination::Otlp);
    bench.until(Destination::Otlp, "sent", |count| count.waiting == 0).await;
    assert_eq!(taken(&fake.heard()[1..]), ids(), "and what was taken is taken once");
    bench.stop().await;
}

#[tokio::test]
async fn payloads_queued_at_shutdown_are_sent() {
    let fake = Fake::start(Vec::new(), answer(200, "")).await;
    let mut bench = Bench::new(&otlp_settings(&fake.url())).await.with_key("k").await;
    let slow = Timing { gather: Duration::from_secs(60), look: Duration::from_secs(60), ..quick() };
    let open = Arc::new(Opener { cloud: Arc::clone(&bench.cloud), own: Vec::new() });
    bench.start_with(Destination::Otlp, open, slow);
    bench.queue(spans_one_by_one()).await;
    let dir = bench.stop().await;
    assert_eq!(taken(&fake.heard()), ids());
    assert_eq!(Bench::again(dir).await.count(Destination::Otlp).await.waiting, 0);
}

#[tokio::test]
async fn off_sends_nothing_and_keeps_the_queue() {
    let fake = Fake::start(Vec::new(), answer(200, "")).await;
    let mut bench = Bench::new(&otlp_settings(&fake.url()).replace(" }", ", on = false }")).await.with_key("k").await;
    assert_eq!(bench.relay.of_spans(&Arc::new(fixture_spans())).await, []);
    bench.queue(spans_one_by_one()).await;
    bench.start(Destination::Otlp);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(fake.heard().is_empty());
    std::fs::write(bench.dir.path().join(crate::ground::settings::FILE), otlp_settings(&fake.url())).expect("writes");
    bench.relay.read_settings().expect("reads");
    bench.until(Destination::Otlp, "sent", |count| count.sent > 0 && count.waiting == 0).await;
    bench.stop().await;
}

#[tokio::test]
async fn our_own_receiver_is_rejected_with_a_reason() {
    let fake = Fake::start(Vec::new(), answer(200, "")).await;
    let mut bench =
        Bench::new(&otlp_settings(&format!("http://localhost:{}", fake.addr.port()))).await.with_key("k").await;
    bench.queue(spans_one_by_one()).await;
    let open = Arc::new(Opener { cloud: Arc::clone(&bench.cloud), own: vec![fake.addr] });
    bench.start_with(Destination::Otlp, open, quick());
    let count = bench.until(Destination::Otlp, "said", |count| !count.problem.is_empty()).await;
    assert!(count.problem.contains("this app's own receiver"), "{}", count.problem);
    assert!(fake.heard().is_empty());
    bench.stop().await;
}

/// A destination with scripted responses that then accepts everything.
#[derive(Clone, Default)]
struct Scripted {
    script: Arc<Mutex<VecDeque<Result<Outcome, SourceError>>>>,
    batches: Arc<Mutex<Vec<usize>>>,
}

#[async_trait]
impl Sink for Scripted {
    async fn send(&self, batch: &[Queued], _fetch: &Fetch) -> Result<Outcome, SourceError> {
        self.batches.lock().expect("no panic").push(batch.len());
        let next = self.script.lock().expect("no panic").pop_front();
        next.unwrap_or_else(|| Ok(Outcome::default()))
    }
}

#[async_trait]
impl Open for Scripted {
    async fn open(&self, _to: Destination, _settings: &RelaySettings) -> Result<Box<dyn Sink>, SourceError> {
        Ok(Box::new(self.clone()))
    }

    fn fetch(&self) -> Fetch {
        Fetch::unattended()
    }
}

fn segments(n: usize) -> Vec<Outgoing> {
    let segment = |i: usize| Outgoing {
        destination: Destination::Xray.name(),
        kind: String::new(),
        items: 1,
        body: format!("{{\"id\":\"{i:016x}\"}}").into_bytes(),
    };
    (0..n).map(segment).collect()
}

async fn console(bench: &Bench) -> Vec<String> {
    let question = LineQuery { limit: 100, ..LineQuery::default() };
    let lines = bench.telemetry.console(&question).await.expect("reads");
    assert!(lines.iter().all(|line| line.record.stream == STREAM && line.record.timestamp > Nanos(0)));
    lines.into_iter().map(|line| line.record.text).collect()
}

#[tokio::test]
async fn segments_are_sent_fifty_at_a_time_and_the_daemons_lines_are_in_the_console() {
    let mut bench = Bench::new("[relay]\nxray = true\n").await;
    let mut lines = bench.relay.lines();
    let scripted = Scripted::default();
    bench.start_with(Destination::Xray, Arc::new(scripted.clone()), quick());
    bench.queue(segments(120)).await;
    bench.until(Destination::Xray, "sent", |count| count.sent == 120).await;
    assert_eq!(*scripted.batches.lock().expect("no panic"), [50, 50, 20]);
    let kept = console(&bench).await;
    assert_eq!(kept.len(), 3);
    for (line, n) in kept.iter().zip([50, 50, 20]) {
        assert!(line.contains(&format!("Z [Info] Successfully sent batch of {n} segments (0.0")), "{line}");
        assert_eq!(&lines.recv().await.expect("told too"), line);
    }
    bench.stop().await;
}

#[tokio::test]
async fn unprocessed_segments_and_failures_are_logged_like_the_daemon() {
    let mut bench = Bench::new("[relay]\nxray = true\n").await;
    let unprocessed =
        Outcome { refused: 1, words: vec!["0000000000000001 MissingParam: no start_time".to_owned()], again: vec![2] };
    let script = [Err(SourceError::new(Fault::Unreachable, "no such host", "")), Ok(unprocessed)];
    let scripted = Scripted { script: Arc::new(Mutex::new(script.into())), ..Scripted::default() };
    bench.queue(segments(3)).await;
    bench.start_with(Destination::Xray, Arc::new(scripted.clone()), quick());
    let count = bench.until(Destination::Xray, "settled", |count| count.waiting == 0).await;
    assert_eq!((count.sent, count.refused), (2, 1));
    assert!(count.refusal.contains("MissingParam"), "{}", count.refusal);
    assert_eq!(*scripted.batches.lock().expect("no panic"), [3, 3, 1], "what was not taken now goes once more");
    let kept = console(&bench).await.join("\n");
    for said in [
        "Z [Error] Sending segment batch failed with: no such host",
        "Z [Info] Sent batch of 3 segments but had 2 Unprocessed segments (0.0",
        "Z [Error] Unprocessed segment: 0000000000000001 MissingParam: no start_time",
        "Z [Info] Successfully sent batch of 1 segments (0.0",
    ] {
        assert!(kept.contains(said), "{said} is not in:\n{kept}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn few_segments_wait_a_moment_for_more() {
    let mut bench = Bench::new("[relay]\nxray = true\n").await;
    let scripted = Scripted::default();
    let timing = Timing { gather: Duration::from_millis(700), ..quick() };
    bench.start_with(Destination::Xray, Arc::new(scripted.clone()), timing);
    bench.queue(segments(2)).await;
    bench.queue(segments(3)).await;
    bench.until(Destination::Xray, "sent", |count| count.sent == 5).await;
    assert_eq!(*scripted.batches.lock().expect("no panic"), [5]);
    bench.queue(segments(50)).await;
    let before = std::time::Instant::now();
    bench.until(Destination::Xray, "sent", |count| count.sent == 55).await;
    assert!(before.elapsed() < Duration::from_millis(600), "a full batch waits for nobody: {:?}", before.elapsed());
    bench.stop().await;
}

#[tokio::test]
async fn payloads_beyond_the_limits_are_dropped_and_counted() {
    let bench = Bench::new("[relay]\nxray = true\nmax_mib = 1\n").await;
    let big = |i: u8| Outgoing { body: vec![i; 300 << 10], ..segments(1).remove(0) };
    bench.queue((0..8).map(big).collect()).await;
    let (relay, cloud) = (bench.relay.clone(), Arc::clone(&bench.cloud));
    let maintenance = tokio::spawn(super::super::maintain(relay, cloud, bench.telemetry.clone()));
    let count = bench.until(Destination::Xray, "trimmed", |count| count.dropped > 0).await;
    assert_eq!((count.waiting, count.dropped), (3, 5));
    maintenance.abort();
    bench.stop().await;
}

#[tokio::test]
async fn a_rejected_kind_does_not_block_others() {
    let no_logs = |heard: &Heard| match heard.path.as_str() {
        "/v1/logs" => answer(404, "404 page not found"),
        _ => answer(200, ""),
    };
    let fake = Fake::at("127.0.0.1:0".parse().expect("an address"), Vec::new(), no_logs).await;
    let mut bench = Bench::new(&otlp_settings(&fake.url())).await.with_key("k").await;
    let log = Outgoing {
        destination: Destination::Otlp.name(),
        kind: Form::LogsProtobuf.name().to_owned(),
        items: 1,
        body: Vec::new(),
    };
    bench.queue([vec![log], spans_one_by_one()].concat()).await;
    bench.start(Destination::Otlp);
    let n = ids().len() as u64;
    let count = bench.until(Destination::Otlp, "spans sent", |count| count.sent == n).await;
    assert_eq!(count.waiting, 1, "the log record waits");
    assert!(count.problem.contains("404"), "and is reported: {}", count.problem);
    bench.stop().await;
}

#[tokio::test]
async fn a_payload_that_makes_a_service_fail_does_not_block_others() {
    let poison = ids()[1].clone();
    let failing = move |heard: &Heard| match taken(std::slice::from_ref(heard)).contains(&poison) {
        true => answer(502, ""),
        false => answer(200, ""),
    };
    let fake = Fake::at("127.0.0.1:0".parse().expect("an address"), Vec::new(), failing).await;
    let mut bench = Bench::new(&otlp_settings(&fake.url())).await.with_key("k").await;
    bench.queue(spans_one_by_one()).await;
    bench.start(Destination::Otlp);
    let n = ids().len() as u64;
    let count = bench.until(Destination::Otlp, "the others sent", |count| count.sent == n - 1).await;
    assert_eq!((count.waiting, count.refused), (1, 0));
    bench.stop().await;
}

#[tokio::test]
async fn an_implausible_retry_after_is_ignored() {
    let lie = "{\"partialSuccess\":{\"rejectedSpans\":\"9223372036854775807\"}}";
    let fake = Fake::start(Vec::new(), answer(200, lie)).await;
    let mut bench = Bench::new(&otlp_settings(&fake.url())).await.with_key("k").await;
    let json: Vec<Outgoing> = spans_one_by_one()
        .into_iter()
        .map(|span| Outgoing { kind: Form::TracesJson.name().to_owned(), body: b"{}".to_vec(), ..span })
        .collect();
    let n = json.iter().map(|part| u64::from(part.items)).sum::<u64>();
    bench.queue(json.clone()).await;
    bench.start(Destination::Otlp);
    bench.until(Destination::Otlp, "settled", |count| count.refused == n && count.waiting == 0).await;
    bench.queue(json).await;
    bench.until(Destination::Otlp, "settled again", |count| count.refused == 2 * n && count.waiting == 0).await;
    bench.stop().await;
}
