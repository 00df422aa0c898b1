use proptest::prelude::*;

use super::*;

fn texts(text: &str) -> Vec<String> {
    lines(text).into_iter().map(|line| line.text).collect()
}

fn kinds(text: &str) -> Vec<LineKind> {
    classify(&lines(text))
}

fn access(method: &str, path: &str, status: u16) -> LineKind {
    LineKind::Access { method: method.to_owned(), path: path.to_owned(), status }
}

#[test]
fn lines_end_as_they_do() {
    assert_eq!(texts(""), Vec::<String>::new());
    assert_eq!(texts("\n"), [""]);
    assert_eq!(texts("a\r\nb\n\nc"), ["a", "b", "", "c"]);
}

#[test]
fn a_progress_bar_ends_as_in_a_terminal() {
    assert_eq!(texts("  0%\r 50%\r100%\ndone"), ["100%", "done"]);
    assert_eq!(texts("Downloading 100%\rDone\x1b[K"), ["Done"]);
    assert_eq!(texts("12345\rab"), ["ab345"], "what is not written over stays");
    assert_eq!(texts("wiped out\r         \rok"), ["ok"]);
    assert_eq!(texts("wait |\x08/\x08-\x08ok"), ["wait ok"]);
    assert_eq!(texts("gone\x1b[2K\rhere"), ["here"]);
    assert_eq!(texts("\x1b[31mred\x1b[0m and\r\x1b[32mgrn"), ["\x1b[0;32mgrn\x1b[0m and"]);
    assert_eq!(texts("résumé\rR"), ["Résumé"]);
}

#[test]
fn progress_displays_end_as_in_a_terminal() {
    // docker-compose 1 goes up to the line of each container.
    let compose = "Creating web_nginx_1 ... \r\r\nCreating web_db_1    ... \r\r\n\x1b[2A\x1b[2K\rCreating web_nginx_1 \
        ... \x1b[32mdone\x1b[0m\r\x1b[2B\x1b[1A\x1b[2K\rCreating web_db_1    ... \x1b[32mdone\x1b[0m\r\x1b[1B";
    assert_eq!(
        texts(compose),
        ["Creating web_nginx_1 ... \x1b[0;32mdone\x1b[0m", "Creating web_db_1    ... \x1b[0;32mdone\x1b[0m"]
    );
    // docker compose 2 and buildkit write the whole display again.
    let buildkit = "[+] Building 0.1s (1/2)\n => a\n => b\n\x1b[3A\x1b[0J[+] Building 0.2s (2/2) FINISHED\n => a 0.1s\n \
        => b 0.2s\n\x1b[3A\x1b[?25h\x1b[3Bdone\n";
    assert_eq!(texts(buildkit), ["[+] Building 0.2s (2/2) FINISHED", " => a 0.1s", " => b 0.2s", "done"]);
    // npm and pnpm move to a column, erase, and write.
    assert_eq!(texts("⸨   ⸩ idle\x1b[1G\x1b[0K⸨###⸩ fetch\x1b[1G\x1b[0Kadded 3 packages\n"), ["added 3 packages"]);
    // pip goes up and to the start; cargo erases below.
    assert_eq!(texts("Collecting a\n  10%\n\x1b[1A\x1b[2K\x1b[1G  100%\nok"), ["Collecting a", "  100%", "ok"]);
    assert_eq!(
        texts("   Compiling a\n    Building [=> ] 1/2\r\x1b[J   Compiling b\n"),
        ["   Compiling a", "   Compiling b"]
    );
    assert_eq!(texts("one\ntwo\n\x1b[FTWO\x1b[E\x1b[3Cx"), ["one", "TWO", "   x"]);
    assert_eq!(texts("abc\x1b[2Dx\x1b7yz\x1b8Y"), ["axYz"]);
    // A line alone, as a watched command prints it.
    assert_eq!(line_text("    Building [=> ] 1/2\r\x1b[J   Compiling b"), "   Compiling b");
    assert_eq!(line_text("\x1b[2A\x1b[2K\rdb ... \x1b[32mdone\x1b[0m\x1b[2B"), "db ... \x1b[0;32mdone\x1b[0m");
}

