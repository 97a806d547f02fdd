//! One trial: the contract and the model take the same steps, and are compared after each.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, LogData, U256};
use alloy_sol_types::{SolEventInterface, SolInterface, SolValue, sol};
use tidelock_model::{
    Caller, Rules, State, Vault,
    abi::{Configuration, VaultCalls, VaultErrors, VaultEvents},
};

use crate::{
    chain::{CALL_GAS, CHAIN_ID, Chain, Fork},
    setting::{self, BIRTH},
    world::{IIntruder, Outside},
};

sol! {
    /// contracts/test/mocks/Watcher.sol
    interface IWatcher {
        function look(address vault, bytes32[] ids, uint64[] numbers, address[] accounts, address[] tokens) external returns (uint256[] memory);
    }
}

/// Tiers that there can be.
const MAX_TIERS: u8 = 4;
/// Steps from one comparison of everything to the next.
const EVERYTHING_EVERY: u64 = 25;

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Block time. [seconds]
    pub time: u64,
    /// Who sends it.
    pub from: Address,
    /// The vault, a token, or the contract that signs.
    pub to: Address,
    /// Calldata.
    pub data: Bytes,
    /// Ids that are watched from here on.
    pub ids: Vec<B256>,
    /// Numbers that are watched from here on.
    pub numbers: Vec<u64>,
}

/// Where a trial takes place.
#[derive(Debug, Clone)]
pub struct Place {
    /// The vault.
    pub vault: Address,
    /// Its token.
    pub token: Address,
    /// Another token.
    pub other: Address,
    /// The token's hook, which calls the vault.
    pub intruder: Address,
    /// A contract that signs.
    pub contract_signer: Address,
    pub(crate) watcher: Address,
}

/// How often what was met.
pub type Coverage = BTreeMap<String, u64>;

/// Both sides after some steps.
pub struct Trial {
    chain: Chain,
    /// Where.
    pub place: Place,
    /// What the vault was created with.
    pub configuration: Configuration,
    /// What should be.
    pub model: Vault,
    outside: Outside,
    accounts: Vec<Address>,
    /// What is watched: all of it now and then, and after each step what the step is about and what has not ended.
    ids: BTreeMap<B256, bool>,
    numbers: BTreeSet<u64>,
    turn: u64,
    /// Verbs that succeeded, and errors.
    pub coverage: Coverage,
}

/// What the contract answered.
pub struct Answer {
    /// Whether it did not revert.
    pub success: bool,
    /// Return or revert data.
    pub output: Bytes,
    /// What the vault logged.
    pub logs: Vec<LogData>,
}

impl Trial {
    /// Begins. `configure` is told where things are and says what the vault is created with; `accounts` are watched.
    pub fn new(
        fork: Fork,
        rules: Rules,
        accounts: &[Address],
        configure: impl FnOnce(&Place) -> Configuration,
    ) -> Result<Self, String> {
        let mut chain = Chain::new(fork, BIRTH);
        let mut create = |name| setting::contract(&mut chain, name, &[]);
        let mut place = Place {
            vault: Address::ZERO,
            token: create("ModeToken.sol:ModeToken"),
            other: create("ModeToken.sol:ModeToken"),
            intruder: create("Intruder.sol:Intruder"),
            contract_signer: create("TrialSigner.sol:TrialSigner"),
            watcher: create("Watcher.sol:Watcher"),
        };
        let configuration = configure(&place);
        place.vault = setting::vault(&mut chain, None, &configuration);
        let (model, _) = Vault::new(rules, CHAIN_ID, place.vault, &configuration, BIRTH);
        let mut outside = Outside::default();
        outside.add_token(place.token);
        outside.add_token(place.other);
        outside.add_signer(place.contract_signer);
        let mut watched = accounts.to_vec();
        watched.extend([
            place.vault,
            place.token,
            place.contract_signer,
            Address::ZERO,
        ]);
        let mut trial = Self {
            chain,
            place,
            configuration,
            model,
            outside,
            accounts: watched,
            ids: BTreeMap::new(),
            numbers: BTreeSet::new(),
            turn: 0,
            coverage: Coverage::new(),
        };
        trial.compare_everything(BIRTH)?;
        Ok(trial)
    }

