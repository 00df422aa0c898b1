//! The examples of CommonMark's and GFM's specifications in reading mode. Every difference is listed with its reason.
//!
//! The examples are read from where they are installed (`tests/renderers`, and the source of pulldown-cmark), since the
//! specifications have another licence. Requires `scripts/setup.sh test`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;
use tracebook_render::markdown::reading;

#[derive(Deserialize)]
struct Example {
    name: String,
    markdown: String,
    html: String,
}

fn spec(args: &[&str], input: &[u8]) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/renderers/spec.mjs");
    let mut child = Command::new("node")
        .arg(script)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs: see scripts/setup.sh test");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    // The script may end without reading everything, or anything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("ends");
    writer.join().expect("no panic");
    assert!(output.status.success(), "the examples are read: see scripts/setup.sh test");
    output.stdout
}

/// The folder of pulldown-cmark's source.
fn parser_source() -> PathBuf {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let package = metadata["packages"]
        .as_array()
        .and_then(|packages| packages.iter().find(|package| package["name"] == "pulldown-cmark"))
        .expect("a dependency");
    let manifest = package["manifest_path"].as_str().expect("a path");
    Path::new(manifest).parent().expect("a folder").to_owned()
}

fn normal(pages: &[String]) -> Vec<String> {
    let input = serde_json::to_vec(pages).expect("JSON");
    serde_json::from_slice(&spec(&["normal"], &input)).expect("texts")
}

/// Why reading mode shows something else than the specification.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reason {
    /// What could run, or look like a part of the window, is removed, as code hosts do: elements, attributes and
    /// classes that are not allowed, comments, processing instructions.
    Sanitised,
    /// Links lead to `http`, `https`, `mailto` and `tel` only.
    Scheme,
    /// An address that stands in the text is a link, as GFM's extension has it.
    BareAddress,
    /// `---` at the start of a text begins front matter, which is not shown.
    FrontMatter,
}

const DIFFERENCES: &[(Reason, &[u32])] = &[
    (
        Reason::Sanitised,
        &[
            150, 152, 153, 154, 163, 164, 169, 170, 171, 172, 173, 176, 177, 178, 179, 180, 182, 183, 201, 308, 309,
            491, 524, 536, 613, 614, 615, 616, 617, 625, 626, 627, 628, 629,
        ],
    ),
    (Reason::Scheme, &[596, 598, 599, 601]),
    (Reason::BareAddress, &[606, 608, 611, 612]),
    (Reason::FrontMatter, &[96]),
];

#[test]
fn the_examples_of_the_specifications_are_rendered_as_they_say() {
    let source = parser_source();
    let examples: Vec<Example> =
        serde_json::from_slice(&spec(&["examples", &source.to_string_lossy()], b"")).expect("examples");
    assert_eq!(examples.iter().filter(|example| example.name.starts_with("CommonMark")).count(), 652);
    assert_eq!(examples.iter().filter(|example| example.name.starts_with("GFM")).count(), 14);
    let reasons: BTreeMap<String, Reason> = DIFFERENCES
        .iter()
        .flat_map(|(reason, numbers)| numbers.iter().map(|number| (format!("CommonMark {number}"), *reason)))
        .collect();
    let ours = normal(&examples.iter().map(|example| reading(&example.markdown)).collect::<Vec<_>>());
    let theirs = normal(&examples.iter().map(|example| example.html.clone()).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for ((example, ours), theirs) in examples.iter().zip(&ours).zip(&theirs) {
        let (name, text) = (&example.name, &example.markdown);
        match reasons.get(name) {
            None if ours != theirs => {
                wrong.push(format!("{name}: {text:?}\n  is     {ours:?}\n  wanted {theirs:?}"));
            }
            Some(reason) if ours == theirs => wrong.push(format!("{name} is no difference any more: {reason:?}")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An address ends where code begins (`https://a.example/` before `` `b` ``), and `www.` alone is none: GitHub goes on,
/// and links to `http://www`.
#[test]
fn bare_addresses_are_links_where_github_makes_them() {
    let texts: Vec<String> = [
        "www.example.org",
        "Visit www.example.org/help for more.",
        "See https://a.example/b, http://c.example/(d) (and https://e.example/f).",
        "https://a.example/b?c=d&e=f#g-h_i",
        "(www.example.org/search?q=Markup+(business)))",
        "www.example.org/a.b.",
        "**https://a.example** _www.example.org_",
        "xhttps://a.example xwww.example.org",
        "shop@example.org",
        "Write to a.b-c_d+e@mail.example.org.",
        "a.b@example.org- a.b@example.org_",
        "a@b and a@b.c",
        "`shop@example.org` [shop@example.org](https://a.example)",
        "<https://a.example> <shop@example.org>",
        "no address: a://b, @example.org, me@",
    ]
    .map(str::to_owned)
    .to_vec();
    let input = serde_json::to_vec(&texts).expect("JSON");
    let pages: Vec<String> = serde_json::from_slice(&spec(&["github"], &input)).expect("pages");
    let ours = normal(&texts.iter().map(|text| reading(text)).collect::<Vec<_>>());
    let mut other = Vec::new();
    for ((text, ours), theirs) in texts.iter().zip(&ours).zip(&normal(&pages)) {
        if ours != theirs {
            other.push(format!("{text:?}\n  ours   {ours:?}\n  github {theirs:?}"));
        }
    }
    assert!(other.is_empty(), "{}", other.join("\n"));
}
