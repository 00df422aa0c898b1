//! The environment variables that point a sender somewhere, silence it, or reroute it, each judged as its own readers
//! understand it.
//!
//! The variables of this shell are seen, not those of the service: they are the same where it is started from here.

use std::net::IpAddr;

use tracebook_sources::authority::{Authority, Host};

use super::refused::shell;
use super::{Findings, shown, step};
use crate::ground::schema::Check;
use crate::ports::{GRPC_PORT, HTTP_PORT, XRAY_PORT};

/// A variable.
struct Variable {
    name: &'static str,
    /// The local source whose steps it belongs to.
    source: &'static str,
    judge: fn(&Findings, &str, &str) -> Option<Judged>,
    /// Where it is documented how it is read.
    documented: &'static str,
}

/// What a variable's value does. A value that changes nothing has no step.
struct Judged {
    ok: bool,
    detail: String,
    fix: String,
}

impl Judged {
    fn works(detail: String) -> Option<Self> {
        Some(Self { ok: true, detail, fix: String::new() })
    }

    fn wrong(detail: String, fix: String) -> Option<Self> {
        Some(Self { ok: false, detail, fix })
    }
}

const OTLP: &str = "https://opentelemetry.io/docs/specs/otel/protocol/exporter/";
const SDK: &str = "https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/";
const DECLARATIVE: &str = "https://opentelemetry.io/docs/languages/sdk-configuration/declarative-configuration/";
const JAVA: &str = "https://opentelemetry.io/docs/zero-code/java/agent/disable/";
const XRAY_PYTHON: &str = "https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-python-configuration.html";
const AWS_ENDPOINTS: &str = "https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html";
const ROLLBAR: &str = "https://docs.rollbar.com/docs/python";

/// Every variable that is judged, in the order of the steps.
const VARIABLES: &[Variable] = &[
    Variable { name: "OTEL_EXPORTER_OTLP_ENDPOINT", source: "otlp", judge: general_endpoint, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", source: "otlp", judge: traces_endpoint, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", source: "otlp", judge: logs_endpoint, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_PROTOCOL", source: "otlp", judge: protocol, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", source: "otlp", judge: protocol, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", source: "otlp", judge: protocol, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_INSECURE", source: "otlp", judge: insecure, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_TRACES_INSECURE", source: "otlp", judge: insecure, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_LOGS_INSECURE", source: "otlp", judge: insecure, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_HEADERS", source: "otlp", judge: headers, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_TRACES_HEADERS", source: "otlp", judge: headers, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_LOGS_HEADERS", source: "otlp", judge: headers, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_COMPRESSION", source: "otlp", judge: compression, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", source: "otlp", judge: compression, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", source: "otlp", judge: compression, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_CERTIFICATE", source: "otlp", judge: certificate, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", source: "otlp", judge: certificate, documented: OTLP },
    Variable { name: "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", source: "otlp", judge: certificate, documented: OTLP },
    Variable { name: "OTEL_SDK_DISABLED", source: "otlp", judge: sdk_disabled, documented: SDK },
    Variable { name: "OTEL_TRACES_EXPORTER", source: "otlp", judge: exporter, documented: SDK },
    Variable { name: "OTEL_LOGS_EXPORTER", source: "otlp", judge: exporter, documented: SDK },
    Variable { name: "OTEL_TRACES_SAMPLER", source: "otlp", judge: sampler, documented: SDK },
    Variable { name: "OTEL_TRACES_SAMPLER_ARG", source: "otlp", judge: sampler_argument, documented: SDK },
    Variable { name: "OTEL_CONFIG_FILE", source: "otlp", judge: config_file, documented: DECLARATIVE },
    Variable { name: "OTEL_EXPERIMENTAL_CONFIG_FILE", source: "otlp", judge: config_file, documented: DECLARATIVE },
    Variable { name: "OTEL_JAVAAGENT_ENABLED", source: "otlp", judge: java_agent, documented: JAVA },
    Variable { name: "AWS_XRAY_DAEMON_ADDRESS", source: "xray", judge: daemon_address, documented: XRAY_PYTHON },
    Variable { name: "AWS_XRAY_SDK_ENABLED", source: "xray", judge: xray_enabled, documented: XRAY_PYTHON },
    Variable { name: "AWS_ENDPOINT_URL_XRAY", source: "xray", judge: xray_endpoint, documented: AWS_ENDPOINTS },
    Variable { name: "AWS_ENDPOINT_URL_LOGS", source: "cloudwatch", judge: unread_endpoint, documented: AWS_ENDPOINTS },
    Variable {
        name: "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
        source: "cloudwatch",
        judge: logs_service_endpoint,
        documented: AWS_ENDPOINTS,
    },
    Variable { name: "AWS_ENDPOINT_URL", source: "cloudwatch", judge: aws_endpoint, documented: AWS_ENDPOINTS },
    Variable {
        name: "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        source: "cloudwatch",
        judge: endpoints_ignored,
        documented: AWS_ENDPOINTS,
    },
    Variable { name: "ROLLBAR_ENDPOINT", source: "rollbar", judge: rollbar_endpoint, documented: ROLLBAR },
];

