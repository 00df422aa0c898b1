use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Entry {
    /// Create an entry, from the course's template unless a body is given
    New {
        /// A week of the course: 0 to 11, or X, unless the journal has another course
        #[arg(long)]
        week: Option<String>,
        /// The title
        #[arg(long)]
        title: Option<String>,
        /// A Markdown file; - reads standard input
        #[arg(long, value_name = "FILE")]
        body: Option<String>,
    },
    /// List entries
    List {
        /// List the entries in the bin instead
        #[arg(long)]
        deleted: bool,
    },
    /// Print an entry's text
    Show {
        /// Id or slug
        entry: String,
        /// Print the text of this revision
        #[arg(long)]
        revision: Option<i64>,
    },
    /// Replace an entry's text; merged with what changed since --base, refused if that is in the same lines
    Set {
        /// Id or slug
        entry: String,
        /// A Markdown file; - reads standard input
        #[arg(long, value_name = "FILE")]
        body: String,
        /// The revision that the new text is based on
        #[arg(long, value_name = "REV")]
        base: Option<i64>,
    },
    /// List an entry's revisions
    History {
        /// Id or slug
        entry: String,
        /// Show what has changed since this revision
        #[arg(long, value_name = "REV")]
        diff: Option<i64>,
    },
    /// Move an entry to the bin
    Delete {
        /// Id or slug
        entry: String,
    },
    /// Restore an entry from the bin
    Restore {
        /// Id or slug
        entry: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Course {
    /// Print the weeks of a course, their homework, and what it is met by
    Show {
        /// A course file [default: the journal's course]
        file: Option<String>,
        /// Print the file itself, to begin an own one with
        #[arg(long)]
        toml: bool,
    },
    /// List what is wrong with a course file, by line
    Check {
        /// A course file [default: the journal's course]
        file: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Attachment {
    /// List attachments
    List {
        /// Id or slug of an entry [default: all entries]
        entry: Option<String>,
        /// List the attachments in the bin instead
        #[arg(long, conflicts_with = "entry")]
        deleted: bool,
    },
    /// Add a picture to an entry, without its metadata, and its reference to the end of the text
    Add {
        /// The file
        file: PathBuf,
        /// Id or slug of the entry
        #[arg(long, value_name = "REF")]
        into: String,
        /// The alternative text: what the picture shows
        #[arg(long, value_name = "TEXT")]
        alt: Option<String>,
    },
    /// Show an attachment, or write it to a file
    Show {
        /// The attachment's id
        id: String,
        /// Write it here
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Move an attachment to the bin
    Delete {
        /// The attachment's id
        id: String,
        /// Erase its data permanently
        #[arg(long)]
        purge: bool,
    },
    /// Restore an attachment from the bin
    Restore {
        /// The attachment's id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mask {
    /// List placeholders with the values that they stand for, and exceptions
    List,
    /// List the rules, with where the forms that they find are documented
    Rules,
    /// Show what an export would mask, without storing anything
    Preview {
        /// Ids or slugs of entries [default: all entries]
        entries: Vec<String>,
    },
    /// Leave a value as it is in exports
    Allow {
        /// The value, or its placeholder
        value: String,
        /// Only in the text of this entry
        #[arg(long, value_name = "REF")]
        entry: Option<String>,
    },
    /// Mask a value again
    Disallow {
        /// The value, or its placeholder
        value: String,
        /// The entry in whose text it was left as it is
        #[arg(long, value_name = "REF")]
        entry: Option<String>,
    },
    /// Show that masked evidence was made from this journal's evidence by masking only
    Prove {
        /// The evidence's id
        id: String,
        /// An exported picture to compare [default: what an export writes now]
        #[arg(long, value_name = "SVG")]
        file: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Signing {
    /// Print the public key that exports are signed with, and its fingerprint
    Show {
        /// A key file, agent, keychain or a fingerprint [default: as `export --sign`]
        key: Option<String>,
    },
    /// Make a key and keep it in the keychain
    Create {
        /// Replace the key that is there
        #[arg(long)]
        replace: bool,
    },
    /// Remove the key from the keychain
    Forget,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Ids or slugs of entries
    #[arg(required_unless_present = "all")]
    pub(crate) entries: Vec<String>,
    /// Export every entry
    #[arg(long, conflicts_with = "entries")]
    pub(crate) all: bool,
    /// The folder in which `journal/` is written; with another format the folder of the file, or the file itself
    #[arg(long, value_name = "DIR")]
    pub(crate) to: String,
    /// The format
    #[arg(long, value_enum, default_value_t = ExportFormat::Github)]
    pub(crate) format: ExportFormat,
    /// Export everything as it stands: texts with credentials in them, and nothing masked
    #[arg(long)]
    pub(crate) allow_leaks: bool,
    /// Also overwrite files that Tracebook did not write
    #[arg(long)]
    pub(crate) force: bool,
    /// Draw cards again that an earlier version drew and that are otherwise kept
    #[arg(long)]
    pub(crate) redraw: bool,
    /// Add the raw data of the evidence, which is not masked, to a bundle or a page; requires --allow-leaks
    #[arg(long, requires = "allow_leaks")]
    pub(crate) raw: bool,
    /// Sign the manifest: with a private key file, agent, keychain or a fingerprint (SHA256:…) [default: the key in
    /// tracebook.toml, else of the keychain, else of the SSH agent]; none does not sign
    #[arg(long, value_name = "KEY", num_args = 0..=1, default_missing_value = "")]
    pub(crate) sign: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Markdown with pictures, as GitHub shows it
    Github,
    /// One HTML file, to be read offline, with the exported files in it
    Html,
    /// One zip
    Bundle,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Clones, folders, Markdown files, single SVGs, bundles or exported pages
    #[arg(required_unless_present = "class")]
    pub(crate) paths: Vec<String>,
    /// Fail unless this many pieces of evidence are found
    #[arg(long, value_name = "N")]
    pub(crate) expect: Option<u32>,
    /// Write today's drawing of every card that an earlier version drew into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) redraw: Option<PathBuf>,
    /// Require manifests to be signed by a key of this list: OpenSSH's allowed signers, or public keys, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) allowed_signers: Option<PathBuf>,
    /// Verify a class: one folder per student
    #[arg(long, value_name = "DIR", conflicts_with = "paths")]
    pub(crate) class: Option<PathBuf>,
    /// The course file that says what is required
    #[arg(long, value_name = "FILE", requires = "class", conflicts_with = "paths")]
    pub(crate) course: Option<PathBuf>,
    /// Write the result as CSV
    #[arg(long, value_name = "FILE", requires = "class", conflicts_with = "paths")]
    pub(crate) csv: Option<PathBuf>,
    /// Write the result as HTML
    #[arg(long, value_name = "FILE", requires = "class", conflicts_with = "paths")]
    pub(crate) html: Option<PathBuf>,
}
