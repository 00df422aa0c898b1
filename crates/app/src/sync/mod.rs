//! Publishing to a branch and folder of a git repository of the user's, and taking over what others changed there.
//!
//! A round is: fetch, take over entry by entry, export what changed here, commit, push. If somebody else pushed
//! meanwhile, there is another round. Git runs in the process that was asked (each command line opens the journal
//! itself), so that environment, SSH agent and terminal are those of the user who asked.

mod git;
mod message;
mod repository;
mod said;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tracebook_core::entry::Entry;
use tracebook_core::ids::Id;
use tracebook_store::sync::{SyncEntry, SyncPlace, SyncState};

use self::git::Git;
use self::repository::{Tree, Wanted};
use self::said::Pushed;
use crate::ground::error::{Code, Error};
use crate::ground::files::{lock_file, make_private_dir, typed_path};
use crate::ground::runtime::{Call, Runtime};
use crate::ground::schema::{
    Caller, SyncChange, SyncConflict, SyncConflictKind, SyncRun as Request, SyncStatus, Synced, SyncedEntry,
};
use crate::journal::Journal;
use crate::transfer::Transfer;
use crate::transfer::shared::{SharedFolder, Taken};

/// How often it begins again because somebody else pushed meanwhile.
const MOST_ROUNDS: usize = 5;

/// Publishes by git. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Syncing {
    /// Where our tree is while it runs.
    dir: PathBuf,
    journal: Journal,
    transfer: Transfer,
    runtime: Runtime,
}

/// An entry that this journal would publish.
struct Changed {
    entry: Entry,
    change: SyncChange,
}

/// What this journal would publish.
#[derive(Default)]
struct Changes {
    entries: Vec<Changed>,
    gone: Vec<SyncEntry>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.gone.is_empty()
    }
}

/// How a round ended.
enum Round {
    Ended,
    /// The branch was at `tip`, and refused the push, because somebody else pushed meanwhile or for another reason.
    Moved {
        tip: Option<String>,
        why: Error,
    },
}

/// What stays the same in all rounds.
struct Session<'a> {
    tree: &'a Tree<'a>,
    place: &'a SyncPlace,
    request: &'a Request,
    call: &'a Call,
    caller: &'a Caller,
}

impl Syncing {
    pub(crate) fn new(data_dir: &Path, journal: &Journal, transfer: &Transfer, runtime: &Runtime) -> Self {
        let (journal, transfer, runtime) = (journal.clone(), transfer.clone(), runtime.clone());
        Self { dir: data_dir.join("sync"), journal, transfer, runtime }
    }

    /// Publishes the journal, and takes over what others changed.
    pub(crate) async fn sync(&self, request: Request, caller: &Caller) -> Result<Synced, Error> {
        let call = self.runtime.begin(caller);
        call.progress(0, 0, "Looking at the repository")?;
        let state = self.journal.store.sync_state().await?;
        let place = place(&request, state.as_ref(), &call).await?;
        make_private_dir(&self.dir)?;
        let lock = lock_file(&self.dir.join("lock"))?;
        if lock.try_lock().is_err() {
            return Err(Error::new(
                Code::Storage,
                "this journal is being synced by another process",
                "Wait until it has ended",
            ));
        }
        let repository =
            Git { dir: PathBuf::from(&place.repo), prompt: request.prompt, call: Some(&call), hooks: None };
        let dir = self.dir.canonicalize().map_err(|e| crate::ground::files::cannot_write(&self.dir, &e))?;
        let tree = Tree::make(repository, &dir.join("tree"), &place).await?;
        let session = Session { tree: &tree, place: &place, request: &request, call: &call, caller };
        let done = self.rounds(&session).await;
        tree.remove().await;
        drop(lock);
        let done = done?;
        let (imported, exported) = (done.imported.entries.len(), done.exported.entries.len());
        tracing::info!(imported, exported, conflicts = done.conflicts.len(), pushed = done.pushed, "synced");
        Ok(done)
    }

