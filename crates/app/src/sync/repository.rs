//! A repository of the user's, and a working tree of our own beside it.
//!
//! The tree is a linked one (`git worktree`) below the data directory, on a detached HEAD, so that commits run with the
//! repository's configuration, hooks and signing, and neither the user's tree nor index nor branches are touched. It
//! is removed at the end, and after a crash at the beginning of the next time.

use std::path::{Path, PathBuf};

use tracebook_core::time::Nanos;
use tracebook_store::sync::SyncPlace;

use super::git::{Git, Ran};
use super::said::{Pushed, Step, failed, pushed};
use crate::ground::error::{Code, Error};
use crate::ground::files::cannot_write;
use crate::ground::tasks::blocking;

/// What was fetched, and a first commit of a branch that is being made: refs of our tree alone.
const TIP: &str = "refs/worktree/tracebook/tip";
const FIRST: &str = "refs/worktree/tracebook/first";
/// The hooks that a commit runs.
const COMMIT_HOOKS: [&str; 4] = ["pre-commit", "prepare-commit-msg", "commit-msg", "pre-merge-commit"];

/// What the user named; what is missing comes from the last time or from the repository.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) remote: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) folder: Option<String>,
}

/// Runs a command that must succeed.
async fn must(git: &Git<'_>, args: &[&str]) -> Result<Ran, Error> {
    let ran = git.run(args).await?;
    if ran.ok { Ok(ran) } else { Err(failed(Step::Local, &ran)) }
}

/// Finds the repository of a folder, and where to publish in it.
pub(super) async fn place(git: &Git<'_>, wanted: Wanted) -> Result<SyncPlace, Error> {
    if !git.dir.is_dir() {
        let hint = "Name the folder of a git repository: --repo DIR";
        return Err(Error::usage(format!("there is no folder {}", git.dir.display()), hint));
    }
    let bare = must(git, &["rev-parse", "--is-bare-repository"]).await?.line() == "true";
    let inside = !bare && must(git, &["rev-parse", "--is-inside-work-tree"]).await?.line() == "true";
    if !bare && !inside {
        return Err(Error::usage(
            format!("{} is the inside of a repository", git.dir.display()),
            "Name the folder that has the .git folder",
        ));
    }
    let root = match bare {
        true => must(git, &["rev-parse", "--absolute-git-dir"]).await?.line(),
        false => must(git, &["rev-parse", "--show-toplevel"]).await?.line(),
    };
    let prefix = if bare { String::new() } else { must(git, &["rev-parse", "--show-prefix"]).await?.line() };
    let folder = folder(wanted.folder.as_deref().unwrap_or(&prefix))?;
    let branch = match wanted.branch {
        Some(branch) => branch,
        None => {
            let head = git.run(&["symbolic-ref", "--short", "--quiet", "HEAD"]).await?;
            if !head.ok {
                return Err(Error::usage("no branch is checked out in the repository", "Name one: --branch NAME"));
            }
            head.line()
        }
    };
    let valid = git.run(&["check-ref-format", &format!("refs/heads/{branch}")]).await?.ok;
    if !valid || branch.starts_with('-') {
        return Err(Error::usage(format!("{branch:?} is not the name of a branch"), "Name one: --branch main"));
    }
    let remotes = must(git, &["remote"]).await?;
    let remotes: Vec<String> = String::from_utf8_lossy(&remotes.out).lines().map(str::to_owned).collect();
    let configured = git.run(&["config", "--get", &format!("branch.{branch}.remote")]).await?;
    let usual = [configured.line(), "origin".to_owned()].into_iter().find(|name| remotes.contains(name));
    let only = remotes.first().filter(|_| remotes.len() == 1).cloned();
    let Some(remote) = wanted.remote.or(usual).or(only) else {
        let hint = "Add one: git remote add origin URL. Or name one of several: --remote NAME";
        return Err(Error::usage("the repository has no remote to publish to", hint));
    };
    if !remotes.contains(&remote) {
        let there =
            if remotes.is_empty() { "it has none".to_owned() } else { format!("it has {}", remotes.join(", ")) };
        return Err(Error::usage(
            format!("the repository has no remote {remote:?}; {there}"),
            "Name one of them (--remote NAME), or add it: git remote add NAME URL",
        ));
    }
    Ok(SyncPlace { repo: root, remote, branch, folder })
}

