//! Nobody's choice of gas makes the vault blame a token: on both forks, at every limit, a batch whose payments succeed with
//! enough gas is paid whole or reverts, and is never reported failed.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what must hold by panicking when it does not, in its helpers too"
)]

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolError, SolEvent, SolValue, sol};
use tidelock_model::abi::{
    Order, PaymentFailed, VaultNothingPaid, executeCall, isPaidCall, payCall, proposeCall,
};
use tidelock_trial::{
    artefacts,
    chain::{Chain, Fork, Outcome},
    setting::{self, BIRTH, DAY, UNIT, account, full},
};

sol! {
    interface IToken {
        function mint(address to, uint256 amount) external;
        function setSlots(uint256 count) external;
    }
}

/// Gas limits that are tried: these, and on until the batch is paid. [gas]
const LEAST: u64 = 60_000;
const MOST: u64 = 1_000_000;
const STEP: u64 = 5_000;
/// Far above what any of the batches needs. [gas]
const ENOUGH: u64 = 8_000_000;
/// Most slots that a transfer creates.
const SLOTS: u64 = 4;

/// How a token comes to need much gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It creates slots itself.
    Direct,
    /// It does so behind a frame that passes failures on.
    Proxy,
    /// A hook of the recipient's does.
    Hook,
    /// It hands on to a successor whose transfer costs about 450,000 gas.
    Deprecated,
}

/// One world: a token, a vault and recipients that hold some of the token already.
struct World {
    chain: Chain,
    vault: Address,
    recipients: Vec<Address>,
}

const KEEPER: u64 = 1;
const SIGNER: u64 = 2;
const EXPIRES: u64 = BIRTH + 2 * DAY;

impl World {
    fn new(fork: Fork, kind: Kind, slots: u64, code: Option<Vec<u8>>) -> Self {
        let mut chain = Chain::new(fork, BIRTH);
        let anybody = account(0);
        let token = match kind {
            Kind::Direct => setting::contract(&mut chain, "SlotToken.sol:SlotToken", &[]),
            Kind::Proxy => {
                let code = setting::contract(&mut chain, "SlotToken.sol:SlotToken", &[]);
                setting::contract(&mut chain, "SlotToken.sol:ProxyFrame", &code.abi_encode())
            }
            Kind::Hook => setting::contract(&mut chain, "HookToken.sol:HookToken", &[]),
            Kind::Deprecated => {
                setting::contract(&mut chain, "DearSuccessor.sol:DeprecatedToken", &[])
            }
        };
        if matches!(kind, Kind::Direct | Kind::Proxy) {
            let count = U256::from(slots);
            chain.must(anybody, token, &IToken::setSlotsCall { count });
        }
        let recipients: Vec<Address> = (0..3)
            .map(|i| match kind {
                Kind::Hook => {
                    let arguments = (token, U256::from(slots)).abi_encode_params();
                    setting::contract(&mut chain, "SlotToken.sol:SlotHook", &arguments)
                }
                _ => account(100 + i),
            })
            .collect();
        let configuration = setting::plain(token, account(KEEPER), account(SIGNER), account(3));
        let vault = setting::vault(&mut chain, code, &configuration);
        for to in recipients.iter().copied().chain([vault]) {
            let amount = U256::from(1_000_000 * UNIT);
            chain.must(anybody, token, &IToken::mintCall { to, amount });
        }
        Self {
            chain,
            vault,
            recipients,
        }
    }

    fn order(&self, tier: u8) -> Order {
        let first = if tier == 0 { 10 } else { 1 << 63 };
        Order::new(first, EXPIRES, tier, B256::ZERO)
    }

    fn payments(&self, count: usize) -> Bytes {
        let to = self.recipients[..count].iter();
        setting::pack(&to.map(|recipient| (*recipient, UNIT)).collect::<Vec<_>>())
    }

    /// The call, with everything before it done: `pay` of so many payments, or `execute` of two.
    fn call(&mut self, count: usize) -> (Address, Bytes, usize) {
        if count > 0 {
            let (order, payments) = (self.order(0), self.payments(count));
            let data = payCall { order, payments }.abi_encode();
            return (account(KEEPER), data.into(), count);
        }
        let (order, payments) = (self.order(1), self.payments(2));
        let propose = proposeCall {
            order: order.clone(),
            payments: payments.clone(),
        };
        self.chain.must(account(SIGNER), self.vault, &propose);
        let execute = executeCall {
            order,
            payments,
            skipMask: U256::ZERO,
        };
        (account(KEEPER), execute.abi_encode().into(), 2)
    }
}