    async fn rounds(&self, session: &Session<'_>) -> Result<Synced, Error> {
        let SyncPlace { repo, remote, branch, folder } = session.place.clone();
        let mut done = Synced { repo, remote, branch, folder, dry_run: session.request.dry_run, ..Synced::default() };
        let mut taken = Taken::default();
        let mut before = None;
        for _ in 0..MOST_ROUNDS {
            match self.round(session, &mut taken, &mut done).await {
                Ok(Round::Ended) => {}
                Ok(Round::Moved { tip, why }) if before.as_ref() == Some(&tip) => {
                    return Err(with_conflicts(why, &taken));
                }
                Ok(Round::Moved { tip, .. }) => {
                    before = Some(tip);
                    continue;
                }
                Err(error) => return Err(with_conflicts(error, &taken)),
            }
            let Taken { entries, files, merged, conflicts } = taken;
            done.imported.entries = entries;
            done.imported.evidence = files.evidence;
            done.imported.attachments = files.attachments;
            done.warnings.splice(0..0, files.warnings);
            done.merged = merged;
            done.conflicts = conflicts;
            if let Some(commit) = &done.commit {
                // What was published stays, whether there is advice or not.
                done.warnings.extend(session.tree.local_advice(commit).await.ok().flatten());
            }
            return Ok(done);
        }
        let error = Error::new(
            Code::Storage,
            format!("others pushed to {} again and again meanwhile", session.place.branch),
            "What they changed is in the journal. Run sync again",
        );
        Err(with_conflicts(error, &taken))
    }

    /// One round.
    async fn round(&self, session: &Session<'_>, taken: &mut Taken, done: &mut Synced) -> Result<Round, Error> {
        let Session { tree, place, request, call, .. } = session;
        let (store, dry) = (&self.journal.store, request.dry_run);
        call.progress(0, 4, format!("Fetching {} from {}", place.branch, place.remote))?;
        let tip = tree.fetch().await?;
        let state = match store.sync_state().await? {
            Some(state) if state.place == **place => Some(state),
            // The clone was moved, or the remote renamed.
            Some(state) if is_same_branch(tree, place, &state, tip.as_deref()).await? => {
                if !dry {
                    store.move_sync_place(&place.repo, &place.remote).await?;
                }
                Some(state)
            }
            Some(_) | None => None,
        };
        let is_new = state.is_none();
        let mut known = if state.is_some() { store.sync_entries().await? } else { BTreeMap::new() };
        let agreed = state.as_ref().and_then(|state| state.agreed.clone());
        let agreed = self.settle_pending(session, state, tip.as_deref(), agreed, &mut known).await?;
        match (&tip, &agreed) {
            (None, Some(_)) => {
                return Err(Error::new(
                    Code::Refused,
                    format!("the branch {} is no longer on {}", place.branch, place.remote),
                    "To publish the journal there again: tracebook sync forget, then sync with --repo",
                ));
            }
            (Some(tip), Some(agreed)) if tree.follows(tip, agreed).await? == Some(false) => {
                done.warnings.push(format!(
                    "the history of {} was rewritten; where it differs from this journal, both texts are kept",
                    place.branch
                ));
                known.clear();
                if !dry {
                    store.disagree(tip).await?;
                }
            }
            _ => {}
        }
        if tip.is_some() && tip == agreed && !known.is_empty() && self.changes(&known).await?.is_empty() {
            done.commit.clone_from(&tip);
            if !dry {
                store.agreed_at(tip.as_deref(), self.runtime.now()).await?;
            }
            return Ok(Round::Ended);
        }
        let start = match &tip {
            Some(tip) => Some(tip.clone()),
            None => tree.local().await?,
        };
        if let Some(start) = &start {
            tree.check_folder(start).await?;
            if tip.is_none() {
                done.warnings.push(format!(
                    "{} does not have the branch {} yet: all commits of your local one are pushed with it",
                    place.remote, place.branch
                ));
            }
        }
        tree.check_out(start.as_deref()).await?;
        call.progress(1, 4, "Reading the branch")?;
        let mut folder = SharedFolder::read(&tree.folder(), &known).await?;
        if !known.is_empty() && !folder.is_journal && folder.entries.is_empty() {
            return Err(Error::new(
                Code::Refused,
                format!("the branch {} no longer has the journal in {}", place.branch, shown(&place.folder)),
                "To publish it there again: tracebook sync forget, then sync with --repo",
            ));
        }
        let mut ages = BTreeMap::new();
        for stem in &folder.foreign {
            ages.insert(stem.clone(), tree.age(&format!("journal/{stem}.md")).await?);
        }
        folder.adopt(&ages);
        if is_new && !dry {
            store.set_sync_place(place).await?;
        }
        taken.files.warnings.extend(std::mem::take(&mut folder.warnings));
        self.take_over(session, &folder, &known, taken).await?;
        if !dry {
            known = store.sync_entries().await?;
        }
        let mut changes = self.changes(&known).await?;
        for changed in &mut changes.entries {
            let there = folder.entries.contains_key(&changed.entry.row.id);
            changed.change = if there { SyncChange::Edited } else { changed.change };
        }
        done.exported.entries = described(&changes);
        if changes.is_empty() || dry {
            done.commit = tip.clone().filter(|_| !dry);
            if dry && !changes.is_empty() {
                let stems = self.journal.stems().await?;
                done.message = message(&changes, &BTreeMap::new(), &stems, 0);
                let paths = changes.entries.iter().filter_map(|changed| stems.get(&changed.entry.row.id));
                done.exported.written = paths.map(|stem| format!("journal/{stem}.md")).collect();
                done.exported.removed = changes.gone.iter().map(|base| format!("journal/{}.md", base.file)).collect();
            }
            if !dry {
                if let (None, Some(start)) = (&tip, &start) {
                    return self.push(session, start, String::new(), (&[], &[]), (tip, done)).await;
                }
                store.agreed_at(tip.as_deref(), self.runtime.now()).await?;
            }
            return Ok(Round::Ended);
        }
        self.publish(session, &folder, (&changes, tip, start), done).await
    }

