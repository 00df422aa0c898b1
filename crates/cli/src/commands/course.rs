//! `tracebook course` and `homework`.

use tracebook_app::api::{CourseGet, CourseView, EntryHomework, HomeworkRequest};
use tracebook_app::{Code, Error};
use tracebook_core::course::{HomeworkState, NeedState};
use tracebook_core::text::count;

use crate::args::Course;
use crate::client::Client;
use crate::out::Out;

pub(super) async fn run(client: &Client, command: Course, out: &Out) -> Result<u8, Error> {
    match command {
        Course::Show { file, toml } => {
            let view = client.call(CourseGet { file }).await?;
            if let Some(problem) = view.problems.first().filter(|_| !toml) {
                let name = view.file.as_deref().unwrap_or("the course");
                return Err(Error::new(
                    Code::Usage,
                    format!("{name}:{}: {}", problem.line, problem.message),
                    "`tracebook course check` lists everything that is wrong with it",
                ));
            }
            out.answer(&view, |view| if toml { view.toml.clone() } else { shown(view) });
            Ok(0)
        }
        Course::Check { file } => {
            let view = client.call(CourseGet { file }).await?;
            out.answer(&view, checked);
            Ok(u8::from(!view.problems.is_empty()))
        }
    }
}

pub(super) async fn homework(client: &Client, entry: Option<String>, out: &Out) -> Result<u8, Error> {
    let list = client.call(HomeworkRequest { entry }).await?;
    out.answer(&list, |list| list.iter().map(homework_text).collect::<Vec<_>>().join("\n"));
    Ok(0)
}

fn shown(view: &CourseView) -> String {
    let mut text = String::new();
    if !view.title.is_empty() {
        text.push_str(&format!("{}\n\n", view.title));
    }
    for week in &view.weeks {
        text.push_str(&format!("{}\n", week.title));
        for part in &week.homework {
            let needs = if part.needs.is_empty() { "text".to_owned() } else { part.needs.join("; ") };
            let optional = if part.challenge { " (challenge)" } else { "" };
            text.push_str(&format!("  {}{optional}: {needs}\n", part.title));
        }
    }
    text
}

fn checked(view: &CourseView) -> String {
    let name = view.file.as_deref().unwrap_or("The built-in course");
    if view.problems.is_empty() {
        return format!("{name}: {}, nothing wrong\n", count(view.weeks.len(), "week"));
    }
    let lines: Vec<String> =
        view.problems.iter().map(|p| format!("{name}:{}: {}\n  {}\n", p.line, p.message, p.hint)).collect();
    format!("{}{}\n", lines.concat(), count(view.problems.len(), "problem"))
}

fn homework_text(entry: &EntryHomework) -> String {
    let all = entry.slots_open + entry.slots_filled;
    let mut text = format!("{} ({}): {} of {}\n", entry.slug, entry.title, entry.slots_filled, count(all, "slot"));
    if entry.week.is_none() {
        text.push_str("  The course has no homework for it\n");
    }
    for state in &entry.homework {
        text.push_str(&state_text(state, entry));
    }
    text
}

fn state_text(state: &HomeworkState, entry: &EntryHomework) -> String {
    let mark = if state.met { "x" } else { " " };
    let optional = if state.challenge { " (challenge)" } else { "" };
    let mut text = format!("  [{mark}] {}{optional}\n", state.title);
    if state.needs.is_empty() && !state.met {
        text.push_str(&format!("      {}\n", state.missing()));
    }
    for need in &state.needs {
        text.push_str(&format!("      {}\n", need_text(need, entry)));
    }
    text
}

/// `1 trace: GET / (line 7)`, or why it is not met.
fn need_text(need: &NeedState, entry: &EntryHomework) -> String {
    let by: Vec<String> = need
        .by
        .iter()
        .filter_map(|id| entry.evidence.iter().find(|evidence| evidence.id == *id))
        .map(|evidence| format!("{} (line {})", evidence.title, evidence.line))
        .collect();
    match (need.met, by.is_empty()) {
        (true, true) => format!("{}: yes", need.text),
        (true, false) => format!("{}: {}", need.text, by.join("; ")),
        (false, _) => format!("{}: {}", need.text, need.why),
    }
}
