use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracebook_core::time::Nanos;

use super::eventstream::{ARN, exception, said, session_start, update};
use super::fake::{Answer, Asked, Fake, T, event, ok, refuse, watched};
use crate::cloud::{Fault, Fetch, Used};
use crate::cloudwatch::client::{Client, Tail, TailBy, TailRequest, TailUpdate};

fn ask() -> TailRequest {
    TailRequest {
        group: "cruddur".to_owned(),
        streams: Vec::new(),
        stream_prefix: String::new(),
        pattern: String::new(),
        now: Nanos::from_millis(T),
    }
}

fn tail(client: &Client, fetch: &Fetch) -> Tail {
    let mut tail = client.tail(&ask(), fetch).expect("can be asked");
    tail.every = Duration::from_millis(10);
    tail
}

async fn next(tail: &mut Tail) -> TailUpdate {
    let waited = tokio::time::timeout(Duration::from_secs(10), tail.next()).await.expect("in time");
    waited.expect("goes on").expect("no error")
}

fn texts(update: &TailUpdate) -> Vec<&str> {
    update.events.iter().map(|event| event.record.message.as_str()).collect()
}

fn groups() -> Answer {
    ok(json!({"logGroups": [{"logGroupName": "cruddur-2", "arn": "arn:…:cruddur-2:*"},
        {"logGroupName": "cruddur", "arn": format!("{ARN}:*"), "logGroupArn": ARN}]}))
}

/// Sessions with their frames; a request for one more is refused.
struct Sessions(Mutex<std::vec::IntoIter<mpsc::UnboundedReceiver<Bytes>>>);

impl Sessions {
    fn new(n: usize) -> (Self, Vec<mpsc::UnboundedSender<Bytes>>) {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..n).map(|_| mpsc::unbounded_channel()).unzip();
        (Self(Mutex::new(receivers.into_iter())), senders)
    }

    fn answer(&self, asked: &Asked, filter: impl Fn(&Asked) -> Answer) -> Answer {
        match asked.operation.as_str() {
            "DescribeLogGroups" => groups(),
            "StartLiveTail" => match self.0.lock().expect("no panic before").next() {
                Some(frames) => Answer::Stream(frames),
                None => refuse(400, "LimitExceededException", "Too many sessions"),
            },
            _ => filter(asked),
        }
    }
}

fn send(session: &mpsc::UnboundedSender<Bytes>, frames: impl IntoIterator<Item = Bytes>) {
    for frame in frames {
        session.send(frame).expect("somebody listens");
    }
}

fn nothing(_: &Asked) -> Answer {
    ok(json!({"events": []}))
}

#[tokio::test]
async fn live_tail_is_used_if_the_endpoint_has_it() {
    let (sessions, senders) = Sessions::new(1);
    let fake = Fake::start(move |asked| sessions.answer(asked, nothing)).await;
    let (fetch, watch, token) = watched();
    let mut tail = tail(&fake.client().await, &fetch);
    send(&senders[0], session_start());
    let first = next(&mut tail).await;
    assert_eq!((first.by, first.events.len(), first.sampled, first.notes.len()), (TailBy::LiveTail, 0, false, 0));
    // Frames may arrive in parts, or several at once.
    let [a, b] = [
        update(false, &[said(T + 1, "123456789012:cruddur", "ERROR a"), said(T + 2, "other", "b")]),
        update(true, &[said(T + 3, ARN, "c")]),
    ];
    let both = [a, update(false, &[]), b].concat();
    send(&senders[0], [Bytes::copy_from_slice(&both[..50]), Bytes::copy_from_slice(&both[50..])]);
    let second = next(&mut tail).await;
    assert_eq!((texts(&second), second.sampled), (vec!["ERROR a"], false), "another group's are not ours");
    let event = &second.events[0];
    assert_eq!((event.record.severity.as_str(), event.record.stream.as_str()), ("ERROR", "s"));
    assert!(event.id.starts_with("sha256:"), "{}", event.id);
    let third = next(&mut tail).await;
    assert_eq!((texts(&third), third.sampled), (vec!["c"], true), "sampling is reported");
    let heard = fake.heard();
    assert_eq!(heard[0].body, json!({"logGroupNamePrefix": "cruddur"}));
    assert_eq!(heard[1].body, json!({"logGroupIdentifiers": [ARN]}));
    assert_eq!(heard[1].host, fake.addr(), "no prefix before the host of an endpoint");
    token.cancel();
    assert!(tail.next().await.is_none(), "ends at once");
    assert!(tail.next().await.is_none());
    drop(tail);
    let seconds = watch.used(Used::LiveTailSeconds);
    assert!((1..10).contains(&seconds), "a second that has begun counts: {seconds}");
}

