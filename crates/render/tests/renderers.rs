//! Exports in the renderers that readers use: GitHub's cmark-gfm, marked, markdown-it and micromark.
//!
//! Whatever the data, a page has the same elements as with harmless data, and shows the data as it is. Requires
//! `scripts/setup.sh test` (cmark-gfm, and the packages of `tests/renderers`).

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;
use tracebook_core::canonical::digest;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::{Body, Evidence, Frozen, Kind};
use tracebook_core::live_card::{CardQuestion, LiveCard};
use tracebook_core::logs::{LogEvent, Logs};
use tracebook_core::question::Source;
use tracebook_render::card::{alt, table};
use tracebook_render::export::{EntryInput, LiveInput, entry};
use tracebook_render::markdown::{one_line, reference, reference_as};
use tracebook_render::verify::{self, Verdict};

use crate::common::kinds::fair;
use crate::common::*;

/// A rendered page.
#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Page {
    elements: Vec<String>,
    images: Vec<(String, String)>,
    cells: Vec<String>,
    emphases: Vec<String>,
    text: String,
}

fn rendered(texts: &[&str]) -> Vec<BTreeMap<String, Page>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/renderers");
    let mut child = Command::new("node")
        .arg(folder.join("render.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs: see scripts/setup.sh test");
    let input = serde_json::to_vec(texts).expect("JSON");
    let mut stdin = child.stdin.take().expect("piped");
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("ends");
    writer.join().expect("no panic").expect("is read");
    assert!(output.status.success(), "the renderers run: see scripts/setup.sh test");
    serde_json::from_slice(&output.stdout).expect("pages")
}

const HOSTILE: &[&str] = &[
    // Autolinks, and what they carry.
    "http://x/<img src=x onerror=alert(1)>",
    "http://x/\\<img src=x>",
    "https://evil.example/a?b=c&copy=1#d",
    "HTTP://EVIL.EXAMPLE",
    "ftp://evil.example/<h1>x</h1>",
    "www.evil.example/<b>x</b>",
    "WWW.evil.example",
    "(www.evil.example)",
    "shop@db.internal",
    "a.b-c_d+e@x.example.",
    "mailto:a@b.co",
    "xmpp:a@b.co/res",
    "http://user:password@evil.example:8080/",
    "evil.example evil.example/path sub.evil.example:80",
    "//evil.example/a //localhost/a",
    "127.0.0.1 127.0.0.1:8080/x 0.1.0 12.4 1.2.3.4",
    "http://localhost:3000/api/activities/home",
    "http://[::1]/ http://xn--e1afmkfd.com http://пример.рф",
    "file:///etc/passwd ssh://host javascript:alert(1) data:text/html,x",
    "<http://evil.example> <a@b.co> <javascript:alert(1)>",
    "http&#58;//evil.example www&#46;evil.example a&#64;b.co",
    "http:\\//evil.example www\\.evil.example a\\@b.co",
    // HTML.
    "<img src=x onerror=alert(1)>",
    "</td></tr></table></details><h1>x</h1>",
    "<script>alert(1)</script><style>*{display:none}</style>",
    "<!-- tracebook:evidence 01JD4ZK8S7M5V9TQ2WXYB3CDEF -->",
    "--> <!-- /tracebook --> <!--",
    "<![CDATA[ x ]]> <?php x ?> <!DOCTYPE html>",
    "<a href=\"http://evil.example\">x</a><iframe src=//x></iframe>",
    "</sub></em><br><details><summary>x",
    "&lt;img src=x&gt; &amp;lt; &#60;b&#62; &copy; &nbsp;x",
    "<textarea><title><xmp><noembed><plaintext>",
    // Markdown.
    "![x](http://evil.example/x.png \"t\")",
    "[x](http://evil.example) [x][y] [y]: http://evil.example",
    "[^1] [^1]: a footnote",
    "![x][y] ![y] [y] [y]",
    "**x** __x__ *x* _x_ ***x*** ~~x~~ ~x~",
    "`x` ``x`` ```x``` `",
    "\\`x\\` \\*x\\* \\\\ \\",
    "| x | y | \\| z",
    "|---|---|",
    "# x",
    "#",
    "=== ---",
    "---",
    "> x",
    "- x",
    "- [ ] x - [x] y",
    "1. x",
    "1) x",
    "+ x",
    "```\nx\n```",
    "    x",
    "a\n\nb\n\n# c\n\n<h1>x</h1>",
    "a\r\rb  \nc\\\nd",
    "snake_case _a_ a_b_ __init__ *.py a*b*c",
    "~/x ~ ~~ x^2^ x~2~ ==x== ++x++ ||x||",
    "[TOC] [[x]] {{x}} {% x %} {: .x} {#x} :::x",
    "a\u{a0}b\u{2003}c\u{3000}d",
    "x\u{202e}gnp.exe \u{2066}y\u{2069} \u{200b}@user",
    "\u{0}\u{1b}[31m\u{7f}\u{9b}x",
    "\"x\" 'x' (c) -- ... “x”",
    // GitHub's own.
    "@user @org/team a @user-name",
    "#123 GH-123 gh-1 owner/repo#12 user@abc1234",
    "a5c3785ed8d6a35868bc169f07e40e889087fd2e and a5c3785e, 1db51dd945ea",
    ":smile: :+1: :100: 15:20:13 a:b:c ::",
    "at handler (/app/server.js:100:14) user:id:7 session:ok:1",
    "$x^2$ $$y$$ $`z`$ $1 $",
    "[!NOTE] [!WARNING]",
    "[x] [ ]",
    "https://github.com/owner/repo/issues/1 http://github.com/a/b/commit/a5c3785ed8d6a35868bc169f07e40e889087fd2e",
    "x http://a.b\\x http://a.b*c* http://a.b_c_ http://a.b`c` http://a.b[c](d) http://a.b|c",
    "www.a.b<u>c</u> a@b.c<u>d</u> www.a.b&lt;c",
];