impl Findings {
    /// The steps for the variables of a source.
    pub(super) fn variables(&self, source: &str, checks: &mut Vec<Check>) {
        for variable in VARIABLES.iter().filter(|variable| variable.source == source) {
            let Some(value) = self.variable(variable.name) else { continue };
            let Some(Judged { ok, detail, fix }) = (variable.judge)(self, variable.name, &value) else { continue };
            let detail = if ok { detail } else { format!("{detail}. See {}", variable.documented) };
            checks.push(step(source, &format!("{} of this shell", variable.name), ok, detail, fix));
        }
        self.proxies(source, checks);
    }

    fn receivers_addresses(&self) -> (String, String, String) {
        (self.address("http", HTTP_PORT), self.address("grpc", GRPC_PORT), self.address("xray", XRAY_PORT))
    }

    /// Whether a service on this machine, or in a container of it, reaches one of our receivers under a host and port.
    fn reach(&self, to: &Authority) -> Reach {
        let port = to.port.unwrap_or(0);
        let on = |name: &str, default: u16| -> bool {
            let address = self.address(name, default);
            address.rsplit_once(':').is_some_and(|(_, own)| own.parse() == Ok(port))
        };
        let receiver = match port {
            _ if on("http", HTTP_PORT) => "http",
            _ if on("grpc", GRPC_PORT) => "grpc",
            _ if on("xray", XRAY_PORT) => "xray",
            _ => return Reach::Elsewhere,
        };
        let bound = |ip: IpAddr| self.listens_on(receiver, ip);
        match &to.host {
            Host::Name(name) if name == "localhost" => Reach::Receiver(receiver),
            Host::Name(name) if CONTAINER_NAMES.contains(&name.as_str()) => Reach::FromContainers(receiver),
            Host::V4(ip) if bound(IpAddr::V4(*ip)) => Reach::Receiver(receiver),
            // The address of a container bridge.
            Host::V4(ip) if ip.is_private() => Reach::FromContainers(receiver),
            Host::V6(ip) if bound(IpAddr::V6(*ip)) => Reach::Receiver(receiver),
            Host::Name(_) | Host::V4(_) | Host::V6(_) => Reach::OtherHost(receiver),
        }
    }
}

/// The names of this machine in containers.
const CONTAINER_NAMES: [&str; 2] = ["host.docker.internal", "host.containers.internal"];

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Receiver(&'static str),
    /// From a container only.
    FromContainers(&'static str),
    /// A port of ours on a host that is not this machine, or an address of it that nobody listens on.
    OtherHost(&'static str),
    Elsewhere,
}

impl Reach {
    fn receiver(self) -> Option<&'static str> {
        match self {
            Self::Receiver(name) | Self::FromContainers(name) => Some(name),
            Self::OtherHost(_) | Self::Elsewhere => None,
        }
    }

    fn note(self) -> &'static str {
        match self {
            Self::FromContainers(_) => " (from a container, with `tracebook serve --containers`)",
            Self::Receiver(_) | Self::OtherHost(_) | Self::Elsewhere => "",
        }
    }
}

/// A URL as far as it is judged.
struct Url<'a> {
    scheme: Option<&'a str>,
    authority: &'a str,
    /// With its slash; may be empty.
    path: &'a str,
    has_query: bool,
}

fn url(text: &str) -> Url<'_> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    Url { scheme, authority, path, has_query: path.len() < rest.len() }
}

