//! Publishing to the user's own git repository: two machines, one bare remote, and what git refuses.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::support::{Journal, files, text};

/// A bare remote, and git's configuration of a user.
pub(crate) struct Desk {
    pub(crate) dir: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().expect("a folder") };
        let config = "[user]\n\tname = T\n\temail = t@example.org\n[init]\n\tdefaultBranch = main\n";
        std::fs::write(desk.path("gitconfig"), config).expect("writes");
        desk.git(desk.dir.path(), &["init", "--quiet", "--bare", "remote.git"]);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(dir).args(args).env("GIT_CONFIG_GLOBAL", self.path("gitconfig"));
        command.env("GIT_CONFIG_SYSTEM", "/dev/null").stdin(Stdio::null());
        command
    }

    /// Runs git, which must succeed, and returns what it printed.
    pub(crate) fn git(&self, dir: &Path, args: &[&str]) -> String {
        let run = self.command(dir, args).output().expect("git is there");
        assert!(run.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).trim_end().to_owned()
    }

    /// A machine: a clone, and a journal whose commands find the user's configuration.
    pub(crate) fn machine(&self, name: &str) -> Machine<'_> {
        self.git(self.dir.path(), &["clone", "--quiet", "remote.git", name]);
        let mut journal = Journal::new();
        let config = self.path("gitconfig").display().to_string();
        journal.env.push(("GIT_CONFIG_GLOBAL".to_owned(), config));
        journal.env.push(("GIT_CONFIG_SYSTEM".to_owned(), "/dev/null".to_owned()));
        Machine { desk: self, journal, repo: self.path(name) }
    }

    /// Changes a file as somebody else does, in a clone of their own.
    fn edit(&self, path: &str, change: impl Fn(&str) -> Option<String>) {
        let clone = tempfile::tempdir().expect("a folder");
        let at = clone.path().join("c");
        self.git(self.dir.path(), &["clone", "--quiet", "remote.git", &at.to_string_lossy()]);
        let file = at.join(path);
        match change(&std::fs::read_to_string(&file).unwrap_or_default()) {
            Some(text) => {
                std::fs::create_dir_all(file.parent().expect("a folder")).expect("makes it");
                std::fs::write(&file, text).expect("writes");
            }
            None => std::fs::remove_file(&file).expect("removes"),
        }
        self.git(&at, &["add", "--all"]);
        self.git(&at, &["commit", "--quiet", "-m", "by somebody else"]);
        self.git(&at, &["push", "--quiet", "origin", "HEAD:main"]);
    }

    fn published(&self, path: &str) -> String {
        self.git(&self.path("remote.git"), &["show", &format!("main:{path}")])
    }

    fn hook(&self, repo: &Path, name: &str, script: &str) {
        let hooks = repo.join(self.git(repo, &["rev-parse", "--git-path", "hooks"]));
        std::fs::create_dir_all(&hooks).expect("makes it");
        std::fs::write(hooks.join(name), format!("#!/bin/sh\n{script}\n")).expect("writes");
        std::fs::set_permissions(hooks.join(name), PermissionsExt::from_mode(0o755)).expect("sets");
    }
}

pub(crate) struct Machine<'a> {
    desk: &'a Desk,
    pub(crate) journal: Journal,
    pub(crate) repo: PathBuf,
}

impl Machine<'_> {
    fn new_entry(&self, title: &str, body: &str) -> String {
        let args = ["--json", "entry", "new", "--title", title, "--body", "-"];
        let (code, out, _) = self.journal.run_with(&args, body.as_bytes());
        assert_eq!(code, 0, "{out}");
        text(&serde_json::from_str(&out).expect("JSON"), "slug").to_owned()
    }

    fn body(&self, entry: &str) -> String {
        text(&self.journal.json(&["entry", "show", entry]), "body").to_owned()
    }

    fn set(&self, entry: &str, body: &str) {
        let (code, _, said) = self.journal.run_with(&["entry", "set", entry, "--body", "-"], body.as_bytes());
        assert_eq!(code, 0, "{said}");
    }

    fn replace(&self, entry: &str, from: &str, to: &str) {
        let body = self.body(entry);
        assert!(body.contains(from), "{from:?} in {body:?}");
        self.set(entry, &body.replace(from, to));
    }

    /// Adds a picture, of which there are several: see [`png`].
    fn add_picture(&self, name: &str, n: u8, entry: &str) {
        let picture = self.journal.dir.path().join(name);
        std::fs::write(&picture, png(n)).expect("writes");
        self.journal.json(&["attachment", "add", &picture.to_string_lossy(), "--into", entry]);
    }

    /// The first sync, and later ones.
    pub(crate) fn sync(&self) -> Json {
        self.journal.json(&["sync", "--repo", &self.repo.to_string_lossy()])
    }

    /// A sync that git refuses. The user's repository must be as before, and the texts kept.
    fn refused(&self, more: &[&str], code: i32, words: &[&str]) -> Json {
        let (before, entries) = (self.state(), self.journal.json(&["entry", "list"]));
        let repo = self.repo.to_string_lossy().into_owned();
        let mut args = vec!["sync"];
        if !more.contains(&"--repo") {
            args.extend(["--repo", &repo]);
        }
        args.extend(more);
        let (exit, said) = self.journal.json_code(&args);
        let error = &said["error"];
        assert_eq!(exit, code, "{said}");
        for word in words {
            assert!(text(error, "message").contains(word), "{word:?} in {said}");
        }
        assert!(!text(error, "hint").is_empty(), "{said}");
        assert_eq!(self.state(), before, "the repository is as before: {said}");
        assert_eq!(self.journal.json(&["entry", "list"]), entries);
        error.clone()
    }

    fn hook(&self, name: &str, script: &str) {
        self.desk.hook(&self.repo, name, script);
    }

    /// The user's tree, index, refs and registered trees, byte for byte.
    fn state(&self) -> BTreeMap<String, Vec<u8>> {
        let ours = |path: &str| !path.starts_with(".git/objects") && !path.starts_with("objects");
        let mut state = files(&self.repo);
        state.retain(|path, _| ours(path));
        state
    }
}

