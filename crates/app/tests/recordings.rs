//! The answers that the UI's unit tests replay, against the types of the commands.
//!
//! They are in ui/src/test/recordings, recorded by `make recordings`; their format is that of ui/src/test/recording.ts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use tracebook_app::Code;
use tracebook_app::api::{Event, Request, rewrite_answer};

#[test]
fn recorded_answers_have_the_types_of_the_commands() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/src/test/recordings");
    let mut stale = BTreeSet::new();
    let mut exchanges = 0;
    for file in json_files(Path::new(folder)) {
        let text = std::fs::read_to_string(&file).expect("reads");
        let tests: BTreeMap<String, Vec<Exchange>> = serde_json::from_str(&text).expect("a recording");
        for exchange in tests.into_values().flatten() {
            exchanges += 1;
            let problems = exchange.problems();
            stale.extend(problems.into_iter().map(|problem| format!("{}: {problem}", exchange.cmd)));
        }
    }
    assert!(exchanges > 100, "{exchanges} exchanges in {folder}");
    assert!(stale.is_empty(), "recorded answers are stale, run `make recordings`:\n{stale:#?}");
}

#[test]
fn another_field_is_noticed() {
    let problems = |answer: Value| {
        let exchange = json!({ "cmd": "weeks", "args": {}, "answer": [answer] });
        serde_json::from_value::<Exchange>(exchange).expect("an exchange").problems().len()
    };
    assert_eq!(problems(json!({ "week": "2", "title": "Week 2" })), 0);
    assert_eq!(problems(json!({ "week": "2" })), 1, "a field that was added since");
    assert_eq!(problems(json!({ "week": "2", "title": "Week 2", "slug": "week-2" })), 1, "a field that is gone");
}

/// A command and its response.
#[derive(Deserialize)]
struct Exchange {
    cmd: String,
    args: Value,
    answer: Option<Value>,
    error: Option<Value>,
    #[serde(default)]
    events: Vec<Value>,
}

impl Exchange {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let request = json!({ "cmd": self.cmd, "args": self.args });
        problems.extend(serde_json::from_value::<Request>(request).err().map(|e| format!("arguments: {e}")));
        let mut check = |what: &str, recorded: &Value, written: Result<Value, serde_json::Error>| match written {
            Ok(written) if floats(&written) == floats(recorded) => {}
            Ok(written) => problems.push(format!("{what}: {recorded} is written as {written} now")),
            Err(error) => problems.push(format!("{what}: {error}")),
        };
        if let Some(answer) = &self.answer {
            check("answer", answer, rewrite_answer(&self.cmd, answer.clone()));
        }
        for event in &self.events {
            check("event", event, serde_json::from_value::<Event>(event.clone()).and_then(serde_json::to_value));
        }
        if let Some(error) = &self.error {
            let code = &error["code"];
            check("error", code, serde_json::from_value::<Code>(code.clone()).and_then(serde_json::to_value));
        }
        problems
    }
}

/// With every number as a float: the recorder is JavaScript, which writes `1.0` as `1`.
fn floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(values) => values.iter().map(floats).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), floats(value))).collect(),
        other => other.clone(),
    }
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of recordings");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { json_files(&path) } else { vec![path] }).collect()
}
