//! What git says, as errors that tell what to do.

use tracebook_core::text::marked;

use super::git::Ran;
use crate::ground::error::{Code, Error};

/// The most lines and characters that are shown of what git and its hooks printed.
const MOST_LINES: usize = 20;
const MOST_CHARS: usize = 400;

/// What was asked of git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Something that needs neither network nor hooks.
    Local,
    Fetch,
    Commit,
    Push,
}

/// The output of git for people: without credentials, control characters and advice.
pub(super) fn shown(err: &str) -> String {
    let lines = err.split(['\n', '\r']).map(str::trim_end);
    let lines: Vec<String> = lines
        .filter(|line| !line.is_empty() && !line.starts_with("hint:"))
        .map(|line| marked(&without_credentials(line)).chars().take(MOST_CHARS).collect())
        .collect();
    let from = lines.len().saturating_sub(MOST_LINES);
    lines[from..].join("\n")
}

/// A line with `…` for user and password in every URL, and for what looks like a token.
pub(super) fn without_credentials(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        // A password may have quotation marks.
        let end = after.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(after.len());
        match after[..end].rfind('@') {
            Some(user) => {
                out.push('…');
                rest = &after[user..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    let mut removed = tracebook_core::credentials::Removed::default();
    tracebook_core::credentials::remove_from_text(&out, &mut removed).into_owned()
}

/// The error of a command that failed.
pub(super) fn failed(step: Step, ran: &Ran) -> Error {
    let said = shown(&ran.err);
    let low = ran.err.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| low.contains(word));
    let error = |code, what: &str, hint: &str| Error::new(code, format!("{what}:\n{said}"), hint);
    if has(&["no space left", "disk quota exceeded", "file too large"]) {
        return error(Code::Storage, "there is no space left for git", "Free some space, and run sync again");
    }
    if has(&[".lock': file exists", "another git process", "cannot lock ref", "unable to lock"]) {
        return error(
            Code::Storage,
            "another git process is using the repository",
            "Wait until it has ended. If none is running, remove the lock file that is named",
        );
    }
    if has(&["dubious ownership"]) {
        return error(
            Code::Refused,
            "the repository belongs to another user, so git does not trust it",
            "If you do, add it: git config --global --add safe.directory DIR",
        );
    }
    if has(&["not a git repository"]) && step == Step::Local {
        return error(Code::Usage, "this is not a git repository", "Name a folder of one: --repo DIR");
    }
    if step == Step::Commit {
        if has(&["please tell me who you are", "empty ident", "unable to auto-detect email", "no email was given"]) {
            return error(
                Code::Usage,
                "git does not know who commits",
                "Set it: git config --global user.name NAME, and user.email ADDRESS",
            );
        }
        if has(&["failed to sign", "gpg:", "signing", "user.signingkey", "load public key", "ssh-keygen"]) {
            return error(
                Code::Credentials,
                "the commit could not be signed",
                "See that `git commit` signs in the repository, or that the key is unlocked",
            );
        }
    }
    if matches!(step, Step::Fetch | Step::Push) {
        if has(&[
            "authentication failed",
            "permission denied (",
            "could not read username",
            "could not read password",
            "terminal prompts disabled",
            "host key verification failed",
            "returned error: 401",
            "returned error: 403",
            "invalid username or",
            "access denied",
            "too many authentication failures",
        ]) {
            return error(
                Code::Credentials,
                "the remote rejects the credentials, or git has none",
                "See that `git fetch` works in the repository: its SSH agent or credential helper is used here, too",
            );
        }
        if has(&[
            "could not resolve host",
            "connection refused",
            "timed out",
            "network is unreachable",
            "unable to access",
            "does not appear to be a git repository",
            "could not read from remote repository",
            "repository not found",
            "not a git repository",
            "unable to connect",
            "unexpectedly",
            "early eof",
        ]) {
            return error(
                Code::Unreachable,
                "the remote could not be reached",
                "See that `git fetch` works in the repository, and what `git remote -v` says",
            );
        }
    }
    if has(&[
        "permission denied",
        "insufficient permission",
        "read-only file system",
        "unable to create",
        "unable to write",
        "could not create",
    ]) {
        return error(Code::Storage, "git cannot write to the repository", "See that you may write to its .git folder");
    }
    let what = match step {
        Step::Local => "git failed",
        Step::Fetch => "git could not fetch",
        Step::Commit => "git could not commit",
        Step::Push => "git could not push",
    };
    error(Code::Refused, what, "See whether the same works with git in the repository")
}

/// What a push was answered.
#[derive(Debug)]
pub(super) enum Pushed {
    Done,
    /// Somebody else pushed meanwhile; or, if the branch is where it was, what the remote refused.
    Moved(Error),
    Refused(Error),
}

/// Reads the answer of `git push --porcelain`.
pub(super) fn pushed(ran: &Ran, branch: &str) -> Pushed {
    if ran.ok {
        return Pushed::Done;
    }
    let out = String::from_utf8_lossy(&ran.out).into_owned();
    let line = out.lines().find(|line| line.starts_with('!')).unwrap_or_default().to_owned();
    let moved = ["[rejected]", "cannot lock ref", "failed to update ref", "incorrect old value", "stale info"];
    let said = shown(&format!("{}\n{line}", ran.err));
    if moved.iter().any(|words| line.contains(words)) {
        return Pushed::Moved(Error::new(
            Code::Refused,
            format!("the remote refused the push to {branch}:\n{said}"),
            "See whether `git push` works in the repository: a lock at the remote, or a branch whose name is the \
             beginning of another one, refuses it",
        ));
    }
    if line.contains("[remote rejected]") {
        return Pushed::Refused(Error::new(
            Code::Refused,
            format!("the remote refused the push to {branch}:\n{said}"),
            "The branch may be protected. Publish to another one (--branch NAME) and open a pull request from it",
        ));
    }
    if line.is_empty() && ran.err.to_lowercase().contains("failed to push some refs") {
        return Pushed::Refused(Error::new(
            Code::Refused,
            format!("a pre-push hook refused:\n{said}"),
            "Do what the hook wants, and run sync again; hooks are never skipped",
        ));
    }
    Pushed::Refused(failed(Step::Push, ran))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(err: &str) -> Ran {
        Ran { ok: false, out: Vec::new(), err: err.to_owned() }
    }

    #[test]
    fn what_git_says_has_no_credentials_and_controls_no_terminal() {
        for (said, wanted) in [
            (
                "fatal: 'https://me:hunter2@example.org/x.git/' not found",
                "fatal: 'https://…@example.org/x.git/' not found",
            ),
            ("https://a@b@c/ and ssh://git@host:22/x", "https://…@c/ and ssh://…@host:22/x"),
            ("hint: use git pull\nerror: no\r\nhint: x", "error: no"),
            ("a\u{1b}[31mred\u{202e}", "a␛[31mred\u{fffd}"),
            ("no://user but mail a@b", "no://user but mail a@b"),
            ("https://me:a'b\"c@host/x", "https://…@host/x"),
        ] {
            assert_eq!(shown(said), wanted, "{said:?}");
        }
        let token = format!("remote: ghp_{}", "a1B2c3".repeat(6));
        assert!(!shown(&token).contains("a1B2c3"), "{}", shown(&token));
        assert_eq!(shown(&"line\n".repeat(100)).lines().count(), MOST_LINES);
    }

    #[test]
    fn a_failure_says_what_to_do() {
        for (step, said, code) in [
            (Step::Fetch, "git@host: Permission denied (publickey).", Code::Credentials),
            (
                Step::Fetch,
                "fatal: could not read Username for 'https://x': terminal prompts disabled",
                Code::Credentials,
            ),
            (
                Step::Fetch,
                "ssh: Could not resolve hostname x\nfatal: Could not read from remote repository.",
                Code::Unreachable,
            ),
            (Step::Fetch, "fatal: '/x' does not appear to be a git repository", Code::Unreachable),
            (Step::Commit, "*** Please tell me who you are.", Code::Usage),
            (Step::Commit, "error: gpg failed to sign the data", Code::Credentials),
            (Step::Commit, "fatal: Unable to create '/x/index.lock': File exists.", Code::Storage),
            (Step::Local, "error: insufficient permission for adding an object to repository database", Code::Storage),
            (Step::Local, "fatal: write error: No space left on device", Code::Storage),
            (Step::Local, "fatal: not a git repository (or any of the parent directories): .git", Code::Usage),
            (Step::Commit, "lint: too long", Code::Refused),
        ] {
            let error = failed(step, &ran(said));
            assert_eq!(error.code, code, "{said}: {error}");
            assert!(error.message.ends_with(said) && !error.hint.is_empty(), "{error}");
        }
    }
}
