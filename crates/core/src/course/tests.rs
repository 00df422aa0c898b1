//! Course files: what is read, what is reported, and what homework is met by.

use super::*;
use crate::console::{Console, ConsoleOrigin};
use crate::errors::{ErrorItem, Occurrence, Person};
use crate::evidence::{Body, Evidence, Kind, Provenance, SCHEMA};
use crate::ids::{Id, SpanId, TraceId};
use crate::logs::{LogEvent, LogOrigin, Logs};
use crate::question::{Question, Source};
use crate::time::Nanos;
use crate::trace::{Protocol, Span, SpanKind, Trace};
use crate::value::Attribute;
use crate::xray::{Group, Groups};

fn evidence(n: u8, body: Body) -> Evidence {
    let provenance = Provenance {
        question: Question { source: Source::Local, ..Question::default() },
        via: Vec::new(),
        endpoints: Vec::new(),
        region: None,
        range: (Nanos(0), Nanos(0)),
        captured_at: Nanos(0),
        ahead: None,
        tool: String::new(),
        console_link: None,
        expires: None,
        clock_skew: None,
        without_end: 0,
        credentials_removed: 0,
        supersedes: None,
    };
    Evidence { schema: SCHEMA, id: id(n), body, provenance }
}

fn id(n: u8) -> Id {
    format!("01JABCDEFGHJKMNPQRSTVWXY{:02}", n % 100).parse().expect("an id")
}

fn trace(protocol: Protocol, change: impl FnOnce(&mut Vec<Span>)) -> Body {
    let kind = if protocol == Protocol::Xray { SpanKind::Segment } else { SpanKind::Server };
    let root = Span { kind, ..Span::new(SpanId([1; 8]), "GET /", protocol, Nanos(1)) };
    let mut spans = vec![root];
    change(&mut spans);
    Body::Trace(Trace {
        trace_id: TraceId([1; 16]),
        resources: Vec::new(),
        scopes: Vec::new(),
        spans,
        notes: Vec::new(),
    })
}

fn with_subsegment(spans: &mut Vec<Span>) {
    let kind = SpanKind::Subsegment;
    let metadata = vec![Attribute::new("default", "x")];
    spans.push(Span { kind, metadata, ..Span::new(SpanId([2; 8]), "work", Protocol::Xray, Nanos(2)) });
}

fn console(origin: ConsoleOrigin) -> Body {
    Body::Console(Console {
        origin: Some(origin),
        exit_code: Some(0),
        ..Console::from_text("docker compose ps", "a\nb")
    })
}

fn error(person: bool) -> Body {
    let person = person.then(|| Person { id: "7".to_owned(), ..Person::default() });
    let occurrence = Occurrence { person, title: "TypeError".to_owned(), ..Occurrence::default() };
    Body::Error(Box::new(ErrorItem { occurrence, occurrences: 3, ..ErrorItem::default() }))
}

/// A week with one homework for each list of needs.
fn week(needs: &[&str]) -> Week {
    let parts: Vec<_> = needs
        .iter()
        .enumerate()
        .map(|(n, needs)| format!("[[week.homework]]\ntitle = \"H{n}\"\nneeds = [{needs}]\n"))
        .collect();
    let text = format!("[[week]]\nnumber = 1\n{}", parts.concat());
    parse(&text).unwrap_or_else(|problems| panic!("{text}\n{problems:?}")).weeks.remove(0)
}

fn fit(need: &str, body: Body) -> Fit {
    week(&[need]).fits(&evidence(1, body))[0]
}

/// Which evidence each need is met by, for evidence on these lines.
fn judged(week: &Week, sections: &[Section], bodies: Vec<(usize, Body)>) -> Vec<HomeworkState> {
    let items: Vec<_> =
        (1..).zip(bodies).map(|(n, (line, body))| (id(n), line, week.fits(&evidence(n, body)))).collect();
    let shown: Vec<_> = items.iter().map(|(id, line, fits)| Shown { id: *id, line: *line, fits }).collect();
    week.judge(sections, &shown)
}