#[test]
fn a_cleared_screen_leaves_what_scrolled_out_of_it() {
    assert_eq!(texts("old\nold\n\x1b[H\x1b[2J\x1b[3Jnew\nnewer\n"), ["new", "newer"]);
    let many: String = (0..100).map(|n| format!("line {n}\n")).collect();
    let cleared = texts(&format!("{many}\x1b[2J\x1b[Hnew"));
    assert_eq!(
        (cleared.len(), cleared[0].as_str(), cleared[76].as_str(), cleared[77].as_str()),
        (78, "line 0", "line 76", "new")
    );
    assert_eq!(texts(&format!("{many}\x1b[3J\x1b[Htop")).first().map(String::as_str), Some("tope 77"));
    assert_eq!(texts(&format!("{many}\x1bcnew")).last().map(String::as_str), Some("new"));
    assert_eq!(texts("before\n\x1b[?1049h\x1b[Hfull screen\n\x1b[?1049lafter"), ["before", "after"]);
    assert_eq!(texts("before\n\x1b[?1049hstill open"), ["before", "still open"]);
}

#[test]
fn lines_are_inserted_and_regions_scroll() {
    assert_eq!(texts("a\nb\nc\x1b[2A\r\x1b[Lnew\x1b[3B"), ["new", "a", "b", "c"]);
    assert_eq!(texts("a\nb\nc\x1b[1A\r\x1b[M"), ["a", "c"]);
    assert_eq!(texts("abcdef\x1b[4D\x1b[2P\x1b[@X"), ["abXef"]);
    assert_eq!(texts("abcdef\x1b[4D\x1b[2X"), ["ab  ef"]);
    // apt keeps its bar below the region that scrolls.
    let apt: String = (0..30).map(|n| format!("Unpacking {n}\n")).collect();
    let apt = texts(&format!("\x1b[1;23r\x1b[24;1Hbar\x1b[1;1H{apt}\x1b[24;1H\x1b[2K\x1b[r\x1b[24;1H"));
    assert_eq!((apt.len(), apt[0].as_str(), apt[29].as_str()), (30, "Unpacking 0", "Unpacking 29"));
    assert_eq!(texts("a\nb\x1b[H\x1bMtop"), ["top", "a", "b"]);
}

#[test]
fn screens_are_bounded_in_memory_and_time() {
    let begin = std::time::Instant::now();
    for piece in [
        "\x1b[L",
        "\x1b[1K",
        "\x1b[999;999Hx",
        "\x1b[9999B",
        "\x1b[2J",
        "\x1b[999M",
        "x\x1b[@\x1b[P",
        "\x1b[A\x1b[2Kx\n",
    ] {
        let text = format!("{}\n{}", "y".repeat(10_000), piece.repeat(200_000));
        assert!(lines(&text).len() <= MOST_LINES, "{piece:?}");
    }
    assert!(begin.elapsed() < std::time::Duration::from_secs(20), "{:?}", begin.elapsed());
}

#[test]
fn what_arrives_keeps_its_stream_and_time() {
    let mut arriving = Arriving::default();
    arriving.line("a 10%", false, Some(Nanos(1)), false);
    arriving.line("warning", true, Some(Nanos(2)), false);
    arriving.line("\x1b[2Aa 100%\x1b[2B", false, Some(Nanos(3)), true);
    let Output { console, printed } = arriving.finish("x");
    let line = |text: &str, stderr, time| ConsoleLine { text: text.to_owned(), stderr, time: Some(Nanos(time)) };
    assert_eq!(console.lines, [line("a 100%", false, 3), line("warning", true, 2)]);
    assert_eq!(console.notes.len(), 1);
    let printed: Vec<&str> = printed.lines().map(|line| line.text.as_str()).collect();
    assert_eq!(printed, ["a 10%", "warning", "\x1b[2Aa 100%\x1b[2B"]);
}

#[test]
fn vertical_tabs_and_form_feeds_go_down() {
    assert_eq!(texts("a\u{b}b\u{c}c\nd"), ["a", " b", "  c", "d"]);
    assert_eq!(line_text("a\u{c}b"), "ab", "within one line");
}

