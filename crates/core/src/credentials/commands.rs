//! Credentials in the arguments of commands and of function calls, as data.

use super::scan::{Cut, is_word, text_of};
use super::values::{is_stand_in, is_wordlike, looks_secret};

/// Where a flag has its credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Directly behind the flag: `-psecret`.
    Attached,
    /// The next word: `-p secret`.
    Next,
    /// Behind the colon of the next word: `-u user:secret`.
    BehindColon,
    /// Behind the percent sign of the next word: `-U user%secret`.
    BehindPercent,
    /// The word so many behind the flag: `-b file user secret`.
    Nth(u8),
    /// Between `/` and `@` of any word: `user/secret@database`.
    BehindSlash,
}

/// Flags of a program.
pub(super) struct Program {
    pub(super) program: &'static str,
    flags: &'static [(&'static str, Place)],
}

use Place::{Attached, BehindColon, BehindPercent, BehindSlash, Next, Nth};

const MYSQL: &[(&str, Place)] = &[("-p", Attached)];
const CURL: &[(&str, Place)] =
    &[("-u", BehindColon), ("--user", BehindColon), ("-U", BehindColon), ("--proxy-user", BehindColon)];
const SHORT: &[(&str, Place)] = &[("-p", Next)];
const HTPASSWD: &[(&str, Place)] = &[
    ("-b", Nth(3)),
    ("-bc", Nth(3)),
    ("-cb", Nth(3)),
    ("-bB", Nth(3)),
    ("-Bb", Nth(3)),
    ("-cBb", Nth(3)),
    ("-nb", Nth(2)),
    ("-bn", Nth(2)),
    ("-nbB", Nth(2)),
    ("-nBb", Nth(2)),
    ("-Bbn", Nth(2)),
];
const LDAP: &[(&str, Place)] = &[("-w", Next)];
const SQLCMD: &[(&str, Place)] = &[("-P", Next), ("-P", Attached)];

/// From the manual pages of these programs.
pub(super) const PROGRAMS: &[Program] = &[
    Program { program: "mysql", flags: MYSQL },
    Program { program: "mysqldump", flags: MYSQL },
    Program { program: "mysqladmin", flags: MYSQL },
    Program { program: "mysqlimport", flags: MYSQL },
    Program { program: "mariadb", flags: MYSQL },
    Program { program: "mariadb-dump", flags: MYSQL },
    Program { program: "mycli", flags: &[("-p", Attached), ("-p", Next)] },
    Program { program: "curl", flags: CURL },
    Program { program: "wget", flags: CURL },
    Program { program: "http", flags: &[("-a", BehindColon), ("--auth", BehindColon)] },
    Program { program: "https", flags: &[("-a", BehindColon), ("--auth", BehindColon)] },
    Program { program: "xh", flags: &[("-a", BehindColon), ("--auth", BehindColon)] },
    Program { program: "ab", flags: &[("-A", BehindColon)] },
    Program { program: "sshpass", flags: &[("-p", Next), ("-p", Attached)] },
    Program { program: "redis-cli", flags: &[("-a", Next)] },
    Program { program: "mongo", flags: &[("-p", Next)] },
    Program { program: "mongosh", flags: &[("-p", Next)] },
    Program { program: "mongodump", flags: &[("-p", Next)] },
    Program { program: "mongorestore", flags: &[("-p", Next)] },
    Program { program: "cqlsh", flags: &[("-p", Next)] },
    Program { program: "influx", flags: &[("-p", Next), ("-t", Next)] },
    Program { program: "clickhouse-client", flags: &[("--password", Next)] },
    Program { program: "docker login", flags: SHORT },
    Program { program: "podman login", flags: SHORT },
    Program { program: "az login", flags: SHORT },
    Program { program: "az acr login", flags: SHORT },
    Program { program: "oc login", flags: SHORT },
    Program { program: "helm registry login", flags: SHORT },
    Program { program: "nerdctl login", flags: SHORT },
    Program { program: "cf login", flags: SHORT },
    Program { program: "sqlcmd", flags: SQLCMD },
    Program { program: "bcp", flags: SQLCMD },
    Program { program: "htpasswd", flags: HTPASSWD },
    Program { program: "sqlplus", flags: &[("", BehindSlash)] },
    Program { program: "ldapsearch", flags: LDAP },
    Program { program: "ldapadd", flags: LDAP },
    Program { program: "ldapmodify", flags: LDAP },
    Program { program: "ldapwhoami", flags: LDAP },
    Program { program: "smbclient", flags: &[("-U", BehindPercent)] },
    Program { program: "rpcclient", flags: &[("-U", BehindPercent)] },
    Program { program: "zip", flags: &[("-P", Next), ("-P", Attached)] },
    Program { program: "unzip", flags: &[("-P", Next), ("-P", Attached)] },
    Program { program: "7z", flags: MYSQL },
    Program { program: "unrar", flags: MYSQL },
    Program { program: "plink", flags: &[("-pw", Next)] },
    Program { program: "pscp", flags: &[("-pw", Next)] },
    Program { program: "lftp", flags: &[("-u", BehindColon)] },
    Program { program: "svn", flags: &[("--password", Next)] },
    Program { program: "ipmitool", flags: &[("-P", Next)] },
    Program { program: "wrk", flags: &[("-u", BehindColon)] },
];

