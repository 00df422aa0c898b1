//! What an SDK's error means, as a [`Fault`], and what the user can do.
//!
//! Codes are those of the two services' API references and of AWS's common errors
//! (<https://docs.aws.amazon.com/xray/latest/api/CommonErrors.html>). An emulator answers unknown operations with an
//! HTML page, so the raw status counts too. AWS's own message is only quoted if the request was wrong: messages about
//! signatures repeat the signature, those about permissions the account.

mod credentials;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::profiles::CredentialKind;
use super::text::sentence;
use crate::cloud::{Fault, SourceError};

/// Classifies an error if the credentials are unknown: the hint says `PROFILE`.
pub fn classify<E>(error: &SdkError<E, HttpResponse>) -> SourceError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    ErrorContext::default().classify(error)
}

/// What messages and the commands in hints name. Contains no key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorContext {
    /// `None` if the environment or the default profile is used, or unknown.
    pub profile: Option<String>,
    /// The source of the credentials; `None` if unknown.
    pub kind: Option<CredentialKind>,
    /// The profile whose SSO session is used, if it is another one: the source of a role.
    pub signs_in: Option<String>,
    /// Whether the profile requires an MFA code, which cannot be entered here.
    pub mfa: bool,
    /// Whether the credentials would come from the metadata of a cloud machine (EC2, ECS).
    pub machine: bool,
    /// The endpoint used instead of AWS's.
    pub endpoint: Option<String>,
}

