use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_types::sdk_config::SharedHttpClient;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use tracebook_core::catalog::Vendor;

use super::errors::ErrorContext;
use super::profiles::{CredentialKind, Machine, listed, without_endpoints};
use super::session::{Settings, connect_on};
use super::testing::{SECRET, connection, machine};
use super::text::{masked, sentence};
use super::{REGIONS, endpoint, is_region};
use crate::cloud::{Fault, Fetch, SourceError};
use crate::testing::Server;

/// The usual files of the course, with every kind of credentials.
const CONFIG: &str = "\
[default]
region = us-east-1
[profile sso]
sso_session = course
sso_account_id = 123456789012
sso_role_name = Student
region = eu-west-1
[sso-session course]
sso_region = eu-west-1
sso_start_url = https://d-1.awsapps.com/start
[profile old-sso]
sso_start_url = https://d-1.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = Student
region = eu-west-1
[profile role]
role_arn = arn:aws:iam::123456789012:role/Reader
source_profile = default
region = us-east-1
[profile role-of-sso]
role_arn = arn:aws:iam::123456789012:role/Reader
source_profile = sso
region = us-east-1
[profile role-of-env]
role_arn = arn:aws:iam::123456789012:role/Reader
credential_source = Environment
region = us-east-1
[profile role-with-mfa]
role_arn = arn:aws:iam::123456789012:role/Reader
source_profile = default
mfa_serial = arn:aws:iam::123456789012:mfa/andrew
region = us-east-1
[profile machine]
role_arn = arn:aws:iam::123456789012:role/Reader
credential_source = Ec2InstanceMetadata
region = us-east-1
[profile command]
credential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"ASIAEXAMPLE\", \"SecretAccessKey\": \"s\", \"Expiration\": \"2020-01-01T00:00:00Z\"}'
region = us-east-1
[profile failing]
credential_process = echo 'secret words' >&2; exit 7
region = us-east-1
[profile token]
role_arn = arn:aws:iam::123456789012:role/Reader
web_identity_token_file = /home/a/token
region = us-east-1
[profile console]
login_session = arn:aws:iam::123456789012:user/andrew
region = us-east-1
[profile settings only]
region = us-east-1
";
const KEYS: &str = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00\n";
const FILES: &[(&str, &str)] = &[("/home/a/.aws/config", CONFIG), ("/home/a/.aws/credentials", KEYS)];
const HOME: (&str, &str) = ("HOME", "/home/a");
/// Where the CLI keeps the token of the session `course`: the SHA-1 of its name.
const TOKEN: &str = "/home/a/.aws/sso/cache/4809561b34384fc017da4d2efc93d79ca3d90e22.json";

fn settings(profile: &str) -> Settings {
    Settings {
        profile: Some(profile.to_owned()).filter(|name| !name.is_empty()),
        agent: "tracebook/0.0.0".to_owned(),
        ..Settings::default()
    }
}

/// A refusal, which must not have taken three seconds.
async fn refused(machine: &Machine, settings: &Settings) -> SourceError {
    let start = Instant::now();
    let error = connect_on(machine, settings).await.expect_err("is refused");
    let took = start.elapsed();
    assert!(took < Duration::from_millis(3_200), "{took:?} for {error:?}");
    for secret in [SECRET, "AKIAIOSFODNN7EXAMPLE", "ASIAEXAMPLE", "secret words"] {
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
    error
}

fn told(error: &SourceError) -> (Fault, &str, &str) {
    (error.fault, &error.message, &error.hint)
}

/// Carries credential requests nowhere: records where they would have gone, and answers as configured.
#[derive(Clone, Debug)]
struct Wire {
    asked: Arc<Mutex<Vec<String>>>,
    status: u16,
    body: &'static str,
}

impl Wire {
    fn new(status: u16, body: &'static str) -> Self {
        Self { asked: Arc::default(), status, body }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = request.uri().split('/').nth(2).unwrap_or_default().to_owned();
        self.asked.lock().expect("no panic").push(host);
        let status = StatusCode::try_from(self.status).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.body))))
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