#[test]
fn colours_are_kept_and_other_sequences_removed() {
    let noisy = "\x1b]0;title\x07\x1b[?25l\x1b(B\x1b[1;31mred\x1b[0m \x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\\x1b[5n\x07\0!";
    assert_eq!(texts(noisy), ["\x1b[1;31mred\x1b[0m link!"]);
    assert_eq!(texts("\u{9b}31mred\u{9b}m"), ["\x1b[31mred\x1b[m"]);
    assert_eq!(
        texts("\x1b]0;a title that was cut"),
        ["0;a title that was cut"],
        "nothing is hidden by half a sequence"
    );
    assert_eq!(texts("a\tb"), ["a\tb"]);
}

#[test]
fn colours_continue_on_the_next_line() {
    assert_eq!(
        texts("\x1b[31mTraceback\n  File\n\x1b[0mok\nplain"),
        ["\x1b[31mTraceback", "\x1b[0;31m  File", "\x1b[0mok", "plain"]
    );
}

#[test]
fn long_lines_are_cut_and_noted() {
    let long = format!("short\n{}\n", "é".repeat(LONGEST_LINE));
    let console = Console::from_text("standard input", &long);
    assert_eq!(console.lines[0].text, "short");
    assert!(console.lines[1].text.ends_with("é…"));
    assert!(console.lines[1].text.len() <= LONGEST_LINE);
    assert_eq!(console.notes, ["1 line was longer than 16 KiB; its end is left out"]);
    let back = format!("{}\rx", "y".repeat(LONGEST_LINE * 2));
    let back = line_text(&back);
    assert!(back.starts_with("xy") && back.ends_with('…') && back.len() <= LONGEST_LINE);

    let many: String = (0..MOST_LINES + 5).map(|n| format!("line {n}\n")).collect();
    let console = Console::from_text("x", &many);
    assert_eq!((console.lines.len(), console.more), (MOST_LINES, 5));
    assert_eq!(console.lines[0].text, "line 5");
}

#[test]
fn bytes_of_any_encoding_are_read() {
    let one = |bytes: &[u8]| from_bytes(bytes).remove(0).text;
    assert_eq!(one(b"caf\xe9"), "café");
    assert_eq!(one("\u{feff}é".as_bytes()), "é");
    assert_eq!(one(b"\xff\xfeo\0k\0\r\0\n\0"), "ok");
    assert_eq!(one(b"\xfe\xff\0o\0k"), "ok");
}

#[test]
fn segments_parse_every_form_of_colour() {
    let one = |text: &str| segments(text).remove(0).style;
    let fg = |colour| Style { fg: Some(colour), ..Style::default() };
    // As werkzeug writes a 500 and a 404.
    assert_eq!(one("\x1b[35m\x1b[1mGET\x1b[0m"), Style { bold: true, ..fg(Colour::Named(Named::Magenta)) });
    assert_eq!(one("\x1b[33mGET"), fg(Colour::Named(Named::Yellow)));
    assert_eq!(one("\x1b[94mx"), fg(Colour::Named(Named::BrightBlue)));
    assert_eq!(one("\x1b[38;5;9mx"), fg(Colour::Named(Named::BrightRed)));
    assert_eq!(one("\x1b[38;5;208mx"), fg(Colour::Index(208)));
    assert_eq!(one("\x1b[38;2;1;2;3;4mx"), Style { underline: true, ..fg(Colour::Rgb(1, 2, 3)) });
    for packed in ["\x1b[38:2:1:2:3mx", "\x1b[38:2::1:2:3mx"] {
        assert_eq!(one(packed), fg(Colour::Rgb(1, 2, 3)));
    }
    assert_eq!(one("\x1b[31;;1mx"), Style { bold: true, ..Style::default() }, "nothing is zero");
    assert_eq!(one("\x1b[58;5;1mx"), Style::default(), "an underline's colour is not the text's");
    let all = "\x1b[1;2;3;4;7;9;41m";
    let on = Style {
        bold: true,
        dim: true,
        italic: true,
        underline: true,
        inverse: true,
        strike: true,
        fg: None,
        bg: Some(Colour::Named(Named::Red)),
    };
    assert_eq!(one(&format!("{all}x")), on);
    assert_eq!(one(&format!("{all}\x1b[22;23;24;27;29;49mx")), Style::default());
    assert_eq!(Colour::Index(208).rgb(), Some((255, 135, 0)));
    assert_eq!(Colour::Index(255).rgb(), Some((238, 238, 238)));
    assert_eq!(segments("\x1b[31m\x1b[0m"), []);
}

