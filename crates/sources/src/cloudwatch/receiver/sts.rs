//! GetCallerIdentity, which log handlers use for the ARN by which a group is tagged.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{ACCOUNT, Context};
use crate::amzn;

/// The action of a form.
pub(super) fn action(body: &[u8]) -> Option<String> {
    let form = str::from_utf8(body).ok()?;
    form.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(crate::text::clip)
}

pub(super) fn answer(ends: &Context, action: &str) -> Response {
    let id = amzn::request_id();
    if action == "GetCallerIdentity" {
        let body = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{ACCOUNT}:user/local</Arn><UserId>AIDALOCAL</UserId><Account>{ACCOUNT}</Account>\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        );
        return xml(StatusCode::OK, &id, body);
    }
    ends.counters.refused(format!("STS {action}: only GetCallerIdentity is answered."));
    let words = "Of the form-encoded AWS APIs only STS GetCallerIdentity is answered here. If AWS_ENDPOINT_URL is set, \
        every AWS client comes here: set AWS_ENDPOINT_URL_CLOUDWATCH_LOGS instead.";
    xml(StatusCode::BAD_REQUEST, &id, error(&id, "Sender", "InvalidAction", words))
}

/// The answer where there is no memory for the request.
pub(super) fn busy() -> Response {
    let id = amzn::request_id();
    let words = "Too much arrives at once; send this request again in a moment.";
    xml(StatusCode::SERVICE_UNAVAILABLE, &id, error(&id, "Receiver", "ServiceUnavailable", words))
}

fn error(id: &str, fault: &str, code: &str, words: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{fault}</Type><Code>{code}</Code>\
         <Message>{words}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
    )
}

fn xml(status: StatusCode, id: &str, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml"), (amzn::REQUEST_ID, id)], body).into_response()
}