/// The entries of two machines with texts and weeks, and what they export.
pub(crate) fn assert_equal(a: &Machine<'_>, b: &Machine<'_>) {
    let entries = |machine: &Machine<'_>| -> Vec<Json> {
        let rows = machine.journal.json(&["entry", "list"]);
        let show = |row: &Json| {
            let mut entry = machine.journal.json(&["entry", "show", text(row, "id")]);
            for key in ["revision", "updated_at"] {
                entry.as_object_mut().expect("an object").remove(key);
            }
            entry
        };
        rows.as_array().expect("a list").iter().map(show).collect()
    };
    assert_eq!(entries(a), entries(b));
    let exported = |machine: &Machine<'_>| {
        let out = tempfile::tempdir().expect("a folder");
        machine.journal.json(&["export", "--all", "--to", &out.path().to_string_lossy()]);
        files(out.path())
    };
    assert_eq!(exported(a), exported(b));
}

/// A picture whose bytes differ by `n`.
pub(crate) fn png(n: u8) -> Vec<u8> {
    let mut bytes = include_bytes!("../fixtures/pictures/screenshot.png").to_vec();
    // In the compressed pixels, which nobody decodes here.
    let at = bytes.len() - 40;
    bytes[at] ^= n;
    bytes
}

#[test]
fn two_machines_end_equal() {
    let desk = Desk::new();
    let (a, b) = (desk.machine("a"), desk.machine("b"));
    let week = text(&a.journal.json(&["entry", "new", "--week", "2"]), "slug").to_owned();
    let notes = a.new_entry("Notes", "# Notes\n\nmail bob@acme-corp.com\n\nTopic: none\n");
    let (code, _, said) =
        a.journal.run_with(&["capture", "console", "--file", "-", "--into", &week], b"one line of output\n");
    assert_eq!(code, 0, "{said}");
    // An empty remote.
    let first = a.sync();
    assert_eq!((&first["remote"], &first["branch"], &first["folder"]), (&"origin".into(), &"main".into(), &"".into()));
    assert_eq!(
        (&first["pushed"], &first["message"]),
        (&true.into(), &"journal: week 2 and notes added, 1 evidence added".into())
    );
    let tip = desk.git(&desk.path("remote.git"), &["rev-parse", "main"]);
    assert_eq!(text(&first, "commit"), tip);
    assert!(!desk.published("journal/notes.md").contains("bob@"), "exports mask");
    // Nothing to do, without `--repo` from now on.
    let second = a.journal.json(&["sync"]);
    assert_eq!((&second["pushed"], &second["exported"]["written"]), (&false.into(), &Json::Array(Vec::new())));

    let came = b.sync();
    assert_eq!(came["imported"]["entries"].as_array().map(Vec::len), Some(2), "{came}");
    assert_eq!(came["imported"]["evidence"].as_array().map(Vec::len), Some(1), "{came}");
    assert_eq!((&came["pushed"], text(&came, "commit")), (&false.into(), tip.as_str()));
    assert!(b.body(&notes).contains("mail <EMAIL_1>"), "the value stays with its journal");

    // Both change the same entry in different places, and each has new ones.
    b.replace(&notes, "mail", "send mail to");
    b.new_entry("Of b", "# Of b\n\nask carol@acme-corp.com\n");
    a.replace(&notes, "Topic: none", "Topic: traces");
    a.new_entry("Of a", "# Of a\n\ntext\n");
    assert_eq!(b.journal.json(&["sync"])["pushed"], true);
    let merged = a.journal.json(&["sync"]);
    assert_eq!((&merged["merged"], &merged["conflicts"]), (&serde_json::json!(["notes"]), &serde_json::json!([])));
    assert_eq!(a.body(&notes), "# Notes\n\nsend mail to bob@acme-corp.com\n\nTopic: traces\n");
    b.journal.json(&["sync"]);
    // The number that both journals gave belongs to the first one.
    assert!(desk.published("journal/of-b.md").contains("ask <EMAIL_2>"), "{}", desk.published("journal/of-b.md"));
    assert!(b.body("of-b").contains("carol@acme-corp.com") && a.body("of-b").contains("<EMAIL_2>"));
    a.replace("of-b", "ask", "please ask");
    a.journal.json(&["sync"]);
    b.journal.json(&["sync"]);
    assert_eq!(b.body("of-b"), "# Of b\n\nplease ask carol@acme-corp.com\n");
    for machine in [&a, &b, &a, &b] {
        let quiet = machine.journal.json(&["sync"]);
        assert_eq!((&quiet["pushed"], quiet["imported"]["entries"].as_array().map(Vec::len)), (&false.into(), Some(0)));
    }
    // Values that only one machine knows are the only difference.
    for machine in [&a, &b] {
        machine.journal.json(&["entry", "delete", &notes]);
        machine.journal.json(&["entry", "delete", "of-b"]);
    }
    a.journal.json(&["sync"]);
    b.journal.json(&["sync"]);
    assert_equal(&a, &b);
}

