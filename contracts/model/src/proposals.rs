//! Proposing, voting, revoking and vetoing. What signers say is kept as they said it.

use alloy_primitives::{Address, B256, U256, uint};

use crate::{
    Caller, Done, Revert, Vault, World,
    abi::{self, Content, Order, Vote},
    memory::Memory,
    payments::Reading,
    policy::PROPOSER,
    refuse,
    tally::{Proposal, Said, State},
};

impl<M: Memory> Vault<M> {
    // ── Batches ──────────────────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn propose(
        &mut self,
        by: Caller,
        order: &Order,
        payments: &[u8],
        done: &mut Done,
    ) -> Result<(), Revert> {
        let id = self.open_batch(by.time, order, payments)?.id;
        done.log(abi::BatchProposed {
            id,
            proposer: by.address,
            order: order.clone(),
            payments: payments.to_vec().into(),
        });
        self.proposed_by(by, id, done)?;
        done.returns(id);
        Ok(())
    }

    pub(crate) fn propose_by_sig<W: World>(
        &mut self,
        world: &W,
        by: Caller,
        order: &Order,
        payments: &[u8],
        votes: &[Vote],
        done: &mut Done,
    ) -> Result<(), Revert> {
        let Reading { id, content, .. } = self.open_batch(by.time, order, payments)?;
        let Some(first) = votes.first() else {
            return refuse(abi::VaultVotesMissing {});
        };
        done.log(abi::BatchProposed {
            id,
            proposer: first.signer,
            order: order.clone(),
            payments: payments.to_vec().into(),
        });
        self.vote_by_sig(world, by.time, (id, &content), votes, true, done)?;
        done.returns(id);
        Ok(())
    }

    /// The tier exists and is not automatic; its approvals and delay. [seconds]
    pub(crate) fn check_tier_of_proposals(&self, index: u8) -> Result<(u8, u64), Revert> {
        match self.tier(index) {
            None => refuse(abi::VaultTierUnknown {
                tier: U256::from(index),
                tiers: U256::from(self.memory.tiers().len()),
            }),
            Some(tier) if tier.is_automatic() => refuse(abi::VaultTierAutomatic {
                tier: U256::from(index),
            }),
            Some(tier) => Ok((tier.approvals, tier.delay)),
        }
    }

    fn open_batch(&mut self, time: u64, order: &Order, payments: &[u8]) -> Result<Reading, Revert> {
        let terms = self.check_tier_of_proposals(order.tier())?;
        let batch = self.read_proposal(order, payments)?;
        let proposal = Proposal::new(&batch.content, time, terms, false);
        self.open_proposal(batch.id, &batch.content, proposal, time)?;
        Ok(batch)
    }

    // ── Proposals of any kind ────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn check_never_proposed(&self, id: B256, time: u64) -> Result<(), Revert> {
        if self.memory.proposal(id).is_some() {
            return refuse(abi::VaultAlreadyProposed {
                id,
                state: self.state(id, time).number(),
            });
        }
        Ok(())
    }

    pub(crate) fn open_proposal(
        &mut self,
        id: B256,
        content: &Content,
        proposal: Proposal,
        time: u64,
    ) -> Result<(), Revert> {
        self.check_never_proposed(id, time)?;
        self.check_life(&proposal, proposal.delay, time)?;
        self.memory.open(id, proposal, content);
        Ok(())
    }

    /// Delay and settling fit the life that is left; what takes effect at once needs neither.
    fn check_life(&self, proposal: &Proposal, delay: u64, time: u64) -> Result<(), Revert> {
        let least = if proposal.instant {
            1
        } else {
            delay + self.rules.settle()
        };
        self.check_expiry(proposal.expires_at, time, time + least)
    }

    pub(crate) fn check_expiry(
        &self,
        expires_at: u64,
        time: u64,
        earliest: u64,
    ) -> Result<(), Revert> {
        let latest = time + self.rules.max_life;
        if (earliest..=latest).contains(&expires_at) {
            return Ok(());
        }
        refuse(abi::VaultExpiryOutOfRange {
            expiresAt: U256::from(expires_at),
            earliest: U256::from(earliest),
            latest: U256::from(latest),
        })
    }

    /// Proposed by a signer, which votes by it, or by a proposer.
    pub(crate) fn proposed_by(
        &mut self,
        by: Caller,
        id: B256,
        done: &mut Done,
    ) -> Result<(), Revert> {
        if self.is_signer(by.address) {
            return self.count_vote(by.time, id, by.address, true, done);
        }
        if !self.holds(by.address, PROPOSER, by.time) {
            return refuse(abi::VaultNotProposer { caller: by.address });
        }
        if self.count(id).quorum_at.is_some() {
            done.log(abi::Queued {
                id,
                caller: by.address,
            });
        }
        Ok(())
    }

    pub(crate) fn require_signer(&self, account: Address) -> Result<(), Revert> {
        if self.is_signer(account) {
            return Ok(());
        }
        refuse(abi::VaultNotSigner { caller: account })
    }

    fn require_pending(&self, id: B256, time: u64) -> Result<Proposal, Revert> {
        let state = self.state(id, time);
        match self.memory.proposal(id) {
            Some(proposal) if matches!(state, State::Proposed | State::Queued | State::Ready) => {
                Ok(proposal)
            }
            _ => refuse(abi::VaultStateInvalid {
                id,
                state: state.number(),
            }),
        }
    }

    pub(crate) fn approve(
        &mut self,
        by: Caller,
        content: &Content,
        done: &mut Done,
    ) -> Result<(), Revert> {
        let id = content.id(&self.domain);
        self.require_signer(by.address)?;
        self.require_pending(id, by.time)?;
        if self.has_vote(id, by.address) {
            return refuse(abi::VaultAlreadyApproved {
                id,
                signer: by.address,
            });
        }
        self.count_vote(by.time, id, by.address, false, done)
    }

    pub(crate) fn approve_by_sig<W: World>(
        &mut self,
        world: &W,
        by: Caller,
        content: &Content,
        votes: &[Vote],
        done: &mut Done,
    ) -> Result<(), Revert> {
        let id = content.id(&self.domain);
        self.require_pending(id, by.time)?;
        self.vote_by_sig(world, by.time, (id, content), votes, false, done)
    }

    pub(crate) fn vote_by_sig<W: World>(
        &mut self,
        world: &W,
        time: u64,
        (id, content): (B256, &Content),
        votes: &[Vote],
        proposing: bool,
        done: &mut Done,
    ) -> Result<(), Revert> {
        let Some(first) = votes.first() else {
            return refuse(abi::VaultVotesMissing {});
        };
        let mut news = false;
        for (i, vote) in votes.iter().enumerate() {
            self.require_signer(vote.signer)?;
            if self.has_vote(id, vote.signer) {
                continue;
            }
            self.check_vote(world, content, id, vote)?;
            self.count_vote(time, id, vote.signer, proposing && i == 0, done)?;
            news = true;
        }
        if news {
            return Ok(());
        }
        refuse(abi::VaultAlreadyApproved {
            id,
            signer: first.signer,
        })
    }

    /// A signed vote is its signer's, of this signer set, and not forbidden.
    pub(crate) fn check_vote<W: World>(
        &self,
        world: &W,
        content: &Content,
        id: B256,
        vote: &Vote,
    ) -> Result<(), Revert> {
        let signer = vote.signer;
        if self.is_barred(id, signer) {
            return refuse(abi::VaultVoteRevoked { id, signer });
        }
        let digest = content.vote_digest(&self.domain, signer, self.epoch());
        let valid = recovered(world, digest, &vote.signature) == Some(signer)
            || world.contract_signed(signer, digest, &vote.signature);
        if valid {
            return Ok(());
        }
        refuse(abi::VaultSignatureInvalid { signer })
    }

    fn count_vote(
        &mut self,
        time: u64,
        id: B256,
        signer: Address,
        proposing: bool,
        done: &mut Done,
    ) -> Result<(), Revert> {
        // A proposal runs from the vote that it is made by at the earliest, also one that needs none.
        let ran = !proposing && self.is_running(id);
        self.say(id, signer, time, true);
        let Some(proposal) = self.memory.proposal(id) else {
            return Err(Revert::new());
        };
        match self.running(&proposal, &self.count(id)) {
            Some((_, delay)) if !ran => {
                self.check_life(&proposal, delay, time)?;
                done.log(abi::Queued { id, caller: signer });
            }
            _ if !proposing => done.log(abi::Approved { id, signer }),
            _ => {}
        }
        Ok(())
    }

    fn say(&mut self, id: B256, signer: Address, time: u64, yes: bool) {
        let said = Said {
            signer,
            epoch: self.epoch(),
            time,
            yes,
        };
        self.memory.say(id, said);
    }

    pub(crate) fn revoke(&mut self, by: Caller, id: B256, done: &mut Done) -> Result<(), Revert> {
        let signer = by.address;
        self.require_signer(signer)?;
        if self.memory.proposal(id).is_some() {
            self.require_pending(id, by.time)?;
        }
        if !self.has_vote(id, signer) && self.is_barred(id, signer) {
            return refuse(abi::VaultNotApproved { id, signer });
        }
        let ran = self.is_running(id);
        self.say(id, signer, by.time, false);
        done.log(abi::Revoked { id, signer });
        if ran && !self.is_running(id) {
            done.log(abi::Unqueued { id });
        }
        Ok(())
    }

    pub(crate) fn cancel(&mut self, by: Caller, id: B256, done: &mut Done) -> Result<(), Revert> {
        self.require_guardian(by)?;
        if !self.require_pending(id, by.time)?.vetoable {
            return refuse(abi::VaultNotVetoable { id });
        }
        self.memory.end(id, State::Cancelled);
        done.log(abi::Cancelled {
            id,
            guardian: by.address,
        });
        Ok(())
    }
}

/// Who made an ECDSA signature of 65 bytes with low `s`, and `v` of 27 or 28.
fn recovered<W: World>(world: &W, digest: B256, signature: &[u8]) -> Option<Address> {
    let [words @ .., v] = signature else {
        return None;
    };
    if words.len() != 64 || !matches!(v, 27 | 28) {
        return None;
    }
    let (r, s) = words.split_at(32);
    let (r, s) = (U256::from_be_slice(r), U256::from_be_slice(s));
    if s > HIGHEST_S {
        return None; // the high twin of a low `s`
    }
    let signer = world.recover(digest, r, s, *v == 28)?;
    Some(signer).filter(|signer| !signer.is_zero())
}

/// Half the order of the curve.
const HIGHEST_S: U256 =
    uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);
