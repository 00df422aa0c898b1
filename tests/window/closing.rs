//! Closing the window: typed text is saved, and the user is asked while a service is still sending.

use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use fantoccini::key::Key;

use crate::desk::{ask_to_close, crash_page_of, runs};
use crate::driver::{Window, alone, settle, until};
use crate::sender::send_trace;

/// A window on a new entry.
async fn open(data: &Path) -> Window {
    let window = Window::open(data).await;
    window.client.set_window_size(1280, 860).await.expect("resizes");
    window.click("[data-testid=new-entry]").await;
    window.click("[data-testid=entry-submit]").await;
    window.appears(".cm-content").await;
    window
}

async fn focused(window: &Window) -> String {
    let element = window.client.active_element().await.expect("something has the focus");
    element.attr("data-testid").await.expect("answers").unwrap_or_default()
}

async fn press(window: &Window, key: Key) {
    let element = window.client.active_element().await.expect("something has the focus");
    element.send_keys(&char::from(key).to_string()).await.expect("presses");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_while_a_service_sends_asks_whether_to_keep_receiving() {
    let _alone = alone().await;
    let done = tokio::time::timeout(Duration::from_secs(180), asked_to_close()).await;
    done.expect("the window answers within three minutes");
}

async fn asked_to_close() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let window = open(data.path()).await;
    let (pid, address) = (window.pid(), window.http_address().await);
    let gone = || async { window.count("[data-testid=leaving]").await == 0 };
    window.type_at_end("\nfirst ").await;
    window.saved().await;
    send_trace(&address, 1, "/api/activities/home", false);
    window.appears("[data-testid=trace-row]").await;

    // Asked once, even after two clicks. Escape cancels.
    ask_to_close(pid);
    ask_to_close(pid);
    window.appears("[data-testid=leaving]").await;
    settle(&window).await;
    window.picture("8-closing").await;
    assert_eq!(window.count("dialog[open]").await, 1);
    assert_eq!(focused(&window).await, "leaving-keep", "the safe choice has the focus");
    // An open question can stay longer than the timeout for a page that does not respond.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(runs(pid));
    press(&window, Key::Escape).await;
    until("the question is gone", gone).await;
    window.type_at_end("second ").await;
    window.saved().await;

    // Keep receiving: the process and its ports stay, and data still arrives.
    ask_to_close(pid);
    window.click("[data-testid=leaving-keep]").await;
    until("the question is gone", gone).await;
    send_trace(&address, 2, "/api/messages", false);
    until("both traces are listed", || async { window.count("[data-testid=trace-row]").await == 2 }).await;
    assert!(runs(pid));

    // Stop: the last typed text is saved, and the process ends.
    window.type_at_end("third").await;
    ask_to_close(pid);
    window.click("[data-testid=leaving-stop]").await;
    until("the app has ended", || async { !runs(pid) }).await;
    assert!(TcpStream::connect(&address).is_err(), "nothing listens");
    for name in ["journal.db-wal", "telemetry.db-wal"] {
        assert!(!data.path().join(name).exists(), "{name}: the databases were closed cleanly");
    }
    assert!(window.entry_text(data.path()).contains("first second third"), "{}", window.entry_text(data.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_saves_without_a_question_and_a_crashed_page_does_not_hold_it_open() {
    let _alone = alone().await;
    let done = tokio::time::timeout(Duration::from_secs(120), not_asked()).await;
    done.expect("the window closes within two minutes");
}

async fn not_asked() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let window = open(data.path()).await;
    let pid = window.pid();
    window.type_at_end("\ntyped and closed").await;
    ask_to_close(pid);
    until("the app has ended", || async { !runs(pid) }).await;
    assert!(window.entry_text(data.path()).contains("typed and closed"));
    drop(window);

    let window = Window::open(data.path()).await;
    let pid = window.pid();
    window.appears(".cm-content").await;
    crash_page_of(pid);
    ask_to_close(pid);
    let asked = Instant::now();
    until("the app has ended", || async { !runs(pid) }).await;
    assert!(asked.elapsed() < Duration::from_secs(10), "after {:?}", asked.elapsed());
}
