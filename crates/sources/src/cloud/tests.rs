use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Api, Fault, Fetch, Limits, Meter, NoMeter, Secret, SourceError, Used};

#[derive(Default)]
struct Counted(AtomicU32);

impl Meter for Counted {
    fn called(&self, _api: Api) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn used(&self, _what: Used, _n: u64) {}
}

fn fetch(limits: Limits) -> (Fetch, CancellationToken, Arc<Counted>) {
    let token = CancellationToken::new();
    let counted = Arc::new(Counted::default());
    (Fetch::new(token.clone(), limits, counted.clone(), Arc::new(|_| {})), token, counted)
}

#[tokio::test(start_paused = true)]
async fn calls_keep_to_the_quota_after_the_burst() {
    let (fetch, _token, counted) = fetch(Limits::documented());
    let start = Instant::now();
    for _ in 0..12 {
        fetch.call(Api::LOGS_FILTER, || async { Ok(()) }).await.expect("answers");
    }
    // A burst of four, then four a second.
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(1_990) && took < Duration::from_millis(2_300), "{took:?}");
    assert_eq!(counted.0.load(Ordering::Relaxed), 12);
    fetch.call(Api::LOGS_GET, || async { Ok(()) }).await.expect("another API has its own turns");
    assert!(start.elapsed() - took < Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn only_throttling_is_retried_and_all_clones_wait() {
    let (fetch, _token, counted) = fetch(Limits::documented());
    let mut asked = 0;
    let answer = fetch
        .call(Api::XRAY_TRACES, || {
            asked += 1;
            let outcome = match asked {
                1 | 2 => Err(SourceError::new(Fault::Throttled, "slow down", "")),
                n => Ok(n),
            };
            async { outcome }
        })
        .await;
    assert_eq!(answer, Ok(3));
    let broken = fetch
        .call(Api::XRAY_BATCH, || async { Err::<(), _>(SourceError::new(Fault::Broken, "500", "")) })
        .await
        .expect_err("is handed on");
    assert_eq!((broken.fault, counted.0.load(Ordering::Relaxed)), (Fault::Broken, 4));
    let start = Instant::now();
    let throttled = fetch
        .call(Api::ROLLBAR_READ, || async { Err::<(), _>(SourceError::new(Fault::Throttled, "429", "")) })
        .await
        .expect_err("ends");
    assert_eq!(throttled.message, "429 (asked 5 times)");
    assert!(start.elapsed() > Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_as_long_as_the_source_says() {
    let (fetch, _token, counted) = fetch(Limits::none());
    let throttled = |seconds| SourceError::new(Fault::Throttled, "429", "").after(Some(Duration::from_secs(seconds)));
    let start = Instant::now();
    let mut asked = 0;
    let answer = fetch.call(Api::HONEYCOMB_READ, || {
        asked += 1;
        let outcome = if asked == 1 { Err(throttled(54)) } else { Ok(asked) };
        async { outcome }
    });
    assert_eq!(answer.await, Ok(2));
    assert!(start.elapsed() >= Duration::from_secs(54), "{:?}", start.elapsed());
    let error = fetch.call(Api::ROLLBAR_READ, || async { Err::<(), _>(throttled(61)) }).await.expect_err("too long");
    assert_eq!((error.message.as_str(), counted.0.load(Ordering::Relaxed)), ("429", 3));
}

#[tokio::test(start_paused = true)]
async fn cancelling_ends_a_pause_and_a_response_immediately() {
    let (fetch, token, _) = fetch(Limits::none());
    let waiting = fetch.clone();
    let task = tokio::spawn(async move {
        waiting.call(Api::STS, || async { std::future::pending::<Result<(), SourceError>>().await }).await
    });
    tokio::task::yield_now().await;
    token.cancel();
    let error = task.await.expect("ends").expect_err("cancelled");
    assert_eq!(error.fault, Fault::Cancelled);
    assert_eq!(fetch.wait(Duration::ZERO).await, Err(SourceError::cancelled()));
}

#[test]
fn a_secret_does_not_print() {
    let secret = Secret::new(" hcaik_0123 \n").expect("a token");
    assert_eq!((secret.expose(), format!("{secret:?}").as_str()), ("hcaik_0123", "Secret(…)"));
    assert!(Secret::new(" \n").is_none());
    NoMeter.used(Used::InsightsBytes, 1);
}
