//! What a keeper's process must never do, whatever happens to it; and what it does, in words.

use alloy_sol_types::SolInterface;
use tidelock_core::{domain::BatchId, engine::Status, event::Mode, port::Effect};

use crate::world::{World, store::Disk};
use tidelock_model::abi::{self, unpack};

/// Nothing is signed or sent while the log says that the keeper is halted; nothing is sent that is not durable, or that
/// offers more than the operator allows.
pub fn may_start(effect: &Effect, disk: &Disk, world: &World) -> Result<(), String> {
    if matches!(disk.head().mode, Mode::Halted { .. }) {
        return Err(format!("halted, and still: {}", told(effect)));
    }
    let Effect::Send { hash, .. } = effect else {
        return Ok(());
    };
    let most = world.setting.settings().fees;
    match disk.attempt(*hash).map(|attempt| attempt.fees) {
        None => Err(format!("{hash} is sent and not durable")),
        Some(fees) if fees.tip > most.max_tip || fees.max_fee > most.max_fee => {
            Err(format!("{hash} offers {fees:?}, beyond the caps"))
        }
        Some(_) => Ok(()),
    }
}

/// Nothing is signed or sent by a keeper that another has followed, unless the server's clock jumped over its lease.
pub fn may_lead(effect: &Effect, disk: &Disk, epoch: Option<u64>) -> Result<(), String> {
    match epoch {
        Some(own) if own != disk.tables.lease.epoch && !disk.cut_short.contains(&own) => {
            let leads = disk.tables.lease.epoch;
            let told = told(effect);
            Err(format!(
                "epoch {own} is over, {leads} leads, and still: {told}"
            ))
        }
        _ => Ok(()),
    }
}

/// Signers are told of what would pay a second time, for as long as they may let it.
pub fn tells(id: &BatchId, status: &Status) -> bool {
    let id = id.to_string();
    let mut alerts = status.alerts.iter();
    alerts.any(|alert| alert.contains(&id) && alert.contains("again"))
}

/// An effect in words.
pub fn told(effect: &Effect) -> String {
    match effect {
        Effect::Poll { tip } => format!("polls after {}", tip.number),
        Effect::Look { at, proposals } => {
            format!("looks at {} ({} proposals)", at.number, proposals.len())
        }
        Effect::Advise { at, payments } => {
            format!("asks about {} payments at {}", payments.len(), at.number)
        }
        Effect::Simulate {
            at,
            data,
            gas_limit,
            ..
        } => {
            let call = call_in_words(data);
            format!("simulates {call} at {} within {gas_limit} gas", at.number)
        }
        Effect::Replay { hash, .. } => format!("asks why {hash} reverted"),
        Effect::Recall { at, numbers, .. } => {
            let count = numbers.len();
            format!("asks what became of {count} numbers at {}", at.number)
        }
        Effect::Sign { nonce, .. } => format!("signs for nonce {nonce}"),
        Effect::Send { hash, .. } => format!("sends {hash}"),
    }
}

fn numbers(order: &abi::Order, payments: &[u8]) -> String {
    format!("{} x {}", order.first_number(), unpack(payments).len())
}

fn call_in_words(data: &[u8]) -> String {
    match abi::VaultCalls::abi_decode(data) {
        Ok(abi::VaultCalls::pay(call)) => format!("pay {}", numbers(&call.order, &call.payments)),
        Ok(abi::VaultCalls::propose(call)) => {
            format!("propose {}", numbers(&call.order, &call.payments))
        }
        Ok(abi::VaultCalls::execute(call)) => {
            let (numbers, skip) = (numbers(&call.order, &call.payments), call.skipMask);
            format!("execute {numbers} but {skip:#b}")
        }
        _ => "a call of nothing it should call".to_owned(),
    }
}
