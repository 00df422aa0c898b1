//! Evidence of every kind: frozen, drawn in both sizes, compared and verified.

use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::freeze::{self, Click, Origin};
use tracebook_core::question::Question;
use tracebook_core::{diff, evidence::Evidence};
use tracebook_render::card::{self, Size};
use tracebook_render::verify::{self, Verdict};

use crate::NOW;

const ID: &str = "01JD4ZK8S7M5V9TQ2WXYB3CDEF";

/// `{"kind": …, "body": …}`: what a picture or a journal may contain.
pub fn card(input: &[u8]) {
    let body = match serde_json::from_slice::<Evidence>(input) {
        Ok(evidence) => evidence.body,
        Err(_) => match serde_json::from_slice::<Body>(input) {
            Ok(body) => body,
            Err(_) => return,
        },
    };
    diff::bodies(&body, &body);
    for size in [Size::Full, Size::Compact] {
        assert!(card::preview(&body, size).starts_with("<svg"));
    }
    if let Some(frozen) = frozen(body) {
        let again = Frozen::read(&frozen.canonical).expect("frozen evidence reads back");
        assert_eq!(again.digest, frozen.digest);
        card::caption(&frozen);
        card::table(&frozen).markdown();
        for size in [Size::Full, Size::Compact] {
            let drawn = card::svg(&frozen, size);
            let read = |name: &str| drawn.sidecar.as_ref().filter(|s| s.name == name).map(|s| s.bytes.clone());
            let (_, verdict, why) = verify::svg(drawn.svg.as_bytes(), &read);
            assert_eq!(verdict, Verdict::Intact, "a drawn card verifies: {why}");
        }
    }
}

pub fn frozen(body: Body) -> Option<Frozen> {
    let click = Click {
        id: ID.parse().expect("a ULID"),
        question: Question::default(),
        captured_at: NOW,
        tool: "tracebook 0.0.0".to_owned(),
        supersedes: None,
        origin: Origin::default(),
    };
    Some(freeze::body(body, click).ok()?.frozen)
}
