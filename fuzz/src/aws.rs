//! The shared configuration files of AWS.

use crate::parts;

/// `config`, `credentials`, and the name of a profile.
pub fn config(input: &[u8]) {
    let [config, credentials, profile] = parts(input);
    crate::http::block_on(tracebook_sources::aws::read_config(&config, &credentials, &profile));
}