/// What no reader of URLs accepts: blanks around it, and quotes that a shell would have removed.
fn untidy(value: &str) -> Option<&'static str> {
    let quotes = ['"', '\'', '`', '“', '”'];
    if value.starts_with(quotes) || value.ends_with(quotes) {
        return Some("the quotes are part of the value");
    }
    value.contains(char::is_whitespace).then_some("there is a blank in the value")
}

fn export(name: &str, value: &str) -> String {
    format!("export {name}={}", shell(value))
}

// ── OpenTelemetry ──

const SIGNALS: [&str; 2] = ["traces", "logs"];

/// The languages whose exporters send gRPC, or HTTP, unless OTEL_EXPORTER_OTLP_PROTOCOL is set.
/// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specify-protocol>, and the languages' own pages.
const GRPC_BY_DEFAULT: &str = "Python's opentelemetry-instrument and .NET";
const HTTP_BY_DEFAULT: &str = "Node, Ruby, PHP, Rust and Java's agent";

fn general_endpoint(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    let own = |signal: &str| format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.to_uppercase());
    let used: Vec<&str> = SIGNALS.into_iter().filter(|signal| findings.variable(&own(signal)).is_none()).collect();
    if used.is_empty() {
        return Judged::works(format!("it is {}; the signals' own go before it", shown(value)));
    }
    let judged: Vec<Judged> =
        used.into_iter().filter_map(|signal| findings.otlp_endpoint(name, value, signal, false)).collect();
    let wrong = judged.iter().position(|one| !one.ok);
    judged.into_iter().nth(wrong.unwrap_or(0))
}

fn traces_endpoint(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    findings.otlp_endpoint(name, value, "traces", true)
}

fn logs_endpoint(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    findings.otlp_endpoint(name, value, "logs", true)
}

impl Findings {
    /// The variable that sets something for a signal: its own goes before the general one.
    fn for_signal(&self, signal: &str, what: &str) -> Option<(String, String)> {
        let names =
            [format!("OTEL_EXPORTER_OTLP_{}_{what}", signal.to_uppercase()), format!("OTEL_EXPORTER_OTLP_{what}")];
        names.into_iter().find_map(|name| Some((name.clone(), self.variable(&name)?.trim().to_owned())))
    }

    /// Judges an endpoint for a signal. A general one gets the signal's path appended over HTTP; a signal's own is used
    /// as it stands; gRPC ignores paths.
    fn otlp_endpoint(&self, name: &str, value: &str, signal: &str, own: bool) -> Option<Judged> {
        let (http, grpc, _) = self.receivers_addresses();
        let protocol = self.for_signal(signal, "PROTOCOL");
        let says = |wanted: &str| protocol.as_ref().filter(|(_, value)| value.starts_with(wanted));
        let over_http = match own {
            true => format!("http://{http}/v1/{signal}"),
            false => format!("http://{http}"),
        };
        let over_grpc = format!("http://{grpc}");
        let right = if says("grpc").is_some() { &over_grpc } else { &over_http };
        let it_is = format!("it is {}", shown(value));
        let wrong = |why: &str, right: &str| Judged::wrong(format!("{it_is}{why}"), export(name, right));
        if let Some(why) = untidy(value) {
            return wrong(&format!(", and {why}"), right);
        }
        let url = url(value);
        let to = Authority::parse(url.authority);
        let insecure = self.for_signal(signal, "INSECURE").is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"));
        match url.scheme.map(str::to_ascii_lowercase).as_deref() {
            Some("http") => {}
            None if says("grpc").is_some() && insecure => {}
            Some("https") if to.as_ref().is_none_or(|to| self.reach(to) == Reach::Elsewhere) => {
                return wrong(", which is not this app", right);
            }
            Some("https") => {
                return wrong(", and this app speaks without TLS: http:// instead of https://", right);
            }
            Some(_) => return wrong(", and exporters accept http:// and https:// only", right),
            None => {
                let reached = to.as_ref().map_or(Reach::Elsewhere, |to| self.reach(to));
                let right = match (reached.receiver(), own, says("http").is_some()) {
                    (Some("grpc"), _, false) => &over_grpc,
                    _ => right,
                };
                return wrong(", without http://: exporters refuse it, or use TLS", right);
            }
        }
        let Some(to) = to else {
            return wrong(", which is not a host name or address with an optional port", right);
        };
        if to.port.is_none() {
            return wrong(", without a port: exporters then use 80", right);
        }
        let reach = self.reach(&to);
        let note = reach.note();
        match reach {
            Reach::Receiver("grpc") | Reach::FromContainers("grpc") => {
                if let Some((protocol, value)) = says("http") {
                    return wrong(&format!(", the gRPC port, and {protocol} is {value}"), &over_http);
                }
                let detail = match protocol {
                    Some(_) => format!("{it_is}{note}"),
                    None => format!(
                        "{it_is}, the gRPC port{note}: right for what sends gRPC unless told otherwise ({GRPC_BY_DEFAULT}); {HTTP_BY_DEFAULT} need OTEL_EXPORTER_OTLP_PROTOCOL=grpc"
                    ),
                };
                Judged::works(detail)
            }
            Reach::Receiver("http") | Reach::FromContainers("http") => {
                if let Some((protocol, value)) = says("grpc") {
                    return wrong(&format!(", the HTTP port, and {protocol} is {value}"), &over_grpc);
                }
                let path = url.path.trim_end_matches('/');
                let ends_in = |signal: &str| path.ends_with(&format!("/v1/{signal}"));
                if own && !ends_in(signal) {
                    return wrong(
                        &format!(", and a signal's own endpoint is used as it is: /v1/{signal} is missing"),
                        &over_http,
                    );
                }
                if !own && ["traces", "logs", "metrics"].into_iter().any(ends_in) {
                    return wrong(", and SDKs append /v1/traces themselves", &over_http);
                }
                if !own && url.has_query {
                    return wrong(", and SDKs append /v1/traces behind the question mark", &over_http);
                }
                let detail = match protocol {
                    Some(_) => format!("{it_is}{note}"),
                    None => format!(
                        "{it_is}{note}. {GRPC_BY_DEFAULT} need OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf beside it"
                    ),
                };
                Judged::works(detail)
            }
            Reach::OtherHost(_) => wrong(
                &format!(", a port of this app on another host: {} is not an address that it listens on", to.host),
                right,
            ),
            Reach::Receiver(_) | Reach::FromContainers(_) => wrong(", the X-Ray port, which does not take OTLP", right),
            Reach::Elsewhere => wrong(", which is not this app", right),
        }
    }
}