#[test]
fn colours_map_to_the_nearest_of_sixteen() {
    let colours =
        |text: &str| -> Vec<_> { spans(text).into_iter().map(|span| (span.text, span.fg, span.bg)).collect() };
    let span = |text: &str, fg, bg| (text.to_owned(), fg, bg);
    assert_eq!(
        colours("\x1b[38;5;9ma\x1b[38;5;196mb\x1b[38;2;0;0;200mc\x1b[48:2::0:180:0md\x1b[38;5;244me"),
        [
            span("a", Some(9), None),
            span("b", Some(1), None),
            span("c", Some(4), None),
            span("d", Some(4), Some(2)),
            span("e", Some(8), Some(2)),
        ]
    );
    for (behind, then) in [
        ("38;5;2;1", "{\"text\":\"x\",\"fg\":2,\"bold\":true}"),
        ("38", "{\"text\":\"x\"}"),
        ("38;5;999", "{\"text\":\"x\"}"),
    ] {
        let spans = spans(&format!("\x1b[{behind}mx"));
        assert_eq!(serde_json::to_string(&spans[0]).expect("plain data"), then);
    }
    assert!(spans("\x1b[7mx")[0].inverse);
    assert_eq!(spans(""), []);
}

#[test]
fn other_sequences_are_removed_and_text_is_kept() {
    let line = "\x1b[2K\x1b[1Ga\x1b]0;title\x07b\x1b]8;;https://x\x1b\\c\x1b]8;;\x1b\\d\x1b(Be\x07f\x08\u{9b}\rg\x1b";
    assert_eq!(plain(line), "abcdefg");
    assert_eq!(plain("\x1b[?25lx\x1b[>4mx\x1b[8mshown\x1b[31é"), "xxshowné");
    assert_eq!(plain("\x1b[1$5xsilent \x1bé"), "silent é");
    assert_eq!(plain("\x1b]0;cut\nnext"), "\nnext");
}

#[test]
fn a_character_with_the_byte_of_a_string_end_is_not_divided() {
    // U+DC000 is F3 9C 80 80.
    for text in ["\u{90}A\u{dc000}b", "\u{1b}PA\u{dc000}\u{1b}\\b", "\u{1b}]0;\u{71c}\n"] {
        assert!(!plain(text).contains('\u{1b}'), "{text:?}");
    }
}

#[test]
fn hostile_sequences_are_read_in_linear_time() {
    for text in ["\x1b]".repeat(50_000), format!("\x1b[{}m", "1;".repeat(50_000)), "\x1bX".repeat(50_000)] {
        assert_eq!(plain(&text), "");
    }
}