#[tokio::test]
async fn every_profile_is_listed_with_its_credential_kind() {
    let profiles = listed(&machine(&[HOME], FILES)).await.expect("good files");
    let shown: Vec<(&str, &str, &str)> =
        profiles.iter().map(|p| (p.name.as_str(), p.region.as_deref().unwrap_or("-"), p.kind)).collect();
    assert_eq!(
        shown,
        [
            ("default", "us-east-1", "static keys"),
            ("command", "us-east-1", "a process"),
            ("console", "us-east-1", "aws login"),
            ("failing", "us-east-1", "a process"),
            ("machine", "us-east-1", "assumes a role"),
            ("old-sso", "eu-west-1", "SSO"),
            ("role", "us-east-1", "assumes a role"),
            ("role-of-env", "us-east-1", "assumes a role"),
            ("role-of-sso", "us-east-1", "assumes a role"),
            ("role-with-mfa", "us-east-1", "assumes a role"),
            ("sso", "eu-west-1", "SSO"),
            ("token", "us-east-1", "web identity"),
        ]
    );
    assert_eq!(listed(&machine(&[HOME], &[])).await, Ok(Vec::new()), "no files are no fault");
}

#[tokio::test]
async fn the_environment_names_the_files() {
    let vars = [HOME, ("AWS_CONFIG_FILE", "/etc/aws.conf"), ("AWS_SHARED_CREDENTIALS_FILE", "~/keys")];
    let files = [("/etc/aws.conf", "[profile a]\nregion = eu-north-1\n"), ("/home/a/keys", KEYS), FILES[0]];
    let machine = machine(&vars, &files);
    let names: Vec<(String, &str)> =
        listed(&machine).await.expect("good files").into_iter().map(|p| (p.name, p.kind)).collect();
    assert_eq!(names, [("default".to_owned(), "static keys"), ("a".to_owned(), "nothing")]);
    let mut default = settings("default");
    default.region = Some("eu-north-1".to_owned());
    let connection = connect_on(&machine, &default).await.expect("the keys are there");
    assert_eq!((connection.region.as_str(), connection.kind()), ("eu-north-1", CredentialKind::StaticKeys));
}

#[tokio::test]
async fn a_broken_file_is_reported_with_its_line() {
    let machine = machine(&[HOME], &[("/home/a/.aws/config", "[default]\nregion = us-east-1\n[profile x\n")]);
    for error in [listed(&machine).await.expect_err("broken"), refused(&machine, &settings("")).await] {
        assert_eq!(error.fault, Fault::Invalid);
        assert!(error.message.contains("/home/a/.aws/config, line 3, character 1"), "{}", error.message);
    }
}

#[tokio::test]
async fn missing_credentials_are_reported_immediately() {
    let region = ("AWS_REGION", "us-east-1");
    let error = refused(&machine(&[HOME, region], &[]), &settings("")).await;
    assert_eq!(
        told(&error),
        (
            Fault::NoCredentials,
            "there are no AWS credentials",
            "Sign in: aws configure sso; or enter a key: aws configure"
        )
    );
    // Also without a region: a region would not help.
    assert_eq!(refused(&machine(&[HOME], &[]), &settings("")).await, error);
    let emulator = Settings { endpoint: Some("http://127.0.0.1:9".to_owned()), ..settings("") };
    let error = refused(&machine(&[HOME, region], &[]), &emulator).await;
    assert!(error.hint.contains("AWS_ACCESS_KEY_ID=test"), "{}", error.hint);

    let files = machine(&[HOME, region], FILES);
    let error = refused(&files, &settings("nobody's")).await;
    assert_eq!(error.fault, Fault::NoCredentials);
    assert!(error.message.starts_with("there is no profile \"nobody's\"") && error.message.contains("default"));
    assert_eq!(error.hint, r"Choose another profile, or create it: aws configure --profile 'nobody'\''s'");
    let error = refused(&files, &settings("machine")).await;
    assert_eq!(error.fault, Fault::NoCredentials);
    assert!(error.message.contains("EC2"), "{}", error.message);
    let error = refused(&files, &settings("console")).await;
    assert!(error.fault == Fault::NoCredentials && error.hint.contains("export-credentials --profile console"));
    let error = refused(&files, &settings("failing")).await;
    assert_eq!(error.message, "the credential_process of profile failing failed: exit status: 7");
    let error = refused(&files, &settings("sso")).await;
    assert_eq!(
        told(&error),
        (Fault::NoCredentials, "profile sso is not signed in", "Sign in again: aws sso login --profile sso")
    );
}

