use super::fake::{T, ask};
use crate::aws::testing::connection;
use crate::cloud::{Fetch, Range};
use crate::cloudwatch::client::{Client, EventsAsk, TailAsk};
use tracebook_core::time::Nanos;

async fn get(addr: &str, path: &str) {
    crate::testing::http(addr.parse().unwrap(), &format!("GET {path} HTTP/1.1\r\nHost: x\r\n"), b"").await;
}

#[tokio::test]
#[ignore]
async fn record() {
    let addr = std::env::var("H5_PROXY").unwrap();
    let client = Client::new(&connection(addr.parse().unwrap()).await);
    let fetch = Fetch::unattended();
    get(&addr, "/record/PutLogEvents").await;
    let events = [
        (T + 2_000, "ERROR GET /api/activities/notifications é".to_owned()),
        (T, "INFO GET /api/activities/home".to_owned()),
        (T - 20 * 86_400_000, "too old".to_owned()),
    ];
    println!("{:?}", client.put_events("cruddur", "web/1", &events, &fetch).await);
    get(&addr, "/stop").await;
    let more = [(T + 3_000, "WARN GET /api/activities/@andrewbrown".to_owned()), (T + 3_000, "DEBUG POST /x".to_owned())];
    println!("{:?}", client.put_events("cruddur", "web/2", &more, &fetch).await);
    client.put_events("other", "s", &[(T, "GET other".to_owned())], &fetch).await.unwrap();
    client.logs.put_retention_policy().log_group_name("cruddur").retention_in_days(30).send().await.unwrap();
    get(&addr, "/record/DescribeLogGroups").await;
    println!("{:?}", client.groups("crud", &fetch).await);
    get(&addr, "/stop").await;
    get(&addr, "/record/DescribeLogStreams").await;
    println!("{:?}", client.streams("cruddur", "", &fetch).await);
    get(&addr, "/stop").await;
    get(&addr, "/record/FilterLogEvents").await;
    let mut a = EventsAsk { limit: 2, pattern: "GET".to_owned(), ..ask() };
    loop {
        let e = client.events(&a, &fetch).await.unwrap();
        println!("{e:?}");
        a.page = e.next;
        if a.page.is_none() { break; }
    }
    get(&addr, "/stop").await;
    get(&addr, "/record/ResourceNotFound").await;
    let range = Range { from: Nanos::from_millis(T), until: Nanos::from_millis(T + 1) };
    println!("{:?}", client.events(&EventsAsk { group: "none".to_owned(), range, ..ask() }, &fetch).await);
    get(&addr, "/stop").await;
    get(&addr, "/record/StartLiveTail").await;
    let ask = TailAsk { group: "cruddur".to_owned(), streams: Vec::new(), stream_prefix: "web/".to_owned(), pattern: "GET".to_owned(), now: Nanos::from_millis(T) };
    let mut tail = client.tail(&ask, &fetch).unwrap();
    println!("{:?}", tail.next().await);
    println!("{:?}", tail.next().await);
    drop(tail);
    get(&addr, "/stop").await;
}

#[tokio::test]
#[ignore]
async fn bench() {
    use super::fake::{Fake, ok, event};
    let message = "2026-11-23 15:20:12,231 INFO app [trace_id=6b0459acd2fb2577c226bb0ed076fe79 span_id=53995c3f42cd8ad8] 127.0.0.1 GET http /api/activities/home? 200 OK";
    let pages: Vec<_> = (0..4).map(|p| {
        let rows: Vec<_> = (0..2500).map(|n| event(T + p * 2500 + n, &format!("{:056}", p * 2500 + n), message)).collect();
        match p { 3 => serde_json::json!({"events": rows, "searchedLogStreams": []}), _ => serde_json::json!({"events": rows, "searchedLogStreams": [], "nextToken": p.to_string()}) }
    }).collect();
    let texts: Vec<&'static str> = pages.iter().map(|p| &*Box::leak(p.to_string().into_boxed_str())).collect();
    println!("{} bytes", texts.iter().map(|t| t.len()).sum::<usize>());
    let fake = Fake::start(move |asked| super::fake::Answer::Page(200, texts[asked.nth % 4])).await;
    let client = fake.client().await;
    let addr = fake.addr();
    let http = crate::cloud::client("x").unwrap();
    let _ = ok(serde_json::json!({}));
    let mut best = [f64::MAX; 3];
    for round in 0..6 {
        let start = std::time::Instant::now();
        for _ in 0..4 {
            let answer = http.post(format!("http://{addr}/")).header("x-amz-target", "Logs_20140328.FilterLogEvents").body("{}").send().await.unwrap();
            let _ = crate::cloud::Http::read(answer).await.unwrap();
        }
        let bare = start.elapsed().as_secs_f64();
        let start = std::time::Instant::now();
        for _ in 0..4 {
            let answer = http.post(format!("http://{addr}/")).header("x-amz-target", "Logs_20140328.FilterLogEvents").body("{}").send().await.unwrap();
            let body = crate::cloud::Http::read(answer).await.unwrap();
            let v: serde_json::Value = serde_json::from_slice(&body.body).unwrap();
            assert!(v["events"].as_array().unwrap().len() == 2500);
        }
        let parsed = start.elapsed().as_secs_f64();
        let start = std::time::Instant::now();
        let events = client.events(&EventsAsk { limit: 10_000, ..ask() }, &Fetch::unattended()).await.unwrap();
        assert_eq!(events.records.len(), 10_000);
        let ours = start.elapsed().as_secs_f64();
        println!("{round}: bare {:.1} ms, bare with JSON {:.1} ms, ours {:.1} ms", bare * 1e3, parsed * 1e3, ours * 1e3);
        for (b, v) in best.iter_mut().zip([bare, parsed, ours]) { *b = b.min(v); }
    }
    println!("best {best:?}");
}
