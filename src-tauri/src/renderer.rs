//! Which renderer WebKitGTK uses.
//!
//! With NVIDIA's driver, its DMA-BUF renderer leaves the window blank
//! (<https://github.com/tauri-apps/tauri/issues/9394>, <https://bugs.webkit.org/show_bug.cgi?id=262607>). The variable
//! that switches it off is read when the first web view starts, and no other thread may run when it is set. So the
//! program starts itself again with it, in the same process, before anything else has begun.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Switches the DMA-BUF renderer off.
const SWITCH: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// What decides already: the variable itself, whatever its value, and the one that switches compositing off.
const DECIDED: [&str; 2] = [SWITCH, "WEBKIT_DISABLE_COMPOSITING_MODE"];

/// Where the kernel shows that NVIDIA's driver is loaded.
const NVIDIA: [&str; 2] = ["/proc/driver/nvidia/version", "/sys/module/nvidia"];

/// Starts the program again without the DMA-BUF renderer where that leaves the window blank. Returns if nothing is to
/// be done, or if it cannot be.
pub(crate) fn choose() {
    if !is_needed(|name| env::var_os(name), |path| Path::new(path).exists()) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut args = env::args_os();
    let name = args.next().unwrap_or_else(|| OsString::from("tracebook-desktop"));
    // Returns only if it fails, and then the window opens with what WebKitGTK chooses.
    let error = Command::new(program).arg0(name).args(args).env(SWITCH, OsStr::new("1")).exec();
    crate::print_error(&format!("{SWITCH} could not be set: {error}"));
}

fn is_needed(variable: impl Fn(&str) -> Option<OsString>, exists: impl Fn(&str) -> bool) -> bool {
    DECIDED.into_iter().all(|name| variable(name).is_none()) && NVIDIA.into_iter().any(exists)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_renderer_is_switched_off_for_nvidia_unless_the_user_decided() {
        let none = |_: &str| None;
        assert!(is_needed(none, |path| path == "/sys/module/nvidia"));
        assert!(is_needed(none, |path| path == "/proc/driver/nvidia/version"));
        assert!(!is_needed(none, |_| false));
        for (decided, value) in [(SWITCH, "0"), (SWITCH, "1"), (SWITCH, ""), (DECIDED[1], "1")] {
            let set = |name: &str| (name == decided).then(|| OsString::from(value));
            assert!(!is_needed(set, |_| true), "{decided}={value}");
        }
    }
}