fn protocol(_: &Findings, name: &str, value: &str) -> Option<Judged> {
    const PROTOCOLS: [&str; 3] = ["grpc", "http/protobuf", "http/json"];
    let value = value.trim();
    if value == "http/json" {
        return Judged::works("it is http/json, which Python's, Ruby's and .NET's SDK do not support".to_owned());
    }
    if PROTOCOLS.contains(&value) {
        return None;
    }
    let lower = value.to_lowercase();
    match PROTOCOLS.contains(&lower.as_str()) {
        true => Judged::wrong(format!("it is {value}, and SDKs compare it with {lower}"), export(name, &lower)),
        false => Judged::wrong(format!("it is {}, which no SDK supports", shown(value)), export(name, "http/protobuf")),
    }
}

/// Of gRPC without a scheme, whether it goes without TLS; some SDKs read it before the scheme.
fn insecure(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    let signals = SIGNALS.into_iter().filter(|signal| {
        findings.for_signal(signal, "INSECURE").is_some_and(|(found, _)| found == name)
            && findings.for_signal(signal, "PROTOCOL").is_some_and(|(_, protocol)| protocol == "grpc")
    });
    if signals.count() == 0 || value.trim().eq_ignore_ascii_case("true") {
        return None;
    }
    Judged::wrong(
        format!(
            "it is {}, and over gRPC anything but true may mean TLS, even where the endpoint says http://",
            shown(value)
        ),
        export(name, "true"),
    )
}

/// Values may be keys, so they are not shown.
fn headers(_: &Findings, name: &str, value: &str) -> Option<Judged> {
    let readable = |pair: &str| {
        let pair = pair.trim();
        let plain = |text: &str| !text.contains([' ', '"', ';', '\\']);
        pair.is_empty()
            || pair
                .split_once('=')
                .is_some_and(|(key, value)| !key.trim().is_empty() && !key.contains([':', ' ']) && plain(value.trim()))
    };
    match value.split(',').all(readable) {
        true => Judged::works("its headers are not needed here, and not stored".to_owned()),
        false => Judged::wrong(
            "it is not a list of key=value with commas between, and values percent-encoded (%20 for a blank), so SDKs drop it or refuse to start; no header is needed here".to_owned(),
            format!("unset {name}"),
        ),
    }
}

