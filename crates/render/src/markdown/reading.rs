//! A text as HTML to read: as a code host shows it, without anything that could run or leave the page.

use std::collections::HashMap;
use std::sync::LazyLock;

use ammonia::Builder;
use pulldown_cmark::{BlockQuoteKind, CowStr, Event, Parser, Tag, TagEnd, TextMergeStream, html};
use regex::Regex;

use super::page::{OPTIONS, lone_cr_as_lf};
use super::review::heading_id;
use super::{evidence_target, live_target};

/// Before every `id`, so that no heading is taken for an element of the page around it.
pub const ID_PREFIX: &str = "reading-";

/// The schemes that links may have. Pictures may also be evidence and live cards, whose addresses the page replaces.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];
const PICTURE_SCHEMES: [&str; 2] = ["evidence", "live"];

/// What classes of ours and of pulldown-cmark's begin with. Others could look like parts of the page.
const CLASSES: [&str; 4] = ["language-", "markdown-alert", "footnote-", "reading-"];

static SANITIZER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .add_tags(["input"])
        .add_tag_attributes("input", ["checked", "disabled"])
        .add_tag_attribute_values("input", "type", ["checkbox"])
        .set_tag_attribute_value("input", "disabled", "")
        .add_tag_attributes("details", ["open"])
        .add_tag_attributes("td", ["style"])
        .add_tag_attributes("th", ["style"])
        .filter_style_properties(["text-align"].into())
        .add_generic_attributes(["class", "id"])
        .add_url_schemes(PICTURE_SCHEMES)
        .id_prefix(Some(ID_PREFIX))
        .link_rel(Some("noopener noreferrer"))
        .attribute_filter(|_, attribute, value| {
            let foreign = attribute == "class" && !CLASSES.iter().any(|own| value.starts_with(own));
            (!foreign).then(|| value.into())
        });
    builder
});

/// Addresses that stand in a text as they are, which GFM makes links of.
#[expect(clippy::unwrap_used, reason = "a constant pattern")]
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?P<mail>[A-Za-z0-9._+-]+@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)|(?:https?://|www\.)[^\s<]+").unwrap()
});

/// Renders a text. References are images with their `evidence:` and `live:` addresses; one that is alone in its
/// paragraph is a figure with its caption. Headings have ids as code hosts make them, with [`ID_PREFIX`].
pub fn reading(body: &str) -> String {
    let text = lone_cr_as_lf(body.strip_prefix('\u{feff}').unwrap_or(body));
    let events: Vec<Event<'_>> = TextMergeStream::new(Parser::new_ext(&text, OPTIONS)).collect();
    let mut reader =
        Reader { events: &events, slugs: HashMap::new(), out: Vec::with_capacity(events.len()), raw: false };
    reader.read();
    let mut page = String::with_capacity(body.len() * 3 / 2);
    html::push_html(&mut page, reader.out.into_iter());
    // What pulldown-cmark makes of Markdown is safe by its own escapes and the check of addresses.
    if reader.raw { SANITIZER.clean(&page).to_string() } else { page }
}

struct Reader<'a, 'e> {
    events: &'e [Event<'a>],
    /// How many headings had the same text.
    slugs: HashMap<String, usize>,
    out: Vec<Event<'a>>,
    /// The text has HTML of its own.
    raw: bool,
}

