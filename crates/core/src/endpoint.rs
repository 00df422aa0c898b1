//! The systems that answered a capture: the vendors' own, or something else that speaks their protocol.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use ts_rs::TS;

use crate::catalog::{Source, Vendor};
use crate::text::beginning;

/// A system that answered a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Endpoint {
    /// The source whose protocol it speaks.
    pub source: Source,
    /// Scheme, host and port (left out if it is the scheme's default): `https://xray.us-east-1.amazonaws.com`. Empty
    /// for local telemetry.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub url: String,
    /// The [`fingerprint`] of the account, project or team, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account: Option<String>,
    /// The cloud region, if the source has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub region: Option<String>,
    /// Whether it was recognised as an emulator, by its host or its account. See [`Endpoint::is_emulator`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<_>")]
    pub emulator: bool,
}

impl Endpoint {
    /// Whether something else than the vendor answered: an emulator on this machine, or any other host that is not one
    /// of the vendor's.
    pub fn is_emulator(&self) -> bool {
        self.emulator || self.source.info().vendor.is_some_and(|vendor| !is_own(vendor, &self.url))
    }

    /// With `emulator` as [`Endpoint::is_emulator`] finds.
    #[must_use]
    pub fn recognised(self) -> Self {
        Self { emulator: self.is_emulator(), ..self }
    }

    /// `AWS X-Ray`, or `emulator of AWS X-Ray`.
    pub fn name(&self) -> String {
        let source = &self.source.info().name;
        if self.is_emulator() { format!("emulator of {source}") } else { source.to_string() }
    }

    /// The name with region and account, and the address of an emulator: `AWS X-Ray us-east-1, account 3f9a1c`.
    pub fn words(&self) -> String {
        let mut text = self.name();
        if self.is_emulator() && !self.url.is_empty() {
            text.push_str(" at ");
            text.push_str(beginning(&self.url, LONGEST));
        }
        if let Some(region) = &self.region {
            text.push(' ');
            text.push_str(beginning(region, LONGEST));
        }
        if let Some(account) = &self.account {
            text.push_str(", account ");
            text.push_str(beginning(account, LONGEST));
        }
        text
    }
}

/// The most characters of a part as text: imported evidence may contain any.
const LONGEST: usize = 100;

