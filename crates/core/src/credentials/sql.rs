//! Credentials in SQL whose column names them: the rows of `INSERT` and `COPY`, and parameters that are listed behind
//! the statement.

use super::names::{self, Name};
use super::scan::{BY_NAME, Cut, run, run_back, text_of};
use super::values::{self, Form};

/// Bytes of a list of columns, and of a row.
const LIST: usize = 4 * 1024;
const ROW: usize = 64 * 1024;
/// Bytes that are read for rows that have no end, before less is read for each: keeps the time linear.
const WASTED: usize = 1024 * 1024;
/// Rows of a statement, and lines of a copy.
const MOST_ROWS: usize = 10_000;
/// Bytes between a statement and its parameters.
const NEAR: usize = 256;

fn is_gap(b: u8) -> bool {
    b.is_ascii_whitespace()
}

/// Gaps, and line breaks that are escaped.
fn gap(text: &[u8], at: usize) -> usize {
    let mut at = run(text, at, is_gap);
    while text.get(at) == Some(&b'\\') && matches!(text.get(at + 1), Some(b'n' | b't' | b'r')) {
        at = run(text, at + 2, is_gap);
    }
    at
}

/// The classes of the columns that are listed before a place; `None` if none is a credential's.
fn columns(text: &[u8], before: usize) -> Option<Vec<Name>> {
    let mut end = run_back(text, before, 64, is_gap);
    while end >= 2 && matches!(&text[end - 2..end], b"\\n" | b"\\t" | b"\\r") {
        end = run_back(text, end - 2, 64, is_gap);
    }
    if end == 0 || text[end - 1] != b')' {
        return None;
    }
    let open = run_back(text, end - 1, LIST, |b| b != b'(' && b != b')');
    if open == 0 || text[open - 1] != b'(' {
        return None;
    }
    let columns: Vec<Name> = text[open..end - 1]
        .split(|b| *b == b',')
        .map(|column| {
            let column = String::from_utf8_lossy(column).replace("\\n", " ");
            let column =
                column.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '[' | ']' | '\\'));
            // `password_hash`: a hash can be attacked offline.
            names::judge(column)
        })
        .collect();
    columns.iter().any(|class| *class != Name::Plain).then_some(columns)
}

/// A value in a row.
#[derive(Clone, Copy)]
struct Cell {
    /// What is cut: the inside of a literal, also of one in a call, or the whole.
    start: usize,
    end: usize,
    literal: bool,
}