impl<'a> Reader<'a, '_> {
    fn read(&mut self) {
        let mut links = 0_usize;
        let mut code = false;
        let mut at = 0;
        while let Some(event) = self.events.get(at) {
            at += 1;
            match event {
                Event::Start(Tag::Paragraph) => {
                    if let Some(end) = self.figure(at) {
                        at = end;
                        continue;
                    }
                    self.out.push(event.clone());
                }
                Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                    let id = Some(CowStr::from(self.slug(at)));
                    let (level, classes, attrs) = (*level, classes.clone(), attrs.clone());
                    self.out.push(Event::Start(Tag::Heading { level, id, classes, attrs }));
                }
                Event::Start(Tag::BlockQuote(kind)) => {
                    self.out.push(event.clone());
                    if let Some(kind) = kind {
                        let title = format!("<p class=\"markdown-alert-title\">{}</p>\n", alert(*kind));
                        self.out.push(Event::Html(title.into()));
                    }
                }
                Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                    links += 1;
                    let dest_url = if safe(dest_url, &SCHEMES) { dest_url.clone() } else { CowStr::from("") };
                    let (link_type, title, id) = (*link_type, title.clone(), id.clone());
                    self.out.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
                }
                Event::End(TagEnd::Link) => {
                    links = links.saturating_sub(1);
                    self.out.push(event.clone());
                }
                Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                    let known = safe(dest_url, &SCHEMES) || safe(dest_url, &PICTURE_SCHEMES);
                    let dest_url = if known { dest_url.clone() } else { CowStr::from("") };
                    let (link_type, title, id) = (*link_type, title.clone(), id.clone());
                    self.out.push(Event::Start(Tag::Image { link_type, dest_url, title, id }));
                    links += 1;
                }
                Event::End(TagEnd::Image) => {
                    links = links.saturating_sub(1);
                    self.out.push(event.clone());
                }
                Event::Start(Tag::CodeBlock(_)) | Event::End(TagEnd::CodeBlock) => {
                    code = matches!(event, Event::Start(_));
                    self.out.push(event.clone());
                }
                // Footnotes get their ids from the sanitizer.
                Event::Html(_) | Event::InlineHtml(_) | Event::FootnoteReference(_) => {
                    self.raw = true;
                    self.out.push(event.clone());
                }
                Event::Text(text) if links == 0 && !code => self.text(text),
                _ => self.out.push(event.clone()),
            }
        }
    }

    /// A paragraph that is one reference: writes its figure and returns where it ends.
    fn figure(&mut self, start: usize) -> Option<usize> {
        let Some(Event::Start(Tag::Image { dest_url, title, .. })) = self.events.get(start) else { return None };
        if evidence_target(dest_url).is_none() && live_target(dest_url).is_none() {
            return None;
        }
        let length = self.events.get(start..)?.iter().position(|event| *event == Event::End(TagEnd::Image))?;
        let end = start + length + 1;
        if self.events.get(end) != Some(&Event::End(TagEnd::Paragraph)) {
            return None;
        }
        let alt = plain(self.events.get(start + 1..end)?);
        let mut figure = format!(
            "<figure class=\"reading-card\"><img src=\"{}\" alt=\"{}\" />",
            html_escape(dest_url),
            html_escape(&alt)
        );
        if !title.is_empty() {
            figure.push_str(&format!("<figcaption>{}</figcaption>", html_escape(title)));
        }
        figure.push_str("</figure>\n");
        self.out.push(Event::Html(figure.into()));
        Some(end + 1)
    }

    /// The id of the heading whose content starts here.
    fn slug(&mut self, start: usize) -> String {
        let rest = self.events.get(start..).unwrap_or_default();
        let end = rest.iter().position(|event| matches!(event, Event::End(TagEnd::Heading(_)))).unwrap_or(0);
        let slug = heading_id(plain(rest.get(..end).unwrap_or_default()).trim());
        let count = self.slugs.entry(slug.clone()).or_insert(0);
        let id = if *count == 0 { format!("{ID_PREFIX}{slug}") } else { format!("{ID_PREFIX}{slug}-{count}") };
        *count += 1;
        id
    }

    /// A text, with links of the addresses in it.
    fn text(&mut self, text: &CowStr<'a>) {
        if !text.contains("://") && !text.contains("www.") && !text.contains('@') {
            self.out.push(Event::Text(text.clone()));
            return;
        }
        let mut at = 0;
        let mut html = String::new();
        for captures in ADDRESS.captures_iter(text) {
            let Some(found) = captures.get(0) else { continue };
            if captures.name("mail").is_some() {
                if !found.as_str().ends_with(['-', '_']) {
                    html.push_str(&html_escape(text.get(at..found.start()).unwrap_or_default()));
                    html.push_str(&format!("<a href=\"mailto:{0}\">{0}</a>", found.as_str()));
                    at = found.end();
                }
                continue;
            }
            let before = text.get(..found.start()).and_then(|before| before.chars().next_back());
            if before.is_some_and(|char| !(char.is_whitespace() || "*_~(".contains(char))) {
                continue;
            }
            let shown = trimmed(found.as_str());
            if shown == "www" {
                continue;
            }
            html.push_str(&html_escape(text.get(at..found.start()).unwrap_or_default()));
            let scheme = if shown.starts_with("www.") { "http://" } else { "" };
            let shown_html = html_escape(shown);
            html.push_str(&format!("<a href=\"{scheme}{shown_html}\">{shown_html}</a>"));
            at = found.start() + shown.len();
        }
        html.push_str(&html_escape(text.get(at..).unwrap_or_default()));
        self.out.push(Event::InlineHtml(html.into()));
    }
}

/// An address without the punctuation that ends a sentence, and without a bracket that it does not open.
fn trimmed(address: &str) -> &str {
    let mut shown = address;
    loop {
        let cut = shown.trim_end_matches(['?', '!', '.', ',', ':', '*', '_', '~', '\'', '"']);
        let opened = cut.matches('(').count();
        let closed = cut.matches(')').count();
        let cut = if closed > opened { cut.strip_suffix(')').unwrap_or(cut) } else { cut };
        if cut == shown {
            return shown;
        }
        shown = cut;
    }
}

fn alert(kind: BlockQuoteKind) -> &'static str {
    match kind {
        BlockQuoteKind::Note => "Note",
        BlockQuoteKind::Tip => "Tip",
        BlockQuoteKind::Important => "Important",
        BlockQuoteKind::Warning => "Warning",
        BlockQuoteKind::Caution => "Caution",
    }
}