/// What is wrong with an outcome, if something is.
fn blames_the_token(outcome: &Outcome, count: usize) -> Option<String> {
    if !outcome.success {
        let nothing = outcome.output.starts_with(&VaultNothingPaid::SELECTOR);
        return nothing.then(|| "VaultNothingPaid".into());
    }
    let failed =
        |log: &&alloy_primitives::Log| log.topics().first() == Some(&PaymentFailed::SIGNATURE_HASH);
    let failures = outcome.logs.iter().filter(failed).count();
    let mask = U256::from_be_slice(&outcome.output);
    (failures > 0 || mask != full(count)).then(|| format!("{failures} PaymentFailed, mask {mask}"))
}

/// False failures of one batch at all limits, each told.
fn false_failures(world: &mut World, count: usize, told: &str) -> Vec<String> {
    let (from, data, count) = world.call(count);
    let enough = world
        .chain
        .try_with_gas(from, world.vault, data.clone(), ENOUGH);
    assert_eq!(
        blames_the_token(&enough, count),
        None,
        "{told}: with enough gas"
    );
    assert!(enough.success, "{told}: {} with enough gas", enough.output);
    let mut found = Vec::new();
    let mut paid = false;
    let mut gas = LEAST;
    while gas <= MOST || !paid {
        assert!(gas <= ENOUGH, "{told}: never paid");
        let seen = world
            .chain
            .try_with_gas(from, world.vault, data.clone(), gas);
        paid = seen.success;
        if let Some(wrong) = blames_the_token(&seen, count) {
            found.push(format!("{told} at {gas}: {wrong}"));
        }
        gas += STEP;
    }
    found
}

/// Everything on one fork: kinds of token, slots, sizes of `pay`, and `execute` (size 0).
fn all_false_failures(fork: Fork, code: Option<&[u8]>) -> Vec<String> {
    let mut found = Vec::new();
    for kind in [Kind::Direct, Kind::Proxy, Kind::Hook, Kind::Deprecated] {
        let most = if kind == Kind::Deprecated { 0 } else { SLOTS };
        for slots in 0..=most {
            for count in 0..=3 {
                let mut world = World::new(fork, kind, slots, code.map(<[u8]>::to_vec));
                let told = format!("{fork:?} {kind:?} {slots} slots, batch {count}");
                found.extend(false_failures(&mut world, count, &told));
            }
        }
    }
    found
}

/// The build with another constant in the place of 1,000,000 gas (PUSH3 0x0f4240).
fn believing_from(gas: u32) -> Vec<u8> {
    let mut code = artefacts::code_of("Vault.sol:Vault");
    let push = [0x62, 0x0f, 0x42, 0x40];
    let places: Vec<usize> = (0..code.len() - 3)
        .filter(|at| code[*at..*at + 4] == push)
        .collect();
    assert!(!places.is_empty(), "the constant is not in the code");
    for at in places {
        code[at + 1..at + 4].copy_from_slice(&gas.to_be_bytes()[1..]);
    }
    code
}

#[test]
fn osaka_blames_no_token_for_want_of_gas() {
    let found = all_false_failures(Fork::Osaka, None);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn amsterdam_blames_no_token_for_want_of_gas() {
    let found = all_false_failures(Fork::Amsterdam, None);
    assert!(found.is_empty(), "{found:#?}");
}

/// The same search finds what was wrong with the bound before: the ratio of 1/63 proves nothing where a failing frame gives
/// state gas back, and too little where another frame keeps enough to end well.
#[test]
fn a_bound_of_200000_blames_tokens_on_both_forks() {
    let code = believing_from(200_000);
    for fork in Fork::ALL {
        let found = all_false_failures(fork, Some(&code));
        println!("{}", found.join("\n"));
        assert!(!found.is_empty(), "{fork:?}: nothing found");
    }
}

/// What a batch needs is paid: the numbers are marked, so that the search above looks at real payments.
#[test]
fn what_is_tried_is_really_paid() {
    for fork in Fork::ALL {
        let mut world = World::new(fork, Kind::Proxy, 2, None);
        let (from, data, _) = world.call(2);
        assert!(world.chain.send(from, world.vault, data).success);
        for number in [10, 11] {
            assert!(world.chain.view(world.vault, &isPaidCall { number }));
        }
        assert!(!world.chain.view(world.vault, &isPaidCall { number: 12 }));
    }
}
