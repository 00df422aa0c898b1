//! What an SDK's failure means, in the classes of [`Fault`], and what to do about it.
//!
//! Codes are those of the two services' API references and of AWS's common errors
//! (<https://docs.aws.amazon.com/xray/latest/api/CommonErrors.html>). An emulator answers what it does not know with a page of
//! HTML, so the raw status counts too. AWS's own sentence is quoted only where the question was wrong: the sentences about
//! signatures repeat the signature, and those about permissions the account.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::credentials;
use super::profiles::Kind;
use crate::cloud::{Fault, SourceError};

/// The longest sentence of AWS's that is quoted.
const LONGEST: usize = 400;

/// Sorts a failure whose credentials are not known: the hint says `PROFILE`.
pub fn classify<E>(error: &SdkError<E, HttpResponse>) -> SourceError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    Whose::default().classify(error)
}

/// Who asks whom: what a message and the command in its hint name. Holds no key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    /// The profile; `None` where the environment or the default profile decides and nobody looked which.
    pub profile: Option<String>,
    /// How the credentials are come by; `None` where nobody looked.
    pub kind: Option<Kind>,
    /// The profile whose SSO session it is, where that is another one: the source of a role.
    pub signs_in: Option<String>,
    /// Whether the profile asks for a code of an MFA device, which nobody can type here.
    pub mfa: bool,
    /// Whether the credentials would come from the cloud machine that this is not (EC2, ECS).
    pub machine: bool,
    /// The endpoint that was set instead of AWS's.
    pub endpoint: Option<String>,
}

impl Whose {
    /// Sorts a failure.
    pub fn classify<E>(&self, error: &SdkError<E, HttpResponse>) -> SourceError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        if let Some(inner) = credentials::inside(error) {
            return self.no_credentials(inner);
        }
        match error {
            SdkError::ServiceError(answer) if !answer.raw().status().is_success() => {
                let (meta, raw) = (answer.err().meta(), answer.raw());
                let page = raw.body().bytes().is_some_and(is_page);
                self.answered(raw.status().as_u16(), meta.code(), meta.message().unwrap_or_default(), page)
            }
            // The SDK calls an answer that it cannot read an error of the service's, too.
            SdkError::ServiceError(answer) => self.unread(answer.raw(), &root(error)),
            SdkError::ResponseError(answer) => self.unread(answer.raw(), &root(error)),
            SdkError::TimeoutError(_) => self.late(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => self.late(),
            SdkError::DispatchFailure(failure) if failure.is_user() => {
                SourceError::new(Fault::Invalid, format!("the request cannot be made: {}", root(error)), "")
            }
            SdkError::DispatchFailure(_) => match root(error) {
                // The words of hyper and of the system for a connection that was there and went.
                cause
                    if ["before message completed", "reset by peer", "broken pipe"]
                        .iter()
                        .any(|w| cause.contains(w)) =>
                {
                    self.cut(&cause)
                }
                cause => self.unreachable(&cause),
            },
            // Among them a region that is not set, and an endpoint that is no URL.
            error => SourceError::new(Fault::Invalid, format!("the request cannot be made: {}", root(error)), ""),
        }
    }

    /// Sorts an answer that the SDK could not read.
    fn unread(&self, raw: &HttpResponse, cause: &str) -> SourceError {
        let status = raw.status();
        match raw.body().bytes() {
            None => self.cut(cause),
            Some(bytes) if !status.is_success() => self.answered(status.as_u16(), None, "", is_page(bytes)),
            Some(bytes) if is_page(bytes) => SourceError::new(
                Fault::Unreachable,
                format!("{} answered with a web page instead of data", self.host()),
                "Something between answers for it: a proxy, or a network that wants you to sign in first",
            ),
            Some(_) => SourceError::new(
                Fault::Broken,
                format!("{} answered what its documentation does not say: {cause}", self.host()),
                "",
            ),
        }
    }

