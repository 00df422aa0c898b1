//! Keys that sign manifests, and the lists of keys that readers trust.

mod agent;
mod allowed;
mod signature;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};
use tracebook_sources::cloud::Secret;

use self::agent::Agent;
use crate::cloud::{Cloud, Token};
use crate::ground::error::{Code, Error};
use crate::ground::files::typed_path;
use crate::ground::schema::{Passphrase, SigningCreate, SigningForget, SigningKey, SigningShow};
use crate::ground::tasks::blocking;
use crate::system::random;

pub use allowed::AllowedSigners;
use signature::{NAMESPACE, check, fingerprint};
pub(crate) use signature::{SUFFIX, verdict};
pub use signature::{SignatureVerdict, VerifiedSignature};

/// The variable with the passphrase of a key file. Never an argument: every process sees those.
const PASSPHRASE: &str = "TRACEBOOK_SIGN_PASSPHRASE";
/// The comment of keys that are made here.
const COMMENT: &str = "tracebook";
/// Larger than any key file, in bytes.
const LARGEST_KEY: u64 = 64 * 1024;
const NAME_A_KEY: &str =
    "Make a key with `tracebook signing create`, add one to the SSH agent with `ssh-add`, or name a key file";

/// The keys of the user. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Signing {
    cloud: Arc<Cloud>,
    /// The socket of the SSH agent, if there is one.
    agent: Option<PathBuf>,
}

/// A key that can sign.
pub(crate) struct Signer {
    public: PublicKey,
    held: Held,
}

enum Held {
    /// Without encryption.
    Here(Box<PrivateKey>, Place),
    /// By an SSH agent with this socket.
    Agent(PathBuf),
}

#[derive(Clone, Copy)]
enum Place {
    Keychain,
    Environment,
    File,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.fingerprint()).finish()
    }
}

impl Signer {
    /// `SHA256:…`
    pub(crate) fn fingerprint(&self) -> String {
        fingerprint(self.public.key_data())
    }

    fn row(&self) -> Result<SigningKey, Error> {
        let place = match &self.held {
            Held::Agent(_) => "agent",
            Held::Here(_, Place::Keychain) => "keychain",
            Held::Here(_, Place::Environment) => "environment",
            Held::Here(_, Place::File) => "file",
        };
        let key = self.public.to_openssh().map_err(Error::internal)?;
        Ok(SigningKey { key, fingerprint: self.fingerprint(), place: place.to_owned() })
    }

    /// Whether a signature of these bytes by this key is there already.
    pub(crate) fn has_signed(&self, signature: &[u8], bytes: &[u8]) -> bool {
        matches!(check(signature, bytes), Ok((key, true)) if key == *self.public.key_data())
    }

    /// The signature of a manifest, as `ssh-keygen -Y sign` writes it. May wait for the user's confirmation.
    ///
    /// # Errors
    /// If the agent refuses.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Result<String, Error> {
        let signature = match &self.held {
            Held::Here(key, _) => key.sign(NAMESPACE, HashAlg::Sha512, bytes).map_err(Error::internal)?,
            Held::Agent(socket) => {
                let data = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, bytes).map_err(Error::internal)?;
                let signature = Agent::connect(socket)?.sign(&self.public, &data)?;
                let key = self.public.key_data().clone();
                SshSig::new(key, NAMESPACE, HashAlg::Sha512, signature).map_err(Error::internal)?
            }
        };
        let text = signature.to_pem(LineEnding::LF).map_err(Error::internal)?;
        // An agent may answer anything.
        match self.has_signed(text.as_bytes(), bytes) {
            true => Ok(text),
            false => Err(Error::new(
                Code::Unsupported,
                format!("the signature of {} does not hold", self.fingerprint()),
                "Sign with another key",
            )),
        }
    }
}

impl Signing {
    pub(crate) fn new(cloud: &Arc<Cloud>) -> Self {
        Self { cloud: Arc::clone(cloud), agent: agent::socket() }
    }

