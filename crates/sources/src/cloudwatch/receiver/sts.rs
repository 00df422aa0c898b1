//! GetCallerIdentity, which log handlers use for the ARN by which a group is tagged.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{ACCOUNT, Context};

/// The action of a form.
pub(super) fn action(body: &[u8]) -> Option<String> {
    let form = str::from_utf8(body).ok()?;
    form.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(crate::text::clip)
}

pub(super) fn answer(ends: &Context, action: &str) -> Response {
    if action == "GetCallerIdentity" {
        let body = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{ACCOUNT}:user/local</Arn><UserId>AIDALOCAL</UserId><Account>{ACCOUNT}</Account>\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId>\
             </ResponseMetadata></GetCallerIdentityResponse>"
        );
        return xml(StatusCode::OK, body);
    }
    ends.counters.refused(format!("STS {action}: only GetCallerIdentity is answered."));
    let body = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
        <Code>InvalidAction</Code><Message>Of the form-encoded AWS APIs only STS GetCallerIdentity is answered here. If \
        AWS_ENDPOINT_URL is set, every AWS client comes here: set AWS_ENDPOINT_URL_CLOUDWATCH_LOGS instead.</Message>\
        </Error></ErrorResponse>";
    xml(StatusCode::BAD_REQUEST, body.to_owned())
}

/// The answer where there is no memory for the request.
pub(super) fn busy() -> Response {
    let body = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Receiver</Type>\
        <Code>ServiceUnavailable</Code><Message>Too much arrives at once; send this request again in a moment.</Message>\
        </Error></ErrorResponse>";
    xml(StatusCode::SERVICE_UNAVAILABLE, body.to_owned())
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}