impl ErrorContext {
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
            // The SDK also reports answers that it cannot read as errors of the service.
            SdkError::ServiceError(answer) => self.unread(answer.raw(), &root(error)),
            SdkError::ResponseError(answer) => self.unread(answer.raw(), &root(error)),
            SdkError::TimeoutError(_) => self.late(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => self.late(),
            SdkError::DispatchFailure(failure) if failure.is_user() => {
                SourceError::new(Fault::Invalid, format!("the request cannot be made: {}", root(error)), "")
            }
            SdkError::DispatchFailure(_) => match root(error) {
                // How hyper and the system report an interrupted connection.
                cause
                    if ["before message completed", "reset by peer", "broken pipe"]
                        .iter()
                        .any(|w| cause.contains(w)) =>
                {
                    self.cut(&cause)
                }
                cause => self.unreachable(&cause),
            },
            // For example a missing region, or an invalid endpoint.
            error => SourceError::new(Fault::Invalid, format!("the request cannot be made: {}", root(error)), ""),
        }
    }

    /// Classifies an answer that the SDK could not read.
    fn unread(&self, raw: &HttpResponse, cause: &str) -> SourceError {
        let status = raw.status();
        match raw.body().bytes() {
            None => self.cut(cause),
            Some(bytes) if !status.is_success() => self.answered(status.as_u16(), None, "", is_page(bytes)),
            Some(bytes) if is_page(bytes) => SourceError::new(
                Fault::Unreachable,
                format!("{} answered with a web page instead of data", self.host()),
                "Something in between answers: a proxy, or a network that requires a sign-in",
            ),
            Some(_) => {
                SourceError::new(Fault::Broken, format!("{} sent an undocumented answer: {cause}", self.host()), "")
            }
        }
    }

    /// Classifies an answer by its code, or by its status if it has none.
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
                sentence(message, "AWS was busy with a conflicting operation"),
                "Try again",
            ),
            _ if name.contains("NotFound") || name == "NoSuchEntity" => SourceError::new(
                Fault::NotFound,
                sentence(message, "what was requested does not exist"),
                "Check the name and the region",
            ),
            "" => self.by_status(status, page),
            _ if (500..600).contains(&status) => self.failing(status),
            _ if status == 429 => self.throttled(),
            _ => SourceError::new(Fault::Invalid, sentence(message, &format!("AWS refused the request ({name})")), ""),
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
                format!("{} refused the request without a reason (403)", self.host()),
                "A proxy may have answered; else compare the permissions with AWSXrayReadOnlyAccess and CloudWatchLogsReadOnlyAccess",
            ),
            _ if page => self.unsupported(),
            status => SourceError::new(
                Fault::Unsupported,
                format!("{} refused the request ({status}) without a reason", self.host()),
                "A proxy may have answered",
            ),
        }
    }

    fn throttled(&self) -> SourceError {
        SourceError::new(
            Fault::Throttled,
            format!("{} is throttling requests", self.host()),
            "Wait a minute, or request less: a shorter range, fewer traces",
        )
    }

    /// The credentials have expired.
    pub(crate) fn expired(&self) -> SourceError {
        let who = self.who();
        SourceError::new(Fault::Expired, format!("the credentials of {who} have expired"), self.renew())
    }

    fn skewed(&self) -> SourceError {
        SourceError::new(
            Fault::Expired,
            "AWS rejected the request's time: this computer's clock is off by more than five minutes",
            "Set the clock (enable network time), then try again",
        )
    }

    fn rejected(&self, what: &str) -> SourceError {
        let hint = match self.kind {
            Some(CredentialKind::Environment) => {
                "Compare AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN with the key in IAM, and restart Tracebook"
                    .to_owned()
            }
            Some(CredentialKind::Sso | CredentialKind::Process | CredentialKind::AssumesRole | CredentialKind::WebIdentity | CredentialKind::Login) => self.renew(),
            Some(CredentialKind::StaticKeys | CredentialKind::Nothing) | None => {
                format!("Create a key in IAM and enter it: aws configure{}", self.option())
            }
        };
        SourceError::new(Fault::Rejected, format!("AWS rejected the {what} of {}", self.who()), hint)
    }

    fn forbidden(&self, message: &str) -> SourceError {
        let hint = "Ask the administrator of the account; AWSXrayReadOnlyAccess and CloudWatchLogsReadOnlyAccess allow all reads";
        if self.mfa {
            return SourceError::new(
                Fault::Forbidden,
                format!(
                    "the role of {} cannot be assumed: it requires an MFA code, which cannot be entered here",
                    self.who()
                ),
                format!(
                    "Export temporary keys for Tracebook: aws configure export-credentials{} --format env",
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
                format!("{endpoint} does not support this operation"),
                "Emulators support a part of the API; to use AWS itself, leave the endpoint empty",
            ),
            None => ("AWS does not support this operation in this region".to_owned(), "Choose another region"),
        };
        SourceError::new(Fault::Unsupported, message, hint)
    }

    fn failing(&self, status: u16) -> SourceError {
        SourceError::new(
            Fault::Broken,
            format!("{} failed ({status})", self.host()),
            "The request is not the cause; try again in a minute",
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
            Some(_) => "Check that something listens at the endpoint; captured evidence remains readable",
            None => "Check the network and the region; captured evidence remains readable",
        }
    }

    /// AWS, or the endpoint used instead.
    fn host(&self) -> &str {
        self.endpoint.as_deref().unwrap_or("AWS")
    }

    /// The owner of the credentials, for a sentence.
    pub(crate) fn who(&self) -> String {
        match (&self.profile, self.kind) {
            (_, Some(CredentialKind::Environment)) => "the environment".to_owned(),
            (Some(profile), _) => format!("profile {profile}"),
            (None, _) => "the default profile".to_owned(),
        }
    }

    /// The profile as an option of `aws`, with a leading blank.
    pub(crate) fn option(&self) -> String {
        match (&self.profile, self.kind) {
            (Some(profile), _) if profile == "default" => String::new(),
            (Some(profile), _) => format!(" --profile {}", quoted(profile)),
            (None, Some(_)) => String::new(),
            (None, None) => " --profile PROFILE".to_owned(),
        }
    }

    /// How to get new credentials.
    pub(crate) fn renew(&self) -> String {
        let option = self.option();
        match self.kind {
            Some(CredentialKind::Sso) => format!("Sign in again: aws sso login{option}"),
            Some(CredentialKind::Login) => format!("Sign in again: aws login{option}"),
            Some(CredentialKind::AssumesRole) if self.signs_in.is_some() => {
                let source = self.signs_in.as_deref().map(quoted).unwrap_or_default();
                format!("Sign in again: aws sso login --profile {source}")
            }
            Some(CredentialKind::AssumesRole | CredentialKind::WebIdentity) => {
                format!("Sign in to the profile that assumes the role, then try: aws sts get-caller-identity{option}")
            }
            Some(CredentialKind::Process) => {
                format!("Sign in for the command in credential_process, then try: aws sts get-caller-identity{option}")
            }
            Some(CredentialKind::Environment) => {
                "Set new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and restart Tracebook"
                    .to_owned()
            }
            Some(CredentialKind::StaticKeys | CredentialKind::Nothing) => {
                format!("Enter new keys: aws configure{option}")
            }
            None => format!("Sign in again: aws sso login{option}; or enter new keys: aws configure{option}"),
        }
    }
}

/// A name, quoted for a shell if necessary.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '/' | '+' | ':');
    match !name.is_empty() && name.chars().all(plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

/// The action that a message about permissions names: `… is not authorized to perform: xray:GetTraceSummaries on …`.
fn action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("perform: ").or_else(|| message.split_once("perform "))?;
    let action = rest.split_whitespace().next()?.trim_end_matches(['.', ',', ';']);
    let letters = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let (service, operation) = action.split_once(':')?;
    (letters(service) && letters(operation)).then_some(action)
}

/// Whether a body is a web page.
fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// The innermost cause, which is the informative one: `Connection refused`.
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    sentence(&cause.to_string(), "no reason given")
}
