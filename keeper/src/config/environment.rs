//! `KEEPER_SECTION__FIELD`: a field of the configuration, given by the environment instead of the file.

use figment::{
    Error, Metadata, Profile, Provider,
    value::{Dict, Map, Value},
};

const PREFIX: &str = "KEEPER_";

/// Fields that are text whatever they look like: a file may be called `1`, and `0.1` gwei is not a float.
const TEXT: &[&str] = &[
    "rpc_url",
    "address",
    "lens",
    "token",
    "keystore",
    "password_file",
    "signer",
    "module",
    "label",
    "id",
    "pin_file",
    "kms_key",
    "kms_region",
    "kms_endpoint",
    "url",
    "path",
    "database",
    "listen",
    "keys_file",
    "tls_certificate_file",
    "tls_key_file",
    "max_fee_gwei",
    "min_tip_gwei",
    "max_tip_gwei",
];

/// The environment's part of the configuration.
pub(super) struct Environment(pub Vec<(String, String)>);

impl Environment {
    /// What this process was started with.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            name.starts_with(PREFIX)
                .then(|| (name, value.to_string_lossy().into_owned()))
        });
        Self(variables.collect())
    }

    /// The same with another node.
    pub fn with_node(mut self, rpc_url: Option<&str>) -> Self {
        let given = rpc_url.map(|url| (variable(&["chain", "rpc_url"]), url.to_owned()));
        self.0.extend(given);
        self
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment").interpolater(|_: &Profile, keys: &[&str]| variable(keys))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut sections = Dict::new();
        for (name, text) in &self.0 {
            let path = name
                .strip_prefix(PREFIX)
                .and_then(|rest| rest.split_once("__"));
            let Some((section, field)) = path else {
                continue; // KEEPER_CONFIG, KEEPER_PASSWORD and the like are none of the file's fields
            };
            let (section, field) = (section.to_ascii_lowercase(), field.to_ascii_lowercase());
            let value = value(&field, text);
            let entry = sections
                .entry(section)
                .or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, fields) = entry {
                fields.insert(field, value);
            }
        }
        Ok(Profile::Default.collect(sections))
    }
}

/// The variable that gives a field.
pub(super) fn variable<K: AsRef<str>>(keys: &[K]) -> String {
    let keys: Vec<String> = keys
        .iter()
        .map(|key| key.as_ref().to_ascii_uppercase())
        .collect();
    format!("{PREFIX}{}", keys.join("__"))
}

fn value(field: &str, text: &str) -> Value {
    if TEXT.contains(&field) {
        return Value::from(text);
    }
    match (text, text.parse::<u64>()) {
        ("true", _) => Value::from(true),
        ("false", _) => Value::from(false),
        (_, Ok(number)) => Value::from(number),
        (_, Err(_)) => Value::from(text),
    }
}
