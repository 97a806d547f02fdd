//! What follows the last block: batches of which a part is paid already, or is refused by the policy or by the token, and a
//! proposal of which a part is. The keeper simulates before it sends, so its chains have next to none of them.

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolCall;

use crate::{
    rng::Rng,
    setting::USDT,
    world::{
        World,
        chain::{Act, Call, Ledger},
        vault::{
            MAX_LIFE,
            abi::{Abi, Item, header, pack},
        },
    },
};

/// Numbers from here on are nobody's.
const FREE_NUMBERS: u64 = 1 << 46;
/// The same in the half that is left to proposals.
const FREE_UPPER_NUMBERS: u64 = FREE_NUMBERS + (1 << 63);
/// Batches that the keeper pays.
const BATCHES: u64 = 5;
/// Time until the next block, in turns: some, and more than the delay of the tier. [seconds]
const PAUSES: [u64; 3] = [12, 12, 4_000];

/// Blocks after the last one: each a time and its calls.
pub fn epilogue(world: &World, ledger: &Ledger, seed: u64, time: u64) -> Vec<(u64, Vec<Call>)> {
    let mut rng = Rng::new(seed.rotate_left(32));
    let setting = &world.setting;
    let times = PAUSES.iter().scan(time, |at, pause| {
        *at += pause;
        Some(*at)
    });
    let times: Vec<u64> = times.collect();
    let (keeper, signers) = (world.key.address(), &ledger.vault.signers);

    let first = (0..BATCHES).map(|batch| {
        let items = draw(world, &mut rng, 6);
        let number = FREE_NUMBERS + 4 * batch; // the next batch has some numbers of this one
        let data = Abi::payCall {
            batch: header(number, 0, &items, time + 3_600),
            payments: pack(&items).into(),
        };
        vault_call(keeper, data)
    });
    let mut first: Vec<Call> = first.collect();
    let mut items = draw(world, &mut rng, 4);
    items.retain(|item| item.amount != 0 && setting.good.contains(&item.recipient));
    items.push(item(setting.refused[0], 7 * USDT));
    items.push(item(setting.good[1], 8 * USDT));
    items.push(item(setting.good[2], 9 * USDT));
    let batch = header(FREE_UPPER_NUMBERS, 1, &items, times[0] + MAX_LIFE);
    first.push(vault_call(
        signers[0],
        Abi::proposeCall {
            batch: batch.clone(),
            payments: pack(&items).into(),
        },
    ));

    let approvals = signers.iter().map(|signer| {
        let batch = batch.clone();
        vault_call(*signer, Abi::approveCall { batch })
    });
    let second = approvals.collect();

    let blocked = Abi::blockRecipientCall {
        recipient: setting.good[2],
    };
    let mut third = vec![vault_call(setting.guardian, blocked)];
    for skip in [1_u64, 0, 0] {
        let execute = Abi::executeCall {
            batch: batch.clone(),
            payments: pack(&items).into(),
            skipMask: alloy_primitives::U256::from(skip),
        };
        third.push(vault_call(keeper, execute));
    }
    times.into_iter().zip([first, second, third]).collect()
}

/// Small payments, most of them in order.
fn draw(world: &World, rng: &mut Rng, count: u64) -> Vec<Item> {
    let setting = &world.setting;
    let drawn = (0..count).map(|_| {
        let recipient = match rng.below(8) {
            0 => setting.refused[1],
            1 => setting.token,
            2 => setting.blacklisted[0],
            _ => rng.pick(&setting.good),
        };
        let amount = rng.pick(&[0, 5, 300, 800, 1_000, 2_000]) * USDT;
        item(recipient, amount + u128::from(rng.below(2)))
    });
    drawn.collect()
}

fn item(recipient: Address, amount: u128) -> Item {
    Item {
        recipient,
        amount,
        reference: B256::repeat_byte(9)[..16].try_into().expect("16 bytes"),
    }
}

fn vault_call(by: Address, call: impl SolCall) -> Call {
    Call {
        by,
        act: Act::Call(call.abi_encode().into()),
        gas_limit: u64::MAX,
    }
}