/// A folder relative to the root, separated by `/`; empty for the root.
fn folder(text: &str) -> Result<String, Error> {
    let refused = |why: &str| {
        Error::usage(
            format!("the folder {text:?} {why}"),
            "Name one relative to the root of the repository: --folder docs/me",
        )
    };
    let slashes = text.replace('\\', "/");
    if slashes.starts_with('/') || Path::new(&slashes).is_absolute() {
        return Err(refused("is not relative to the root of the repository"));
    }
    let parts: Vec<&str> = slashes.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err(refused("leaves the repository"));
    }
    if parts.iter().any(|part| part.eq_ignore_ascii_case(".git")) {
        return Err(refused("is git's own"));
    }
    if slashes.chars().any(char::is_control) {
        return Err(refused("has characters that cannot be shown"));
    }
    Ok(parts.join("/"))
}

/// A working tree of our own.
pub(super) struct Tree<'a> {
    /// In the user's repository.
    repository: Git<'a>,
    /// In our tree.
    git: Git<'a>,
    path: PathBuf,
    place: SyncPlace,
}

impl<'a> Tree<'a> {
    /// Makes the tree at `path`, where one of a run that was killed may still be.
    pub(super) async fn make(repository: Git<'a>, path: &Path, place: &SyncPlace) -> Result<Self, Error> {
        discard(path).await?;
        let hooks = repository.run(&["config", "--type=path", "--get", "core.hooksPath"]).await?.line();
        let hooks = (!hooks.is_empty() && Path::new(&hooks).is_relative()).then(|| Path::new(&place.repo).join(hooks));
        let repository = Git { hooks, ..repository };
        let git = repository.at(path);
        // A tree must be on a commit, and the repository may have none: this one is empty, and always the same.
        let tree = repository.run_with(&["mktree"], &[], Some(Vec::new())).await?;
        if !tree.ok {
            return Err(failed(Step::Local, &tree));
        }
        let env = [
            ("GIT_AUTHOR_NAME", "Tracebook"),
            ("GIT_AUTHOR_EMAIL", "tracebook@localhost"),
            ("GIT_AUTHOR_DATE", "1000000000 +0000"),
            ("GIT_COMMITTER_NAME", "Tracebook"),
            ("GIT_COMMITTER_EMAIL", "tracebook@localhost"),
            ("GIT_COMMITTER_DATE", "1000000000 +0000"),
        ];
        let args = ["-c", "i18n.commitEncoding=UTF-8", "commit-tree", "--no-gpg-sign", &tree.line(), "-m", "Empty"];
        let empty = repository.run_with(&args, &env, None).await?;
        if !empty.ok {
            return Err(failed(Step::Local, &empty));
        }
        let Some(shown) = path.to_str() else {
            return Err(Error::usage("the path of the data directory is not UTF-8", "Move it: --data DIR"));
        };
        let args =
            ["worktree", "add", "--force", "--force", "--detach", "--no-checkout", "--quiet", shown, &empty.line()];
        let made = repository.run(&args).await?;
        if !made.ok {
            return Err(failed(Step::Local, &made));
        }
        Ok(Self { repository, git, path: path.to_owned(), place: place.clone() })
    }

    /// Removes the tree from the disk and from the repository.
    pub(super) async fn remove(self) {
        let path = self.path.to_string_lossy().into_owned();
        let repository = Git { call: None, ..self.repository.at(&self.repository.dir) };
        let removed = repository.run(&["worktree", "remove", "--force", "--force", &path]).await;
        // What cannot be removed now is removed the next time.
        if !removed.is_ok_and(|ran| ran.ok) {
            discard(&self.path).await.ok();
        }
    }

    /// The root of the tree.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that is published, in the tree.
    pub(super) fn folder(&self) -> PathBuf {
        match self.place.folder.as_str() {
            "" => self.path.clone(),
            folder => self.path.join(folder),
        }
    }

