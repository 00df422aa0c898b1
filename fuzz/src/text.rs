//! Console output, Rollbar items and the removal of credentials.

use tracebook_core::console::{self, Console};
use tracebook_core::credentials;
use tracebook_sources::rollbar::{normalise, wire};

use crate::NOW;

pub fn console(input: &[u8]) {
    let output = Console::from_bytes("fuzz", input);
    console::classify(&output.lines);
    for line in &output.lines {
        let plain = console::plain(&line.text);
        assert!(
            !plain.contains(|c: char| c.is_control() && c != '\t'),
            "a plain line has control characters: {plain:?}"
        );
        console::spans(&line.text);
        console::trace_id_in(&line.text);
    }
    let records = tracebook_sources::console::spans(&output.lines, None);
    for record in &records {
        tracebook_sources::normalise(record);
    }
}

pub fn rollbar(input: &[u8]) {
    for content_type in [None, Some("application/x-www-form-urlencoded")] {
        let read = wire::read(input, content_type, |item| {
            let Ok(item) = item else { return };
            let Ok(record) = normalise::record(&item, NOW) else { return };
            let (occurrence, _) = normalise::read(&record.raw, NOW);
            assert_eq!(occurrence.uuid, record.uuid, "an item keeps its id when it is read again");
        });
        read.ok();
    }
}

pub fn credentials(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    credentials::remove_from_text(&text, &mut credentials::Removed::default());
    credentials::is_credential_name(&text);
    let mut removed = credentials::Removed::default();
    if let Ok(mut json) = serde_json::from_slice(input) {
        removed = credentials::remove_from_json(&mut json);
        // What was removed is nowhere in what is left.
        let left = credentials::remove_from_json(&mut json.clone());
        assert!(left.is_empty(), "a second pass removes more: {json}");
    }
    let mut bytes = input.to_vec();
    credentials::overwrite_in_bytes(&mut bytes, &removed);
    assert_eq!(bytes.len(), input.len());
}
