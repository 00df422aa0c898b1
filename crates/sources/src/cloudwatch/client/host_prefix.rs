//! Live Tail with a user-defined endpoint.

use aws_sdk_cloudwatchlogs::config::interceptors::BeforeSerializationInterceptorContextMut;
use aws_sdk_cloudwatchlogs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudwatchlogs::error::BoxError;
use aws_smithy_runtime_api::client::endpoint::EndpointPrefix;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

/// Removes the `stream-` that the SDK puts before the host of StartLiveTail, even if the endpoint was configured:
/// `http://stream-127.0.0.1:4318` does not resolve (aws-smithy-runtime 1.16.2, `orchestrator/endpoints.rs`).
#[derive(Debug)]
pub(super) struct Without;

#[dyn_dispatch_hint]
impl Intercept for Without {
    fn name(&self) -> &'static str {
        "WithoutHostPrefix"
    }

    fn modify_before_serialization(
        &self,
        _context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().unset::<EndpointPrefix>();
        Ok(())
    }
}
