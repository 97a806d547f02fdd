//! State in plain lists: every charge, every number, everything that a signer ever said.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use alloy_primitives::{Address, B256};

use crate::{
    Rules,
    abi::Content,
    memory::{Memory, Settings},
    policy::{Limits, Standing},
    tally::{Count, Proposal, Said, State, Tally},
};

/// What was charged to a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Charge {
    tier: u8,
    time: u64,
    units: u128,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    pub(crate) settings: Settings,
    pub(crate) tiers: Vec<Limits>,
    pub(crate) signers: Vec<Address>,
    pub(crate) guardians: Vec<Address>,
    /// First second without the role, by account and role.
    roles: BTreeMap<(Address, u8), u64>,
    freeze_again_at: BTreeMap<Address, u64>,
    standings: BTreeMap<Address, Standing>,
    paid: BTreeSet<u64>,
    charges: Vec<Charge>,
    pub(crate) proposals: BTreeMap<B256, (Proposal, Content)>,
    /// What signers said, by id; also of what was never proposed.
    said: BTreeMap<B256, Vec<Said>>,
}

impl Lists {
    /// Whether a number is paid.
    pub(crate) fn is_paid(&self, number: u64) -> bool {
        self.paid.contains(&number)
    }

    /// Votes and clock of a proposal.
    pub(crate) fn tally(&self, rules: &Rules, id: B256) -> Tally {
        let proposal = self.proposals.get(&id).map(|(proposal, _)| proposal);
        let required = proposal.map_or(usize::MAX, |p| usize::from(p.required));
        let mut tally = Tally::default();
        if required == 0 {
            tally.quorum_at = proposal.map(|p| p.proposed_at);
        }
        for said in self.said.get(&id).into_iter().flatten() {
            if said.epoch != tally.epoch {
                tally.epoch = said.epoch;
                tally.barred.clear();
                if rules.epochs_drop_votes {
                    tally.votes.clear();
                    tally.quorum_at = tally.quorum_at.filter(|_| required == 0);
                }
            }
            if said.yes {
                tally.votes.insert(said.signer);
                tally.voted_at = said.time;
                if tally.votes.len() >= required {
                    tally.quorum_at.get_or_insert(said.time);
                }
            } else {
                tally.votes.remove(&said.signer);
                if rules.revoking_forbids {
                    tally.barred.insert(said.signer);
                }
                tally.quorum_at = tally.quorum_at.filter(|_| tally.votes.len() >= required);
            }
        }
        tally
    }
}

impl Memory for Lists {
    fn settings(&self) -> Settings {
        self.settings
    }

    fn set_settings(&mut self, next: Settings) {
        self.settings = next;
    }

    fn tiers(&self) -> Vec<Limits> {
        self.tiers.clone()
    }

    fn tier(&self, index: u8) -> Option<Limits> {
        self.tiers.get(usize::from(index)).copied()
    }

    fn set_tiers(&mut self, next: Vec<Limits>) {
        self.tiers = next;
    }

    fn signers(&self) -> Vec<Address> {
        self.signers.clone()
    }

    fn is_signer(&self, account: Address) -> bool {
        self.signers.contains(&account)
    }

    fn set_signers(&mut self, next: Vec<Address>) {
        self.signers = next;
    }

    fn guardians(&self) -> Vec<Address> {
        self.guardians.clone()
    }

    fn set_guardians(&mut self, next: Vec<Address>) {
        self.guardians = next;
    }

    fn role_until(&self, account: Address, role: u8) -> u64 {
        self.roles.get(&(account, role)).copied().unwrap_or(0)
    }

    fn set_role(&mut self, account: Address, role: u8, until: u64) {
        self.roles.insert((account, role), until);
    }

    fn freeze_again_at(&self, party: Address) -> u64 {
        self.freeze_again_at.get(&party).copied().unwrap_or(0)
    }

    fn set_freeze_again_at(&mut self, party: Address, time: u64) {
        self.freeze_again_at.insert(party, time);
    }

    fn standing(&self, recipient: Address) -> Standing {
        let entry = self.standings.get(&recipient).copied();
        entry.unwrap_or(Standing::Unknown)
    }

    fn set_standing(&mut self, recipient: Address, standing: Standing) {
        self.standings.insert(recipient, standing);
    }

    fn unpaid(&self, first: u64, count: usize) -> Vec<usize> {
        let open = |i: &usize| !self.is_paid(number(first, *i));
        (0..count).filter(open).collect()
    }

    fn set_paid(&mut self, first: u64, places: &[usize], paid: bool) {
        for i in places {
            if paid {
                self.paid.insert(number(first, *i));
            } else {
                self.paid.remove(&number(first, *i));
            }
        }
    }

    fn used(&self, rules: &Rules, tier: u8, time: u64) -> u128 {
        let Rules {
            bucket, buckets, ..
        } = rules;
        let counts = |c: &&Charge| c.tier == tier && c.time / bucket + buckets > time / bucket;
        self.charges.iter().filter(counts).map(|c| c.units).sum()
    }

    fn charge(&mut self, _: &Rules, tier: u8, time: u64, units: u128) {
        self.charges.push(Charge { tier, time, units });
    }

    fn give_back(&mut self, _: u8, units: u128) {
        if let Some(last) = self.charges.last_mut() {
            last.units -= units;
        }
    }

    fn proposal(&self, id: B256) -> Option<Proposal> {
        self.proposals.get(&id).map(|(proposal, _)| *proposal)
    }

    fn open(&mut self, id: B256, proposal: Proposal, content: &Content) {
        self.proposals.insert(id, (proposal, content.clone()));
    }

    fn end(&mut self, id: B256, state: State) {
        if let Some((proposal, _)) = self.proposals.get_mut(&id) {
            proposal.end = Some(state);
        }
    }

    fn count(&self, rules: &Rules, id: B256) -> Count {
        let tally = self.tally(rules, id);
        Count {
            epoch: tally.epoch,
            votes: tally.votes.len(),
            quorum_at: tally.quorum_at,
            voted_at: tally.voted_at,
        }
    }

    fn has_vote(&self, rules: &Rules, id: B256, signer: Address) -> bool {
        let tally = self.tally(rules, id);
        tally.epoch == self.settings.epoch && tally.votes.contains(&signer)
    }

    fn is_barred(&self, rules: &Rules, id: B256, signer: Address) -> bool {
        let tally = self.tally(rules, id);
        tally.epoch == self.settings.epoch && tally.barred.contains(&signer)
    }

    fn say(&mut self, id: B256, said: Said) {
        let all: &mut Vec<Said> = self.said.entry(id).or_default();
        all.push(said);
    }
}

/// The number at a place of a run.
fn number(first: u64, place: usize) -> u64 {
    first.saturating_add(u64::try_from(place).unwrap_or(u64::MAX))
}