    /// Sorts an answer by its code, and by its status where it has none.
    pub(crate) fn answered(&self, status: u16, code: Option<&str>, message: &str, page: bool) -> SourceError {
        let code = code.unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        let name = code.strip_suffix("Exception").unwrap_or(code);
        match name {
            "Throttling"
            | "Throttled"
            | "RequestThrottled"
            | "TooManyRequests"
            | "RequestLimitExceeded"
            | "LimitExceeded"
            | "BandwidthLimitExceeded"
            | "SlowDown"
            | "ProvisionedThroughputExceeded" => self.throttled(),
            "ExpiredToken" | "TokenRefreshRequired" => self.expired(),
            "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => self.skewed(),
            "InvalidSignature" | "SignatureDoesNotMatch"
                if message.contains("Signature expired") || message.contains("not yet current") =>
            {
                self.skewed()
            }
            "InvalidSignature" | "SignatureDoesNotMatch" | "IncompleteSignature" => self.rejected("secret access key"),
            "UnrecognizedClient" | "InvalidClientTokenId" | "InvalidAccessKeyId" | "InvalidToken" | "AuthFailure" => {
                self.rejected("access key")
            }
            "MissingAuthenticationToken" => self.rejected("request without a signature"),
            "OptInRequired" | "SubscriptionRequired" => SourceError::new(
                Fault::Forbidden,
                "this account has not enabled the service or the region",
                "Choose another region, or enable this one in the AWS account settings",
            ),
            _ if name.starts_with("AccessDenied")
                || matches!(name, "UnauthorizedOperation" | "NotAuthorized" | "Forbidden") =>
            {
                self.forbidden(message)
            }
            "UnknownOperation" | "UnsupportedOperation" | "InvalidAction" | "NotImplemented" => self.unsupported(),
            _ if message.to_ascii_lowercase().starts_with("not implemented") => self.unsupported(),
            _ if name.contains("OperationAborted") || name.contains("RequestTimeout") => SourceError::new(
                Fault::Unreachable,
                sentence(message, "AWS was busy with the same thing"),
                "It can be asked again",
            ),
            _ if name.contains("NotFound") || name == "NoSuchEntity" => SourceError::new(
                Fault::NotFound,
                sentence(message, "what was asked for is not there"),
                "Check the name and the region",
            ),
            "" => self.by_status(status, page),
            _ if (500..600).contains(&status) => self.failing(status),
            _ if status == 429 => self.throttled(),
            _ => SourceError::new(Fault::Invalid, sentence(message, &format!("AWS refuses the question ({name})")), ""),
        }
    }

    fn by_status(&self, status: u16, page: bool) -> SourceError {
        match status {
            429 => self.throttled(),
            404 | 405 | 501 => self.unsupported(),
            502..=504 => self.failing(status),
            500..=599 if page => self.unsupported(),
            500..=599 => self.failing(status),
            401 => self.rejected("access key"),
            403 => SourceError::new(
                Fault::Forbidden,
                format!("{} refuses the request without saying why (403)", self.host()),
                "A proxy may have answered; else compare the permissions with AWSXrayReadOnlyAccess and CloudWatchLogsReadOnlyAccess",
            ),
            _ if page => self.unsupported(),
            status => SourceError::new(
                Fault::Unsupported,
                format!("{} refuses the question ({status}) without saying why", self.host()),
                "A proxy may have answered",
            ),
        }
    }

    fn throttled(&self) -> SourceError {
        SourceError::new(
            Fault::Throttled,
            format!("{} says that it is asked too often", self.host()),
            "Wait a minute, or ask for less: a shorter range, fewer traces",
        )
    }

    /// The time of the credentials is over.
    pub(crate) fn expired(&self) -> SourceError {
        let who = self.who();
        SourceError::new(Fault::Expired, format!("the credentials of {who} have expired"), self.renew())
    }

    fn skewed(&self) -> SourceError {
        SourceError::new(
            Fault::Expired,
            "AWS does not take the request's time: this computer's clock is off by more than five minutes",
            "Set the clock (let the system set it by network time), then ask again",
        )
    }

    fn rejected(&self, what: &str) -> SourceError {
        let hint = match self.kind {
            Some(Kind::Environment) => {
                "Compare AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN with the key in IAM, and start again"
                    .to_owned()
            }
            Some(Kind::Sso | Kind::Process | Kind::AssumesRole | Kind::WebIdentity | Kind::Login) => self.renew(),
            Some(Kind::StaticKeys | Kind::Nothing) | None => {
                format!("Make a key in IAM and enter it: aws configure{}", self.option())
            }
        };
        SourceError::new(Fault::Rejected, format!("AWS does not take the {what} of {}", self.who()), hint)
    }

    fn forbidden(&self, message: &str) -> SourceError {
        let hint = "Ask whoever manages the account for it; AWSXrayReadOnlyAccess and CloudWatchLogsReadOnlyAccess allow all reads";
        if self.mfa {
            return SourceError::new(
                Fault::Forbidden,
                format!(
                    "the role of {} may not be assumed: it asks for an MFA code, which cannot be typed here",
                    self.who()
                ),
                format!(
                    "Give Tracebook keys that are signed in: aws configure export-credentials{} --format env",
                    self.option()
                ),
            );
        }
        let message = match action(message) {
            Some(action) => format!("the permissions of {} do not allow {action}", self.who()),
            None => format!("the permissions of {} do not allow this", self.who()),
        };
        SourceError::new(Fault::Forbidden, message, hint)
    }

