use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use tracebook_app::api::{DoctorRequest, Vendor};
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
    Set {
        /// A profile of AWS's shared configuration
        #[arg(long, value_name = "PROFILE")]
        aws_profile: Option<String>,
        /// An AWS region
        #[arg(long, value_name = "REGION")]
        aws_region: Option<String>,
        /// An endpoint instead of AWS, for example an emulator
        #[arg(long, value_name = "URL")]
        aws_endpoint: Option<String>,
        /// An endpoint instead of Rollbar's
        #[arg(long, value_name = "URL")]
        rollbar_endpoint: Option<String>,
        /// The Rollbar project URL, for links: https://app.rollbar.com/a/ACCOUNT/fix/item/PROJECT
        #[arg(long, value_name = "URL")]
        rollbar_web: Option<String>,
        /// An endpoint instead of Honeycomb's, for example https://api.eu1.honeycomb.io for Europe
        #[arg(long, value_name = "URL")]
        honeycomb_endpoint: Option<String>,
    },
    /// Store a token, read from standard input, in the system's keychain
    Token {
        /// What the token is for
        #[arg(value_parser = one_of(&[Vendor::Rollbar, Vendor::Honeycomb]))]
        vendor: Vendor,
        /// Remove the token instead
        #[arg(long)]
        forget: bool,
    },
    /// Show the authenticated identity
    Who {
        /// Whom to ask
        #[arg(value_parser = one_of(&[Vendor::Aws, Vendor::Rollbar, Vendor::Honeycomb]))]
        vendor: Vendor,
    },
    /// List saved queries and boards
    Queries {
        /// Whose
        #[arg(value_parser = one_of(&[Origin::Cloudwatch, Origin::Honeycomb]))]
        source: Origin,
    },
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
