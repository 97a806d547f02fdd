//! Votes that signers gave off chain. Whoever reads them brings them to the vault, which alone decides whether they count.

use alloy_primitives::{Address, B256, Bytes};
use tidelock_core::domain::BatchId;

use super::{Desk, Reader, StoreError, columns, sql::query};

/// A signer's vote for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The batch.
    pub batch: BatchId,
    /// Whose vote.
    pub signer: Address,
    /// Of which signer set.
    pub epoch: u64,
    /// 65 bytes: r, s and v.
    pub signature: Bytes,
}

impl Desk {
    /// Keeps a vote; of a signer's votes of one signer set for one batch the first stays. Whether it is that.
    pub fn keep_vote(&mut self, vote: &Vote) -> Result<bool, StoreError> {
        const KEEP: &str = "INSERT INTO vote (batch, signer, epoch, signature) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (batch, signer, epoch) DO NOTHING";
        let epoch = columns::integer("epoch", vote.epoch)?;
        self.write(async |connection| {
            let kept = query(KEEP)
                .bind(vote.batch.0.to_vec())
                .bind(vote.signer.to_vec())
                .bind(epoch)
                .bind(vote.signature.to_vec());
            Ok(kept.execute(connection).await? > 0)
        })
    }
}

impl Reader {
    /// What votes were ever kept for.
    pub fn voted(&mut self) -> Result<Vec<BatchId>, StoreError> {
        let asked =
            query("SELECT DISTINCT batch FROM vote ORDER BY batch").fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        let id = |row: &super::sql::Row| {
            let id = B256::try_from(row.bytes("batch")?);
            Ok(BatchId(
                id.map_err(|_| StoreError::damaged("vote", "batch"))?,
            ))
        };
        rows.iter().map(id).collect()
    }

    /// The votes for a batch, by signer.
    pub fn votes(&mut self, batch: &BatchId) -> Result<Vec<Vote>, StoreError> {
        let asked = query(
            "SELECT signer, epoch, signature FROM vote WHERE batch = $1 ORDER BY signer, epoch",
        )
        .bind(batch.0.to_vec())
        .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        let vote = |row: &super::sql::Row| {
            let damaged = |what: &str| StoreError::damaged("vote", what);
            let signer = Address::try_from(row.bytes("signer")?).map_err(|_| damaged("signer"))?;
            Ok(Vote {
                batch: *batch,
                signer,
                epoch: u64::try_from(row.integer("epoch")?).map_err(|_| damaged("epoch"))?,
                signature: row.bytes("signature")?.to_vec().into(),
            })
        };
        rows.iter().map(vote).collect()
    }
}
