//! A capacitor as a figment provider: code that reads figment gets what readers see.

use super::Capacitor;
use crate::Config;
use figment::{
    Error, Metadata, Profile, Provider,
    value::{Dict, Map},
};

/// The applied configuration, for frameworks that take a figment provider.
impl<C: Config + serde::Serialize> Provider for Capacitor<C> {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("flux capacitor {}", self.status().name))
    }
    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        match self.try_snapshot() {
            Some(snapshot) => figment::providers::Serialized::defaults(&**snapshot).data(),
            None => Err(Error::from(format!(
                "{}: no configuration was applied yet",
                self.status().name
            ))),
        }
    }
}
