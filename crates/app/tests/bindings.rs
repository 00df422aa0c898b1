//! The UI's types against the commands.

/// `make bindings` writes the file; otherwise this fails when it is stale.
#[test]
fn bindings_are_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/src/bindings.ts");
    let wanted = tracebook_app::api::typescript();
    if std::env::var_os("TRACEBOOK_WRITE_BINDINGS").is_some() {
        std::fs::write(path, &wanted).expect("writes");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == wanted, "ui/src/bindings.ts is stale: run `make bindings`");
}