#[test]
fn the_course_that_is_compiled_in_is_valid() {
    let course = parse(BUILTIN).expect("valid");
    let weeks: Vec<_> = course.weeks.iter().map(|w| w.week.as_str()).collect();
    assert_eq!(weeks, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "X"]);
    assert!(course.weeks.iter().flat_map(Week::parts).all(|(part, _)| !part.needs.is_empty()), "all of it is checked");
    assert_eq!(builtin(), &course);
    let title = course.entry_title("2");
    let text = course.template(Some("2"), &title);
    assert!(text.starts_with(
        "# Week 2 — Distributed Tracing\n\n## Required Homework\n\n### Instrument Honeycomb with OTEL\n\n![Traces]()\n"
    ));
    assert!(text.contains("![Group]()\n\n![Sampling rule]()\n"));
    assert!(text.ends_with("### Rollbar person and payload\n\n![Rollbar error with person]()\n"));
    assert_eq!(course.template(None, "Notes"), "# Notes\n\n## Required Homework\n\n## Homework Challenges\n");
    assert_eq!(course.find_week(" x ").as_deref(), Ok("X"));
    assert!(course.find_week("12").expect_err("no such week").contains("10, 11, X"));
}

#[test]
fn a_template_of_a_week_replaces_its_fields_only() {
    let text = "[[week]]\nnumber = 12\ntitle = \"Last\"\ntemplate = '''\n# {title}\n\n{other} {\n\n{challenges}\n\n## H\n\n{homework}\n\n\n\nend\n'''\n\
                [[week.homework]]\ntitle = \"A {title}\"\nneeds = [{ kind = \"trace\", count = 2, slot = \"a [b] *c*\" }]";
    let course = parse(text).expect("valid");
    assert_eq!(
        course.template(Some("12"), "T"),
        "# T\n\n{other} {\n\n## H\n\n### A {title}\n\n![a \\[b\\] \\*c\\*]()\n\n![a \\[b\\] \\*c\\*]()\n\n\n\nend\n"
    );
}

#[test]
fn problems_name_the_line_and_what_to_write() {
    let head = "[[week]]\nnumber = 1\n[[week.homework]]\ntitle = \"H\"\n";
    for (text, line, message, hint) in [
        ("", 1, "no weeks", "[[week]]"),
        ("title = 3", 1, "3 is no title", "one line"),
        ("[[week]\nnumber = 1", 1, "", "https://toml.io"),
        ("a = [1,", 1, "", "toml.io"),
        ("[[week]]\nnumber = 1\n[[week]]\nnumber = 1", 3, "week 1 is there twice", "own number"),
        ("[[week]]\ntitle = \"x\"", 1, "no number", "number = 1"),
        ("[[week]]\nnumber = 100", 2, "100 is no number of a week", "0 to 99"),
        ("[[week]]\nnumber = -1", 2, "-1", "0 to 99"),
        ("[[week]]\nnumber = 0x10", 2, "0x10", "0 to 99"),
        ("[week]\nnumber = 1", 1, "week is not a list", "[[week]]"),
        ("week = [3]", 1, "3 is not a week", "[[week]]"),
        ("[[week]]\nnumber = 1\nhomwork = 3", 3, "\"homwork\" is not known in a week", "Did you mean \"homework\"?"),
        (&format!("{head}needs = 3"), 5, "needs is not a list", "needs = [{"),
        (&format!("{head}needs = [3]"), 5, "3 is no need", "{ kind"),
        (&format!("{head}needs = [\"trase\"]"), 5, "\"trase\" is not known as kind", "Did you mean \"trace\"?"),
        (
            &format!("{head}needs = [\n{{ kind = \"error\" }},\n{{ kind = \"trace\", with = \"person\" }}]"),
            7,
            "\"person\" is not possible for trace",
            "possible for error",
        ),
        (
            &format!("{head}needs = [{{ kind = \"trace\", with = [\"subsegment\", \"x\"] }}]"),
            5,
            "\"x\" is not known as with",
            "annotation",
        ),
        (&format!("{head}needs = [{{ kind = \"trace\", from = \"otpl\" }}]"), 5, "\"otpl\"", "Did you mean \"otlp\"?"),
        (
            &format!("{head}needs = [{{ kind = \"console\", spans = 2 }}]"),
            5,
            "\"spans\" is not possible for console",
            "trace",
        ),
        (&format!("{head}needs = [{{ kind = \"trace\", count = 0 }}]"), 5, "0 is no number for count", "count = 1"),
        (
            &format!("{head}needs = [{{ kind = \"trace\", count = 99999999999999999999 }}]"),
            5,
            "is no number for count",
            "50",
        ),
        (&format!("{head}needs = [{{ count = 1 }}]"), 5, "a need has no kind", "kind = \"trace\""),
        (&format!("{head}needs = [{{ words = 5, pictures = 1 }}]"), 5, "both words and pictures", "two needs"),
        (&format!("{head}needs = [{{ section = \"H\" }}]"), 5, "neither words nor pictures", "words = 50"),
        (
            &format!("{head}needs = [{{ kind = \"trace\", contains = [1] }}]"),
            5,
            "1 is no text for contains",
            "contains = ",
        ),
        ("[[week]]\nnumber = 1\n[[week.homework]]\nneeds = []", 3, "a homework has no title", "heading"),
        ("[[week]]\nnumber = 1\n[[week.challenge]]\ntitle = \"a\\nb\"", 4, "is no title", "one line"),
        ("[[week]]\nnumber = 1\ntemplate = 1", 3, "template is not a text", "{homework}"),
    ] {
        let problems = parse(text).expect_err(text);
        let first = &problems[0];
        assert_eq!(first.line, line, "{text}\n{problems:?}");
        assert!(first.message.contains(message), "{text}\n{problems:?}");
        assert!(first.hint.contains(hint), "{text}\n{problems:?}");
    }
    // All of them, by line.
    let problems = parse("title = 1\n[[week]]\nnumber = 1\nx = 1\n[[week.homework]]\ntitle = \"\"\nneeds = [\"q\", 2]")
        .expect_err("bad");
    assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [1, 4, 6, 7, 7]);
}

