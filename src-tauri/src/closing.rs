//! Closing the window without losing what was typed, and without stopping the receivers unasked while a service sends.
//!
//! The page decides ([`Answer`]): it knows what is not saved yet, and can ask the user. If it does not answer (because
//! it crashed, or never loaded), the window is closed anyway.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::Deserialize;
use tauri::{AppHandle, CloseRequestApi, Emitter as _, Manager as _, State, WebviewWindow};

use tracebook_app::api::Event;

use crate::{EVENT, tracebook};

/// How long to wait for the page's answer. It saves first, which takes at most two seconds.
const TIMEOUT: Duration = Duration::from_secs(4);
/// How long a page that did not answer has to save: autosave is at most a second behind.
const GRACE: Duration = Duration::from_millis(700);

/// How often the page was asked, and the last question that it has answered.
#[derive(Default)]
pub(crate) struct Closing {
    asked: AtomicU32,
    answered: AtomicU32,
}

/// The page's answer to [`Event::AskClosing`].
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// The user is being asked; another answer follows.
    Asking,
    /// Close the window: everything is saved, or the user discarded it.
    Close,
    /// Minimize the window and keep receiving.
    Keep,
    /// Keep the window open.
    Stay,
}

/// Asks the page whether the window may close.
pub(crate) fn requested(app: &AppHandle, label: &str, api: &CloseRequestApi) {
    let Some(window) = app.get_webview_window(label) else { return };
    api.prevent_close();
    let question = app.state::<Closing>().asked.fetch_add(1, Ordering::Relaxed) + 1;
    if let Err(error) = app.emit(EVENT, Event::AskClosing { receiving: tracebook(app).still_receiving() }) {
        tracing::warn!(%error, "the page cannot be asked whether the window may close");
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(TIMEOUT).await;
        if app.state::<Closing>().answered.load(Ordering::Relaxed) < question {
            tracing::warn!("the page did not answer: closing the window");
            // A page that does not receive this has nothing that it could save.
            app.emit(EVENT, Event::Closing {}).ok();
            tokio::time::sleep(GRACE).await;
            done(window.destroy());
        }
    });
}

/// Receives the page's answer. It also answers a question asked meanwhile, for which the same dialog is open.
#[tauri::command]
pub(crate) fn closing(answer: Answer, window: WebviewWindow, closing: State<'_, Closing>) {
    closing.answered.store(closing.asked.load(Ordering::Relaxed), Ordering::Relaxed);
    match answer {
        Answer::Asking | Answer::Stay => {}
        Answer::Close => done(window.destroy()),
        // Not hidden: there would be no icon to bring it back.
        Answer::Keep => done(window.minimize()),
    }
}

/// Logs a failure: the window may have been closed meanwhile.
fn done(outcome: tauri::Result<()>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "the window did not change");
    }
}
