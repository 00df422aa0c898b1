//! The user guide's examples as a table, what must be refused, and that nothing panics.

use super::*;
use proptest::prelude::*;

fn pattern(text: &str) -> FilterPattern {
    FilterPattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn check(rows: &[(&str, &str, bool)]) {
    for (text, message, wanted) in rows {
        assert_eq!(pattern(text).matches(message), *wanted, "{text} on {message}");
    }
}

const ERRORS: [&str; 4] = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
];

/// Which of the four messages in the user guide match.
fn picked(text: &str) -> Vec<usize> {
    let pattern = pattern(text);
    ERRORS.iter().enumerate().filter(|(_, message)| pattern.matches(message)).map(|(n, _)| n).collect()
}

#[test]
fn terms_of_the_user_guide() {
    for (text, wanted) in [
        ("ERROR", &[0, 1, 2, 3][..]),
        ("ERROR ARGUMENTS", &[2, 3]),
        ("ARGUMENTS   ERROR", &[2, 3]),
        ("?ERROR ?ARGUMENTS", &[0, 1, 2, 3]),
        ("?ARGUMENTS ?UNAUTHORIZED", &[1, 2, 3]),
        ("?\"BAD REQUEST\" ?INVALID", &[0, 3]),
        ("ERROR -ARGUMENTS", &[0, 1]),
        ("-ARGUMENTS", &[0, 1]),
        ("-ARGUMENTS -UNAUTHORIZED", &[0]),
        ("-\"BAD REQUEST\"", &[1, 2, 3]),
        ("\"MISSING ARGUMENTS\"", &[2]),
        ("\"ERROR 40\"", &[0, 1]),
        ("error", &[]),
        ("ERROR nowhere", &[]),
        ("AUTHORIZED", &[1]),
        ("%AUTHORIZED%", &[1]),
        ("%4[01][0-9]% REQUEST", &[0, 1]),
        ("-%\\[ERROR 4[12]%", &[0, 1]),
        ("?INVALID REQUEST", &[0, 1]),
        ("REQUEST ?INVALID ?ERROR", &[0, 1]),
        ("?INVALID -REQUEST", &[2, 3]),
        ("", &[0, 1, 2, 3]),
        ("   ", &[0, 1, 2, 3]),
        ("\" \"", &[0, 1, 2, 3]),
        ("\"\"", &[0, 1, 2, 3]),
    ] {
        assert_eq!(picked(text), wanted, "{text}");
    }
    check(&[
        ("\"INTERNAL SERVER ERROR\"", "[ERROR 500] INTERNAL SERVER ERROR", true),
        ("\"INTERNAL SERVER ERROR\"", "[ERROR 500] SERVER INTERNAL ERROR", false),
        ("\"[ERROR 400]\"", "[ERROR 400] BAD REQUEST", true),
        (r#""say \"hi\"""#, r#"they say "hi" there"#, true),
        (r#""C:\dir""#, r"in C:\dir", true),
        (r#""a\\b""#, r"a\b", true),
        ("\"/api/activities/home\"", "GET /api/activities/home 200", true),
        ("snake_case 500", "snake_case failed with 500", true),
        ("größe", "die größe", true),
        ("\"a*\"", "aaa", false),
        ("%colou?r%", "color", true),
        ("%ab*c%", "ac", true),
        ("%a{3,5}%", "aa", false),
        ("%10\\.10\\.0\\.1%", "10x10x0x1", false),
        ("%\\x41%", "A", true),
        ("%100\\%%", "100%", true),
    ]);
    assert!(pattern("").matches_everything() && pattern("  ").matches_everything());
    check(&[
        ("\" \"", "", false),
        ("\" \"", "one", false),
        ("\" \"", " ", true),
        ("\" \"", "a b", true),
        ("\"\"", "", true),
    ]);
    assert!(!pattern("\" \" x").matches_everything());
}

const EVENT: &str = r#"{
  "eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111",
  "arrayKey": ["value", "another value"],
  "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
  "SomeObject": null, "ThisFlag": true, "OtherFlag": false, "cluster.name": "c", "odd\"key": 7,
  "bytes": 12345, "ratio": 2.5e3, "big": 12345678901234567891, "digits": "42", "empty": {}
}"#;

#[test]
fn json_of_the_user_guide() {
    for (text, wanted) in [
        (r#"{ $.eventType = "UpdateTrail" }"#, true),
        (r#"{$.eventType="UpdateTrail"}"#, true),
        (r#"  { $.eventType = "UpdateTrail" }  "#, true),
        ("{ $.eventType = UpdateTrail }", true),
        (r#"{ $.eventType = "updatetrail" }"#, false),
        (r#"{ $.eventType = "Update*" }"#, true),
        (r#"{ $.eventType = "*date*ail" }"#, true),
        (r#"{ $.eventType = "*Update" }"#, false),
        (r#"{ $.eventType = "Update" }"#, false),
        (r#"{ $.eventType != "UpdateTrail" }"#, false),
        ("{ $.eventType = %^Up.*l$% }", true),
        ("{ $.eventType != %Trail% }", false),
        ("{ $.sourceIPAddress != 123.123.* }", true),
        ("{ $.sourceIPAddress != 111.111.* }", false),
        ("{ $.sourceIPAddress = 111.* }", true),
        (r#"{ $.arrayKey[0] = "value" }"#, true),
        (r#"{ $.arrayKey[1] = "value" }"#, false),
        (r#"{ $.arrayKey[9] = "value" }"#, false),
        (r#"{ $.arrayKey[*] = "another*" }"#, true),
        (r#"{ $.arrayKey = "value" }"#, false),
        ("{ $.objectList[1].id = 2 }", true),
        ("{ $.objectList[1].id = 1 }", false),
        ("{ $.objectList[*].id = 2 }", true),
        ("{ $.objectList[*].id > 2 }", false),
        ("{ $.SomeObject IS NULL }", true),
        ("{ $.eventType IS NULL }", false),
        ("{ $.Nothing IS NULL }", false),
        ("{ $.SomeOtherObject NOT EXISTS }", true),
        ("{ $.SomeObject NOT EXISTS }", false),
        ("{ $.empty.deep[3].er NOT EXISTS }", true),
        ("{ $.ThisFlag IS TRUE }", true),
        ("{ $.ThisFlag IS FALSE }", false),
        ("{ $.OtherFlag is false }", true),
        ("{ $.ThisFlag = true }", false),
        ("{ $.ThisFlag != 1 }", false),
        ("{ $.ThisFlag = * }", false),
        ("{ $.ThisFlag != \"A\" }", false),
        ("{ $.ThisFlag != %x% }", false),
        ("{ $.bytes = 12345 }", true),
        ("{ $.bytes > 1000 }", true),
        ("{ $.bytes >= 12345 && $.bytes <= 12345 }", true),
        ("{ $.bytes < 1e3 }", false),
        ("{ $.bytes = 1.2345e4 }", true),
        ("{ $.ratio = 2500 }", true),
        ("{ $.bytes = 123* }", true),
        ("{ $.bytes = * }", true),
        ("{ $.big = 12345678901234567891 }", true),
        ("{ $.big = 12345678901234567890 }", false),
        ("{ $.digits = 42 }", true),
        ("{ $.digits > 1 }", false),
        ("{ $.eventType > 1 }", false),
        ("{ $.Nothing != 1 }", false),
        (r#"{ $.SomeObject != "x" }"#, false),
        (r#"{ $.['cluster.name'] = "c" }"#, true),
        (r#"{ $["cluster.name"] = "c" }"#, true),
        (r#"{ $.cluster.name = "c" }"#, false),
        (r#"{ $['odd"key'] = 7 && $["odd\"key"] = 7 }"#, true),
    ] {
        check(&[(text, EVENT, wanted)]);
    }
    const USERS: &str = r#"{"user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]]}"#;
    check(&[
        (r#"{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }"#, USERS, true),
        (r#"{ $.user.id = 1 && $.users[0].email = "Jane.Doe@example.com" }"#, USERS, false),
        (r#"{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" }"#, USERS, true),
        (
            r#"{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }"#,
            USERS,
            true,
        ),
        (
            r#"{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }"#,
            USERS,
            false,
        ),
        ("{ $.coordinates[0][1] = 1 }", USERS, true),
        ("{ $.coordinates[*][2] = 9 }", USERS, true),
        ("{ $.users.* = 2 }", USERS, false),
        ("{ $.user.* = 1 }", USERS, true),
        ("{ $.user[*] = 1 }", USERS, true),
        (r#"{ $.* = "hit" }"#, r#"{"a": 1, "b": "hit"}"#, true),
        (r#"{ $.* = "hit" }"#, r#"{"a": {"b": "hit"}, "c": ["hit"]}"#, false),
        (r#"{ $.*.b = "hit" }"#, r#"{"a": {"b": "hit"}}"#, true),
        (r#"{ $.* = "hit" }"#, r#"["hit"]"#, false),
        (r#"{ $.arr[*] = "hit" }"#, r#"{"arr": {"0": "hit"}}"#, true),
        (r#"{ $.arr[*] = "hit" }"#, r#"{"arr": [["hit"]]}"#, false),
        (r#"{ $.arr[*] = "hit" }"#, r#"{"arr": "hit"}"#, false),
        ("{ $.v IS NULL }", r#"{"v": [1, null]}"#, true),
        ("{ $.v IS NULL }", r#"{"v": [1, [null]]}"#, false),
        ("{ $.v IS NULL }", r#"{"v": []}"#, false),
        ("{ $.v NOT EXISTS }", r#"[{"v": 1}]"#, false),
        (r#"{ $.v = "null" }"#, r#"{"v": "null"}"#, true),
        (r#"{ $.v = true }"#, r#"{"v": "true"}"#, true),
        ("{ $.level = \"ERROR\" }", "level ERROR", false),
        ("{ $.level = \"ERROR\" }", "{\"level\": \"ERROR\"", false),
        ("{ $.level NOT EXISTS }", "no json", false),
        ("{ $.level NOT EXISTS }", "{}", true),
        ("{ $.level = ERROR }", "  {\"level\":\"ERROR\"}\n", true),
        ("{ $[1] = 2 }", "[1, 2]", true),
        (r#"{ $.a = "1\*" }"#, r#"{"a": "1*"}"#, true),
        (r#"{ $.a = "1\*" }"#, r#"{"a": "12"}"#, false),
    ]);
}

const ACCESS: &str = "127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534";

#[test]
fn fields_of_the_user_guide() {
    for (text, wanted) in [
        ("[ip, user_id, username, timestamp, request, status_code, bytes]", true),
        ("[ip, user_id, username, timestamp, request, status_code]", true),
        ("[ip, user_id, username, timestamp, request, status_code = 404]", false),
        ("[ip, user_id, username, timestamp, request, status_code = \"404 1534\"]", true),
        ("[ip, user_id, username, timestamp, request, status_code = 404*]", true),
        ("[]", true),
        ("[ip, user_id, username, timestamp, =*.html*, 4*, bytes]", true),
        ("[ip, user_id, username, timestamp, =*.php*, 4*, bytes]", false),
        ("[ip=127.0.0.1 || IP=10.0.0.1, rest]", true),
        ("[ip=127.0.0.2 || IP=10.0.0.1, rest]", false),
        ("[ip, user_id, username, timestamp, request, status_code, bytes, more]", false),
        ("[ip, user_id, username, timestamp, request, status_code = 404, bytes]", true),
        ("[ip, user_id, username, timestamp, request, status_code = 4*, bytes > 1000]", true),
        ("[ip, user_id, username, timestamp, request, status_code = 4*, bytes > 2000]", false),
        ("[ip, user_id, username, timestamp, request =*.html*, status_code = 4*, bytes]", true),
        ("[ip,user_id,username,timestamp,request=\"GET /index.html HTTP/1.0\",status_code=404,bytes=1534]", true),
        ("[ip, user_id, username, timestamp, request, status_code = 404 || status_code = 410, bytes]", true),
        ("[ip, user_id, username, timestamp, request, status_code = 500 || status_code = 410, bytes]", false),
        ("[ip, user_id, username, timestamp = 10/Oct/*, ...]", true),
        ("[..., status_code = 4*, bytes]", true),
        ("[..., status_code = 4*]", false),
        ("[ip, ..., bytes >= 1534]", true),
        ("[ip = 127.*, ..., request = *.html*, status, bytes]", true),
        ("[ip, ..., request = *.php*, status, bytes]", false),
        ("[...]", true),
        ("[ip != 127.0.0.1, ...]", false),
        ("[ip = %127\\.0\\.0\\.[1-9]%, ...]", true),
        ("[ip, ..., status != 200 && status != 500, bytes]", true),
        ("[ip, ..., (status = 404 || status = 410) && status != 5*, bytes < 1.6e3]", true),
    ] {
        check(&[(text, ACCESS, wanted)]);
    }
    check(&[
        ("[w1=ERROR, w2]", "ERROR disk", true),
        ("[w1=ERROR, w2]", "ERROR disk full", true),
        ("[w1=ERROR, w2]", "ERROR \"unterminated words", true),
        ("[w1=ERROR, w2]", "ERROR", false),
        ("[w1=ERROR || W1=WARNING, w2]", "WARNING disk full", true),
        ("[a, b = \"two words\"]", "one \"two words\"", true),
        ("[a, b = \"two words\"]", "one two words  ", true),
        ("[..., last = c]", "a b c", true),
        ("[..., last = \"b c\"]", "a b c", false),
        ("[one = \"a b c\"]", "a b c", true),
        ("[]", "", true),
        ("[w1=\"ERROR\" || w1=\"WARN\", ...]", "WARN disk full", true),
        ("[w1=ERROR, ...]", "ERROR", true),
        ("[w1!=ERROR && w1!=WARN, ...]", "INFO all well", true),
        ("[level, rest]", "[INFO] \"all is well\"", true),
        ("[level = INFO, ...]", "[INFO] all is well", true),
        ("[level = \"[INFO]:\", ...]", "[INFO]: all is well", true),
        ("[a = \"\\\"open\", b]", "\"open end", true),
        ("[a, b]", "[open end", true),
        ("[bytes > 0]", "-", false),
        ("[bytes = -]", "-", true),
        ("[bytes = 01534]", "1534", true),
        ("[only]", "", false),
        ("[...]", "", true),
        ("[a, b]", "  one \t two\n", true),
        ("[q = \"say \\\\\\\"hi\\\\\\\"\"]", r#""say \"hi\"""#, true),
    ]);
}

#[test]
fn errors_name_their_position() {
    for (text, position, words) in [
        ("a.b", 1, "\"a.b\""),
        ("ok /api/home", 4, "\"/api/home\""),
        ("é ? b", 4, "a term is missing"),
        ("- x", 2, "a term is missing"),
        ("\"open", 1, "never closed"),
        ("%open", 1, "never closed"),
        ("%%", 1, "empty"),
        ("%a!%", 3, "'!' cannot be"),
        ("%é%", 2, "cannot be"),
        ("%(a)%", 2, "no groups"),
        ("%a\\q%", 3, "goes before"),
        ("%[a%", 1, "cannot be read"),
        ("%a{1000}{1000}{1000}%", 1, "too large"),
        ("\"a\"\"b\"", 4, "a blank"),
        ("{ }", 3, "begins with $."),
        ("{ level = 1 }", 3, "begins with $."),
        ("{ $ = 1 }", 4, "which property"),
        ("{ $.a }", 7, "expected a comparison"),
        ("{$.a}", 5, "expected a comparison"),
        ("{ $.a:b = 1 }", 6, "$.['the name']"),
        ("{ $.@t = 1 }", 5, "$.['the name']"),
        ("{ $.a == 1 }", 8, "one = is enough"),
        ("{ $.a > \"1\" }", 9, "without quotes"),
        ("{ $.a = }", 9, "text in quotes"),
        ("{ $.a = 1 & $.b = 2 }", 11, "joined with &&"),
        ("{ $.a = 1 | $.b = 2 }", 11, "joined with ||"),
        ("{ ($.a = 1 }", 12, "or ), found"),
        ("{ $.a = 1", 10, "found the end"),
        ("{ $.a = 1 } x", 13, "has ended"),
        ("{ $.a[x] = 1 }", 6, "in brackets"),
        ("{ $.a IS BIG }", 10, "NULL, TRUE or FALSE"),
        ("{ $.a NOT 1 }", 11, "after NOT comes EXISTS"),
        ("{ $.a EXISTS }", 7, "= *"),
        ("{ $.a = %a% || $.a = %b% || $.a = %c% }", 1, "at most 2"),
        ("[a, b", 6, "expected a comparison"),
        ("[a = 1 b]", 8, "expected , or ]"),
        ("[a = 1 && b = 2]", 11, "its own place"),
        ("[a,, b]", 4, "a field's name"),
        ("[..., status, ...]", 15, "at most one"),
        ("[word, word]", 8, "its own name"),
        ("[word = 1, Word = 2]", 12, "its own name"),
        ("[1a]", 2, "begins with a letter"),
        ("{ $.a[*].* = 1 }", 11, "at most one wildcard"),
        ("{ $.a[*] = 1 || $.b[*] = 1 || $.* = 1 || $.c[*].d = 1 }", 1, "at most 3"),
        ("{ $.a = null }", 7, "IS NULL"),
    ] {
        let error = FilterPattern::parse(text).expect_err(text);
        assert!(error.message.contains(words), "{text}: {error}");
        assert_eq!(error.position, position, "{text}: {error}");
    }
    let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(FilterPattern::parse(&deep).expect_err("too deep").message.contains("parentheses"));
}

#[test]
fn hostile_messages_match_in_linear_time() {
    // Each of these would take hours with backtracking at every position.
    let began = std::time::Instant::now();
    let quotes = "\"a [b ".repeat(100_000);
    assert!(!pattern("[..., x = nothing]").matches(&quotes));
    assert!(!pattern("[x = nothing, ...]").matches(&quotes));
    let stars = format!("{{ $.a = \"{}\" }}", "*a".repeat(400));
    assert!(!pattern(&stars).matches(&format!("{{\"a\":\"{}b\"}}", "a".repeat(200_000))));
    let elements = format!("{{ $.a{}[*] = 1 }}", "[0]".repeat(4));
    assert!(!pattern(&elements).matches(&format!("{{\"a\":[[[[[{}0]]]]]}}", "0,".repeat(100_000))));
    let words = "x ".repeat(100_000);
    assert!(!pattern("[a = x, ..., b = x, c = y]").matches(&words));
    let open = "[".repeat(200_000);
    assert!(!pattern("{ $.a = 1 }").matches(&open));
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

proptest! {
    #[test]
    fn no_pattern_and_no_message_panics(text in ".{0,60}", message in ".{0,60}") {
        if let Ok(pattern) = FilterPattern::parse(&text) {
            pattern.matches(&message);
        }
    }

    #[test]
    fn what_looks_like_a_pattern_does_not_panic(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "{", "}", "[", "]", "(", ")", "$", ".a", "[*]", "[0]", "['é']", " ", "=", "!=", "<", ">=", "*", "\"", "\\", "%", "1e9",
                "x*", "&&", "||", "IS", "NULL", "NOT", "EXISTS", "...", ",", "?", "-", "é", "a{2}", "^", "+",
            ]),
            0..14,
        ),
        message in r#"(\{"a": ?(1|"x"|null|\[1,\{"a":2\}\])\})|[\["\\ aé\]]{0,20}"#,
    ) {
        match FilterPattern::parse(&parts.concat()) {
            Ok(pattern) => { pattern.matches(&message); }
            Err(error) => prop_assert!(error.position >= 1 && !error.message.is_empty()),
        }
    }

    #[test]
    fn a_quoted_message_is_found_in_itself(message in "\\PC{1,40}") {
        let quoted = format!("\"{}\"", message.replace('\\', "\\\\").replace('"', "\\\""));
        prop_assert!(pattern(&quoted).matches(&message));
    }

    #[test]
    fn an_excluded_word_is_the_opposite(word in "[a-z]{1,3}", message in "[a-z ]{0,12}") {
        prop_assert_ne!(pattern(&word).matches(&message), pattern(&format!("-{word}")).matches(&message));
    }
}
