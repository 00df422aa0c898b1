//! Credentials in base64 (RFC 4648, sections 4 and 5), with or without padding, also over several lines, and in
//! hexadecimal digits; and the tokens that have no prefix but are runs of such characters of a certain length.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Removed;
use super::names::Name;
use super::packed;
use super::scan::{self, Cut, text_of};
use super::values::{distinct, entropy, is_wordlike};

/// Padding and trailing bits are not checked: encoders differ.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Characters of the shortest text that is decoded.
const SHORTEST: usize = 16;
/// Digits of the shortest text in hexadecimal digits: `pw=abc12`.
const SHORTEST_HEX: usize = 16;
/// Characters of a text that are decoded at most.
const LONGEST: usize = 4 * 1024 * 1024;
/// The length of an AWS secret access key, whose characters are base64's.
const AWS_SECRET: usize = 40;
/// Bits per character that 40 random characters of base64 have at least, and words have not.
const RANDOM: f64 = 4.5;

const fn kinds() -> [u8; 256] {
    let mut kinds = [0; 256];
    let mut b = 0;
    while b < 256 {
        let byte = b as u8;
        kinds[b] = if byte.is_ascii_digit() || (byte >= b'a' && byte <= b'f') {
            1
        } else if byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/' || byte == b'-' || byte == b'_' {
            2
        } else {
            0
        };
        b += 1;
    }
    kinds
}

/// 1: a digit of hexadecimal numbers, 2: another character of base64.
static KIND: [u8; 256] = kinds();

/// Looks at every run of base64 characters.
pub(super) fn find(text: &[u8], deep: bool, cuts: &mut Vec<Cut>) {
    let mut at = 0;
    // The end of the last text that was decoded, over lines.
    let mut decoded = 0;
    while at < text.len() {
        let mut end = at;
        let mut kinds = 0;
        while end < text.len() && KIND[usize::from(text[end])] != 0 {
            kinds |= KIND[usize::from(text[end])];
            end += 1;
        }
        if deep && end - at >= SHORTEST_HEX && is_text_in_hex(&text[at..end]) {
            cuts.push(Cut { start: at, end, what: "encoded credential" });
        } else if end - at >= SHORTEST && kinds & 2 != 0 {
            run(text, at, end, deep && at >= decoded, &mut decoded, cuts);
        }
        at = end + 1;
    }
}

fn run(text: &[u8], start: usize, end: usize, deep: bool, decoded: &mut usize, cuts: &mut Vec<Cut>) {
    let body = &text[start..end];
    if end - start == AWS_SECRET && is_aws_secret(body) {
        cuts.push(Cut { start, end, what: "AWS secret access key" });
        return;
    }
    if let Some(end) = discord_bot(text, start, end) {
        cuts.push(Cut { start, end, what: "Discord bot token" });
        return;
    }
    if !deep {
        return;
    }
    let mut pieces = vec![(start, end)];
    let mut last = end;
    let mut total = end - start;
    // MIME breaks base64 into lines (RFC 2045, section 6.8); a line that is long and full goes on.
    while total < LONGEST && pieces[0].1 - pieces[0].0 >= 24 {
        let Some((from, whole)) = super::shapes::continued(text, last, super::tokens::Class::AnyBase64, 2) else {
            break;
        };
        if !whole {
            break;
        }
        last = scan::run(text, from, |b| super::tokens::Class::AnyBase64.has(b));
        let piece = scan::run(text, from, |b| KIND[usize::from(b)] != 0);
        if last - from > 2 * (pieces[0].1 - pieces[0].0) + 4
            || is_wordlike(&text_of(text, from, piece)) && piece - from < 8 && piece == last
        {
            break;
        }
        pieces.push((from, piece));
        total += piece - from;
        if piece < last {
            break;
        }
    }
    // Together, then the first alone: the next line may be another text.
    let together =
        pieces.len() > 1 && holds(&pieces.iter().flat_map(|(a, b)| text[*a..*b].iter().copied()).collect::<Vec<u8>>());
    if together {
        *decoded = pieces.last().map_or(end, |(_, end)| *end);
        cuts.extend(pieces.into_iter().map(|(start, end)| Cut { start, end, what: "encoded credential" }));
    } else if holds(&body[..body.len().min(LONGEST)]) {
        cuts.push(Cut { start, end, what: "encoded credential" });
    } else if let Some(slash) = body.iter().position(|b| matches!(b, b'/' | b'-' | b'_' | b'+')).filter(|at| *at < 64) {
        // A path or a name before it: `/callback/dXNlcj…`.
        let rest = &body[slash + 1..];
        if rest.len() >= SHORTEST && holds(rest) {
            cuts.push(Cut { start: start + slash + 1, end, what: "encoded credential" });
        }
    }
}

