//! A connection for tests: invalid keys, and an endpoint on loopback.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::os_shim_internal::Fs;

use super::profiles::Machine;
use super::session::{Connection, Settings, connect_on};

/// The secret of [`connection`], which must never be shown.
pub(crate) const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00";

pub(super) fn machine(vars: &[(&str, &str)], files: &[(&str, &str)]) -> Machine {
    let vars: HashMap<String, String> = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Machine::new(vars, Fs::from_slice(files))
}

/// A connection to a fake on loopback, in us-east-1.
pub(crate) async fn connection(addr: SocketAddr) -> Connection {
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let settings = Settings {
        region: Some("us-east-1".to_owned()),
        endpoint: Some(format!("http://{addr}")),
        agent: "tracebook/0.0.0".to_owned(),
        ..Settings::default()
    };
    connect_on(&machine(&keys, &[]), &settings).await.expect("keys and a region are there")
}

/// The same with short time-outs.
pub(crate) async fn hasty(addr: SocketAddr, patience: Duration) -> Connection {
    let mut connection = connection(addr).await;
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(patience).operation_timeout(patience).build();
    connection.sdk = connection.sdk.to_builder().timeout_config(timeouts).build();
    connection
}
