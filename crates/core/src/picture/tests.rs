//! Pictures as cameras and screenshot tools write them: `tests/fixtures/pictures/make.py`.

use proptest::prelude::*;

use super::*;

fn fixture(name: &str) -> &'static [u8] {
    match name {
        "phone.jpg" => include_bytes!("../../../../tests/fixtures/pictures/phone.jpg"),
        "progressive.jpg" => include_bytes!("../../../../tests/fixtures/pictures/progressive.jpg"),
        "screenshot.png" => include_bytes!("../../../../tests/fixtures/pictures/screenshot.png"),
        "turned.png" => include_bytes!("../../../../tests/fixtures/pictures/turned.png"),
        "photo.webp" => include_bytes!("../../../../tests/fixtures/pictures/photo.webp"),
        "lossless.webp" => include_bytes!("../../../../tests/fixtures/pictures/lossless.webp"),
        "moving.webp" => include_bytes!("../../../../tests/fixtures/pictures/moving.webp"),
        "moving.gif" => include_bytes!("../../../../tests/fixtures/pictures/moving.gif"),
        _ => panic!("no fixture {name}"),
    }
}

const ALL: [&str; 8] = [
    "phone.jpg",
    "progressive.jpg",
    "screenshot.png",
    "turned.png",
    "photo.webp",
    "lossless.webp",
    "moving.webp",
    "moving.gif",
];

fn cleaned(name: &str) -> Clean {
    let bytes = fixture(name);
    without_metadata(Format::of(bytes).expect(name), bytes).expect(name)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn nothing_secret_is_left_and_cleaning_again_changes_nothing() {
    for name in ALL {
        assert!(contains(fixture(name), b"secret"), "{name} would show nothing");
        let clean = cleaned(name);
        for secret in [&b"secret"[..], b"xmpmeta", b"2026:11:30", b"GPS", b"8BIM"] {
            assert!(!contains(&clean.bytes, secret), "{name} has {:?}", String::from_utf8_lossy(secret));
        }
        assert_eq!(Format::of(&clean.bytes), Format::of(fixture(name)), "{name}");
        assert_eq!(size(&clean.bytes), size(fixture(name)), "{name}");
        let again = without_metadata(Format::of(&clean.bytes).expect(name), &clean.bytes).expect(name);
        assert_eq!(again.bytes, clean.bytes, "{name}");
    }
}

#[test]
fn what_was_removed_is_named() {
    let removed = |name| cleaned(name).removed;
    let behind = "data behind the picture";
    assert_eq!(removed("phone.jpg"), ["XMP", "IPTC", "data of applications", "Exif", "comments", behind]);
    assert_eq!(removed("screenshot.png"), ["times", "data of applications", "text", "XMP", "Exif", behind]);
    assert_eq!(removed("photo.webp"), ["Exif", "XMP"]);
    assert_eq!(removed("moving.gif"), ["comments", "XMP"]);
}

#[test]
fn pixels_colours_and_orientation_stay() {
    let phone = cleaned("phone.jpg").bytes;
    assert!(contains(&phone, b"ICC_PROFILE"), "the colours would change");
    // The picture is 24 by 16 and shown turned.
    assert_eq!(size(&phone), Some((16, 24)));
    let data = |bytes: &[u8]| {
        let from = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]).expect("a scan");
        let end = bytes[from..].windows(2).position(|pair| pair == [0xff, 0xd9]).expect("an end");
        bytes[from..from + end].to_vec()
    };
    for name in ["phone.jpg", "progressive.jpg"] {
        assert_eq!(data(&cleaned(name).bytes), data(fixture(name)), "{name}");
    }
    assert!(!contains(&cleaned("progressive.jpg").bytes, b"Exif"), "the usual orientation needs no tag");
    assert_eq!(size(&cleaned("progressive.jpg").bytes), Some((24, 16)));

    let turned = cleaned("turned.png").bytes;
    assert_eq!(size(&turned), Some((16, 24)));
    assert!(contains(&turned, b"pHYs"), "a screenshot of a dense display would be shown twice as large");
    // Its checksum: Python's zlib.crc32 of `eXIf` and the 26 bytes.
    let at = turned.windows(4).position(|kind| kind == b"eXIf").expect("the orientation");
    assert_eq!(turned[at + 4 + 26..at + 8 + 26], [0x86, 0x58, 0x30, 0x34]);

    let photo = cleaned("photo.webp").bytes;
    assert_eq!(le(&photo, 4, 4).map(index), Some(photo.len() - 8));
    assert_eq!(photo[20] & 0x0c, 0x08, "only the Exif flag, for the orientation");
    assert!(contains(&photo, b"EXIF"));
    assert_eq!(size(&photo), Some((24, 16)));
    let lossless = cleaned("lossless.webp").bytes;
    assert!(lossless[20] & 0x0c == 0 && !contains(&lossless, b"EXIF"));
    for (name, frame) in [("moving.webp", &b"ANMF"[..]), ("moving.gif", b"NETSCAPE2.0")] {
        let count = |bytes: &[u8]| bytes.windows(frame.len()).filter(|window| *window == frame).count();
        assert!(count(fixture(name)) > 0 && count(&cleaned(name).bytes) == count(fixture(name)), "{name}");
    }
}