#[tokio::test]
async fn an_ended_session_is_restarted_and_this_is_reported() {
    let (sessions, senders) = Sessions::new(3);
    let fake = Fake::start(move |asked| sessions.answer(asked, nothing)).await;
    let mut tail = tail(&fake.client().await, &Fetch::unattended());
    send(&senders[0], session_start());
    send(&senders[0], [exception("SessionTimeoutException")]);
    send(&senders[1], session_start());
    send(&senders[1], [update(false, &[]), update(false, &[]), exception("SessionStreamingException")]);
    send(&senders[2], session_start());
    send(&senders[2], [update(false, &[said(T + 1, "cruddur", "a")])]);
    assert!(next(&mut tail).await.notes.is_empty());
    let again = next(&mut tail).await;
    assert!(again.notes[0].contains("after three hours"), "{:?}", again.notes);
    let again = next(&mut tail).await;
    assert!(again.notes[0].contains("was interrupted and restarted"), "{:?}", again.notes);
    assert_eq!(texts(&next(&mut tail).await), ["a"]);
    assert_eq!(fake.bodies("DescribeLogGroups").len(), 1);
}

#[tokio::test]
async fn a_broken_frame_does_not_panic() {
    let (sessions, senders) = Sessions::new(1);
    let fake = Fake::start(move |asked| sessions.answer(asked, nothing)).await;
    let mut tail = tail(&fake.client().await, &Fetch::unattended());
    send(&senders[0], session_start());
    next(&mut tail).await;
    let mut broken = update(false, &[]).to_vec();
    broken[20] ^= 1;
    send(&senders[0], [Bytes::from(broken)]);
    let update = next(&mut tail).await;
    assert_eq!(update.by, TailBy::Polling, "the account has no second session");
    assert!(update.notes.iter().any(|note| note.contains("too many Live Tail sessions")), "{:?}", update.notes);
}

#[tokio::test]
async fn an_endpoint_without_live_tail_is_polled() {
    let fake = Fake::start(|asked| match (asked.operation.as_str(), asked.nth) {
        ("DescribeLogGroups", _) => groups(),
        ("StartLiveTail", _) => Answer::Page(404, "<html>Not Found</html>"),
        // Before the tail began: one that was there, and one that arrived late.
        (_, 0) => {
            let mut late = event(T - 30_000, "late", "late");
            late["ingestionTime"] = json!(T + 1);
            ok(json!({"events": [event(T - 9_000, "0", "old"), late, event(T + 1, "1", "a")], "nextToken": "A"}))
        }
        (_, 1) => ok(json!({"events": [event(T + 2, "2", "b")]})),
        // The overlap returns them again, and one that looks the same.
        (_, 2) => ok(json!({"events": [event(T - 9_000, "0", "old"), event(T + 1, "1", "a"), event(T + 2, "2", "b"), event(T + 2, "3", "b")]})),
        (_, 3) => ok(json!({"events": []})),
        (_, 4) => refuse(503, "ServiceUnavailableException", "later"),
        _ => ok(json!({"events": [event(T + 200_000, "4", "c")]})),
    })
    .await;
    let (fetch, _, token) = watched();
    let mut tail = tail(&fake.client().await, &fetch);
    let first = next(&mut tail).await;
    assert_eq!((first.by, first.events.len()), (TailBy::Polling, 0));
    assert!(
        first.notes[0].starts_with("Live Tail is not available, polling every two seconds instead"),
        "{:?}",
        first.notes
    );
    assert_eq!(texts(&next(&mut tail).await), ["late", "a"]);
    assert_eq!(texts(&next(&mut tail).await), ["b"], "the second page");
    let again = next(&mut tail).await;
    assert_eq!((texts(&again), again.events[0].id.as_str(), again.sampled), (vec!["b"], "3", false));
    let failed = next(&mut tail).await;
    assert!(failed.events.is_empty() && failed.notes[0].ends_with("asked again"), "{:?}", failed.notes);
    assert_eq!(texts(&next(&mut tail).await), ["c"]);
    let asked: Vec<Value> = fake.bodies("FilterLogEvents");
    assert_eq!(
        asked[0],
        json!({"logGroupName": "cruddur", "startTime": T - 120_000, "limit": 10_000, "interleaved": true})
    );
    assert_eq!((&asked[1]["startTime"], &asked[1]["nextToken"]), (&json!(T - 120_000), &json!("A")));
    assert!(asked[2]["startTime"].as_i64().is_some_and(|from| (T - 120_000..T).contains(&from)));
    token.cancel();
    assert!(tail.next().await.is_none());
}

