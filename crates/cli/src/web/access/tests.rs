use std::collections::BTreeSet;

use axum::http::HeaderValue;

use super::*;

const PORT: u16 = 4390;

fn access(address: &str, allowed: &[&str]) -> (tempfile::TempDir, Access) {
    let dir = tempfile::tempdir().expect("a folder");
    let key = WebKey::open(dir.path(), false).expect("a key");
    let allowed = allowed.iter().map(|name| Authority::parse(name).expect("a name")).collect();
    (dir, Access::new(address.parse().expect("an address"), allowed, key, "0123".to_owned()))
}

fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

fn names(access: &Access, pairs: &[(HeaderName, &str)]) -> Result<(), Refused> {
    access.check_names(&"/".parse().expect("a target"), &headers(pairs))
}

/// Every combination of pieces, so that nothing outside a known set is accepted.
fn accepted(tried: impl Iterator<Item = String>, is_accepted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    tried.filter(|text| HeaderValue::from_str(text).is_ok() && is_accepted(text)).collect()
}

fn combinations() -> impl Iterator<Item = String> {
    const STARTS: [&str; 16] = [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "LOCALHOST",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "",
        "[::1",
        "u@localhost",
        "w.example",
        "W.example",
        "evil.example",
        "127.0.0.2",
        "[::1%25lo]",
    ];
    const ENDS: [&str; 16] = [
        "",
        ":",
        ":4390",
        ":80",
        ":443",
        ":04390",
        ":4391",
        ":4390:4390",
        ".",
        ".:4390",
        ".evil",
        " ",
        "/",
        ":4390/",
        "%",
        "]",
    ];
    STARTS.iter().flat_map(|start| ENDS.iter().map(move |end| format!("{start}{end}")))
}

#[test]
fn only_the_hosts_of_a_small_set_are_answered() {
    let (_dir, access) = access(&format!("127.0.0.1:{PORT}"), &["w.example"]);
    let hosts = accepted(combinations(), |host| names(&access, &[(header::HOST, host)]).is_ok());
    let lower: BTreeSet<String> = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
    let own = ["127.0.0.1", "127.0.0.2", "localhost", "[::1]"].map(|host| [host.to_owned(), format!("{host}:4390")]);
    let allowed = ["w.example", "w.example:80", "w.example:443", "w.example:4390"].map(str::to_owned);
    assert_eq!(lower, own.into_iter().flatten().chain(allowed).collect());
}

#[test]
fn only_the_origins_of_a_small_set_are_answered() {
    let (_dir, access) = access(&format!("127.0.0.1:{PORT}"), &["w.example"]);
    let tried = combinations().flat_map(|rest| {
        ["http://", "https://", "HTTP://", "ws://", "file://", "http:", "//", ""]
            .map(|scheme| format!("{scheme}{rest}"))
    });
    let host = (header::HOST, "127.0.0.1:4390");
    let origins = accepted(tried, |origin| names(&access, &[host.clone(), (header::ORIGIN, origin)]).is_ok());
    let lower: BTreeSet<String> = origins.iter().map(|origin| origin.to_ascii_lowercase()).collect();
    let expected = [
        "http://127.0.0.1:4390",
        "http://localhost:4390",
        "http://w.example",
        "http://w.example:80",
        "http://w.example:4390",
        "https://w.example",
        "https://w.example:443",
        "https://w.example:4390",
    ];
    assert_eq!(lower, expected.map(str::to_owned).into());
    let two = [host, (header::ORIGIN, "http://127.0.0.1:4390"), (header::ORIGIN, "http://evil.example")];
    assert_eq!(names(&access, &two), Err(Refused::Origin));
}

#[test]
fn an_allowed_name_with_a_port_is_allowed_at_that_port_only() {
    let (_dir, access) = access("[::1]:4390", &["w.example:8443", "localhost:9000"]);
    let host = |host: &str| names(&access, &[(header::HOST, host)]).is_ok();
    assert!(host("w.example:8443") && host("localhost:9000") && host("[::1]:4390") && host("localhost:4390"));
    assert!(!host("w.example") && !host("w.example:443") && !host("127.0.0.1:4391") && !host("localhost:80"));
    let origin = |origin: &str| names(&access, &[(header::HOST, "[::1]:4390"), (header::ORIGIN, origin)]).is_ok();
    assert!(origin("http://[::1]:4390") && origin("http://localhost:4390") && origin("https://w.example:8443"));
    assert!(!origin("http://127.0.0.1:4390") && !origin("https://w.example") && !origin("http://[::1]"));
    assert!(access.url().starts_with("http://[::1]:4390/#key=tbk_"));
}

#[test]
fn the_key_and_the_key_of_the_run_are_taken() {
    let (_dir, access) = access("127.0.0.1:4390", &[]);
    let key = access.key.secret().to_owned();
    let sent = |values: &[&str]| {
        let pairs: Vec<_> = values.iter().map(|value| (KEY, *value)).collect();
        access.check_key(&headers(&pairs))
    };
    assert_eq!(sent(&[&key]), Ok(()));
    assert_eq!(sent(&[access.key.for_run("0123").secret()]), Ok(()));
    for wrong in
        [&[][..], &[""], &[&key[..46]], &[&format!("{key}A")], &[access.key.for_run("0124").secret()], &[&key, &key]]
    {
        assert_eq!(sent(wrong), Err(Refused::Key), "{wrong:?}");
    }
    let (nonce, proof) = access.introduce("0123456789abcdef").expect("a challenge");
    assert_eq!(nonce, "0123");
    assert_eq!(proof, access.key.derived("server", "0123456789abcdef\n0123"));
    assert!(sent(&[&format!("tbk_{proof}")]).is_err(), "the proof is no key");
    for challenge in ["", "short", &"a".repeat(65), "0123456789abcde\n", "0123456789abcde é"] {
        assert_eq!(access.introduce(challenge), None, "{challenge:?}");
    }
    let shown = format!("{access:?}");
    assert!(!shown.contains(&key[4..]) && !shown.contains(&access.key_of_run.secret()[4..]));
}
