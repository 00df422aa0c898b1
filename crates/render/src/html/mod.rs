//! An export as one page: readable offline, with its files in it.
//!
//! The page is a function of the files of an export alone, so that a reader's program can unpack them and draw the
//! page again. Nothing in it is loaded from elsewhere: its content security policy allows pictures within the page, one
//! style and one script, each by its digest.

mod tags;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tracebook_core::canonical::digest;
use tracebook_core::doubts::{self, Doubt};
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_core::picture::Format;
use tracebook_core::text::{grouped, is_hidden};

use self::tags::{Tag, rewrite};
use crate::card::{self, Form, RENDERER, Size, Width, short_digest};
use crate::import;
use crate::manifest::{self, Manifest};
use crate::markdown::{ID_PREFIX, evidence_target, live_target, percent_decode, reading, title};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// What surrounds the packed files.
const DATA: &str = "<script type=\"application/zip\" id=\"tracebook\">";
const DATA_END: &str = "</script>";
/// How every page of this program begins.
const BEGIN: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"generator\" content=\"Tracebook, renderer ";
/// The folder of the texts.
const JOURNAL: &str = "journal";

/// The files of an export by their paths.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a page of this program contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedded<'a> {
    /// The renderer that wrote it.
    pub renderer: &'a str,
    /// Its packed files, in base64.
    pub data: &'a str,
}

/// What a page contains; `None` if this program did not write it.
pub fn embedded(page: &str) -> Option<Embedded<'_>> {
    let rest = page.trim_start_matches('\u{feff}').strip_prefix(BEGIN)?;
    let renderer = rest.split('"').next()?;
    // The files come last, behind everything that a text could contain.
    let (_, behind) = page.rsplit_once(DATA)?;
    let data = behind.split('<').next()?;
    Some(Embedded { renderer, data })
}

/// Whether a page was written by the renderer of this version.
pub fn is_current(embedded: &Embedded<'_>) -> bool {
    embedded.renderer == RENDERER
}

/// The page of an export. `data` is the same export, packed and in base64.
pub fn page(files: &Files, data: &str) -> String {
    let entries = entries(files);
    let name = match &entries[..] {
        [one] => one.title.clone(),
        _ => "Journal".to_owned(),
    };
    let policy = format!(
        "default-src 'none'; img-src data:; style-src '{}'; style-src-attr 'unsafe-inline'; script-src '{}'; \
         base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let mut html = format!(
        "{BEGIN}{RENDERER}\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n<body>\n<div id=\"tools\" hidden>\
         <input id=\"find\" type=\"search\" placeholder=\"Search in evidence\" aria-label=\"Search in evidence\">\
         <output id=\"count\"></output><button id=\"all\">Open or close all</button></div>\n",
        escape(&name)
    );
    if entries.len() > 1 {
        html.push_str("<nav><ul>\n");
        for (n, entry) in entries.iter().enumerate() {
            html.push_str(&format!("<li><a href=\"#e{n}\">{}</a>\n", escape(&entry.title)));
        }
        html.push_str("</ul></nav>\n");
    }
    html.push_str("<main>\n");
    for (n, entry) in entries.iter().enumerate() {
        html.push_str(&format!("<article id=\"e{n}\">\n{}</article>\n", article(n, entry, &entries, files)));
    }
    html.push_str(&format!("</main>\n<script>{SCRIPT}</script>\n{DATA}{data}{DATA_END}\n"));
    html
}

/// An entry of the export.
struct Entry {
    /// Relative to the export: `journal/week1.md`.
    path: String,
    title: String,
    body: String,
    evidence: BTreeMap<Id, Frozen>,
    /// The evidence of its live cards.
    live: BTreeMap<Id, Id>,
    doubts: BTreeMap<Id, Vec<Doubt>>,
}

/// The entries in the order of the manifest.
fn entries(files: &Files) -> Vec<Entry> {
    let manifest = files.get(&format!("{JOURNAL}/{}", manifest::NAME)).and_then(|bytes| Manifest::read(bytes));
    let listed: Vec<String> =
        manifest.iter().flat_map(|manifest| &manifest.lines).map(|line| format!("{JOURNAL}/{}", line.file)).collect();
    let place = |path: &String| listed.iter().position(|listed| listed == path).unwrap_or(usize::MAX);
    let is_text = |path: &&String| path.ends_with(".md") && path.matches('/').count() == 1 && path.starts_with(JOURNAL);
    let mut paths: Vec<&String> = files.keys().filter(is_text).collect();
    paths.sort_by_key(|path| place(path));
    paths.into_iter().map(|path| entry(path, files)).collect()
}

