//! The patterns and names of credentials, each with the source of its documentation.

/// A form of credential.
pub(super) struct Pattern {
    /// What it is.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers of this table"))]
    pub(super) name: &'static str,
    /// The group named `secret` is removed; without one, the whole match.
    pub(super) pattern: &'static str,
    /// Where the form is documented.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers of this table"))]
    pub(super) origin: &'static str,
}

/// In search order.
pub(super) const PATTERNS: &[Pattern] = &[
    // Whole, and before the key id in it is found on its own.
    Pattern {
        name: "AWS SigV4 header",
        pattern: r"AWS4-HMAC-SHA256\s+Credential=(?P<secret>[^\r\n\x22]+)",
        origin: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html",
    },
    Pattern {
        name: "AWS access key id",
        pattern: r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
        origin: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids",
    },
    // A word alone ("Basic authentication") is none.
    Pattern {
        name: "Authorization scheme",
        pattern: r"(?i)\b(?:bearer|basic)\s+(?P<secret>[A-Za-z\-._~+/]*[0-9=][A-Za-z0-9\-._~+/]{6,}=*)",
        origin: "https://www.rfc-editor.org/rfc/rfc6750#section-2.1",
    },
    Pattern {
        name: "Authorization or cookie header",
        pattern: r"(?i)\b(?:authorization|x-api-key|set-cookie|cookie):\s*(?P<secret>[^\r\n\x22]{4,})",
        origin: "https://www.rfc-editor.org/rfc/rfc9110#section-11.6.2",
    },
    Pattern {
        name: "JSON Web Token",
        pattern: r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        origin: "https://www.rfc-editor.org/rfc/rfc7519#section-3",
    },
    // Ingest, configuration and management keys.
    Pattern {
        name: "Honeycomb key",
        pattern: r"\bhc[a-z]{1,2}[im]k_[A-Za-z0-9]{20,}\b",
        origin: "https://docs.honeycomb.io/configure/environments/manage-api-keys/",
    },
    Pattern {
        name: "GitHub token",
        pattern: r"\bgh[pousr]_[A-Za-z0-9]{30,}\b",
        origin: "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
    },
    Pattern {
        name: "GitHub fine-grained token",
        pattern: r"\bgithub_pat_[A-Za-z0-9_]{30,}\b",
        origin: "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
    },
    Pattern {
        name: "Slack token",
        pattern: r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        origin: "https://api.slack.com/authentication/token-types",
    },
    Pattern {
        name: "Stripe key",
        pattern: r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b",
        origin: "https://docs.stripe.com/keys",
    },
    Pattern {
        name: "Google API key",
        pattern: r"\bAIza[A-Za-z0-9_-]{35}\b",
        origin: "https://cloud.google.com/docs/authentication/api-keys",
    },
    Pattern {
        name: "npm token",
        pattern: r"\bnpm_[A-Za-z0-9]{36}\b",
        origin: "https://docs.npmjs.com/about-access-tokens",
    },
    Pattern { name: "PyPI token", pattern: r"\bpypi-[A-Za-z0-9_-]{40,}", origin: "https://pypi.org/help/#apitoken" },
    Pattern {
        name: "Private key",
        pattern: r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
        origin: "https://www.rfc-editor.org/rfc/rfc7468#section-10",
    },
    Pattern {
        name: "Password in a URL",
        pattern: r"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@\x22']*:(?P<secret>[^\s/\x22']+)@",
        origin: "https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1",
    },
    Pattern {
        name: "Signed URL",
        pattern: r"(?i)[?&](?:X-Amz-(?:Signature|Security-Token|Credential)|access_token|id_token|token|api_key|secret|sig)=(?P<secret>[^&\s\x22'#]+)",
        origin: "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html",
    },
    // PASSWORD=…, "access_token": "…", aws_secret_access_key = …
    Pattern {
        name: "Assignment in text",
        pattern: r#"(?i)(?:password|passwd|secret_?(?:access_?)?key|client_?secret|access_?token|auth_?token|refresh_?token|session_?token|security_?token|api_?key|x-honeycomb-team|x-rollbar-access-token)["']?\s*[:=]\s*["']?(?P<secret>[^\s"',;&}\]\[]{4,})"#,
        origin: "the names that .env files, AWS profiles and SDK settings use",
    },
];

/// Common values of credential names, which are not searched elsewhere.
pub(super) const EVERYDAY_VALUES: &[&str] = &[
    "anonymous",
    "authenticated",
    "authorization",
    "cognito",
    "configured",
    "credential",
    "credentials",
    "database",
    "development",
    "disabled",
    "filtered",
    "internal",
    "invalid",
    "localhost",
    "not configured",
    "not provided",
    "not set",
    "optional",
    "password",
    "postgres",
    "postgresql",
    "production",
    "provided",
    "received",
    "redacted",
    "required",
    "staging",
    "testing",
    "unauthorized",
    "undefined",
    "unlimited",
    "username",
    "verified",
];

/// Words that make a name a property of a credential: `token_count`, `password_strength`, `apikey_id`.
pub(super) const FACT_WORDS: &[&str] = &[
    "count", "counts", "strength", "length", "size", "type", "id", "ids", "name", "enabled", "required", "expiry",
    "expires", "hint", "policy", "consent", "mode", "status", "age", "updated", "changed", "reset", "total", "used",
    "limit",
];

/// Names of credentials, without separators.
pub(super) const WHOLE_NAMES: &[&str] = &[
    "authorization",
    "cookie",
    "cookies",
    "setcookie",
    "pwd",
    "pass",
    "passwd",
    "passcode",
    "token",
    "secret",
    "secrets",
    "jwt",
    "credential",
    "credentials",
    "xhoneycombteam",
    "xapikey",
    "xcsrftoken",
    "connectsid",
];

/// The last of several words in the name of a credential.
pub(super) const LAST_WORDS: &[&str] = &[
    "token",
    "secret",
    "pass",
    "pwd",
    "passwd",
    "password",
    "passcode",
    "passphrase",
    "authorization",
    "cookie",
    "cookies",
];

/// Words anywhere in the name of a credential.
pub(super) const NAME_PARTS: &[&str] = &[
    "password",
    "passphrase",
    "accesstoken",
    "securitytoken",
    "sessiontoken",
    "refreshtoken",
    "authtoken",
    "secretkey",
    "secretaccesskey",
    "clientsecret",
    "apikey",
    "privatekey",
    "accesskey",
    "authheader",
    "authorization",
];
