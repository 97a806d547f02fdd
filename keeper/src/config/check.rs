//! The rules of the configuration. Every broken one is reported, not only the first.

#[cfg(feature = "service")]
mod broker;
#[cfg(feature = "service")]
mod consume;
mod key;
#[cfg(feature = "service")]
mod publish;
#[cfg(feature = "service")]
mod serve;
mod store;

use std::path::{Path, PathBuf};

use reqwest::Url;
use tidelock_core::domain::{Address, Amount, ChainId, DomainError, parse_address};

use super::{
    BatchSettings, BlockChecks, ChainConfig, Config, FeePolicy, GasConfig, LaneSettings,
    OperationsConfig, Patience, RpcUrl, TransactionGas, VaultConfig, Violation,
    raw::{Raw, RawBatch, RawChain, RawFees, RawGas, RawLane, RawOperations, RawVault},
};
use crate::profile::Profile;

/// Applies the rules. Relative paths become relative to `base`.
pub(super) fn check(raw: Raw, base: &Path) -> Result<Config, Vec<Violation>> {
    let mut rules = Rules::default();
    // Defaults are the chain's, so nothing else is read without them.
    let profile = Profile::of(ChainId(raw.chain.chain_id)).map_err(|error| {
        rules.refuse("chain.chain_id", raw.chain.chain_id, error);
        std::mem::take(&mut rules.broken)
    })?;
    #[cfg(not(feature = "service"))]
    rules.without_service(&raw);
    let config = Config {
        chain: rules.chain(raw.chain, &profile),
        vault: rules.vault(&raw.vault),
        key: rules.key(&raw.key, base),
        next_key: raw
            .next_key
            .as_ref()
            .and_then(|next| rules.next_key(next, &raw.key, base)),
        store: rules.store(&raw.store, base),
        batch: rules.batch(&raw.batch),
        patience: rules.patience(&raw.fees),
        max_gas_cost_per_day: rules.gas_budget(&raw.fees),
        fees: rules.fees(raw.fees, &profile),
        lane: rules.lane(&raw.lane, &profile),
        gas: rules.gas(&raw.gas, &profile),
        operations: rules.operations(&raw.operations),
        #[cfg(feature = "service")]
        serve: rules.serve(&raw.serve, base),
        #[cfg(feature = "service")]
        publish: rules.publish(&raw.publish, base),
        #[cfg(feature = "service")]
        consume: rules.consume(&raw.consume, base),
        profile,
    };
    if rules.broken.is_empty() {
        Ok(config)
    } else {
        Err(rules.broken)
    }
}

const GWEI_DECIMALS: u8 = 9;
const COIN_DECIMALS: u8 = 18;
const BUDGET: &str = "fees.max_gas_cost_per_day";
const TRACES: &str = "operations.traces_url";

/// Collects what is broken. A broken field is read as a stand-in, which nobody gets to see.
#[derive(Default)]
struct Rules {
    broken: Vec<Violation>,
}

impl Rules {
    /// Sections that nothing here heeds are mistakes.
    #[cfg(not(feature = "service"))]
    fn without_service(&mut self, raw: &Raw) {
        let sections = [
            ("serve", &raw.serve),
            ("publish", &raw.publish),
            ("consume", &raw.consume),
        ];
        for (section, _) in sections.into_iter().filter(|(_, raw)| raw.is_given) {
            self.refuse(section, "given", crate::cli::HOW);
        }
    }

    fn chain(&mut self, raw: RawChain, profile: &Profile) -> ChainConfig {
        let rpc_url = self.url("chain.rpc_url", &raw.rpc_url);
        ChainConfig {
            second_rpc_url: self.second_url(&rpc_url, raw.second_rpc_url.as_deref()),
            rpc_url,
            chain_id: ChainId(self.within("chain.chain_id", raw.chain_id, 1, u64::MAX)),
            allow_single_node: raw.allow_single_node,
            poll_interval_ms: self.within(
                "chain.poll_interval_ms",
                raw.poll_interval_ms,
                10,
                600_000,
            ),
            request_timeout_ms: self.within(
                "chain.request_timeout_ms",
                raw.request_timeout_ms,
                100,
                600_000,
            ),
            block_checks: match raw.block_checks {
                Some(text) => self.block_checks(&text),
                None => profile.checks.blocks,
            },
            final_depth: (raw.final_depth)
                .map(|depth| self.within("chain.final_depth", depth, 1, 1_000_000)),
        }
    }

