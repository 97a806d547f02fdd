//! TOML for figment, which says of which field a refusal is.

use figment::{
    Error, Metadata, Profile, Provider,
    value::{Dict, Map},
};

/// A text in TOML.
#[derive(Debug, Clone, Copy)]
pub struct Toml<'a>(pub &'a str);

impl Provider for Toml<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named("a text in TOML")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let fields: Dict = toml::from_str(self.0).map_err(|error| error.to_string())?;
        Ok(Profile::Default.collect(fields))
    }
}
