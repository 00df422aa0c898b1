//! SVG text that is well-formed by construction.

use std::fmt::Write as _;

use super::form::Width;
use crate::inline::visible;

/// Writes elements. Text from data passes [`visible`] and is escaped.
pub(super) struct Svg {
    /// The width of the card.
    width: Width,
    out: String,
    open: Vec<&'static str>,
}

/// An attribute's value: a number in fixed form, or a text.
#[derive(Clone, Copy)]
pub(super) enum Val<'a> {
    Num(f64),
    Text(&'a str),
}

impl From<f64> for Val<'_> {
    fn from(n: f64) -> Self {
        Self::Num(n)
    }
}

impl<'a> From<&'a str> for Val<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Val<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

pub(super) type Attrs<'a> = &'a [(&'static str, Val<'a>)];

impl Svg {
    pub(super) fn new(width: Width) -> Self {
        Self { width, out: String::with_capacity(16 * 1024), open: Vec::new() }
    }

    pub(super) fn width(&self) -> Width {
        self.width
    }

    /// `<name …>`, to be closed by [`Svg::close`].
    pub(super) fn open(&mut self, name: &'static str, attributes: Attrs<'_>) {
        self.tag(name, attributes);
        self.out.push_str(">\n");
        self.open.push(name);
    }

    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            // Writing to a string cannot fail.
            writeln!(self.out, "</{name}>").ok();
        }
    }

    /// `<name …/>`.
    pub(super) fn leaf(&mut self, name: &'static str, attributes: Attrs<'_>) {
        self.tag(name, attributes);
        self.out.push_str("/>\n");
    }

    /// `<name …>text</name>`.
    pub(super) fn text(&mut self, name: &'static str, attributes: Attrs<'_>, text: &str) {
        self.tag(name, attributes);
        self.out.push('>');
        escape(&mut self.out, text);
        writeln!(self.out, "</{name}>").ok();
    }

    /// Raw markup of this crate: the style, and the metadata's JSON, in which no character needs escaping.
    pub(super) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    fn tag(&mut self, name: &'static str, attributes: Attrs<'_>) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            write!(self.out, " {key}=\"").ok();
            match value {
                Val::Num(n) => self.out.push_str(&number(*n)),
                Val::Text(text) => escape(&mut self.out, text),
            }
            self.out.push('"');
        }
    }
}

/// At most two decimals, the same on every machine; never `-0`, `NaN` or an exponent.
pub(super) fn number(n: f64) -> String {
    if !n.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{:.2}", n.clamp(-1e7, 1e7));
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn escape(out: &mut String, text: &str) {
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}
