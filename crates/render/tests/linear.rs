//! Reading a text takes time in proportion to its length, whatever it contains.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;
use tracebook_render::card::{Size, svg};
use tracebook_render::export::{EntryInput, Tree, entry};
use tracebook_render::import::exported;
use tracebook_render::markdown::{Target, links, placing, scan};
use tracebook_render::verify;

use crate::common::*;

/// A quarter of a mebibyte: all families of a mebibyte take minutes in the dev profile.
const LONG: usize = 256 * 1024;

/// Texts of a length that have been slow in one parser or another.
fn families(length: usize) -> Vec<(&'static str, String)> {
    let repeat = |part: &str| part.repeat(length / part.len() + 1);
    let numbered = |part: &dyn Fn(usize) -> String| {
        let mut text = String::with_capacity(length + 256);
        for n in 0.. {
            if text.len() >= length {
                break;
            }
            text.push_str(&part(n));
        }
        text
    };
    let nested = |open: &str, inner: &str, close: &str| {
        let n = length / (open.len() + close.len());
        format!("{}{inner}{}", open.repeat(n), close.repeat(n))
    };
    let block = format!("<!-- tracebook:evidence {ID} -->");
    let inline = "<!-- tracebook:live 01JD4ZK0000000000000000FRZ -->";
    let picture = format!("![a](assets/week2/{ID}.svg)");
    let wide = length / 8;
    vec![
        ("links on one line", repeat("[a](b) ")),
        ("links on many lines", repeat("[a](b)\n")),
        ("pictures on one line", repeat("![a](b) ")),
        ("pictures of nothing", repeat("![a]() ")),
        ("references on one line", repeat(&format!("![a](evidence:{ID}) "))),
        ("references alone", repeat(&format!("![a](evidence:{ID})\n\n"))),
        ("opening brackets", repeat("[")),
        ("brackets", nested("[", "a", "]")),
        ("pictures in pictures", nested("![", "a", "](b)")),
        ("link beginnings", repeat("[a](")),
        ("link beginnings with angles", repeat("[a](<b")),
        ("link titles that do not end", repeat("[a](b \"")),
        ("full references", repeat("[a][b]")),
        ("exclamations", repeat("![")),
        ("backticks", numbered(&|n| format!("{} ", "`".repeat(n % 300 + 1)))),
        ("code spans", repeat("`a` ")),
        ("emphasis", repeat("*a_b*_ ")),
        ("stars", repeat("**a ")),
        ("stars and underscores", repeat("*_")),
        ("nested emphasis", nested("*a ", "b", " c*")),
        ("strikethrough", repeat("~~a ~")),
        (
            "a table with many columns",
            format!("{}|\n{}|\n{}|\n", "|a".repeat(wide), "|-".repeat(wide), "|b".repeat(wide)),
        ),
        ("a table with many rows", format!("|a|b|\n|-|-|\n{}", repeat("|a|b|\n"))),
        ("tables with short rows", numbered(&|_| format!("|{}\n|{}\n|b|\n\n", "a|".repeat(40), "-|".repeat(40)))),
        ("table beginnings", repeat("|a\n|-")),
        ("HTML tags", repeat("<b>a</b> ")),
        ("HTML tags that do not end", repeat("<a b=\"")),
        ("HTML beginnings", repeat("<a ")),
        ("HTML comments that do not end", repeat("<!-- a")),
        ("HTML blocks", repeat("<div>\n\n")),
        ("declarations", repeat("<!A ")),
        ("instructions", repeat("<? a ")),
        ("CDATA", repeat("<![CDATA[ a ")),
        ("images in HTML", repeat("<img src=a alt=\"b\"> ")),
        ("images in HTML that do not end", repeat("<img src=a ")),
        ("deep quotes", format!("{}a", ">".repeat(length))),
        ("quotes", repeat("> a\n")),
        ("nested quotes", numbered(&|n| format!("{} a\n", ">".repeat(n % 200 + 1)))),
        ("deep lists", format!("{}a", "- ".repeat(length / 2))),
        ("nested lists", numbered(&|n| format!("{}- a\n", "  ".repeat(n % 100)))),
        ("lists", repeat("- a\n")),
        ("numbered lists", repeat("1. a\n\n")),
        ("a long line", repeat("a ")),
        ("a long line of letters", repeat("é")),
        ("empty lines", repeat("\n")),
        ("carriage returns", repeat("a\r")),
        ("blanks", repeat(" ")),
        ("headings", repeat("# a\n")),
        ("underlined headings", repeat("a\n=\n")),
        ("rules", repeat("* * *\n")),
        ("fences", repeat("```\n")),
        ("fences and empty lines", format!("{}{}", "```\na\n```\n".repeat(length / 20), "\n".repeat(length / 2))),
        ("entities", repeat("&amp;&#1;&a")),
        ("backslashes", repeat("\\")),
        ("definitions", numbered(&|n| format!("[a{n}]: b\n"))),
        ("definitions and uses", numbered(&|n| format!("[a{n}]: b\n\n[a{n}] [a{}]\n\n", n / 2))),
        ("definitions that do not end", repeat("[a]: b '\n")),
        ("one definition, many uses", format!("[a]: {}\n\n{}", "b".repeat(length / 2), "[a] ".repeat(length / 8))),
        ("footnotes", numbered(&|n| format!("[^{n}]\n\n[^{n}]: a\n\n"))),
        ("footnote uses", repeat("[^1] ")),
        ("slots", repeat("Insert image of traces\n\n")),
        ("slots in one paragraph", repeat("Insert image of traces\n")),
        ("captions", repeat("![a](b.png)\nImage of traces\n\n")),
        ("task lists", repeat("- [ ] a\n")),
        ("block markers on one line", repeat(&block)),
        ("block markers", repeat(&format!("{block}\n{picture}\n\n"))),
        ("blocks", repeat(&format!("{block}\n{picture}\n\n<sub>a</sub>\n\n<!-- /tracebook -->\n\n"))),
        ("broken block markers", repeat("<!-- tracebook:evidence x\n\n")),
        ("live markers on one line", repeat(inline)),
        ("live markers after words", repeat(&format!("</em>{inline} "))),
        ("live cards", repeat(&format!("<em>Live card, never frozen: a</em>{inline} "))),
        ("live pictures", repeat(&format!("{picture}{inline} "))),
        ("broken live markers", format!("a {}", repeat("<!-- tracebook:live x"))),
        ("exported pictures", repeat(&format!("{picture} "))),
        ("exported pictures of others", numbered(&|n| format!("![a](assets/{n}/{ID}.svg) "))),
        ("front matter", format!("---\n{}---\n", repeat("a: b\n"))),
    ]
}