fn compression(_: &Findings, name: &str, value: &str) -> Option<Judged> {
    if ["gzip", "deflate", "none"].contains(&value.trim().to_lowercase().as_str()) {
        return None;
    }
    let detail = format!("it is {}, and this app reads gzip and deflate", shown(value));
    Judged::wrong(detail, export(name, "gzip"))
}

fn certificate(_: &Findings, _: &str, value: &str) -> Option<Judged> {
    Judged::works(format!("it is {}; without TLS, as here, it is not used", shown(value)))
}

/// Only `true`, in any case, disables: any other value counts as false.
fn sdk_disabled(_: &Findings, name: &str, value: &str) -> Option<Judged> {
    match value.trim().eq_ignore_ascii_case("true") {
        true => Judged::wrong(format!("it is {value}: nothing is sent"), format!("unset {name}")),
        false => None,
    }
}

fn exporter(_: &Findings, name: &str, value: &str) -> Option<Judged> {
    let listed: Vec<String> = value.split(',').map(|one| one.trim().to_lowercase()).collect();
    // Python also knows the exporters by their protocol.
    if listed.iter().any(|one| ["otlp", "otlp_proto_grpc", "otlp_proto_http"].contains(&one.as_str())) {
        return None;
    }
    let sent = match listed.as_slice() {
        [one] if one == "none" => "nothing is sent".to_owned(),
        [one] if one == "console" || one == "logging" => "it is printed, and nothing is sent".to_owned(),
        _ => "nothing is sent over OTLP".to_owned(),
    };
    Judged::wrong(format!("it is {}: {sent}", shown(value)), export(name, "otlp"))
}

fn sampler(_: &Findings, name: &str, value: &str) -> Option<Judged> {
    const KNOWN: [&str; 9] = [
        "always_on",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_traceidratio",
        "jaeger_remote",
        "parentbased_jaeger_remote",
        "parentbased_always_off",
        "always_off",
        "xray",
    ];
    let value = value.trim().to_lowercase();
    match value.as_str() {
        "always_off" => Judged::wrong("it is always_off: nothing is sent".to_owned(), format!("unset {name}")),
        "parentbased_always_off" => Judged::wrong(
            "it is parentbased_always_off: only requests are sent whose caller is sampled".to_owned(),
            format!("unset {name}"),
        ),
        "jaeger_remote" | "parentbased_jaeger_remote" => Judged::wrong(
            format!("it is {value}: another server decides what is sent"),
            export(name, "parentbased_always_on"),
        ),
        known if KNOWN.contains(&known) => None,
        other => Judged::works(format!(
            "it is {}, which is not in the specification: SDKs may use parentbased_always_on",
            shown(other)
        )),
    }
}

fn sampler_argument(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    let sampler = findings.variable("OTEL_TRACES_SAMPLER")?.trim().to_lowercase();
    if !sampler.ends_with("traceidratio") {
        return None;
    }
    match value.trim().parse::<f64>() {
        Ok(rate) if rate >= 1.0 => None,
        Ok(rate) if rate <= 0.0 => {
            Judged::wrong(format!("it is {value}, with {sampler}: nothing is sent"), export(name, "1"))
        }
        Ok(rate) => Judged::wrong(
            format!("it is {value}, with {sampler}: about {} of 100 requests are sent", (rate * 100.0).round()),
            export(name, "1"),
        ),
        Err(_) => Judged::works(format!("it is {}, which is not a number: SDKs then keep everything", shown(value))),
    }
}

fn config_file(_: &Findings, name: &str, value: &str) -> Option<Judged> {
    Judged::wrong(
        format!(
            "it is {}: SDKs that support it read their settings from that file, and ignore the other OTEL variables",
            shown(value)
        ),
        format!("unset {name}"),
    )
}

fn java_agent(_: &Findings, name: &str, value: &str) -> Option<Judged> {
    match value.trim().eq_ignore_ascii_case("false") {
        true => Judged::wrong("it is false: Java's agent does nothing".to_owned(), format!("unset {name}")),
        false => None,
    }
}

// ── X-Ray ──