fn entry(path: &str, files: &Files) -> Entry {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let stem = path.strip_prefix(&format!("{folder}/")).unwrap_or(path).trim_end_matches(".md");
    let text = |path: &str| files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let md = text(path).unwrap_or_default();
    let read = |relative: &str| files.get(&format!("{folder}/{relative}")).cloned();
    let about = text(&format!("{folder}/assets/{stem}/entry.json"));
    let imported = about.and_then(|about| import::exported(&md, &about, &read).ok());
    let mut entry = Entry {
        path: path.to_owned(),
        title: String::new(),
        body: md,
        evidence: BTreeMap::new(),
        live: BTreeMap::new(),
        doubts: BTreeMap::new(),
    };
    if let Some(imported) = imported {
        entry.body = imported.body;
        entry.evidence = imported.evidence.into_iter().map(|frozen| (frozen.evidence.id, frozen)).collect();
        entry.live = imported.live.iter().filter_map(|live| Some((live.card.id, live.frozen?))).collect();
        entry.doubts = imported.doubts;
    }
    entry.title = title(&entry.body).unwrap_or_else(|| stem.to_owned());
    entry
}

/// The text of an entry with its pictures.
fn article(n: usize, entry: &Entry, entries: &[Entry], files: &Files) -> String {
    let own = format!("e{n}-");
    // What the figure that has begun shows, which is explained before it ends.
    let (mut in_figure, mut explained) = (false, None);
    // Captions that only repeat the provenance, as captures write them. Before the pictures, which are large.
    let captions =
        entry.evidence.values().map(|frozen| format!("<figcaption>{}</figcaption>", escape(&card::caption(frozen))));
    let html = captions.fold(reading(&entry.body), |html, caption| html.replace(&caption, ""));
    rewrite(&html, |tag: &mut Tag<'_>| {
        if let Some(id) = tag.get("id") {
            tag.set("id", &format!("{own}{}", id.strip_prefix(ID_PREFIX).unwrap_or(&id)));
        }
        match tag.name() {
            "img" => {
                let (src, alt) = (tag.get("src").unwrap_or_default(), tag.get("alt").unwrap_or_default());
                let (html, about) = picture(entry, files, &src, &alt);
                if in_figure {
                    explained = about;
                }
                Some(html)
            }
            "figure" => {
                in_figure = true;
                None
            }
            "/figure" => {
                in_figure = false;
                explained.take().map(|about: String| format!("{about}</figure>"))
            }
            "a" => {
                let href = tag.get("href").unwrap_or_default();
                if let Some(href) = own_link(&own, &href, entry, entries) {
                    tag.set("href", &href);
                }
                None
            }
            _ => None,
        }
    })
}

/// Where a link within the export leads to in the page.
fn own_link(own: &str, href: &str, entry: &Entry, entries: &[Entry]) -> Option<String> {
    let (path, fragment) = href.split_once('#').unwrap_or((href, ""));
    if path.is_empty() {
        return (!fragment.is_empty()).then(|| format!("#{own}{fragment}"));
    }
    let target = resolve(&entry.path, &percent_decode(path))?;
    let n = entries.iter().position(|other| other.path == target)?;
    Some(if fragment.is_empty() { format!("#e{n}") } else { format!("#e{n}-{fragment}") })
}

/// A picture, and the explanation below it if it is evidence.
fn picture(entry: &Entry, files: &Files, src: &str, alt: &str) -> (String, Option<String>) {
    let evidence = evidence_target(src).or_else(|| {
        let (card, size) = live_target(src)?;
        Some((*entry.live.get(&card)?, size))
    });
    if let Some((id, size)) = evidence
        && let Some(frozen) = entry.evidence.get(&id)
    {
        let size = Size::of(&size);
        let alt = if alt.is_empty() { card::alt(frozen) } else { alt.to_owned() };
        let drawn = |form: Form| data_url(Format::Svg.media(), card::drawing(frozen, form).as_bytes());
        let (wide, narrow) = (drawn(Form::from(size)), drawn(Form::new(size, Width::NARROW)));
        let html = format!(
            "<picture><source media=\"(max-width: 600px)\" srcset=\"{narrow}\"><img src=\"{wide}\" alt=\"{}\"></picture>",
            escape(&alt)
        );
        return (html, Some(explanation(frozen, entry.doubts.get(&id).map_or(&[][..], Vec::as_slice))));
    }
    let file = resolve(&entry.path, &percent_decode(src)).and_then(|path| files.get(&path));
    if let Some((bytes, format)) = file.and_then(|bytes| Some((bytes, Format::of(bytes)?))) {
        return (format!("<img src=\"{}\" alt=\"{}\">", data_url(format.media(), bytes), escape(alt)), None);
    }
    let name = if alt.is_empty() { "a picture" } else { alt };
    // Cards of this journal have no address elsewhere.
    let place = if src.is_empty() || live_target(src).is_some() { String::new() } else { format!(" ({src})") };
    (format!("<span class=\"absent\">{}</span>", escape(&format!("Not in this page: {name}{place}"))), None)
}

