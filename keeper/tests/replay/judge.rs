use std::fmt::Debug;

use alloy::primitives::U256;
use tidelock_core::abi::{Vault, VaultLens};

use crate::{
    play::Play,
    stage::Tether,
    trace::{Advice, Look, Trace},
};

/// An address packed with an amount and no ref.
fn packed(advice: &Advice) -> Vec<u8> {
    let amount = &advice.amount.to_be_bytes()[4..];
    [advice.recipient.as_slice(), amount, &[0; 16]].concat()
}

fn same<T: PartialEq + Debug>(what: impl Debug, model: T, contract: T) -> Result<(), String> {
    if model == contract {
        return Ok(());
    }
    Err(format!(
        "{what:?}\n  model:    {model:?}\n  contract: {contract:?}"
    ))
}

impl Play {
    /// What the vault is after a block.
    pub async fn check_look(&mut self, look: &Look) -> Result<(), String> {
        self.tally.looks += 1;
        let (vault, token, lens) = (
            self.stage.setup.vault,
            self.stage.setup.token,
            self.stage.lens,
        );
        let wire = &self.stage.wire;
        let halted = wire.read(lens, VaultLens::haltedUntilCall { vault }).await;
        same("halted until", U256::from(look.halted_until), halted)?;
        let balance = wire.read(token, Tether::balanceOfCall { who: vault }).await;
        same("balance of the vault", U256::from(look.balance), balance)?;
        let paused = wire.read(token, Tether::pausedCall {}).await;
        same("token paused", look.paused, paused)?;
        self.check_tiers(look).await?;
        self.check_proposals(look).await?;
        self.check_masks(look).await?;
        self.check_advice(look).await
    }

    async fn check_tiers(&self, look: &Look) -> Result<(), String> {
        let (vault, wire) = (self.stage.setup.vault, &self.stage.wire);
        let indices = || (0..look.tiers.len()).map(U256::from);
        let tiers = indices().map(|index| Vault::tierCall { index });
        let tiers = wire.read_all(vault, tiers.collect()).await;
        let rooms = indices().map(|index| Vault::headroomCall { index });
        let rooms = wire.read_all(vault, rooms.collect()).await;
        let actual = tiers.iter().zip(rooms);
        let actual: Vec<(u128, U256)> = actual.map(|(tier, room)| (tier.cap, room)).collect();
        let stated = look.tiers.iter();
        let stated = stated.map(|(cap, room)| (*cap, U256::from(*room)));
        same("caps and headroom", stated.collect(), actual)
    }

    async fn check_proposals(&mut self, look: &Look) -> Result<(), String> {
        let (vault, lens) = (self.stage.setup.vault, self.stage.lens);
        let ids = look.proposals.iter().map(|proposal| proposal.id);
        let calls = ids.map(|id| VaultLens::explainCall { vault, id });
        let explained = self.stage.wire.read_all(lens, calls.collect()).await;
        for (stated, actual) in look.proposals.iter().zip(explained) {
            self.tally.states.insert(stated.state);
            let model = (stated.state, stated.earliest, stated.votes, stated.required);
            let contract = (
                actual.state,
                actual.earliest.to::<u64>(),
                actual.votes,
                actual.required,
            );
            same(("proposal", stated.id), model, contract)?;
        }
        Ok(())
    }

    async fn check_masks(&self, look: &Look) -> Result<(), String> {
        let vault = self.stage.setup.vault;
        let calls = look
            .paid
            .iter()
            .map(|(first, count, _)| Vault::paidMaskCall {
                firstNumber: *first,
                count: *count,
            });
        let masks = self.stage.wire.read_all(vault, calls.collect()).await;
        for ((first, count, stated), actual) in look.paid.iter().zip(masks) {
            same(("paid from", first, count), *stated, actual)?;
        }
        Ok(())
    }

    async fn check_advice(&self, look: &Look) -> Result<(), String> {
        let (vault, lens) = (self.stage.setup.vault, self.stage.lens);
        let payments = look.advice.iter().flat_map(packed).collect::<Vec<u8>>();
        let payments = payments.into();
        let preview = VaultLens::previewCall { vault, payments };
        let previews = self.stage.wire.read(lens, preview).await;
        for (stated, actual) in look.advice.iter().zip(previews) {
            let advised = match actual.refusal {
                0 => Ok(actual.tier),
                refusal => Err(refusal),
            };
            let asked = (stated.recipient, stated.amount);
            same(("preview", asked), stated.tier, advised)?;
        }
        Ok(())
    }

    /// In the end: who has got what, and which numbers are paid.
    pub async fn check_end(&mut self, trace: &Trace) -> Result<(), String> {
        let (vault, token) = (self.stage.setup.vault, self.stage.setup.token);
        let wire = &self.stage.wire;
        let whose = trace.received.iter().map(|(who, _)| *who);
        let calls = whose.map(|who| Tether::balanceOfCall { who });
        let balances = wire.read_all(token, calls.collect()).await;
        for ((who, stated), actual) in trace.received.iter().zip(balances) {
            same(("received", who), U256::from(*stated), actual)?;
        }
        let numbers = trace.numbers.iter().map(|(number, _)| *number);
        let calls = numbers.map(|number| Vault::isPaidCall { number });
        let paid = wire.read_all(vault, calls.collect()).await;
        for ((number, stated), actual) in trace.numbers.iter().zip(paid) {
            same(("number paid", number), *stated, actual)?;
        }
        self.tally.numbers += trace.numbers.len();
        let listed = trace.setup.blacklisted.iter().copied();
        let calls = listed.map(|user| Tether::getBlackListStatusCall { user });
        let listed = wire.read_all(token, calls.collect()).await;
        same("blacklist", vec![true; listed.len()], listed)
    }
}
