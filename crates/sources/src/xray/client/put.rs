//! Segments sent by the relay: PutTraceSegments.

use super::Client;
use crate::cloud::{Api, Fetch, SourceError, Used};

/// Documents in one request, as the daemon sends.
const DOCUMENTS: usize = 50;

/// A segment that X-Ray refused although it accepted the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprocessed {
    /// The segment's id; empty if X-Ray could not read even that.
    pub id: String,
    /// For example `MissingParam`.
    pub code: String,
    pub message: String,
}

impl Client {
    /// Sends segment documents, 50 a request, and returns those that X-Ray refused. Sending a document again replaces
    /// it.
    ///
    /// # Errors
    /// The error of the first failing request; the documents of earlier requests were accepted.
    pub async fn put_segments(&self, documents: &[String], fetch: &Fetch) -> Result<Vec<Unprocessed>, SourceError> {
        let mut refused = Vec::new();
        for documents in documents.chunks(DOCUMENTS) {
            let put = || async {
                let put = self.sdk.put_trace_segments().set_trace_segment_documents(Some(documents.to_vec()));
                put.send().await.map_err(|error| self.words(error))
            };
            let answer = fetch.call(Api::XRAY_PUT, put).await?;
            let unprocessed = answer.unprocessed_trace_segments();
            fetch.used(Used::XraySegmentsRecorded, documents.len().saturating_sub(unprocessed.len()) as u64);
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            refused.extend(unprocessed.iter().map(|segment| Unprocessed {
                id: text(segment.id()),
                code: text(segment.error_code()),
                message: text(segment.message()),
            }));
        }
        Ok(refused)
    }
}
