//! The colours and fonts of every card, light and dark.

/// The number of service colours, which repeat if there are more services.
pub(super) const HUES: usize = 8;

/// The start of the dark part of the style sheet.
pub(super) const IF_DARK: &str = "@media (prefers-color-scheme:dark)";

/// Light is the default, for viewers without media queries. The eight hues have a contrast of at least 3:1 with their
/// background and are distinguishable with red-green colour blindness; red is reserved for errors.
pub(super) const STYLE: &str = "\
<style>
text{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",\"Noto Sans\",\"DejaVu Sans\",Arial,sans-serif;fill:#1b2430;direction:ltr}
tspan{unicode-bidi:isolate}
.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace}
.title{font-size:17px;font-weight:600}
.name{font-size:13px}
.small{font-size:12px}
.pill{font-size:12px;font-weight:600}
.muted{fill:#5d6a7a}
.bg{fill:#ffffff;stroke:#d5dbe3}
.band{fill:#f6f8fa}
.line{stroke:#e3e8ee;stroke-width:1}
.tree{stroke:#c3ccd6;stroke-width:1;fill:none}
.dash{stroke:#8a97a6;stroke-width:1;stroke-dasharray:4 3;fill:none}
.bad{fill:#c81e2b}.badline{stroke:#c81e2b;stroke-width:1.5;fill:none}
.fault{fill:#9c1140}.faultline{stroke:#9c1140;stroke-width:2.6;fill:none}.faultbg{fill:#fce8f0}
.hold{fill:#7443c4}.holdline{stroke:#7443c4;stroke-width:1.7;stroke-dasharray:3 2;fill:none}.holdbg{fill:#f1eafc}
.path{fill:#1b2430}.hole{fill:#ffffff}
.good{fill:#1a7f4b}.open{fill:#9a6200}
.badbg{fill:#fdecee}.goodbg{fill:#e5f5ec}.openbg{fill:#fdf3dc}
.chip{fill:#eef2f6}
.on{fill:none;stroke:#ffffff;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}
.event{fill:#ffffff;stroke:#1b2430;stroke-width:1}
.s0{fill:#2f6fd6;stop-color:#2f6fd6}.s1{fill:#0f8f83;stop-color:#0f8f83}.s2{fill:#b97309;stop-color:#b97309}.s3{fill:#8257d1;stop-color:#8257d1}
.s4{fill:#bf4a94;stop-color:#bf4a94}.s5{fill:#5a8a1f;stop-color:#5a8a1f}.s6{fill:#1289ad;stop-color:#1289ad}.s7{fill:#7b6a5c;stop-color:#7b6a5c}
.l0{stroke:#2f6fd6}.l1{stroke:#0f8f83}.l2{stroke:#b97309}.l3{stroke:#8257d1}.l4{stroke:#bf4a94}.l5{stroke:#5a8a1f}.l6{stroke:#1289ad}.l7{stroke:#7b6a5c}
.l0,.l1,.l2,.l3,.l4,.l5,.l6,.l7{fill:none;stroke-width:1.6;stroke-linejoin:round}
.code{font-size:12px}
.tag{font-size:12px;font-weight:600}
.head{font-size:12px;font-weight:600}
.b{font-weight:600}.i{font-style:italic}.u{text-decoration:underline}.x{text-decoration:line-through}.d{opacity:.72}
.info{fill:#1f62c9}.infobg{fill:#e8f0fd}.note{fill:#5d6a7a}
.term{fill:#f6f8fa;stroke:#e3e8ee}
.card{fill:#ffffff;stroke:#c3ccd6;stroke-width:1}
.wire{fill:none;stroke:#8a97a6;stroke-width:1.4}.wiretip{fill:#8a97a6}
.badtip{fill:#c81e2b}
.under{fill:#ffffff;opacity:.88}
.glyph{fill:none;stroke:#3d4a5a;stroke-width:1.3;stroke-linecap:round;stroke-linejoin:round}
.ring{fill:none;stroke-width:3.5}
.rgood{stroke:#1a7f4b}.rwarn{stroke:#c98a0b}.rbad{stroke:#c81e2b}.rhold{stroke:#8257d1}.rnone{stroke:#c3ccd6}
.fr{fill:#c01c28}.fg{fill:#1a7f37}.fy{fill:#855700}.fb{fill:#1f62c9}.fm{fill:#9636ad}.fc{fill:#0b7285}
.gr{fill:#fadfe1}.gg{fill:#d8f0e0}.gy{fill:#f8ebc8}.gb{fill:#dbe7fb}.gm{fill:#f0def5}.gc{fill:#d5eef2}.gn{fill:#dde3ea}
@media (prefers-color-scheme:dark){
text{fill:#e4e9f0}
.muted{fill:#9aa7b6}
.bg{fill:#10161e;stroke:#2b3542}
.band{fill:#161e28}
.line{stroke:#232d39}
.tree{stroke:#3c4856}
.dash{stroke:#76838f}
.bad{fill:#ff7b84}.badline{stroke:#ff7b84}
.fault{fill:#ff4f78}.faultline{stroke:#ff4f78}.faultbg{fill:#3d1528}
.hold{fill:#b394f5}.holdline{stroke:#b394f5}.holdbg{fill:#261a3e}
.path{fill:#e4e9f0}.hole{fill:#10161e}
.good{fill:#4fd08b}.open{fill:#f0b849}
.badbg{fill:#3b1a20}.goodbg{fill:#12301f}.openbg{fill:#352811}
.chip{fill:#1f2935}
.on{stroke:#10161e}
.event{fill:#10161e;stroke:#e4e9f0}
.s0{fill:#6ea2ff;stop-color:#6ea2ff}.s1{fill:#35c4b4;stop-color:#35c4b4}.s2{fill:#e5a13b;stop-color:#e5a13b}.s3{fill:#b394f5;stop-color:#b394f5}
.s4{fill:#e883bf;stop-color:#e883bf}.s5{fill:#95c455;stop-color:#95c455}.s6{fill:#4cc0e4;stop-color:#4cc0e4}.s7{fill:#b8a595;stop-color:#b8a595}
.l0{stroke:#6ea2ff}.l1{stroke:#35c4b4}.l2{stroke:#e5a13b}.l3{stroke:#b394f5}.l4{stroke:#e883bf}.l5{stroke:#95c455}.l6{stroke:#4cc0e4}.l7{stroke:#b8a595}
.info{fill:#79b0ff}.infobg{fill:#14263f}.note{fill:#9aa7b6}
.term{fill:#0b1017;stroke:#232d39}
.card{fill:#161e28;stroke:#3c4856}
.wire{stroke:#76838f}.wiretip{fill:#76838f}
.badtip{fill:#ff7b84}
.under{fill:#10161e}
.glyph{stroke:#c6d0db}
.rgood{stroke:#4fd08b}.rwarn{stroke:#f0b849}.rbad{stroke:#ff7b84}.rhold{stroke:#b394f5}.rnone{stroke:#3c4856}
.fr{fill:#ff8a92}.fg{fill:#57d38c}.fy{fill:#e3b341}.fb{fill:#79b0ff}.fm{fill:#d79bf0}.fc{fill:#56cfe1}
.gr{fill:#4a1d23}.gg{fill:#123d26}.gy{fill:#42330d}.gb{fill:#16305c}.gm{fill:#3c1c47}.gc{fill:#0d3c45}.gn{fill:#2b3542}
}
</style>
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dark_half_begins_once() {
        assert_eq!(STYLE.matches(IF_DARK).count(), 1);
        assert_eq!(STYLE.matches('{').count(), STYLE.matches('}').count());
        assert!(STYLE.starts_with("<style>\n") && STYLE.ends_with("}\n</style>\n"));
    }
}
