use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Subcommand};

use tracebook_app::api::{DoctorRequest, Vendor};
use tracebook_core::catalog::{List, SettingInfo};
use tracebook_core::question::Source as Origin;

use super::values::{DESTINATIONS, one_of, sources};

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Check only this receiver, or the journal [default: everything that is set up]
    #[arg(value_parser = PossibleValuesParser::new(DoctorRequest::SOURCES))]
    pub(crate) receiver: Option<String>,
    /// Check a cloud source instead
    #[arg(long, value_parser = sources(), conflicts_with = "receiver")]
    pub(crate) source: Option<Origin>,
    /// Write a report to attach to a bug, without credentials
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Repair a damaged journal
    #[arg(long)]
    pub(crate) repair: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Show settings, where the tokens are stored, and this month's usage
    List,
    /// Change settings; an empty value removes one
    Set(VendorSettings),
    /// Store a token, read from standard input, in the system's keychain
    Token {
        /// What the token is for
        #[arg(value_parser = one_of(Vendor::with_token()))]
        vendor: Vendor,
        /// Remove the token instead
        #[arg(long)]
        forget: bool,
    },
    /// Show the authenticated identity
    Who {
        /// Whom to ask
        #[arg(value_parser = one_of(Vendor::ALL))]
        vendor: Vendor,
    },
    /// List saved queries and boards
    Queries {
        /// Whose
        #[arg(value_parser = one_of(Origin::with_list(List::Queries)))]
        source: Origin,
    },
}

/// One option for each setting of the catalog: `--aws-profile`.
#[derive(Debug, Default)]
pub(crate) struct VendorSettings(pub(crate) BTreeMap<String, Option<String>>);

impl VendorSettings {
    /// The settings of all vendors, each with its name in a request: `aws_profile`.
    fn all() -> impl Iterator<Item = (String, &'static SettingInfo)> {
        let of = |vendor: Vendor| vendor.info().settings.iter().map(move |setting| (vendor, setting));
        Vendor::ALL.into_iter().flat_map(of).map(|(vendor, s)| (format!("{}_{}", vendor.id(), s.key), s))
    }
}

impl Args for VendorSettings {
    fn augment_args(command: Command) -> Command {
        Self::all().fold(command, |command, (name, setting)| {
            let value = if setting.url { "URL".to_owned() } else { setting.key.to_uppercase() };
            let option = name.replace('_', "-");
            command.arg(Arg::new(name).long(option).value_name(value).help(&*setting.help))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for VendorSettings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |(name, _): (String, _)| matches.get_one::<String>(&name).cloned().map(|value| (name, Some(value)));
        Ok(Self(Self::all().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Relay {
    /// Show what is forwarded where, what is queued, and problems
    Status,
    /// Turn forwarding on or off, and configure the OTLP endpoint
    Set {
        /// The destination
        #[arg(value_parser = DESTINATIONS)]
        name: String,
        /// Forward what arrives from now on
        #[arg(long, conflicts_with = "off")]
        on: bool,
        /// Stop forwarding; what is queued is kept
        #[arg(long)]
        off: bool,
        /// OTLP: the endpoint, without /v1/traces
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
        /// OTLP: where the key comes from, honeycomb or env:NAME; an empty value means no key
        #[arg(long, value_name = "WHERE")]
        key: Option<String>,
        /// OTLP: the header that carries the key [default: x-honeycomb-team]
        #[arg(long, value_name = "NAME")]
        header: Option<String>,
    },
    /// Store a token, read from standard input, in the system's keychain
    Token {
        /// rollbar (scope post_server_item) or otlp (the Honeycomb key)
        #[arg(value_parser = ["rollbar", "otlp"])]
        name: String,
        /// Remove the token instead
        #[arg(long)]
        forget: bool,
    },
    /// Try again now instead of waiting
    Retry {
        /// The destination
        #[arg(value_parser = DESTINATIONS)]
        name: String,
    },
    /// Discard what is queued
    Forget {
        /// The destination
        #[arg(value_parser = DESTINATIONS)]
        name: String,
    },
}