    /// One step on both sides; says where they differ.
    pub fn take(&mut self, step: &Step) -> Result<Answer, String> {
        self.chain.set_time(step.time);
        let done = self.chain.send(step.from, step.to, step.data.clone());
        let mut logs = done.logs;
        logs.retain(|log| log.address == self.place.vault);
        let answer = Answer {
            success: done.success,
            output: done.output,
            logs: logs.into_iter().map(|log| log.data).collect(),
        };
        self.ids.extend(step.ids.iter().map(|id| (*id, true)));
        self.numbers.extend(&step.numbers);
        if step.to == self.place.vault {
            self.compare_answer(step, &answer)?;
        } else {
            if !answer.success {
                return Err(format!("a mock reverts: {}", answer.output));
            }
            self.outside.apply(step.to, &step.data);
        }
        self.turn += 1;
        if self.turn.is_multiple_of(EVERYTHING_EVERY) {
            self.compare_everything(step.time)?;
        } else {
            let going = self.ids.iter().filter(|(_, going)| **going);
            let ids: Vec<B256> = going.map(|(id, _)| *id).collect();
            self.compare_state(step.time, &ids, &step.numbers)?;
        }
        for (id, going) in &mut self.ids {
            let state = self.model.state(*id, step.time);
            *going &= state.number() <= State::Ready.number();
        }
        Ok(answer)
    }

    /// What the contract answers to a call, of which nothing stays; revert data and false if it reverts.
    pub fn ask(&mut self, data: &[u8]) -> (bool, Bytes) {
        let (vault, data) = (self.place.vault, data.to_vec().into());
        let seen = self
            .chain
            .try_with_gas(Address::ZERO, vault, data, CALL_GAS);
        (seen.success, seen.output)
    }

    /// All that was ever watched.
    pub fn compare_everything(&mut self, time: u64) -> Result<(), String> {
        let ids: Vec<B256> = self.ids.keys().copied().collect();
        let numbers: Vec<u64> = self.numbers.iter().copied().collect();
        self.compare_state(time, &ids, &numbers)
    }

    fn compare_answer(&mut self, step: &Step, answer: &Answer) -> Result<(), String> {
        let caller = Caller {
            address: step.from,
            time: step.time,
        };
        let expected = self.model.call(&mut self.outside, caller, &step.data);
        let verb = verb(&step.data);
        match expected {
            Ok(done) if answer.success => {
                *self.coverage.entry(verb.clone()).or_default() += 1;
                if done.returned != answer.output {
                    let seen = &answer.output;
                    return Err(format!("{verb} returns {seen}, expected {}", done.returned));
                }
                if done.logs != answer.logs {
                    let (seen, expected) = (events(&answer.logs), events(&done.logs));
                    return Err(format!("{verb} logs\n{seen}expected\n{expected}"));
                }
            }
            Err(expected) if !answer.success => {
                *self.coverage.entry(error_name(&expected)).or_default() += 1;
                if expected != answer.output {
                    let seen = told(&answer.output);
                    return Err(format!(
                        "{verb} reverts: {seen}\nexpected {}",
                        told(&expected)
                    ));
                }
            }
            Ok(_) => return Err(format!("{verb} reverts: {}", told(&answer.output))),
            Err(expected) => {
                return Err(format!("{verb} succeeds\nexpected {}", told(&expected)));
            }
        }
        Ok(())
    }

    // ── State ────────────────────────────────────────────────────────────────────────────────────────────────────

    fn compare_state(&mut self, time: u64, ids: &[B256], numbers: &[u64]) -> Result<(), String> {
        let look = IWatcher::lookCall {
            vault: self.place.vault,
            ids: ids.to_vec(),
            numbers: numbers.to_vec(),
            accounts: self.accounts.clone(),
            tokens: vec![self.place.token, self.place.other],
        };
        let seen = self.chain.view(self.place.watcher, &look);
        let expected = self.words(time, ids, numbers);
        for (seen, (name, i, expected)) in seen.iter().zip(&expected) {
            if seen != expected {
                return Err(format!("{name} {i} is {seen}, expected {expected}"));
            }
        }
        if seen.len() != expected.len() {
            return Err(format!("{} words, expected {}", seen.len(), expected.len()));
        }
        let entered = self
            .chain
            .view(self.place.intruder, &IIntruder::enteredCall {});
        if !entered.is_zero() {
            return Err("the token's hook entered the vault".into());
        }
        Ok(())
    }

    /// A call that reads all that was ever watched, and what it should answer.
    pub(crate) fn look(&mut self, time: u64) -> (IWatcher::lookCall, Vec<U256>) {
        let ids: Vec<B256> = self.ids.keys().copied().collect();
        let numbers: Vec<u64> = self.numbers.iter().copied().collect();
        let words = self.words(time, &ids, &numbers);
        let look = IWatcher::lookCall {
            vault: self.place.vault,
            ids,
            numbers,
            accounts: self.accounts.clone(),
            tokens: vec![self.place.token, self.place.other],
        };
        (look, words.into_iter().map(|(_, _, word)| word).collect())
    }

