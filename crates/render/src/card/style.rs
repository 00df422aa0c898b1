//! The colours and type of every card, light and dark.

/// How many service colours there are; more services share them again.
pub(super) const HUES: usize = 8;

/// Where the dark half of the sheet begins.
pub(super) const IF_DARK: &str = "@media (prefers-color-scheme:dark)";

/// Light is the rule and dark the exception, so that a viewer without media queries still shows a card.
/// The eight hues keep 3:1 against their background and stay apart for red-green blindness; red is errors' alone.
pub(super) const STYLE: &str = "\
<style>
text{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",\"Noto Sans\",\"DejaVu Sans\",Arial,sans-serif;fill:#1b2430;direction:ltr}
tspan{unicode-bidi:isolate}
.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace}
.title{font-size:17px;font-weight:600}
.name{font-size:12.5px}
.small{font-size:11px}
.pill{font-size:11px;font-weight:600}
.muted{fill:#5d6a7a}
.bg{fill:#ffffff;stroke:#d5dbe3}
.band{fill:#f6f8fa}
.line{stroke:#e3e8ee;stroke-width:1}
.tree{stroke:#c3ccd6;stroke-width:1;fill:none}
.dash{stroke:#8a97a6;stroke-width:1;stroke-dasharray:4 3;fill:none}
.bad{fill:#c81e2b}.badline{stroke:#c81e2b;stroke-width:1.5;fill:none}
.good{fill:#1a7f4b}.open{fill:#9a6200}
.badbg{fill:#fdecee}.goodbg{fill:#e5f5ec}.openbg{fill:#fdf3dc}
.chip{fill:#eef2f6}
.on{fill:none;stroke:#ffffff;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}
.event{fill:#ffffff;stroke:#1b2430;stroke-width:1}
.s0{fill:#2f6fd6;stop-color:#2f6fd6}.s1{fill:#0f8f83;stop-color:#0f8f83}.s2{fill:#b97309;stop-color:#b97309}.s3{fill:#8257d1;stop-color:#8257d1}
.s4{fill:#bf4a94;stop-color:#bf4a94}.s5{fill:#5a8a1f;stop-color:#5a8a1f}.s6{fill:#1289ad;stop-color:#1289ad}.s7{fill:#7b6a5c;stop-color:#7b6a5c}
@media (prefers-color-scheme:dark){
text{fill:#e4e9f0}
.muted{fill:#9aa7b6}
.bg{fill:#10161e;stroke:#2b3542}
.band{fill:#161e28}
.line{stroke:#232d39}
.tree{stroke:#3c4856}
.dash{stroke:#76838f}
.bad{fill:#ff7b84}.badline{stroke:#ff7b84}
.good{fill:#4fd08b}.open{fill:#f0b849}
.badbg{fill:#3b1a20}.goodbg{fill:#12301f}.openbg{fill:#352811}
.chip{fill:#1f2935}
.on{stroke:#10161e}
.event{fill:#10161e;stroke:#e4e9f0}
.s0{fill:#6ea2ff;stop-color:#6ea2ff}.s1{fill:#35c4b4;stop-color:#35c4b4}.s2{fill:#e5a13b;stop-color:#e5a13b}.s3{fill:#b394f5;stop-color:#b394f5}
.s4{fill:#e883bf;stop-color:#e883bf}.s5{fill:#95c455;stop-color:#95c455}.s6{fill:#4cc0e4;stop-color:#4cc0e4}.s7{fill:#b8a595;stop-color:#b8a595}
}
</style>
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dark_half_begins_once() {
        assert_eq!(STYLE.matches(IF_DARK).count(), 1);
    }
}
