//! Two journals and one remote: random edits on both, some of them of the same lines, and syncs of which some are
//! killed. In the end both are equal, and no sentence that somebody typed is lost on either.
//!
//! `TRACEBOOK_SYNC_ROUNDS` and `TRACEBOOK_SYNC_SEED` choose another run than the short one; `make sync-rounds` runs
//! 200.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{TRACEBOOK, python, text};
use crate::sync::{Desk, Machine, assert_equal, png};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// Numbers that a seed determines.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % n
    }
}

/// What somebody typed on one machine.
struct Typed {
    sentence: String,
    by: usize,
    /// Removed again by the same person, perhaps before anybody else could see it.
    removed: bool,
}

struct Run<'a> {
    machines: [Machine<'a>; 2],
    random: Random,
    typed: Vec<Typed>,
    pictures: u8,
    killed: usize,
    conflicts: usize,
}

impl Run<'_> {
    fn sentence(&mut self, by: usize) -> String {
        let sentence = format!("Sentence {} of machine {by}.", self.typed.len());
        self.typed.push(Typed { sentence: sentence.clone(), by, removed: false });
        sentence
    }

    /// The user of a machine removes a text knowingly.
    fn removes(&mut self, old: &str) {
        for typed in self.typed.iter_mut().filter(|typed| old.contains(&typed.sentence)) {
            typed.removed = true;
        }
    }

    fn act(&mut self, by: usize) {
        let listed = self.machines[by].journal.json(&["entry", "list"]);
        let ids: Vec<String> =
            listed.as_array().expect("a list").iter().map(|row| text(row, "id").to_owned()).collect();
        let action = if ids.len() < 3 { 0 } else { self.random.below(20) };
        if action == 0 {
            let sentence = self.sentence(by);
            let body = format!("# Entry\n\nTopic: none\n\n{sentence}\n\nlast line\n");
            let week = ["2", "3", "X"][self.random.below(3)];
            let args = ["entry", "new", "--week", week, "--title", &sentence, "--body", "-"];
            let (code, out, said) = self.machines[by].journal.run_with(&args, body.as_bytes());
            assert_eq!(code, 0, "{out} {said}");
            return;
        }
        // Most often the same entry, so that both change it.
        let id = if self.random.below(2) == 0 { ids[0].clone() } else { ids[self.random.below(ids.len())].clone() };
        let shown = self.machines[by].journal.json(&["entry", "show", &id]);
        let (body, revision) = (text(&shown, "body").to_owned(), shown["revision"].to_string());
        let changed = match action {
            1 => {
                self.removes(&body);
                self.machines[by].journal.json(&["entry", "delete", &id]);
                return;
            }
            2 => {
                let input = format!("output {}\n", self.typed.len());
                let args = ["capture", "console", "--file", "-", "--into", &id];
                let (code, _, said) = self.machines[by].journal.run_with(&args, input.as_bytes());
                assert_eq!(code, 0, "{said}");
                return;
            }
            3 => {
                self.pictures = self.pictures.wrapping_add(1);
                let file = self.machines[by].journal.dir.path().join("shot.png");
                std::fs::write(&file, png(self.pictures)).expect("writes");
                let args = ["attachment", "add", &file.to_string_lossy(), "--into", &id];
                self.machines[by].journal.json(&args);
                return;
            }
            4..=9 => {
                let sentence = self.sentence(by);
                let old = body.lines().find(|line| line.starts_with("Topic: ")).unwrap_or_default().to_owned();
                self.removes(&old);
                body.replacen(&old, &format!("Topic: {sentence}"), 1)
            }
            10..=14 => format!("{body}\n{}\n", self.sentence(by)),
            15..=17 => body.replacen("last line\n", &format!("{}\nlast line\n", self.sentence(by)), 1),
            _ => {
                let sentence = self.sentence(by);
                body.replacen("# Entry\n", &format!("# Entry\n\n{sentence}\n"), 1)
            }
        };
        let args = ["entry", "set", &id, "--body", "-", "--base", &revision];
        let (code, _, said) = self.machines[by].journal.run_with(&args, changed.as_bytes());
        assert_eq!(code, 0, "{said}");
    }

    /// A sync, which may be killed at any time; then nothing is known of how far it came.
    fn sync(&mut self, by: usize, kill: bool) {
        if !kill {
            let done = self.machines[by].sync();
            self.conflicts += done["conflicts"].as_array().map_or(0, Vec::len);
            return;
        }
        let machine = &self.machines[by];
        let mut command = Command::new(TRACEBOOK);
        command.arg("--data").arg(machine.journal.data()).arg("sync").arg("--repo").arg(&machine.repo);
        command.envs(machine.journal.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn().expect("starts");
        std::thread::sleep(Duration::from_millis(20 + self.random.below(900) as u64));
        if child.try_wait().expect("waits").is_none() {
            self.killed += 1;
            Command::new("kill").args(["-9", &child.id().to_string()]).status().expect("kill runs");
        }
        child.wait().expect("ends");
    }

    /// Every text that a machine has: of entries, of the bin, and of revisions.
    fn texts(&self, of: usize) -> String {
        let code = "import sqlite3, sys\n\
                    for row in sqlite3.connect(sys.argv[1]).execute('SELECT body FROM entry UNION SELECT body FROM revision'):\n\
                    \x20   print(row[0])";
        let journal = self.machines[of].journal.data().join("journal.db");
        let done = Command::new(python()).args(["-c", code]).arg(journal).output().expect("Python runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("UTF-8")
    }
}

#[test]
fn random_edits_and_kills_end_equal_and_lose_nothing() {
    let rounds = number("TRACEBOOK_SYNC_ROUNDS").unwrap_or(5);
    let seed = number("TRACEBOOK_SYNC_SEED").unwrap_or(0x5eed_0001);
    println!("TRACEBOOK_SYNC_SEED={seed} TRACEBOOK_SYNC_ROUNDS={rounds}");
    let desk = Desk::new();
    let machines = [desk.machine("a"), desk.machine("b")];
    let mut run = Run { machines, random: Random(seed), typed: Vec::new(), pictures: 0, killed: 0, conflicts: 0 };
    for round in 0..rounds {
        for by in [0, 1] {
            for _ in 0..run.random.below(3) + usize::from(round == 0) {
                run.act(by);
            }
        }
        let first = run.random.below(2);
        for by in [first, 1 - first] {
            match run.random.below(4) {
                0 => {}
                1 => run.sync(by, true),
                _ => run.sync(by, false),
            }
        }
        if round % 10 == 9 {
            settle(&mut run, round);
        }
    }
    settle(&mut run, rounds);
    let lost = |of: usize| -> BTreeSet<&str> {
        let texts = run.texts(of);
        let wanted = run.typed.iter().filter(|typed| typed.by == of || !typed.removed);
        wanted.filter(|typed| !texts.contains(&typed.sentence)).map(|typed| typed.sentence.as_str()).collect()
    };
    for of in [0, 1] {
        assert_eq!(lost(of), BTreeSet::new(), "machine {of}");
    }
    let (typed, killed, conflicts) = (run.typed.len(), run.killed, run.conflicts);
    println!("{rounds} rounds, {typed} sentences, {conflicts} conflicts, {killed} syncs killed: equal, nothing lost");
    assert!(rounds < 50 || (killed > 5 && conflicts > 5), "too little happened");
}

/// Both sync until nothing happens any more, and are equal.
fn settle(run: &mut Run<'_>, round: u64) {
    for by in [0, 1, 0, 1] {
        run.sync(by, false);
    }
    for machine in &run.machines {
        let quiet = machine.sync();
        assert_eq!(quiet["pushed"], false, "round {round}: {quiet}");
        assert_eq!(quiet["imported"]["entries"].as_array().map(Vec::len), Some(0), "round {round}: {quiet}");
    }
    assert_equal(&run.machines[0], &run.machines[1]);
}
