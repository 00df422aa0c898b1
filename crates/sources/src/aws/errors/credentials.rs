//! Errors about credentials: missing, expired, or impossible to get.
//!
//! aws-config has one error type with nested causes, some of them private, which only their messages distinguish.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::ErrorContext;
use crate::aws::profiles::CredentialKind;
use crate::aws::text::sentence;
use crate::cloud::{Fault, SourceError};

/// The credentials error that prevented a request, if any.
pub(super) fn inside<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

impl ErrorContext {
    /// Why there are no credentials, and how to get them.
    pub(in crate::aws) fn no_credentials(&self, error: &CredentialsError) -> SourceError {
        // AWS refused to assume a role, and said why.
        let refused = causes(error).find_map(|cause| {
            let role = cause.downcast_ref::<SdkError<AssumeRoleError>>().map(|e| self.classify(e));
            role.or_else(|| Some(self.classify(cause.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError>>()?)))
        });
        if let Some(refused) = refused {
            return refused;
        }
        let said: Vec<String> = causes(error).map(ToString::to_string).collect();
        let has = |words: &[&str]| said.iter().any(|s| words.iter().any(|word| s.contains(word)));
        let why = sentence(said.last().map_or("", String::as_str), "no reason given");
        let who = self.who();
        if has(&["UnauthorizedException", "token has expired", "Token has expired", "session has expired"]) {
            return self.expired();
        }
        if has(&["ForbiddenException"]) {
            return SourceError::new(
                Fault::Forbidden,
                format!("the SSO session is valid, but does not grant {who} its role"),
                "Compare sso_account_id and sso_role_name in the AWS config with the start page of your organisation",
            );
        }
        if has(&["cached SSO token", "sso/cache"]) {
            return SourceError::new(Fault::NoCredentials, format!("{who} is not signed in"), self.renew());
        }
        if has(&["external process"]) {
            // The command's output may contain a key; its exit code does not.
            let end = why.split("Stderr").next().unwrap_or_default();
            let end = end
                .rsplit_once("code ")
                .map_or("it printed no credentials", |(_, end)| end.trim().trim_end_matches('.'));
            return SourceError::new(
                Fault::NoCredentials,
                format!("the credential_process of {who} failed: {end}"),
                self.renew(),
            );
        }
        if causes(error).any(|cause| cause.downcast_ref::<ConnectorError>().is_some()) {
            return SourceError::new(
                Fault::Unreachable,
                format!("the credentials of {who} cannot be fetched: {why}"),
                "Check the network; captured evidence remains readable",
            );
        }
        if self.machine {
            return self.elsewhere();
        }
        match error {
            CredentialsError::CredentialsNotLoaded(_) => self.none(),
            CredentialsError::ProviderTimedOut(_) => self.too_slow(),
            CredentialsError::InvalidConfiguration(_) if self.kind == Some(CredentialKind::Login) => SourceError::new(
                Fault::NoCredentials,
                format!("{who} is signed in with `aws login`, which Tracebook cannot read"),
                format!(
                    "Export its keys for Tracebook: eval \"$(aws configure export-credentials{} --format env)\", and restart Tracebook",
                    self.option()
                ),
            ),
            CredentialsError::InvalidConfiguration(_) => SourceError::new(
                Fault::Invalid,
                format!("the AWS config of {who} is not complete: {why}"),
                format!("Set it up again: aws configure{}", self.option()),
            ),
            _ => SourceError::new(Fault::NoCredentials, format!("{who} provides no credentials: {why}"), self.renew()),
        }
    }

    /// There are no credentials at all.
    pub(in crate::aws) fn none(&self) -> SourceError {
        let option = self.option();
        let message = match &self.profile {
            Some(profile) => format!("profile {profile} has no credentials"),
            None => "there are no AWS credentials".to_owned(),
        };
        let hint = match self.endpoint {
            Some(_) => {
                "An emulator accepts any: set AWS_ACCESS_KEY_ID=test and AWS_SECRET_ACCESS_KEY=test, and restart Tracebook"
                    .to_owned()
            }
            None => format!("Sign in: aws configure sso{option}; or enter a key: aws configure{option}"),
        };
        SourceError::new(Fault::NoCredentials, message, hint)
    }

    /// They would come from the metadata of a cloud machine.
    fn elsewhere(&self) -> SourceError {
        SourceError::new(
            Fault::NoCredentials,
            format!(
                "{} gets its credentials from a cloud machine's metadata (EC2, ECS), which is not available here",
                self.who()
            ),
            "Choose a profile with SSO or a key of its own",
        )
    }

    /// They did not arrive in time.
    pub(in crate::aws) fn too_slow(&self) -> SourceError {
        SourceError::new(
            Fault::Unreachable,
            format!("the credentials of {} did not arrive in time", self.who()),
            format!("Check how long this takes: aws sts get-caller-identity{}", self.option()),
        )
    }
}