/// Words of a command that are looked at.
const WORDS: usize = 32;

/// Looks at the arguments of a command.
pub(super) fn find_program(text: &[u8], start: usize, end: usize, n: usize, cuts: &mut Vec<Cut>) {
    let alone =
        |at: Option<usize>| at.and_then(|at| text.get(at)).is_none_or(|b| !is_word(*b) && *b != b'-' && *b != b'.');
    let behind = text.get(end);
    if !alone(start.checked_sub(1))
        || !behind.is_some_and(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b','))
    {
        return;
    }
    let flags = PROGRAMS[n].flags;
    let mut before: Option<Place> = None;
    let mut at = end;
    for _ in 0..WORDS {
        let Some((from, to)) = word(text, at) else { return };
        let mut cut = |from: usize, to: usize| {
            let value = text_of(text, from, to);
            if from < to && !is_stand_in(&value) && !value.starts_with("$") {
                cuts.push(Cut { start: from, end: to, what: "password of a command" });
            }
        };
        let value = &text[from..to];
        let behind = |mark: u8| value.iter().position(|b| *b == mark).map(|at| from + at + 1);
        if let Some(place) = before.take()
            && !value.starts_with(b"-")
        {
            match place {
                Next | Nth(0 | 1) => cut(from, to),
                Nth(n) => before = Some(Nth(n - 1)),
                BehindColon => behind(b':').into_iter().for_each(|from| cut(from, to)),
                BehindPercent => behind(b'%').into_iter().for_each(|from| cut(from, to)),
                Attached | BehindSlash => {}
            }
        }
        for (flag, place) in flags {
            let Some(rest) = value.strip_prefix(flag.as_bytes()) else { continue };
            let rest_at = to - rest.len();
            match place {
                BehindSlash => {
                    if let (Some(slash), Some(end)) = (behind(b'/'), value.iter().rposition(|b| *b == b'@'))
                        && slash < from + end
                        && !value.starts_with(b"/")
                    {
                        cut(slash, from + end);
                    }
                }
                Next | BehindColon | BehindPercent | Nth(_) if rest.is_empty() => before = Some(*place),
                BehindColon if flag.len() == 2 || rest.starts_with(b"=") => {
                    rest.iter().position(|b| *b == b':').into_iter().for_each(|colon| cut(rest_at + colon + 1, to));
                }
                Attached if !rest.is_empty() && !value.starts_with(b"--") && !rest.starts_with(b"=") => {
                    cut(rest_at, to)
                }
                Next | BehindColon | BehindPercent | Attached | Nth(_) => {}
            }
        }
        at = to;
        // The end of a command.
        if text.get(to).is_some_and(|b| matches!(b, b';' | b'|' | b'&')) {
            return;
        }
    }
}