/// Whether hexadecimal digits are those of a text with a credential in it.
fn is_text_in_hex(body: &[u8]) -> bool {
    let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    // Ids and hashes are distinguished by their first bytes.
    let is_printable = |b: u8| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    let body = &body[..body.len().min(LONGEST)];
    if !body.len().is_multiple_of(2)
        || !body[..8].chunks(2).all(|pair| byte(pair).is_some_and(is_printable))
        || !body.iter().all(u8::is_ascii_hexdigit)
    {
        return false;
    }
    let bytes: Vec<u8> = body.chunks(2).filter_map(byte).collect();
    bytes.iter().all(|b| is_printable(*b) || *b >= 0x80) && !scan::plain(&bytes, false).is_empty()
}

/// Whether base64 decodes to something with a credential in it.
fn holds(body: &[u8]) -> bool {
    let Some(bytes) = decode(body) else { return false };
    if is_private_key(&bytes) || packed::has_credential(&bytes, Name::Plain, &Removed::default()) {
        return true;
    }
    // Short texts must be text; in long ones a credential may stand among other bytes.
    let printable = bytes.iter().filter(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t')).count();
    if printable * 10 < bytes.len() * 9 && (bytes.len() < 48 || printable * 2 < bytes.len()) {
        return false;
    }
    !scan::plain(&bytes, false).is_empty()
}

/// The bytes, if the beginning is text or the whole is long enough to look at.
fn decode(body: &[u8]) -> Option<Vec<u8>> {
    let body = &body[..body.len() - usize::from(body.len() % 4 == 1)];
    let url = body.iter().any(|b| matches!(b, b'-' | b'_'));
    if url && body.iter().any(|b| matches!(b, b'+' | b'/')) {
        return None;
    }
    let engine = if url { &URL_SAFE } else { &STANDARD };
    if body.len() < 64 {
        let begin = engine.decode(&body[..12.min(body.len())]).ok()?;
        let is_text = begin.iter().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t'));
        if !is_text && !packed::is_packed(&begin) {
            return None;
        }
    }
    engine.decode(body).ok()
}

/// `user:password` of HTTP's Basic scheme.
pub(super) fn is_user_and_password(body: &[u8]) -> bool {
    let body = &body[..body.len() - body.iter().rev().take_while(|b| **b == b'=').count()];
    let Some(bytes) =
        (body.len() >= 4).then(|| STANDARD.decode(body).or_else(|_| URL_SAFE.decode(body)).ok()).flatten()
    else {
        return false;
    };
    bytes.contains(&b':') && bytes.iter().all(|b| matches!(b, b' '..=b'~') || *b >= 0x80) && bytes.len() >= 3
}

/// A private key in DER: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017, appendix A.1.2) or SEC 1 (RFC 5915): a sequence that
/// begins with the version number 0 or 1. A certificate or public key begins with another sequence.
fn is_private_key(bytes: &[u8]) -> bool {
    let body = match bytes {
        [0x30, 0x81, _, body @ ..] | [0x30, 0x82, _, _, body @ ..] => body,
        [0x30, length, body @ ..] if *length >= 0x2e && *length < 0x80 => body,
        _ => return false,
    };
    matches!(body, [0x02, 0x01, 0x00 | 0x01, 0x30 | 0x02 | 0x04, ..])
}

/// 40 random characters with all kinds of letters.
fn is_aws_secret(body: &[u8]) -> bool {
    body.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
        && body.iter().any(u8::is_ascii_digit)
        && body.iter().any(u8::is_ascii_lowercase)
        && body.iter().any(u8::is_ascii_uppercase)
        && entropy(body) >= RANDOM
}

/// A bot's token: the base64 of its number, a time stamp, and a signature
/// (<https://discord.com/developers/docs/reference#authentication>). Returns its end.
fn discord_bot(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let is_url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !(23..=28).contains(&(end - start)) || text.get(end) != Some(&b'.') {
        return None;
    }
    let second = scan::run(text, end + 1, is_url);
    if second - end - 1 != 6 || text.get(second) != Some(&b'.') {
        return None;
    }
    let third = scan::run(text, second + 1, is_url);
    let number = decode(&text[start..end])?;
    ((27..=38).contains(&(third - second - 1))
        && number.iter().all(u8::is_ascii_digit)
        && distinct(&text_of(text, second, third)) > 8)
        .then_some(third)
}