#[test]
fn a_value_is_not_published_where_nothing_masks_it() {
    let desk = Desk::new();
    let a = desk.machine("a");
    let notes = a.new_entry("Notes", "# Notes\n\nfrom 10.4.5.77 in the log\n");
    a.sync();
    assert!(
        desk.published("journal/notes.md").contains("from <IP_1> in the log"),
        "{}",
        desk.published("journal/notes.md")
    );
    // Somebody else moves the placeholder to where the value is a part of a word.
    desk.edit("journal/notes.md", |text| Some(text.replace("from <IP_1> in", "from a<IP_1>b in")));
    let (code, said) = a.journal.json_code(&["sync"]);
    assert_eq!(code, 4, "{said}");
    assert!(text(&said["error"], "message").contains("the value of <IP_1>"), "{said}");
    assert!(!text(&said["error"], "message").contains("10.4.5.77"), "{said}");
    assert!(desk.published("journal/notes.md").contains("a<IP_1>b"));
    // Written so that a rule finds it, it goes on.
    let body = a.body(&notes);
    a.set(&notes, &body.replace("a10.4.5.77b", "10.4.5.77"));
    a.journal.json(&["sync"]);
    assert!(desk.published("journal/notes.md").contains("from <IP_1> in the log"));
}

#[test]
fn hooks_are_those_that_the_user_has() {
    let desk = Desk::new();
    let a = desk.machine("a");
    let notes = a.new_entry("Notes", "# Notes\n\ntext\n");
    a.sync();
    desk.git(&a.repo, &["config", "core.hooksPath", ".githooks"]);
    // A hook in a commit that was only fetched does not run.
    let ran = desk.path("ran");
    let script = format!("#!/bin/sh\necho ran > '{}'\n", ran.display());
    desk.edit(".githooks/pre-commit", |_| Some(script.clone()));
    desk.edit(".githooks/pre-push", |_| Some(script.clone()));
    a.replace(&notes, "text", "other text");
    a.journal.json(&["sync"]);
    assert!(!ran.exists());
    // One in the user's tree does, also where the repository does not have it.
    let own = a.repo.join(".githooks");
    std::fs::create_dir_all(&own).expect("makes it");
    std::fs::write(own.join("pre-commit"), "#!/bin/sh\necho 'not like this' >&2; exit 1\n").expect("writes");
    std::fs::set_permissions(own.join("pre-commit"), PermissionsExt::from_mode(0o755)).expect("sets");
    a.replace(&notes, "other text", "more text");
    a.refused(&[], 4, &["commit hook", "not like this"]);
}

#[test]
fn a_refused_sync_forgets_neither_place_nor_conflicts() {
    let desk = Desk::new();
    let (a, b) = (desk.machine("a"), desk.machine("b"));
    let entry = a.new_entry("Notes", "# Notes\n\nTopic: none\n");
    a.sync();
    b.sync();
    // A place that is refused does not become the place.
    desk.edit("readme.txt", |_| Some("text".to_owned()));
    a.refused(&["--folder", "readme.txt"], 4, &["is a file"]);
    assert_eq!(a.journal.json(&["sync", "status"])["folder"], "");
    let quiet = a.journal.json(&["sync"]);
    assert_eq!((&quiet["pushed"], &quiet["conflicts"]), (&false.into(), &serde_json::json!([])));
    // Conflicts are reported although the push is refused.
    a.replace(&entry, "Topic: none", "Topic: a");
    b.replace(&entry, "Topic: none", "Topic: b");
    a.journal.json(&["sync"]);
    b.hook("pre-push", "exit 1");
    let (code, said) = b.journal.json_code(&["sync"]);
    assert_eq!(code, 4, "{said}");
    assert!(text(&said["error"], "message").contains("conflict in notes"), "{said}");
    b.hook("pre-push", "exit 0");
    assert_eq!(b.journal.json(&["sync"])["pushed"], true);
    // A clone that was moved is the same place.
    std::fs::rename(&b.repo, desk.path("moved")).expect("moves");
    let moved = desk.path("moved");
    let quiet = b.journal.json(&["sync", "--repo", &moved.to_string_lossy()]);
    assert_eq!((&quiet["pushed"], &quiet["conflicts"]), (&false.into(), &serde_json::json!([])), "{quiet}");
    assert_eq!(quiet["imported"]["entries"], serde_json::json!([]));
}

