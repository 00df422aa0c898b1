//! What a desktop environment does with a window, and information about its processes.

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, MapState, Window};
use x11rb::rust_connection::RustConnection;

/// Asks the window of a process to close, as its close button does.
pub(crate) fn ask_to_close(pid: u32) {
    let (display, screen) = x11rb::connect(None).expect("a display");
    let atom = |name: &str| display.intern_atom(false, name.as_bytes()).expect("asks").reply().expect("an atom").atom;
    let (protocols, delete, owner) = (atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW"), atom("_NET_WM_PID"));
    let root = display.setup().roots[screen].root;
    let all = display.query_tree(root).expect("asks").reply().expect("the windows").children;
    let window = all
        .into_iter()
        .filter(|window| is_shown(&display, *window) && property(&display, *window, owner) == [pid])
        .find(|window| property(&display, *window, protocols).contains(&delete))
        .expect("the app shows a window");
    let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
    display.send_event(false, window, EventMask::NO_EVENT, message).expect("sends").check().expect("is sent");
}

fn is_shown(display: &RustConnection, window: Window) -> bool {
    let attributes = display.get_window_attributes(window).expect("asks").reply();
    attributes.is_ok_and(|a| a.map_state == MapState::VIEWABLE)
}

/// A property of a window as 32-bit values; empty if there is none.
fn property(display: &RustConnection, window: Window, name: u32) -> Vec<u32> {
    let asked = display.get_property(false, window, name, AtomEnum::ANY, 0, 64).expect("asks");
    asked.reply().ok().and_then(|reply| reply.value32().map(Iterator::collect)).unwrap_or_default()
}

/// Whether a process is running; a zombie is not.
pub(crate) fn runs(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}

/// Kills the renderer process of an app, like a crash.
pub(crate) fn crash_page_of(app: u32) {
    let page = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .find(|pid| stat(*pid).is_some_and(|(_, parent)| parent == app) && command(*pid).contains("WebKitWebProcess"))
        .expect("the page has a process of its own");
    let killed = std::process::Command::new("kill").args(["-KILL", &page.to_string()]).status().expect("kill runs");
    assert!(killed.success());
}

fn command(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

/// State and parent of a process.
fn stat(pid: u32) -> Option<(String, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
