//! Arguments of `sync`.

use clap::{Args, Subcommand};

/// What to publish to. What is left out is as the last time.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Sync {
    /// A folder of the git repository; required the first time
    #[arg(long, value_name = "DIR")]
    pub(crate) repo: Option<String>,
    /// The remote to fetch from and push to [default: the branch's, origin, or the only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) remote: Option<String>,
    /// The branch [default: the one that is checked out]
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// The folder that gets journal/, relative to the root of the repository [default: that of --repo]
    #[arg(long, value_name = "PATH")]
    pub(crate) folder: Option<String>,
    /// Only fetch, and print what would be imported, exported and committed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(subcommand)]
    pub(crate) command: Option<SyncCommand>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum SyncCommand {
    /// Show where the journal is published, and what the next sync would publish
    Status,
    /// Forget where the journal is published; the branch stays as it is
    Forget,
}
