//! Quotes that were given, so that they can be held to what happened. No part of the log: nothing is decided by them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidelock_core::domain::{Amount, PaymentRef};

use super::{
    Desk, Reader, StoreError, columns,
    sql::{Row, among, query},
};

/// What was quoted for a payment that was to be filed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The ref that it was to be filed under.
    #[serde(rename = "ref")]
    pub reference: PaymentRef,
    /// When, by the machine's clock. [seconds since 1970]
    pub made_at: u64,
    /// From when the keeper takes it in until a block holds it. [seconds]
    pub expected_s: u64,
    /// At most, if no person and no deposit is waited for. [seconds]
    pub most_s: u64,
    /// Until that block is final, beside. [seconds]
    pub finality_s: u64,
    /// From when the keeper takes it in until it is final: half of such payments are by then, as far as was known; none in quotes of earlier
    /// versions. [seconds]
    #[serde(default)]
    pub p50_s: Option<u64>,
    /// And 95 of 100. [seconds]
    #[serde(default)]
    pub p95_s: Option<u64>,
    /// What its transaction would pay for gas if it were alone in it. [wei]
    pub fee_expected: Amount,
    /// At most, at the operator's cap. [wei]
    pub fee_most: Amount,
}

impl Desk {
    /// Keeps a quote; the last one of a ref is the one that counts.
    pub fn keep_quote(&mut self, quote: &Quote) -> Result<(), StoreError> {
        let body = columns::json("quote", quote)?;
        let reference = quote.reference.0.to_vec();
        self.write(async |connection| {
            const KEEP: &str = "INSERT INTO quote (ref, body) VALUES ($1, $2) \
                ON CONFLICT (ref) DO UPDATE SET body = excluded.body";
            let kept = query(KEEP).bind(reference.clone()).bind(body.clone());
            kept.execute(connection).await?;
            Ok(())
        })
    }

    /// Every quote, by ref.
    pub fn quotes(&mut self) -> Result<Vec<Quote>, StoreError> {
        self.write(async |connection| {
            let rows = query("SELECT body FROM quote ORDER BY ref").fetch_all(connection);
            rows.await?.iter().map(quote).collect()
        })
    }
}

impl Reader {
    /// The quotes that were given for these refs; a few hundred at most.
    pub fn quotes_of(
        &mut self,
        refs: &[PaymentRef],
    ) -> Result<BTreeMap<PaymentRef, Quote>, StoreError> {
        if refs.is_empty() {
            return Ok(BTreeMap::new());
        }
        let keys = refs.iter().map(|reference| reference.0.to_vec()).collect();
        let asked = among("SELECT body FROM quote WHERE ref", keys);
        let rows = asked.fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(rows)?;
        let quotes = rows.iter().map(|row| {
            let quote = quote(row)?;
            Ok((quote.reference, quote))
        });
        quotes.collect()
    }
}

fn quote(row: &Row) -> Result<Quote, StoreError> {
    serde_json::from_str(row.text("body")?).map_err(|error| StoreError::Value {
        field: "quote",
        value: error.to_string(),
        rule: "must be a quote of this version",
    })
}
