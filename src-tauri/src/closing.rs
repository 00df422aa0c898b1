//! How the window goes: nothing typed is lost, and nobody who still sends is cut off without a question.
//!
//! The page is asked and answers ([`Answer`]): it alone knows what is not saved yet, and it can show a question. A page that does
//! not answer (it crashed, or never came up) is closed without it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::Deserialize;
use tauri::{AppHandle, CloseRequestApi, Emitter as _, Manager as _, State, WebviewWindow};

use tracebook_app::rpc::Event;

use crate::{EVENT, tracebook};

/// How long the page may take to answer at all. It saves first, and gives that two seconds.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a page that did not answer may take to write what it still holds: autosave is at most a second behind.
const GRACE: Duration = Duration::from_millis(700);

/// How often the page was asked, and up to which question it has answered.
#[derive(Default)]
pub(crate) struct Closing {
    asked: AtomicU32,
    answered: AtomicU32,
}

/// What the page says to [`Event::AskClosing`].
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// The user is being asked: another answer follows when they have chosen.
    Asking,
    /// Everything is saved, or the user gave it up: the window closes.
    Close,
    /// The window goes out of the way, and the receivers go on.
    Keep,
    /// The window stays.
    Stay,
}

/// Somebody wants to close the window: asks the page.
pub(crate) fn requested(app: &AppHandle, label: &str, api: &CloseRequestApi) {
    let Some(window) = app.get_webview_window(label) else { return };
    api.prevent_close();
    let question = app.state::<Closing>().asked.fetch_add(1, Ordering::Relaxed) + 1;
    // A page that cannot be told does not answer either.
    let _ = app.emit(EVENT, Event::AskClosing { receiving: tracebook(app).still_receiving() });
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        if app.state::<Closing>().answered.load(Ordering::Relaxed) < question {
            let _ = app.emit(EVENT, Event::Closing {});
            tokio::time::sleep(GRACE).await;
            let _ = window.destroy();
        }
    });
}

/// The page's answer. A second question asked meanwhile is answered with the first: it is the same dialog.
#[tauri::command]
pub(crate) fn closing(answer: Answer, window: WebviewWindow, closing: State<'_, Closing>) {
    closing.answered.store(closing.asked.load(Ordering::Relaxed), Ordering::Relaxed);
    // A window that is gone already needs no more.
    let _ = match answer {
        Answer::Asking | Answer::Stay => Ok(()),
        Answer::Close => window.destroy(),
        // Hidden it could not be found again: there is no icon to bring it back.
        Answer::Keep => window.minimize(),
    };
}
