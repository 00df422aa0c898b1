//! The result for a class as a table for spreadsheets, and as a page.

use tracebook_core::text::count;
use tracebook_render::verify::Verdict;

use super::class::{Class, Shared, Student};

/// A cell of CSV. Spreadsheets run cells that begin like a formula, so these become text.
fn cell(text: &str) -> String {
    let formula =
        text.trim_start_matches([' ', '\u{a0}', '\u{feff}']).starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
}

fn sum(student: &Student) -> usize {
    student.verdicts.values().sum()
}

fn verdicts(student: &Student) -> String {
    let all = student.verdicts.iter().map(|(verdict, n)| format!("{n} {verdict}"));
    all.collect::<Vec<_>>().join(", ")
}

/// `ann (11 evidence, 2 pictures)`.
fn shared(shared: &Shared) -> String {
    let what =
        [(shared.ids, "evidence"), (shared.digests, "data"), (shared.traces, "traces"), (shared.pictures, "pictures")];
    let what: Vec<String> = what.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    format!("{} ({})", shared.name, what.join(", "))
}

/// One row for each student, with a header.
pub fn to_csv(class: &Class) -> String {
    let columns = [
        "student",
        "ok",
        "met",
        "missing",
        "missing homework",
        "evidence",
        "verdicts",
        "first",
        "last",
        "shared with",
        "notes",
    ];
    let mut text = columns.map(cell).join(",") + "\r\n";
    for student in &class.students {
        let missing: Vec<String> =
            student.missing.iter().map(|lacking| format!("week {}: {}", lacking.week, lacking.title)).collect();
        let others: Vec<String> = student.shared_with.iter().map(shared).collect();
        let row = [
            student.name.clone(),
            if student.ok { "yes" } else { "no" }.to_owned(),
            student.met.len().to_string(),
            student.missing.len().to_string(),
            missing.join("; "),
            sum(student).to_string(),
            verdicts(student),
            student.first.clone().unwrap_or_default(),
            student.last.clone().unwrap_or_default(),
            others.join("; "),
            student.notes.join("; "),
        ];
        text.push_str(&(row.map(|text| cell(&text)).join(",") + "\r\n"));
    }
    text
}

/// Text in HTML. What is not shown as it is, is replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || tracebook_core::text::is_hidden(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --bad: #b3261e; --good: #1b6e3c; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --good: #7fd6a0; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 0; display: inline; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; } td.n, th.n { text-align: right; white-space: nowrap; }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); }
details { border: 1px solid var(--line); border-radius: 6px; margin: .7rem 0; padding: .5rem .8rem; }
summary { cursor: pointer; } ul { margin: .3rem 0 .8rem; padding-left: 1.3rem; }
.wide { overflow-x: auto; } small { opacity: .75; }
@media print { details { break-inside: avoid; } }
";

/// A page without scripts or other files.
pub fn to_html(class: &Class) -> String {
    let with = |wanted: fn(&Student) -> bool| class.students.iter().filter(|student| wanted(student)).count();
    let edited = with(|student| student.evidence.iter().any(|row| !row.verdict.holds()));
    let sharing = with(|student| !student.shared_with.is_empty());
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Evidence of a class</title>\n<style>{STYLE}</style>\n<h1>Evidence of a class</h1>\n\
         <p>{}; {edited} with evidence that does not hold; {sharing} with something that others have, too.</p>\n",
        count(class.students.len(), "student"),
    );
    for warning in &class.warnings {
        html.push_str(&format!("<p><small>{}</small></p>\n", escape(warning)));
    }
    html.push_str(
        "<div class=\"wide\"><table>\n<thead><tr><th>Student<th class=\"n\">Met<th class=\"n\">Missing<th>Verdicts\
         <th>First capture<th>Last capture<th>Shared with</tr></thead>\n<tbody>\n",
    );
    for (n, student) in class.students.iter().enumerate() {
        let class_of = if student.ok { "good" } else { "bad" };
        let time =
            |time: &Option<String>| escape(time.as_deref().unwrap_or("–").get(..16).unwrap_or("–")).replace('T', " ");
        html.push_str(&format!(
            "<tr><td><a class=\"{class_of}\" href=\"#s{n}\">{}</a><td class=\"n\">{}<td class=\"n\">{}<td>{}<td>{}<td>{}<td>{}</tr>\n",
            escape(&student.name),
            student.met.len(),
            student.missing.len(),
            escape(&verdicts(student)),
            time(&student.first),
            time(&student.last),
            names(student),
        ));
    }
    html.push_str("</tbody></table></div>\n");
    for (n, student) in class.students.iter().enumerate() {
        html.push_str(&details(n, student));
    }
    html.push_str("</html>\n");
    html
}

/// A few of the students that share something, and how many there are.
fn names(student: &Student) -> String {
    const A_FEW: usize = 3;
    let names: Vec<String> = student.shared_with.iter().take(A_FEW).map(|other| escape(&shared(other))).collect();
    let more = student.shared_with.len().saturating_sub(A_FEW);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

fn details(n: usize, student: &Student) -> String {
    let open = if student.ok { "" } else { " open" };
    let mut html = format!(
        "<details id=\"s{n}\"{open}><summary><h2>{}</h2> <small>{}</small></summary>\n",
        escape(&student.name),
        escape(&verdicts(student)),
    );
    let mut list = |title: &str, rows: Vec<String>| {
        if !rows.is_empty() {
            html.push_str(&format!("<p>{title}</p><ul>"));
            html.extend(rows.into_iter().map(|row| format!("<li>{row}")));
            html.push_str("</ul>\n");
        }
    };
    let missing = student.missing.iter();
    list(
        "Missing homework",
        missing.map(|m| format!("Week {}: {} – {}", escape(&m.week), escape(&m.title), escape(&m.why))).collect(),
    );
    let met = student.met.iter().map(|m| {
        let by: Vec<String> = m.evidence.iter().map(ToString::to_string).collect();
        let by = if by.is_empty() { String::new() } else { format!(" <small>by {}</small>", by.join(", ")) };
        let challenge = if m.challenge { " (challenge)" } else { "" };
        format!("Week {}: {}{challenge}{by}", escape(&m.week), escape(&m.title))
    });
    list("Met homework", met.collect());
    const MOST_SHARED: usize = 20;
    let mut others: Vec<String> =
        student.shared_with.iter().take(MOST_SHARED).map(|other| escape(&shared(other))).collect();
    if student.shared_with.len() > MOST_SHARED {
        others.push(format!("and {} more", student.shared_with.len() - MOST_SHARED));
    }
    list("Shared with", others);
    list("Notes", student.notes.iter().map(|note| escape(note)).collect());
    html.push_str(
        "<div class=\"wide\"><table><thead><tr><th>Verdict<th>Evidence<th>Captured<th>File and notes</tr></thead><tbody>\n",
    );
    for row in &student.evidence {
        let class_of = match row.verdict {
            Verdict::Intact | Verdict::Masked => "good",
            verdict if verdict.holds() => "",
            _ => "bad",
        };
        html.push_str(&format!(
            "<tr><td class=\"{class_of}\">{}<td>{}<td>{}<td>{}<br><small>{}</small></tr>\n",
            row.verdict.word(),
            escape(row.title.as_deref().unwrap_or("–")),
            escape(row.captured_at.as_deref().unwrap_or("–")),
            escape(&row.file),
            escape(&row.notes.join("; ")),
        ));
    }
    html.push_str("</tbody></table></div></details>\n");
    html
}