/// `host:port` for both, or `tcp:host:port udp:host:port` in either order with one blank between; without a scheme, and
/// IPv4 or a name only, since the SDKs split at colons.
fn daemon_address(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    let (_, _, ours) = findings.receivers_addresses();
    let wrong = |why: &str| Judged::wrong(format!("it is {}{why}", shown(value)), export(name, &ours));
    if value.contains("://") {
        return wrong(", and the SDKs take an address without a scheme: they refuse to start, or send nowhere");
    }
    let parts: Vec<&str> = value.split(' ').collect();
    let address = |text: &str| -> Option<Authority> {
        match text.split(':').collect::<Vec<_>>().as_slice() {
            [_, _] => Authority::parse(text).filter(|address| address.port.is_some()),
            _ => None,
        }
    };
    let (tcp, udp) = match parts.as_slice() {
        [both] if both.starts_with("tcp:") || both.starts_with("udp:") => {
            return wrong(", and with tcp: or udp: the SDKs want both: tcp:host:port udp:host:port");
        }
        [both] => (address(both), address(both)),
        [one, other] => {
            let of = |protocol: &str| {
                let named = [one, other].into_iter().find_map(|part| part.strip_prefix(protocol)?.strip_prefix(':'));
                named.and_then(address)
            };
            (of("tcp"), of("udp"))
        }
        _ => (None, None),
    };
    let (Some(tcp), Some(udp)) = (tcp, udp) else {
        return wrong(", and the SDKs read host:port, or tcp:host:port udp:host:port with one blank between");
    };
    // A name leads to IPv4, which is all that the SDKs use.
    let reaches = |to: &Authority| findings.reach(to).receiver() == Some("xray");
    match (reaches(&tcp), reaches(&udp)) {
        (true, true) => Judged::works(format!("it is {value}{}", findings.reach(&udp).note())),
        (false, true) => wrong(", and its TCP address is not this app: sampling rules are asked for elsewhere"),
        (true, false) => wrong(", and its UDP address is not this app: segments go elsewhere"),
        (false, false) => wrong(", which is not the X-Ray address of this app"),
    }
}

/// As Python reads it; Node's and Java's SDK know `false` only.
fn xray_enabled(_: &Findings, name: &str, value: &str) -> Option<Judged> {
    match ["false", "f", "no", "n", "off", "0"].contains(&value.trim().to_lowercase().as_str()) {
        true => Judged::wrong(format!("it is {value}: the SDK does nothing"), format!("unset {name}")),
        false => None,
    }
}

// ── AWS ──

/// Judges a URL that an AWS SDK uses as a service's endpoint: with a scheme, and a path that it puts before its own.
fn service_endpoint(findings: &Findings, name: &str, value: &str, receivers: &[&str]) -> Option<Judged> {
    let (http, ..) = findings.receivers_addresses();
    let right = format!("http://{http}");
    let wrong = |why: &str| Judged::wrong(format!("it is {}{why}", shown(value)), export(name, &right));
    if let Some(why) = untidy(value) {
        return wrong(&format!(", and {why}"));
    }
    let url = url(value);
    match url.scheme.map(str::to_ascii_lowercase).as_deref() {
        Some("http") => {}
        Some("https") => return wrong(", and this app speaks without TLS: http:// instead of https://"),
        Some(_) | None => return wrong(", without http://: AWS's SDKs refuse it as an invalid endpoint"),
    }
    let Some(to) = Authority::parse(url.authority) else {
        return wrong(", which is not a host name or address with a port");
    };
    let reach = findings.reach(&to);
    match reach.receiver() {
        Some(receiver) if receivers.contains(&receiver) => {}
        Some(_) => return wrong(", another port of this app, which does not take this"),
        None => return wrong(", which is not this app"),
    }
    if !url.path.trim_end_matches('/').is_empty() || url.has_query {
        return wrong(", and the path is put before the operation's: nothing is served there");
    }
    Judged::works(format!("it is {value}{}", reach.note()))
}

fn logs_service_endpoint(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    service_endpoint(findings, name, value, &["http"])
}

fn xray_endpoint(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    service_endpoint(findings, name, value, &["http", "xray"])
}

/// It points every service's client somewhere that has no endpoint of its own.
fn aws_endpoint(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    if findings.variable("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS").is_some() {
        return None;
    }
    let judged = service_endpoint(findings, name, value, &["http"])?;
    if judged.ok {
        return Judged::works(format!(
            "{}: every AWS client comes here, and CloudWatch Logs, X-Ray and STS are answered",
            judged.detail
        ));
    }
    let (http, ..) = findings.receivers_addresses();
    Judged::wrong(judged.detail, export("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", &format!("http://{http}")))
}