#[test]
fn a_branch_that_only_the_clone_has_is_pushed() {
    let desk = Desk::new();
    let (a, b) = (desk.machine("a"), desk.machine("b"));
    a.new_entry("Notes", "# Notes\n\ntext\n");
    a.sync();
    desk.git(&b.repo, &["pull", "--quiet", "origin", "main"]);
    desk.git(&b.repo, &["checkout", "--quiet", "-B", "main"]);
    desk.git(&desk.path("remote.git"), &["update-ref", "-d", "refs/heads/main"]);
    let first = b.sync();
    assert_eq!((&first["pushed"], first["imported"]["entries"].as_array().map(Vec::len)), (&true.into(), Some(1)));
    assert_eq!(text(&first, "commit"), desk.git(&desk.path("remote.git"), &["rev-parse", "main"]));
    let (local, warnings) = (desk.git(&b.repo, &["rev-parse", "main"]), first["warnings"].to_string());
    assert!(text(&first, "commit") == local && warnings.contains("all commits of your local one"), "{first}");
    assert_eq!(b.journal.json(&["sync"])["pushed"], false);
}

#[test]
fn a_conflict_loses_nothing_on_either_side() {
    let desk = Desk::new();
    let (a, b) = (desk.machine("a"), desk.machine("b"));
    let entry = a.new_entry("Notes", "# Notes\n\nTopic: none\n\nmiddle\n\nend\n");
    a.sync();
    b.sync();
    a.replace(&entry, "Topic: none", "Topic: a");
    a.replace(&entry, "end", "end, a");
    b.replace(&entry, "Topic: none", "Topic: b");
    a.journal.json(&["sync"]);
    let dry = b.journal.json(&["sync", "--dry-run"]);
    assert_eq!(
        (&dry["pushed"], &dry["commit"], &dry["conflicts"][0]["kind"]),
        (&false.into(), &Json::Null, &"text".into())
    );
    assert_eq!(text(&dry, "message"), "journal: notes edited");
    assert!(b.body(&entry).contains("Topic: b") && b.body(&entry).ends_with("end\n"), "a dry run changes nothing");
    let done = b.journal.json(&["sync"]);
    let conflict = &done["conflicts"][0];
    assert_eq!((text(conflict, "entry"), text(conflict, "title"), text(conflict, "kind")), ("notes", "Notes", "text"));
    assert_eq!(b.body(&entry), "# Notes\n\nTopic: b\n\nmiddle\n\nend, a\n", "what does not conflict is merged");
    let revision = conflict["revision"].as_i64().expect("a number").to_string();
    let diff = b.journal.json(&["entry", "history", &entry, "--diff", &revision]);
    assert!(text(&diff, "diff").contains("-Topic: a"), "{diff}");
    a.journal.json(&["sync"]);
    assert_eq!(a.body(&entry), b.body(&entry));
    let history = a.journal.json(&["entry", "history", &entry]);
    let kept = history.as_array().expect("a list").iter().any(|revision| {
        let number = revision["revision"].to_string();
        text(&a.journal.json(&["entry", "history", &entry, "--diff", &number]), "diff").contains("-Topic: a")
    });
    assert!(kept, "{history}");
    assert_equal(&a, &b);
}

#[test]
fn a_deleted_entry_goes_to_the_bin_unless_it_was_edited() {
    let desk = Desk::new();
    let (a, b) = (desk.machine("a"), desk.machine("b"));
    let (one, two) = (a.new_entry("One", "# One\n\ntext\n"), a.new_entry("Two", "# Two\n\ntext\n"));
    a.sync();
    b.sync();
    for entry in [&one, &two] {
        a.journal.json(&["entry", "delete", entry]);
    }
    b.replace(&two, "text", "edited by b");
    assert_eq!(text(&a.journal.json(&["sync"]), "message"), "journal: one and two deleted");
    let done = b.journal.json(&["sync"]);
    assert_eq!(done["imported"]["entries"][0]["change"], "deleted", "{done}");
    assert_eq!(done["conflicts"][0]["kind"], "deleted", "{done}");
    assert_eq!(b.journal.json(&["entry", "list"]).as_array().map(Vec::len), Some(1));
    let back = a.journal.json(&["sync"]);
    assert_eq!(back["imported"]["entries"][0]["change"], "restored", "{back}");
    assert_equal(&a, &b);
    // Out of the bin again.
    b.journal.json(&["entry", "restore", &one]);
    b.journal.json(&["sync"]);
    a.journal.json(&["sync"]);
    assert_equal(&a, &b);
    assert_eq!(a.journal.json(&["entry", "list"]).as_array().map(Vec::len), Some(2));
}