#[test]
fn the_compose_prefix_is_removed() {
    let of = |text| prefix(text).map(|found: Prefix<'_>| (found.container, found.service, found.rest));
    assert_eq!(of("backend-flask-1  | msg"), Some(("backend-flask-1", "backend-flask", "msg")));
    assert_eq!(
        of("backend-flask-1         |     \"name\""),
        Some(("backend-flask-1", "backend-flask", "    \"name\""))
    );
    assert_eq!(of("dynamodb-local_1    | msg | more"), Some(("dynamodb-local_1", "dynamodb-local", "msg | more")));
    assert_eq!(of("\x1b[36mdb-12  | \x1b[0m\x1b[31mred"), Some(("db-12", "db", "\x1b[31mred")));
    assert_eq!(of("\x1b[33;1mdb_1  |\x1b[0m msg"), Some(("db_1", "db", "msg")));
    assert_eq!(of("xray-daemon  | msg"), Some(("xray-daemon", "xray-daemon", "msg")));
    assert_eq!(of("db-1  |"), Some(("db-1", "db", "")));
    for none in ["", "|", " id | handle", "id | handle", "a || b", "db-1 |x", "x-1 y | z", "é-1  | x"] {
        assert_eq!(of(none), None, "{none:?}");
    }
    let timed = prefix("db-1  | 2026-11-23T15:20:42.123456789Z {").expect("compose");
    assert_eq!(timed.time, Nanos::parse_rfc3339("2026-11-23T15:20:42.123456789Z"));
    assert_eq!(timed.rest, "{");
    let own = prefix("xray-daemon-1  | 2026-11-23T15:20:42Z [Info] x").expect("compose");
    assert_eq!((own.time, own.rest), (None, "2026-11-23T15:20:42Z [Info] x"), "a time of the service's own stays");
}

#[test]
fn access_lines_are_known() {
    let text = "\
172.18.0.1 - - [23/Nov/2026 15:20:42] \"GET /api/activities/home HTTP/1.1\" 200 -
172.18.0.1 - - [23/Nov/2026 15:20:42] \"\x1b[33mGET /nowhere?a=b HTTP/1.1\x1b[0m\" 404 -
backend-flask-1  | 172.18.0.1 - - [23/Nov/2026 15:20:42] \"\x1b[35m\x1b[1mPOST /api/message_groups HTTP/1.1\x1b[0m\" 500 -
INFO:werkzeug:127.0.0.1 - - [23/Nov/2026 15:20:42] \"OPTIONS * HTTP/1.0\" 200 -
[2026-Nov-23 15:20] 127.0.0.1 GET http /api/activities/home? 200 OK
he said \"GET out\" 200 times
";
    assert_eq!(
        kinds(text),
        [
            access("GET", "/api/activities/home", 200),
            access("GET", "/nowhere?a=b", 404),
            access("POST", "/api/message_groups", 500),
            access("OPTIONS", "*", 200),
            access("GET", "/api/activities/home?", 200),
            LineKind::Plain,
        ]
    );
}

#[test]
fn lines_of_the_daemon_are_recognized() {
    let text = "\
2026-11-23T15:20:40Z [Info] Initializing AWS X-Ray daemon 3.3.7
xray-daemon-1  | 2026-11-23T15:20:42Z [Info] Successfully sent batch of 1 segments (0.085 seconds)
xray-daemon_1    | 2026-11-23T15:20:42+01:00 [Error] Sending segment batch failed with: NoCredentialProviders
Successfully sent batch of 1 segments (0.085 seconds)
2026-11-23T15:20:42Z something else
";
    let daemon = |level: &str| LineKind::Daemon { level: level.to_owned() };
    assert_eq!(kinds(text), [daemon("Info"), daemon("Info"), daemon("Error"), daemon("Info"), LineKind::Plain]);
}

#[test]
fn a_traceback_ends_with_its_exception() {
    use LineKind::{Plain, Traceback};
    let text = "\
before
Traceback (most recent call last):
  File \"/app/app.py\", line 12, in home
    return data[\"x\"]
           ~~~~^^^^^
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File \"/app/app.py\", line 14, in home
    raise
127.0.0.1 - - [23/Nov/2026 15:20:42] \"GET / HTTP/1.1\" 200 -
botocore.exceptions.ClientError: An error occurred
after
";
    let mut expected = vec![Plain];
    expected.extend(vec![Traceback; 11]);
    expected.extend([access("GET", "/", 200), Traceback, Plain]);
    assert_eq!(kinds(text), expected);
}

#[test]
fn each_container_has_its_own_traceback() {
    use LineKind::{Plain, Traceback};
    let text = "\
backend-1   | Traceback (most recent call last):
frontend-1  | compiled
backend-1   |   File \"/app/app.py\", line 12, in home
frontend-1  |   indented
backend-1   | 127.0.0.1 - - [23/Nov/2026 15:20:42] \"GET / HTTP/1.1\" 200 -
backend-1   | KeyboardInterrupt
backend-1   | after
";
    assert_eq!(kinds(text), [Traceback, Plain, Traceback, Plain, access("GET", "/", 200), Traceback, Plain]);
}

#[test]
fn levels_are_whole_words() {
    let text = "\
ERROR:root:it broke
2026-11-23 15:20:42,123 - app - CRITICAL - it broke
{\"level\": \"error\", \"msg\": \"x\"}
KeyError: 'x'
npm ERR! code 1
[error] 12#12: upstream
\x1b[31m\x1b[1mWARNING: This is a development server.\x1b[0m
/app/app.py:3: DeprecationWarning: old
level=warn msg=x
0 errors, TERROR, ERRORS_TOTAL, forewarned
";
    let (e, w) = (LineKind::Error, LineKind::Warning);
    assert_eq!(
        kinds(text),
        [e.clone(), e.clone(), e.clone(), e.clone(), e.clone(), e, w.clone(), w.clone(), w, LineKind::Plain]
    );
}

const SPAN: &str = "{
    \"name\": \"home\",
    \"context\": {
        \"trace_id\": \"0x5df32f4db651584766970736a3f093de\",
        \"span_id\": \"0xe99c8eba27765671\",
        \"trace_state\": \"[]\"
    },
    \"attributes\": {
        \"list\": [
            \"a\",
            -1.5e3
        ],
        \"odd\": NaN
    },
    \"events\": []
}";

#[test]
fn printed_spans_are_recognized_and_other_json_is_not() {
    let n = SPAN.lines().count();
    assert_eq!(kinds(SPAN), vec![LineKind::Span; n]);
    let one_line = "{\"name\": \"x\", \"context\": {\"trace_id\": \"0x1\", \"span_id\": \"0x2\"}}";
    assert_eq!(kinds(one_line), [LineKind::Span]);
    let other = "{\n    \"version\": \"1\",\n    \"trace_id\": \"\",\n    \"span_id\": \"\"\n}";
    assert_eq!(kinds(other), vec![LineKind::Plain; 5]);
    let cut: Vec<&str> = SPAN.lines().take(n - 1).collect();
    assert_eq!(kinds(&cut.join("\n")), vec![LineKind::Plain; n - 1], "half a span is none");
}

#[test]
fn unrelated_lines_do_not_break_a_span() {
    let mut text = String::new();
    for line in SPAN.lines() {
        text += &format!("\x1b[36mbackend-flask-1  | \x1b[0m{line}\ndb-1             | {{\n");
    }
    text = text.replacen(
        "db-1             | {\n",
        "backend-flask-1  | Traceback (most recent call last):\nbackend-flask-1  |     return home()\n",
        3,
    );
    let mut blocks = SpanBlocks::default();
    let found: Vec<SpanBlock> = lines(&text).iter().flat_map(|line| blocks.push(line)).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].text, SPAN);
    assert_eq!(found[0].lines[..3], [0, 3, 6]);
}

