//! Signatures of manifests: SSHSIG (OpenSSH's PROTOCOL.sshsig), as `ssh-keygen -Y sign -n tracebook` writes.

use std::borrow::Cow;

use serde::Serialize;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey, SshSig};

use super::allowed::AllowedSigners;

/// What the signatures are for. A signature for anything else, such as a commit, does not count.
pub(crate) const NAMESPACE: &str = "tracebook";
/// What the name of a manifest gets for its signature, as `ssh-keygen` names it.
pub(crate) const SUFFIX: &str = ".sig";

/// The verdict on the signature of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureVerdict {
    /// It holds, and its key is named by the file of allowed signers.
    Trusted,
    /// It holds; its key was not compared with a list.
    Valid,
    /// It holds, but its key is not named, or not for this.
    Untrusted,
    /// It does not hold: the manifest was changed, or it is no signature of a manifest.
    Invalid,
    /// The manifest says that it is signed, but there is no signature.
    Missing,
    /// There is none.
    Absent,
}

impl SignatureVerdict {
    /// The name in the command line's output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Valid => "valid",
            Self::Untrusted => "untrusted",
            Self::Invalid => "invalid",
            Self::Missing => "missing",
            Self::Absent => "absent",
        }
    }

    /// Whether it is no reason to doubt the export. Without a list, a signature is not required.
    pub(crate) fn holds(self) -> bool {
        matches!(self, Self::Trusted | Self::Valid | Self::Absent)
    }
}

/// The result for the signature of one manifest.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedSignature {
    /// The manifest.
    pub file: String,
    pub verdict: SignatureVerdict,
    /// The fingerprint of the key that signed: `SHA256:…`.
    pub signer: Option<String>,
    /// Who that is, as the file of allowed signers says.
    pub principal: Option<String>,
    /// The reason, for the user.
    pub why: String,
}

/// A fingerprint as `ssh-keygen -l` shows it.
pub(super) fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Why a signature does not hold, for the user, and its key if that can be read.
pub(super) type Broken = (Option<Box<KeyData>>, String);

/// The key of a signature that holds, and whether the signed bytes are there as they were signed, with the same line
/// ends.
///
/// # Errors
/// Why it does not hold.
pub(super) fn check(signature: &[u8], signed: &[u8]) -> Result<(KeyData, bool), Broken> {
    let read = std::str::from_utf8(signature).ok().and_then(|text| {
        // Formatters of line ends and editors change what surrounds the block, which OpenSSH does not read either.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        SshSig::from_pem(text.trim()).ok()
    });
    let Some(sig) = read else { return Err((None, "the signature cannot be read".to_owned())) };
    let key = sig.public_key().clone();
    if key.is_certificate() {
        return Err((None, "it was signed with a certificate, which is not checked: sign with a plain key".to_owned()));
    }
    let public = PublicKey::new(key.clone(), "");
    if sig.namespace() != NAMESPACE {
        let why = format!("it is a signature for {:?}, not for {NAMESPACE:?}", sig.namespace());
        return Err((Some(Box::new(key)), why));
    }
    match public.verify(NAMESPACE, signed, &sig) {
        Ok(()) => Ok((key, true)),
        Err(ssh_key::Error::AlgorithmUnsupported { algorithm }) => {
            Err((Some(Box::new(key)), format!("signatures of {algorithm} keys are not supported")))
        }
        Err(_) => match with_plain_line_ends(signed) {
            Cow::Owned(plain) if public.verify(NAMESPACE, &plain, &sig).is_ok() => Ok((key, false)),
            _ => Err((Some(Box::new(key)), "the manifest was changed after it was signed".to_owned())),
        },
    }
}

/// A text without a byte order mark and carriage returns, which checkouts on Windows add.
fn with_plain_line_ends(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Cow::Borrowed(bytes) };
    let plain = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    if plain.as_bytes() == bytes { Cow::Borrowed(bytes) } else { Cow::Owned(plain.into_bytes()) }
}

/// The verdict on a manifest. `names` is the fingerprint that the manifest itself names, if it does.
pub(crate) fn verdict(
    file: String,
    manifest: &[u8],
    names: Option<&str>,
    signature: Option<&[u8]>,
    allowed: Option<&AllowedSigners>,
) -> VerifiedSignature {
    let of = |verdict, signer: Option<String>, principal, why: String| VerifiedSignature {
        file: file.clone(),
        verdict,
        signer,
        principal,
        why,
    };
    let Some(signature) = signature else {
        return match names {
            Some(names) => {
                let why = format!("the manifest says that {names} signed it, and there is no signature");
                of(SignatureVerdict::Missing, None, None, why)
            }
            None => of(SignatureVerdict::Absent, None, None, "the manifest is not signed".to_owned()),
        };
    };
    let (key, exactly) = match check(signature, manifest) {
        Ok(found) => found,
        Err((key, why)) => return of(SignatureVerdict::Invalid, key.as_deref().map(fingerprint), None, why),
    };
    let signer = fingerprint(&key);
    let said = if exactly { "" } else { "; its line ends differ from those that were signed" };
    if let Some(names) = names.filter(|names| *names != signer) {
        let why = format!("the manifest says that {names} signed it, and {signer} did");
        return of(SignatureVerdict::Invalid, Some(signer), None, why);
    }
    let Some(allowed) = allowed else {
        let why = format!("signed by {signer} (not checked against a list){said}");
        return of(SignatureVerdict::Valid, Some(signer), None, why);
    };
    match allowed.who(&key) {
        Ok(principal) => {
            let name = principal.as_ref().map_or(String::new(), |principal| format!("{principal}, "));
            let why = format!("signed by {name}{signer}{said}");
            of(SignatureVerdict::Trusted, Some(signer), principal, why)
        }
        Err(why) => of(SignatureVerdict::Untrusted, Some(signer.clone()), None, format!("signed by {signer}: {why}")),
    }
}
