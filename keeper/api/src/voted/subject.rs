//! What signers decide about: what each of them signs for it, and the calls that carry votes to the vault. A batch and a policy change are voted on
//! the same way.

use alloy_primitives::{Address, B256, Bytes, Signature};
use alloy_sol_types::SolCall;
use serde_json::Value;
use tidelock_core::{
    abi::{Vault, header_argument},
    domain::{Batch, VaultDomain},
};
use tidelock_store::Vote;

use super::Call;
use crate::{
    approvals::Ballot,
    changes::{Change, LoggedChange},
    port::Ballots,
};

/// What signers decide about.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// Payments.
    Batch(&'a Batch),
    /// A policy change, and as the vault logged it.
    Change(&'a Change, &'a LoggedChange),
}

/// What a vote that was kept is worth now, by the vault's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// It can be brought.
    Brings,
    /// Its signer's vote counts already.
    Counts,
    /// Its signer took it back, and votes by an own call alone.
    TakenBack,
    /// It was given as one of another signer set.
    OtherSigners,
    /// It is of nobody who may vote.
    NoSigner,
    /// It is not signed by its signer for this.
    Forged,
}

impl Worth {
    /// Of a vote. Its signature was looked at when it was kept, and is again: whoever may write the store could add some, and of votes that
    /// are brought together one bad one makes the vault refuse all.
    pub fn of(
        subject: Subject<'_>,
        domain: &VaultDomain,
        vote: &Vote,
        (all, ballot): (&Ballots, &Ballot),
    ) -> Self {
        if !subject.is_signed(domain, vote) {
            Self::Forged
        } else if vote.epoch != all.epoch {
            Self::OtherSigners
        } else if !all.signers.contains(&vote.signer) {
            Self::NoSigner
        } else if ballot.voted.contains(&vote.signer) {
            Self::Counts
        } else if ballot.revoked.contains(&vote.signer) {
            Self::TakenBack
        } else {
            Self::Brings
        }
    }
}

impl Subject<'_> {
    pub(super) fn document(&self, domain: &VaultDomain) -> Value {
        match self {
            Self::Batch(header) => header.typed_data(domain, None),
            Self::Change(change, _) => change.document(domain, None),
        }
    }

    pub(super) fn vote_document(&self, domain: &VaultDomain, signer: Address, epoch: u32) -> Value {
        match self {
            Self::Batch(header) => header.typed_data(domain, Some((signer, epoch))),
            Self::Change(change, _) => change.document(domain, Some((signer, epoch))),
        }
    }

    pub(super) fn vote_digest(&self, domain: &VaultDomain, signer: Address, epoch: u32) -> B256 {
        match self {
            Self::Batch(header) => header.vote_digest(domain, signer, epoch),
            Self::Change(change, _) => change.vote_digest(domain, signer, epoch),
        }
    }

    /// Whether a kept vote is signed by its signer, for this and for the signer set that it states, as the vault takes it: with the lower `s`, and
    /// 27 or 28 at its end.
    fn is_signed(self, domain: &VaultDomain, vote: &Vote) -> bool {
        let digest = self.vote_digest(domain, vote.signer, short(vote.epoch));
        let Ok(signature) = Signature::from_raw(&vote.signature) else {
            return false;
        };
        let is_plain =
            signature.normalize_s().is_none() && signature.as_bytes()[..] == vote.signature[..];
        let by = signature.recover_address_from_prehash(&digest);
        is_plain && by.is_ok_and(|by| by == vote.signer)
    }

    /// A signer's own call.
    pub(crate) fn approve(&self, domain: &VaultDomain) -> Call {
        let data = match *self {
            Self::Batch(header) => Vault::approveCall {
                batch: header_argument(header),
            }
            .abi_encode(),
            Self::Change(_, logged) => Vault::approveChangeCall {
                kind: logged.kind,
                change: logged.change.clone(),
            }
            .abi_encode(),
        };
        call(domain, data.into())
    }

    /// A call that brings votes which do not count yet; none if there are none, or the vault takes none.
    pub(crate) fn relay(
        &self,
        domain: &VaultDomain,
        votes: &[Vote],
        polled: (&Ballots, &Ballot),
    ) -> Option<Call> {
        let brings = |vote: &&Vote| Worth::of(*self, domain, vote, polled) == Worth::Brings;
        let votes: Vec<&Vote> = votes.iter().filter(brings).collect();
        let is_of_use = !votes.is_empty() && polled.1.state.is_open();
        is_of_use.then(|| call(domain, self.bring(&votes)))
    }

    /// What anybody sends to the vault, to bring these votes.
    pub fn bring(&self, votes: &[&Vote]) -> Bytes {
        let votes = votes.iter().map(|vote| Vault::Vote {
            signer: vote.signer,
            signature: vote.signature.clone(),
        });
        let votes = votes.collect();
        let data = match *self {
            Self::Batch(header) => Vault::approveBySigCall {
                batch: header_argument(header),
                votes,
            }
            .abi_encode(),
            Self::Change(_, logged) => Vault::approveChangeBySigCall {
                kind: logged.kind,
                change: logged.change.clone(),
                votes,
            }
            .abi_encode(),
        };
        data.into()
    }
}

fn call(domain: &VaultDomain, data: Bytes) -> Call {
    Call {
        to: domain.vault.to_string(),
        data: data.to_string(),
    }
}

/// An epoch has 24 bits.
pub(super) fn short(epoch: u64) -> u32 {
    u32::try_from(epoch).unwrap_or(u32::MAX)
}
