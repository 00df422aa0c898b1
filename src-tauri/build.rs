//! Embeds the UI and generates what Tauri needs.

fn main() {
    tauri_build::try_build(
        tauri_build::Attributes::new().app_manifest(tauri_build::AppManifest::new().commands(&["rpc", "closing"])),
    )
    .unwrap_or_else(|error| panic!("{error:#}"));
}