    /// A commit that was about to be pushed when the program ended may have arrived.
    async fn settle_pending(
        &self,
        session: &Session<'_>,
        state: Option<SyncState>,
        tip: Option<&str>,
        agreed: Option<String>,
        known: &mut BTreeMap<Id, SyncEntry>,
    ) -> Result<Option<String>, Error> {
        let Some(pending) = state.and_then(|state| state.pending) else { return Ok(agreed) };
        let arrived = match tip {
            Some(tip) => session.tree.follows(tip, &pending).await? == Some(true),
            None => false,
        };
        if session.request.dry_run {
            return Ok(agreed);
        }
        self.journal.store.pushed(arrived, self.runtime.now()).await?;
        *known = self.journal.store.sync_entries().await?;
        Ok(if arrived { Some(pending) } else { agreed })
    }

    /// Takes over what the branch has.
    async fn take_over(
        &self,
        session: &Session<'_>,
        folder: &SharedFolder,
        known: &BTreeMap<Id, SyncEntry>,
        taken: &mut Taken,
    ) -> Result<(), Error> {
        let (store, dry, caller) = (&self.journal.store, session.request.dry_run, session.caller);
        let changed: Vec<_> = folder
            .entries
            .values()
            .filter(|entry| known.get(&entry.id).is_none_or(|base| base.print != entry.print))
            .collect();
        let of = changed.len();
        for (n, entry) in changed.into_iter().enumerate() {
            session.call.progress(n, of, format!("Taking over {}.md", entry.stem))?;
            let base = known.get(&entry.id);
            self.transfer.take_over(folder, entry, base, (session.call, caller, dry), taken).await?;
        }
        for base in known.values().filter(|base| !folder.entries.contains_key(&base.entry)) {
            let id = base.entry;
            if let Some(local) = self.live(id).await? {
                let (entry, title) = (local.row.slug.clone(), local.row.title.clone());
                if self.transfer.shared_inputs(&local).await? == base.inputs {
                    if !dry {
                        store.keep_revision(id, "sync", self.runtime.now(), &caller.client).await?;
                        store.bin_entry(id, Some(self.runtime.now()), &caller.client).await?;
                    }
                    taken.files.warnings.push(format!(
                        "{entry} was deleted in the branch and is in the bin now (`entry restore {entry}` publishes it again)"
                    ));
                    taken.entries.push(SyncedEntry { id, entry, title, change: SyncChange::Deleted });
                } else {
                    taken.conflicts.push(SyncConflict {
                        id,
                        entry,
                        title,
                        kind: SyncConflictKind::Deleted,
                        revision: None,
                        message: "it was deleted in the branch, but changed here since: it is published again"
                            .to_owned(),
                    });
                }
            }
            if !dry {
                store.agree_on_none(id).await?;
            }
        }
        Ok(())
    }