#[test]
fn hostile_files_are_refused() {
    let many = "[[week]]\nnumber = 1\n".repeat(200);
    let places = format!(
        "[[week]]\nnumber = 1\n{}",
        "[[week.homework]]\ntitle = \"x\"\nneeds = [{kind=\"trace\",count=50}]\n".repeat(9)
    );
    for text in [
        &"[".repeat(MAX_BYTES),
        &format!("a = {}", "[".repeat(100_000)),
        &format!("a = {}", "{a=".repeat(50_000)),
        &format!("{} = 1", "a.".repeat(100_000)),
        &"x".repeat(MAX_BYTES + 1),
        &many,
        &places,
        "\u{0}",
        "a = \"\\uD800\"",
        "[[week]]\nnumber = 1\n[[week.homework]]\ntitle = \"\\u0000\"",
        &format!("title = \"{}\"", "é".repeat(500)),
        &(0..1000).map(|n| format!("k{n} = 1\n")).collect::<String>(),
        "number = nan\nweek = 1979-05-27T07:32:00Z",
    ] {
        let problems = parse(text).expect_err(text);
        assert!((1..=20).contains(&problems.len()), "{}", problems.len());
        assert!(problems.iter().all(|p| p.line >= 1 && !p.message.contains('\n') && p.message.chars().count() < 400));
    }
}

#[test]
fn evidence_fits_by_kind_origin_and_what_it_has() {
    let xray = || trace(Protocol::Xray, with_subsegment);
    let plain = || trace(Protocol::Otlp, |_| ());
    let custom = |spans: &mut Vec<Span>| {
        spans[0].attributes = vec![Attribute::new("http.method", "GET"), Attribute::new("app.user", "7")];
    };
    for (need, body, expected) in [
        ("\"trace\"", plain(), Fit::Yes),
        ("\"error\"", plain(), Fit::No),
        ("{kind='trace', from='xray'}", plain(), Fit::OtherOrigin),
        ("{kind='trace', from=['honeycomb','xray']}", plain(), Fit::Yes),
        ("{kind='trace', from='honeycomb'}", xray(), Fit::OtherOrigin),
        ("{kind='trace', from='local'}", xray(), Fit::Yes),
        ("{kind='trace', from='cloud'}", xray(), Fit::OtherOrigin),
        ("{kind='trace', with='subsegment'}", xray(), Fit::Yes),
        ("{kind='trace', with=['subsegment','metadata']}", xray(), Fit::Yes),
        ("{kind='trace', with=['subsegment','annotation']}", xray(), Fit::Lacking),
        ("{kind='trace', with='subsegment'}", plain(), Fit::Lacking),
        ("{kind='trace', with='attribute'}", trace(Protocol::Otlp, custom), Fit::Yes),
        ("{kind='trace', with='attribute'}", plain(), Fit::Lacking),
        ("{kind='trace', spans=2}", xray(), Fit::Yes),
        ("{kind='trace', spans=3}", xray(), Fit::Lacking),
        ("{kind='trace', contains='get /'}", plain(), Fit::Yes),
        ("{kind='trace', contains=['GET','nowhere']}", plain(), Fit::Lacking),
        ("{kind='error', with='person'}", error(true), Fit::Yes),
        ("{kind='error', with='person'}", error(false), Fit::Lacking),
        ("{kind='error', from='rollbar', occurrences=3}", error(false), Fit::Yes),
        ("{kind='error', occurrences=4}", error(false), Fit::Lacking),
        ("{kind='console', from='command', with='success'}", console(ConsoleOrigin::Watched), Fit::Yes),
        ("{kind='console', from='command'}", console(ConsoleOrigin::Pasted), Fit::OtherOrigin),
        ("{kind='console', from='pasted', lines=2}", console(ConsoleOrigin::File), Fit::Yes),
        ("{kind=['trace','console'], contains='compose'}", console(ConsoleOrigin::File), Fit::Yes),
        (
            "{kind='logs', from='cloudwatch', events=1}",
            Body::Logs(Logs {
                events: vec![LogEvent { origin: LogOrigin::Cloudwatch, ..LogEvent::default() }],
                ..Logs::default()
            }),
            Fit::Yes,
        ),
        (
            "{kind='logs', with='trace-id'}",
            Body::Logs(Logs { events: vec![LogEvent::default()], ..Logs::default() }),
            Fit::Lacking,
        ),
        ("{kind='groups', with='custom', from='xray'}", groups(&["Default", "Cruddur"]), Fit::Yes),
        ("{kind='groups', with='custom'}", groups(&["Default"]), Fit::Lacking),
    ] {
        assert_eq!(fit(need, body), expected, "{need}");
    }
}

