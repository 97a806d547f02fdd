//! What a vault over words answers when it is asked, beside what the contract answers: the same bytes, on random traces.
#![allow(
    missing_docs,
    non_snake_case,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "fields are named as the contract's; a test says what must hold by panicking when it does not, in its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, U256, fixed_bytes};
use alloy_sol_types::SolCall;
use tidelock_model::{
    Caller, Fixed, Rules, Vault, abi,
    packed::{Packed, store::Key},
    read, views,
};
use tidelock_trial::{
    author::Author,
    chain::{CHAIN_ID, Fork},
    run::begin,
    setting::BIRTH,
    trial::{Step, Trial, verb},
    world::Outside,
};

type Words = BTreeMap<Key, U256>;

/// The contract, and the rules over words.
struct Pair {
    trial: Trial,
    packed: Vault<Packed<Words>>,
    outside: Outside,
    asked: BTreeSet<String>,
}

impl Pair {
    fn new(seed: u64) -> (Self, Author) {
        let (trial, author) = begin(Fork::Osaka, Rules::VAULT, seed);
        let memory = |fixed: &Fixed| Packed::new(Words::new(), fixed.unit);
        let (vault, configuration) = (trial.place.vault, &trial.configuration);
        let (packed, _) =
            Vault::create(Rules::VAULT, CHAIN_ID, vault, configuration, BIRTH, memory);
        let mut outside = Outside::default();
        outside.add_token(trial.place.token);
        outside.add_token(trial.place.other);
        outside.add_signer(trial.place.contract_signer);
        let pair = Self {
            trial,
            packed,
            outside,
            asked: BTreeSet::new(),
        };
        (pair, author)
    }

    fn take(&mut self, step: &Step) {
        let answer = self
            .trial
            .take(step)
            .unwrap_or_else(|what| panic!("{what}"));
        if step.to != self.trial.place.vault {
            self.outside.apply(step.to, &step.data);
            return;
        }
        let by = Caller {
            address: step.from,
            time: step.time,
        };
        let (mut packed, mut after) = (self.packed.clone(), self.outside.clone());
        let done = read(&step.data).and_then(|call| packed.perform(&mut after, by, call));
        assert_eq!(done.is_ok(), answer.success, "{}", verb(&step.data));
        if done.is_ok() {
            (self.packed, self.outside) = (packed, after);
        }
    }

    /// Asks both.
    fn ask(&mut self, time: u64, data: &[u8]) {
        let call = read(data).expect("a call of the vault");
        let answer = views::answer(&self.packed, CHAIN_ID, time, &call).expect("a view");
        let seen = match answer {
            Ok(bytes) => (true, bytes),
            Err(revert) => (false, revert),
        };
        let expected = self.trial.ask(data);
        assert_eq!(seen, expected, "{} at {time}", verb(data));
        self.asked.insert(verb(data));
    }
}

/// Every view of nothing, and of what the step is about.
fn questions(step: &Step, accounts: &[Address]) -> Vec<Vec<u8>> {
    use abi as a;
    let mut all = vec![
        a::VERSIONCall {}.abi_encode(),
        a::eip712DomainCall {}.abi_encode(),
        a::guardiansCall {}.abi_encode(),
        a::hardCeilingCall {}.abi_encode(),
        a::hotCall {}.abi_encode(),
        a::policyDelayCall {}.abi_encode(),
        a::policyDelayFloorCall {}.abi_encode(),
        a::signersCall {}.abi_encode(),
        a::successorCall {}.abi_encode(),
        a::termsChangedAtCall {}.abi_encode(),
        a::thresholdCall {}.abi_encode(),
        a::tierCountCall {}.abi_encode(),
        a::tokenCall {}.abi_encode(),
        a::unitCall {}.abi_encode(),
    ];
    for interfaceId in [
        fixed_bytes!("01ffc9a7"),
        fixed_bytes!("f7cef45b"),
        fixed_bytes!("ffffffff"),
    ] {
        all.push(a::supportsInterfaceCall { interfaceId }.abi_encode());
    }
    for index in [0, 1, 2, 3, 4, 256_u64].map(U256::from) {
        all.push(a::tierCall { index }.abi_encode());
        all.push(a::packedTierCall { index }.abi_encode());
        all.push(a::headroomCall { index }.abi_encode());
        all.push(a::windowCall { index }.abi_encode());
    }
    for account in accounts.iter().copied() {
        all.push(a::memberCall { account }.abi_encode());
        all.push(a::standingOfCall { recipient: account }.abi_encode());
    }
    for id in step.ids.iter().copied().chain([B256::ZERO]) {
        all.push(a::stateOfCall { id }.abi_encode());
        all.push(a::proposalCall { id }.abi_encode());
    }
    for number in step.numbers.iter().copied().chain([0, u64::MAX]) {
        all.push(a::isPaidCall { number }.abi_encode());
        for count in [0, 1, 200, 256, 257] {
            let firstNumber = number;
            all.push(a::paidMaskCall { firstNumber, count }.abi_encode());
        }
    }
    all.extend(hashes(step));
    all
}

/// Ids of what the step carries, and of what is no change.
fn hashes(step: &Step) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    match read(&step.data) {
        Ok(abi::VaultCalls::approve(c)) => {
            all.push(abi::hashBatchCall { batch: c.batch }.abi_encode());
        }
        Ok(abi::VaultCalls::proposeChange(c)) => {
            let cut = Bytes::from(c.change.get(1..).unwrap_or_default().to_vec());
            for change in [c.change, cut, Bytes::new()] {
                let kind = c.kind;
                all.push(abi::hashChangeCall { kind, change }.abi_encode());
            }
        }
        _ => {}
    }
    all
}

#[test]
fn words_answer_as_the_contract_does() {
    let mut asked = BTreeSet::new();
    for seed in 101..=104 {
        let (mut pair, mut author) = Pair::new(seed);
        let accounts = author.accounts();
        let place = pair.trial.place.clone();
        let mut opening = author.opening(&place).into_iter();
        for _ in 0..120 {
            let step = match opening.next() {
                Some(step) => step,
                None => author.next(&pair.trial.model, &place),
            };
            pair.take(&step);
            for data in questions(&step, &accounts) {
                pair.ask(step.time, &data);
            }
        }
        asked.extend(pair.asked);
    }
    assert_eq!(asked.len(), 27, "every view is asked: {asked:?}");
}