    /// Fetches the branch; its commit, or nothing if the remote does not have it.
    pub(super) async fn fetch(&self) -> Result<Option<String>, Error> {
        let refspec = format!("+refs/heads/{}:{TIP}", self.place.branch);
        let args = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--refmap=",
            "--",
            &self.place.remote,
            &refspec,
        ];
        let ran = self.git.run(&args).await?;
        if !ran.ok {
            if ran.err.contains("couldn't find remote ref") {
                return Ok(None);
            }
            return Err(failed(Step::Fetch, &ran));
        }
        Ok(Some(must(&self.git, &["rev-parse", "--verify", TIP]).await?.line()))
    }

    /// The commit of the user's branch of that name, if there is one.
    pub(super) async fn local(&self) -> Result<Option<String>, Error> {
        let name = format!("refs/heads/{}^{{commit}}", self.place.branch);
        let ran = self.repository.run(&["rev-parse", "--verify", "--quiet", &name]).await?;
        Ok(ran.ok.then(|| ran.line()))
    }

    /// Whether a commit is part of what another one follows; nothing if the repository does not know.
    pub(super) async fn follows(&self, later: &str, earlier: &str) -> Result<Option<bool>, Error> {
        let known = self.git.run(&["cat-file", "-e", &format!("{earlier}^{{commit}}")]).await?.ok;
        let shallow = self.git.run(&["rev-parse", "--is-shallow-repository"]).await?.line() == "true";
        if !known {
            return Ok(if shallow { None } else { Some(false) });
        }
        let ran = self.git.run(&["merge-base", "--is-ancestor", earlier, later]).await?;
        Ok(if !ran.ok && shallow { None } else { Some(ran.ok) })
    }

    /// Refuses a folder that is no folder in a commit.
    pub(super) async fn check_folder(&self, commit: &str) -> Result<(), Error> {
        let mut path = String::new();
        for part in self.place.folder.split('/').filter(|part| !part.is_empty()).chain(["journal"]) {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
            let ran = must(&self.git, &["ls-tree", "-z", "--full-tree", commit, "--", &path]).await?;
            let line = String::from_utf8_lossy(&ran.out).into_owned();
            let what = match line.split(' ').next().unwrap_or_default() {
                "" => return Ok(()),
                "040000" => continue,
                "160000" => "a submodule: name its own folder as --repo",
                "120000" => "a symbolic link, and none is followed",
                _ => "a file",
            };
            return Err(Error::new(
                Code::Refused,
                format!("{path} in the branch {} is {what}", self.place.branch),
                "Publish to another folder (--folder PATH), or change that in the repository",
            ));
        }
        Ok(())
    }

    /// Puts a commit into the tree; without one, a branch that begins with the next commit.
    pub(super) async fn check_out(&self, commit: Option<&str>) -> Result<(), Error> {
        match commit {
            Some(commit) => {
                must(&self.git, &["update-ref", "--no-deref", "HEAD", commit]).await?;
                must(&self.git, &["reset", "--hard", "--quiet", "--no-recurse-submodules", commit]).await?;
            }
            None => {
                must(&self.git, &["read-tree", "--empty"]).await?;
                must(&self.git, &["update-ref", "-d", FIRST]).await?;
                must(&self.git, &["symbolic-ref", "HEAD", FIRST]).await?;
            }
        }
        Ok(())
    }

    /// When the last change of a file below the folder was committed.
    pub(super) async fn age(&self, path: &str) -> Result<Nanos, Error> {
        let path = self.below(path);
        let args =
            ["--literal-pathspecs", "log", "--no-show-signature", "-1", "--format=%ct", "HEAD", "--", path.as_str()];
        let ran = must(&self.git, &args).await?;
        let seconds: i64 =
            ran.line().parse().map_err(|_| Error::internal(format!("git log printed no time for {path}")))?;
        Ok(Nanos(seconds.saturating_mul(1_000_000_000)))
    }

    fn below(&self, path: &str) -> String {
        match self.place.folder.as_str() {
            "" => path.to_owned(),
            folder => format!("{folder}/{path}"),
        }
    }

    /// Stages files below the folder; whether anything differs from the branch.
    pub(super) async fn stage(&self, paths: &[String]) -> Result<bool, Error> {
        if paths.is_empty() {
            return Ok(false);
        }
        let mut list = Vec::new();
        for path in paths {
            list.extend_from_slice(self.below(path).as_bytes());
            list.push(0);
        }
        let args = ["--literal-pathspecs", "add", "--all", "--pathspec-from-file=-", "--pathspec-file-nul"];
        let ran = self.git.run_with(&args, &[], Some(list)).await?;
        if !ran.ok {
            if ran.err.contains("ignored by one of your .gitignore") {
                return Err(Error::new(
                    Code::Refused,
                    format!("the repository ignores what would be published:\n{}", super::said::shown(&ran.err)),
                    "Change its .gitignore (`git check-ignore -v PATH` names the line), or publish to another folder",
                ));
            }
            return Err(failed(Step::Local, &ran));
        }
        let head = self.git.run(&["rev-parse", "--verify", "--quiet", "HEAD"]).await?.ok;
        if !head {
            return Ok(true);
        }
        Ok(!self.git.run(&["diff", "--cached", "--quiet", "--no-ext-diff", "--ignore-submodules", "HEAD"]).await?.ok)
    }

    /// Commits what is staged, with hooks and signing.
    pub(super) async fn commit(&self, message: &str) -> Result<String, Error> {
        let input = Some(message.as_bytes().to_vec());
        let ran = self.git.run_with(&["commit", "--quiet", "--cleanup=whitespace", "--file=-"], &[], input).await?;
        if !ran.ok {
            let error = failed(Step::Commit, &ran);
            if error.code == Code::Refused && self.has_hook().await? {
                let output = format!("{}\n{}", String::from_utf8_lossy(&ran.out), ran.err);
                return Err(Error::new(
                    Code::Refused,
                    format!("a commit hook of the repository refused:\n{}", super::said::shown(&output)),
                    "Do what the hook wants, and run sync again; hooks are never skipped",
                ));
            }
            return Err(error);
        }
        Ok(must(&self.git, &["rev-parse", "--verify", "HEAD"]).await?.line())
    }

    async fn has_hook(&self) -> Result<bool, Error> {
        let hooks = must(&self.git, &["rev-parse", "--git-path", "hooks"]).await?.line();
        let hooks = self.path.join(hooks);
        Ok(COMMIT_HOOKS.iter().any(|name| hooks.join(name).exists()))
    }

    /// Pushes a commit to the branch, never by force.
    pub(super) async fn push(&self, commit: &str) -> Result<Pushed, Error> {
        let refspec = format!("{commit}:refs/heads/{}", self.place.branch);
        let args =
            ["push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no", "--", &self.place.remote, &refspec];
        let ran = self.git.run(&args).await?;
        Ok(pushed(&ran, &self.place.branch))
    }

    /// What the user has to know about the local branch of that name, which is not touched.
    pub(super) async fn local_advice(&self, commit: &str) -> Result<Option<String>, Error> {
        let Some(local) = self.local().await? else { return Ok(None) };
        if local == commit {
            return Ok(None);
        }
        let SyncPlace { remote, branch, .. } = &self.place;
        let [repo, of, target] = [&self.place.repo, remote, branch].map(|word| quoted(word));
        let ahead = self.git.run(&["merge-base", "--is-ancestor", commit, &local]).await?.ok;
        let behind = self.git.run(&["merge-base", "--is-ancestor", &local, commit]).await?.ok;
        let head = self.repository.run(&["symbolic-ref", "--short", "--quiet", "HEAD"]).await?.line();
        Ok(match (ahead, behind) {
            (true, _) => None,
            (false, true) if head == *branch => Some(format!(
                "your local branch {branch} is behind; to bring it up to date: git -C {repo} pull --ff-only {of} {target}"
            )),
            (false, true) => Some(format!(
                "your local branch {branch} is behind; to bring it up to date: git -C {repo} fetch {of} {target}:{target}"
            )),
            (false, false) => Some(format!(
                "your local branch {branch} has commits that {remote} does not have; `git pull` puts them together"
            )),
        })
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@:".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Removes what is at the path of a tree.
async fn discard(path: &Path) -> Result<(), Error> {
    let path = path.to_owned();
    blocking(move || match std::fs::remove_dir_all(&path) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(cannot_write(&path, &e)),
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stays_in_the_repository() {
        for (text, wanted) in
            [("", ""), (".", ""), ("docs/me/", "docs/me"), ("./a//b", "a/b"), ("a\\b", "a/b"), ("-x", "-x")]
        {
            assert_eq!(folder(text).expect("a folder"), wanted, "{text:?}");
        }
        for text in ["..", "a/../..", "/etc", "\\etc", ".git", "a/.GIT/b", "a\nb", "a/.."] {
            assert_eq!(folder(text).expect_err("no folder").code, Code::Usage, "{text:?}");
        }
    }
}