/// The next word, without its quotes. Arguments of an array are lines of their own.
fn word(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let is_gap = |b: u8| b.is_ascii_whitespace() || matches!(b, b',' | b'"' | b'\'' | b'[' | b']');
    let from = super::scan::run(text, at, is_gap);
    let quote = text.get(from.wrapping_sub(1)).filter(|b| matches!(b, b'"' | b'\'')).copied();
    let stop = |b: u8| match quote {
        Some(quote) => b == quote || b == b'\n',
        None => b.is_ascii_whitespace() || b.is_ascii_control() || matches!(b, b'"' | b'\'' | b';' | b'|'),
    };
    let to = from + text.get(from..)?.iter().take(512).take_while(|b| !stop(**b)).count();
    (from < to).then_some((from, to))
}

/// Arguments of a function that are credentials.
pub(super) struct Call {
    pub(super) call: &'static str,
    /// The first argument that can be one, from 0.
    from: usize,
    /// Whether it is one unless it is a word; else only if it looks generated.
    sure: bool,
}

/// Functions of common libraries that take a credential without naming it.
pub(super) const CALLS: &[Call] = &[
    Call { call: "rollbar.init(", from: 0, sure: false },
    Call { call: "new rollbar(", from: 0, sure: false },
    Call { call: "honeycomb.init(", from: 0, sure: false },
    Call { call: "libhoney.init(", from: 0, sure: false },
    Call { call: ".login(", from: 1, sure: true },
    Call { call: ".authenticate(", from: 1, sure: true },
    Call { call: "httpbasicauth(", from: 1, sure: true },
    Call { call: "basicauth(", from: 1, sure: true },
    Call { call: "basic_auth(", from: 1, sure: true },
    Call { call: "httpdigestauth(", from: 1, sure: true },
    Call { call: "auth=(", from: 1, sure: true },
    Call { call: "createclient(", from: 0, sure: false },
    Call { call: "client(", from: 0, sure: false },
    Call { call: "stripe(", from: 0, sure: false },
    Call { call: "openai(", from: 0, sure: false },
    Call { call: "anthropic(", from: 0, sure: false },
    Call { call: "telebot(", from: 0, sure: false },
    Call { call: "sign(", from: 1, sure: false },
    Call { call: "jwt.encode(", from: 1, sure: false },
    Call { call: "jwt.decode(", from: 1, sure: false },
    Call { call: "fernet(", from: 0, sure: false },
    Call { call: "setapikey(", from: 0, sure: true },
    Call { call: "mixpanel.init(", from: 0, sure: false },
];

/// Looks at the quoted arguments of a call.
pub(super) fn find_call(text: &[u8], at: usize, n: usize, cuts: &mut Vec<Cut>) {
    let row = &CALLS[n];
    let mut at = at;
    for argument in 0..4 {
        let from =
            super::scan::run(text, at, |b| b.is_ascii_whitespace() || matches!(b, b'\\' | b'b' | b'u' | b'r' | b'f'));
        let Some(quote) = text.get(from).copied() else { return };
        let (start, end, next) = match quote {
            b'"' | b'\'' | b'`' => {
                let start = from + 1;
                let end = start
                    + text[start..]
                        .iter()
                        .take(512)
                        .take_while(|b| **b != quote && **b != b'\n' && **b != b'\\')
                        .count();
                (start, end, super::scan::run(text, end, |b| matches!(b, b'\\' | b'"' | b'\'' | b'`')))
            }
            // A variable.
            _ if argument < row.from => {
                let end = super::scan::run(text, from, |b| is_word(b) || matches!(b, b'.' | b'{' | b'}' | b':' | b'@'));
                (end, end, end)
            }
            _ => return,
        };
        if argument >= row.from && start < end {
            let value = text_of(text, start, end);
            let is = looks_secret(&value)
                || row.sure && value.len() > 3 && !value.contains(' ') && !(is_wordlike(&value) && value.len() < 5);
            if is && !is_stand_in(&value) {
                cuts.push(Cut { start, end, what: "credential in a call" });
            }
        }
        let comma = super::scan::run(text, next, |b| b == b' ');
        if text.get(comma) != Some(&b',') {
            return;
        }
        at = comma + 1;
    }
}