#[test]
fn truncated_lines_are_closed_and_damaged_ones_end_the_block() {
    let block = |text: &str| {
        let mut blocks = SpanBlocks::default();
        lines(text).iter().flat_map(|line| blocks.push(line)).next()
    };
    for (end, kept) in
        [("", ""), ("\\", ""), ("\\\\", "\\"), ("\\u00", ""), ("\\ud8", ""), ("\\n", "\n"), ("\\u00e9", "é")]
    {
        let head = "        \"odd\": \"";
        let x = "x".repeat(LONGEST_LINE - '…'.len_utf8() - head.len() - end.len());
        for (behind, last) in [("", true), (",\n        \"next\": 1", false)] {
            let text = SPAN.replace("        \"odd\": NaN", &format!("{head}{x}{end}and more\"{behind}"));
            let found = block(&text).expect("a span");
            let json: serde_json::Value = serde_json::from_str(&found.text).expect("JSON");
            assert_eq!(json["attributes"]["odd"], format!("{x}{kept}…"), "{end:?}");
            assert_eq!(json["attributes"]["next"].is_null(), last);
        }
    }
    assert_eq!(block(&SPAN.replace(": NaN", ": Na")), None);
}

#[test]
fn unclosed_blocks_use_bounded_memory() {
    let mut blocks = SpanBlocks::default();
    let line = |text: String| ConsoleLine { text, ..ConsoleLine::default() };
    for n in 0..200 {
        assert_eq!(blocks.push(&line(format!("c-{n}  | {{"))), []);
        assert_eq!(blocks.push(&line(format!("c-{n}  |     \"name\": \"x\","))), []);
    }
    for _ in 0..40 {
        blocks.push(&line(format!("c-199  |     \"k\": \"{}\",", "x".repeat(LONGEST_LINE - 100))));
    }
    assert_eq!(blocks.push(&line("c-199  | }".to_owned())), [], "too large");
}

