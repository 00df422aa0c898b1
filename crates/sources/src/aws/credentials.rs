//! What it means that there are no credentials: none, expired ones, or a way to them that is blocked.
//!
//! aws-config gives one error type with causes inside, some of them private; those are told apart by their words.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::errors::{Whose, sentence};
use super::profiles::Kind;
use crate::cloud::{Fault, SourceError};

/// What stopped a request for want of credentials, if that is what stopped it.
pub(super) fn inside<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

impl Whose {
    /// Why there are no credentials, and how to come by them.
    pub(super) fn no_credentials(&self, error: &CredentialsError) -> SourceError {
        // On the way to a role: AWS itself said why not.
        let refused = causes(error).find_map(|cause| {
            let role = cause.downcast_ref::<SdkError<AssumeRoleError>>().map(|e| self.classify(e));
            role.or_else(|| Some(self.classify(cause.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError>>()?)))
        });
        if let Some(refused) = refused {
            return refused;
        }
        let said: Vec<String> = causes(error).map(ToString::to_string).collect();
        let has = |words: &[&str]| said.iter().any(|s| words.iter().any(|word| s.contains(word)));
        let why = sentence(said.last().map_or("", String::as_str), "it does not say why");
        let who = self.who();
        if has(&["UnauthorizedException", "token has expired", "Token has expired", "session has expired"]) {
            return self.expired();
        }
        if has(&["ForbiddenException"]) {
            return SourceError::new(
                Fault::Forbidden,
                format!("the SSO session is good, and does not give {who} its role"),
                "Compare sso_account_id and sso_role_name in the AWS config with the start page of your organisation",
            );
        }
        if has(&["cached SSO token", "sso/cache"]) {
            return SourceError::new(Fault::NoCredentials, format!("{who} is not signed in"), self.renew());
        }
        if has(&["external process"]) {
            // Whatever the command printed may hold a key; how it ended does not.
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
                "Check the network; everything frozen reads as before",
            );
        }
        if self.machine {
            return self.elsewhere();
        }
        match error {
            CredentialsError::CredentialsNotLoaded(_) => self.none(),
            CredentialsError::ProviderTimedOut(_) => self.too_slow(),
            CredentialsError::InvalidConfiguration(_) if self.kind == Some(Kind::Login) => SourceError::new(
                Fault::NoCredentials,
                format!("{who} is signed in with `aws login`, which Tracebook cannot read"),
                format!(
                    "Give Tracebook its keys: eval \"$(aws configure export-credentials{} --format env)\", and start again",
                    self.option()
                ),
            ),
            CredentialsError::InvalidConfiguration(_) => SourceError::new(
                Fault::Invalid,
                format!("the AWS config of {who} is not complete: {why}"),
                format!("Set it up again: aws configure{}", self.option()),
            ),
            _ => SourceError::new(Fault::NoCredentials, format!("{who} gives no credentials: {why}"), self.renew()),
        }
    }

    /// There are none at all.
    pub(super) fn none(&self) -> SourceError {
        let option = self.option();
        let message = match &self.profile {
            Some(profile) => format!("profile {profile} has no credentials"),
            None => "there are no AWS credentials".to_owned(),
        };
        let hint = match self.endpoint {
            Some(_) => {
                "An emulator takes any: set AWS_ACCESS_KEY_ID=test and AWS_SECRET_ACCESS_KEY=test, and start again"
                    .to_owned()
            }
            None => format!("Sign in: aws configure sso{option}; or enter a key: aws configure{option}"),
        };
        SourceError::new(Fault::NoCredentials, message, hint)
    }

    /// They would come from the machine in the cloud that this is not.
    fn elsewhere(&self) -> SourceError {
        SourceError::new(
            Fault::NoCredentials,
            format!(
                "{} takes its credentials from the machine it runs on (EC2, ECS), which is not asked here",
                self.who()
            ),
            "Choose a profile with SSO or a key of its own",
        )
    }

    /// They did not come in time.
    pub(super) fn too_slow(&self) -> SourceError {
        SourceError::new(
            Fault::Unreachable,
            format!("the credentials of {} did not come in time", self.who()),
            format!("Try how long it takes: aws sts get-caller-identity{}", self.option()),
        )
    }
}