/// The suffixes of AWS's service hosts, and those of hosts that also have IPv6 addresses: one row per partition.
const AWS_SUFFIXES: [(&str, &str); 7] = [
    ("amazonaws.com", "api.aws"),
    ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    ("amazonaws.eu", "api.amazonwebservices.eu"),
    ("c2s.ic.gov", "api.aws.ic.gov"),
    ("sc2s.sgov.gov", "api.aws.scloud"),
    ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    ("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
];

/// The first labels of the hosts of X-Ray and CloudWatch Logs. Other names below AWS's domains may be a customer's own
/// machine, function, bucket or gateway.
const AWS_SERVICES: [&str; 5] = ["xray", "xray-fips", "logs", "logs-fips", "streaming-logs"];

/// The other vendors' hosts; `*` is one label, the name of a region.
const ROLLBAR_HOSTS: [&str; 1] = ["api.rollbar.com"];
const HONEYCOMB_HOSTS: [&str; 2] = ["api.honeycomb.io", "api.*.honeycomb.io"];

/// Whether a URL leads to a vendor's own API: by `https`, to one of its hosts.
pub fn is_own(vendor: Vendor, url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) => return false,
        None => authority,
    };
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    if !labels.iter().all(|label| is_label(label)) {
        return false;
    }
    match vendor {
        Vendor::Aws => is_aws(&host),
        Vendor::Rollbar => ROLLBAR_HOSTS.iter().any(|pattern| matches(pattern, &labels)),
        Vendor::Honeycomb => HONEYCOMB_HOSTS.iter().any(|pattern| matches(pattern, &labels)),
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn matches(pattern: &str, labels: &[&str]) -> bool {
    let wanted: Vec<&str> = pattern.split('.').collect();
    wanted.len() == labels.len() && wanted.iter().zip(labels).all(|(wanted, label)| *wanted == "*" || wanted == label)
}

/// `SERVICE.REGION.SUFFIX`, or `vpce-ID.SERVICE.REGION.vpce.SUFFIX` for an endpoint inside a VPC.
fn is_aws(host: &str) -> bool {
    AWS_SUFFIXES.iter().any(|(suffix, dual_stack)| {
        let before = |suffix: &str| host.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.'));
        let is_service = |rest: &str| {
            let service = rest.split_once('.');
            service.is_some_and(|(service, region)| AWS_SERVICES.contains(&service) && is_aws_region(region))
        };
        let inside_vpc = |rest: &str| {
            let inner = rest.strip_suffix(".vpce").and_then(|rest| rest.split_once('.'));
            inner.is_some_and(|(id, rest)| id.starts_with("vpce-") && is_service(rest))
        };
        before(suffix).is_some_and(|rest| is_service(rest) || inside_vpc(rest))
            || before(dual_stack).is_some_and(is_service)
    })
}

/// Words of letters, then a number: `us-gov-west-1`. Not `s3-us-west-2`, below which customers choose names.
fn is_aws_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else { return false };
    let letters = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    words.contains('-')
        && words.split('-').all(letters)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// The accounts of moto and LocalStack.
const EMULATED_ACCOUNTS: [&str; 2] = ["123456789012", "000000000000"];

/// Whether an account is one that emulators of a vendor answer with.
pub fn is_emulated_account(vendor: Vendor, account: &str) -> bool {
    match vendor {
        Vendor::Aws => EMULATED_ACCOUNTS.contains(&account),
        Vendor::Rollbar | Vendor::Honeycomb => false,
    }
}

/// The fingerprint of an account, project or team: equal for equal accounts. Six hex digits distinguish the accounts of
/// a class; thousands of account ids share each of them, so that it does not reveal the id.
pub fn fingerprint(vendor: Vendor, account: &str) -> String {
    let digest = Sha256::digest(format!("tracebook account\n{}\n{account}", vendor.id()));
    hex::encode(&digest[..3])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(source: Source, url: &str) -> Endpoint {
        Endpoint { source, url: url.to_owned(), ..Endpoint::default() }
    }

    #[test]
    fn the_vendors_own_hosts_are_recognised() {
        for url in [
            "https://xray.us-east-1.amazonaws.com",
            "https://XRAY.us-east-1.amazonaws.com.",
            "https://xray.us-east-1.amazonaws.com:443",
            "https://xray.us-east-1.amazonaws.com/path?query",
            "https://xray-fips.us-west-2.amazonaws.com",
            "https://xray.us-gov-west-1.amazonaws.com",
            "https://xray.cn-north-1.amazonaws.com.cn",
            "https://xray.us-east-1.api.aws",
            "https://xray-fips.us-gov-east-1.api.aws",
            "https://logs.cn-northwest-1.api.amazonwebservices.com.cn",
            "https://logs.eusc-de-east-1.amazonaws.eu",
            "https://logs.us-iso-east-1.c2s.ic.gov",
            "https://logs.us-isob-east-1.sc2s.sgov.gov",
            "https://logs-fips.ca-central-1.amazonaws.com",
            "https://streaming-logs.eu-central-1.amazonaws.com",
            "https://vpce-0fe8b0d5-x1.xray.us-east-1.vpce.amazonaws.com",
            "https://vpce-0fe8b0d5-x1-us-east-1a.logs.us-east-1.vpce.amazonaws.com",
        ] {
            assert!(is_own(Vendor::Aws, url), "{url}");
            assert!(!is_own(Vendor::Rollbar, url) && !is_own(Vendor::Honeycomb, url), "{url}");
        }
        assert!(is_own(Vendor::Rollbar, "https://api.rollbar.com"));
        assert!(is_own(Vendor::Honeycomb, "https://api.honeycomb.io"));
        assert!(is_own(Vendor::Honeycomb, "https://api.eu1.honeycomb.io"));
    }

    #[test]
    fn everything_else_is_an_emulator() {
        for url in [
            "",
            "http://127.0.0.1:5000",
            "http://[::1]:4566",
            "http://localhost:4566",
            "http://moto:5000",
            "http://host.docker.internal:5000",
            "https://localhost.localstack.cloud:4566",
            "https://xray.us-east-1.localhost.localstack.cloud",
            // Not encrypted: anybody on the way may have answered.
            "http://xray.us-east-1.amazonaws.com",
            // Customers' own, below AWS's domains.
            "https://ec2-3-4-5-6.compute-1.amazonaws.com",
            "https://xray.s3-us-west-2.amazonaws.com",
            "https://xray.s3.us-west-2.amazonaws.com",
            "https://abc.execute-api.us-east-1.amazonaws.com",
            "https://my-lb-1.us-east-1.elb.amazonaws.com",
            "https://abc.lambda-url.us-east-1.on.aws",
            "https://vpce-0a-b.vpce-svc-0c.us-east-1.vpce.amazonaws.com",
            "https://xray.us-east-1.vpce.amazonaws.com",
            // Names that contain a vendor's.
            "https://xray.us-east-1.amazonaws.com.evil.example",
            "https://xray.us-east-1.evilamazonaws.com",
            "https://evil.xray.us-east-1.amazonaws.com",
            "https://xray.us-east-1.amazonaws.com@127.0.0.1",
            "https://127.0.0.1/xray.us-east-1.amazonaws.com",
            "https://xray.us-east-1.amazonaws.com:",
            "https://api.rollbar.com.evil.example",
            "https://api.evil.eu1.honeycomb.io",
            "https://honeycomb.io",
            "https://api.honeycomb.io",
        ] {
            assert!(!is_own(Vendor::Aws, url), "{url}");
            assert!(of(Source::Xray, url).is_emulator() && of(Source::Cloudwatch, url).is_emulator(), "{url}");
        }
        assert!(of(Source::Rollbar, "https://api.rollbar.com.evil.example").is_emulator());
        assert!(of(Source::Honeycomb, "http://127.0.0.1:4318").is_emulator());
        assert!(!of(Source::Local, "").is_emulator());
        let claimed = Endpoint { emulator: true, ..of(Source::Xray, "https://xray.us-east-1.amazonaws.com") };
        assert!(claimed.is_emulator(), "by its account");
    }

    #[test]
    fn an_endpoint_as_text() {
        let mut endpoint = of(Source::Xray, "http://127.0.0.1:5000");
        endpoint.region = Some("us-east-1".to_owned());
        endpoint.account = Some("3f9a1c".to_owned());
        assert_eq!(endpoint.words(), "emulator of AWS X-Ray at http://127.0.0.1:5000 us-east-1, account 3f9a1c");
        endpoint.url = "https://xray.us-east-1.amazonaws.com".to_owned();
        assert_eq!(endpoint.words(), "AWS X-Ray us-east-1, account 3f9a1c");
        assert_eq!(of(Source::Local, "").words(), "local telemetry");
    }

    #[test]
    fn a_fingerprint_does_not_contain_the_account() {
        let one = fingerprint(Vendor::Aws, "987654321098");
        assert_eq!(one, fingerprint(Vendor::Aws, "987654321098"));
        assert_eq!(one.len(), 6);
        assert!(!"987654321098".contains(&one));
        assert_ne!(one, fingerprint(Vendor::Aws, "987654321099"));
        assert_ne!(one, fingerprint(Vendor::Rollbar, "987654321098"));
    }

    proptest! {
        #[test]
        fn no_other_domain_is_the_vendors(
            name in "[a-z0-9-]{1,12}(\\.[a-z0-9-]{1,12}){0,4}",
            end in "(example|com|cloud|local|evil\\.com|amazonaws\\.com\\.co)",
            port in proptest::option::of(1u16..),
        ) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let url = format!("https://{name}.{end}{port}");
            prop_assume!(!url.contains(".amazonaws.com:") && !url.ends_with(".amazonaws.com"));
            for vendor in Vendor::ALL {
                prop_assert!(!is_own(vendor, &url), "{url}");
            }
        }

        #[test]
        fn any_text_can_be_judged(url in ".{0,80}") {
            for vendor in Vendor::ALL {
                is_own(vendor, &url);
            }
        }
    }
}
