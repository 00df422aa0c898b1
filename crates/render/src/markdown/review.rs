//! What readers of a published text would stumble over: missing targets, empty sections, leftovers.

use core::net::IpAddr;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use regex::Regex;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::lines::Lines;
use super::links::{percent_decode, unescape};
use super::page::{OPTIONS, lone_cr_as_lf};
use super::{evidence_target, live_target};
use crate::inline::one_line;

/// The kind of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// Something that looks like a credential.
    Leak,
    /// A place for evidence that is empty.
    Slot,
    /// Evidence or a live card that the export cannot show.
    Evidence,
    /// A picture that is missing.
    Picture,
    /// A link to a file that is missing.
    Link,
    /// A link to a heading that does not exist.
    Anchor,
    /// A heading with nothing below it.
    EmptySection,
    /// `TODO`, `FIXME` or filler text.
    Todo,
    /// A picture whose alternative text says nothing.
    AltText,
    /// A link that stops working, or works on one machine only.
    Expires,
    /// Required homework without its evidence.
    Homework,
    /// Evidence that was captured long before the entry was begun.
    OldEvidence,
}

impl ProblemKind {
    /// The name in the command line's output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::Slot => "slot",
            Self::Evidence => "evidence",
            Self::Picture => "picture",
            Self::Link => "link",
            Self::Anchor => "anchor",
            Self::EmptySection => "empty-section",
            Self::Todo => "todo",
            Self::AltText => "alt-text",
            Self::Expires => "expires",
            Self::Homework => "homework",
            Self::OldEvidence => "old-evidence",
        }
    }
}

/// A problem at a line of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// From 1.
    pub line: usize,
    pub kind: ProblemKind,
    /// What is wrong, as a sentence without its full stop.
    pub message: String,
}

/// The problems that a text has by itself, by line. Credentials, files and the journal's content are not looked at.
pub fn review(body: &str) -> Vec<Finding> {
    let bom = if body.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = lone_cr_as_lf(&body[bom..]);
    let lines = Lines::of(body);
    let mut reader = Reader::default();
    for (event, range) in Parser::new_ext(&text, OPTIONS).into_offset_iter() {
        reader.event(event, &range);
    }
    let mut found = reader.finish();
    found.sort_by_key(|(at, kind, _)| (*at, *kind));
    found.dedup();
    found.into_iter().map(|(at, kind, message)| Finding { line: lines.line(at + bom), kind, message }).collect()
}

#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static LEFTOVER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(TODO|FIXME|TBD|XXX)\b|(?i:\blorem ipsum\b)").unwrap());
#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static BARE_URL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"https?://[^\s<>"')\]]+"#).unwrap());
#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?is)\b(id|name|href|src|alt)\s*=\s*(?:"([^"]*)"|'([^']*)')"#).unwrap());
#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static ELEMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?is)<(a|img|[a-z][a-z0-9]*)\b[^>]*>").unwrap());
#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)<!--.*?(?:-->|$)").unwrap());
/// Names that programs give to pictures.
#[expect(clippy::unwrap_used, reason = "fixed patterns that the tests use")]
static FILE_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^(
            .*\.(png|jpe?g|gif|svg|webp|avif|bmp)
            | (alt\x20?text|alt|image|img|pic|picture|photo|screenshot|screen\x20?shot|screen\x20capture|capture|figure|untitled
               |imagen|captura|captura\x20de\x20pantalla|imagem|captura\x20de\x20tela|bild|bildschirmfoto|capture\x20d.écran)
              [\x20_\-:]*[\d\s_.:\-]*(at\x20[\d.:\s]+)?([ap]m)?
            | (img|dsc|pxl|screenshot)[_\-]?\d[\d_\-]*
            | \d[\d\s_.\-]*
        )$",
    )
    .unwrap()
});

/// A heading and what stands below it, up to the next one.
struct Section {
    at: usize,
    level: HeadingLevel,
    text: String,
    filled: bool,
}

