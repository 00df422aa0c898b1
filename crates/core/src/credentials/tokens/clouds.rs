//! Clouds, hosting, databases and monitoring.

use super::Class::{Alnum, AnyBase64, AnyHex, Base32, Base64, Hex, Line, LowerDigit, UpperDigit, Url, UrlDot};
use super::{GITLEAKS, Token, exactly, from, token};

const AWS_IDS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids";
const AWS_STS: &str = "https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html";
const HONEYCOMB: &str = "https://docs.honeycomb.io/configure/environments/manage-api-keys/";
const DIGITALOCEAN: &str = "https://docs.digitalocean.com/reference/api/create-personal-access-token/";
const NEW_RELIC: &str = "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/";
const VAULT: &str = "https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes";
const GRAFANA: &str = "https://grafana.com/docs/grafana/latest/administration/service-accounts/";
const PLANETSCALE: &str = "https://planetscale.com/docs/concepts/service-tokens";
const SENTRY: &str = "https://develop.sentry.dev/backend/issue-platform/auth-tokens/";
const SUPABASE: &str = "https://supabase.com/docs/guides/api/api-keys";
const DOPPLER: &str = "https://docs.doppler.com/reference/auth-token-formats";

pub(super) const TOKENS: &[Token] = &[
    token(
        "AWS signature",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html",
        "AWS4-HMAC-SHA256 Credential=",
        from(Line, 16),
        "AWS4-HMAC-SHA256 Credential=missing",
    )
    .keep(),
    token("AWS access key id", AWS_IDS, "AKIA", exactly(UpperDigit, 16), "AKIAK is a village"),
    token("AWS temporary access key id", AWS_IDS, "ASIA", exactly(UpperDigit, 16), "ASIA-PACIFIC"),
    token("AWS bearer key id", AWS_IDS, "ABIA", exactly(Base32, 16), "ABIANCA"),
    token("AWS context key id", AWS_IDS, "ACCA", exactly(Base32, 16), "ACCA-certified"),
    token("AWS session token", AWS_STS, "IQoJb3JpZ2lu", from(Base64, 60), "IQoJb3JpZ2lu"),
    token("AWS session token", AWS_STS, "FwoGZXIvYXdz", from(Base64, 60), "FwoGZXIvYXdz"),
    token("AWS session token", AWS_STS, "FQoGZXIvYXdz", from(Base64, 60), "FQoGZXIvYXdz"),
    token(
        "AWS Bedrock key",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
        "ABSKQmVkcm9ja0FQSUtleS",
        from(AnyBase64, 40),
        "ABSKQmVkcm9ja0FQSUtleS",
    ),
    token(
        "AWS AppSync key",
        "https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html",
        "da2-",
        exactly(LowerDigit, 26),
        "da2-region",
    ),
    token("Azure client secret", GITLEAKS, "Q~", from(UrlDot, 31), "Q~ is a key").behind(exactly(Url, 4)),
    token(
        "Azure storage key",
        "https://learn.microsoft.com/azure/storage/common/storage-account-keys-manage",
        "AccountKey=",
        from(AnyBase64, 40),
        "AccountKey=none",
    )
    .keep(),
    token(
        "Azure shared access signature",
        "https://learn.microsoft.com/rest/api/storageservices/create-service-sas",
        "SharedAccessKey=",
        from(AnyBase64, 30),
        "SharedAccessKey=none",
    )
    .keep(),
    token(
        "Google API key",
        "https://cloud.google.com/docs/authentication/api-keys",
        "AIza",
        exactly(Url, 35),
        "AIzawa.jpg",
    ),
    token(
        "Google OAuth access token",
        "https://cloud.google.com/docs/authentication/token-types",
        "ya29.",
        from(UrlDot, 20),
        "ya29.json",
    ),
    token(
        "Google OAuth client secret",
        "https://support.google.com/cloud/answer/6158849",
        "GOCSPX-",
        from(Url, 24),
        "GOCSPX-prefix",
    ),
    token(
        "Google OAuth refresh token",
        "https://developers.google.com/identity/protocols/oauth2",
        "1//0",
        from(Url, 36),
        "1//0 is odd",
    ),
    token("Alibaba access key id", GITLEAKS, "LTAI", exactly(Alnum, 20), "LTAI5 region"),
    token("DigitalOcean personal token", DIGITALOCEAN, "dop_v1_", from(Hex, 64), "dop_v1_token"),
    token("DigitalOcean OAuth token", DIGITALOCEAN, "doo_v1_", from(Hex, 64), "doo_v1_token"),
    token("DigitalOcean refresh token", DIGITALOCEAN, "dor_v1_", from(Hex, 64), "dor_v1_token"),
    token(
        "Heroku token",
        "https://devcenter.heroku.com/articles/authentication",
        "HRKU-",
        from(Url, 30),
        "HRKU-prefix",
    ),
    token("Cloudflare origin CA key", GITLEAKS, "v1.0-", from(Hex, 24), "v1.0-beta").then(&[("-", from(Hex, 100))]),
    token("Fly.io token", "https://fly.io/docs/security/tokens/", "fo1_", from(Url, 43), "fo1_org"),
    token("Fly.io token", "https://fly.io/docs/security/tokens/", "fm1a_", from(Base64, 60), "fm1a_x"),
    token("Fly.io token", "https://fly.io/docs/security/tokens/", "fm1r_", from(Base64, 60), "fm1r_x"),
    token("Fly.io token", "https://fly.io/docs/security/tokens/", "fm2_", from(Base64, 60), "fm2_x"),
    token("Netlify token", "https://docs.netlify.com/api/get-started/", "nfp_", from(Alnum, 36), "nfp_site"),
    token("Vercel token", "https://vercel.com/docs/rest-api", "vcp_", from(Alnum, 24), "vcp_project"),
    token(
        "Vercel blob token",
        "https://vercel.com/docs/vercel-blob",
        "vercel_blob_rw_",
        from(Alnum, 16),
        "vercel_blob_rw_x",
    ),
    token("Render key", "https://render.com/docs/api", "rnd_", from(Alnum, 28), "rnd_seed"),
    token("Scalingo token", GITLEAKS, "tk-us-", from(Url, 48), "tk-us-east"),
    token("PlanetScale token", PLANETSCALE, "pscale_tkn_", from(UrlDot, 32), "pscale_tkn_name"),
    token("PlanetScale OAuth token", PLANETSCALE, "pscale_oauth_", from(UrlDot, 32), "pscale_oauth_app"),
    token("PlanetScale password", PLANETSCALE, "pscale_pw_", from(UrlDot, 32), "pscale_pw_name"),
    token("Supabase token", SUPABASE, "sbp_", from(Hex, 40), "sbp_project"),
    token("Supabase secret key", SUPABASE, "sb_secret_", from(Url, 20), "sb_secret_key"),
    token("Neon key", "https://neon.com/docs/manage/api-keys", "napi_", from(LowerDigit, 40), "napi_version"),
    token(
        "Databricks token",
        "https://docs.databricks.com/dev-tools/auth/pat.html",
        "dapi",
        exactly(Hex, 32),
        "dapi is a kind of api",
    ),
    token("ClickHouse Cloud secret", GITLEAKS, "4b1d", exactly(Alnum, 38), "4b1d"),
    token(
        "Aiven token",
        "https://aiven.io/docs/platform/concepts/authentication-tokens",
        "aivenv1",
        from(AnyBase64, 100),
        "aivenv1",
    ),
    token("Vault service token", VAULT, "hvs.", from(Url, 24), "hvs.example.org"),
    token("Vault batch token", VAULT, "hvb.", from(Url, 24), "hvb.example.org"),
    token("Vault recovery token", VAULT, "hvr.", from(Url, 24), "hvr.example.org"),
    token("Vault service token before 1.10", VAULT, "s.", exactly(Alnum, 24), "s.isAVeryLongMethodNameInGo"),
    token(
        "Terraform token",
        "https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens",
        ".atlasv1.",
        from(UrlDot, 60),
        ".atlasv1.",
    )
    .behind(exactly(Alnum, 14)),
    token(
        "Pulumi token",
        "https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/",
        "pul-",
        exactly(Hex, 40),
        "pul-up",
    ),
    token("Doppler personal token", DOPPLER, "dp.pt.", from(Alnum, 40), "dp.pt.x"),
    token("Doppler service token", DOPPLER, "dp.st.", from(UrlDot, 40), "dp.st.dev"),
    token("Doppler CLI token", DOPPLER, "dp.ct.", from(Alnum, 40), "dp.ct.x"),
    token("Doppler service account token", DOPPLER, "dp.sa.", from(Alnum, 40), "dp.sa.x"),
    token("Doppler SCIM token", DOPPLER, "dp.scim.", from(Alnum, 40), "dp.scim.x"),
    token("Doppler audit token", DOPPLER, "dp.audit.", from(Alnum, 40), "dp.audit.x"),
    token("1Password service account token", GITLEAKS, "ops_eyJ", from(AnyBase64, 60), "ops_eyJ"),
    token("1Password secret key", GITLEAKS, "A3-", exactly(UpperDigit, 6), "A3-SIZE").then(&[
        ("-", from(UpperDigit, 6)),
        ("-", exactly(UpperDigit, 5)),
        ("-", exactly(UpperDigit, 5)),
        ("-", exactly(UpperDigit, 5)),
    ]),
    token(
        "age secret key",
        "https://github.com/C2SP/C2SP/blob/main/age.md",
        "AGE-SECRET-KEY-1",
        from(UpperDigit, 58),
        "AGE-SECRET-KEY-1 is the prefix",
    ),
    token(
        "age post-quantum secret key",
        "https://github.com/C2SP/C2SP/blob/main/age.md",
        "AGE-SECRET-KEY-PQ-1",
        from(UpperDigit, 58),
        "AGE-SECRET-KEY-PQ-1",
    ),
    token(
        "age plugin identity",
        "https://github.com/C2SP/C2SP/blob/main/age-plugin.md",
        "AGE-PLUGIN-",
        from(UpperDigit, 2),
        "AGE-PLUGIN-YUBIKEY",
    )
    .then(&[("-1", from(UpperDigit, 20))]),
    token("OpenShift token", GITLEAKS, "sha256~", exactly(Url, 43), "sha256~"),
    token("Honeycomb key", HONEYCOMB, "hcaik_", from(Alnum, 20), "hcaik_prefix"),
    token("Honeycomb key", HONEYCOMB, "hcbik_", from(Alnum, 20), "hcbik_prefix"),
    token("Honeycomb key", HONEYCOMB, "hccik_", from(Alnum, 20), "hccik_prefix"),
    token("Honeycomb key", HONEYCOMB, "hcxik_", from(Alnum, 20), "hcxik_prefix"),
    token("Honeycomb key", HONEYCOMB, "hclik_", from(Alnum, 20), "hclik_prefix"),
    token("Honeycomb key", HONEYCOMB, "hcik_", from(Alnum, 20), "hcik_prefix"),
    token("Honeycomb management key", HONEYCOMB, "hcamk_", from(Alnum, 20), "hcamk_prefix"),
    token("Honeycomb management key", HONEYCOMB, "hcxmk_", from(Alnum, 20), "hcxmk_prefix"),
    token("New Relic user key", NEW_RELIC, "NRAK-", from(UpperDigit, 27), "NRAK-user"),
    token("New Relic insert key", NEW_RELIC, "NRII-", from(Url, 32), "NRII-insert"),
    token("New Relic query key", NEW_RELIC, "NRIQ-", from(Url, 32), "NRIQ-query"),
    token("New Relic browser key", NEW_RELIC, "NRJS-", from(Hex, 19), "NRJS-key"),
    token("New Relic admin key", NEW_RELIC, "NRAA-", from(AnyHex, 27), "NRAA-key"),
    token("New Relic license key", NEW_RELIC, "NRAL", exactly(Alnum, 0), "NRAL key").behind(exactly(Hex, 36)),
    token("Grafana Cloud token", GRAFANA, "glc_", from(AnyBase64, 32), "glc_region"),
    token("Grafana service account token", GRAFANA, "glsa_", exactly(Alnum, 32), "glsa_token")
        .then(&[("_", exactly(AnyHex, 8))]),
    token("Grafana API key", GRAFANA, "eyJrIjoi", from(AnyBase64, 40), "eyJrIjoi"),
    token(
        "Dynatrace token",
        "https://docs.dynatrace.com/docs/dynatrace-api/basics/dynatrace-api-authentication",
        "dt0c01.",
        exactly(Alnum, 24),
        "dt0c01.public",
    )
    .then(&[(".", from(Alnum, 64))]),
    token(
        "Dynatrace platform token",
        "https://docs.dynatrace.com/docs/manage/identity-access-management",
        "dt0s16.",
        exactly(Alnum, 8),
        "dt0s16.x",
    )
    .then(&[(".", from(Alnum, 64))]),
    token("Sentry organisation token", SENTRY, "sntrys_", from(AnyBase64, 40), "sntrys_prefix"),
    token("Sentry user token", SENTRY, "sntryu_", from(Hex, 40), "sntryu_prefix"),
    token("Sentry integration token", SENTRY, "sntryi_", from(Hex, 40), "sntryi_prefix"),
    token("Sourcegraph token", GITLEAKS, "sgp_", from(Url, 40), "sgp_local"),
    token("Prefect key", GITLEAKS, "pnu_", from(Alnum, 36), "pnu_work"),
    token("PostHog key", "https://posthog.com/docs/api", "phx_", from(Alnum, 40), "phx_personal"),
    token("Infracost key", GITLEAKS, "ico-", exactly(Alnum, 32), "ico-48"),
];