    /// Exports what changed, commits and pushes.
    async fn publish(
        &self,
        session: &Session<'_>,
        folder: &SharedFolder,
        (changes, tip, start): (&Changes, Option<String>, Option<String>),
        done: &mut Synced,
    ) -> Result<Round, Error> {
        let Session { tree, request, call, .. } = session;
        let store = &self.journal.store;
        call.progress(2, 4, "Exporting")?;
        make_folder(&tree.folder())?;
        let folder = &folder.clone().at(real_below(&tree.folder(), tree.path())?);
        let entries: Vec<Entry> = changes.entries.iter().map(|changed| changed.entry.clone()).collect();
        let passphrase = request.passphrase.clone();
        let known = store.sync_entries().await?;
        let shared = self.transfer.share(folder, (&entries, &changes.gone), &known, passphrase, session.caller).await?;
        let files: BTreeMap<Id, String> = shared.agreed.iter().map(|base| (base.entry, base.file.clone())).collect();
        let text = message(changes, &files, &BTreeMap::new(), shared.evidence);
        let paths = [shared.exported.written.clone(), shared.removed.clone()].concat();
        done.exported.written = shared.exported.written;
        done.exported.removed = shared.removed.into_iter().filter(|path| !path.ends_with(".jsonl")).collect();
        done.exported.unchanged = shared.exported.unchanged;
        done.warnings.extend(shared.exported.warnings);
        let gone: Vec<Id> = changes.gone.iter().map(|base| base.entry).collect();
        let agreed = (shared.agreed.as_slice(), gone.as_slice());
        if !tree.stage(&paths).await? {
            // The branch has it already, or the local one that is pushed now.
            let Some(at) = tip.clone().or_else(|| start.clone()) else {
                return Err(Error::internal("nothing was staged for an empty branch"));
            };
            if tip.is_none() {
                return self.push(session, &at, text, agreed, (tip, done)).await;
            }
            store.about_to_push(&at, agreed.0, agreed.1).await?;
            store.pushed(true, self.runtime.now()).await?;
            done.commit = tip;
            return Ok(Round::Ended);
        }
        call.progress(3, 4, "Committing")?;
        let commit = tree.commit(&text).await?;
        self.push(session, &commit, text, agreed, (tip, done)).await
    }

    /// Pushes a commit.
    async fn push(
        &self,
        session: &Session<'_>,
        commit: &str,
        message: String,
        (entries, gone): (&[SyncEntry], &[Id]),
        (tip, done): (Option<String>, &mut Synced),
    ) -> Result<Round, Error> {
        let store = &self.journal.store;
        store.about_to_push(commit, entries, gone).await?;
        session.call.progress(3, 4, format!("Pushing to {}", session.place.remote))?;
        match session.tree.push(commit).await? {
            Pushed::Done => {
                store.pushed(true, self.runtime.now()).await?;
                done.commit = Some(commit.to_owned());
                done.pushed = true;
                done.message = message;
                Ok(Round::Ended)
            }
            Pushed::Moved(why) => Ok(Round::Moved { tip, why }),
            // It may have arrived all the same: the next sync asks the branch.
            Pushed::Refused(error) => Err(error),
        }
    }

    /// What this journal has that was not agreed on.
    async fn changes(&self, known: &BTreeMap<Id, SyncEntry>) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        for row in self.journal.store.entries(false).await? {
            let Some(entry) = self.journal.store.entry(&row.id.to_string()).await? else { continue };
            let base = known.get(&row.id);
            let same = match base {
                Some(base) => base.inputs == self.transfer.shared_inputs(&entry).await?,
                None => false,
            };
            if !same {
                let change = if base.is_some() { SyncChange::Edited } else { SyncChange::Added };
                changes.entries.push(Changed { entry, change });
            }
        }
        for base in known.values() {
            if self.live(base.entry).await?.is_none() {
                changes.gone.push(base.clone());
            }
        }
        Ok(changes)
    }

    /// An entry that is not in the bin.
    async fn live(&self, id: Id) -> Result<Option<Entry>, Error> {
        match self.journal.store.entry_in_bin(id).await? {
            true => Ok(None),
            false => Ok(self.journal.store.entry(&id.to_string()).await?),
        }
    }

    /// Where the journal is published, and what the next sync would publish. Asks no remote.
    pub(crate) async fn status(&self) -> Result<SyncStatus, Error> {
        let Some(SyncState { place, agreed, synced_at, .. }) = self.journal.store.sync_state().await? else {
            return Ok(SyncStatus::default());
        };
        let known = self.journal.store.sync_entries().await?;
        let changed = described(&self.changes(&known).await?);
        let SyncPlace { repo, remote, branch, folder } = place;
        let synced_at = synced_at.map(|at| at.rfc3339());
        Ok(SyncStatus { configured: true, repo, remote, branch, folder, commit: agreed, synced_at, changed })
    }

    /// Forgets where the journal is published; false if it was nowhere. The branch stays as it is.
    pub(crate) async fn forget(&self) -> Result<bool, Error> {
        Ok(self.journal.store.forget_sync().await?)
    }
}

