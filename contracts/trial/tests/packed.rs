//! The rules over words of storage, as a vault on a chain keeps them, beside the rules over lists: the same answers, and the same
//! state, on random traces.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what must hold by panicking when it does not, in its helpers too"
)]

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use tidelock_model::{
    Caller, Memory, Rules, State, Vault, World,
    packed::{Packed, store::Key},
    read,
};
use tidelock_trial::{
    author::Author,
    chain::{CHAIN_ID, Fork},
    run::begin,
    setting::BIRTH,
    trial::{Place, Step, verb},
    world::Outside,
};

const RULES: Rules = Rules::VAULT;
const WORLDS: u64 = 16;
const STEPS: u64 = 250;

type Words = BTreeMap<Key, U256>;

/// Both vaults, each in a world of its own.
struct Twins {
    lists: Vault,
    packed: Vault<Packed<Words>>,
    outside: [Outside; 2],
    accounts: Vec<Address>,
    ids: Vec<B256>,
    numbers: Vec<u64>,
}

impl Twins {
    fn new(seed: u64) -> (Self, Author, Place) {
        let (trial, author) = begin(Fork::Osaka, RULES, seed);
        let (place, configuration) = (trial.place.clone(), &trial.configuration);
        let memory = |fixed: &tidelock_model::Fixed| Packed::new(Words::new(), fixed.unit);
        let (packed, logged) =
            Vault::create(RULES, CHAIN_ID, place.vault, configuration, BIRTH, memory);
        let (lists, expected) = Vault::new(RULES, CHAIN_ID, place.vault, configuration, BIRTH);
        assert_eq!(logged, expected);
        let mut outside = Outside::default();
        outside.add_token(place.token);
        outside.add_token(place.other);
        outside.add_signer(place.contract_signer);
        let mut accounts = author.accounts();
        accounts.extend([
            place.vault,
            place.token,
            place.contract_signer,
            Address::ZERO,
        ]);
        let twins = Self {
            lists,
            packed,
            outside: [outside.clone(), outside],
            accounts,
            ids: Vec::new(),
            numbers: Vec::new(),
        };
        (twins, author, place)
    }

    fn take(&mut self, step: &Step, place: &Place) {
        self.ids.extend(&step.ids);
        self.numbers.extend(&step.numbers);
        if step.to != place.vault {
            for outside in &mut self.outside {
                outside.apply(step.to, &step.data);
            }
            return;
        }
        let by = Caller {
            address: step.from,
            time: step.time,
        };
        let [first, second] = &mut self.outside;
        let expected = self.lists.call(first, by, &step.data);
        let (mut packed, mut after) = (self.packed.clone(), second.clone());
        let seen = read(&step.data).and_then(|call| packed.perform(&mut after, by, call));
        assert_eq!(seen, expected, "{} at {}", verb(&step.data), step.time);
        if seen.is_ok() {
            (self.packed, *second) = (packed, after);
        }
    }

    fn compare(&self, time: u64) {
        let (lists, packed) = (&self.lists, &self.packed);
        compare_policy(lists.memory(), packed.memory(), time);
        for account in &self.accounts {
            compare_account(lists.memory(), packed.memory(), *account);
            let [one, other] = &self.outside;
            let token = lists.fixed().token;
            assert_eq!(one.balance(token, *account), other.balance(token, *account));
        }
        for id in &self.ids {
            compare_proposal(lists.memory(), packed.memory(), *id, &self.accounts);
            assert_eq!(packed.view(*id, time), lists.view(*id, time));
        }
        for number in &self.numbers {
            let unpaid = packed.memory().unpaid(*number, 1);
            assert_eq!(unpaid, lists.memory().unpaid(*number, 1), "{number}");
        }
    }
}

fn compare_policy(lists: &impl Memory, packed: &impl Memory, time: u64) {
    assert_eq!(packed.settings(), lists.settings());
    assert_eq!(packed.tiers(), lists.tiers());
    assert_eq!(packed.signers(), lists.signers());
    assert_eq!(packed.guardians(), lists.guardians());
    for tier in 0..5 {
        assert_eq!(packed.tier(tier), lists.tier(tier));
        assert_eq!(
            packed.used(&RULES, tier, time),
            lists.used(&RULES, tier, time)
        );
    }
}

fn compare_account(lists: &impl Memory, packed: &impl Memory, account: Address) {
    assert_eq!(packed.is_signer(account), lists.is_signer(account));
    for role in 0..3 {
        let until = packed.role_until(account, role);
        assert_eq!(until, lists.role_until(account, role));
    }
    let again = packed.freeze_again_at(account);
    assert_eq!(again, lists.freeze_again_at(account));
    assert_eq!(packed.standing(account), lists.standing(account));
}

fn compare_proposal(lists: &impl Memory, packed: &impl Memory, id: B256, accounts: &[Address]) {
    let timeless = |memory: Option<tidelock_model::Proposal>| {
        memory.map(|proposal| tidelock_model::Proposal {
            proposed_at: 0, // of which the words keep only what follows from it
            ..proposal
        })
    };
    assert_eq!(timeless(packed.proposal(id)), timeless(lists.proposal(id)));
    assert_eq!(packed.count(&RULES, id), lists.count(&RULES, id));
    for account in accounts {
        let vote = packed.has_vote(&RULES, id, *account);
        assert_eq!(vote, lists.has_vote(&RULES, id, *account));
        let barred = packed.is_barred(&RULES, id, *account);
        assert_eq!(barred, lists.is_barred(&RULES, id, *account));
    }
}

#[test]
fn words_and_lists_remember_the_same() {
    let mut met: BTreeMap<State, u64> = BTreeMap::new();
    for seed in 1..=WORLDS {
        let (mut twins, mut author, place) = Twins::new(seed);
        let mut opening = author.opening(&place).into_iter();
        for _ in 0..STEPS {
            let step = opening
                .next()
                .unwrap_or_else(|| author.next(&twins.lists, &place));
            twins.take(&step, &place);
            twins.compare(step.time);
            for id in &step.ids {
                *met.entry(twins.lists.state(*id, step.time)).or_default() += 1;
            }
        }
    }
    assert_eq!(met.len(), 7, "every state is met: {met:?}");
}
