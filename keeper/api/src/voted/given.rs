//! A vote that is brought: held to its signer and to what it is for, and kept.

use alloy_primitives::{Address, Bytes, Signature};
use axum::http::StatusCode;
use tidelock_core::domain::{BatchId, VaultDomain, parse_address};
use tidelock_store::Vote;

use super::{Subject, subject::short, votes};
use crate::{App, port::Ballots, problem::Problem};

/// A vote as it was brought: of the right shape, and held to nothing that only the chain knows.
pub(crate) struct Given {
    signer: Address,
    signature: Signature,
    /// For refusals.
    texts: [String; 2],
}

impl Given {
    pub fn read(texts: [String; 2]) -> Result<Self, Problem> {
        let [signer, signature] = &texts;
        let refused = |rule: &str| Problem::broken("signature", signature, rule);
        let signer = parse_address(signer)
            .map_err(|_| Problem::broken("signer", signer, "must be an address"))?;
        let bytes = signature
            .parse::<Bytes>()
            .map_err(|_| refused("must be 0x and hexadecimal digits"))?;
        let signature = Signature::from_raw(&bytes).map_err(|_| {
            refused("must have 65 bytes, the last of them 27 or 28: a signer that is a contract votes by a call")
        })?;
        // Of the two signatures with one meaning the vault takes the one with the lower `s`.
        if signature.normalize_s().is_some() {
            return Err(refused("must have the lower of the two values of s"));
        }
        Ok(Self {
            signer,
            signature,
            texts,
        })
    }

    /// As the vault would take it.
    pub fn held_to(
        self,
        domain: &VaultDomain,
        id: BatchId,
        subject: Subject<'_>,
        ballots: &Ballots,
    ) -> Result<Vote, Problem> {
        let [signer_text, signature_text] = &self.texts;
        let signer = self.signer;
        let refused = |rule: &str| Err(Problem::broken("signer", signer_text, rule));
        if !ballots.signers.contains(&signer) {
            return refused("must be a signer of the vault");
        }
        if ballots.each.iter().any(|one| one.revoked.contains(&signer)) {
            return refused("took its vote back: only its own call votes again");
        }
        let digest = subject.vote_digest(domain, signer, short(ballots.epoch));
        let by = self.signature.recover_address_from_prehash(&digest);
        if by.ok() != Some(signer) {
            let rule = "must be the signer's, of this typed data and of the signer set in force";
            return Err(Problem::broken("signature", signature_text, rule));
        }
        Ok(Vote {
            batch: id,
            signer,
            epoch: ballots.epoch,
            // As the vault takes it: with 27 or 28 at its end.
            signature: self.signature.as_bytes().to_vec().into(),
        })
    }
}

/// Holds a vote that was brought to what it is for, and keeps it. What is told of that: whether it was there before, and all that are kept.
pub(crate) async fn keep(
    app: &App,
    id: BatchId,
    given: Given,
    subject: Subject<'_>,
    ballots: &Ballots,
) -> Result<(StatusCode, Vec<Vote>), Problem> {
    let vote = given.held_to(&app.identity.domain, id, subject, ballots)?;
    let is_new = app.write(move |desk| desk.keep_vote(&vote)).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let kept = votes(app, vec![id]).await?.pop().unwrap_or_default();
    Ok((status, kept))
}
