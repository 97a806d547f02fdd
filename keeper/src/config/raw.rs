//! The configuration as it is written: names and types, before its rules are applied.

#[cfg(not(feature = "service"))]
mod absent;

use std::path::PathBuf;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub chain: RawChain,
    pub vault: RawVault,
    #[serde(default)]
    pub key: RawKey,
    pub next_key: Option<RawKey>,
    #[serde(default)]
    pub store: RawStore,
    #[serde(default)]
    pub batch: RawBatch,
    #[serde(default)]
    pub fees: RawFees,
    #[serde(default)]
    pub lane: RawLane,
    #[serde(default)]
    pub gas: RawGas,
    #[serde(default)]
    pub operations: RawOperations,
    #[serde(default)]
    pub serve: RawServe,
    #[serde(default)]
    pub publish: RawPublish,
    #[serde(default)]
    pub consume: RawConsume,
}

/// Of a section that this keeper has no use for, whether it is there.
#[cfg(not(feature = "service"))]
pub(super) use absent::{Absent as RawConsume, Absent as RawPublish, Absent as RawServe};
#[cfg(feature = "service")]
pub(super) use service::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChain {
    pub rpc_url: String,
    pub second_rpc_url: Option<String>,
    pub chain_id: u64,
    #[serde(default)]
    pub allow_single_node: bool,
    #[serde(default = "poll_interval_ms")]
    pub poll_interval_ms: u64,
    #[serde(default = "request_timeout_ms")]
    pub request_timeout_ms: u64,
    pub block_checks: Option<String>,
    pub final_depth: Option<u64>,
}

fn poll_interval_ms() -> u64 {
    1_000
}

fn request_timeout_ms() -> u64 {
    10_000
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVault {
    pub address: String,
    pub lens: String,
    pub token: String,
}

/// A section that may be left out as a whole or in part.
macro_rules! section {
    ($name:ident { $($field:ident: $kind:ty = $default:expr,)* }) => {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(in crate::config) struct $name {
            $(pub $field: $kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

#[cfg(feature = "service")]
mod service;

section!(RawKey {
    signer: String = "keystore".to_owned(),
    address: Option<String> = None,
    timeout_ms: u64 = 10_000,
    keystore: Option<PathBuf> = None,
    password_file: Option<PathBuf> = None,
    module: Option<PathBuf> = None,
    token: Option<String> = None,
    label: Option<String> = None,
    id: Option<String> = None,
    pin_file: Option<PathBuf> = None,
    kms_key: Option<String> = None,
    kms_region: Option<String> = None,
    kms_endpoint: Option<String> = None,
    url: Option<String> = None,
});

section!(RawStore {
    path: PathBuf = PathBuf::from("keeper.db"),
    database: Option<String> = None,
    password_file: Option<PathBuf> = None,
    lease_ms: u64 = 5_000,
});

section!(RawBatch {
    max_payments: u64 = 256,
    max_wait_ms: u64 = 5_000,
    attempt_ttl_s: u64 = 7_200,
    voting_s: u64 = 604_800,
    max_returns: u64 = 3,
    escalate_after_s: Option<u64> = None,
});

section!(RawFees {
    max_fee_gwei: Option<String> = None,
    min_tip_gwei: Option<String> = None,
    max_tip_gwei: Option<String> = None,
    blocks_ahead: u64 = 6,
    bump_percent: u64 = 10,
    max_gas_cost_per_day: Option<String> = None,
    wait_s: u64 = 0,
    wait_percent: u64 = 25,
});

section!(RawLane {
    max_unincluded: u64 = 8,
    rebroadcast_blocks: Option<u64> = None,
    replace_blocks: Option<u64> = None,
});

section!(RawGas {
    max_transaction_gas: Option<u64> = None,
});

section!(RawOperations {
    listen: Option<String> = None,
    traces_url: Option<String> = None,
});