/// The cells of a list in brackets, and the place behind it.
fn row(text: &[u8], open: usize, most: usize) -> Option<(Vec<Cell>, usize)> {
    let limit = text.len().min(open + most);
    let close = match text.get(open)? {
        b'(' => b')',
        b'[' => b']',
        _ => return None,
    };
    let mut cells = Vec::new();
    let mut depth = 0usize;
    let mut at = open + 1;
    let mut from = at;
    let mut literal: Option<(usize, usize)> = None;
    while at < limit {
        match text[at] {
            quote @ (b'\'' | b'"' | b'`') => {
                let end = literal_end(text, at + 1, quote, limit)?;
                literal = literal.or(Some((at + 1, end)));
                at = end + 1;
                continue;
            }
            b'$' => {
                if let Some((start, end, next)) = dollar_quoted(text, at, limit) {
                    literal = literal.or(Some((start, end)));
                    at = next;
                    continue;
                }
            }
            b'(' | b'[' | b'{' => depth += 1,
            b if depth == 0 && (b == b',' || b == close) => {
                let start = gap(&text[..at], from);
                let end = run_back(text, at, at - from, is_gap).max(start);
                let cell = match literal.take() {
                    Some((start, end)) => Cell { start, end, literal: true },
                    None => Cell { start, end, literal: false },
                };
                cells.push(cell);
                from = at + 1;
                if b == close {
                    return Some((cells, at + 1));
                }
            }
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The end of a literal: its quote, neither doubled nor escaped.
fn literal_end(text: &[u8], from: usize, quote: u8, limit: usize) -> Option<usize> {
    let mut at = from;
    while at < limit {
        match text[at] {
            b'\\' => at += 2,
            b if b == quote && text.get(at + 1) == Some(&quote) && at + 1 < limit => at += 2,
            b if b == quote => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// PostgreSQL's `$tag$…$tag$`: start, end, and the place behind it.
fn dollar_quoted(text: &[u8], at: usize, limit: usize) -> Option<(usize, usize, usize)> {
    let tag_end = run(&text[..limit], at + 1, |b| b.is_ascii_alphabetic() || b == b'_');
    if text.get(tag_end) != Some(&b'$') || tag_end - at > 64 {
        return None;
    }
    let tag = &text[at..=tag_end];
    let start = tag_end + 1;
    let length = text[start..limit].windows(tag.len()).position(|w| w == tag)?;
    Some((start, start + length, start + length + tag.len()))
}

/// `?`, `$1`, `%s`, `:name`: what stands for a value that is listed elsewhere.
fn is_parameter(cell: &[u8]) -> bool {
    matches!(cell, b"?" | b"%s" | b"%d" | b"%r" | b"DEFAULT" | b"default")
        || cell.len() > 1
            && matches!(cell[0], b'$' | b'?' | b':' | b'@')
            && cell[1..].iter().all(|b| super::scan::is_word(*b))
        || cell.starts_with(b"%(") && cell.ends_with(b")s")
}

fn is_credential(text: &[u8], class: Name, cell: Cell) -> bool {
    let value = text_of(text, cell.start, cell.end);
    match cell.literal {
        true => values::is_credential(class, &value, Form::Data),
        false => !is_parameter(value.as_bytes()) && values::is_credential(class, &value, Form::Assigned),
    }
}

fn cut(cells: &[Cell], classes: &[Name], text: &[u8], cuts: &mut Vec<Cut>) {
    for (cell, class) in cells.iter().zip(classes).filter(|(_, class)| **class != Name::Plain) {
        if cell.start < cell.end && is_credential(text, *class, *cell) {
            let what = if *class == Name::Password { "password" } else { BY_NAME };
            cuts.push(Cut { start: cell.start, end: cell.end, what });
        }
    }
}

/// The rows behind `VALUES`. `wasted` counts bytes that were read for rows that have no end.
pub(super) fn find_values(text: &[u8], start: usize, end: usize, wasted: &mut usize, cuts: &mut Vec<Cut>) {
    let Some(classes) = columns(text, start) else { return };
    let mut at = gap(text, end);
    for _ in 0..MOST_ROWS {
        let most = if *wasted < WASTED { ROW } else { LIST };
        let Some((cells, next)) = row(text, at, most) else {
            *wasted += most;
            return;
        };
        if cells.len() != classes.len() {
            return;
        }
        cut(&cells, &classes, text, cuts);
        let named = cells.iter().zip(&classes).filter(|(_, class)| **class != Name::Plain);
        if named.clone().any(|(cell, _)| is_parameter(&text[cell.start..cell.end])) {
            parameters(text, next, &classes, cuts);
        }
        let comma = gap(text, next);
        if text.get(comma) != Some(&b',') {
            return;
        }
        at = gap(text, comma + 1);
    }
}

/// The parameters that drivers log behind a statement: `[generated in 0.1s] ('bob', 'hunter2')`, `args=('bob', …)`.
fn parameters(text: &[u8], from: usize, classes: &[Name], cuts: &mut Vec<Cut>) {
    let end = text.len().min(from + NEAR);
    let mut at = from;
    for _ in 0..8 {
        let Some(open) = text[at.min(end)..end].iter().position(|b| matches!(b, b'(' | b'[')).map(|n| at + n) else {
            return;
        };
        if let Some((cells, _)) = row(text, open, LIST)
            && cells.len() == classes.len()
        {
            cut(&cells, classes, text, cuts);
            return;
        }
        at = open + 1;
    }
}

/// The lines behind PostgreSQL's `COPY table (columns) FROM stdin;`, as `pg_dump` writes them.
pub(super) fn find_copy(text: &[u8], start: usize, end: usize, cuts: &mut Vec<Cut>) {
    let Some(classes) = columns(text, start) else { return };
    let Some(line_end) = text[end..].iter().take(ROW).position(|b| *b == b'\n') else { return };
    let mut at = end + line_end + 1;
    for line in text[at..].split(|b| *b == b'\n').take(MOST_ROWS) {
        if line.starts_with(b"\\.") {
            return;
        }
        let mut cell = at;
        let mut cells = Vec::new();
        for part in line.split(|b| *b == b'\t') {
            cells.push(Cell { start: cell, end: cell + part.len(), literal: part != b"\\N" });
            cell += part.len() + 1;
        }
        if cells.len() != classes.len() {
            return;
        }
        cut(&cells, &classes, text, cuts);
        at += line.len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PLACEHOLDER, Removed, remove_from_text};

    fn clean(text: &str) -> String {
        remove_from_text(text, &mut Removed::default()).into_owned()
    }

    #[test]
    fn values_of_credential_columns_are_found() {
        for text in [
            "INSERT INTO users (name, password) VALUES ('bob', 'swordfish')",
            "insert into \"users\" (\"name\",\"password\",\"age\") values ('bob','swordfish',3) returning id",
            "INSERT INTO `users` (`password`) VALUES ('swordfish'), ('swordfish')",
            "INSERT INTO users (name, password)\nVALUES\n  ('o''neil (x)', 'swordfish'),\n  ('ann', NULL)",
            "REPLACE INTO users (id, api_key) VALUES (1, 'swordfish')",
            "INSERT INTO users (name, password) VALUES ('bob', crypt('swordfish', gen_salt('bf')))",
            "INSERT INTO [users] ([name], [password]) VALUES (N'bob', N'swordfish')",
            "INSERT INTO users (name, password) VALUES (E'a\\'b', $$swordfish$$)",
            "{\"db.statement\":\"INSERT INTO users (\\\"name\\\", \\\"password\\\") VALUES ('bob', 'swordfish')\"}",
            "'INSERT INTO users (name, password) VALUES (\\'bob\\', \\'swordfish\\')'",
            "INSERT INTO users (name, password) VALUES (%s, %s)\n[generated in 0.00015s] ('bob', 'swordfish')",
            "INSERT INTO users (name, password) VALUES (?, ?); args=('bob', 'swordfish')",
            "INSERT INTO users (name, password) VALUES ($1, $2) -- PARAMETERS: [\"bob\", \"swordfish\"]",
            "UPDATE users SET password = 'swordfish' WHERE id = 1",
            "UPDATE users SET name='bob', \"password\"='swordfish'",
            "UPDATE users SET password = crypt('swordfish', gen_salt('bf'))",
            "UPDATE `users` SET `users`.`password` = 'swordfish'",
            "SELECT 1 FROM users WHERE password = MD5('swordfish')",
            "COPY public.users (id, name, password) FROM stdin;\n1\tbob\tswordfish\n2\tann\t\\N\n\\.\n",
            "INSERT%20INTO%20users%20(name,%20password)%20VALUES%20('bob',%20'swordfish')",
        ] {
            let out = clean(text);
            assert!(!out.contains("swordfish") && out.contains(PLACEHOLDER), "{text}\n{out}");
            assert_eq!(clean(&out), out);
        }
    }

    #[test]
    fn other_columns_and_parameters_stay() {
        for text in [
            "INSERT INTO tokens (id, token_count) VALUES (1, 2)",
            "INSERT INTO users (name, password) VALUES (%s, %s)",
            "INSERT INTO users (name, password) VALUES ($1, $2) RETURNING id",
            "INSERT INTO users (name, password) VALUES (:name, :password)",
            "INSERT INTO users (name, password) VALUES (%(name)s, %(password)s)",
            "INSERT INTO users (name, password) VALUES (@p1, @p2)",
            "INSERT INTO users (name, password) VALUES ('bob', NULL)",
            "INSERT INTO users (name, password) VALUES ('bob', DEFAULT)",
            "INSERT INTO users (name, age) VALUES ('bob', 'swordfish')",
            "UPDATE users SET password = $1 WHERE id = $2",
            "UPDATE users SET password = :password WHERE id = :id",
            "UPDATE users SET password = ? WHERE id = ?",
            "UPDATE users SET password = NULL",
            "UPDATE users SET password_updated_at = 'today'",
            "the call f(password) values (a) more than (b)",
            "VALUES (1), (2)",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn many_rows_take_linear_time() {
        let rows = vec!["('bob', 'swordfish')"; 20_000].join(", ");
        let start = std::time::Instant::now();
        let out = clean(&format!("INSERT INTO users (name, password) VALUES {rows}"));
        assert!(out.matches(PLACEHOLDER).count() >= 10_000);
        clean(&"(password) values (".repeat(20_000));
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