    fn vault(&mut self, raw: &RawVault) -> VaultConfig {
        let vault = VaultConfig {
            address: self.address("vault.address", &raw.address),
            lens: self.address("vault.lens", &raw.lens),
            token: self.address("vault.token", &raw.token),
        };
        let rule = "must be another address than vault.address";
        if !vault.address.is_zero() && vault.lens == vault.address {
            self.refuse("vault.lens", &raw.lens, rule);
        }
        if !vault.address.is_zero() && vault.token == vault.address {
            self.refuse("vault.token", &raw.token, rule);
        }
        vault
    }

    fn batch(&mut self, raw: &RawBatch) -> BatchSettings {
        // Times in headers are below 2^40 seconds; a year is more than anybody waits.
        const YEAR: u64 = 366 * 86_400;
        // The longest life of a proposal.
        const MONTH: u64 = 30 * 86_400;
        BatchSettings {
            max_payments: self.within("batch.max_payments", raw.max_payments, 1, 256),
            max_wait_ms: self.within("batch.max_wait_ms", raw.max_wait_ms, 0, 86_400_000),
            attempt_ttl_s: self.within("batch.attempt_ttl_s", raw.attempt_ttl_s, 60, 86_400),
            voting_s: self.within("batch.voting_s", raw.voting_s, 3_600, MONTH),
            max_returns: self.within("batch.max_returns", raw.max_returns, 0, 1_000),
            escalate_after_s: raw
                .escalate_after_s
                .map(|age| self.within("batch.escalate_after_s", age, 0, YEAR)),
        }
    }

    fn fees(&mut self, raw: RawFees, profile: &Profile) -> FeePolicy {
        let or = |given: Option<String>, default: &str| given.unwrap_or_else(|| default.to_owned());
        let max_fee = or(raw.max_fee_gwei, &profile.fees.max_fee_gwei);
        let min_tip = or(raw.min_tip_gwei, &profile.fees.min_tip_gwei);
        let max_tip = or(raw.max_tip_gwei, &profile.fees.max_tip_gwei);
        let fees = FeePolicy {
            max_fee: self.gwei("fees.max_fee_gwei", &max_fee),
            min_tip: self.gwei("fees.min_tip_gwei", &min_tip),
            max_tip: self.gwei("fees.max_tip_gwei", &max_tip),
            blocks_ahead: self.within("fees.blocks_ahead", raw.blocks_ahead, 1, 64),
            bump_percent: self.within("fees.bump_percent", raw.bump_percent, 10, 1_000),
        };
        if fees.max_fee == 0 {
            self.refuse("fees.max_fee_gwei", &max_fee, "must be more than 0");
        }
        if fees.min_tip > fees.max_tip {
            let rule = "must not be above fees.max_tip_gwei";
            self.refuse("fees.min_tip_gwei", &min_tip, rule);
        }
        if fees.max_tip > fees.max_fee {
            let rule = "must not be above fees.max_fee_gwei, which includes the tip";
            self.refuse("fees.max_tip_gwei", &max_tip, rule);
        }
        fees
    }

    /// None if nothing is to wait for a cheap hour.
    fn patience(&mut self, raw: &RawFees) -> Option<Patience> {
        let deadline_s: u64 = self.within("fees.wait_s", raw.wait_s, 0, 604_800);
        let percent = self.within("fees.wait_percent", raw.wait_percent, 1, 100);
        (deadline_s > 0).then_some(Patience {
            deadline_s,
            percent,
        })
    }

    /// None if there is no budget for a day. [wei]
    fn gas_budget(&mut self, raw: &RawFees) -> Option<u128> {
        let text = raw.max_gas_cost_per_day.as_deref()?;
        let parsed = Amount::parse(text, COIN_DECIMALS).map_err(|error| rule_of(&error));
        match parsed {
            Ok(Amount(wei)) if wei > 0 => return Some(wei),
            Ok(_) => self.refuse(BUDGET, text, "must be more than 0, or left out"),
            Err(rule) => {
                let rule = format!(
                    "must be in the chain's coin with up to 18 decimals, such as \"0.25\": {rule}"
                );
                self.refuse(BUDGET, text, rule);
            }
        }
        None
    }

    /// A bound that is given holds under all rules.
    fn gas(&mut self, raw: &RawGas, profile: &Profile) -> GasConfig {
        let transaction = match raw.max_transaction_gas {
            None => profile.transaction_gas(),
            Some(gas) => {
                let field = "gas.max_transaction_gas";
                TransactionGas::always(self.within(field, gas, 100_000, 1_000_000_000))
            }
        };
        GasConfig { transaction }
    }