    /// The key that an export signs with; `None` if it does not. `named` is what the user asked for: a file, `agent`,
    /// `keychain`, a fingerprint, `none`, or an empty text for the configured one.
    ///
    /// # Errors
    /// If there is no such key, or it cannot be used.
    pub(crate) async fn signer(
        &self,
        named: Option<&str>,
        passphrase: Option<&Passphrase>,
    ) -> Result<Option<Signer>, Error> {
        let configured = self.cloud.settings()?.export.sign;
        let named = match named {
            None if configured.is_empty() => return Ok(None),
            None | Some("") => &configured,
            Some(named) => named,
        };
        match named {
            "none" => Ok(None),
            "" => match self.in_keychain().await? {
                Some(signer) => Ok(Some(signer)),
                None => self.in_agent(|_| true).await?.ok_or_else(no_key).map(Some),
            },
            "keychain" => {
                let missing = || {
                    Error::not_found("there is no signing key in the keychain", "Make one: `tracebook signing create`")
                };
                self.in_keychain().await?.ok_or_else(missing).map(Some)
            }
            "agent" => self.in_agent(|_| true).await?.ok_or_else(no_key).map(Some),
            print if print.starts_with("SHA256:") => self.known(print).await?.map(Some).ok_or_else(|| {
                Error::not_found(format!("neither the keychain nor the SSH agent has the key {print}"), NAME_A_KEY)
            }),
            file => self.of_file(&typed_path(file), passphrase).await.map(Some),
        }
    }

    /// The key in the keychain, else that of the environment.
    async fn in_keychain(&self) -> Result<Option<Signer>, Error> {
        self.cloud.secrets.look_again_for(Token::SIGNING);
        let Some((secret, place)) = self.cloud.secrets.find(Token::SIGNING).await else { return Ok(None) };
        let key = PrivateKey::from_openssh(format!("{}\n", secret.expose())).ok().filter(|key| !key.is_encrypted());
        let place = match place.word() {
            "environment" => Place::Environment,
            _ => Place::Keychain,
        };
        key.map(|key| Some(here(key, place))).ok_or_else(|| {
            let (what, hint) = match place {
                Place::Environment => {
                    (Token::SIGNING.variable(), "Put an OpenSSH private key without a passphrase in it")
                }
                _ => ("the signing key in the keychain", "Make a new one: `tracebook signing create --replace`"),
            };
            Error::usage(format!("{what} cannot be read as a private key"), hint)
        })
    }

    /// A key by its fingerprint.
    async fn known(&self, print: &str) -> Result<Option<Signer>, Error> {
        match self.in_keychain().await?.filter(|signer| signer.fingerprint() == print) {
            Some(signer) => Ok(Some(signer)),
            None => {
                let print = print.to_owned();
                self.in_agent(move |key| fingerprint(key.key_data()) == print).await
            }
        }
    }

    /// The first key of the agent that is wanted; `None` without an agent.
    async fn in_agent(&self, wanted: impl Fn(&PublicKey) -> bool + Send + 'static) -> Result<Option<Signer>, Error> {
        let Some(socket) = self.agent.clone() else { return Ok(None) };
        blocking(move || {
            let found = Agent::connect(&socket)?.keys()?.into_iter().find(|key| wanted(key));
            Ok(found.map(|public| Signer { public, held: Held::Agent(socket) }))
        })
        .await?
    }

