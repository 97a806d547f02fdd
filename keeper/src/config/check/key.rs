//! The rules of `[key]`.

use std::path::Path;

use tidelock_core::domain::parse_address;

use super::{
    super::{
        Violation,
        key::{
            AwsKmsConfig, KeyConfig, KeyHolder, KeyId, KeystoreConfig, NextKeyConfig, Pkcs11Config,
            Web3SignerConfig, of_next_key,
        },
        raw::RawKey,
    },
    RpcUrl, Rules,
};

/// What `key.signer` may be.
const SIGNERS: &str = "must be keystore, pkcs11, aws-kms or web3signer";
/// Longest id that tokens give a key. [bytes]
const MAX_ID: usize = 255;

impl Rules {
    pub(super) fn key(&mut self, raw: &RawKey, base: &Path) -> KeyConfig {
        self.only_for_signer(raw);
        KeyConfig {
            address: raw
                .address
                .as_ref()
                .map(|address| self.address("key.address", address)),
            timeout_ms: self.within("key.timeout_ms", raw.timeout_ms, 100, 600_000),
            holder: match raw.signer.as_str() {
                "aws-kms" => KeyHolder::AwsKms(self.aws_kms(raw)),
                "web3signer" => KeyHolder::Web3Signer(self.web3signer(raw)),
                "pkcs11" => KeyHolder::Pkcs11(self.pkcs11(raw, base)),
                signer => {
                    if signer != "keystore" {
                        self.refuse("key.signer", signer, SIGNERS);
                    }
                    KeyHolder::Keystore(self.keystore(raw, base))
                }
            },
        }
    }

    /// The daemon goes over to it by itself, so everything it needs is written down.
    pub(super) fn next_key(
        &mut self,
        raw: &RawKey,
        current: &RawKey,
        base: &Path,
    ) -> Option<NextKeyConfig> {
        let mut rules = Self::default();
        let key = rules.key(raw, base);
        if raw.address.is_none() {
            rules.refuse("key.address", "\"\"", "must be given");
        }
        let same = raw.address.is_some() && raw.address == current.address;
        if same {
            let address = raw.address.clone().unwrap_or_default();
            rules.refuse(
                "key.address",
                address,
                "must be another key than that of [key]",
            );
        }
        const ALONE: &str =
            "must be given: nobody is at the terminal when the keeper goes over to this key";
        match &key.holder {
            KeyHolder::Keystore(keystore) if keystore.password_file.is_none() => {
                rules.refuse("key.password_file", "\"\"", ALONE);
            }
            KeyHolder::Pkcs11(token) if token.pin_file.is_none() => {
                rules.refuse("key.pin_file", "\"\"", ALONE);
            }
            _ => {}
        }
        let broken = rules.broken.into_iter().map(|violation| Violation {
            field: of_next_key(violation.field),
            ..violation
        });
        self.broken.extend(broken);
        Some(NextKeyConfig {
            address: key.address?,
            key,
        })
    }

    /// A setting of another signer has no effect, and whoever wrote it believes that it has.
    fn only_for_signer(&mut self, raw: &RawKey) {
        let settings = [
            ("keystore", "key.keystore", raw.keystore.is_some()),
            ("keystore", "key.password_file", raw.password_file.is_some()),
            ("pkcs11", "key.module", raw.module.is_some()),
            ("pkcs11", "key.token", raw.token.is_some()),
            ("pkcs11", "key.label", raw.label.is_some()),
            ("pkcs11", "key.id", raw.id.is_some()),
            ("pkcs11", "key.pin_file", raw.pin_file.is_some()),
            ("aws-kms", "key.kms_key", raw.kms_key.is_some()),
            ("aws-kms", "key.kms_region", raw.kms_region.is_some()),
            ("aws-kms", "key.kms_endpoint", raw.kms_endpoint.is_some()),
            ("web3signer", "key.url", raw.url.is_some()),
        ];
        for (signer, field, is_given) in settings {
            if is_given && signer != raw.signer {
                let rule = format!(
                    "goes with key.signer = \"{signer}\" only, which is \"{}\"",
                    raw.signer
                );
                self.refuse(field, "(given)", rule);
            }
        }
    }

    fn keystore(&mut self, raw: &RawKey, base: &Path) -> KeystoreConfig {
        let default = Path::new("keeper-key.json");
        let keystore = raw.keystore.as_deref().unwrap_or(default);
        KeystoreConfig {
            keystore: self.path("key.keystore", keystore, base),
            password_file: raw
                .password_file
                .as_ref()
                .map(|path| self.path("key.password_file", path, base)),
        }
    }

    fn pkcs11(&mut self, raw: &RawKey, base: &Path) -> Pkcs11Config {
        const RULE: &str = "must be given with key.signer = \"pkcs11\"";
        if raw.label.is_none() && raw.id.is_none() {
            self.refuse("key.label", "\"\"", "key.label or key.id must be given");
        }
        Pkcs11Config {
            module: match &raw.module {
                Some(module) => self.path("key.module", module, base),
                None => {
                    self.refuse("key.module", "\"\"", RULE);
                    base.to_owned()
                }
            },
            token: self.text("key.token", raw.token.as_deref(), RULE),
            label: raw
                .label
                .as_deref()
                .map(|label| self.text("key.label", Some(label), RULE)),
            id: raw.id.as_deref().map(|id| self.key_id(id)),
            pin_file: raw
                .pin_file
                .as_ref()
                .map(|path| self.path("key.pin_file", path, base)),
        }
    }

    fn aws_kms(&mut self, raw: &RawKey) -> AwsKmsConfig {
        const RULE: &str = "must be given with key.signer = \"aws-kms\"";
        let region = raw.kms_region.as_deref();
        let endpoint = raw.kms_endpoint.as_deref();
        AwsKmsConfig {
            key: self.text("key.kms_key", raw.kms_key.as_deref(), RULE),
            region: region
                .map(|region| self.text("key.kms_region", Some(region), "must name a region")),
            endpoint: endpoint.map(|endpoint| self.url("key.kms_endpoint", endpoint)),
        }
    }

    fn web3signer(&mut self, raw: &RawKey) -> Web3SignerConfig {
        const RULE: &str = "must be given with key.signer = \"web3signer\"";
        if raw.address.is_none() {
            self.refuse("key.address", "\"\"", RULE);
        }
        if raw.url.is_none() {
            self.refuse("key.url", "\"\"", RULE);
        }
        let address = raw.address.as_deref();
        Web3SignerConfig {
            url: match &raw.url {
                Some(url) => self.url("key.url", url),
                None => RpcUrl(None),
            },
            // A broken one has been refused above.
            address: address
                .and_then(|address| parse_address(address).ok())
                .unwrap_or_default(),
        }
    }

    fn text(&mut self, field: &'static str, text: Option<&str>, rule: &str) -> String {
        let text = text.unwrap_or_default();
        if text.is_empty() {
            self.refuse(field, "\"\"", rule);
        }
        text.to_owned()
    }

    fn key_id(&mut self, text: &str) -> KeyId {
        match alloy::hex::decode(text) {
            Ok(id) if (1..=MAX_ID).contains(&id.len()) => KeyId(id),
            _ => {
                let rule = "must be 1 to 255 bytes in hexadecimal, as the token shows the key's id";
                self.refuse("key.id", text, rule);
                KeyId(Vec::new())
            }
        }
    }
}