/// The files beside a text.
fn files(entry_json: &str, shelf: &BTreeMap<Id, Frozen>) -> impl Fn(&str) -> Option<Vec<u8>> {
    let svg = svg(&shelf[&id(ID)], Size::Full).svg.into_bytes();
    let entry_json = entry_json.as_bytes().to_vec();
    move |path: &str| match path.ends_with("entry.json") {
        true => Some(entry_json.clone()),
        false => Some(svg.clone()).filter(|_| path.ends_with(&format!("{ID}.svg"))),
    }
}

fn export(body: &str, shelf: &BTreeMap<Id, Frozen>) -> Tree {
    let row = EntryRow {
        id: id("01JD4ZA0000000000000000000"),
        slug: "week-2".into(),
        week: None,
        title: "Week".into(),
        updated_at: "2026-11-23T15:21:40.000Z".into(),
    };
    entry(&EntryInput { row: &row, body, file: "week2", evidence: shelf, live: &BTreeMap::new() })
}

fn import(md: &str, entry_json: &str, shelf: &BTreeMap<Id, Frozen>) {
    exported(md, entry_json, &files(entry_json, shelf)).expect("imports");
    links(md);
}

/// What import, export, verify, slots and the editor do with a text.
fn all(md: &str, entry_json: &str, shelf: &BTreeMap<Id, Frozen>) {
    import(md, entry_json, shelf);
    verify::markdown("journal/week2.md", md, &files(entry_json, shelf));
    scan(md);
    placing(md, "![a](evidence:b)", Target::Cursor(md.len() / 2));
    export(md, shelf);
}

/// The time that this thread spent on a processor. The time on the clock includes that of other programs.
fn time(work: impl FnOnce()) -> Duration {
    let spent = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
    };
    let (began, before) = (Instant::now(), spent());
    work();
    match (before, spent()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => began.elapsed(),
    }
}

/// Evidence, and the `entry.json` of a text that shows it.
fn shelf() -> (BTreeMap<Id, Frozen>, String) {
    let evidence = frozen(one());
    let shelf = BTreeMap::from([(evidence.evidence.id, evidence)]);
    let tree = export(&format!("![a](evidence:{ID})\n"), &shelf);
    let entry_json = tree.files["journal/assets/week2/entry.json"].clone();
    (shelf, String::from_utf8(entry_json).expect("UTF-8"))
}

#[test]
fn time_grows_with_the_length_only() {
    let (shelf, entry_json) = shelf();
    let mut slow = Vec::new();
    for ((name, long), (_, short)) in families(LONG / 4).into_iter().zip(families(LONG / 16)) {
        let (mut least_short, mut least_long) = (Duration::MAX, Duration::MAX);
        let ok = (0..4).any(|_| {
            least_short = least_short.min(time(|| all(&short, &entry_json, &shelf)));
            least_long = least_long.min(time(|| all(&long, &entry_json, &shelf)));
            // Quadratic growth takes sixteen times as long. On a busy machine linear work has taken seven times as
            // long, because caches are shared. Short times vary more.
            least_long.as_secs_f64() < least_short.as_secs_f64() * 9.0 || least_long < Duration::from_millis(50)
        });
        if std::env::var_os("TRACEBOOK_TIMES").is_some() {
            println!("{name}: {least_short:?}, {least_long:?}");
        }
        if !ok {
            slow.push(format!("{name}: {least_short:?}, {least_long:?}"));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}

#[test]
fn a_long_text_is_imported_in_seconds() {
    let (shelf, entry_json) = shelf();
    let mut slow = Vec::new();
    for (name, text) in families(LONG) {
        let took = time(|| import(&text, &entry_json, &shelf));
        if std::env::var_os("TRACEBOOK_TIMES").is_some() {
            println!("{name}: {took:?} to import");
        }
        if took > Duration::from_secs(10) {
            slow.push(format!("{name}: {took:?}"));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}
