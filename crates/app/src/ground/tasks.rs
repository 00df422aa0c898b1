//! Work that is moved off the runtime's threads.

use crate::ground::error::Error;

/// Runs a computation that takes a while on a blocking thread: receivers must not wait for it.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}