fn groups(names: &[&str]) -> Body {
    let groups = names.iter().map(|name| Group { name: (*name).to_owned(), ..Group::default() }).collect();
    Body::Groups(Groups { groups, notes: Vec::new() })
}

#[test]
fn a_dossier_counts_as_what_it_contains() {
    let Body::Trace(own) = trace(Protocol::Xray, with_subsegment) else { panic!("a trace") };
    let mut dossier = crate::dossier::Dossier::new(TraceId([1; 16]), own);
    let fit_of = |need: &str, dossier: &crate::dossier::Dossier| fit(need, Body::Dossier(Box::new(dossier.clone())));
    assert_eq!(fit_of("{kind='trace', with='subsegment'}", &dossier), Fit::Yes);
    assert_eq!(fit_of("'dossier'", &dossier), Fit::Yes);
    assert_eq!(fit_of("'logs'", &dossier), Fit::No);
    let event = LogEvent { trace_id: Some(TraceId([1; 16])), ..LogEvent::default() };
    dossier.logs.push(crate::dossier::JoinedLog { by: crate::dossier::Join::default(), event });
    assert_eq!(fit_of("{kind='logs', with='trace-id'}", &dossier), Fit::Yes);
}

#[test]
fn each_evidence_counts_once_and_as_many_needs_as_possible_are_met() {
    let week = week(&["'trace'", "{kind='trace', with='subsegment'}"]);
    let plain = || trace(Protocol::Otlp, |_| ());
    let xray = || trace(Protocol::Xray, with_subsegment);
    let by = |bodies| -> Vec<Vec<Id>> {
        judged(&week, &[], bodies).into_iter().map(|state| state.needs[0].by.clone()).collect()
    };
    // The trace with a subsegment could meet both; the order in the text does not matter.
    assert_eq!(by(vec![(1, xray()), (2, plain())]), [[id(2)], [id(1)]]);
    assert_eq!(by(vec![(1, plain()), (2, xray())]), [[id(1)], [id(2)]]);
    // The earlier need goes first.
    assert_eq!(by(vec![(1, xray())]), [vec![id(1)], vec![]]);
    assert_eq!(by(vec![]), [vec![], vec![]] as [Vec<Id>; 2]);
    let why: Vec<_> = judged(&week, &[], vec![(1, xray())]).into_iter().map(|s| s.needs[0].why.clone()).collect();
    assert_eq!(why, ["", "1 of 1 trace in the entry already count for other homework"]);
    let why = judged(&week, &[], vec![(1, plain()), (2, plain())])[1].missing();
    assert_eq!(why, "1 trace with a subsegment (the entry shows 2 traces without what is needed)");
}

#[test]
fn evidence_in_the_section_of_a_homework_counts_for_it() {
    let week = week(&["'trace'", "'trace'"]);
    let section = |title: &str, level, line| Section { title: title.to_owned(), level, line, ..Section::default() };
    let sections = [section("", 0, 1), section("h1:", 2, 5), section("Details", 3, 7), section("H0", 2, 10)];
    let plain = || trace(Protocol::Otlp, |_| ());
    let states = judged(&week, &sections, vec![(8, plain()), (12, plain())]);
    assert_eq!((&states[0].needs[0].by, &states[1].needs[0].by), (&vec![id(2)], &vec![id(1)]));
}