    /// What the watcher should see, named, in its order.
    fn words(&self, time: u64, ids: &[B256], numbers: &[u64]) -> Vec<(&'static str, usize, U256)> {
        let mut words = Words::default();
        let m = &self.model;
        words.push("haltedUntil", 0, m.halted_until());
        words.push("tiersChangedAt", 0, m.tiers_changed_at());
        words.push("epoch", 0, m.epoch());
        words.push("threshold", 0, m.threshold().into());
        words.push("policyDelay", 0, m.policy_delay());
        words.push("termsChangedAt", 0, m.terms_changed_at());
        words.address("successor", 0, m.successor());
        words.push("tierCount", 0, m.tiers().len() as u64);
        for k in 0..MAX_TIERS {
            let row = m.tiers().get(usize::from(k)).map(|t| t.row());
            let row = row.unwrap_or_default();
            let k_ = usize::from(k);
            words.wide("maxKnown", k_, row.maxKnown);
            words.wide("maxUnknown", k_, row.maxUnknown);
            words.wide("cap", k_, row.cap);
            words.push("approvals", k_, row.approvals.into());
            words.push("delay", k_, row.delay.into());
            words.wide("headroom", k_, m.headroom(k, time));
        }
        words.list("signers", m.signers());
        words.list("guardians", m.guardians());
        for (i, id) in ids.iter().enumerate() {
            let tally = m.tally(*id);
            words.push("stateOf", i, m.state(*id, time).number().into());
            words.push("votes", i, tally.votes.len() as u64);
            words.push("revoked", i, tally.barred.len() as u64);
            words.push("epoch of votes", i, tally.epoch);
            words.push("quorumAt", i, tally.quorum_at.unwrap_or(0));
            words.push("votedAt", i, tally.voted_at);
        }
        for (i, number) in numbers.iter().enumerate() {
            words.push("isPaid", i, m.is_paid(*number).into());
        }
        for (i, account) in self.accounts.iter().enumerate() {
            self.member_words(&mut words, i, *account);
        }
        words.0
    }

    fn member_words(&self, words: &mut Words, i: usize, account: Address) {
        let m = &self.model;
        let index = m.signers().iter().position(|signer| *signer == account);
        words.push("keeperUntil", i, m.role_until(account, 0));
        words.push("proposerUntil", i, m.role_until(account, 1));
        words.push("guardianUntil", i, m.role_until(account, 2));
        words.push("freezeAgainAt", i, m.freeze_again_at(account));
        words.push("signerEpoch", i, index.map_or(0, |_| m.epoch()));
        words.push("signerIndex", i, index.unwrap_or(0) as u64);
        words.push("standing", i, m.standing(account).number().into());
        for token in [self.place.token, self.place.other] {
            let balance = self.outside.balance_of(token, account);
            words.0.push(("balance", i, balance));
        }
    }
}

#[derive(Default)]
struct Words(Vec<(&'static str, usize, U256)>);

impl Words {
    fn push(&mut self, name: &'static str, i: usize, value: u64) {
        self.0.push((name, i, U256::from(value)));
    }

    fn wide(&mut self, name: &'static str, i: usize, value: u128) {
        self.0.push((name, i, U256::from(value)));
    }

    fn address(&mut self, name: &'static str, i: usize, value: Address) {
        let word = U256::from_be_slice(&value.abi_encode());
        self.0.push((name, i, word));
    }

    fn list(&mut self, name: &'static str, list: &[Address]) {
        self.push(name, 0, list.len() as u64);
        for (i, account) in list.iter().enumerate() {
            self.address(name, i, *account);
        }
    }
}

/// Name of the function that calldata calls.
pub fn verb(data: &[u8]) -> String {
    let selector = data.get(..4).and_then(|s| <[u8; 4]>::try_from(s).ok());
    let name = selector.and_then(VaultCalls::name_by_selector);
    name.unwrap_or("an unknown function").to_string()
}

/// Name of an error.
fn error_name(revert: &[u8]) -> String {
    let selector = revert.get(..4).and_then(|s| <[u8; 4]>::try_from(s).ok());
    let name = selector.and_then(VaultErrors::name_by_selector);
    name.unwrap_or("no data").to_string()
}

/// Logs for people.
fn events(logs: &[LogData]) -> String {
    let event = |log: &LogData| match VaultEvents::decode_raw_log(log.topics(), &log.data) {
        Ok(event) => format!("  {event:?}\n"),
        Err(_) => format!("  {log:?}\n"),
    };
    logs.iter().map(event).collect()
}

/// Revert data for people.
fn told(revert: &Bytes) -> String {
    match VaultErrors::abi_decode(revert) {
        Ok(error) => format!("{error:?}"),
        Err(_) => format!("{revert}"),
    }
}