fn unread_endpoint(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    if findings.variable("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS").is_some() {
        return None;
    }
    let (http, ..) = findings.receivers_addresses();
    Judged::wrong(
        format!("it is {}, and no SDK reads {name}", shown(value)),
        format!(
            "# `AWS_ENDPOINT_URL_LOGS` is not read: use `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`\n{}",
            export("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", &format!("http://{http}"))
        ),
    )
}

fn endpoints_ignored(_: &Findings, name: &str, value: &str) -> Option<Judged> {
    match value.trim().eq_ignore_ascii_case("true") {
        true => Judged::wrong(
            "it is true: AWS's SDKs ignore AWS_ENDPOINT_URL and its kin".to_owned(),
            format!("unset {name}"),
        ),
        false => None,
    }
}

// ── Rollbar ──

/// No SDK reads it by itself; services that pass it on need it in the form that their SDK wants.
fn rollbar_endpoint(findings: &Findings, name: &str, value: &str) -> Option<Judged> {
    let (http, ..) = findings.receivers_addresses();
    let right = format!("http://{http}/api/1/");
    let wrong = |why: &str| Judged::wrong(format!("it is {}{why}", shown(value)), export(name, &right));
    if let Some(why) = untidy(value) {
        return wrong(&format!(", and {why}"));
    }
    let url = url(value);
    match url.scheme.map(str::to_ascii_lowercase).as_deref() {
        Some("http") => {}
        Some("https") => return wrong(", and this app speaks without TLS: http:// instead of https://"),
        Some(_) | None => return wrong(", without http://"),
    }
    let reach = Authority::parse(url.authority).map_or(Reach::Elsewhere, |to| findings.reach(&to));
    if reach.receiver() != Some("http") {
        return wrong(", which is not this app");
    }
    match url.path {
        "/api/1/" | "/api/1/item/" => {
            Judged::works(format!("it is {value}{}; no SDK reads it by itself, the service passes it on", reach.note()))
        }
        _ => wrong(", and pyrollbar appends item/ to what ends in /api/1/"),
    }
}

// ── Proxies ──

/// A kind of client that obeys proxy variables.
struct Client {
    source: &'static str,
    /// Who obeys.
    names: &'static str,
    /// The variables that name a proxy for `http://`, the first that is set counts.
    proxy: &'static [&'static str],
    /// The same for hosts without one.
    without: &'static [&'static str],
    /// Whether networks (`127.0.0.0/8`) are understood there.
    networks: bool,
    documented: &'static str,
}

/// Go, Ruby and Java leave loopback out by themselves or read no variables; Node's http module reads none unless
/// NODE_USE_ENV_PROXY is set.
const CLIENTS: &[Client] = &[
    Client {
        source: "otlp",
        names: "Python's exporter over HTTP (requests)",
        proxy: &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
        without: &["no_proxy", "NO_PROXY"],
        networks: true,
        documented: "https://requests.readthedocs.io/en/latest/user/advanced/#proxies",
    },
    Client {
        source: "otlp",
        names: "exporters over gRPC (C core, Node)",
        proxy: &["grpc_proxy", "https_proxy", "http_proxy"],
        without: &["no_grpc_proxy", "no_proxy"],
        networks: false,
        documented: "https://grpc.github.io/grpc/core/md_doc_environment_variables.html",
    },
    Client {
        source: "cloudwatch",
        names: "boto3",
        proxy: &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
        without: &["no_proxy", "NO_PROXY"],
        networks: false,
        documented: "https://docs.aws.amazon.com/boto3/latest/guide/configuration.html",
    },
    Client {
        source: "xray",
        names: "the X-Ray SDK of Python, for its sampling rules",
        proxy: &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
        without: &["no_proxy", "NO_PROXY"],
        networks: false,
        documented: "https://docs.aws.amazon.com/boto3/latest/guide/configuration.html",
    },
    Client {
        source: "rollbar",
        names: "pyrollbar (requests)",
        proxy: &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
        without: &["no_proxy", "NO_PROXY"],
        networks: true,
        documented: "https://requests.readthedocs.io/en/latest/user/advanced/#proxies",
    },
];

