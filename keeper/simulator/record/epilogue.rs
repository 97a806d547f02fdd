//! What follows the last block: batches of which a part is paid already, or is refused by the policy or by the token, a
//! proposal of which a part is, and calls that are wrong in two ways at once. The keeper simulates before it sends, so its
//! chains have next to none of them.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;

use crate::{
    rng::Rng,
    setting::USDT,
    world::{
        World,
        chain::{Act, Call, Ledger},
        vault::{MAX_LIFE, batch_id, order},
    },
};
use tidelock_model::{
    Vault,
    abi::{self, Item, header, pack},
};

/// Numbers from here on are nobody's.
const FREE_NUMBERS: u64 = 1 << 46;
/// The same in the half that is left to proposals.
const FREE_UPPER_NUMBERS: u64 = FREE_NUMBERS + (1 << 63);
/// Batches that the keeper pays.
const BATCHES: u64 = 5;
/// More payments of the largest amount than any cap of the first tier takes.
const TOO_MANY: usize = 25;
/// Times of the blocks, from one to the next: once more than the delay of the tier. [seconds]
const PAUSES: [u64; 5] = [12, 12, 2_000, 4_000, 12];
/// How long headers of the keeper live. [seconds]
const LIFE: u64 = 7_200;

/// Blocks after the last one: each a time and its calls.
pub fn epilogue(world: &World, ledger: &Ledger, seed: u64, time: u64) -> Vec<(u64, Vec<Call>)> {
    let times = PAUSES.iter().scan(time, |at, pause| {
        *at += pause;
        Some(*at)
    });
    let mut epilogue = Epilogue {
        world,
        vault: &ledger.vault,
        signers: ledger.vault.signers(),
        rng: Rng::new(seed.rotate_left(32)),
        expires_at: time + LIFE,
        numbers: FREE_NUMBERS,
    };
    let blocks = epilogue.blocks(time + MAX_LIFE);
    times.zip(blocks).collect()
}

struct Epilogue<'a> {
    world: &'a World,
    vault: &'a Vault,
    signers: &'a [Address],
    rng: Rng,
    expires_at: u64,
    /// The next number of an automatic payment.
    numbers: u64,
}

impl Epilogue<'_> {
    fn blocks(&mut self, proposal_expires_at: u64) -> [Vec<Call>; 5] {
        let setting = &self.world.setting;
        let mut mixed: Vec<Call> = (0..BATCHES).map(|_| self.pay_mixed()).collect();
        let [.., first, second, third] = setting.good.as_slice() else {
            unreachable!("there are more");
        };
        let items = [
            item(*first, 6 * USDT),
            item(setting.refused[0], 7 * USDT),
            item(*second, 8 * USDT),
            item(*third, 9 * USDT),
        ];
        let order = order(FREE_UPPER_NUMBERS, 1, proposal_expires_at);
        let batch = header(&order, &pack(&items));
        let propose = abi::proposeCall {
            order: order.clone(),
            payments: pack(&items),
        };
        let id = batch_id(self.vault, &batch);
        let early = vault_call(self.signers[2], abi::revokeCall { id });
        mixed.extend([early.clone(), early]); // before it is proposed
        mixed.push(vault_call(self.signers[0], propose));

        let approve = |signer: usize| {
            let batch = batch.clone();
            vault_call(self.signers[signer], abi::approveCall { batch })
        };
        let revoke = |signer: usize| vault_call(self.signers[signer], abi::revokeCall { id });
        let approvals = vec![approve(0), approve(1)];
        // What has its votes is asked for one more, by which its clock starts again.
        let more = vec![
            call(setting.admin, Act::SetApprovals(1, 3)),
            approve(2),
            approve(3),
            revoke(3),
            revoke(2),
            approve(2),
        ];

        let recipient = *third;
        let block = abi::blockRecipientCall { recipient };
        let mut executions = vec![vault_call(setting.guardian, block)];
        for skip in [1_u64, 0, 0] {
            let execute = abi::executeCall {
                order: order.clone(),
                payments: pack(&items),
                skipMask: U256::from(skip),
            };
            executions.push(vault_call(self.world.keys[0].address(), execute));
        }
        [mixed, approvals, more, executions, self.stopped()]
    }

    /// While the token is paused, while the vault is frozen, and after that.
    fn stopped(&mut self) -> Vec<Call> {
        let setting = &self.world.setting;
        let admin = |act| call(setting.admin, act);
        let freeze = vault_call(self.signers[1], abi::freezeCall {});
        let mut calls = vec![
            admin(Act::Pause(true)),
            admin(Act::Pause(true)),
            admin(Act::Deposit(5 * USDT)),
            self.pay(&[item(setting.good[0], 5 * USDT)]),
            admin(Act::Pause(false)),
            admin(Act::Pause(false)),
            admin(Act::Deposit(5 * USDT)),
            freeze.clone(),
            freeze,
        ];
        calls.extend(self.doubly_wrong());
        calls.extend([admin(Act::Unfreeze), admin(Act::Unfreeze)]);
        calls.extend(self.doubly_wrong());
        let (signers, cap) = (setting.signers.clone(), 200_000 * USDT);
        calls.extend([
            admin(Act::SetCap(0, cap)),
            admin(Act::SetCap(0, cap + USDT)),
            admin(Act::SetSigners(signers)),
            self.pay_mixed(),
        ]);
        calls
    }

    /// Which of two wrongs the vault names: too much for the cap, nobody who may be paid, nothing to pay; and beside each, if it
    /// is frozen, that.
    fn doubly_wrong(&mut self) -> Vec<Call> {
        let setting = &self.world.setting;
        let too_much = [item(setting.good[0], 10_000 * USDT); TOO_MANY];
        let blocked = [item(setting.vault, 5 * USDT), item(setting.good[0], 0)];
        let before = self.numbers;
        let calls = [self.pay(&too_much), self.pay(&blocked)];
        self.numbers = FREE_NUMBERS;
        let again = self.pay(&[item(setting.good[0], 5 * USDT)]);
        self.numbers = before;
        calls.into_iter().chain([again]).collect()
    }

    /// Small payments, most of them in order; the next batch has some numbers of this one.
    fn pay_mixed(&mut self) -> Call {
        let setting = &self.world.setting;
        let rng = &mut self.rng;
        let drawn = (0..6).map(|_| {
            let recipient = match rng.below(8) {
                0 => setting.refused[1],
                1 => setting.token,
                2 => setting.blacklisted[0],
                _ => rng.pick(&setting.good),
            };
            let amount = rng.pick(&[0, 5, 300, 800, 1_000, 2_000]) * USDT;
            item(recipient, amount + u128::from(rng.below(2)))
        });
        let items: Vec<Item> = drawn.collect();
        let call = self.pay(&items);
        self.numbers += 4;
        call
    }

    fn pay(&self, items: &[Item]) -> Call {
        let pay = abi::payCall {
            order: order(self.numbers, 0, self.expires_at),
            payments: pack(items),
        };
        vault_call(self.world.keys[0].address(), pay)
    }
}

fn item(recipient: Address, amount: u128) -> Item {
    Item {
        recipient,
        amount,
        reference: [9; 16],
    }
}

fn vault_call(by: Address, data: impl SolCall) -> Call {
    call(by, Act::Call(data.abi_encode().into()))
}

fn call(by: Address, act: Act) -> Call {
    Call {
        by,
        act,
        gas_limit: u64::MAX,
    }
}
