//! moto answers GetTraceSummaries with `"Users": {}` where the API has a list (moto 5.2, `moto/xray/models.py`), and
//! the SDK then refuses the whole answer. Exactly that is repaired before the SDK reads it.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;

/// Repairs `"Users": {}` in an answer.
#[derive(Debug)]
pub(super) struct Repair;

#[dyn_dispatch_hint]
impl Intercept for Repair {
    fn name(&self) -> &'static str {
        "Repair"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = std::mem::replace(context.response_mut().body_mut(), SdkBody::taken());
        let whole = async move {
            let bytes = body.collect().await?.to_bytes();
            Ok::<_, BoxError>(Frame::data(mended(bytes)))
        };
        *context.response_mut().body_mut() = SdkBody::from_body_1_x(StreamBody::new(stream::once(whole)));
        Ok(())
    }
}

/// The same bytes, with `[]` for the `{}` after every `"Users":`. A name within a string has a backslash before its
/// quotes.
pub(super) fn mended(bytes: Bytes) -> Bytes {
    const NAME: &[u8] = br#""Users""#;
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(found) = bytes[from..].windows(NAME.len()).position(|window| window == NAME) {
        let at = from + found;
        from = at + NAME.len();
        if at.checked_sub(1).is_some_and(|before| bytes[before] == b'\\') {
            continue;
        }
        let mut rest = (from..bytes.len()).filter(|i| !bytes[*i].is_ascii_whitespace());
        let sign = |i: Option<usize>, sign: u8| i.filter(|i| bytes[*i] == sign);
        if let (Some(_), Some(open), Some(close)) =
            (sign(rest.next(), b':'), sign(rest.next(), b'{'), sign(rest.next(), b'}'))
        {
            places.push((open, close));
        }
    }
    if places.is_empty() {
        return bytes;
    }
    let mut bytes = bytes.to_vec();
    for (open, close) in places {
        bytes[open] = b'[';
        bytes[close] = b']';
    }
    bytes.into()
}
