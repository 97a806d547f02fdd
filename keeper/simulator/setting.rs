//! What is drawn once for a seed: policy, people, speeds, fees, and how the keeper is set.

use alloy_primitives::{Address, B256, aliases::U40, keccak256};
use tidelock_core::{
    domain::{Amount, ChainId, VaultDomain},
    event::{BlockRef, Namespace, Opening},
    settings::{BatchSettings, LaneSettings, Settings, TransactionGas},
    submit::FeePolicy,
};

use crate::{
    rng::Rng,
    world::{
        chain::{Account, Block, KEYS, Ledger, block_hash},
        token::Token,
        vault::{KEEPER, PROPOSER, THRESHOLD},
    },
};
use tidelock_model::{
    Rules, Standing, Vault,
    abi::{Configuration, Grant, Tier},
};

const GWEI: u128 = 1_000_000_000;
/// One token. [base units]
pub const USDT: u128 = 1_000_000;
/// Accounting grain. [base units]
const UNIT: u128 = 10_000;
/// Most that all tiers together may ever release in 24 hours. [base units]
const HARD_CEILING: u128 = 50_000_000 * USDT;
/// Delay of policy changes, and its floor. [seconds]
const POLICY_DELAY: u32 = 24 * 3600;
const START: u64 = 1_800_000_000;
const CHAIN_ID: u64 = 31_337;
/// How long roles are granted for. [seconds]
const GRANT: u64 = 400 * 24 * 3600;

/// Everything about a seed that does not change while it runs.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The vault's address.
    pub vault: Address,
    /// The token's address.
    pub token: Address,
    /// Who approves at first.
    pub signers: Vec<Address>,
    /// Who may stop things.
    pub guardian: Address,
    /// Stands for approved policy changes, for whoever deposits, and for the token's issuer.
    pub admin: Address,
    /// Another key with the keeper's role: whoever paid before this keeper, and could still.
    pub spare: Address,
    /// Recipients without any trouble.
    pub good: Vec<Address>,
    /// Recipients that the token refuses.
    pub refused: Vec<Address>,
    /// Recipients that the token would pay and freeze.
    pub blacklisted: Vec<Address>,
    /// Blocks on top of a final one.
    pub finality_depth: u64,
    /// Time between blocks. [milliseconds]
    pub block_ms: u64,
    /// Least chain time between blocks; twice that at most. [seconds]
    pub block_s: u64,
    /// Where the base fee is at home. [wei per gas]
    pub base_fee: u128,
    /// Most the keeper pays. [wei per gas]
    pub max_fee: u128,
    /// Tip that nodes suggest. [wei per gas]
    pub suggested_tip: u128,
    /// What every transaction pays for its data beside gas, where the chain takes it. [wei]
    pub data_fee: Option<u128>,
    /// What the key has for gas. [wei]
    pub gas_wei: u128,
    /// What the vault gets at a time. [base units]
    pub deposit: u128,
    /// Requests filed while faults strike, about.
    pub requests: u64,
    /// Nodes run a call with more gas than a transaction may use.
    pub generous_node: bool,
    /// The release policy.
    tiers: Vec<Tier>,
    settings: Settings,
}

/// The address of a name.
pub fn address(name: &str) -> Address {
    Address::from_word(keccak256(name))
}

fn addresses(name: &str, count: u64) -> Vec<Address> {
    (0..count)
        .map(|i| address(&format!("{name} {i}")))
        .collect()
}

impl Setting {
    /// Draws one.
    pub fn draw(rng: &mut Rng) -> Self {
        // From a copy: a seed without either is what it would be if there were none.
        let (data_fee, day) = costs(rng.clone());
        let block_ms = rng.pick(&[1_000, 3_000, 12_000]);
        let max_fee = rng.pick(&[30, 60]) * GWEI;
        let token = address("token");
        let policy = FeePolicy {
            max_fee,
            min_tip: GWEI,
            max_tip: 5 * GWEI,
            blocks_ahead: rng.between(1, 4) as u32,
            bump_percent: 10,
        };
        let settings = Settings {
            token,
            unit: Amount(UNIT),
            fees: policy,
            patience: None,
            max_gas_cost_per_day: day.map(|gas| gas * max_fee),
            batch: BatchSettings {
                max_payments: rng.pick(&[1, 3, 8, 32, 256]),
                max_wait_ms: rng.pick(&[0, block_ms, 4 * block_ms]),
                attempt_ttl_s: rng.pick(&[3_600, 7_200, 7_200]),
                voting_s: rng.pick(&[3, 8]) * 24 * 3600,
                max_returns: rng.between(1, 3) as u32,
                escalate_after_s: rng.pick(&[None, None, Some(60), Some(600)]),
            },
            lane: LaneSettings {
                max_unincluded: rng.between(1, 4) as usize,
                rebroadcast_blocks: rng.between(1, 4),
                replace_blocks: rng.between(2, 6),
            },
            transaction_gas: TransactionGas::always(rng.pick(&[200_000, 1_000_000, 16_777_216])),
            sends: true,
            poll_ms: block_ms / 4,
            retry_ms: block_ms / 2,
        };
        Self {
            vault: address("vault"),
            token,
            signers: addresses("signer", 4),
            guardian: address("guardian"),
            admin: address("admin"),
            spare: address("spare"),
            good: addresses("payee", 16),
            refused: addresses("refused", 2),
            blacklisted: addresses("blacklisted", 2),
            finality_depth: rng.between(2, 8),
            block_ms,
            block_s: rng.pick(&[2, 12, 60, 300]),
            base_fee: 10 * GWEI,
            max_fee,
            suggested_tip: rng.pick(&[0, GWEI, 2 * GWEI, 9 * GWEI]),
            data_fee,
            gas_wei: 100 * GWEI * GWEI,
            deposit: rng.pick(&[50_000, 1_000_000, 50_000_000]) * USDT,
            requests: rng.pick(&[5, 20, 60]),
            generous_node: rng.chance(500),
            tiers: policy_tiers(rng),
            settings,
        }
    }

