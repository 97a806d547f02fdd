//! Where proposals stand, by the vault's word, kept for whoever asks next.

use std::{collections::BTreeMap, time::Instant};

use alloy::primitives::{Address, U256};
use futures_util::{StreamExt, TryStreamExt, stream};
use tidelock_api::{AsOf, Ballot, Ballots, Unseen};
use tidelock_core::{
    abi::{Vault as VaultCalls, VaultLens},
    domain::BatchId,
    event::BlockRef,
    port::ProposalState,
};

use super::{FRESH, PARALLEL, Seeing, narrow};

/// An epoch has 24 bits.
const EPOCH: u64 = 0xff_ffff;
/// Where the bits of votes and of revocations begin in a proposal's word: one for each signer, in the order of the set.
const VOTES: u32 = 0;
const REVOKED: u32 = 32;

/// Proposals after one block, each looked at once.
pub(super) struct Polls {
    since: Instant,
    pub at: BlockRef,
    epoch: u64,
    signers: Vec<Address>,
    known: BTreeMap<BatchId, Ballot>,
}

impl Polls {
    pub async fn open(seeing: &Seeing<'_>, batches: &[BatchId]) -> Result<Self, Unseen> {
        let (signers, epoch) = seeing.signers().await?;
        let mut polls = Self {
            since: Instant::now(),
            at: seeing.at,
            epoch,
            signers,
            known: BTreeMap::new(),
        };
        polls.add(seeing, batches).await?;
        // A look that takes long is of use all the same.
        polls.since = Instant::now();
        Ok(polls)
    }

    pub fn are_fresh(&self) -> bool {
        self.since.elapsed() < FRESH
    }

    /// Looks at those that were not looked at, after the same block.
    pub async fn add(&mut self, seeing: &Seeing<'_>, batches: &[BatchId]) -> Result<(), Unseen> {
        let missing = batches.iter().filter(|id| !self.known.contains_key(id));
        let missing: Vec<BatchId> = missing.copied().collect();
        let looked: Vec<(BatchId, Ballot)> = stream::iter(missing)
            .map(|id| seeing.ballot(id, self.epoch, &self.signers))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        self.known.extend(looked);
        Ok(())
    }

    /// None unless each was looked at.
    pub fn of(&self, batches: &[BatchId]) -> Option<Ballots> {
        let each = batches.iter().map(|id| self.known.get(id).cloned());
        Some(Ballots {
            as_of: AsOf::from(self.at),
            epoch: self.epoch,
            signers: self.signers.clone(),
            each: each.collect::<Option<_>>()?,
        })
    }
}

impl Seeing<'_> {
    /// Who may vote, and the number of that set.
    pub(super) async fn signers(&self) -> Result<(Vec<Address>, u64), Unseen> {
        let vault = self.chain.parties().domain.vault;
        let (signers, epoch) = tokio::try_join!(
            self.of_vault(VaultCalls::signersCall {}),
            self.of_lens(VaultLens::epochCall { vault }),
        )?;
        Ok((signers, narrow("epoch", epoch)?))
    }

    async fn ballot(
        &self,
        id: BatchId,
        epoch: u64,
        signers: &[Address],
    ) -> Result<(BatchId, Ballot), Unseen> {
        let vault = self.chain.parties().domain.vault;
        let (said, word) = tokio::try_join!(
            self.of_lens(VaultLens::explainCall { vault, id: id.0 }),
            self.of_vault(VaultCalls::proposalCall { id: id.0 }),
        )?;
        let state = ProposalState::numbered(said.state);
        let state = state.ok_or_else(|| {
            let number = said.state;
            Unseen::Silent(format!("state {number}: must be 0 to 6"))
        })?;
        let voted = marked(word, VOTES, epoch, signers);
        let mut revoked = marked(word, REVOKED, epoch, signers);
        revoked.retain(|signer| !voted.contains(signer));
        let ballot = Ballot {
            state: state.into(),
            votes: said.votes,
            required: said.required,
            earliest: said.earliest.to::<u64>(),
            voted,
            revoked,
        };
        Ok((id, ballot))
    }
}

/// The signers whose bits are set in a proposal's word (contracts/src/types/Proposal.sol). What it says of another signer set counts for nothing.
fn marked(word: U256, first: u32, epoch: u64, signers: &[Address]) -> Vec<Address> {
    let [bits, of_set, ..] = word.into_limbs();
    if of_set & EPOCH != epoch {
        return Vec::new();
    }
    let is_set = |bit| bits.checked_shr(bit).is_some_and(|rest| rest & 1 == 1);
    let each = (first..).zip(signers).filter(|(bit, _)| is_set(*bit));
    each.map(|(_, signer)| *signer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_the_signers_in_their_order_and_of_their_set_only() {
        let signers = [1, 2, 3].map(Address::repeat_byte);
        let word = U256::from_limbs([0b101 | (0b010 << 32), 7 | (1 << 24), 0, 0]);
        let of = |first, epoch| marked(word, first, epoch, &signers);
        assert_eq!(of(VOTES, 7), [signers[0], signers[2]]);
        assert_eq!(of(REVOKED, 7), [signers[1]]);
        assert!(of(VOTES, 6).is_empty() && of(REVOKED, 8).is_empty());
    }
}