#[test]
fn a_line_names_its_trace() {
    let id = "5df32f4db651584766970736a3f093de".parse().ok();
    for text in [
        "2026-11-23 INFO [app] [app.py:3] [trace_id=5df32f4db651584766970736a3f093de span_id=e99c8eba27765671] hi",
        "otelTraceID=5df32f4db651584766970736a3f093de",
        "{\"trace_id\": \"0x5df32f4db651584766970736a3f093de\"}",
        "X-Amzn-Trace-Id: Root=1-5df32f4d-b651584766970736a3f093de;Sampled=1",
        "X-Amzn-Trace-Id: 1-5df32f4d-b651584766970736a3f093de",
        "traceparent: 00-5df32f4db651584766970736a3f093de-e99c8eba27765671-01",
        "\x1b[32mtrace_id\x1b[0m=\x1b[36m5df32f4db651584766970736a3f093de\x1b[0m",
        "saw 1-5df32f4d-b651584766970736a3f093de",
        "trace_id=00000000000000000000000000000000 trace_id=5DF32F4DB651584766970736A3F093DE",
    ] {
        assert_eq!(trace_id_in(text), id, "{text}");
    }
    for text in [
        "",
        "otelTraceID=0",
        "5df32f4db651584766970736a3f093de",
        "trace_id=5df32f4db651584766970736a3f093de0",
        "span_id=e99c8eba27765671",
        "trace_id=0x00000000000000000000000000000000",
    ] {
        assert_eq!(trace_id_in(text), None, "{text}");
    }
}

/// Characters that mean something, and some that do not.
fn noise() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\\x00-\\x7f]{0,4}",
        any::<String>(),
        prop::sample::select(vec![
            "\x1b[",
            "\x1b]",
            "\x1b",
            "38;2;",
            "m",
            "K",
            "\r",
            "\n",
            "\x08",
            "\u{9b}",
            "\u{9c}",
            "{",
            "}",
            "    \"name\": 1",
            "\"trace_id\"",
            "a-1  | ",
            "Traceback (most recent call last):",
            "\x1b[31m",
            "\x1b[48:5:200m",
            "é",
            "\u{9d}",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_breaks_anything(text in noise()) {
        let lines = lines(&text);
        prop_assert_eq!(classify(&lines).len(), lines.len());
        for line in &lines {
            let joined: String = segments(&line.text).into_iter().map(|segment| segment.text).collect();
            prop_assert_eq!(&joined, &plain(&line.text));
            prop_assert!(!joined.chars().any(|c| c.is_control() && c != '\t'), "{:?}", joined);
            prop_assert_eq!(&line_text(&line.text), &line.text, "a line that was read is read as itself");
            let _found = trace_id_in(&line.text);
        }
        let joined: String = segments(&text).into_iter().map(|segment| segment.text).collect();
        prop_assert_eq!(joined, plain(&text));
    }

    #[test]
    fn no_bytes_break_anything(bytes: Vec<u8>) {
        let console = Console::from_bytes("x", &bytes);
        prop_assert!(console.lines.iter().all(|line| !line.text.contains('\n')));
    }

    #[test]
    fn a_style_written_reads_back(flags: [bool; 6], fg in colour(), bg in colour()) {
        let [bold, dim, italic, underline, strike, inverse] = flags;
        let style = Style { bold, dim, italic, underline, strike, inverse, fg, bg };
        prop_assert_eq!(segments(&format!("\x1b[1;3;45m{}x", style.sgr()))[0].style, style);
    }
}

fn colour() -> impl Strategy<Value = Option<Colour>> {
    prop_oneof![
        Just(None),
        prop::sample::select(Named::ALL.to_vec()).prop_map(|named| Some(Colour::Named(named))),
        (16..=255_u8).prop_map(|n| Some(Colour::Index(n))),
        any::<[u8; 3]>().prop_map(|[r, g, b]| Some(Colour::Rgb(r, g, b))),
    ]
}
