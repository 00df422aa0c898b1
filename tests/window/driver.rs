//! A window and its driver. WebKitWebDriver supports one session, so each window has its own driver.

use std::future::Future;
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;

/// One window at a time, since the display has no window manager to set the focus.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

pub(crate) async fn alone() -> tokio::sync::MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

const PATIENCE: Duration = Duration::from_secs(20);

/// The window.
pub(crate) struct Window {
    pub(crate) client: Client,
    driver: Driver,
    data: PathBuf,
}

/// Stops the driver and the app it started.
struct Driver(Child);

impl Driver {
    /// The driver takes a port but does not say which it took for 0; where somebody else was faster, it ends.
    async fn start(data: &Path) -> (Self, u16) {
        for _ in 0..10 {
            let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let port = free.expect("a free port").port();
            let child = Command::new("WebKitWebDriver")
                .arg(format!("--port={port}"))
                .env("TAURI_WEBVIEW_AUTOMATION", "true")
                .env("TRACEBOOK_DATA", data)
                .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn()
                .expect("WebKitWebDriver: `make test` installs it");
            let mut driver = Self(child);
            let start = Instant::now();
            while matches!(driver.0.try_wait(), Ok(None)) {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return (driver, port);
                }
                assert!(start.elapsed() < PATIENCE, "the driver does not listen");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        panic!("the driver found its port taken ten times")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let signal = |name: &str| Command::new("kill").args([name, "--", &group]).stderr(Stdio::null()).status();
        signal("-TERM").ok();
        let start = Instant::now();
        // What has ended is reaped first: until then it counts as there.
        while start.elapsed() < Duration::from_secs(2)
            && (matches!(self.0.try_wait(), Ok(None)) || signal("-0").is_ok_and(|status| status.success()))
        {
            std::thread::sleep(Duration::from_millis(10));
        }
        signal("-KILL").ok();
        self.0.wait().ok();
    }
}

impl Window {
    /// Starts the app as a user does, with this journal.
    pub(crate) async fn open(data: &Path) -> Self {
        let (driver, port) = Driver::start(data).await;
        let capabilities = json!({ "webkitgtk:browserOptions": { "binary": env!("CARGO_BIN_EXE_tracebook-desktop"), "args": ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--xray", "127.0.0.1:0"] } });
        let capabilities = capabilities.as_object().expect("an object").clone();
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let client = ClientBuilder::new(connector)
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the window opens; is there a display? (xvfb-run)");
        let window = Self { client, driver, data: data.to_owned() };
        window.appears("[data-testid=entries]").await;
        window
    }

    /// Waits for an element.
    pub(crate) async fn appears(&self, css: &str) -> Element {
        match self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => {
                self.picture("failed").await;
                panic!("{css} does not appear: {error}");
            }
        }
    }

    /// Clicks an element once it can be clicked: it may be hidden or rendered again after a change of size.
    pub(crate) async fn click(&self, css: &str) {
        let start = Instant::now();
        loop {
            let Err(error) = self.appears(css).await.click().await else { return };
            if start.elapsed() > PATIENCE {
                self.picture("failed").await;
                panic!("{css} cannot be clicked: {error:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.map_or(0, |found| found.len())
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        match self.client.find(Locator::Css(css)).await {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Whether an `<img>` has loaded.
    pub(crate) async fn picture_is_loaded(&self, css: &str) -> bool {
        let script =
            "const img = document.querySelector(arguments[0]); return !!img && img.complete && img.naturalWidth > 100";
        self.client.execute(script, vec![json!(css)]).await.is_ok_and(|loaded| loaded == json!(true))
    }

    /// Waits until the typed text is on disk.
    pub(crate) async fn saved(&self) {
        let start = Instant::now();
        while self.count("[data-testid=save-status][data-state=saved]").await == 0 {
            if start.elapsed() > PATIENCE {
                self.picture("failed").await;
                panic!("not saved within {PATIENCE:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Saves a screenshot for review.
    pub(crate) async fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/screenshots");
        std::fs::create_dir_all(&folder).expect("makes");
        if let Ok(png) = self.client.screenshot().await {
            std::fs::write(folder.join(format!("window-{name}.png")), png).expect("writes");
        }
    }

    /// The address where this window receives OTLP.
    pub(crate) async fn http_address(&self) -> String {
        self.holder()["http"].as_str().expect("an address").to_owned()
    }

    /// The process id of the app.
    pub(crate) fn pid(&self) -> u32 {
        self.holder()["pid"].as_u64().and_then(|pid| pid.try_into().ok()).expect("a process id")
    }

    fn holder(&self) -> serde_json::Value {
        let lock = std::fs::read_to_string(self.data.join("receivers.lock")).expect("the lock file");
        serde_json::from_str(&lock).expect("JSON")
    }

    /// Types at the end of the entry.
    pub(crate) async fn type_at_end(&self, text: &str) {
        self.click(".cm-line").await;
        let editor = self.appears(".cm-content").await;
        editor.send_keys(&format!("{}{}", char::from(Key::Control), char::from(Key::End))).await.expect("to the end");
        editor.send_keys(text).await.expect("types");
    }

    /// The text of the first entry on disk.
    pub(crate) fn entry_text(&self, data: &Path) -> String {
        let out = Command::new("sqlite3")
            .arg(data.join("journal.db"))
            .arg("SELECT body FROM entry LIMIT 1")
            .output()
            .expect("sqlite3 runs");
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Closes the window and waits until the app has exited.
    pub(crate) async fn close(self) {
        self.client.close().await.expect("closes");
        drop(self.driver);
    }
}

/// Waits until a condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> F) {
    let start = Instant::now();
    while !look().await {
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until transitions have ended and images are loaded, for a screenshot.
pub(crate) async fn settle(window: &Window) {
    let script = "return [...document.images].every(image => image.complete) && document.getAnimations().every(one => \
                  one.playState !== 'running' || one.effect.getComputedTiming().iterations === Infinity)";
    until("the window is at rest", || async {
        window.client.execute(script, Vec::new()).await.is_ok_and(|rests| rests == json!(true))
    })
    .await;
}