#[test]
fn edits_on_the_code_host_come_in() {
    let desk = Desk::new();
    let (a, b) = (desk.machine("a"), desk.machine("b"));
    let entry = a.new_entry("Notes", "# Notes\n\nfirst\n\nlast\n");
    a.sync();
    b.sync();
    desk.edit("journal/notes.md", |text| Some(text.replace("first", "first, by the teacher")));
    desk.edit("journal/week4.md", |_| Some("# Week 4\n\nwritten on the host\n".to_owned()));
    desk.edit("README.md", |_| Some("# Mine\n".to_owned()));
    a.replace(&entry, "last", "last, mine");
    let done = a.journal.json(&["sync"]);
    assert_eq!(a.body(&entry), "# Notes\n\nfirst, by the teacher\n\nlast, mine\n");
    assert!(a.body("week-4").contains("written on the host"), "{done}");
    b.journal.json(&["sync"]);
    assert_equal(&a, &b);
    assert_eq!(desk.published("README.md"), "# Mine");
    // An entry.json that a merge by hand broke is written again.
    desk.edit("journal/assets/notes/entry.json", |text| Some(format!("<<<<<<<\n{text}")));
    let mended = a.journal.json(&["sync"]);
    assert_eq!(mended["pushed"], true, "{mended}");
    b.journal.json(&["sync"]);
    assert_equal(&a, &b);
    // A text that is removed there is in the bin here.
    desk.edit("journal/week4.md", |_| None);
    let gone = b.journal.json(&["sync"]);
    assert_eq!(gone["imported"]["entries"][0]["change"], "deleted", "{gone}");
}

#[test]
fn entries_and_pictures_of_the_same_name_stay_apart() {
    let desk = Desk::new();
    let (a, b) = (desk.machine("a"), desk.machine("b"));
    for (n, machine) in [(1, &a), (2, &b)] {
        machine.journal.json(&["entry", "new", "--week", "2"]);
        machine.add_picture("shot.png", n, "week-2");
    }
    a.sync();
    b.sync();
    a.sync();
    assert_equal(&a, &b);
    let listed = a.journal.json(&["entry", "list"]);
    let slugs: Vec<&str> = listed.as_array().expect("a list").iter().map(|row| text(row, "slug")).collect();
    assert_eq!(slugs, ["week-2", "week-2-2"]);
    // The same entry gets two pictures of one name.
    for (n, machine) in [(3, &a), (4, &b)] {
        machine.add_picture("other.png", n, "week-2");
    }
    a.sync();
    b.sync();
    a.sync();
    assert_equal(&a, &b);
    let tree = desk.git(&desk.path("remote.git"), &["ls-tree", "-r", "--name-only", "main"]);
    assert_eq!(tree.lines().filter(|line| line.ends_with(".png")).count(), 4, "{tree}");
}

#[test]
fn the_users_tree_is_not_touched() {
    let desk = Desk::new();
    let a = desk.machine("a");
    std::fs::create_dir_all(a.repo.join("docs/me")).expect("makes it");
    std::fs::write(a.repo.join("docs/me/mine.txt"), "mine").expect("writes");
    desk.git(&a.repo, &["add", "--all"]);
    desk.git(&a.repo, &["commit", "--quiet", "-m", "first"]);
    desk.git(&a.repo, &["push", "--quiet", "origin", "main"]);
    // Uncommitted work, and an index that another git holds.
    std::fs::write(a.repo.join("docs/me/mine.txt"), "changed").expect("writes");
    std::fs::write(a.repo.join(".git/index.lock"), "").expect("writes");
    a.new_entry("Notes", "# Notes\n\ntext\n");
    let before = a.state();
    let folder = a.repo.join("docs/me");
    let done = a.journal.json(&["sync", "--repo", &folder.to_string_lossy()]);
    assert_eq!((text(&done, "folder"), &done["pushed"]), ("docs/me", &true.into()), "{done}");
    assert_eq!(desk.published("docs/me/journal/notes.md"), "# Notes\n\ntext");
    assert_eq!(desk.published("docs/me/mine.txt"), "mine");
    let advice = done["warnings"].to_string();
    assert!(advice.contains("pull --ff-only origin main"), "{advice}");
    let mut after = a.state();
    // As after any push: where the remote's branch is.
    after.retain(|path, _| !path.contains("remotes/origin"));
    let mut expected = before;
    expected.retain(|path, _| !path.contains("remotes/origin"));
    assert_eq!(after, expected);
    std::fs::remove_file(a.repo.join(".git/index.lock")).expect("removes");

    let status = a.journal.json(&["sync", "status"]);
    assert_eq!((&status["configured"], text(&status, "folder")), (&true.into(), "docs/me"));
    assert_eq!(status["commit"], done["commit"]);
    a.replace("notes", "text", "other text");
    assert_eq!(a.journal.json(&["sync", "status"])["changed"][0]["entry"], "notes");
    let (_, said, _) = a.journal.run(&["sync", "status"]);
    assert!(said.contains("to publish: notes (Notes) edited"), "{said}");
    assert_eq!(a.journal.json(&["sync", "forget"]), true);
    assert_eq!(a.journal.json(&["sync", "status"])["configured"], false);
    let (code, said) = a.journal.json_code(&["sync"]);
    assert_eq!((code, text(&said["error"], "code")), (2, "usage"), "{said}");
}

