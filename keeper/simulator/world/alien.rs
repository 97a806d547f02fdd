//! A node of another chain that answers under the name of ours: a name that leads elsewhere, a wrong setting at a provider.

use alloy_primitives::B256;
use tidelock_core::{
    domain::BlockTime,
    event::BlockRef,
    observe::{Block, Fork, Polled},
    port::{Effect, Outcome},
    submit::{Reply, classify},
};

use super::{World, chain::block_hash};
use crate::{fate::Fate, faults::Fault};

/// Blocks that it shows at a time.
const SHOWN: u64 = 4;
/// What tips are on that chain. [wei per gas]
const TIP: u128 = 500_000_000_000;

/// Another chain.
#[derive(Debug, Clone, Copy)]
pub struct Alien {
    until_ms: u64,
    /// Its blocks have greater heights than ours.
    is_higher: bool,
}

impl World {
    pub(super) fn befall_aliens(&mut self, now_ms: u64, fate: &mut Fate) {
        self.alien = self.alien.filter(|alien| now_ms <= alien.until_ms);
        if self.alien.is_none() && fate.strikes(Fault::WrongChain) {
            self.alien = Some(Alien {
                until_ms: now_ms + self.setting.block_ms * fate.rng.between(2, 20),
                is_higher: fate.rng.chance(150),
            });
        }
    }

    /// The answer of the other chain's node, if it is the one that is asked.
    pub(super) fn answer_alien(&mut self, effect: &Effect, fate: &mut Fate) -> Option<Outcome> {
        let alien = self.alien?;
        self.has_met_aliens = true;
        fate.struck(Fault::WrongChain);
        Some(match effect {
            Effect::Poll { tip } => Outcome::Polled(alien.poll(*tip)),
            Effect::Send { .. } => {
                let refusal = "invalid sender: invalid chain id for signer: have 31337 want 1";
                Outcome::Sent(match classify(refusal) {
                    Reply::Accepted | Reply::Known => unreachable!("it is a refusal"),
                    reply => reply,
                })
            }
            _ => Outcome::Failed("header not found".to_owned()),
        })
    }
}

impl Alien {
    fn poll(self, tip: BlockRef) -> Polled {
        if !self.is_higher {
            return Polled {
                blocks: Vec::new(),
                finalised: (tip.number / 2, hash_at(tip.number / 2)),
                finalised_nonce: Some(0),
                suggested_tip: TIP,
            };
        }
        let above = tip.number + 1..=tip.number + SHOWN;
        Polled {
            blocks: above.map(|number| block(number, tip.time)).collect(),
            finalised: (tip.number + 1, hash_at(tip.number + 1)),
            finalised_nonce: Some(0),
            suggested_tip: TIP,
        }
    }
}

fn hash_at(number: u64) -> B256 {
    block_hash(B256::repeat_byte(0xa1), number)
}

fn block(number: u64, time: BlockTime) -> Block {
    Block {
        id: BlockRef {
            number,
            hash: hash_at(number),
            time,
        },
        parent: hash_at(number - 1),
        base_fee: 1_000_000_000,
        gas_limit: 30_000_000,
        fork: Fork::Osaka,
        facts: Vec::new(),
        transactions: Vec::new(),
    }
}