    /// How the keeper is set.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// The vault and its chain.
    pub fn domain(&self) -> VaultDomain {
        VaultDomain {
            chain_id: ChainId(CHAIN_ID),
            vault: self.vault,
        }
    }

    /// What the keeper's log is opened for.
    pub fn opening(&self, keeper: Address, start: BlockRef) -> Opening {
        Opening {
            domain: self.domain(),
            keeper,
            first_nonce: 0,
            namespace: Namespace::new(4_711).expect("in range"),
            start,
        }
    }

    /// What the recipient book says of those without any trouble: it knows every other one.
    pub fn standings(&self) -> Vec<(Address, Standing)> {
        let turns = [Standing::Known, Standing::Unknown].into_iter().cycle();
        self.good.iter().copied().zip(turns).collect()
    }

    /// How the vault is created.
    fn configuration(&self, keys: [Address; KEYS]) -> Configuration {
        let until = U40::from(START + GRANT);
        let grant = |(account, role)| Grant {
            account,
            role,
            until,
        };
        let [keeper, next] = keys;
        let both = [keeper, next, self.spare];
        let mut roles: Vec<_> = (both.into_iter())
            .flat_map(|key| [(key, KEEPER), (key, PROPOSER)])
            .collect();
        roles.push((self.signers[0], PROPOSER));
        let known = self.standings().into_iter();
        let known = known.filter(|(_, standing)| *standing == Standing::Known);
        Configuration {
            token: self.token,
            unit: UNIT,
            hardCeiling: HARD_CEILING,
            policyDelayFloor: POLICY_DELAY,
            policyDelay: POLICY_DELAY,
            threshold: THRESHOLD,
            signers: self.signers.clone(),
            tiers: self.tiers.clone(),
            guardians: vec![self.guardian],
            guardiansUntil: until,
            grants: roles.into_iter().map(grant).collect(),
            known: known.map(|(payee, _)| payee).collect(),
            successor: Address::ZERO,
        }
    }

    /// The first block and the state after it.
    pub fn beginning(&self, keys: [Address; KEYS]) -> (Block, Ledger) {
        let configuration = self.configuration(keys);
        let (vault, _) = Vault::new(Rules::VAULT, CHAIN_ID, self.vault, &configuration, START);
        let token = Token {
            address: self.token,
            vault_balance: self.deposit,
            paused: false,
            refused: self.refused.iter().copied().collect(),
            blacklisted: self.blacklisted.iter().copied().collect(),
        };
        let ledger = Ledger {
            vault,
            token,
            accounts: [Account {
                nonce: 0,
                gas_wei: self.gas_wei,
            }; KEYS],
        };
        let block = Block {
            number: 100,
            hash: block_hash(B256::ZERO, 0),
            parent: B256::ZERO,
            time: START,
            base_fee: self.base_fee,
            gas_limit: 30_000_000,
            gas_used: 15_000_000,
            transactions: Vec::new(),
            deeds: Vec::new(),
            calls: Vec::new(),
            logs: Vec::new(),
            nonces: [0; KEYS],
        };
        (block, ledger)
    }
}

/// A rollup's fee for data [wei], and the gas at the highest fee that a day's budget pays for.
fn costs(mut rng: Rng) -> (Option<u128>, Option<u128>) {
    (
        rng.pick(&[None, None, Some(500_000 * GWEI), Some(2_000_000 * GWEI)]),
        rng.pick(&[None, None, None, Some(3_000_000), Some(12_000_000)]),
    )
}

fn policy_tiers(rng: &mut Rng) -> Vec<Tier> {
    let row = |known: u128, unknown: u128, cap: u128, approvals, delay| Tier {
        maxKnown: known * USDT,
        maxUnknown: unknown * USDT,
        cap: cap * USDT,
        approvals,
        delay,
    };
    let small_cap = rng.pick(&[12_000, 40_000, 200_000]);
    vec![
        row(10_000, 1_000, small_cap, 0, 0),
        row(100_000, 20_000, 500_000, 2, 3_600),
        row(1_000_000, 1_000_000, 3_000_000, 3, 24 * 3600),
    ]
}