/// What an export says below a picture: its provenance, what contradicts it, and its rows.
fn explanation(frozen: &Frozen, doubts: &[Doubt]) -> String {
    let mut html = format!("<p>{} · {}</p>", escape(&card::caption(frozen)), escape(&short_digest(&frozen.digest)));
    if !doubts.is_empty() {
        html.push_str(&format!("<p><strong>Imported, and doubtful</strong>: {}</p>", escape(&doubts::reasons(doubts))));
    }
    let table = card::table(frozen);
    let cells = |cells: &[String], tag: &str| -> String {
        cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect()
    };
    html.push_str(&format!(
        "<details><summary>{}</summary><div class=\"scroll\"><table class=\"rows\"><thead><tr>{}</tr></thead><tbody>\n",
        escape(&format!("{} as text", table.summary)),
        cells(&table.head, "th")
    ));
    html.extend(table.rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row, "td"))));
    html.push_str("</tbody></table></div>");
    if table.more > 0 {
        html.push_str(&format!("<p>… and {} more rows (all in the data)</p>", grouped(table.more)));
    }
    html.push_str("</details>");
    html
}

/// The path that a link in a text leads to, within the export.
fn resolve(text: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = text.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn data_url(media: &str, bytes: &[u8]) -> String {
    format!("data:{media};base64,{}", STANDARD.encode(bytes))
}

/// The digest of a style or script as a content security policy names it: `sha256-…`, in base64.
fn hash(text: &str) -> String {
    let digest = digest(text.as_bytes());
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or_default(), 16).unwrap_or_default();
    format!("sha256-{}", STANDARD.encode(hex.as_bytes().chunks(2).map(byte).collect::<Vec<u8>>()))
}

/// A text for an element or an attribute. What cannot be seen is replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c != '\n' && (c.is_control() || is_hidden(c)) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_within_the_export_lead_into_the_page() {
        let entry = |path: &str| Entry {
            path: path.to_owned(),
            title: String::new(),
            body: String::new(),
            evidence: BTreeMap::new(),
            live: BTreeMap::new(),
            doubts: BTreeMap::new(),
        };
        let entries = [entry("journal/week1.md"), entry("journal/week 2.md")];
        for (href, expected) in [
            ("#a", Some("#e0-a")),
            ("week%202.md", Some("#e1")),
            ("./week%202.md#b-c", Some("#e1-b-c")),
            ("../journal/week1.md#d", Some("#e0-d")),
            ("week3.md", None),
            ("https://example.com/week1.md", None),
            ("../../journal/week1.md", None),
            ("", None),
        ] {
            assert_eq!(own_link("e0-", href, &entries[0], &entries).as_deref(), expected, "{href}");
        }
    }

    #[test]
    fn a_policy_names_digests_as_browsers_compute_them() {
        // The digest of the empty text.
        assert_eq!(hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn pages_are_recognised_and_give_their_files_back() {
        let files = Files::from([(
            "journal/a.md".to_owned(),
            b"# A <b>&\n\n<script type=\"application/zip\" id=\"tracebook\">AA</script>\n".to_vec(),
        )]);
        let html = page(&files, "UEsDBA==");
        let found = embedded(&html).expect("is ours");
        assert_eq!((found.data, is_current(&found)), ("UEsDBA==", true));
        assert!(!is_current(&Embedded { renderer: "1", data: "" }));
        assert_eq!(embedded(&format!(" {html}")), None);
        assert_eq!(embedded("<!doctype html>"), None);
        assert_eq!(html.matches("<script").count(), 2, "{html}");
    }
}
