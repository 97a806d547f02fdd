//! What the keeper is about, for people.

use std::collections::BTreeMap;

use super::{Engine, figures::Figures};
use crate::{
    calendar::utc,
    domain::BatchId,
    event::{BlockRef, Mode},
    lifecycle::PaymentStatus,
    port::{ProposalLook, ProposalState, TierLook, VaultLook},
    state::PaymentRow,
    store::Store,
};

/// Proposals that are named at most.
const SHOWN: usize = 10;

/// What the keeper is about, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The highest block known.
    pub tip: BlockRef,
    /// The last block taken in for good.
    pub finalised: BlockRef,
    /// Whether it sends.
    pub mode: Mode,
    /// Payments that are not final, by status.
    pub payments: BTreeMap<PaymentStatus, usize>,
    /// Transactions that are signed and in no block.
    pub unincluded: usize,
    /// Own transactions that were seen to revert since the start.
    pub reverted: u64,
    /// What it waits for, in words.
    pub waits: Vec<String>,
    /// What a person must know of, in words.
    pub alerts: Vec<String>,
    /// The last answer that did not come or made no sense, until one does.
    pub failure: Option<String>,
    /// The same and more, in figures.
    pub figures: Figures,
}

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// What it is about now.
    pub fn status(&self) -> Status {
        let state = self.journal.state();
        let mut payments: BTreeMap<PaymentStatus, usize> = BTreeMap::new();
        for row in state.open_payments() {
            let count = payments.entry(row.status).or_default();
            *count = count.saturating_add(1);
        }
        let mut alerts = self.repeats();
        alerts.extend(self.memory.reverted.alerts());
        alerts.extend(self.ending_roles());
        alerts.extend(self.unexplained());
        Status {
            tip: self.memory.view.tip(),
            finalised: state.finalised(),
            mode: state.mode().clone(),
            payments,
            unincluded: self.unincluded().count(),
            waits: self.waits(),
            reverted: self.memory.reverted.count(),
            alerts,
            failure: self.memory.failure.clone(),
            figures: self.figures(),
        }
    }

    /// What it waits for, in words.
    fn waits(&self) -> Vec<String> {
        let mut waits = Vec::new();
        if self.memory.lacks_nonce {
            waits.push(
                "the node does not tell the key's nonce at the final block: whether somebody else has the key is not known"
                    .to_owned(),
            );
        }
        let unsigned = self.memory.unsigned_because.as_ref();
        if let Some(why) = unsigned.filter(|_| self.memory.signing.is_some()) {
            waits.push(format!("the key has not signed: {why}"));
        }
        if self.memory.is_retiring {
            let left = self.state().slots().count();
            waits.push(format!(
                "the key retires: {left} nonces of it are not used up by a final block, and then the next key sends"
            ));
        }
        if self.memory.view.is_full() {
            let last = self.memory.view.base().number;
            waits.push(format!(
                "finality stands still: nothing new is sent until a block after {last} is final"
            ));
        }
        waits.extend(self.wait_for_fees());
        waits.extend(self.wait_for_price());
        if let Some((_, why)) = self
            .memory
            .stalled
            .as_ref()
            .filter(|(_, why)| self.memory.is_stalled() && !waits.contains(why))
        {
            waits.push(why.clone());
        }
        if let Some((at, vault)) = self.memory.vault() {
            waits.extend(self.wait_for_room(at, vault));
            waits.extend(vault.proposals.iter().filter_map(wait_of).take(SHOWN));
            let time = self.memory.view.tip().time.seconds();
            if time < vault.halted_until {
                waits.push(format!(
                    "the vault is frozen until {}",
                    utc(vault.halted_until)
                ));
            }
            if time >= vault.keeper_until {
                waits.push("the key is no keeper of the vault".to_owned());
            }
            if time >= vault.proposer_until {
                waits.push("the key is no proposer of the vault".to_owned());
            }
        }
        waits
    }

    /// Payments for which there is no room now, if there are any.
    fn wait_for_room(&self, at: BlockRef, vault: &VaultLook) -> Option<String> {
        let (room, balance) = self.room(at, vault);
        let lacks_room = |row: &&PaymentRow| {
            let tier = self.memory.advised.tiers().get(&row.reference());
            let index = tier.map(|tier| usize::from(tier.get()));
            let is_automatic =
                |index: &usize| vault.tiers.get(*index).is_some_and(TierLook::is_automatic);
            let room = index.filter(is_automatic).and_then(|index| room.get(index));
            room.is_some_and(|room| row.payment.amount().0 > balance.min(*room))
        };
        let open = self.state().open_payments();
        let open = open.filter(|row| row.status == PaymentStatus::Open);
        match open.filter(lacks_room).count() {
            0 => None,
            count => Some(format!(
                "payments for which their tier's cap, or the vault's balance, has no room now: {count}"
            )),
        }
    }

    /// Roles of the key that end soon: granting one again takes approvals and a delay.
    fn ending_roles(&self) -> Vec<String> {
        let Some((_, vault)) = self.memory.vault() else {
            return Vec::new();
        };
        let now = self.memory.view.tip().time.seconds();
        let keeper = role_ends("keeper", vault.keeper_until, now);
        let proposer = role_ends("proposer", vault.proposer_until, now);
        keeper.into_iter().chain(proposer).collect()
    }
}

/// Said in other words, and so anew, 30, 7 and 1 days before a role ends.
fn role_ends(role: &str, until: u64, now: u64) -> Option<String> {
    const DAY: u64 = 86_400; // [seconds]
    let left = until.checked_sub(now).filter(|left| *left > 0)?;
    let within = [1, 7, 30]
        .into_iter()
        .find(|days| left <= DAY.saturating_mul(*days))?;
    let s = if within == 1 { "" } else { "s" };
    Some(format!(
        "the key's {role} role ends within {within} day{s}, at chain time {until}: have signers grant it again, or to the next key"
    ))
}

/// What a proposal waits for, if it is people or time.
fn wait_of((id, look): &(BatchId, ProposalLook)) -> Option<String> {
    match look.state {
        ProposalState::Proposed => Some(format!(
            "batch {id} has {} of {} approvals",
            look.votes, look.required
        )),
        ProposalState::Queued => Some(format!(
            "batch {id} is approved; its delay ends at {}",
            utc(look.earliest)
        )),
        _ => None,
    }
}
