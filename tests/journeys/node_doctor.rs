//! Settings that keep a Node service silent, each provoked with the real SDKs: the doctor names the cause, and its
//! line, pasted into the shell that starts the service, helps.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::{Journal, Serve, http, line_of, root, text, until};

/// The Node service, started by a shell after `fix` was pasted there. It handles one request and ends.
fn send(modes: &str, env: &[(&str, &str)], fix: &str) {
    let service = root().join("tests/node-service/service.cjs");
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(format!("{fix}\nexec node {} {modes}", service.display()));
    shell.env("OTEL_BSP_SCHEDULE_DELAY", "50").env("OTEL_EXPORTER_OTLP_TIMEOUT", "1500").envs(env.iter().copied());
    let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("bash");
    let mut stdout = child.stdout.take().expect("a pipe");
    let ready: Json = line_of(&mut stdout, |line| serde_json::from_str(line).ok());
    // It goes on printing where spans go to the console.
    std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    let port = ready["port"].as_u64().expect("a port");
    // The request itself carries the decision to sample it in X-Ray.
    let header = ("X-Amzn-Trace-Id".to_owned(), "Root=1-6b0459ac-d2fb2577c226bb0ed076fe79;Sampled=1".to_owned());
    http("GET", &format!("127.0.0.1:{port}"), "/boom", &[header], b"");
    end(child);
}

