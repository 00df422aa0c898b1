//! The title of a text.

use std::sync::LazyLock;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use regex::Regex;

use super::page::{OPTIONS, lone_cr_as_lf};
use crate::inline::one_line;

#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static H1: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?is)<h1\b[^>]*>(.*?)</h1\s*>").unwrap());
#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static ELEMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)<[^>]*>").unwrap());
#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)<!--.*?(?:-->|$)").unwrap());

/// Longer texts have their title at the beginning, too.
const SEARCHED: usize = 64 * 1024;

/// The title of a text: `title` of its front matter, else its first heading, whether with `#`, underlined, or `<h1>`.
/// Without markup, on one line; `None` if there is none.
pub fn title(body: &str) -> Option<String> {
    let body = body.trim_start_matches('\u{feff}');
    let body = lone_cr_as_lf(&body[..body.floor_char_boundary(SEARCHED)]);
    match front_matter(body.trim_start()) {
        Some((Some(title), _)) => Some(title),
        Some((None, rest)) => heading(rest),
        None => heading(&body),
    }
}

/// `title` of a front matter of YAML (`---`) or TOML (`+++`), and the text after it.
fn front_matter(body: &str) -> Option<(Option<String>, &str)> {
    let fence = ["---", "+++"].into_iter().find(|fence| body.starts_with(fence))?;
    let (first, rest) = body.split_once('\n')?;
    if first.trim_end() != fence {
        return None;
    }
    let mut title = None;
    let mut read = 0;
    for line in rest.split_inclusive('\n') {
        read += line.len();
        if line.trim_end() == fence || (fence == "---" && line.trim_end() == "...") {
            return Some((title, &rest[read..]));
        }
        let sign = if fence == "---" { ':' } else { '=' };
        if let Some((key, value)) = line.split_once(sign)
            && key.trim_end().eq_ignore_ascii_case("title")
        {
            let value = value.trim();
            let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            let value = one_line(quoted.unwrap_or(value));
            title = (!value.is_empty() && !matches!(value.as_str(), "|" | ">")).then_some(value);
        }
    }
    // Without its end it is a rule and text.
    None
}

fn heading(body: &str) -> Option<String> {
    let mut text: Option<String> = None;
    let mut html = String::new();
    for event in Parser::new_ext(body, OPTIONS) {
        match (event, &mut text) {
            (Event::Start(Tag::Heading { .. }), _) => text = Some(String::new()),
            (Event::End(TagEnd::Heading(_)), Some(found)) => {
                let found = one_line(found);
                if !found.is_empty() {
                    return Some(found);
                }
                text = None;
            }
            (Event::Text(piece) | Event::Code(piece), Some(found)) => found.push_str(&piece),
            (Event::SoftBreak | Event::HardBreak, Some(found)) => found.push(' '),
            (Event::Html(piece) | Event::InlineHtml(piece), None) => html.push_str(&piece),
            // `<h1>` within a paragraph.
            (Event::Text(piece), None) if !html.is_empty() => html.push_str(&piece),
            (Event::End(TagEnd::HtmlBlock | TagEnd::Paragraph), None) => {
                let html_text = COMMENT.replace_all(&html, "");
                let inner = H1.captures(&html_text).map(|found| ELEMENT.replace_all(&found[1], "").into_owned());
                let inner = inner.map(|inner| one_line(&super::links::unescape(&inner)));
                if let Some(inner) = inner.filter(|inner| !inner.is_empty()) {
                    return Some(inner);
                }
                html.clear();
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn every_form_of_a_title_is_read() {
        let week = Some("Week 2 — Distributed Tracing");
        for body in [
            "\u{feff}\r\n# Week 2 — Distributed Tracing ##\r\n",
            "Week 2 — Distributed Tracing\n============================\n\nInsert image of traces\n",
            "Week 2 — Distributed Tracing\r\n---\r\n",
            "Week 2 —\nDistributed Tracing\n===\n",
            "# **Week 2** — [Distributed *Tracing*](x.md)\n",
            "# Week 2 — `Distributed` <b>Tracing</b>\n",
            "text\n\n## Week 2 &mdash; Distributed Tracing\n",
            "<h1 align=\"center\">Week 2 — <em>Distributed</em>\n Tracing</h1>\n\n# Other\n",
            "Text <h1>Week 2 — Distributed Tracing</h1>\n",
            "---\nlayout: post\ntitle: \"Week 2 — Distributed Tracing\"\n---\n\n# Other\n",
            "---\nTitle: Week 2 — Distributed Tracing\n---\n",
            "+++\ntitle = 'Week 2 — Distributed Tracing'\n+++\n# Other",
            "---\nlayout: post\n---\n\n# Week 2 — Distributed Tracing\n",
            "#\n\n# Week 2 — Distributed Tracing\n",
            "#\u{a0}no\n\n# Week 2 — Distributed Tracing\rtext",
        ] {
            assert_eq!(title(body).as_deref(), week, "{body:?}");
        }
        for none in
            ["no heading\n#nope", "", "```\n# code\n```\n", "    # code\n", "---\ntitle: x\n", "<!-- <h1>x</h1> -->"]
        {
            assert_eq!(title(none), None, "{none:?}");
        }
    }
}
