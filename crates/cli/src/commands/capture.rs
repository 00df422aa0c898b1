//! `tracebook capture`.

use std::path::Path;

use serde::Serialize;

use tracebook_app::Error;
use tracebook_app::api::{Capture as Request, Captured, ConsoleText};
use tracebook_core::console::{ConsoleOrigin, decode};
use tracebook_core::evidence::Kind;

use crate::args::Capture;
use crate::client::Client;
use crate::input::read_bytes;
use crate::out::Out;
use crate::signals;

pub(super) async fn run(client: &Client, capture: Capture, out: &Out) -> Result<u8, Error> {
    let Capture { kind, id, source, latest, filter, range, into, slot, caption, size, file, command } = capture;
    let since = range.window()?;
    if kind != Kind::Console && (file.is_some() || !command.is_empty()) {
        return Err(Error::usage(
            "a file or a command is captured as console output",
            "Write capture console --file FILE, or capture console -- COMMAND",
        ));
    }
    if file.is_some() && !command.is_empty() {
        return Err(Error::usage("both a file and a command were given", "Give one of the two"));
    }
    let text = file.as_deref().map(console_text).transpose()?;
    let request = Request { kind, id, source, latest, filter, since, text, into, slot, caption, size };
    let (captured, exit_code) = if command.is_empty() {
        (client.call(request).await?, None)
    } else {
        let output = client.tracebook.run_command(&command, signals::interruption()).await?;
        let exit_code = output.console.exit_code;
        (client.tracebook.capture_console(output, request, &client.caller()).await?, exit_code)
    };
    let answer = Answer { captured: &captured, exit_code: (kind == Kind::Console).then_some(exit_code) };
    let Captured { evidence, reference, warnings } = &captured;
    out.answer(&answer, |_| match evidence.entries.is_empty() {
        true => format!(
            "{}  {}\nNo entry shows it yet. To show it, insert this line into one:\n{reference}",
            evidence.id, evidence.title
        ),
        false => format!("{}  {}\nin {}", evidence.id, evidence.title, evidence.entries.join(", ")),
    });
    out.warnings(warnings);
    Ok(0)
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    captured: &'a Captured,
    /// Of console output only; null where no command was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<Option<i32>>,
}

/// A file's text with its name.
fn console_text(file: &str) -> Result<ConsoleText, Error> {
    let (source, origin) = match file {
        "-" => ("standard input".to_owned(), ConsoleOrigin::Input),
        path => {
            let name = Path::new(path).file_name().map_or(path.to_owned(), |name| name.to_string_lossy().into_owned());
            (name, ConsoleOrigin::File)
        }
    };
    let bytes = read_bytes(file)?;
    let decoded = decode(&bytes);
    let encoding = decoded.note();
    Ok(ConsoleText { source, text: decoded.text.into_owned(), origin: Some(origin), encoding })
}