/// Where to publish: as the request says, else as the last time.
async fn place(request: &Request, state: Option<&SyncState>, call: &Call) -> Result<SyncPlace, Error> {
    let last = state.map(|state| &state.place);
    let Some(dir) = request.repo.as_deref().or(last.map(|place| place.repo.as_str())) else {
        return Err(Error::usage(
            "the journal is not published by git yet",
            "Name a repository that you have cloned: tracebook sync --repo DIR",
        ));
    };
    let git = Git { dir: typed_path(dir), prompt: false, call: Some(call), hooks: None };
    let named =
        Wanted { remote: request.remote.clone(), branch: request.branch.clone(), folder: request.folder.clone() };
    let Some(last) = last else { return repository::place(&git, named).await };
    let as_last = Wanted {
        remote: named.remote.clone().or_else(|| Some(last.remote.clone())),
        branch: named.branch.clone().or_else(|| Some(last.branch.clone())),
        folder: named.folder.clone().or_else(|| Some(last.folder.clone())),
    };
    if request.repo.is_none() {
        return repository::place(&git, as_last).await;
    }
    // The same repository, named again.
    let place = repository::place(&git, named).await?;
    if place.repo == last.repo { repository::place(&git, as_last).await } else { Ok(place) }
}

fn described(changes: &Changes) -> Vec<SyncedEntry> {
    let entries = changes.entries.iter().map(|Changed { entry, change }| SyncedEntry {
        id: entry.row.id,
        entry: entry.row.slug.clone(),
        title: entry.row.title.clone(),
        change: *change,
    });
    let gone = changes.gone.iter().map(|base| SyncedEntry {
        id: base.entry,
        entry: base.file.clone(),
        title: base.title.clone(),
        change: SyncChange::Deleted,
    });
    entries.chain(gone).collect()
}

/// The message of a commit. Entries are named by what is published of them: their week, or the name of their file.
fn message(changes: &Changes, files: &BTreeMap<Id, String>, stems: &BTreeMap<Id, String>, evidence: usize) -> String {
    let named = changes.entries.iter().map(|Changed { entry, change }| {
        let file = files.get(&entry.row.id).or_else(|| stems.get(&entry.row.id));
        (message::name(entry.row.week.as_deref(), file.map_or("an entry", String::as_str)), *change)
    });
    let gone = changes.gone.iter().map(|base| (message::name(base.week.as_deref(), &base.file), SyncChange::Deleted));
    message::of(&named.chain(gone).collect::<Vec<_>>(), evidence)
}

/// Whether a branch is the one that was synced with, under another path of the clone or name of the remote.
async fn is_same_branch(
    tree: &Tree<'_>,
    place: &SyncPlace,
    state: &SyncState,
    tip: Option<&str>,
) -> Result<bool, Error> {
    let is_named_so = state.place.branch == place.branch && state.place.folder == place.folder;
    match (tip, &state.agreed) {
        (Some(tip), Some(agreed)) if is_named_so => Ok(tree.follows(tip, agreed).await? == Some(true)),
        _ => Ok(false),
    }
}

/// An error of a sync that had conflicts before: they are not found again, since both sides are in the journal now.
fn with_conflicts(mut error: Error, taken: &Taken) -> Error {
    for conflict in &taken.conflicts {
        error.message.push_str(&format!("\nconflict in {} ({}): {}", conflict.entry, conflict.title, conflict.message));
    }
    error
}

fn make_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(|e| crate::ground::files::cannot_write(path, &e))
}

/// The real path of a folder of a tree. On a disk that does not tell upper from lower case, a link of another case may
/// lead elsewhere.
fn real_below(path: &Path, tree: &Path) -> Result<PathBuf, Error> {
    let real = |path: &Path| path.canonicalize().map_err(|e| crate::ground::files::cannot_write(path, &e));
    let (folder, tree) = (real(path)?, real(tree)?);
    match folder.starts_with(&tree) {
        true => Ok(folder),
        false => Err(Error::new(
            Code::Refused,
            "the folder is a link that leads out of the repository",
            "Publish to another folder (--folder PATH), or remove the link",
        )),
    }
}

fn shown(folder: &str) -> &str {
    if folder.is_empty() { "its root" } else { folder }
}
