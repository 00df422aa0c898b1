//! Reading files and standard input.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use tracebook_app::api::Passphrase;
use tracebook_app::{Code, Error};

use crate::out::print_error;

/// Longer than any token.
const MAX_TOKEN: u64 = 10_000;

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn read_bytes(path: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = match path {
        "-" => std::io::stdin().lock().read_to_end(&mut bytes).map(drop),
        _ => std::fs::read(path).map(|read| bytes = read),
    };
    read.map_err(|e| Error::usage(format!("{path}: {e}"), "Name a readable file, or - for standard input"))?;
    Ok(bytes)
}

/// The same as text.
pub(crate) fn read_text(path: &str) -> Result<String, Error> {
    String::from_utf8(read_bytes(path)?).map_err(|e| {
        Error::usage(
            format!(
                "{path} is not UTF-8: invalid byte at position {}. Nothing was written",
                e.utf8_error().valid_up_to()
            ),
            "Convert it first, for example with: iconv -f WINDOWS-1252 -t UTF-8",
        )
    })
}

/// A token from standard input. Never from an argument: those are in the shell's history, and every process sees them.
pub(crate) fn read_token() -> Result<String, Error> {
    let mut text = String::new();
    std::io::stdin().take(MAX_TOKEN).read_to_string(&mut text).map_err(|e| {
        Error::usage(format!("the token cannot be read: {e}"), "Pipe it in, or paste it and press Ctrl-D")
    })?;
    match text.trim() {
        "" => Err(Error::usage(
            "no token was given",
            "Pipe it in, or paste it and press Ctrl-D; --forget removes the stored one",
        )),
        token => Ok(token.to_owned()),
    }
}

/// Calls a command; if its key file has a passphrase and none was set, asks for that and calls it again.
pub(crate) async fn with_passphrase<T>(ask: impl AsyncFn(Option<Passphrase>) -> Result<T, Error>) -> Result<T, Error> {
    match ask(None).await {
        Err(error) if error.code == Code::Passphrase => match read_passphrase(&error)? {
            Some(passphrase) => ask(Some(passphrase)).await,
            None => Err(error),
        },
        other => other,
    }
}

/// A line of standard input, without an echo if that is a terminal.
fn read_passphrase(why: &Error) -> Result<Option<Passphrase>, Error> {
    let stdin = std::io::stdin();
    let hidden = stdin.is_terminal().then(|| {
        print_error(&format!("{}. Passphrase:", why.message));
        Hidden::new()
    });
    let mut line = String::new();
    let read = stdin.lock().take(MAX_TOKEN).read_line(&mut line);
    drop(hidden);
    read.map_err(|e| Error::usage(format!("the passphrase cannot be read: {e}"), why.hint.clone()))?;
    let line = line.trim_end_matches(['\r', '\n']);
    Ok((!line.is_empty()).then(|| Passphrase(line.to_owned())))
}

/// A terminal that shows nothing of what is typed.
#[cfg(unix)]
struct Hidden(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Hidden {
    fn new() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(before) = &before {
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            // It is read with an echo where the terminal cannot be changed.
            tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent).ok();
        }
        Self(before)
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // There is nobody left to tell.
            rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Flush, before).ok();
        }
    }
}

#[cfg(not(unix))]
struct Hidden;

#[cfg(not(unix))]
impl Hidden {
    fn new() -> Self {
        Self
    }
}