#[test]
fn repositories_of_every_form_are_published_to() {
    let desk = Desk::new();
    let a = desk.machine("a");
    a.new_entry("Notes", "# Notes\n\ntext\n");
    // A branch that is neither here nor there, with a detached HEAD.
    std::fs::write(a.repo.join("x"), "x").expect("writes");
    desk.git(&a.repo, &["add", "x"]);
    desk.git(&a.repo, &["commit", "--quiet", "-m", "first"]);
    desk.git(&a.repo, &["push", "--quiet", "origin", "main"]);
    desk.git(&a.repo, &["checkout", "--quiet", "--detach"]);
    a.refused(&[], 2, &["no branch is checked out"]);
    let repo = a.repo.to_string_lossy().into_owned();
    let done = a.journal.json(&["sync", "--repo", &repo, "--branch", "journal"]);
    let commit = text(&done, "commit").to_owned();
    assert_eq!(desk.git(&desk.path("remote.git"), &["rev-list", "--count", "journal"]), "1");
    assert_eq!(desk.git(&desk.path("remote.git"), &["rev-parse", "journal"]), commit);
    assert_eq!(
        desk.git(&a.repo, &["branch", "--format=%(refname:short)"]).lines().filter(|l| *l == "journal").count(),
        0
    );

    // A bare repository, a shallow clone, a submodule, a linked tree, another object format.
    let remote = desk.path("remote.git");
    let url = format!("file://{}", remote.display());
    desk.git(desk.dir.path(), &["clone", "--quiet", "--bare", "remote.git", "bare.git"]);
    desk.git(desk.dir.path(), &["clone", "--quiet", "--depth", "1", &url, "shallow"]);
    desk.git(desk.dir.path(), &["init", "--quiet", "outer"]);
    desk.git(
        &desk.path("outer"),
        &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &remote.to_string_lossy(), "inner"],
    );
    desk.git(&a.repo, &["worktree", "add", "--quiet", "../linked", "main"]);
    for (n, name) in ["bare.git", "shallow", "outer/inner", "linked"].into_iter().enumerate() {
        a.replace("notes", "# Notes", &format!("# Notes\n\nadded {n}"));
        let done = a.journal.json(&["sync", "--repo", &desk.path(name).to_string_lossy(), "--branch", "main"]);
        assert_eq!(done["pushed"], true, "{name}: {done}");
        assert!(desk.published("journal/notes.md").contains(&format!("added {n}")), "{name}");
    }
    desk.git(desk.dir.path(), &["init", "--quiet", "--bare", "--object-format=sha256", "new.git"]);
    desk.git(desk.dir.path(), &["clone", "--quiet", "new.git", "new"]);
    let done = a.journal.json(&["sync", "--repo", &desk.path("new").to_string_lossy()]);
    assert_eq!(text(&done, "commit").len(), 64, "{done}");
    let again = a.journal.json(&["sync"]);
    assert_eq!(again["pushed"], false, "{again}");
    // The folder is a submodule, a link, or a file of the branch.
    desk.git(&desk.path("outer"), &["commit", "--quiet", "-m", "with a submodule"]);
    desk.git(&desk.path("outer"), &["remote", "add", "origin", &remote.to_string_lossy()]);
    desk.git(&desk.path("outer"), &["push", "--quiet", "origin", "HEAD:refs/heads/other"]);
    let inner = Machine {
        desk: &desk,
        journal: Journal { env: a.journal.env.clone(), ..Journal::new() },
        repo: desk.path("outer"),
    };
    inner.new_entry("X", "# X\n");
    inner.refused(&["--branch", "other", "--folder", "inner"], 4, &["inner", "submodule"]);
}

