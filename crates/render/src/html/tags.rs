//! Changes single tags of HTML that a serializer wrote: attributes are in double quotes, and there are no comments.

/// A tag that may be changed.
pub(super) struct Tag<'a> {
    source: &'a str,
    /// With the changes so far.
    text: String,
}

impl Tag<'_> {
    /// `img`, `/figure`
    pub(super) fn name(&self) -> &str {
        let inner = self.source.trim_start_matches('<');
        let end = inner.find([' ', '>', '\n', '\t']).unwrap_or(inner.len());
        inner[..end].trim_end_matches('/')
    }

    /// The value of an attribute, without escapes.
    pub(super) fn get(&self, attribute: &str) -> Option<String> {
        let (start, end) = place(&self.text, attribute)?;
        Some(plain(&self.text[start..end]))
    }

    /// Replaces the value of an attribute that is there.
    pub(super) fn set(&mut self, attribute: &str, value: &str) {
        if let Some((start, end)) = place(&self.text, attribute) {
            self.text.replace_range(start..end, &value.replace('&', "&amp;").replace('"', "&quot;"));
        }
    }
}

/// Where the value of an attribute is, between its quotes.
fn place(tag: &str, attribute: &str) -> Option<(usize, usize)> {
    let mut at = tag.find([' ', '\n', '\t'])?;
    loop {
        let rest = &tag[at..];
        at += rest.len() - rest.trim_start().len();
        let name_end = at + tag[at..].find(['=', ' ', '>', '/', '\n', '\t'])?;
        let name = &tag[at..name_end];
        if tag[name_end..].starts_with("=\"") {
            let start = name_end + 2;
            let end = start + tag[start..].find('"')?;
            if name == attribute {
                return Some((start, end));
            }
            at = end + 1;
        } else {
            at = name_end + 1;
        }
        if at >= tag.len() {
            return None;
        }
    }
}

/// A value of an attribute without the escapes that serializers write.
fn plain(value: &str) -> String {
    let marks = [("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\u{a0}")];
    let text = marks.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("&amp;", "&")
}

/// Calls `change` for every tag. It may change attributes, or return what replaces the tag.
pub(super) fn rewrite(html: &str, mut change: impl FnMut(&mut Tag<'_>) -> Option<String>) -> String {
    let mut out = String::with_capacity(html.len() * 2);
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let mut quoted = false;
        let end = rest.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let Some(end) = end else { break };
        let source = &rest[..=end];
        let mut tag = Tag { source, text: source.to_owned() };
        match change(&mut tag) {
            Some(instead) => out.push_str(&instead),
            None => out.push_str(&tag.text),
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_and_changed() {
        let html = "a <img alt=\"x > src=&quot;y&quot;\" src=\"b&amp;c\" /> <p id=\"d\">e</p>\n<input disabled=\"\" checked type=\"checkbox\"/>";
        let mut seen = Vec::new();
        let out = rewrite(html, |tag| {
            seen.push((tag.name().to_owned(), tag.get("src"), tag.get("alt"), tag.get("type")));
            tag.set("id", "f\"&");
            (tag.name() == "/p").then(|| "!</p>".to_owned())
        });
        assert_eq!(out, html.replace("id=\"d\"", "id=\"f&quot;&amp;\"").replace("</p>", "!</p>"));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            seen,
            [
                ("img".to_owned(), text("b&c"), text("x > src=\"y\""), None),
                ("p".to_owned(), None, None, None),
                ("/p".to_owned(), None, None, None),
                ("input".to_owned(), None, None, text("checkbox")),
            ]
        );
    }

    #[test]
    fn what_does_not_end_is_left() {
        for html in ["a < b", "<img src=\"", "<", ""] {
            assert_eq!(rewrite(html, |_| Some("!".to_owned())), html);
        }
    }
}
