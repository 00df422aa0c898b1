//! Messaging, mail, payment and other services.

use super::Class::{Alnum, AnyBase64, AnyHex, Digit, Hex, LowerDigit, Path, Query, Url, UrlDot};
use super::{GITLEAKS, Token, exactly, from, token};

const SLACK: &str = "https://docs.slack.dev/authentication/tokens";
const SLACK_HOOKS: &str = "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks";
const STRIPE: &str = "https://docs.stripe.com/keys";
const TWILIO: &str = "https://www.twilio.com/docs/glossary/what-is-a-sid";
const SHOPIFY: &str = "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens";
const SQUARE: &str = "https://developer.squareup.com/docs/build-basics/access-tokens";
const DISCORD: &str = "https://discord.com/developers/docs/resources/webhook";
const TELEGRAM: &str = "https://core.telegram.org/bots/api#authorizing-your-bot";

pub(super) const TOKENS: &[Token] = &[
    token("Slack bot token", SLACK, "xoxb-", from(Url, 10), "xoxb-prefix"),
    token("Slack user token", SLACK, "xoxp-", from(Url, 10), "xoxp-prefix"),
    token("Slack token", SLACK, "xoxa-", from(Url, 10), "xoxa-prefix"),
    token("Slack token", SLACK, "xoxr-", from(Url, 10), "xoxr-prefix"),
    token("Slack token", SLACK, "xoxs-", from(Url, 10), "xoxs-prefix"),
    token("Slack token", SLACK, "xoxo-", from(Url, 10), "xoxo-prefix"),
    token("Slack client token", SLACK, "xoxc-", from(Url, 10), "xoxc-prefix"),
    token("Slack cookie", SLACK, "xoxd-", from(AnyBase64, 10), "xoxd-prefix"),
    token("Slack refresh token", SLACK, "xoxe-", from(Url, 10), "xoxe-prefix"),
    token("Slack configuration token", SLACK, "xoxe.xox", from(UrlDot, 10), "xoxe.xox"),
    token("Slack app token", SLACK, "xapp-", from(Url, 10), "xapp-prefix"),
    token("Slack workflow token", SLACK, "xwfp-", from(Url, 10), "xwfp-prefix"),
    token("Slack webhook", SLACK_HOOKS, "hooks.slack.com/services/", from(Path, 16), "hooks.slack.com/services/T0")
        .keep(),
    token("Slack webhook", SLACK_HOOKS, "hooks.slack.com/workflows/", from(Path, 16), "hooks.slack.com/workflows/T0")
        .keep(),
    token("Slack webhook", SLACK_HOOKS, "hooks.slack.com/triggers/", from(Path, 16), "hooks.slack.com/triggers/T0")
        .keep(),
    token("Discord webhook", DISCORD, "discord.com/api/webhooks/", from(Digit, 8), "discord.com/api/webhooks/1")
        .then(&[("/", from(Url, 20))])
        .keep(),
    token("Discord webhook", DISCORD, "discordapp.com/api/webhooks/", from(Digit, 8), "discordapp.com/api/webhooks/1")
        .then(&[("/", from(Url, 20))])
        .keep(),
    token("Telegram bot token", TELEGRAM, ":A", from(Url, 33), ":Agent").behind(BOT_NUMBER),
    token("Telegram bot address", TELEGRAM, "api.telegram.org/bot", from(Digit, 5), "api.telegram.org/bot1")
        .then(&[(":", from(Url, 20))])
        .keep(),
    token(
        "Microsoft Teams webhook",
        GITLEAKS,
        ".webhook.office.com/webhookb2/",
        from(Path, 30),
        ".webhook.office.com/webhookb2/x",
    )
    .keep(),
    token(
        "Google Chat webhook",
        "https://developers.google.com/workspace/chat/quickstart/webhooks",
        "chat.googleapis.com/v1/spaces/",
        from(Path, 10),
        "chat.googleapis.com/v1/spaces/x",
    )
    .then(&[("?", from(Query, 20))])
    .keep(),
    token(
        "Zapier webhook",
        "https://help.zapier.com/hc/en-us/articles/8496288690317",
        "hooks.zapier.com/hooks/catch/",
        from(Path, 10),
        "hooks.zapier.com/hooks/catch/1",
    )
    .keep(),
    token("Stripe secret key", STRIPE, "sk_live_", from(Alnum, 10), "sk_live_key"),
    token("Stripe test key", STRIPE, "sk_test_", from(Alnum, 10), "sk_test_key"),
    token("Stripe restricted key", STRIPE, "rk_live_", from(Alnum, 10), "rk_live_key"),
    token("Stripe restricted test key", STRIPE, "rk_test_", from(Alnum, 10), "rk_test_key"),
    token("Stripe key", STRIPE, "sk_prod_", from(Alnum, 10), "sk_prod_key"),
    token("Stripe key", STRIPE, "rk_prod_", from(Alnum, 10), "rk_prod_key"),
    token(
        "Stripe webhook secret",
        "https://docs.stripe.com/webhooks/signature",
        "whsec_",
        from(AnyBase64, 24),
        "whsec_prefix",
    ),
    token("Twilio API key", TWILIO, "SK", exactly(AnyHex, 32), "SKU"),
    token("Twilio account", TWILIO, "AC", exactly(Hex, 32), "ACK"),
    token(
        "SendGrid key",
        "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
        "SG.",
        from(Url, 16),
        "SG.example.org",
    )
    .then(&[(".", from(Url, 16))]),
    token(
        "Mailgun key",
        "https://documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt",
        "key-",
        exactly(LowerDigit, 32),
        "key-value pairs",
    ),
    token(
        "Mailchimp key",
        "https://mailchimp.com/developer/marketing/guides/quick-start/",
        "-us",
        from(Digit, 1),
        "-us1 east",
    )
    .behind(exactly(Hex, 32)),
    token("Brevo key", GITLEAKS, "xkeysib-", from(Hex, 40), "xkeysib-prefix").then(&[("-", from(Alnum, 16))]),
    token(
        "Brevo SMTP key",
        "https://developers.brevo.com/docs/smtp-integration",
        "xsmtpsib-",
        from(Hex, 40),
        "xsmtpsib-prefix",
    ),
    token("Resend key", "https://resend.com/docs/api-reference/introduction", "re_", exactly(Alnum, 8), "re_compile")
        .then(&[("_", from(Alnum, 20))]),
    token("Shopify access token", SHOPIFY, "shpat_", from(AnyHex, 32), "shpat_prefix"),
    token("Shopify custom app token", SHOPIFY, "shpca_", from(AnyHex, 32), "shpca_prefix"),
    token("Shopify private app token", SHOPIFY, "shppa_", from(AnyHex, 32), "shppa_prefix"),
    token("Shopify shared secret", SHOPIFY, "shpss_", from(AnyHex, 32), "shpss_prefix"),
    token("Shopify user token", SHOPIFY, "shpua_", from(AnyHex, 32), "shpua_prefix"),
    token("Square access token", SQUARE, "sq0atp-", from(Url, 22), "sq0atp-prefix"),
    token("Square OAuth secret", SQUARE, "sq0csp-", from(Url, 22), "sq0csp-prefix"),
    token("Square access token", SQUARE, "EAAA", exactly(Url, 60), "EAAA"),
    token("Facebook token", GITLEAKS, "EAAC", from(Alnum, 100), "EAAC"),
    token("Facebook page token", GITLEAKS, "EAAM", from(Alnum, 100), "EAAM"),
    token(
        "PayPal Braintree token",
        "https://developer.paypal.com/braintree/docs",
        "access_token$production$",
        from(LowerDigit, 16),
        "access_token$production$",
    )
    .then(&[("$", from(Hex, 32))]),
    token("Flutterwave secret", GITLEAKS, "FLWSECK-", from(UrlDot, 32), "FLWSECK-prefix"),
    token("Flutterwave test secret", GITLEAKS, "FLWSECK_TEST-", from(Alnum, 12), "FLWSECK_TEST-x"),
    token("Duffel test token", GITLEAKS, "duffel_test_", from(UrlDot, 40), "duffel_test_x"),
    token("Duffel token", GITLEAKS, "duffel_live_", from(UrlDot, 40), "duffel_live_x"),
    token("EasyPost key", GITLEAKS, "EZAK", exactly(Alnum, 54), "EZAK"),
    token("EasyPost test key", GITLEAKS, "EZTK", exactly(Alnum, 54), "EZTK"),
    token("Shippo key", GITLEAKS, "shippo_live_", from(AnyHex, 40), "shippo_live_x"),
    token("Shippo test key", GITLEAKS, "shippo_test_", from(AnyHex, 40), "shippo_test_x"),
    token("Typeform token", GITLEAKS, "tfp_", from(UrlDot, 40), "tfp_form"),
    token("Frame.io token", GITLEAKS, "fio-u-", from(UrlDot, 40), "fio-u-x"),
    token("Adobe client secret", GITLEAKS, "p8e-", exactly(Alnum, 32), "p8e-x"),
    token("Mapbox secret token", "https://docs.mapbox.com/accounts/guides/tokens/", "sk.eyJ", from(Url, 40), "sk.eyJ")
        .then(&[(".", from(Url, 20))]),
    token("Mapbox token", "https://docs.mapbox.com/accounts/guides/tokens/", "pk.eyJ", from(Url, 40), "pk.eyJ")
        .then(&[(".", from(Url, 20))]),
    token("MaxMind key", GITLEAKS, "_mmk", exactly(Alnum, 0), "a_mmk").behind(exactly(Alnum, 29)),
    token("Plaid token", GITLEAKS, "access-sandbox-", from(Url, 36), "access-sandbox-mode"),
    token("Plaid token", GITLEAKS, "access-production-", from(Url, 36), "access-production-mode"),
    token(
        "LaunchDarkly SDK key",
        "https://launchdarkly.com/docs/home/account/api",
        "sdk-",
        exactly(Url, 36),
        "sdk-core-and-a-really-long-package-name-x",
    ),
    token(
        "LaunchDarkly token",
        "https://launchdarkly.com/docs/home/account/api",
        "api-",
        exactly(Url, 36),
        "api-gateway-and-a-really-long-service-name",
    ),
    token(
        "HubSpot token",
        "https://developers.hubspot.com/docs/guides/apps/private-apps/overview",
        "pat-na1-",
        from(Url, 36),
        "pat-na1-x",
    ),
    token(
        "HubSpot token",
        "https://developers.hubspot.com/docs/guides/apps/private-apps/overview",
        "pat-eu1-",
        from(Url, 36),
        "pat-eu1-x",
    ),
    token(
        "Contentful token",
        "https://www.contentful.com/developers/docs/references/authentication/",
        "CFPAT-",
        from(Url, 40),
        "CFPAT-prefix",
    ),
    token("Dropbox token", GITLEAKS, "sl.u.", from(Url, 60), "sl.u.x"),
    token("Yandex token", GITLEAKS, "t1.", from(UrlDot, 80), "t1.micro"),
    token("Yandex key", GITLEAKS, "AQVN", from(Url, 35), "AQVN"),
    token(
        "Atlassian webhook of Opsgenie",
        "https://docs.opsgenie.com/docs/api-key-management",
        "GenieKey ",
        from(Url, 36),
        "GenieKey missing",
    )
    .keep(),
];

const BOT_NUMBER: super::Run = super::Run { class: Digit, least: 5, most: 16 };