#[test]
fn each_refusal_is_explained_and_changes_nothing() {
    let desk = Desk::new();
    let a = desk.machine("a");
    a.new_entry("Notes", "# Notes\n\ntext\n");
    let elsewhere = desk.path("plain");
    std::fs::create_dir_all(&elsewhere).expect("makes it");
    a.refused(&["--repo", &elsewhere.to_string_lossy()], 2, &["not a git repository"]);
    a.refused(&["--repo", &desk.path("missing").to_string_lossy()], 2, &["there is no folder"]);
    a.refused(&["--repo", &a.repo.join(".git").to_string_lossy()], 2, &["inside of a repository"]);
    a.refused(&["--remote", "upstream"], 2, &["no remote \"upstream\"", "origin"]);
    a.refused(&["--branch", "a..b"], 2, &["not the name of a branch"]);
    a.refused(&["--branch", "-f"], 2, &[]);
    for folder in ["../x", "/etc", ".git/hooks", "a/../../b"] {
        a.refused(&["--folder", folder], 2, &["the folder"]);
    }
    // No git at all.
    let mut without = Journal { env: a.journal.env.clone(), ..Journal::new() };
    without.env.push(("PATH".to_owned(), elsewhere.display().to_string()));
    let (code, said) = without.json_code(&["sync", "--repo", &a.repo.to_string_lossy()]);
    assert_eq!((code, text(&said["error"], "message")), (5, "git was not found"), "{said}");

    a.sync();
    a.replace("notes", "text", "other text");
    // Hooks of both sides, with their output.
    a.hook("pre-commit", "echo 'no lines over 3 characters' >&2; exit 1");
    a.refused(&[], 4, &["commit hook", "no lines over 3 characters"]);
    a.hook("pre-commit", "exit 0");
    a.hook("commit-msg", "echo 'no ticket in the message'; exit 1");
    a.refused(&[], 4, &["commit hook", "no ticket in the message"]);
    a.hook("commit-msg", "exit 0");
    a.hook("pre-push", "echo 'tests are red' >&2; exit 1");
    a.refused(&[], 4, &["pre-push hook", "tests are red"]);
    a.hook("pre-push", "exit 0");
    desk.hook(&desk.path("remote.git"), "pre-receive", "echo 'main is protected'; exit 1");
    a.refused(&[], 4, &["refused the push to main", "main is protected"]);
    desk.hook(&desk.path("remote.git"), "pre-receive", "exit 0");
    // A lock in the remote.
    std::fs::write(desk.path("remote.git/refs/heads/main.lock"), "").expect("writes");
    a.refused(&[], 4, &["refused the push to main", "lock"]);
    std::fs::remove_file(desk.path("remote.git/refs/heads/main.lock")).expect("removes");
    // Signing, with a key that is not there.
    for (key, value) in [("commit.gpgSign", "true"), ("gpg.format", "ssh"), ("user.signingKey", "/nonexistent/key.pub")]
    {
        desk.git(&a.repo, &["config", key, value]);
    }
    a.refused(&[], 3, &["could not be signed"]);
    desk.git(&a.repo, &["config", "commit.gpgSign", "false"]);
    // Nobody to commit as.
    desk.git(&a.repo, &["config", "user.useConfigOnly", "true"]);
    let config = desk.path("gitconfig");
    let known = std::fs::read_to_string(&config).expect("reads");
    std::fs::write(&config, known.replace("email", "other")).expect("writes");
    a.refused(&[], 2, &["does not know who commits"]);
    std::fs::write(&config, known).expect("writes");
    // A remote that is gone, and one that wants a password, which is in no message.
    desk.git(&a.repo, &["remote", "set-url", "origin", &desk.path("gone.git").to_string_lossy()]);
    a.refused(&[], 3, &["could not be reached"]);
    desk.git(&a.repo, &["remote", "set-url", "origin", "ext::false"]);
    a.refused(&[], 4, &["could not fetch"]);
    let (listener, port) = refusing_server();
    desk.git(&a.repo, &["remote", "set-url", "origin", &format!("http://me:hunter2@127.0.0.1:{port}/x.git")]);
    let error = a.refused(&[], 3, &["rejects the credentials"]);
    assert!(!error.to_string().contains("hunter2"), "{error}");
    drop(listener);
    desk.git(&a.repo, &["remote", "set-url", "origin", &desk.path("remote.git").to_string_lossy()]);
    // A file that is not ours has the name; what the repository ignores.
    desk.edit("journal/assets/shots.md/x", |_| Some("x".to_owned()));
    a.new_entry("Ignored", "# Ignored\n\ntext\n");
    desk.edit(".gitignore", |_| Some("ignored.md\n".to_owned()));
    a.refused(&[], 4, &["ignores", "ignored.md"]);
    desk.edit(".gitignore", |_| Some("x\n".to_owned()));
    // A credential in a text.
    a.new_entry("Leak", &format!("# Leak\n\nghp_{}\n", "a1B2c3".repeat(6)));
    a.refused(&[], 4, &["leak found", "leak.md"]);
    a.journal.json(&["entry", "delete", "leak"]);
    // The journal is a link in the branch.
    let done = a.journal.json(&["sync"]);
    assert_eq!(done["pushed"], true, "{done}");
    let clone = desk.path("linker");
    desk.git(desk.dir.path(), &["clone", "--quiet", "remote.git", "linker"]);
    std::os::unix::fs::symlink("/etc", clone.join("out")).expect("links");
    desk.git(&clone, &["add", "out"]);
    desk.git(&clone, &["commit", "--quiet", "-m", "a link"]);
    desk.git(&clone, &["push", "--quiet", "origin", "HEAD:main"]);
    a.refused(&["--folder", "out"], 4, &["out", "symbolic link"]);
    a.refused(&["--folder", "README.md/x"], 4, &[]).to_string();
}

