//! What a text says, apart from how it is written: for comparing a block of an export with what a formatter made of it.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::page::{OPTIONS, Page, lone_cr_as_lf, read};

/// Divides text nodes in exports, and shows nothing.
const BREAK: &str = "<!-- -->";

/// The blocks, cells, elements and texts of a Markdown text, in order. Blank lines, the padding and alignment of
/// tables, line breaks within a paragraph, the way in which a character is escaped, and whether `<details>` is open, do
/// not count. Of a picture, its target and title count, but not its alternative text.
pub(crate) fn shape(text: &str) -> Vec<String> {
    let text = lone_cr_as_lf(text);
    let mut shape = Shape::default();
    for event in Parser::new_ext(&text, OPTIONS) {
        shape.event(event);
    }
    shape.finish()
}

/// The page and the shape of a text, by one parse.
pub(crate) fn page_and_shape(text: &str) -> (Page, Vec<String>) {
    let mut shape = Shape::default();
    let page = read(text, |event| shape.event(event.clone()));
    (page, shape.finish())
}

#[derive(Default)]
struct Shape {
    tokens: Vec<String>,
    text: String,
    html: String,
    /// How many pictures are open.
    pictures: usize,
}

impl Shape {
    fn finish(mut self) -> Vec<String> {
        self.end_of_text();
        self.html_ends();
        self.tokens
    }

    fn event(&mut self, event: Event<'_>) {
        if !matches!(event, Event::Html(_) | Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock)) {
            self.html_ends();
        }
        match event {
            Event::Html(html) => self.html.push_str(&html),
            Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
            Event::End(TagEnd::Image) => self.pictures = self.pictures.saturating_sub(1),
            _ if self.pictures > 0 => self.pictures += usize::from(matches!(event, Event::Start(Tag::Image { .. }))),
            Event::Text(text) => self.text.push_str(&text),
            Event::SoftBreak => self.text.push(' '),
            Event::InlineHtml(html) if &*html == BREAK => {}
            Event::InlineHtml(html) => {
                let html = html.replace("<br/>", "<br>").replace("<br />", "<br>");
                self.token(format!("element {html}"));
            }
            Event::Start(Tag::Image { dest_url, title, .. }) => {
                self.token(format!("picture {dest_url} {title}"));
                self.pictures = 1;
            }
            // Its alignment does not count.
            Event::Start(Tag::Table(_)) => self.token("table".to_owned()),
            other => self.token(format!("{other:?}")),
        }
    }

    fn token(&mut self, token: String) {
        self.end_of_text();
        self.tokens.push(token);
    }

    fn end_of_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim_matches(' ');
        if !text.is_empty() {
            self.tokens.push(format!("text {text}"));
        }
    }

    /// Adjacent blocks of HTML are one, because only blank lines divide them.
    fn html_ends(&mut self) {
        let html = std::mem::take(&mut self.html);
        let html: String = html.lines().map(str::trim).collect();
        if html.is_empty() {
            return;
        }
        let closed = ["<details open>", "<details open=\"\">", "<details open=\"open\">"]
            .iter()
            .fold(html, |html, open| html.replace(open, "<details>"));
        self.token(format!("html {closed}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "<!-- a -->\n![x](y.svg)\n\n<em>c</em><br><sub>p &#58;<!-- -->1 \\_ s</sub>\n\n\
                         <details><summary>1 row</summary>\n\n| A | B |\n| --- | --- |\n| 1 | a_b |\n\n</details>\n\n<!-- /a -->";

    #[test]
    fn what_formatters_change_does_not_count() {
        for other in [
            BLOCK.replace("-->\n!", "-->\n\n!"),
            BLOCK.replace("\n\n", "\n\n\n"),
            BLOCK.replace('\n', "\r\n"),
            BLOCK.replace("| A | B |\n| --- | --- |\n| 1 | a_b |", "| A   |    B |\n| :-- | ---: |\n| 1   |  a_b |"),
            BLOCK.replace("<details>", "<details open>"),
            BLOCK.replace("<details>", "<details>\n"),
            BLOCK.replace("<br>", "<br />"),
            BLOCK.replace("&#58;<!-- -->1 \\_ s", ":1 _ s"),
            BLOCK.replace(":<!-- -->1 ", ":1\n"),
            BLOCK.replace("a_b", "a\\_b"),
            BLOCK.replace("![x]", "![another]"),
        ] {
            assert_eq!(shape(&other), shape(BLOCK), "{other}");
        }
    }

    #[test]
    fn other_words_and_targets_count() {
        for other in [
            BLOCK.replace("a_b", "a*b*"),
            BLOCK.replace("| 1 |", "| 1 1 |"),
            BLOCK.replace("| 1 | a_b |\n", "| 1 | a_b |\n| 2 | c |\n"),
            BLOCK.replace("y.svg", "z.svg"),
            BLOCK.replace("</details>\n\n", ""),
            BLOCK.replace("<summary>1", "<summary>2"),
            BLOCK.replace("</summary>\n\n", "</summary>\n"),
            BLOCK.replace("a_b", "a<!-- x -->b"),
            BLOCK.replace("a_b", "<b>a_b</b>"),
            BLOCK.replace("a_b", "[a_b](x)"),
        ] {
            assert_ne!(shape(&other), shape(BLOCK), "{other}");
        }
    }
}