fn end(mut child: Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success(), "it runs");
    let start = Instant::now();
    while child.try_wait().expect("waits").is_none() {
        assert!(start.elapsed() < Duration::from_secs(20), "the service does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The steps of the doctor, in a shell with these variables, that say no.
fn wrong(journal: &mut Journal, source: &str, env: &[(&str, &str)]) -> Vec<Json> {
    journal.env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let checks = journal.json(&["doctor", source]);
    journal.env = Vec::new();
    checks["checks"].as_array().expect("a list").iter().filter(|check| check["ok"] == false).cloned().collect()
}

/// How much of a source is stored.
fn stored(journal: &Journal, source: &str) -> usize {
    let list = if source == "rollbar" { "errors" } else { "traces" };
    journal.json_code(&["live", list, "--limit", "100"]).1.as_array().map_or(0, Vec::len)
}

/// A setting, and the text of the step that names it.
struct Case<'a> {
    source: &'a str,
    env: Vec<(&'a str, &'a str)>,
    check: &'a str,
    detail: &'a str,
}

fn provoke(journal: &mut Journal, case: &Case<'_>) {
    let Case { source, env, check, detail } = case;
    let modes = format!("--{source}");
    let before = stored(journal, source);
    send(&modes, env, "");
    assert_eq!(stored(journal, source), before, "{env:?} keeps it silent");
    let named = |journal: &mut Journal| {
        let steps = wrong(journal, source, env);
        steps.into_iter().find(|step| text(step, "check") == *check && text(step, "detail").contains(detail))
    };
    let step = until(&format!("the step for {env:?}"), || named(journal));
    send(&modes, env, text(&step, "fix"));
    until(&format!("{env:?} with {:?}", text(&step, "fix")), || (stored(journal, source) > before).then_some(()));
}

const REFUSED: &str = "what arrives is accepted";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

#[test]
fn refusals_of_nodes_exporters_are_named() {
    let mut journal = Journal::new();
    let serve = journal.serve(&[]);
    let url = |scheme: &str, address: &str| format!("{scheme}://{address}");
    let [http_url, grpc_url] = [serve.http(), serve.grpc()].map(|address| url("http", address));
    let (https_url, root_url) = (url("https", serve.http()), format!("{http_url}/"));
    let wrong_path = format!("{http_url}/v1/trace");
    for (env, detail) in [
        (vec![(ENDPOINT, grpc_url.as_str()), (PROTOCOL, "http/protobuf")], "speaks OTLP over gRPC only"),
        (vec![(ENDPOINT, http_url.as_str()), (PROTOCOL, "grpc")], "TraceService/Export"),
        (vec![(ENDPOINT, https_url.as_str())], "TLS was begun"),
        (vec![(TRACES_ENDPOINT, wrong_path.as_str())], "POST /v1/trace"),
        (vec![(TRACES_ENDPOINT, root_url.as_str())], "(POST /, http port)"),
    ] {
        let provoked: Vec<&str> = env.iter().map(|(_, value)| *value).collect();
        send("--otlp", &env, "");
        until(&format!("the doctor names {provoked:?}"), || {
            wrong(&mut journal, "otlp", &[])
                .into_iter()
                .find(|step| step["check"] == REFUSED && text(step, "detail").contains(detail))
        });
    }
    assert_eq!(serve.stop(), 0);
}

#[test]
fn settings_that_silence_a_node_service_are_named_and_mended() {
    let mut journal = Journal::new();
    let serve = journal.serve(&[]);
    let of = |what: &Serve| (format!("http://{}", what.http()), format!("http://{}", what.grpc()));
    let (http_url, grpc_url) = of(&serve);
    let (https_url, xray_url) = (http_url.replace("http:", "https:"), format!("http://{}", serve.xray()));
    let (bare, with_path) = (serve.http().to_owned(), format!("{http_url}/v1/trace"));
    let endpoint = format!("{ENDPOINT} of this shell");
    let traces_endpoint = format!("{TRACES_ENDPOINT} of this shell");
    let env_of = |name: &str| format!("{name} of this shell");
    let (disabled, sampler, argument, exporter) = (
        env_of("OTEL_SDK_DISABLED"),
        env_of("OTEL_TRACES_SAMPLER"),
        env_of("OTEL_TRACES_SAMPLER_ARG"),
        env_of("OTEL_TRACES_EXPORTER"),
    );
    let otlp = |env: Vec<(&'static str, &str)>, check: &str, detail: &'static str| {
        let env = env.into_iter().map(|(name, value)| (name, value.to_owned())).collect::<Vec<_>>();
        (env, check.to_owned(), detail)
    };
    let cases = [
        otlp(vec![(ENDPOINT, &grpc_url), (PROTOCOL, "http/protobuf")], &endpoint, "the gRPC port"),
        otlp(vec![(ENDPOINT, &http_url), (PROTOCOL, "grpc")], &endpoint, "the HTTP port"),
        otlp(vec![(ENDPOINT, &https_url)], &endpoint, "without TLS"),
        otlp(vec![(ENDPOINT, &xray_url)], &endpoint, "the X-Ray port"),
        otlp(vec![(ENDPOINT, &bare)], &endpoint, "without http://"),
        otlp(vec![(TRACES_ENDPOINT, &with_path)], &traces_endpoint, "/v1/traces is missing"),
        otlp(vec![(ENDPOINT, &http_url), ("OTEL_SDK_DISABLED", "true")], &disabled, "nothing is sent"),
        otlp(vec![(ENDPOINT, &http_url), ("OTEL_TRACES_SAMPLER", "always_off")], &sampler, "always_off"),
        otlp(
            vec![
                (ENDPOINT, &http_url),
                ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0"),
            ],
            &argument,
            "nothing is sent",
        ),
        otlp(vec![(ENDPOINT, &http_url), ("OTEL_TRACES_EXPORTER", "none")], &exporter, "nothing is sent"),
        otlp(vec![(ENDPOINT, &http_url), ("OTEL_TRACES_EXPORTER", "console")], &exporter, "it is printed"),
        otlp(
            vec![(ENDPOINT, &grpc_url), (PROTOCOL, "grpc"), ("http_proxy", "http://127.0.0.1:9")],
            "no proxy takes what is sent to this machine",
            "gRPC",
        ),
    ];
    for (env, check, detail) in &cases {
        let env = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        provoke(&mut journal, &Case { source: "otlp", env, check, detail });
    }
    assert_eq!(serve.stop(), 0);
}

#[test]
fn addresses_that_nodes_xray_sdk_does_not_use_are_named_and_mended() {
    let mut journal = Journal::new();
    let serve = journal.serve(&[]);
    const NAME: &str = "AWS_XRAY_DAEMON_ADDRESS";
    let check = format!("{NAME} of this shell");
    let (udp_only, other) = (format!("udp:{}", serve.xray()), serve.http().to_owned());
    for (value, detail) in [(&other, "not the X-Ray address"), (&udp_only, "want both")] {
        let steps = wrong(&mut journal, "xray", &[(NAME, value)]);
        let step = steps.iter().find(|step| text(step, "check") == check).expect("a step");
        assert!(text(step, "detail").contains(detail), "{step}");
        send("--xray", &[(NAME, value)], text(step, "fix"));
        until("a segment", || (stored(&journal, "xray") > 0).then_some(()));
    }
    assert_eq!(serve.stop(), 0);
}
