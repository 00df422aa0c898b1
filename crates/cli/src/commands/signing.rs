//! `tracebook signing`.

use tracebook_app::Error;
use tracebook_app::api::{SigningCreate, SigningForget, SigningKey, SigningShow};

use crate::args::Signing;
use crate::client::Client;
use crate::input::with_passphrase;
use crate::out::Out;

pub(super) async fn run(client: &Client, command: Signing, out: &Out) -> Result<u8, Error> {
    match command {
        Signing::Show { key } => {
            let ask = |passphrase| client.call(SigningShow { sign: key.clone(), passphrase });
            out.answer(&with_passphrase(ask).await?, text);
        }
        Signing::Create { replace } => {
            out.answer(&client.call(SigningCreate { replace }).await?, text);
            out.note(
                "`export --sign` uses it; give the first line to those who verify, for their list of allowed signers",
            );
        }
        Signing::Forget => {
            let there = client.call(SigningForget {}).await?;
            out.answer(&there, |there| if *there { "forgotten" } else { "there was none" }.to_owned());
        }
    }
    Ok(0)
}

fn text(key: &SigningKey) -> String {
    format!("{}\n{} ({})", key.key, key.fingerprint, key.place)
}