#[test]
fn both_byte_orders_of_exif_are_read() {
    let little = b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x02\0\0\0a\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    assert_eq!(orientation::of(little), Some(6));
    assert_eq!(orientation::of(&orientation::alone(8)), Some(8));
    for usual in [0, 1, 9, 255] {
        assert_eq!(orientation::of(&orientation::alone(usual)), None);
    }
    assert_eq!(orientation::of(b"II*\0\xff\xff\xff\xff"), None);
    assert_eq!(orientation::of(b"MM\0*\0\0\0\x08\xff\xff"), None);
}

#[test]
fn the_bytes_decide_about_the_format() {
    for name in ALL {
        let ending = name.rsplit('.').next();
        assert_eq!(Format::of(fixture(name)).map(Format::ending), ending, "{name}");
    }
    for svg in [
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "\u{feff}<?xml version='1.0'?>\n<!-- a <b> -->\n<!DOCTYPE svg [ <!ENTITY a '>'> ]>\n<svg>",
        "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x'><svg:svg xmlns:svg='x'>",
    ] {
        assert_eq!(Format::of(svg.as_bytes()), Some(Format::Svg), "{svg}");
    }
    for not in [
        "",
        "<",
        "<!--",
        "<html><svg></html>",
        "<!DOCTYPE html><svgs>",
        "# <svg>",
        "version https://git-lfs.github.com/spec/v1\n",
        "%PDF-1.7",
        "GIF88a",
    ] {
        assert_eq!(Format::of(not.as_bytes()), None, "{not}");
    }
    assert_eq!(Format::of(b"\0\0\0\x1cftypheic"), None, "browsers do not show HEIC");
    assert_eq!(Format::of(b"\0\0\0\x1cftypavif"), Some(Format::Avif));
    for format in Format::ALL {
        assert_eq!(Format::of_media(format.media()), Some(format));
    }
}

#[test]
fn a_damaged_file_is_not_passed_on() {
    for name in ALL {
        let bytes = fixture(name);
        let format = Format::of(bytes).expect(name);
        // The first half has the header, but not the end.
        let half = &bytes[..bytes.len() / 2];
        match without_metadata(format, half) {
            Err(damaged) => assert!(damaged.at <= half.len(), "{name}: {damaged}"),
            // A picture whose compressed data is cut off is shown by browsers.
            Ok(clean) => assert!(format == Format::Jpeg && !contains(&clean.bytes, b"secret"), "{name}"),
        }
    }
    let message = without_metadata(Format::Png, &fixture("turned.png")[..40]).expect_err("cut off").to_string();
    assert_eq!(message, "the PNG file is damaged at byte 33");
}

#[test]
fn names_say_what_they_can() {
    let name = |given: &str| file_name(given, Format::Png, "2026-11-30", |_| false);
    for (given, expected) in [
        ("login page.PNG", "login-page.png"),
        ("C:\\shots\\Trace (1).jpeg", "Trace-1.png"),
        ("../../etc/passwd", "passwd.png"),
        (".png", "picture-2026-11-30.png"),
        ("image.png", "picture-2026-11-30.png"),
        ("", "picture-2026-11-30.png"),
        ("...", "picture-2026-11-30.png"),
        ("NUL.png", "picture-NUL.png"),
        ("con.tar.png", "picture-con.tar.png"),
        ("v1.2 release", "v1.2-release.png"),
        ("Größe 日本.webp", "Größe-日本.png"),
        ("a\u{202e}gnp.exe", "a-gnp.exe.png"),
        ("<b>&\"x\".gif", "b-x.png"),
        ("Screenshot 2026-11-30 at 10.22.33.png", "Screenshot-2026-11-30-at-10.22.33.png"),
    ] {
        assert_eq!(name(given), expected, "{given}");
    }
    assert!(name(&"é".repeat(500)).len() <= 84);
    let taken = ["a.png", "a-2.png"];
    assert_eq!(file_name("a.png", Format::Png, "", |name| taken.contains(&name)), "a-3.png");
}

#[test]
fn a_name_proposes_words_only_if_it_has_some() {
    for (given, expected) in [
        ("login-page.png", "login page"),
        ("X-Ray_service map.png", "X Ray service map"),
        ("Screenshot 2026-11-30 at 10.22.33.png", ""),
        ("IMG_1234.jpg", ""),
        ("image.png", ""),
        ("Pasted image 20261130.png", ""),
        ("", ""),
    ] {
        assert_eq!(words(given), expected, "{given}");
    }
}

proptest! {
    /// Whatever is cut, exchanged or inserted: no panic, and what comes out is cleaned already.
    #[test]
    fn any_bytes_are_read(which in 0..ALL.len(), cut in 0..3000_usize, at in 0..3000_usize, byte: u8) {
        let mut bytes = fixture(ALL[which]).to_vec();
        bytes.truncate(cut.max(12));
        if let Some(there) = bytes.get_mut(at) {
            *there = byte;
        }
        size(&bytes);
        if let Some(format) = Format::of(&bytes)
            && let Ok(clean) = without_metadata(format, &bytes)
        {
            let again = without_metadata(format, &clean.bytes);
            prop_assert_eq!(again.map(|again| again.bytes), Ok(clean.bytes));
        }
    }
}