#[derive(Default)]
struct Reader {
    found: Vec<(usize, ProblemKind, String)>,
    sections: Vec<Section>,
    /// The heading being read.
    heading: Option<(usize, HeadingLevel, String)>,
    /// The pictures being read: place, target, alternative text.
    pictures: Vec<(usize, String, String)>,
    /// The ids that links can refer to, in lower case.
    ids: HashSet<String>,
    /// How often each heading's id was given.
    given: BTreeMap<String, usize>,
    /// Links within the text.
    fragments: Vec<(usize, String)>,
    code: bool,
    front_matter: bool,
    link: bool,
    /// HTML that is given in pieces.
    html: String,
    html_at: Option<Range<usize>>,
    words: Option<(Range<usize>, String)>,
}

impl Reader {
    fn add(&mut self, at: usize, kind: ProblemKind, message: impl Into<String>) {
        self.found.push((at, kind, message.into()));
    }

    fn event(&mut self, event: Event<'_>, range: &Range<usize>) {
        if !matches!(event, Event::Html(_) | Event::InlineHtml(_)) {
            self.end_html();
        }
        if !matches!(event, Event::Text(_)) {
            self.end_words();
        }
        match event {
            Event::Start(Tag::Heading { level, .. }) => self.heading = Some((range.start, level, String::new())),
            Event::End(TagEnd::Heading(_)) => self.end_heading(),
            Event::Start(Tag::CodeBlock(_)) => self.code = true,
            Event::End(TagEnd::CodeBlock) => self.code = false,
            Event::Start(Tag::MetadataBlock(_)) => self.front_matter = true,
            Event::End(TagEnd::MetadataBlock(_)) => self.front_matter = false,
            Event::Start(Tag::Link { dest_url, .. }) => {
                self.link = true;
                self.target(range.start, &dest_url);
            }
            Event::End(TagEnd::Link) => self.link = false,
            Event::Start(Tag::Image { dest_url, .. }) => {
                self.pictures.push((range.start, dest_url.to_string(), String::new()));
            }
            Event::End(TagEnd::Image) => {
                if let Some((at, destination, alt)) = self.pictures.pop() {
                    self.picture(at, &destination, &alt);
                }
            }
            Event::Text(text) => self.text(&text, range),
            Event::Code(text) => self.plain(&text),
            Event::Html(html) | Event::InlineHtml(html) => {
                self.html.push_str(&html);
                self.html_at = Some(self.html_at.as_ref().map_or(range.start, |at| at.start)..range.end);
            }
            Event::SoftBreak | Event::HardBreak => self.plain(" "),
            Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::TaskListMarker(_)
            | Event::Rule
            | Event::Start(_)
            | Event::End(_) => {}
        }
    }

    /// Text of any kind: it fills a section, and is part of a heading and of an alternative text.
    fn plain(&mut self, text: &str) {
        if self.front_matter {
            return;
        }
        if let Some((.., alt)) = self.pictures.last_mut() {
            alt.push_str(text);
        }
        if let Some((.., heading)) = &mut self.heading {
            heading.push_str(text);
        } else if !text.trim().is_empty() {
            self.fill();
        }
    }

    fn fill(&mut self) {
        if let Some(section) = self.sections.last_mut() {
            section.filled = true;
        }
    }

    fn text(&mut self, text: &str, range: &Range<usize>) {
        self.plain(text);
        if self.code || self.front_matter || !self.pictures.is_empty() {
            return;
        }
        // Given in pieces where characters are escaped.
        match &mut self.words {
            Some((known, words)) => {
                words.push_str(text);
                known.end = range.end;
            }
            None => self.words = Some((range.clone(), text.to_owned())),
        }
    }

