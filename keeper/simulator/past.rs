//! What the vault paid before this keeper's log was opened, as a keeper finds it that starts beside a vault in use.

use alloy_sol_types::SolCall;
use tidelock_core::{
    domain::{BlockTime, Payment, PaymentNumber},
    event::{BlockRef, Event, HaltReason, Mode, NumberedPayment},
};

use crate::{
    fate::Fate,
    people::{draw_small, item_of},
    world::{
        World,
        chain::{Act, Deed},
        node::reference,
        vault::order,
    },
};
use tidelock_model::abi;

/// Blocks within which it was made for good.
const MOST_BLOCKS: u64 = 100;
/// How long the header of what was paid could live. [seconds]
const LIFE: u64 = 30 * 24 * 3600;
/// How long an attempt of the lost log may live. [seconds]
const LONGEST_ATTEMPT: u64 = 7_200;

/// What was before.
pub struct Past {
    /// Payments that were made.
    pub payments: Vec<Payment>,
    /// What the log is opened with.
    pub events: Vec<Event>,
    /// The final block that the log starts from.
    pub start: BlockRef,
}

impl Past {
    /// A vault that was not in use.
    pub fn none(world: &World) -> Self {
        Self {
            payments: Vec::new(),
            events: Vec::new(),
            start: reference(&world.chain.head()),
        }
    }

    /// Another keeper paid a batch, its log is lost, and the vault's logs tell what it paid.
    pub fn draw(world: &mut World, fate: &mut Fate) -> Self {
        let count = fate.rng.between(1, 3);
        let payments: Vec<Payment> = (0..count).map(|_| draw_small(world, fate)).collect();
        let items: Vec<_> = payments.iter().map(item_of).collect();
        let first_number = 1_u64 << 32; // of the namespace that people use
        let expires_at = world.chain.head().time + LIFE;
        let pay = abi::payCall {
            order: order(first_number, 0, expires_at),
            payments: abi::pack(&items),
        };
        world.deeds.push(Deed {
            by: world.setting.spare,
            act: Act::Call(pay.abi_encode().into()),
        });
        let is_final = |world: &World| {
            let last = world.chain.at(world.chain.finalised()).expect("canonical");
            let ledger = world.chain.state(last.hash).expect("kept");
            ledger.vault.is_paid(first_number)
        };
        for _ in 0..MOST_BLOCKS {
            if !is_final(world) {
                world.mine(fate);
            }
        }
        assert!(is_final(world), "an ordinary payment is made");
        let last = world.chain.at(world.chain.finalised()).expect("canonical");
        let numbered = (first_number..).zip(&payments);
        let recovered = numbered.map(|(number, payment)| NumberedPayment {
            number: PaymentNumber(number),
            payment: *payment,
        });
        let until = BlockTime::from_seconds(last.time + LONGEST_ATTEMPT).expect("below 2^40");
        let reason = HaltReason::Reopened { until };
        let events = vec![
            Event::Recovered {
                payments: recovered.collect(),
            },
            Event::ModeChanged {
                mode: Mode::Halted { reason },
            },
        ];
        Self {
            payments,
            events,
            start: reference(&last),
        }
    }
}
