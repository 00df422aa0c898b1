//! The headings of a text, and how much stands below each.

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use tracebook_core::course::Section;

use super::lines::Lines;
use super::page::{OPTIONS, lone_cr_as_lf};
use super::{evidence_target, live_target};
use crate::inline::one_line;

/// The sections of a text, in its order, the first one without a heading.
pub fn sections(body: &str) -> Vec<Section> {
    let bom = if body.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = lone_cr_as_lf(&body[bom..]);
    let lines = Lines::of(body);
    let mut sections = vec![Section { line: 1, ..Section::default() }];
    let (mut heading, mut skipped) = (None::<String>, 0_u32);
    // Text is given in pieces where characters are escaped; a word may go across them.
    let mut run = String::new();
    for (event, range) in Parser::new_ext(&text, OPTIONS).into_offset_iter() {
        if !matches!(event, Event::Text(_) | Event::Code(_)) && !inline(&event) {
            count(&mut sections, &mut run);
        }
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                heading = Some(String::new());
                sections.push(Section {
                    level: number(level),
                    line: lines.line(range.start + bom),
                    ..Section::default()
                });
            }
            Event::End(TagEnd::Heading(_)) => {
                if let (Some(title), Some(section)) = (heading.take(), sections.last_mut()) {
                    section.title = one_line(&title);
                }
            }
            Event::Start(Tag::CodeBlock(_) | Tag::MetadataBlock(_)) => skipped += 1,
            Event::End(TagEnd::CodeBlock | TagEnd::MetadataBlock(_) | TagEnd::Image) => {
                skipped = skipped.saturating_sub(1)
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                let evidence = evidence_target(&dest_url).is_some() || live_target(&dest_url).is_some();
                if !evidence
                    && !dest_url.trim().is_empty()
                    && let Some(section) = sections.last_mut()
                {
                    section.pictures += 1;
                }
                skipped += 1;
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                if let Some(section) = sections.last_mut() {
                    section.pictures += html.to_ascii_lowercase().matches("<img ").count();
                }
            }
            Event::Text(piece) | Event::Code(piece) if skipped == 0 => match &mut heading {
                Some(title) => title.push_str(&piece),
                None => run.push_str(&piece),
            },
            Event::SoftBreak | Event::HardBreak => match &mut heading {
                Some(title) => title.push(' '),
                None => run.push(' '),
            },
            _ => {}
        }
    }
    count(&mut sections, &mut run);
    sections
}

/// Whether an event stands within words.
fn inline(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. })
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::InlineHtml(_)
    )
}

fn count(sections: &mut [Section], run: &mut String) {
    if let Some(section) = sections.last_mut() {
        section.words += words(run);
    }
    run.clear();
}

/// Words between blanks that have a letter or digit. Writing without blanks counts by characters.
fn words(text: &str) -> usize {
    let of_word = |word: &str| {
        let single = word.chars().filter(|c| without_blanks(*c)).count();
        let other = word.chars().any(|c| c.is_alphanumeric() && !without_blanks(c));
        single + usize::from(other)
    };
    text.split_whitespace().map(of_word).sum()
}

/// Han, Hiragana, Katakana.
fn without_blanks(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(body: &str) -> Vec<(String, u8, usize, usize, usize)> {
        sections(body).into_iter().map(|s| (s.title, s.level, s.line, s.words, s.pictures)).collect()
    }

    #[test]
    fn words_and_pictures_are_counted_below_their_heading() {
        let body = "one two\n\n# A *b* `c`\n\nthree `four` fi\\_ve, **s**ix — [seven](x)!\n\n```\nnot counted\n```\n\n\
                    ![alt text](a.png) ![](evidence:01JABCDEFGHJKMNPQRSTVWXYZ0) ![Traces]()\n\nTitle\n---\n\n- eight\n- [ ] nine\n\n\
                    <img src=\"x.png\">\n\n<!-- no words -->\n\n| a | b |\n|---|---|\n| 日本語 | ten |\n";
        assert_eq!(
            facts(body),
            [(String::new(), 0, 1, 2, 0), ("A b c".to_owned(), 1, 3, 5, 1), ("Title".to_owned(), 2, 13, 8, 1)]
        );
        assert_eq!(facts(""), [(String::new(), 0, 1, 0, 0)]);
        assert_eq!(
            facts("\u{feff}---\ntitle: x y\n---\r# Q\rz"),
            [(String::new(), 0, 1, 0, 0), ("Q".to_owned(), 1, 4, 1, 0)]
        );
    }
}