    fn end_words(&mut self) {
        let Some((range, words)) = self.words.take() else { return };
        for leftover in LEFTOVER.find_iter(&words) {
            self.leftover(range.start, leftover.as_str());
        }
        if !self.link {
            for url in BARE_URL.find_iter(&words) {
                // A sentence may end with it.
                self.expires(range.start, url.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?']));
            }
        }
    }

    fn leftover(&mut self, at: usize, word: &str) {
        self.add(at, ProblemKind::Todo, format!("{word:?} is left in the text"));
    }

    fn end_heading(&mut self) {
        let Some((at, level, text)) = self.heading.take() else { return };
        let text = one_line(&text);
        let id = heading_id(&text);
        let given = self.given.entry(id.clone()).or_default();
        self.ids.insert(if *given == 0 { id } else { format!("{id}-{given}") });
        *given += 1;
        self.sections.push(Section { at, level, text, filled: false });
    }

    fn picture(&mut self, at: usize, destination: &str, alt: &str) {
        self.fill();
        let ours = evidence_target(destination).is_some() || live_target(destination).is_some();
        // Evidence without a text of its own gets one, and a picture without a target is a slot.
        if ours || destination.trim().is_empty() {
            return;
        }
        self.alt(at, destination, alt);
        self.expires(at, destination);
    }

    fn alt(&mut self, at: usize, destination: &str, alt: &str) {
        let alt = one_line(alt);
        if alt.is_empty() {
            self.add(at, ProblemKind::AltText, format!("the picture {destination} has no alternative text"));
        } else if FILE_NAME.is_match(&alt) {
            let message = format!("the alternative text {alt:?} does not say what the picture shows");
            self.add(at, ProblemKind::AltText, message);
        }
    }

    fn target(&mut self, at: usize, destination: &str) {
        match destination.strip_prefix('#') {
            Some(fragment) => self.fragments.push((at, percent_decode(fragment))),
            None => self.expires(at, destination),
        }
    }

    fn expires(&mut self, at: usize, url: &str) {
        if let Some(why) = lifetime(url) {
            let shown = url.split(['?', '#']).next().unwrap_or(url);
            self.add(at, ProblemKind::Expires, format!("{shown} {why}"));
        }
    }

    /// Tags may span the lines of a block, which the parser gives one by one.
    fn end_html(&mut self) {
        let Some(range) = self.html_at.take() else { return };
        let html = std::mem::take(&mut self.html);
        for comment in COMMENT.find_iter(&html) {
            for leftover in LEFTOVER.find_iter(comment.as_str()) {
                self.leftover(range.start + comment.start(), leftover.as_str());
            }
        }
        // Kept as long as they were, for the places of what follows.
        let shown = COMMENT.replace_all(&html, |comment: &regex::Captures<'_>| " ".repeat(comment[0].len()));
        if !shown.trim().is_empty() {
            self.fill();
        }
        for element in ELEMENT.captures_iter(&shown) {
            let (Some(whole), Some(name)) = (element.get(0), element.get(1)) else { continue };
            let at = range.start + whole.start();
            let mut attributes: BTreeMap<String, String> = BTreeMap::new();
            for attribute in ATTRIBUTE.captures_iter(whole.as_str()) {
                let value = attribute.get(2).or(attribute.get(3)).map_or("", |value| value.as_str());
                attributes.insert(attribute[1].to_ascii_lowercase(), unescape(value));
            }
            for key in ["id", "name"] {
                self.ids.extend(attributes.get(key).map(|id| id.to_lowercase()));
            }
            if name.as_str().eq_ignore_ascii_case("img") {
                let source = attributes.get("src").cloned().unwrap_or_default();
                self.alt(at, &source, attributes.get("alt").map_or("", String::as_str));
                self.expires(at, &source);
            } else if name.as_str().eq_ignore_ascii_case("a")
                && let Some(target) = attributes.get("href")
            {
                self.target(at, target);
            }
        }
    }

    fn finish(mut self) -> Vec<(usize, ProblemKind, String)> {
        self.end_html();
        self.end_words();
        for (at, fragment) in std::mem::take(&mut self.fragments) {
            // The top of a page is always there, and footnotes get ids from their renderer.
            let id = fragment.to_lowercase();
            let id = id.strip_prefix("user-content-").unwrap_or(&id);
            let known = id.is_empty() || id == "top" || id.starts_with("fn") || self.ids.contains(id);
            if !known {
                self.add(at, ProblemKind::Anchor, format!("no heading of this text is #{fragment}"));
            }
        }
        let sections = std::mem::take(&mut self.sections);
        for (i, section) in sections.iter().enumerate() {
            let has_parts = sections.get(i + 1).is_some_and(|next| next.level > section.level);
            if !section.filled && !has_parts {
                let message = format!("there is nothing below the heading {:?}", section.text);
                self.add(section.at, ProblemKind::EmptySection, message);
            }
        }
        self.found
    }
}

/// The id that code hosts give a heading: lower case, blanks as hyphens, without punctuation.
///
/// Source: `github.com/gjtorikian/html-pipeline`, `TableOfContentsFilter`.
pub(super) fn heading_id(text: &str) -> String {
    let kept = text.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_') || is_mark(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Combining marks, which belong to letters.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

/// Why a URL stops working, or does not work elsewhere; `None` if it does.
fn lifetime(url: &str) -> Option<&'static str> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        url.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme)).map(|_| &url[scheme.len()..])
    })?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let host = host.to_ascii_lowercase();
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let has = |name: &str| {
        query.split('&').any(|pair| pair.split('=').next().is_some_and(|key| key.eq_ignore_ascii_case(name)))
    };
    let below = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));

    let signed = has("X-Amz-Signature")
        || has("X-Goog-Signature")
        || (has("Signature") && has("Expires"))
        || (has("sig") && has("se"))
        || (has("jwt") && below("githubusercontent.com"))
        || (has("ex") && has("hm") && (below("discordapp.com") || below("discordapp.net")));
    if signed {
        return Some("is a signed link that expires");
    }
    /// Workspaces, previews and tunnels: their hosts end with the workspace.
    const TEMPORARY: [&str; 14] = [
        "gitpod.io",
        "app.github.dev",
        "githubpreview.dev",
        "cloud9.us-east-1.amazonaws.com",
        "vfs.cloud9.amazonaws.com",
        "ngrok.io",
        "ngrok.app",
        "ngrok-free.app",
        "ngrok.dev",
        "trycloudflare.com",
        "loca.lt",
        "csb.app",
        "stackblitz.io",
        "webcontainer.io",
    ];
    let named = |domain: &str| host == domain || host.strip_prefix("www.") == Some(domain);
    if TEMPORARY.iter().any(|domain| below(domain) && !named(domain)) {
        return Some("belongs to a workspace or tunnel, and ends with it");
    }
    let private = match host.parse() {
        Ok(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified(),
        Ok(IpAddr::V6(v6)) => v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local(),
        Err(_) => host == "localhost" || host.ends_with(".localhost") || host.ends_with(".local"),
    };
    private.then_some("works on this machine or network only")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(body: &str) -> Vec<(usize, &'static str)> {
        review(body).into_iter().map(|found| (found.line, found.kind.word())).collect()
    }

    #[test]
    fn a_finished_text_has_no_problems() {
        let text = "---\ntitle: TODO list\n---\n# Week 2\n\nIntro, see [the traces](#the-traces-1) and [top](#).\n\n\
                    ## Tracing\n\n### The traces\n\ntext\n\n### The traces\n\n![Waterfall of the home feed](a.png)\n\n\
                    ## Code\n\n```sh\n# TODO in code is part of it\ncurl http://localhost:4567\n```\n\n\
                    ## `TODO` as code\n\nSee `http://localhost:3000`, [docs](https://example.org/a?x=1#b).\n";
        assert_eq!(kinds(text), []);
    }

    #[test]
    fn empty_sections_are_reported_once() {
        let text = "# Week 2\n\n## Required\n\n### Honeycomb\n\n### X-Ray\n<!-- later -->\n\n### Logs\n\n- \n\n## Optional\n---\n";
        assert_eq!(
            kinds(text),
            [(5, "empty-section"), (7, "empty-section"), (10, "empty-section"), (14, "empty-section")]
        );
        assert_eq!(kinds("Title\n===\n\nOther\n---\n"), [(4, "empty-section")]);
        assert_eq!(kinds("# A\n\n![Traces]()\n"), [], "an open slot is a problem of its own");
        assert_eq!(kinds("# A\n\n| a |\n|---|\n| b |\n"), []);
        assert_eq!(kinds("# A\n\n```\n\n```\n"), [(1, "empty-section")]);
    }

    #[test]
    fn links_to_headings_are_those_of_code_hosts() {
        let text = "# Añadir: X-Ray & `code`!\n\ntext <a id=\"Here\"></a>\n\n## Über uns\n\ntext[^1]\n\n[^1]: note\n\n";
        for link in
            ["#añadir-x-ray--code", "#a%C3%B1adir-x-ray--code", "#here", "#über-uns", "#user-content-here", "#fn1"]
        {
            assert_eq!(kinds(&format!("{text}[x]({link})\n")), [], "{link}");
        }
        for link in ["#anadir", "#xray", "#uber-uns"] {
            assert_eq!(kinds(&format!("{text}[x]({link})\n")), [(11, "anchor")], "{link}");
        }
        assert_eq!(kinds("# A\n\n<a href=\"#b\">b</a>\n"), [(3, "anchor")]);
    }

    #[test]
    fn leftovers_are_words_of_their_own() {
        for text in ["TODO: describe", "**FIXME**", "- [ ] TBD", "> XXX", "<!-- TODO -->", "Lorem ipsum dolor"] {
            assert_eq!(kinds(text), [(1, "todo")], "{text}");
        }
        for text in ["A todo app", "TODOS", "`TODO`", "the TodoMVC", "the \\[TODOs\\] of"] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }

    #[test]
    fn an_alternative_text_says_what_a_picture_shows() {
        for alt in [
            "",
            " ",
            "image",
            "Image 3",
            "Screenshot 2023-03-01 at 10.15.02",
            "Screenshot 2023-03-01 at 10.15.02 PM",
            "screenshot.png",
            "home page.JPG",
            "IMG_1234",
            "20230301",
            "captura de pantalla",
            "Bildschirmfoto 2",
            "alt text",
        ] {
            assert_eq!(kinds(&format!("![{alt}](a.png)")), [(1, "alt-text")], "{alt}");
        }
        for alt in ["Image of the cluster", "Trace of GET /api", "Screenshot of Rollbar", "3 errors", "Pictures"] {
            assert_eq!(kinds(&format!("![{alt}](a.png)")), [], "{alt}");
        }
        assert_eq!(kinds("<img src=\"a.png\"\n  width=\"3\">"), [(1, "alt-text")]);
        assert_eq!(kinds("<img src=\"a.png\" alt=\"Trace of GET /api\">"), []);
        assert_eq!(kinds("![](evidence:01JABCDEFGHJKMNPQRSTVWXYZ0)"), [], "it gets a text of its own");
    }

    #[test]
    fn links_that_end_or_work_here_only_are_reported() {
        for url in [
            "https://bucket.s3.amazonaws.com/a.png?X-Amz-Expires=300&X-Amz-Signature=abc",
            "https://x.cloudfront.net/a?Expires=1&Signature=b&Key-Pair-Id=c",
            "https://x.blob.core.windows.net/a.png?sv=1&se=2023&sig=abc",
            "https://private-user-images.githubusercontent.com/1/a.png?jwt=abc",
            "https://cdn.discordapp.com/attachments/1/2/a.png?ex=1&is=2&hm=3",
            "https://4567-org-repo-abc.ws-eu89.gitpod.io/api",
            "https://fuzzy-goggles-3000.app.github.dev/",
            "https://abc.ngrok.io",
            "http://localhost:4567/api",
            "http://127.0.0.1:3000",
            "http://[::1]:3000/x",
            "http://192.168.1.20/",
            "http://printer.local/",
        ] {
            for text in
                [format!("[x]({url})"), format!("<{url}>"), format!("at {url}, now"), format!("![Trace of it]({url})")]
            {
                assert_eq!(kinds(&text), [(1, "expires")], "{text}");
            }
        }
        for url in [
            "https://www.gitpod.io/docs",
            "https://ngrok.com/x",
            "https://example.org/?sig=none",
            "https://aws.amazon.com/?Expires=1",
            "https://8.8.8.8/",
            "mailto:a@localhost",
        ] {
            assert_eq!(kinds(&format!("[x]({url})")), [], "{url}");
        }
    }

    #[test]
    fn lines_are_counted_with_a_byte_order_mark_and_every_line_ending() {
        assert_eq!(kinds("\u{feff}# A\r\n\r\nTODO\r\n"), [(3, "todo")]);
        assert_eq!(kinds("# A\r\rTODO\r"), [(3, "todo")]);
    }
}