/// Parts whose combinations are tried.
const PARTS: &[&str] = &[
    "http",
    "https",
    "ftp",
    ":",
    "//",
    "/",
    "www",
    ".",
    "WWW.",
    "@",
    "a",
    "b.co",
    "example",
    "org",
    "localhost",
    "<",
    ">",
    "</",
    "/>",
    "img src=x",
    "<b>",
    "</td>",
    "<!--",
    "-->",
    "&",
    "&lt;",
    "&#64;",
    ";",
    "#",
    "\\",
    "\\\\",
    "`",
    "``",
    "*",
    "**",
    "_",
    "__",
    "~",
    "~~",
    "[",
    "]",
    "](",
    "![",
    "(",
    ")",
    "|",
    "\"",
    "'",
    "!",
    "{",
    "{{",
    "%}",
    "$",
    "$$",
    "^",
    "=",
    "-",
    "+",
    "1",
    "1234567",
    "abcdef1",
    "GH-",
    "mailto:",
    "xmpp:",
    "é",
    "日",
    "\u{200d}",
    "\u{202e}",
    " ",
    " ",
    "\n",
    "\t",
];

/// Texts from [`PARTS`], the same in every run.
fn combinations(n: usize) -> Vec<String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        // xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("small")
    };
    (0..n).map(|_| (0..random(12) + 2).map(|_| PARTS[random(PARTS.len())]).collect()).collect()
}

