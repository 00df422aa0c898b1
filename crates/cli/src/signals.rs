//! How a user asks the program to end.

use tokio_util::sync::CancellationToken;

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                () = ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        // Without a handler of ours SIGTERM ends the process as it always does.
    }
    ctrl_c().await;
}

/// Waits for Ctrl-C; indefinitely if it cannot be handled, so that it ends the process.
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A token that Ctrl-C or SIGTERM cancels.
pub(crate) fn interruption() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        interrupted().await;
        cancelled.cancel();
    });
    token
}