    fn lane(&mut self, raw: &RawLane, profile: &Profile) -> LaneSettings {
        LaneSettings {
            max_unincluded: self.within("lane.max_unincluded", raw.max_unincluded, 1, 64),
            rebroadcast_blocks: self.within(
                "lane.rebroadcast_blocks",
                (raw.rebroadcast_blocks).unwrap_or_else(|| profile.rebroadcast_blocks()),
                1,
                100_000,
            ),
            replace_blocks: self.within(
                "lane.replace_blocks",
                (raw.replace_blocks).unwrap_or_else(|| profile.replace_blocks()),
                1,
                100_000,
            ),
        }
    }

    fn operations(&mut self, raw: &RawOperations) -> OperationsConfig {
        let listen = raw.listen.as_deref().and_then(|text| {
            let address = text.parse().ok();
            if address.is_none() {
                let rule = "must be an address and a port, such as 127.0.0.1:9464";
                self.refuse("operations.listen", text, rule);
            }
            address
        });
        let traces_url = raw.traces_url.as_deref().map(|text| {
            if !cfg!(feature = "otlp") {
                let rule = "this keeper was built without it; cargo build needs --features otlp";
                self.refuse(TRACES, "(not shown)", rule);
            }
            self.url(TRACES, text)
        });
        OperationsConfig { listen, traces_url }
    }

    // ── One value ────────────────────────────────────────────────────────────────────────────────────────────────

    fn refuse(&mut self, field: &'static str, value: impl ToString, rule: impl ToString) {
        self.broken.push(Violation {
            field,
            value: value.to_string(),
            rule: rule.to_string(),
        });
    }

    fn within<T>(&mut self, field: &'static str, value: u64, least: u64, most: u64) -> T
    where
        T: TryFrom<u64> + Default,
    {
        if (least..=most).contains(&value)
            && let Ok(value) = T::try_from(value)
        {
            return value;
        }
        self.refuse(field, value, format!("must be {least} to {most}"));
        T::default()
    }

    fn address(&mut self, field: &'static str, text: &str) -> Address {
        match parse_address(text) {
            Ok(address) if address.is_zero() => {
                self.refuse(field, text, "must not be the zero address");
                address
            }
            Ok(address) => address,
            Err(error) => {
                self.refuse(field, text, rule_of(&error));
                Address::ZERO
            }
        }
    }

    /// A decimal number of gwei, in wei.
    fn gwei(&mut self, field: &'static str, text: &str) -> u128 {
        match Amount::parse(text, GWEI_DECIMALS) {
            Ok(Amount(wei)) => wei,
            Err(error) => {
                let rule = rule_of(&error);
                let rule = format!("must be gwei with up to 9 decimals, such as 0.5: {rule}");
                self.refuse(field, text, rule);
                0
            }
        }
    }

    fn url(&mut self, field: &'static str, text: &str) -> RpcUrl {
        let parsed = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if parsed.is_none() {
            // A URL may carry a password, so no part of it is repeated.
            let example = if field == TRACES {
                "http://127.0.0.1:4318/v1/traces"
            } else {
                "http://127.0.0.1:8545"
            };
            let rule = format!("must be an http:// or https:// URL, such as {example}");
            self.refuse(field, "(not shown)", rule);
        }
        RpcUrl(parsed)
    }

    /// Two names of one node would be one node's word twice.
    fn second_url(&mut self, first: &RpcUrl, text: Option<&str>) -> Option<RpcUrl> {
        const FIELD: &str = "chain.second_rpc_url";
        let second = self.url(FIELD, text?);
        if let (Some(one), Some(other)) = (first.place(), second.place())
            && one == other
        {
            let rule = "must be another node than chain.rpc_url, and leads to the same place";
            self.refuse(FIELD, "(not shown)", rule);
        }
        Some(second)
    }

    fn block_checks(&mut self, text: &str) -> BlockChecks {
        text.parse().unwrap_or_else(|()| {
            let known = BlockChecks::ALL.map(|checks| checks.to_string()).join(", ");
            let rule = format!("must be one of {known}");
            self.refuse("chain.block_checks", text, rule);
            BlockChecks::default()
        })
    }

    fn path(&mut self, field: &'static str, path: &Path, base: &Path) -> PathBuf {
        if path.as_os_str().is_empty() {
            self.refuse(field, "\"\"", "must name a file");
        }
        base.join(path)
    }
}

fn rule_of(error: &DomainError) -> String {
    match error {
        DomainError::AddressInvalid { rule, .. } | DomainError::AmountInvalid { rule, .. } => {
            (*rule).to_owned()
        }
        other => other.to_string(),
    }
}
