//! The policy as a person writes it (TOML), and the configuration that the contract takes for it.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use alloy_primitives::{Address, aliases::U40};
use figment::Figment;
use serde::Deserialize;

use crate::{DeployError, Toml, Vault, rules, units};

/// The policy file of an example, with comments.
pub const EXAMPLE: &str = include_str!("example.toml");

/// What a vault is made from.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The chain that is meant.
    pub chain_id: u64,
    /// Of the token.
    pub decimals: u8,
    /// What the contract takes.
    pub configuration: Vault::Configuration,
    /// What the file calls each account; an account may have several parts.
    pub names: BTreeMap<Address, String>,
}

/// One field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} = {value}: {rule}")]
pub struct Violation {
    /// As in the file.
    pub field: String,
    /// What was given.
    pub value: String,
    /// The rule.
    pub rule: String,
}

pub(crate) fn list(violations: &[Violation]) -> String {
    let each: Vec<String> = violations.iter().map(ToString::to_string).collect();
    each.join("; ")
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    chain: RawChain,
    token: RawToken,
    vault: RawVault,
    #[serde(default)]
    tier: Vec<RawTier>,
    #[serde(default)]
    signer: Vec<RawParty>,
    #[serde(default)]
    guardian: Vec<RawParty>,
    #[serde(default)]
    keeper: Vec<RawHolder>,
    #[serde(default)]
    proposer: Vec<RawHolder>,
    #[serde(default)]
    known: Vec<RawParty>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChain {
    id: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawToken {
    address: String,
    decimals: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVault {
    unit: String,
    hard_ceiling: String,
    policy_delay: String,
    policy_delay_floor: String,
    threshold: u8,
    guardians_until: String,
    successor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTier {
    max_known: String,
    max_unknown: String,
    cap: String,
    approvals: u8,
    delay: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParty {
    name: String,
    address: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHolder {
    name: String,
    address: String,
    until: String,
}

/// Number of the keeper's role in the contract.
const KEEPER: u8 = 0;
/// Number of the proposer's role in the contract.
const PROPOSER: u8 = 1;
/// Most decimals a token may have: more and no amount fits.
const MAX_DECIMALS: u8 = 24;

impl Policy {
    /// Reads a policy and holds it to the vault's rules, as they would be judged at `now`. [seconds]
    /// Every broken rule is reported, not only the first.
    pub fn parse(text: &str, now: u64) -> Result<Self, DeployError> {
        let policy = Self::read(text)?;
        let broken = policy.broken(now);
        if broken.is_empty() {
            Ok(policy)
        } else {
            Err(DeployError::Invalid(broken))
        }
    }

    /// Reads a policy, whatever the rules say of it.
    pub fn read(text: &str) -> Result<Self, DeployError> {
        let raw: Raw = Figment::from(Toml(text))
            .extract()
            .map_err(|errors| DeployError::Malformed(errors.into_iter().map(problem).collect()))?;
        let mut reader = Reader::default();
        let policy = reader.policy(&raw);
        if reader.broken.is_empty() {
            Ok(policy)
        } else {
            Err(DeployError::Invalid(reader.broken))
        }
    }

    /// Every rule of the vault that the configuration breaks at `now`. [seconds]
    pub fn broken(&self, now: u64) -> Vec<Violation> {
        rules::broken(&self.configuration, self.decimals, now)
    }

    /// What the file calls an account, with its address.
    pub fn name(&self, account: &Address) -> String {
        match self.names.get(account) {
            Some(name) => format!("{name} ({account})"),
            None => account.to_string(),
        }
    }

    /// An amount of the token in words.
    pub fn amount(&self, base_units: impl TryInto<u128>) -> String {
        units::shown(base_units, self.decimals)
    }
}

/// A parser's complaint with the field that it is about.
fn problem(error: figment::Error) -> String {
    let field = error.path.join(".");
    let words = error.kind.to_string();
    if field.is_empty() {
        words
    } else {
        format!("{field}: {words}")
    }
}

/// Turns text into values and keeps what cannot be.
#[derive(Default)]
struct Reader {
    broken: Vec<Violation>,
    names: BTreeMap<Address, String>,
}

impl Reader {
    fn policy(&mut self, raw: &Raw) -> Policy {
        let decimals = raw.token.decimals;
        if decimals > MAX_DECIMALS {
            let rule = format!("must be at most {MAX_DECIMALS}");
            self.refuse("token.decimals", decimals, rule);
        }
        let decimals = decimals.min(MAX_DECIMALS);
        let vault = &raw.vault;
        let successor = vault.successor.as_deref();
        let configuration = Vault::Configuration {
            token: self.address("token.address", &raw.token.address),
            unit: self.amount("vault.unit", &vault.unit, decimals),
            hardCeiling: self.amount("vault.hard_ceiling", &vault.hard_ceiling, decimals),
            policyDelayFloor: self.span("vault.policy_delay_floor", &vault.policy_delay_floor),
            policyDelay: self.span("vault.policy_delay", &vault.policy_delay),
            threshold: vault.threshold,
            signers: self.parties("signer", &raw.signer),
            tiers: self.tiers(&raw.tier, decimals),
            guardians: self.parties("guardian", &raw.guardian),
            guardiansUntil: self.time("vault.guardians_until", &vault.guardians_until),
            grants: [
                self.holders("keeper", &raw.keeper, KEEPER),
                self.holders("proposer", &raw.proposer, PROPOSER),
            ]
            .concat(),
            known: self.parties("known", &raw.known),
            successor: successor
                .map(|text| self.address("vault.successor", text))
                .unwrap_or_default(),
        };
        Policy {
            chain_id: raw.chain.id,
            decimals,
            configuration,
            names: std::mem::take(&mut self.names),
        }
    }

    fn tiers(&mut self, rows: &[RawTier], decimals: u8) -> Vec<Vault::Tier> {
        let mut tiers = Vec::new();
        for (k, row) in rows.iter().enumerate() {
            let field = |name: &str| format!("tier[{k}].{name}");
            tiers.push(Vault::Tier {
                maxKnown: self.amount(&field("max_known"), &row.max_known, decimals),
                maxUnknown: self.amount(&field("max_unknown"), &row.max_unknown, decimals),
                cap: self.amount(&field("cap"), &row.cap, decimals),
                approvals: row.approvals,
                delay: self.span(&field("delay"), &row.delay),
            });
        }
        tiers
    }

    fn parties(&mut self, section: &str, rows: &[RawParty]) -> Vec<Address> {
        let mut accounts = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            let account = self.address(&format!("{section}[{i}].address"), &row.address);
            self.called(account, &row.name);
            accounts.push(account);
        }
        accounts
    }

    fn holders(&mut self, section: &str, rows: &[RawHolder], role: u8) -> Vec<Vault::Grant> {
        let mut grants = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            let account = self.address(&format!("{section}[{i}].address"), &row.address);
            self.called(account, &row.name);
            let until = self.time(&format!("{section}[{i}].until"), &row.until);
            grants.push(Vault::Grant {
                account,
                role,
                until,
            });
        }
        grants
    }

    fn called(&mut self, account: Address, name: &str) {
        let names = self.names.entry(account).or_insert_with(|| name.to_owned());
        if !names.split(", ").any(|known| known == name) {
            names.push_str(", ");
            names.push_str(name);
        }
    }

    fn address(&mut self, field: &str, text: &str) -> Address {
        let Ok(address) = Address::from_str(text) else {
            self.refuse(field, text, "must be 0x and 40 hexadecimal digits");
            return Address::ZERO;
        };
        let digits = text.trim_start_matches("0x");
        let is_mixed = digits.bytes().any(|b| b.is_ascii_lowercase())
            && digits.bytes().any(|b| b.is_ascii_uppercase());
        if is_mixed && Address::parse_checksummed(text, None).is_err() {
            let rule = format!(
                "its capitals (EIP-55) are those of no address; this one is written {address}"
            );
            self.refuse(field, text, rule);
        }
        address
    }

    fn amount(&mut self, field: &str, text: &str, decimals: u8) -> u128 {
        units::amount(text, decimals).unwrap_or_else(|| {
            let rule =
                format!("must be an amount like 1000 or 0.5, with at most {decimals} decimals");
            self.refuse(field, text, rule);
            0
        })
    }

    fn span(&mut self, field: &str, text: &str) -> u32 {
        units::span(text).unwrap_or_else(|| {
            self.refuse(
                field,
                text,
                "must be 0 or a span like 90 minutes, 36 hours or 2 days",
            );
            0
        })
    }

    fn time(&mut self, field: &str, text: &str) -> U40 {
        let time = units::time(text).and_then(|seconds| U40::try_from(seconds).ok());
        time.unwrap_or_else(|| {
            self.refuse(
                field,
                text,
                "must be a UTC time like 2027-11-01 or 2027-11-01T06:30:00Z",
            );
            U40::ZERO
        })
    }

    fn refuse(&mut self, field: &str, value: impl Display, rule: impl Into<String>) {
        self.broken.push(Violation {
            field: field.to_owned(),
            value: value.to_string(),
            rule: rule.into(),
        });
    }
}

#[cfg(test)]
mod tests;
