//! The sections of the cloud vendors, with the keys that the catalog names.

use std::collections::BTreeMap;

use serde::Deserialize;

use tracebook_core::catalog::Vendor;

/// What is set for each vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, toml::Value>")]
pub(crate) struct VendorSettings(BTreeMap<Vendor, BTreeMap<String, String>>);

impl VendorSettings {
    /// What is set; `None` for a key that is not.
    pub(crate) fn get(&self, vendor: Vendor, key: &str) -> Option<&str> {
        self.0.get(&vendor)?.get(key).map(String::as_str)
    }

    /// What is set, else the default; empty where there is none.
    pub(crate) fn effective(&self, vendor: Vendor, key: &str) -> String {
        self.get(vendor, key).unwrap_or_else(|| vendor.default_of(key)).to_owned()
    }

    /// Whether anything is set for a vendor.
    pub(crate) fn any(&self, vendor: Vendor) -> bool {
        self.0.get(&vendor).is_some_and(|keys| !keys.is_empty())
    }

    pub(crate) fn aws(&self) -> AwsSettings {
        let of = |key: &str| self.get(Vendor::Aws, key).map(str::to_owned);
        AwsSettings { profile: of("profile"), region: of("region"), endpoint: of("endpoint") }
    }
}

impl TryFrom<BTreeMap<String, toml::Value>> for VendorSettings {
    type Error = String;

    fn try_from(sections: BTreeMap<String, toml::Value>) -> Result<Self, String> {
        let mut vendors = BTreeMap::new();
        for (name, section) in sections {
            let vendor = Vendor::ALL.into_iter().find(|vendor| vendor.id() == name).ok_or_else(|| {
                let ids = Vendor::ALL.map(Vendor::id).join(", ");
                format!(
                    "[{name}] is no section: the sections are telemetry, receivers, relay, log, masking, export, {ids}"
                )
            })?;
            let keys: BTreeMap<String, String> =
                section.try_into().map_err(|e| format!("[{name}] {}", e.to_string().trim_end()))?;
            let known = || vendor.info().settings.iter().map(|setting| &*setting.key);
            if let Some(unknown) = keys.keys().find(|key| !known().any(|known| known == *key)) {
                let known = known().collect::<Vec<_>>().join(", ");
                return Err(format!("[{name}] has no `{unknown}`: its keys are {known}"));
            }
            vendors.insert(vendor, keys);
        }
        Ok(Self(vendors))
    }
}

/// AWS: profile, region and endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AwsSettings {
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
    /// An emulator instead of AWS. Never read from the environment, which may point at our own receivers.
    pub(crate) endpoint: Option<String>,
}