#[test]
fn counts_words_and_pictures_are_needed_in_full() {
    let week = week(&["{kind='console', count=2, from='command'}", "{words=10}, {pictures=1, section='Diagram'}", ""]);
    let section =
        |title: &str, level, words, pictures| Section { title: title.to_owned(), level, line: 1, words, pictures };
    let sections = [section("H1", 2, 4, 0), section("below", 3, 5, 0), section("diagram", 2, 0, 0)];
    let bodies = vec![(1, console(ConsoleOrigin::Command)), (2, console(ConsoleOrigin::Pasted))];
    let states = judged(&week, &sections, bodies);
    let need = &states[0].needs[0];
    assert_eq!((need.met, need.have, need.least), (false, 1, 2));
    assert_eq!(
        need.why,
        "1 of 2 console outputs; the entry shows 1 console output, but not from a command that Tracebook ran"
    );
    assert_eq!(states[1].needs[0].why, "“H1” has 9 of 10 words");
    assert_eq!(states[1].needs[1].why, "“Diagram” has 0 of 1 picture");
    assert!(!states[2].met, "nothing is written");
    let sections =
        [section("H1", 2, 4, 0), section("below", 3, 6, 0), section("Diagram", 2, 0, 1), section("H2", 1, 1, 0)];
    let states = judged(&week, &sections, vec![]);
    assert_eq!(states.iter().map(|s| s.met).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(judged(&week, &[], vec![])[1].needs[0].why, "there is no heading “H1”");
}

#[test]
fn challenges_count_evidence_again() {
    let text = "[[week]]\nnumber = 2\n[[week.homework]]\ntitle = 'a'\nneeds = ['trace']\n[[week.challenge]]\ntitle = 'b'\nneeds = [{kind='trace', with='subsegment'}]";
    let week = parse(text).expect("valid").weeks.remove(0);
    let states = judged(&week, &[], vec![(1, trace(Protocol::Xray, with_subsegment))]);
    assert_eq!(states.iter().map(|s| (s.challenge, s.met)).collect::<Vec<_>>(), [(false, true), (true, true)]);
}

#[test]
fn rules_read_as_text() {
    let week = week(&[
        "{kind='trace', from=['otlp','honeycomb']}, {kind='trace', count=2, with=['subsegment'], spans=1}, {words=1}, {kind=['error','logs'], contains='x'}",
    ]);
    let texts: Vec<_> = week.needs().map(Need::text).collect();
    assert_eq!(
        texts,
        [
            "1 trace from OTLP or Honeycomb",
            "2 traces with a subsegment and at least 1 span",
            "1 word",
            "1 error or capture of log events with “x” in it"
        ]
    );
    assert_eq!(week.needs().map(Need::least).collect::<Vec<_>>(), [1, 2, 1, 1]);
    assert_eq!(Kind::ALL.len(), 9);
}

proptest::proptest! {
    /// As many places are filled as any other assignment fills.
    #[test]
    fn the_matching_is_maximal(edges in proptest::collection::vec(proptest::collection::vec(0_usize..6, 0..6), 0..6)) {
        let places: Vec<_> = edges.iter().enumerate().map(|(n, to)| (n, to.clone())).collect();
        let taken = super::judge::matching(&places, 6);
        for (at, place) in taken.iter().enumerate() {
            if let Some(place) = place {
                proptest::prop_assert!(places[*place].1.contains(&at));
            }
        }
        let filled = taken.iter().flatten().collect::<std::collections::BTreeSet<_>>().len();
        proptest::prop_assert_eq!(filled, taken.iter().flatten().count());
        proptest::prop_assert_eq!(filled, best(&edges, 0, 0));
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]a-z=\"{}#\n0-9,. ]{0,200}") {
        let _ = parse(&text);
    }
}

/// The largest number of places that can be filled, by trying everything.
fn best(edges: &[Vec<usize>], from: usize, used: u32) -> usize {
    let Some(to) = edges.get(from) else { return 0 };
    let without = best(edges, from + 1, used);
    let with = to.iter().filter(|at| used & (1 << **at) == 0).map(|at| 1 + best(edges, from + 1, used | (1 << at)));
    with.max().unwrap_or(0).max(without)
}
