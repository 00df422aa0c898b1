//! The client against fakes over HTTP on loopback. Their shapes are those of botocore's model of the service
//! (`botocore/data/logs/2014-03-28/service-2.json`), and what they do wrong is what emulators do.

mod eventstream;
mod fake;

mod events;
mod faults;
mod groups;
mod insights;
mod put;
mod recorded;
mod tail;