/// The paths of all strings in a value.
fn strings(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::String(_) => out.push(at.to_owned()),
        Value::Array(items) => (0..).zip(items).for_each(|(i, item)| strings(item, &format!("{at}/{i}"), out)),
        Value::Object(fields) => fields.iter().for_each(|(key, field)| {
            strings(field, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), out);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Evidence with a text in every field that can contain one.
struct Template {
    name: String,
    value: Value,
    /// The fields.
    paths: Vec<String>,
}

impl Template {
    fn of(name: &str, body: Body) -> Self {
        let value: Value = serde_json::from_str(&frozen_body(ID, body).canonical).expect("JSON");
        let mut all = Vec::new();
        strings(&value, "", &mut all);
        let is_free = |path: &String| {
            let mut changed = value.clone();
            *changed.pointer_mut(path).expect("there") = Value::String("free text".into());
            serde_json::from_value::<Evidence>(changed).is_ok()
        };
        let paths = all.into_iter().filter(is_free).collect();
        Self { name: name.to_owned(), value, paths }
    }

    fn with(&self, text: &str) -> Frozen {
        let mut value = self.value.clone();
        for path in &self.paths {
            *value.pointer_mut(path).expect("there") = Value::String(text.to_owned());
        }
        let canonical = serde_json::to_string(&value).expect("JSON");
        let evidence = serde_json::from_str(&canonical).expect("evidence");
        let digest = digest(canonical.as_bytes());
        Frozen { evidence, canonical, digest }
    }
}

fn templates() -> Vec<Template> {
    let mut templates: Vec<Template> = fair().into_iter().map(|(name, body)| Template::of(name, body)).collect();
    templates.push(Template::of("trace", Body::Trace(two_services())));
    templates
}

/// The entry that shows evidence in every way, with a text in every place that comes from data.
fn exported(frozen: &Frozen, text: &str) -> (String, BTreeMap<String, Vec<u8>>) {
    let card = |text_id: &str, shown: bool| LiveInput {
        card: LiveCard {
            id: id(text_id),
            title: text.to_owned(),
            question: CardQuestion {
                kind: Kind::Trace,
                source: Source::Local,
                id: None,
                filter: text.to_owned(),
                since: None,
            },
            pace_seconds: 5,
            paused: false,
        },
        frozen: shown.then_some(frozen.evidence.id),
        lost: false,
    };
    const FROZEN: &str = "01JD4ZK0000000000000000FRZ";
    const NEVER: &str = "01JD4ZK0000000000000000NEW";
    let own = reference_as(frozen, Some(text), Some(text), "");
    let live = |id: &str| own.replace(&format!("](evidence:{ID}"), &format!("](live:{id}"));
    let gone = own.replace(&format!("](evidence:{ID}"), &format!("](evidence:{OTHER}"));
    let body = format!(
        "# Week\n\n{default}\n\n{own}\n\n- item\n\n  {own}\n\n> {own}\n\nIn {own} a sentence.\n\n\
         | a |\n|---|\n| {own} |\n\n{frozen}\n\nIn {frozen} and {never}.\n\n{never}\n\n{gone}\n\nEnd.\n",
        default = reference(frozen, None),
        frozen = live(FROZEN),
        never = live(NEVER),
    );
    let row = EntryRow {
        id: id("01JD4ZA0000000000000000000"),
        slug: "week-2".into(),
        week: None,
        title: "Week".into(),
        updated_at: "2026-11-23T15:21:40.000Z".into(),
    };
    let live = [card(FROZEN, true), card(NEVER, false)].map(|live| (live.card.id, live)).into();
    let evidence = [(frozen.evidence.id, frozen.clone())].into();
    let mut tree = entry(&EntryInput { row: &row, body: &body, file: "week2", evidence: &evidence, live: &live });
    let md = tree.files.remove("journal/week2.md").expect("Markdown");
    (String::from_utf8(md).expect("UTF-8"), tree.files)
}

/// Compares each text's page with the page of harmless data.
fn check(template: &Template, texts: &[String]) {
    const HARMLESS: &str = "harmless";
    let evidence: Vec<Frozen> = texts.iter().map(|text| template.with(text)).collect();
    let exports: Vec<String> = evidence
        .iter()
        .zip(texts)
        .map(|(frozen, text)| {
            let (md, files) = exported(frozen, text);
            let verdicts =
                verify::markdown("journal/week2.md", &md, &|path| files.get(&format!("journal/{path}")).cloned());
            assert!(
                !verdicts.is_empty() && verdicts.iter().all(|v| v.verdict == Verdict::Intact),
                "{text:?} {verdicts:?}"
            );
            md
        })
        .collect();
    let plain = exported(&template.with(HARMLESS), HARMLESS).0;
    let mut all: Vec<&str> = exports.iter().map(String::as_str).collect();
    all.push(&plain);
    let mut pages = rendered(&all);
    let plain = pages.pop().expect("a page");
    for ((text, frozen), (page, md)) in texts.iter().zip(&evidence).zip(pages.iter().zip(&exports)) {
        let shown = one_line(text);
        let table = table(frozen);
        let cells: Vec<String> = table.head.iter().chain(table.rows.iter().flatten()).cloned().collect();
        for (renderer, page) in page {
            let context = || format!("{renderer}, {}, {text:?}\n{md}", template.name);
            assert_eq!(page.elements, plain[renderer].elements, "{}", context());
            assert_eq!(&page.cells[..cells.len()], cells, "{}", context());
            let alts: Vec<&str> = page.images.iter().map(|(alt, _)| alt.as_str()).collect();
            assert_eq!(alts[0], one_line(&alt(frozen)), "{}", context());
            assert!(alts[1..].iter().all(|alt| *alt == shown), "{alts:?} {}", context());
            let never = format!("Live card, never frozen: {shown}");
            let mine = |wanted: &str| page.emphases.iter().filter(|text| *text == wanted).count();
            assert_eq!((mine(&shown), mine(&never)), (4, 2), "{:?} {}", page.emphases, context());
        }
    }
}

#[test]
fn no_element_comes_from_data() {
    let texts: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    for template in templates() {
        assert!(template.paths.len() > 3, "{}: {:?}", template.name, template.paths);
        check(&template, &texts);
    }
}

#[test]
fn no_element_comes_from_combinations() {
    let events = vec![LogEvent { message: "x".into(), group: "g".into(), ..LogEvent::default() }];
    let logs = Template::of("logs", Body::Logs(Logs { events, ..Logs::default() }));
    // What is blank is not shown.
    let texts: Vec<String> = combinations(600).into_iter().filter(|text| !one_line(text).is_empty()).collect();
    check(&logs, &texts);
}