    async fn of_file(&self, file: &Path, passphrase: Option<&Passphrase>) -> Result<Signer, Error> {
        let shown = file.display().to_string();
        let cannot = |why: String| Error::usage(format!("{shown} {why}"), NAME_A_KEY);
        let meta = std::fs::metadata(file).map_err(|e| Error::not_found(format!("{shown}: {e}"), NAME_A_KEY))?;
        if !meta.is_file() || meta.len() > LARGEST_KEY {
            return Err(cannot("is not a key file".to_owned()));
        }
        let text = std::fs::read_to_string(file).map_err(|e| cannot(format!("cannot be read: {e}")))?;
        if let Ok(public) = PublicKey::from_openssh(text.trim()) {
            let print = fingerprint(public.key_data());
            return self.known(&print).await?.ok_or_else(|| {
                cannot(format!(
                    "is a public key, and neither the keychain nor the SSH agent has its private key {print}"
                ))
            });
        }
        let key = PrivateKey::from_openssh(text.trim_start_matches('\u{feff}')).map_err(|e| {
            match text.contains("PRIVATE KEY-----") {
                true if !text.contains("OPENSSH PRIVATE KEY") => {
                    cannot(format!("is not in OpenSSH's format; convert it with: ssh-keygen -p -f {shown}"))
                }
                _ => cannot(format!("is no private key that can be used: {e}")),
            }
        })?;
        if !key.is_encrypted() {
            return Ok(here(key, Place::File));
        }
        // An agent that has the key needs no passphrase.
        let print = fingerprint(key.public_key().key_data());
        if let Ok(Some(signer)) = self.in_agent(move |other| fingerprint(other.key_data()) == print).await {
            return Ok(signer);
        }
        let given = passphrase.map(|passphrase| passphrase.0.clone()).or_else(|| std::env::var(PASSPHRASE).ok());
        let Some(given) = given.filter(|given| !given.is_empty()) else {
            let hint = format!("Add it to the SSH agent with `ssh-add`, or set {PASSPHRASE}");
            return Err(Error::new(Code::Passphrase, format!("{shown} has a passphrase"), hint));
        };
        let wrong = Error::new(
            Code::Credentials,
            format!("{shown}: the passphrase is wrong, or its encryption is not supported"),
            "Add it to the SSH agent with `ssh-add`, which asks for the passphrase",
        );
        // The derivation of the key is slow on purpose.
        blocking(move || key.decrypt(given)).await?.map(|key| here(key, Place::File)).map_err(|_| wrong)
    }

    pub(crate) async fn show(&self, request: SigningShow) -> Result<SigningKey, Error> {
        let named = request.sign.unwrap_or_default();
        self.signer(Some(&named), request.passphrase.as_ref()).await?.ok_or_else(no_key)?.row()
    }

    pub(crate) async fn create(&self, request: SigningCreate) -> Result<SigningKey, Error> {
        let no_keychain = |why: String| {
            Error::new(
                Code::Storage,
                format!("the key was not made, because it cannot be kept: {why}"),
                "Make a key file with `ssh-keygen -t ed25519`, and name it: --sign FILE",
            )
        };
        self.cloud.secrets.look_again();
        self.cloud.secrets.keychain().await.map_err(|why| no_keychain(format!("the keychain: {why}")))?;
        if !request.replace
            && let Some(Signer { held: Held::Here(_, Place::Keychain), public }) = self.in_keychain().await?
        {
            let message = format!("there is a signing key in the keychain: {}", fingerprint(public.key_data()));
            let hint = "--replace makes a new one; signatures of the old one hold, but cannot be made again";
            return Err(Error::new(Code::Refused, message, hint));
        }
        let pair = Ed25519Keypair::from_seed(&random()?);
        let key = PrivateKey::new(KeypairData::Ed25519(pair), COMMENT).map_err(Error::internal)?;
        let text = key.to_openssh(LineEnding::LF).map_err(Error::internal)?;
        let secret = Secret::new(&text).ok_or_else(|| Error::internal("an empty key"))?;
        match self.cloud.secrets.set(Token::SIGNING, secret, false).await?.word() {
            "keychain" => here(key, Place::Keychain).row(),
            _ => {
                self.cloud.secrets.forget(Token::SIGNING).await?;
                Err(no_keychain("there is no keychain".to_owned()))
            }
        }
    }

    pub(crate) async fn forget(&self, _: SigningForget) -> Result<bool, Error> {
        let there =
            matches!(self.in_keychain().await, Ok(Some(Signer { held: Held::Here(_, Place::Keychain), .. })) | Err(_));
        self.cloud.secrets.forget(Token::SIGNING).await?;
        Ok(there)
    }
}

/// Whether a signature holds for exactly these bytes, whoever signed.
pub(crate) fn holds(signature: &[u8], bytes: &[u8]) -> bool {
    matches!(check(signature, bytes), Ok((_, true)))
}

fn here(key: PrivateKey, place: Place) -> Signer {
    Signer { public: key.public_key().clone(), held: Held::Here(Box::new(key), place) }
}

fn no_key() -> Error {
    Error::not_found("there is no key to sign with", NAME_A_KEY)
}
