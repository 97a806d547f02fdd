//! What a vault remembers between calls, and how it may be kept. `Lists` keeps everything that was ever said and done, so that what it
//! comes to can be counted from scratch. A vault on a chain keeps words; whatever keeps them is held equal to `Lists`.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256};

use crate::{
    Rules,
    abi::Content,
    policy::{Limits, Standing},
    tally::{Count, Proposal, Said, State},
};

/// Single values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// First second at which payments flow again; past or 0 if they do.
    pub halted_until: u64,
    /// When tiers last changed so that charges had to settle; nothing for never. [seconds]
    pub tiers_changed_at: Option<u64>,
    /// Counts signer sets from 1.
    pub epoch: u64,
    /// Approvals that a change of policy needs.
    pub threshold: u8,
    /// Delay of policy changes. [seconds]
    pub policy_delay: u64,
    /// When the tiers were last written. [seconds]
    pub terms_changed_at: u64,
    /// Where sweeps go.
    pub successor: Address,
}

/// Where a vault's state is kept.
pub trait Memory {
    /// The single values.
    fn settings(&self) -> Settings;
    /// Replaces them.
    fn set_settings(&mut self, next: Settings);

    /// The release policy.
    fn tiers(&self) -> Vec<Limits>;
    /// A row of it.
    fn tier(&self, index: u8) -> Option<Limits>;
    /// Replaces it.
    fn set_tiers(&mut self, next: Vec<Limits>);

    /// Who votes, in order.
    fn signers(&self) -> Vec<Address>;
    /// Whether that account votes.
    fn is_signer(&self, account: Address) -> bool;
    /// Replaces them; the epoch of the settings is theirs.
    fn set_signers(&mut self, next: Vec<Address>);
    /// Who was last appointed guardian.
    fn guardians(&self) -> Vec<Address>;
    /// Replaces them.
    fn set_guardians(&mut self, next: Vec<Address>);

    /// First second without a role; 0 for never held.
    fn role_until(&self, account: Address, role: u8) -> u64;
    /// Replaces it.
    fn set_role(&mut self, account: Address, role: u8, until: u64);
    /// When the party may freeze again; 0 for any time.
    fn freeze_again_at(&self, party: Address) -> u64;
    /// Replaces it.
    fn set_freeze_again_at(&mut self, party: Address, time: u64);
    /// What the recipient book says; nothing if it has no entry.
    fn standing(&self, recipient: Address) -> Standing;
    /// Replaces it.
    fn set_standing(&mut self, recipient: Address, standing: Standing);

    /// Places of the numbers that are not paid, of a run of numbers that ends within 64 bits.
    fn unpaid(&self, first: u64, count: usize) -> Vec<usize>;
    /// Marks numbers of a run as paid or, if this very call marked them, as not paid.
    fn set_paid(&mut self, first: u64, places: &[usize], paid: bool);
    /// What charges still count for a tier. A charge counts in its own bucket and those after it. [units]
    fn used(&self, rules: &Rules, tier: u8, time: u64) -> u128;
    /// Adds a charge. [units]
    fn charge(&mut self, rules: &Rules, tier: u8, time: u64, units: u128);
    /// Gives back part of what this very call charged. [units]
    fn give_back(&mut self, tier: u8, units: u128);

    /// What a proposal was proposed with.
    fn proposal(&self, id: B256) -> Option<Proposal>;
    /// Keeps a new one.
    fn open(&mut self, id: B256, proposal: Proposal, content: &Content);
    /// It ends.
    fn end(&mut self, id: B256, state: State);
    /// What votes come to; also of what was never proposed.
    fn count(&self, rules: &Rules, id: B256) -> Count;
    /// Whether a signer's vote counts.
    fn has_vote(&self, rules: &Rules, id: B256, signer: Address) -> bool;
    /// Whether a signer's signatures count no more.
    fn is_barred(&self, rules: &Rules, id: B256, signer: Address) -> bool;
    /// A signer of this epoch votes, or takes its vote back.
    fn say(&mut self, id: B256, said: Said);
}