#[tokio::test]
async fn an_emulator_that_closes_at_once_is_not_retried_indefinitely() {
    // moto 5.2.5: one update with all that is stored, and the end.
    let (sessions, mut senders) = Sessions::new(1);
    let fake = Fake::start(move |asked| {
        sessions.answer(asked, |_| {
            ok(json!({"events": [event(T - 5_000, "0", "old"), event(T + 1, "1", "a"), event(T + 2, "2", "b")]}))
        })
    })
    .await;
    let mut tail = tail(&fake.client().await, &Fetch::unattended());
    send(&senders[0], session_start());
    send(&senders[0], [update(false, &[said(T - 5_000, "cruddur", "old"), said(T + 1, "cruddur", "a")])]);
    senders.pop();
    next(&mut tail).await;
    assert_eq!(texts(&next(&mut tail).await), ["a"], "what was there before is not new");
    let polling = next(&mut tail).await;
    assert!(
        polling.by == TailBy::Polling && polling.notes[0].contains("closes Live Tail immediately"),
        "{:?}",
        polling.notes
    );
    assert_eq!(texts(&next(&mut tail).await), ["b"], "what came by Live Tail does not come again");
    assert_eq!(fake.bodies("StartLiveTail").len(), 1);
}

#[tokio::test]
async fn errors_that_polling_would_repeat_end_a_tail() {
    for (kind, fault) in [("ExpiredTokenException", Fault::Expired), ("UnrecognizedClientException", Fault::Rejected)] {
        let fake = Fake::start(move |_| refuse(400, kind, "")).await;
        let mut tail = tail(&fake.client().await, &Fetch::unattended());
        let error = tail.next().await.expect("says so").expect_err("ends");
        assert_eq!(error.fault, fault);
        assert!(tail.next().await.is_none());
        assert_eq!(fake.heard().len(), 1);
    }
    let fake = Fake::start(|_| ok(json!({"logGroups": []}))).await;
    let mut gone = tail(&fake.client().await, &Fetch::unattended());
    let error = gone.next().await.expect("says so").expect_err("ends");
    assert_eq!((error.fault, error.message.as_str()), (Fault::NotFound, "there is no log group cruddur"));
    let error = fake
        .client()
        .await
        .tail(&TailRequest { pattern: "[".to_owned(), ..ask() }, &Fetch::unattended())
        .expect_err("no pattern");
    assert_eq!(error.fault, Fault::Invalid);
}

#[tokio::test]
async fn a_source_that_stays_unreachable_ends_a_tail() {
    let fake = Fake::start(|asked| match asked.operation.as_str() {
        "DescribeLogGroups" => groups(),
        _ => refuse(503, "ServiceUnavailableException", "later"),
    })
    .await;
    let mut tail = tail(&fake.client().await, &Fetch::unattended());
    assert_eq!(next(&mut tail).await.by, TailBy::Polling);
    assert!(!next(&mut tail).await.notes.is_empty());
    let error = tail.next().await.expect("says so").expect_err("ends");
    assert_eq!((error.fault, fake.bodies("FilterLogEvents").len()), (Fault::Broken, 5));
}