#[tokio::test]
async fn expired_credentials_are_reported_with_how_to_renew_them() {
    let error = refused(&machine(&[HOME], FILES), &settings("command")).await;
    assert_eq!(
        (error.fault, error.message.as_str()),
        (Fault::Expired, "the credentials of profile command have expired")
    );

    let mut files = FILES.to_vec();
    let token =
        r#"{"accessToken": "t", "expiresAt": "2020-01-01T00:00:00Z", "startUrl": "https://d-1.awsapps.com/start"}"#;
    files.push((TOKEN, token));
    let error = refused(&machine(&[HOME], &files), &settings("sso")).await;
    assert_eq!(
        told(&error),
        (Fault::Expired, "the credentials of profile sso have expired", "Sign in again: aws sso login --profile sso")
    );
    let error = refused(&machine(&[HOME], &files), &settings("role-of-sso")).await;
    assert_eq!((error.fault, error.hint.as_str()), (Fault::Expired, "Sign in again: aws sso login --profile sso"));
}

#[tokio::test]
async fn a_session_that_the_portal_no_longer_knows_is_expired() {
    let mut files = FILES.to_vec();
    files.push((TOKEN, r#"{"accessToken": "t", "expiresAt": "2090-01-01T00:00:00Z"}"#));
    let mut machine = machine(&[HOME], &files);
    // https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
    let wire =
        Wire::new(401, r#"{"__type": "UnauthorizedException", "message": "Session token not found or invalid"}"#);
    machine.http = Some(SharedHttpClient::new(wire.clone()));
    let error = refused(&machine, &settings("sso")).await;
    assert_eq!((error.fault, error.hint.as_str()), (Fault::Expired, "Sign in again: aws sso login --profile sso"));
    assert_eq!(wire.asked(), ["portal.sso.eu-west-1.amazonaws.com"]);
    let wire = Wire::new(403, r#"{"__type": "ForbiddenException", "message": "No access"}"#);
    machine.http = Some(SharedHttpClient::new(wire));
    assert_eq!(refused(&machine, &settings("sso")).await.fault, Fault::Forbidden);
}

/// What a student's shell and config contain for the service under study.
const ASTRAY: &[(&str, &str)] = &[
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ("AWS_ENDPOINT_URL_XRAY", "http://127.0.0.1:2"),
    ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:3"),
    ("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:4"),
    ("AWS_ENDPOINT_URL_SSO_OIDC", "not a URL"),
    ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://127.0.0.1:5"),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:6"),
];

/// A config whose profiles all send their requests elsewhere.
fn astray() -> String {
    let mut config = String::new();
    for line in CONFIG.lines() {
        config.push_str(line);
        config.push('\n');
        if line.starts_with("[profile ") || line == "[default]" {
            config.push_str("endpoint_url = http://127.0.0.1:7\nservices = local\n");
        }
    }
    config
        + "[services local]\nsts =\n  endpoint_url = http://127.0.0.1:8\nxray =\n  Endpoint_URL=http://127.0.0.1:8\nsso =\n  endpoint_url = http://127.0.0.1:8\n"
}

const ASSUMED: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2090-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"#;

#[tokio::test]
async fn endpoints_in_the_environment_and_the_config_are_ignored() {
    let config = astray();
    let files = [
        ("/home/a/.aws/config", config.as_str()),
        FILES[1],
        (TOKEN, r#"{"accessToken": "t", "expiresAt": "2090-01-01T00:00:00Z"}"#),
    ];
    let mut vars = ASTRAY.to_vec();
    vars.push(HOME);
    let mut machine = machine(&vars, &files);

    // When getting credentials.
    let wire = Wire::new(200, ASSUMED);
    machine.http = Some(SharedHttpClient::new(wire.clone()));
    let connection = connect_on(&machine, &settings("role")).await.expect("the role is assumed");
    assert_eq!(wire.asked(), ["sts.us-east-1.amazonaws.com"]);
    let portal = Wire::new(401, "{}");
    machine.http = Some(SharedHttpClient::new(portal.clone()));
    refused(&machine, &settings("sso")).await;
    assert_eq!(portal.asked(), ["portal.sso.eu-west-1.amazonaws.com"]);

    // And when using them.
    assert_eq!(connection.sdk.endpoint_url(), None);
    let asked = Wire::new(200, "{}");
    let sdk = connection.sdk.to_builder().http_client(asked.clone()).build();
    aws_sdk_xray::Client::new(&sdk).get_groups().send().await.expect("an empty answer");
    drop(aws_sdk_cloudwatchlogs::Client::new(&sdk).describe_log_groups().send().await);
    drop(aws_sdk_sts::Client::new(&sdk).get_caller_identity().send().await);
    let hosts = ["xray", "logs", "sts"].map(|service| format!("{service}.us-east-1.amazonaws.com"));
    assert_eq!(asked.asked(), hosts);
    // The role was assumed once: the credentials that were checked are used.
    assert_eq!(wire.asked().len(), 1);

    // The configured endpoint is used, for roles as well.
    machine.http = Some(SharedHttpClient::new(wire.clone()));
    let set = Settings { endpoint: Some("http://localhost:5000/".to_owned()), ..settings("role") };
    let connection = connect_on(&machine, &set).await.expect("the role is assumed");
    assert_eq!(connection.endpoint.as_deref(), Some("http://localhost:5000"));
    assert_eq!(wire.asked().last().map(String::as_str), Some("localhost:5000"));
}

#[tokio::test]
async fn a_named_profile_takes_precedence_over_the_environment() {
    let keys = [HOME, ("AWS_ACCESS_KEY_ID", "AKIAFROMENV"), ("AWS_SECRET_ACCESS_KEY", "e"), ("AWS_PROFILE", "role")];
    let key = |machine: Machine, settings: Settings| async move {
        use aws_credential_types::provider::ProvideCredentials as _;
        let connection = connect_on(&machine, &settings).await.expect("credentials");
        let provider = connection.sdk.credentials_provider().expect("set");
        let id = provider.provide_credentials().await.expect("credentials").access_key_id().to_owned();
        (id, connection.kind())
    };
    let environment = Settings { region: Some("us-east-1".to_owned()), ..settings("") };
    assert_eq!(key(machine(&keys, FILES), environment).await, ("AKIAFROMENV".to_owned(), CredentialKind::Environment));
    let found = key(machine(&keys, FILES), settings("default")).await;
    assert_eq!(found, ("AKIAIOSFODNN7EXAMPLE".to_owned(), CredentialKind::StaticKeys));
    // A role that says so is assumed with the environment's keys.
    let wire = Wire::new(200, ASSUMED);
    let mut machine = machine(&keys, FILES);
    machine.http = Some(SharedHttpClient::new(wire.clone()));
    assert_eq!(key(machine, settings("role-of-env")).await, ("ASIAEXAMPLE".to_owned(), CredentialKind::AssumesRole));
    assert_eq!(wire.asked().len(), 1);
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_is_reported_with_the_reason() {
    // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    const DENIED: &str = r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/andrew is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/Reader</Message></Error></ErrorResponse>"#;
    let mut machine = machine(&[HOME], FILES);
    machine.http = Some(SharedHttpClient::new(Wire::new(403, DENIED)));
    let error = refused(&machine, &settings("role")).await;
    assert_eq!(error.fault, Fault::Forbidden);
    assert_eq!(error.message, "the permissions of profile role do not allow sts:AssumeRole");
    let error = refused(&machine, &settings("role-with-mfa")).await;
    assert!(error.message.contains("MFA") && !error.message.contains("123456789012"), "{error:?}");
}

#[tokio::test]
async fn a_region_must_be_set_and_valid() {
    let files = [("/home/a/.aws/credentials", KEYS)];
    let error = refused(&machine(&[HOME], &files), &settings("")).await;
    assert_eq!(
        told(&error),
        (Fault::Invalid, "no region is set", "Choose one in the settings, or: aws configure set region us-east-1")
    );
    let wrong = Settings { region: Some("evil.example/".to_owned()), ..settings("") };
    assert_eq!(refused(&machine(&[HOME], &files), &wrong).await.fault, Fault::Invalid);
    for (vars, region) in [
        (vec![HOME, ("AWS_DEFAULT_REGION", "eu-west-3")], "eu-west-3"),
        (vec![HOME, ("AWS_DEFAULT_REGION", "eu-west-3"), ("AWS_REGION", "eu-west-2")], "eu-west-2"),
        (vec![HOME], "us-east-1"),
    ] {
        let connection = connect_on(&machine(&vars, FILES), &settings("")).await.expect("a region");
        assert_eq!(connection.region, region);
    }
    assert!(REGIONS.iter().all(|region| is_region(region)));
    assert!(!["", "-", "us_east_1", "US-EAST-1", &"a".repeat(33)].into_iter().any(is_region));
}

#[tokio::test]
async fn the_recorded_address_is_the_one_that_is_asked() {
    let (fips, dual) = (("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_USE_DUALSTACK_ENDPOINT", "true"));
    for (region, vars, own, service) in [
        ("us-east-1", vec![HOME], None, Some("https://xray.us-east-1.amazonaws.com")),
        ("us-east-1", vec![HOME, fips], None, Some("https://xray-fips.us-east-1.amazonaws.com")),
        ("eu-west-1", vec![HOME, dual], None, Some("https://xray.eu-west-1.api.aws")),
        ("us-gov-west-1", vec![HOME, fips], None, None),
        ("us-gov-east-1", vec![HOME, fips, dual], None, None),
        ("cn-north-1", vec![HOME], None, Some("https://xray.cn-north-1.amazonaws.com.cn")),
        ("cn-northwest-1", vec![HOME, dual], None, None),
        ("eusc-de-east-1", vec![HOME], None, None),
        ("us-iso-east-1", vec![HOME], None, None),
        ("us-isob-east-1", vec![HOME], None, None),
        ("us-east-1", vec![HOME], Some("http://127.0.0.1:5000/aws"), Some("http://127.0.0.1:5000")),
        ("us-east-1", vec![HOME], Some("https://localhost.localstack.cloud:4566"), None),
    ] {
        let set = Settings { region: Some(region.to_owned()), endpoint: own.map(str::to_owned), ..settings("") };
        let mut connection = connect_on(&machine(&vars, FILES), &set).await.expect("the keys are there");
        let wire = Wire::new(200, "{}");
        connection.sdk = connection.sdk.to_builder().http_client(wire.clone()).build();
        let (xray, logs) = (connection.xray_address().await, connection.logs_address().await);
        drop(aws_sdk_xray::Client::new(&connection.sdk).get_groups().send().await);
        drop(aws_sdk_cloudwatchlogs::Client::new(&connection.sdk).describe_log_groups().send().await);
        let (xray, logs) = (xray.expect("an address"), logs.expect("an address"));
        let hosts = [&xray, &logs].map(|url| url.split_once("://").expect("a scheme").1.to_owned());
        assert_eq!(wire.asked(), hosts, "{region} {vars:?}");
        if let Some(service) = service {
            assert_eq!(xray, service, "{region} {vars:?}");
        }
        for url in [xray, logs] {
            assert_eq!(tracebook_core::endpoint::is_own(Vendor::Aws, &url), own.is_none(), "{url}");
        }
    }
}

#[test]
fn only_a_plain_url_is_an_endpoint() {
    for (text, taken) in [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        (" http://localhost:4566/ ", "http://localhost:4566"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("http://moto:5000", "http://moto:5000"),
        ("http://192.168.1.7:5000/aws/", "http://192.168.1.7:5000/aws"),
        ("https://vpce-1.xray.us-east-1.vpce.amazonaws.com", "https://vpce-1.xray.us-east-1.vpce.amazonaws.com"),
    ] {
        assert_eq!(endpoint::checked(text).as_deref(), Ok(taken));
    }
    for wrong in [
        "127.0.0.1:5000",
        "moto",
        "ftp://127.0.0.1",
        "http://example.org",
        "http://8.8.8.8",
        "http://169.254.169.254",
        "https://me:secret@example.org",
        "https://example.org/?token=secret",
        "https://example.org/#a",
    ] {
        let error = endpoint::checked(wrong).expect_err(wrong);
        assert!(error.fault == Fault::Invalid && !error.message.contains("secret"), "{error:?}");
    }
}

#[test]
fn removing_endpoints_keeps_the_line_numbers() {
    let text =
        "[a]\nendpoint_url = http://x\nregion = r\n[services s]\nxray =\n\tENDPOINT_URL=http://y\n# endpoint_url = z\n";
    let clean = without_endpoints(text);
    assert_eq!(clean.lines().count(), text.lines().count());
    assert_eq!(
        clean,
        "[a]\nendpoint_not_taken = http://x\nregion = r\n[services s]\nxray =\n\tendpoint_not_taken =http://y\n# endpoint_url = z\n"
    );
}

async fn sts(status: u16, body: &'static str) -> Server {
    let status = axum::http::StatusCode::from_u16(status).expect("a status");
    Server::start(Router::new().fallback(move || async move { (status, [(CONTENT_TYPE, "text/xml")], body) })).await
}

#[tokio::test]
async fn the_identity_shows_four_digits_of_the_account() {
    // Recorded from moto 5.2.5.
    const ANSWER: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:user/moto</Arn><UserId>AKIAIOSFODNN7EXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#;
    let server = sts(200, ANSWER).await;
    let connection = connection(server.addr).await;
    let identity = connection.identity(&Fetch::unattended()).await.expect("answers");
    assert_eq!((identity.account.as_str(), identity.arn_tail.as_str()), ("••••••••9012", "user/moto"));
    assert!(identity.is_emulated());
    assert_eq!(
        identity.notes,
        [format!("from http://{}, not from AWS", server.addr), "this is the account id that emulators use".to_owned()]
    );
    for shown in [format!("{identity:?}"), format!("{connection:?}")] {
        for hidden in ["123456789012", "AKIA", SECRET] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
}

#[tokio::test]
async fn rejected_keys_are_reported_immediately() {
    // https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
    for (status, code, fault) in [
        (403, "InvalidClientTokenId", Fault::Rejected),
        (403, "SignatureDoesNotMatch", Fault::Rejected),
        (403, "ExpiredToken", Fault::Expired),
        (400, "IncompleteSignature", Fault::Rejected),
        (403, "AccessDenied", Fault::Forbidden),
        (400, "RequestExpired", Fault::Expired),
        (503, "ServiceUnavailable", Fault::Broken),
    ] {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>The Canonical String was 'host:sts' AKIAIOSFODNN7EXAMPLE/20261125 Signature=0123456789abcdef</Message></Error></ErrorResponse>"
        );
        let server = sts(status, Box::leak(body.into_boxed_str())).await;
        let start = Instant::now();
        let error = connection(server.addr).await.identity(&Fetch::unattended()).await.expect_err(code);
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        assert_eq!(error.fault, fault, "{code}");
        let shown = format!("{error:?}");
        assert!(
            !shown.contains("AKIA") && !shown.contains("0123456789abcdef") && !shown.contains("Canonical"),
            "{shown}"
        );
    }
}

#[test]
fn codes_and_statuses_are_classified() {
    let errors = ErrorContext {
        profile: Some("cruddur".to_owned()),
        kind: Some(CredentialKind::Sso),
        ..ErrorContext::default()
    };
    for (status, code, message, page, fault) in [
        (429, "ThrottledException", "Rate exceeded", false, Fault::Throttled),
        (400, "ThrottlingException", "Rate exceeded", false, Fault::Throttled),
        (400, "LimitExceededException", "too many queries", false, Fault::Throttled),
        (429, "", "", true, Fault::Throttled),
        (403, "ExpiredTokenException", "", false, Fault::Expired),
        (403, "InvalidSignatureException", "Signature expired: 20261125T0 is now earlier than", false, Fault::Expired),
        (403, "InvalidSignatureException", "The request signature we calculated", false, Fault::Rejected),
        (403, "UnrecognizedClientException", "", false, Fault::Rejected),
        (403, "MissingAuthenticationTokenException", "", false, Fault::Rejected),
        (403, "com.amazon.coral.service#AccessDeniedException", "", false, Fault::Forbidden),
        (403, "", "", true, Fault::Forbidden),
        (400, "ResourceNotFoundException", "The specified log group does not exist.", false, Fault::NotFound),
        (404, "", "", true, Fault::Unsupported),
        (404, "UnknownOperationException", "", false, Fault::Unsupported),
        (500, "", "", true, Fault::Unsupported),
        (500, "InternalFailure", "Not implemented yet - moto", false, Fault::Unsupported),
        (500, "InternalFailure", "oops", false, Fault::Broken),
        (500, "", "", false, Fault::Broken),
        (503, "", "", true, Fault::Broken),
        (400, "InvalidRequestException", "Exceeding maximum query size: 5", false, Fault::Invalid),
        (400, "ValidationException", "1 validation error", false, Fault::Invalid),
    ] {
        let error = errors.answered(status, Some(code).filter(|c| !c.is_empty()), message, page);
        assert_eq!(error.fault, fault, "{status} {code}");
        assert!(!error.message.is_empty() && (!error.hint.is_empty() || fault == Fault::Invalid), "{error:?}");
    }
    let denied = "User: arn:aws:sts::123456789012:assumed-role/S/b is not authorized to perform: xray:GetTraceSummaries because no identity-based policy allows it";
    let error = errors.answered(403, Some("AccessDeniedException"), denied, false);
    assert_eq!(error.message, "the permissions of profile cruddur do not allow xray:GetTraceSummaries");
    let error = errors.answered(403, Some("ExpiredTokenException"), "", false);
    assert_eq!(error.hint, "Sign in again: aws sso login --profile cruddur");
    let skewed = errors.answered(403, Some("RequestTimeTooSkewed"), "", false);
    assert!(skewed.message.contains("clock"), "{}", skewed.message);
    let invalid = errors.answered(
        400,
        Some("InvalidRequestException"),
        "Group arn:aws:xray:us-east-1:123456789012:group/x\n is wrong",
        false,
    );
    assert_eq!(invalid.message, "Group arn:aws:xray:us-east-1:••••••••9012:group/x is wrong");
}

#[test]
fn quoted_messages_contain_no_identifiers() {
    assert_eq!(masked("123456789012"), "••••••••9012");
    let kept = "1-4efaaf4d-123456789012345678901234 1795447897864 a123456789012 12345678901";
    assert_eq!(masked(kept), kept);
    assert_eq!(masked("arn:aws:iam::123456789012:user/é"), "arn:aws:iam::••••••••9012:user/é");
    assert_eq!(sentence(" \n ", "nothing"), "nothing");
    assert!(sentence(&"x".repeat(5_000), "").len() < 500);
    assert!(!sentence("key AKIAIOSFODNN7EXAMPLE is wrong", "").contains("AKIA"));
}

#[tokio::test]
async fn a_config_is_read_as_the_cli_reads_it() {
    for config in [
        "\u{feff}[default]\nregion = ca-central-1\n",
        "[default]\r\n\tregion: ca-central-1\r\n\toutput = json\r\n",
        "  [ default ]\n  region = ca-central-1\n",
    ] {
        let machine = machine(&[HOME], &[("/home/a/.aws/config", config)]);
        let found = listed(&machine).await.unwrap_or_else(|e| panic!("{config:?}: {e:?}"));
        assert_eq!(found.iter().map(|p| p.region.as_deref()).collect::<Vec<_>>(), [Some("ca-central-1")], "{config:?}");
    }
}

#[tokio::test]
async fn a_name_that_only_the_cli_reads_is_named() {
    let config = "[profile acme]\nsso_session = My Org\nsso_account_id = 111122223333\nsso_role_name = Developer\n\
                  region = eu-west-1\n\n[sso-session 'My Org']\nsso_region = eu-west-2\n\
                  sso_start_url = https://example.awsapps.com/start#/\n[profile 'my work']\nregion = eu-west-1\n";
    let machine = machine(&[HOME], &[("/home/a/.aws/config", config)]);
    for (profile, place, words) in [
        ("acme", "line 7, character 14", "[sso-session My-Org]"),
        ("my work", "line 10, character 10", "[profile my-work]"),
    ] {
        let error = refused(&machine, &settings(profile)).await;
        assert!(error.message.contains(place) && error.hint.contains(words), "{error:?}");
    }
}
