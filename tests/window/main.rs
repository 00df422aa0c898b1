//! The real window on a (virtual) display, driven through WebKitWebDriver, with a real sender. Screenshots are saved in
//! `tests/screenshots/` for review.

mod closing;
mod desk;
mod driver;
mod sender;

use std::time::Duration;

use fantoccini::Locator;
use fantoccini::key::Key;

use crate::driver::{Window, alone, settle, until};
use crate::sender::send_trace;

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_in_the_real_window() {
    // A driver that hangs never responds; without a timeout, the test would block.
    let _alone = alone().await;
    let done = tokio::time::timeout(Duration::from_secs(240), main_job()).await;
    done.expect("the window did the main job within four minutes");
}

async fn main_job() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let out = tempfile::tempdir().expect("a temporary directory");
    let window = Window::open(data.path()).await;
    let page = &window.client;
    page.set_window_size(1280, 860).await.expect("resizes");

    // A new entry for week 2.
    window.click("[data-testid=new-entry]").await;
    let select = page.find(Locator::Css("[data-testid=entry-week]")).await.expect("the week");
    select.select_by_value("2").await.expect("selects");
    window.click("[data-testid=entry-submit]").await;
    window.appears(".cm-content").await;
    until("the template is in the editor", || async {
        window.text(".cm-content").await.contains("Distributed Tracing")
    })
    .await;
    settle(&window).await;
    window.picture("1-new-entry").await;

    // Type; it is saved.
    window.type_at_end("\nTyped in the real window: äöü ✓\n\n").await;
    window.saved().await;

    // A trace arrives from a real sender and appears in the tray.
    let address = window.http_address().await;
    send_trace(&address, 1, "/api/activities/home", false);
    let sent = std::time::Instant::now();
    window.appears("[data-testid=trace-row]").await;
    assert!(sent.elapsed() < Duration::from_millis(2_000), "in the tray after {:?}", sent.elapsed());
    send_trace(&address, 2, "/api/activities/notifications", true);
    until("both are listed", || async { window.count("[data-testid=trace-row]").await == 2 }).await;
    window.picture("2-traces-arrive").await;

    // A click on the row shows the card and the spans; Escape closes it.
    window.click("[data-testid=trace-row]").await;
    window.appears("[data-testid=trace-panel]").await;
    settle(&window).await;
    window.picture("3-preview").await;
    page.active_element()
        .await
        .expect("an element")
        .send_keys(&char::from(Key::Escape).to_string())
        .await
        .expect("escape");
    until("the preview is closed", || async { window.count("[data-testid=trace-panel]").await == 0 }).await;

    // One click captures the newest trace at the cursor, below the typed text.
    window.click("[data-testid=capture]").await;
    window.appears("img.evidence-card").await;
    window.saved().await;
    // And one into the selected slot; the cards are drawn.
    let editor = page.find(Locator::Css(".cm-content")).await.expect("the editor");
    editor.send_keys(&format!("{}{}", char::from(Key::Control), char::from(Key::Home))).await.expect("to the start");
    window.click(".slot-tools .chip").await;
    window.click("[data-testid=trace-row]:nth-of-type(2) [data-testid=capture]").await;
    until("the slot is filled", || async {
        window.entry_text(data.path()).contains("OTEL\n\n![GET /api/activities/home 200")
    })
    .await;
    window.appears("img.evidence-card").await;
    until("the card's picture is loaded", || async { window.picture_is_loaded("img.evidence-card").await }).await;
    window.saved().await;
    settle(&window).await;
    window.picture("4-captured").await;

    // Close as a user does, and open again: everything is present.
    window.close().await;
    let window = Window::open(data.path()).await;
    // Until the entries are listed, the first button is that of the bin.
    window.click("[data-testid=entries] [data-entry] .title").await;
    window.appears("img.evidence-card").await;
    until("the card's picture is loaded", || async { window.picture_is_loaded("img.evidence-card").await }).await;
    assert!(window.entry_text(data.path()).contains("Typed in the real window: äöü ✓"));
    window.picture("5-reopened").await;

    // Several sizes.
    for (width, height) in [(1920, 1080), (1000, 700), (700, 500)] {
        window.client.set_window_size(width, height).await.expect("resizes");
        settle(&window).await;
        window.picture(&format!("6-{width}x{height}")).await;
    }
    window.client.set_window_size(1280, 860).await.expect("resizes");

    // Export.
    window.click("[data-testid=export]").await;
    let folder = window.appears("[data-testid=export-folder]").await;
    folder.clear().await.expect("clears");
    folder.send_keys(&out.path().display().to_string()).await.expect("types");
    window.click("[data-testid=export-run]").await;
    window.appears("[data-testid=export-result]").await;
    settle(&window).await;
    window.picture("7-exported").await;
    let markdown = std::fs::read_to_string(out.path().join("journal/week2.md")).expect("exported");
    assert!(markdown.contains("Typed in the real window: äöü ✓"));
    assert!(markdown.contains("<!-- tracebook:evidence "));
    window.close().await;
}