/// The text of events, without marks.
fn plain(events: &[Event<'_>]) -> String {
    let mut text = String::new();
    for event in events {
        match event {
            Event::Text(piece) | Event::Code(piece) => text.push_str(piece),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    text
}

/// A text for an element or an attribute of HTML.
fn html_escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Whether an address has one of the schemes, or none. Browsers ignore control characters and spaces within a scheme.
fn safe(address: &str, schemes: &[&str]) -> bool {
    let bare: String = address.chars().filter(|char| !char.is_control() && !char.is_whitespace()).collect();
    let Some(end) = bare.find([':', '/', '?', '#']) else { return true };
    let (start, rest) = bare.split_at(end);
    // `a):` is the beginning of a path.
    let named = start.starts_with(|char: char| char.is_ascii_alphabetic())
        && start.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char));
    !rest.starts_with(':') || !named || schemes.iter().any(|scheme| start.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_rendered_as_a_code_host_does() {
        let cases = [
            ("# One\n\n# One\n", "<h1 id=\"reading-one\">One</h1>\n<h1 id=\"reading-one-1\">One</h1>\n"),
            ("## `a` b — C!\n", "<h2 id=\"reading-a-b--c\"><code>a</code> b — C!</h2>\n"),
            ("a ~~b~~\n", "<p>a <del>b</del></p>\n"),
            ("- [x] a\n", "<ul>\n<li><input disabled=\"\" type=\"checkbox\" checked=\"\"/>\na</li>\n</ul>\n"),
            (
                "> [!TIP]\n> a\n",
                "<blockquote class=\"markdown-alert-tip\">\n<p class=\"markdown-alert-title\">Tip</p>\n<p>a</p>\n</blockquote>\n",
            ),
            ("---\ntitle: a\n---\n\nb\n", "<p>b</p>\n"),
            ("```py\na < b\n```\n", "<pre><code class=\"language-py\">a &lt; b\n</code></pre>\n"),
            (
                "see https://a.example/b_(c), and\n",
                "<p>see <a href=\"https://a.example/b_(c)\">https://a.example/b_(c)</a>, and</p>\n",
            ),
            (
                "`https://a.example` [b https://c.example](https://d.example)\n",
                "<p><code>https://a.example</code> <a href=\"https://d.example\">b https://c.example</a></p>\n",
            ),
            ("a\rb\n", "<p>a\nb</p>\n"),
            (
                "www., a@b.example: [c](d\\):)\n",
                "<p>www., <a href=\"mailto:a@b.example\">a@b.example</a>: <a href=\"d):\">c</a></p>\n",
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(reading(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_reference_that_is_alone_is_a_figure() {
        let id = "01JD4ZA0000000000000000001";
        let alone = reading(&format!("![A \"b\"](evidence:{id}?size=compact \"c < d\")\n"));
        assert_eq!(
            alone,
            format!(
                "<figure class=\"reading-card\"><img src=\"evidence:{id}?size=compact\" alt=\"A &quot;b&quot;\" /><figcaption>c &lt; d</figcaption></figure>\n"
            )
        );
        let within = reading(&format!("a ![b](live:{id}) c <b>d</b>\n"));
        assert_eq!(within, format!("<p>a <img src=\"live:{id}\" alt=\"b\"> c <b>d</b></p>\n"));
    }

    #[test]
    fn nothing_that_runs_or_leaves_the_page_is_left() {
        let texts = [
            "<script>alert(1)</script>\n",
            "<img src=x onerror=alert(1)>\n",
            "[a](javascript:alert(1))\n",
            "[a](JaVa&#10;Script:alert(1))\n",
            "[a](&#1;javascript:alert(1))\n",
            "![a](javascript:alert(1))\n",
            "<a href=\"javascript:alert(1)\">b</a>\n",
            "<svg onload=alert(1)><script>1</script></svg>\n",
            "<iframe src=\"https://a.example\"></iframe>\n",
            "<style>body { display: none }</style>\n",
            "<p style=\"position: fixed\" class=\"offline\">a</p>\n",
            "<form action=\"https://a.example\"><input name=a><button>b</button></form>\n",
            "<details ontoggle=alert(1) open><summary>a</summary>b</details>\n",
            "```\\\"><script>alert(1)</script>\na\n```\n",
            "[a]: javascript:alert(1)\n\n[a]\n",
            "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>\n",
            "# <img src=x onerror=alert(1)>\n",
            "a[^x\"onclick=1]\n\n[^x\"onclick=1]: b\n",
            "[a](data:text/html,<script>alert(1)</script>)\n",
            "[a](vbscript:x) <vbscript:x>\n",
        ];
        let element = regex::Regex::new(r"<[^>]*").expect("a pattern");
        for text in texts {
            let page = reading(text);
            for tag in element.find_iter(&page) {
                let tag = tag.as_str().to_ascii_lowercase();
                for bad in [
                    "<script", "<iframe", "<style", "<form", "<svg", "<math", "<button", "script:", "data:", " on",
                    "position", "offline",
                ] {
                    assert!(!tag.contains(bad), "{text:?} became {page:?}");
                }
            }
        }
    }

    #[test]
    fn ids_have_the_prefix_once() {
        let page = reading("# A\n\n<a id=\"b\"></a> c[^1]\n\n[^1]: d\n");
        assert!(page.contains("<h1 id=\"reading-a\">"), "{page}");
        assert!(page.contains("id=\"reading-b\""), "{page}");
        assert!(page.contains("id=\"reading-1\""), "{page}");
    }
}
