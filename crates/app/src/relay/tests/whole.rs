//! The app with its receivers, between the SDKs of a service and the real services.

use super::*;
use crate::ground::config::{Listen, ReceiverConfig};
use crate::ground::schema::{Caller, RelaySet};
use crate::{Config, Tracebook};

const PLANTED: &str = "planted-0123456789abcdef";

async fn app(dir: &TempDir) -> Arc<Tracebook> {
    let any = Listen::Named("127.0.0.1:0".parse().expect("an address"));
    let receivers = ReceiverConfig { http: any, grpc: any, xray: any, ..ReceiverConfig::default() };
    let config = Config { data_dir: dir.path().to_owned(), receivers: Some(receivers), watch: Vec::new() };
    Tracebook::start(config).await.expect("starts")
}

fn poster() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

#[tokio::test]
async fn no_received_credential_is_queued_or_forwarded() {
    let (otlp, rollbar) = (
        Fake::start(Vec::new(), answer(200, "")).await,
        Fake::start(Vec::new(), answer(200, "{\"err\":0,\"result\":{\"id\":null,\"uuid\":\"u\"}}")).await,
    );
    let dir = tempfile::tempdir().expect("a folder");
    let settings = format!(
        "{}rollbar = true\nlogs = true\nxray = true\n[rollbar]\nendpoint = \"{}/api/1\"\n",
        otlp_settings(&otlp.url()),
        rollbar.url()
    );
    std::fs::write(dir.path().join(crate::ground::settings::FILE), settings).expect("writes");
    let app = app(&dir).await;
    for (token, own) in [(honeycomb(), "own-honeycomb"), (Token::ROLLBAR_POST, "own-rollbar")] {
        app.cloud.secrets.set(token, Secret::new(own).expect("a token"), true).await.expect("keeps");
    }
    let http = format!("http://{}", app.ports.address("http").expect("listens"));
    let bearer = format!("Bearer {PLANTED}");
    let post = |path: &str, content: &'static str, body: Vec<u8>| {
        poster()
            .post(format!("{http}{path}"))
            .header("content-type", content)
            .header("authorization", &bearer)
            .header("x-honeycomb-team", PLANTED)
            .header("x-rollbar-access-token", PLANTED)
            .header("x-amz-security-token", PLANTED)
            .header("cookie", PLANTED)
            .body(body)
    };
    post("/v1/traces", "application/x-protobuf", fixture("otlp-home.bin"))
        .send()
        .await
        .expect("sent")
        .error_for_status()
        .expect("200");
    let item = format!(
        "{{\"access_token\":\"{PLANTED}\",\"data\":{{\"access_token\":\"{PLANTED}\",\"body\":{{\"message\":{{\"body\":\"hi\"}}}}}}}}"
    );
    post("/api/1/item/", "application/json", item.into_bytes())
        .send()
        .await
        .expect("sent")
        .error_for_status()
        .expect("200");
    for (target, body) in [
        ("CreateLogGroup", "{\"logGroupName\":\"g\"}".to_owned()),
        ("CreateLogStream", "{\"logGroupName\":\"g\",\"logStreamName\":\"s\"}".to_owned()),
        (
            "PutLogEvents",
            format!(
                "{{\"logGroupName\":\"g\",\"logStreamName\":\"s\",\"logEvents\":[{{\"timestamp\":{},\"message\":\"hello\"}}]}}",
                app.runtime.now().millis()
            ),
        ),
    ] {
        post("/", "application/x-amz-json-1.1", body.into_bytes())
            .header("x-amz-target", format!("Logs_20140328.{target}"))
            .send()
            .await
            .expect("sent")
            .error_for_status()
            .expect("200");
    }
    let start = std::time::Instant::now();
    while otlp.heard().is_empty() || rollbar.heard().is_empty() {
        assert!(start.elapsed() < TIMEOUT, "not everything was forwarded");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(otlp.heard()[0].headers["x-honeycomb-team"], "own-honeycomb");
    assert_eq!(rollbar.heard()[0].headers["x-rollbar-access-token"], "own-rollbar");
    assert_eq!(rollbar.heard()[0].path, "/api/1/item/");
    for heard in otlp.heard().iter().chain(&rollbar.heard()) {
        assert!(!format!("{:?} {}", heard.headers, heard.text()).contains(PLANTED), "{heard:?}");
    }
    app.shutdown().await;
    for file in std::fs::read_dir(dir.path()).expect("lists") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in [PLANTED, "own-honeycomb", "own-rollbar"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn a_switch_is_stored_shown_and_applied_at_once() {
    let fake = Fake::start(Vec::new(), answer(200, "")).await;
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join(crate::ground::settings::FILE), "# mine\n[telemetry]\nmax_mib = 64\n")
        .expect("writes");
    let app = app(&dir).await;
    let caller = Caller::default();
    let off = app.relay.status().await.expect("answers");
    assert!(off.rows.iter().all(|row| !row.on) && off.problem.is_empty());
    assert_eq!((off.limit_bytes, off.limit_hours), (64 << 20, 7 * 24));
    let set = |name: &str| RelaySet { name: name.to_owned(), ..RelaySet::default() };

    let on = app
        .relay
        .set(RelaySet { on: Some(true), endpoint: Some(fake.url()), key: Some(String::new()), ..set("otlp") }, &caller)
        .await
        .expect("sets");
    let row = &on.rows[0];
    assert!(row.on && row.what.contains(&fake.url()) && row.what.contains("without a key"), "{}", row.what);
    let http = app.ports.address("http").expect("listens");
    let sent = poster().post(format!("http://{http}/v1/traces")).header("content-type", "application/x-protobuf");
    sent.body(fixture("otlp-home.bin")).send().await.expect("sent").error_for_status().expect("200");
    let start = std::time::Instant::now();
    while fake.heard().is_empty() {
        assert!(start.elapsed() < TIMEOUT, "nothing was forwarded");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let own = app.relay.set(RelaySet { endpoint: Some(format!("http://{http}")), ..set("otlp") }, &caller).await;
    assert!(own.expect_err("refused").message.contains("own receiver"));
    let pasted = app.relay.set(RelaySet { key: Some("hcaik_pasted".into()), ..set("otlp") }, &caller).await;
    assert!(!pasted.expect_err("refused").message.contains("pasted"));
    let unknown = app.relay.set(set("metrics"), &caller).await;
    assert!(unknown.expect_err("refused").message.contains("metrics"));

    app.relay.set(RelaySet { on: Some(true), ..set("xray") }, &caller).await.expect("sets");
    app.relay.set(RelaySet { on: Some(false), ..set("otlp") }, &caller).await.expect("sets");
    let off = app.relay.set(RelaySet { on: Some(false), ..set("xray") }, &caller).await.expect("sets");
    assert!(off.rows.iter().all(|row| !row.on));
    assert_eq!(off.rows[0].endpoint, fake.url(), "the endpoint stays for the next time");
    let file = std::fs::read_to_string(dir.path().join(crate::ground::settings::FILE)).expect("reads");
    assert!(file.starts_with("# mine\n[telemetry]\nmax_mib = 64\n\n[relay]\n"), "{file}");
    app.shutdown().await;
}
