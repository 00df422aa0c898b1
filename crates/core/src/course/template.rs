//! What a new entry contains.

use super::{Course, Homework, Need, Week};

/// The template of weeks without one of their own.
const USUAL: &str = "# {title}\n\n## Required Homework\n\n{homework}\n\n## Homework Challenges\n\n{challenges}\n";

impl Course {
    /// The text of a new entry with this title: the week's homework as headings, with a slot where evidence belongs.
    pub fn template(&self, week: Option<&str>, title: &str) -> String {
        match week.and_then(|week| self.week(week)) {
            Some(week) => week.template(title),
            None => Week::default().template(title),
        }
    }
}

impl Week {
    /// See [`Course::template`]. In a template, `{title}`, `{homework}` and `{challenges}` are replaced.
    pub fn template(&self, title: &str) -> String {
        let mut rest = self.template.as_deref().unwrap_or(USUAL);
        let mut out = String::new();
        while let Some(at) = rest.find('{') {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let fields = [
                ("{title}", title.to_owned()),
                ("{homework}", blocks(&self.homework)),
                ("{challenges}", blocks(&self.challenges)),
            ];
            match fields.into_iter().find(|(field, _)| from.starts_with(field)) {
                Some((field, value)) => {
                    out.push_str(&value);
                    rest = &from[field.len()..];
                    if value.is_empty() && out.ends_with("\n\n") {
                        rest = rest.trim_start_matches('\n');
                    }
                }
                None => {
                    out.push('{');
                    rest = &from[1..];
                }
            }
        }
        out.push_str(rest);
        format!("{}\n", out.trim_end())
    }
}

/// `### title` and a slot for each piece of evidence.
fn blocks(parts: &[Homework]) -> String {
    let mut blocks = Vec::new();
    for part in parts {
        blocks.push(format!("### {}", part.title));
        for need in &part.needs {
            if let Need::Evidence(need) = need {
                blocks.extend((0..need.count).map(|_| format!("![{}]()", escaped(&need.slot))));
            }
        }
    }
    blocks.join("\n\n")
}

/// A text as the alternative text of a picture.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '[' | ']' | '<' | '`' | '*' | '_') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