/// The variables whose hosts a client of a source asks, and the hosts that it asks without them.
const HOSTS: &[(&str, &[&str], &[&str])] = &[
    (
        "otlp",
        &["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"],
        &["localhost"],
    ),
    ("cloudwatch", &["AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "AWS_ENDPOINT_URL"], &["127.0.0.1"]),
    ("xray", &["AWS_XRAY_DAEMON_ADDRESS"], &["127.0.0.1"]),
    ("rollbar", &["ROLLBAR_ENDPOINT"], &["127.0.0.1"]),
];

impl Findings {
    /// A proxy takes requests to this machine as well, unless NO_PROXY names it.
    fn proxies(&self, source: &str, checks: &mut Vec<Check>) {
        let hosts = self.hosts(source);
        for client in CLIENTS.iter().filter(|client| client.source == source) {
            // Even an empty one hides those behind it.
            let set = |names: &'static [&str]| -> Option<(&'static str, &str)> {
                names.iter().find_map(|name| Some((*name, self.environment.get(*name)?.as_str())))
            };
            let Some((name, proxy)) = set(client.proxy).filter(|(_, proxy)| !proxy.trim().is_empty()) else { continue };
            // Unlike that of the proxy, an empty one counts as none.
            let exceptions = client.without.iter().filter_map(|name| self.environment.get(*name));
            let exceptions = exceptions.map(String::as_str).find(|list| !list.trim().is_empty()).unwrap_or_default();
            let Some(host) = hosts.iter().find(|host| !is_excepted(host, exceptions, client.networks)) else {
                continue;
            };
            let mut list: Vec<&str> = Vec::new();
            for name in ["no_proxy", "NO_PROXY"] {
                let words = self.environment.get(name).map(String::as_str).unwrap_or_default();
                list.extend(words.split(',').map(str::trim).filter(|word| !word.is_empty()));
            }
            list.extend(["localhost", "127.0.0.1", "::1"]);
            list.extend(hosts.iter().map(String::as_str));
            let mut seen = Vec::new();
            list.retain(|one| {
                let new = !seen.contains(one);
                seen.push(*one);
                new
            });
            let list = shell(&list.join(","));
            checks.push(step(
                source,
                "no proxy takes what is sent to this machine",
                false,
                format!(
                    "{name} is {}, and NO_PROXY does not name {host}: {} send to the proxy. See {}",
                    shown(proxy),
                    client.names,
                    client.documented
                ),
                format!("export NO_PROXY={list} no_proxy={list}"),
            ));
        }
    }

    /// The hosts of this machine that clients of a source ask.
    fn hosts(&self, source: &str) -> Vec<String> {
        let Some((_, variables, usual)) = HOSTS.iter().find(|(of, ..)| *of == source) else { return Vec::new() };
        let named = variables.iter().filter_map(|name| self.variable(name));
        let mut hosts: Vec<String> = named
            .filter_map(|value| {
                let address = value.split_whitespace().next()?.trim_start_matches("tcp:").trim_start_matches("udp:");
                let to = Authority::parse(url(address).authority)?;
                self.reach(&to).receiver().map(|_| to.host.to_string().trim_matches(['[', ']']).to_owned())
            })
            .collect();
        if hosts.is_empty() {
            hosts = usual.iter().map(|host| (*host).to_owned()).collect();
        }
        hosts.sort();
        hosts.dedup();
        hosts
    }
}

/// Whether a list of hosts without a proxy has this one: by name, as the end of one, with a port, or `*` alone.
fn is_excepted(host: &str, list: &str, networks: bool) -> bool {
    list.trim() == "*"
        || list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
            let name = entry.trim_start_matches('.').trim_matches(['[', ']']).to_lowercase();
            name == host || host.ends_with(&format!(".{name}")) || (networks && is_within(host, entry))
        })
}

/// Whether an IPv4 address is in a network such as `127.0.0.0/8`.
fn is_within(host: &str, network: &str) -> bool {
    let Some((base, bits)) = network.split_once('/') else { return false };
    let (Ok(IpAddr::V4(host)), Ok(IpAddr::V4(base)), Ok(bits)) = (host.parse(), base.parse(), bits.parse::<u32>())
    else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32u32.saturating_sub(bits)).unwrap_or(0);
    bits <= 32 && u32::from(host) & mask == u32::from(base) & mask
}

#[cfg(test)]
pub(super) fn documents() -> Vec<(&'static str, &'static str)> {
    let clients = CLIENTS.iter().map(|client| (client.names, client.documented));
    VARIABLES.iter().map(|variable| (variable.name, variable.documented)).chain(clients).collect()
}