#[test]
fn agents_and_helpers_of_the_user_are_asked() {
    let desk = Desk::new();
    let mut a = desk.machine("a");
    a.new_entry("Notes", "# Notes\n\ntext\n");
    // In the place of ssh, a program that only works with the user's agent.
    let ssh = desk.path("ssh");
    let script = "#!/bin/sh\n[ \"$SSH_AUTH_SOCK\" = /the/agent ] || { echo 'Permission denied (publickey).' >&2; exit 255; }\n\
                  for last; do :; done\nexec sh -c \"$last\"\n";
    std::fs::write(&ssh, script).expect("writes");
    std::fs::set_permissions(&ssh, PermissionsExt::from_mode(0o755)).expect("sets");
    desk.git(&a.repo, &["config", "core.sshCommand", &ssh.to_string_lossy()]);
    let url = format!("ssh://host{}", desk.path("remote.git").display());
    desk.git(&a.repo, &["remote", "set-url", "origin", &url]);
    a.journal.env.push(("SSH_AUTH_SOCK".to_owned(), String::new()));
    a.refused(&[], 3, &["rejects the credentials", "publickey"]);
    a.journal.env.push(("SSH_AUTH_SOCK".to_owned(), "/the/agent".to_owned()));
    assert_eq!(a.sync()["pushed"], true);
    // A credential helper of the user's configuration.
    let asked = desk.path("asked");
    let helper = format!("!f() {{ touch {}; echo username=me; echo password=hunter2; }}; f", asked.display());
    desk.git(&a.repo, &["config", "credential.helper", &helper]);
    let (listener, port) = refusing_server();
    desk.git(&a.repo, &["remote", "set-url", "origin", &format!("http://127.0.0.1:{port}/x.git")]);
    let error = a.refused(&[], 3, &["rejects the credentials"]);
    assert!(asked.exists() && !error.to_string().contains("hunter2"), "{error}");
    drop(listener);
    // Signed, as the repository says.
    desk.git(&a.repo, &["remote", "set-url", "origin", &url]);
    let key = desk.path("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    assert!(made.expect("OpenSSH is there: scripts/setup.sh test").success());
    for (name, value) in
        [("commit.gpgSign", "true"), ("gpg.format", "ssh"), ("user.signingKey", &key.to_string_lossy())]
    {
        desk.git(&a.repo, &["config", name, value]);
    }
    a.replace("notes", "text", "signed text");
    assert_eq!(a.sync()["pushed"], true);
    let commit = desk.git(&desk.path("remote.git"), &["cat-file", "commit", "main"]);
    assert!(commit.contains("BEGIN SSH SIGNATURE"), "{commit}");
    // A repository that cannot be written.
    a.replace("notes", "signed text", "other text");
    std::fs::write(a.repo.join(".git/worktrees"), "").expect("writes");
    a.refused(&[], 5, &["cannot write"]);
}

#[test]
fn what_is_not_shown_any_more_is_not_published_any_more() {
    let desk = Desk::new();
    let (a, b) = (desk.machine("a"), desk.machine("b"));
    let entry = a.new_entry("Notes", "# Notes\n\ntext\n");
    let (code, _, said) = a.journal.run_with(&["capture", "console", "--file", "-", "--into", &entry], b"a line\n");
    assert_eq!(code, 0, "{said}");
    let picture = a.journal.dir.path().join("shot.png");
    std::fs::write(&picture, png(1)).expect("writes");
    a.journal.json(&["attachment", "add", &picture.to_string_lossy(), "--into", &entry]);
    a.sync();
    b.sync();
    assert_equal(&a, &b);
    let tree = || desk.git(&desk.path("remote.git"), &["ls-tree", "-r", "--name-only", "main"]);
    assert!(tree().contains(".svg") && tree().contains("shot.png"), "{}", tree());
    b.set(&entry, "# Notes\n\ntext\n\n![](assets/notes/shot.png)\n");
    b.sync();
    assert!(!tree().contains(".svg") && tree().contains("shot.png"), "{}", tree());
    a.sync();
    assert_equal(&a, &b);
    a.journal.json(&["entry", "delete", &entry]);
    a.sync();
    assert_eq!(tree(), "journal/.gitattributes\njournal/tracebook.jsonl");
    a.journal.json(&["entry", "restore", &entry]);
    a.sync();
    b.sync();
    assert!(tree().contains("shot.png"), "{}", tree());
    assert_equal(&a, &b);
}

#[test]
fn a_branch_that_is_gone_or_rewritten_takes_nothing_away() {
    let desk = Desk::new();
    let (a, b) = (desk.machine("a"), desk.machine("b"));
    a.new_entry("Notes", "# Notes\n\ntext\n");
    a.sync();
    b.sync();
    let old = desk.git(&desk.path("remote.git"), &["rev-parse", "main"]);
    a.replace("notes", "text", "newer text");
    a.journal.json(&["sync"]);
    desk.git(&desk.path("remote.git"), &["update-ref", "refs/heads/main", &old]);
    let done = a.journal.json(&["sync"]);
    assert!(done["warnings"].to_string().contains("rewritten"), "{done}");
    assert!(a.body("notes").contains("newer text"), "an older branch does not undo");
    assert_eq!(done["pushed"], true);
    b.journal.json(&["sync"]);
    assert_equal(&a, &b);
    desk.git(&desk.path("remote.git"), &["update-ref", "-d", "refs/heads/main"]);
    a.refused(&[], 4, &["no longer on origin"]);
    a.journal.json(&["sync", "forget"]);
    assert_eq!(a.sync()["pushed"], true);
    desk.edit("other", |_| Some("x".to_owned()));
    let clone = desk.path("remover");
    desk.git(desk.dir.path(), &["clone", "--quiet", "remote.git", "remover"]);
    desk.git(&clone, &["rm", "-r", "--quiet", "journal"]);
    desk.git(&clone, &["commit", "--quiet", "-m", "gone"]);
    desk.git(&clone, &["push", "--quiet", "origin", "HEAD:main"]);
    a.refused(&[], 4, &["no longer has the journal"]);
}

/// A server that wants a password and accepts none.
fn refusing_server() -> (std::thread::JoinHandle<()>, u16) {
    use std::io::{BufRead as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("an address").port();
    let serve = move || {
        // Git asks once without the password and once with it.
        for _ in 0..2 {
            let Ok((mut socket, _)) = listener.accept() else { return };
            let head = std::io::BufReader::new(&socket).lines().map_while(Result::ok);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            socket.write_all(answer.as_bytes()).ok();
        }
    };
    (std::thread::spawn(serve), port)
}
