//! The addresses that the SDK's clients send requests to.

use aws_sdk_cloudwatchlogs::config::endpoint as logs;
use aws_sdk_xray::config::endpoint as xray;
use reqwest::Url;

use super::session::Connection;

impl Connection {
    /// Scheme, host and port of X-Ray's API, as the SDK resolves them: by partition, FIPS and dual stack, or the
    /// configured endpoint. `None` if the SDK cannot.
    pub async fn xray_address(&self) -> Option<String> {
        let params = xray::Params::builder()
            .region(self.region.clone())
            .set_use_fips(self.sdk.use_fips())
            .set_use_dual_stack(self.sdk.use_dual_stack())
            .set_endpoint(self.endpoint.clone());
        let params = params.build().ok()?;
        let resolver = xray::DefaultResolver::new();
        let found = xray::ResolveEndpoint::resolve_endpoint(&resolver, &params).await.ok()?;
        origin(found.url())
    }

    /// The same of CloudWatch Logs.
    pub async fn logs_address(&self) -> Option<String> {
        let params = logs::Params::builder()
            .region(self.region.clone())
            .set_use_fips(self.sdk.use_fips())
            .set_use_dual_stack(self.sdk.use_dual_stack())
            .set_endpoint(self.endpoint.clone());
        let params = params.build().ok()?;
        let resolver = logs::DefaultResolver::new();
        let found = logs::ResolveEndpoint::resolve_endpoint(&resolver, &params).await.ok()?;
        origin(found.url())
    }
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.origin().ascii_serialization())
}