    fn unsupported(&self) -> SourceError {
        let (message, hint) = match &self.endpoint {
            Some(endpoint) => (
                format!("{endpoint} does not know this operation"),
                "An emulator has a part of the API; AWS itself has all of it: leave the endpoint empty",
            ),
            None => ("AWS does not know this operation in this region".to_owned(), "Choose another region"),
        };
        SourceError::new(Fault::Unsupported, message, hint)
    }

    fn failing(&self, status: u16) -> SourceError {
        SourceError::new(
            Fault::Broken,
            format!("{} failed ({status})", self.host()),
            "It is not your question; ask again in a minute",
        )
    }

    fn late(&self) -> SourceError {
        SourceError::new(Fault::Unreachable, format!("{} did not answer in time", self.host()), self.reach())
    }

    fn cut(&self, cause: &str) -> SourceError {
        let message = format!("the connection to {} was cut: {cause}", self.host());
        SourceError::new(Fault::Unreachable, message, self.reach())
    }

    fn unreachable(&self, cause: &str) -> SourceError {
        SourceError::new(Fault::Unreachable, format!("{} cannot be reached: {cause}", self.host()), self.reach())
    }

    fn reach(&self) -> &'static str {
        match self.endpoint {
            Some(_) => "Check that something listens at the endpoint; everything frozen reads as before",
            None => "Check the network and the region; everything frozen reads as before",
        }
    }

    /// AWS, or the endpoint that stands for it.
    fn host(&self) -> &str {
        self.endpoint.as_deref().unwrap_or("AWS")
    }

    /// Whose credentials, for a sentence.
    pub(crate) fn who(&self) -> String {
        match (&self.profile, self.kind) {
            (_, Some(Kind::Environment)) => "the environment".to_owned(),
            (Some(profile), _) => format!("profile {profile}"),
            (None, _) => "the default profile".to_owned(),
        }
    }

    /// The profile as an option of `aws`, with a blank before it.
    pub(crate) fn option(&self) -> String {
        match (&self.profile, self.kind) {
            (Some(profile), _) if profile == "default" => String::new(),
            (Some(profile), _) => format!(" --profile {}", quoted(profile)),
            (None, Some(_)) => String::new(),
            (None, None) => " --profile PROFILE".to_owned(),
        }
    }

    /// How to come by credentials again.
    pub(crate) fn renew(&self) -> String {
        let option = self.option();
        match self.kind {
            Some(Kind::Sso) => format!("Sign in again: aws sso login{option}"),
            Some(Kind::Login) => format!("Sign in again: aws login{option}"),
            Some(Kind::AssumesRole) if self.signs_in.is_some() => {
                let source = self.signs_in.as_deref().map(quoted).unwrap_or_default();
                format!("Sign in again: aws sso login --profile {source}")
            }
            Some(Kind::AssumesRole | Kind::WebIdentity) => {
                format!("Sign in to what the role is assumed from, and try: aws sts get-caller-identity{option}")
            }
            Some(Kind::Process) => {
                format!("Sign in to what credential_process calls, and try: aws sts get-caller-identity{option}")
            }
            Some(Kind::Environment) => {
                "Set new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and start again".to_owned()
            }
            Some(Kind::StaticKeys | Kind::Nothing) => format!("Enter new keys: aws configure{option}"),
            None => format!("Sign in again: aws sso login{option}; or enter new keys: aws configure{option}"),
        }
    }
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '/' | '+' | ':');
    match !name.is_empty() && name.chars().all(plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

/// The action that a sentence about permissions names: `… is not authorized to perform: xray:GetTraceSummaries on …`.
fn action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("perform: ").or_else(|| message.split_once("perform "))?;
    let action = rest.split_whitespace().next()?.trim_end_matches(['.', ',', ';']);
    let letters = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let (service, operation) = action.split_once(':')?;
    (letters(service) && letters(operation)).then_some(action)
}

/// AWS's own sentence, short, on one line, without credentials and without the account.
pub(crate) fn sentence(said: &str, instead: &str) -> String {
    let said = tracebook_core::credentials::remove_from_text(said, &mut Default::default());
    let words: Vec<&str> = said.split_whitespace().collect();
    let mut line: String = masked(&words.join(" "));
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.is_empty() {
        true => instead.to_owned(),
        false => line,
    }
}

/// Account ids without their first eight digits; digits within an id stay.
pub(crate) fn masked(text: &str) -> String {
    const ACCOUNT: usize = 12;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        match word.len() == ACCOUNT && word.bytes().all(|b| b.is_ascii_digit()) {
            true => {
                out.push_str("••••••••");
                out.push_str(&word[8..]);
            }
            false => out.push_str(word),
        }
        rest = after;
    }
    out + rest
}

/// Whether a body is a web page.
fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// The innermost cause, which is the one that says something: `Connection refused`.
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    sentence(&cause.to_string(), "it does not say why")
}
