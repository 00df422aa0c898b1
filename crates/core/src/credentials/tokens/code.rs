//! Code hosting, packages, builds, machine learning, and Tracebook itself.

use super::Class::{Alnum, Base64, Hex, LowerDigit, UpperDigit, Url, UrlDot};
use super::{GITLEAKS, Token, exactly, from, token};

const GITHUB: &str =
    "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github";
const GITLAB: &str = "https://docs.gitlab.com/security/tokens/#token-prefixes";
const RFC7519: &str = "https://www.rfc-editor.org/rfc/rfc7519#section-3";
const OPENAI: &str = "https://platform.openai.com/docs/api-reference/authentication";
const HUGGINGFACE: &str = "https://huggingface.co/docs/hub/security-tokens";

pub(super) const TOKENS: &[Token] = &[
    token("Tracebook web key", "crates/app/src/web_key.rs", "tbk_", from(Url, 43), "tbk_prefix"),
    token("JSON Web Token", RFC7519, "eyJ", from(Url, 8), "eyJhbGciOiJub25lIn0 alone")
        .then(&[(".", from(Url, 8)), (".", from(Url, 0))]),
    token("GitHub personal token", GITHUB, "ghp_", from(Alnum, 30), "ghp_prefix"),
    token("GitHub OAuth token", GITHUB, "gho_", from(Alnum, 30), "gho_prefix"),
    token("GitHub user token", GITHUB, "ghu_", from(Alnum, 30), "ghu_prefix"),
    token("GitHub server token", GITHUB, "ghs_", from(Alnum, 30), "ghs_prefix"),
    token("GitHub refresh token", GITHUB, "ghr_", from(Alnum, 30), "ghr_prefix"),
    token("GitHub fine-grained token", GITHUB, "github_pat_", from(Url, 30), "github_pat_prefix"),
    token("GitLab personal token", GITLAB, "glpat-", from(UrlDot, 20), "glpat-prefix"),
    token("GitLab OAuth secret", GITLAB, "gloas-", from(Url, 40), "gloas-prefix"),
    token("GitLab deploy token", GITLAB, "gldt-", from(Url, 20), "gldt-prefix"),
    token("GitLab runner token", GITLAB, "glrt-", from(UrlDot, 20), "glrt-prefix"),
    token("GitLab runner token", GITLAB, "glrtr-", from(UrlDot, 20), "glrtr-prefix"),
    token("GitLab job token", GITLAB, "glcbt-", from(Url, 20), "glcbt-prefix"),
    token("GitLab trigger token", GITLAB, "glptt-", from(Hex, 20), "glptt-prefix"),
    token("GitLab feed token", GITLAB, "glft-", from(Url, 20), "glft-prefix"),
    token("GitLab mail token", GITLAB, "glimt-", from(Url, 20), "glimt-prefix"),
    token("GitLab agent token", GITLAB, "glagent-", from(Url, 20), "glagent-prefix"),
    token("GitLab SCIM token", GITLAB, "glsoat-", from(Url, 20), "glsoat-prefix"),
    token("GitLab feature flag token", GITLAB, "glffct-", from(Url, 20), "glffct-prefix"),
    token("GitLab workspace token", GITLAB, "glwt-", from(Url, 20), "glwt-prefix"),
    token("GitLab registration token", GITLAB, "GR1348941", from(Url, 20), "GR1348941"),
    token(
        "Bitbucket app password",
        "https://support.atlassian.com/bitbucket-cloud/docs/app-passwords/",
        "ATBB",
        from(Alnum, 28),
        "ATBB app",
    ),
    token(
        "Bitbucket token",
        "https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/",
        "ATCTT3",
        from(UrlDot, 60),
        "ATCTT3",
    ),
    token(
        "Atlassian token",
        "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/",
        "ATATT3",
        from(UrlDot, 60),
        "ATATT3",
    ),
    token("npm token", "https://docs.npmjs.com/about-access-tokens", "npm_", from(Alnum, 36), "npm_config_registry"),
    token("PyPI token", "https://pypi.org/help/#apitoken", "pypi-", from(Url, 40), "pypi-server"),
    token("RubyGems key", "https://guides.rubygems.org/api-key-scopes/", "rubygems_", from(Hex, 48), "rubygems_host"),
    token(
        "crates.io token",
        "https://doc.rust-lang.org/cargo/reference/publishing.html",
        "cio",
        exactly(Alnum, 32),
        "cio",
    ),
    token("Clojars token", GITLEAKS, "CLOJARS_", from(LowerDigit, 60), "CLOJARS_USERNAME"),
    token(
        "NuGet key",
        "https://learn.microsoft.com/nuget/nuget-org/scoped-api-keys",
        "oy2",
        exactly(LowerDigit, 43),
        "oy2",
    ),
    token(
        "Docker Hub token",
        "https://docs.docker.com/security/access-tokens/",
        "dckr_pat_",
        from(Url, 24),
        "dckr_pat_prefix",
    ),
    token(
        "Docker Hub organisation token",
        "https://docs.docker.com/enterprise/security/access-tokens/",
        "dckr_oat_",
        from(Url, 24),
        "dckr_oat_prefix",
    ),
    token("Artifactory key", GITLEAKS, "AKCp", from(Alnum, 60), "AKCp"),
    token("Artifactory reference token", GITLEAKS, "cmVmd", exactly(Alnum, 59), "cmVmd"),
    token("Octopus Deploy key", GITLEAKS, "API-", exactly(UpperDigit, 26), "API-GATEWAY"),
    token(
        "CircleCI token",
        "https://circleci.com/docs/managing-api-tokens/",
        "CCIPAT_",
        from(Url, 40),
        "CCIPAT_prefix",
    ),
    token(
        "Buildkite token",
        "https://buildkite.com/docs/apis/managing-api-tokens",
        "bkua_",
        from(Hex, 40),
        "bkua_prefix",
    ),
    token("Harness token", GITLEAKS, "pat.", exactly(Url, 22), "pat.example.org")
        .then(&[(".", exactly(Alnum, 24)), (".", from(Alnum, 20))]),
    token(
        "Airtable token",
        "https://airtable.com/developers/web/api/authentication",
        "pat",
        exactly(Alnum, 14),
        "pattern",
    )
    .then(&[(".", from(Hex, 64))]),
    token("Linear key", "https://linear.app/developers", "lin_api_", from(Alnum, 32), "lin_api_key"),
    token("Linear OAuth token", "https://linear.app/developers", "lin_oauth_", from(Alnum, 32), "lin_oauth_app"),
    token(
        "Postman key",
        "https://learning.postman.com/docs/developer/postman-api/authentication/",
        "PMAK-",
        from(Hex, 24),
        "PMAK-prefix",
    )
    .then(&[("-", from(Hex, 34))]),
    token("Figma token", "https://www.figma.com/developers/api#access-tokens", "figd_", from(Url, 36), "figd_file"),
    token(
        "Figma OAuth token",
        "https://www.figma.com/developers/api#access-tokens",
        "figu_",
        from(Url, 36),
        "figu_file",
    ),
    token("Notion token", "https://developers.notion.com/docs/authorization", "ntn_", from(Alnum, 40), "ntn_page"),
    token(
        "Notion token",
        "https://developers.notion.com/docs/authorization",
        "secret_",
        exactly(Alnum, 43),
        "secret_access_key",
    ),
    token("README.com key", GITLEAKS, "rdme_", from(LowerDigit, 60), "rdme_docs"),
    token("OpenAI key", OPENAI, "sk-proj-", from(Url, 20), "sk-proj-name"),
    token("OpenAI key", OPENAI, "sk-svcacct-", from(Url, 20), "sk-svcacct-name"),
    token("OpenAI key", OPENAI, "sk-admin-", from(Url, 20), "sk-admin-panel"),
    token("OpenAI key", OPENAI, "sk-", from(Alnum, 32), "sk-learn and sk-estimators"),
    token(
        "OpenRouter key",
        "https://openrouter.ai/docs/api-reference/authentication",
        "sk-or-v1-",
        from(Hex, 40),
        "sk-or-v1-prefix",
    ),
    token("Anthropic key", "https://docs.anthropic.com/en/api/overview", "sk-ant-", from(Url, 24), "sk-ant-prefix"),
    token("LangSmith key", "https://docs.langchain.com/langsmith", "lsv2_", from(Url, 32), "lsv2_prefix"),
    token("Groq key", "https://console.groq.com/docs/quickstart", "gsk_", from(Alnum, 40), "gsk_prefix"),
    token("xAI key", "https://docs.x.ai/docs/overview", "xai-", from(Alnum, 40), "xai-grok"),
    token("Perplexity key", GITLEAKS, "pplx-", from(Alnum, 40), "pplx-embed"),
    token(
        "Replicate token",
        "https://replicate.com/docs/topics/security/api-tokens",
        "r8_",
        from(Alnum, 32),
        "r8_unorm",
    ),
    token("Hugging Face token", HUGGINGFACE, "hf_", from(Alnum, 30), "hf_hub_download"),
    token("Hugging Face organisation token", HUGGINGFACE, "api_org_", from(Alnum, 30), "api_org_name"),
    token(
        "Weights & Biases key",
        "https://docs.wandb.ai/guides/track/environment-variables/",
        "wandb_v1_",
        from(Url, 40),
        "wandb_v1_prefix",
    ),
    token(
        "Kubernetes bootstrap token",
        "https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/",
        "--token ",
        exactly(LowerDigit, 6),
        "--token abcdef",
    )
    .then(&[(".", exactly(LowerDigit, 16))])
    .keep(),
    token(
        "RSA key in PKCS#8",
        "https://www.rfc-editor.org/rfc/rfc5208#section-5",
        "IBADANBgkqhkiG9w0BAQEFAASC",
        from(Base64, 40),
        "IBADANBgkqhkiG9w0BAQEFAASC",
    )
    .behind(from(Base64, 5)),
];
