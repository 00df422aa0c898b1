//! The client against fakes over HTTP on loopback. Their data has the shapes of botocore's model of the service
//! (`botocore/data/logs/2014-03-28/service-2.json`), and their faults are those of emulators.

mod eventstream;
mod fake;

mod events;
mod faults;
mod groups;
mod insights;
mod put;
mod recorded;
mod tail;
