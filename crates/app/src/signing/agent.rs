//! A client of the SSH agent: lists its keys and asks for signatures.
//!
//! The protocol is draft-ietf-sshm-ssh-agent (earlier draft-miller-ssh-agent): each message is a `uint32` length, a
//! byte with its kind, and its fields. A `string` is a `uint32` with its length in bytes, and the bytes.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ssh_key::{PublicKey, Signature};

use crate::ground::error::{Code, Error};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// RSA with SHA-512 rather than SHA-1, which SSHSIG does not allow.
const RSA_SHA2_512: u32 = 4;
/// OpenSSH's limit of a message, in bytes.
const LONGEST: usize = 256 * 1024;
/// Agents may ask the user to confirm, or to touch a key.
const ANSWER: Duration = Duration::from_secs(60);
const VARIABLE: &str = "SSH_AUTH_SOCK";

#[cfg(unix)]
type Stream = std::os::unix::net::UnixStream;
#[cfg(not(unix))]
type Stream = std::fs::File;

/// The socket of this session's agent.
pub(super) fn socket() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// A connection to an agent.
#[derive(Debug)]
pub(super) struct Agent(Stream);

impl Agent {
    /// Connects to the agent with this socket.
    ///
    /// # Errors
    /// If it does not answer.
    #[cfg(unix)]
    pub(super) fn connect(socket: &Path) -> Result<Self, Error> {
        let connected = Stream::connect(socket).and_then(|stream| {
            stream.set_read_timeout(Some(ANSWER))?;
            stream.set_write_timeout(Some(ANSWER))?;
            Ok(stream)
        });
        connected
            .map(Self)
            .map_err(|e| unreachable(format!("the SSH agent at {} does not answer: {e}", socket.display())))
    }

    /// There is none that this version can reach.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(unix))]
    pub(super) fn connect(_: &Path) -> Result<Self, Error> {
        Err(unreachable("SSH agents are not supported on this system".to_owned()))
    }

    /// The keys that the agent can sign with. Certificates and unknown keys are left out.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub(super) fn keys(&mut self) -> Result<Vec<PublicKey>, Error> {
        let answer = self.ask(&[REQUEST_IDENTITIES], IDENTITIES_ANSWER)?;
        let read = || {
            let mut rest = answer.as_slice();
            let count = u32_of(&mut rest)?;
            let mut keys = Vec::new();
            for _ in 0..count {
                let (blob, comment) = (string_of(&mut rest)?, string_of(&mut rest)?);
                if let Ok(mut key) = PublicKey::from_bytes(blob)
                    && !key.key_data().is_certificate()
                    && !key.key_data().is_other()
                {
                    key.set_comment(String::from_utf8_lossy(comment).into_owned());
                    keys.push(key);
                }
            }
            Some(keys)
        };
        read().ok_or_else(|| unreachable("the SSH agent's list of keys cannot be read".to_owned()))
    }

    /// A signature of bytes by one of the agent's keys.
    ///
    /// # Errors
    /// If the agent does not have the key, or the user refuses.
    pub(super) fn sign(&mut self, key: &PublicKey, bytes: &[u8]) -> Result<Signature, Error> {
        let mut request = vec![SIGN_REQUEST];
        put(&mut request, &key.to_bytes().map_err(Error::internal)?);
        put(&mut request, bytes);
        let flags = if key.key_data().is_rsa() { RSA_SHA2_512 } else { 0 };
        request.extend(flags.to_be_bytes());
        let answer = self.ask(&request, SIGN_RESPONSE)?;
        let signature = string_of(&mut answer.as_slice()).and_then(|blob| Signature::try_from(blob).ok());
        signature.ok_or_else(|| unreachable("the SSH agent's signature cannot be read".to_owned()))
    }

    /// Sends a message, and returns the fields of the answer, which has to be of the kind `wanted`.
    fn ask(&mut self, message: &[u8], wanted: u8) -> Result<Vec<u8>, Error> {
        let mut framed = Vec::new();
        put(&mut framed, message);
        let mut exchange = || {
            self.0.write_all(&framed)?;
            let mut length = [0; 4];
            self.0.read_exact(&mut length)?;
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            if !(1..=LONGEST).contains(&length) {
                return Err(std::io::Error::other(format!("an answer of {length} bytes")));
            }
            let mut answer = vec![0; length];
            self.0.read_exact(&mut answer)?;
            Ok(answer)
        };
        let mut answer = exchange().map_err(|e| unreachable(format!("the SSH agent does not answer: {e}")))?;
        match answer.remove(0) {
            kind if kind == wanted => Ok(answer),
            _ => Err(Error::new(
                Code::Credentials,
                "the SSH agent refused",
                "It may be locked (`ssh-add -X`), or the use of the key was not confirmed",
            )),
        }
    }
}

fn unreachable(message: String) -> Error {
    Error::new(
        Code::Unreachable,
        message,
        format!("Start an agent and add a key with `ssh-add`, or unset {VARIABLE} and name a key file"),
    )
}

fn put(message: &mut Vec<u8>, string: &[u8]) {
    message.extend(u32::try_from(string.len()).unwrap_or(u32::MAX).to_be_bytes());
    message.extend(string);
}

fn u32_of(rest: &mut &[u8]) -> Option<u32> {
    let (number, behind) = rest.split_first_chunk::<4>()?;
    *rest = behind;
    Some(u32::from_be_bytes(*number))
}

fn string_of<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32_of(rest)?).ok()?;
    let (string, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(string)
}
