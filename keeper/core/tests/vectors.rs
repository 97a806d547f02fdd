//! The shared vectors, written by `scripts/vectors` from an independent implementation.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use alloy_primitives::{Address, B256, Bytes, hex};
use serde::Deserialize;
use tidelock_core::domain::{
    Amount, Batch, BatchId, BlockTime, ChainId, Payment, PaymentNumber, PaymentRef, TierIndex,
    VaultDomain, pack_payments, unpack_payments,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Vector {
    amounts: Vec<String>,
    batch_id: String,
    chain_id: String,
    context: String,
    count: String,
    domain_separator: String,
    expires_at: String,
    first_number: String,
    name: String,
    payments: String,
    payments_hash: String,
    recipient: String,
    recipients: Vec<String>,
    references: Vec<String>,
    struct_hash: String,
    tier: String,
    total: String,
    vault: String,
}

impl Vector {
    fn payments(&self) -> Vec<Payment> {
        let columns = self
            .recipients
            .iter()
            .zip(&self.amounts)
            .zip(&self.references);
        columns
            .map(|((recipient, amount), reference)| {
                let reference = PaymentRef(hex::decode_to_array(reference).unwrap());
                let amount = Amount(amount.parse().unwrap());
                Payment::new(recipient.parse().unwrap(), amount, reference).unwrap()
            })
            .collect()
    }

    fn header(&self) -> Batch {
        Batch {
            first_number: PaymentNumber(self.first_number.parse().unwrap()),
            count: self.count.parse().unwrap(),
            tier: TierIndex::new(self.tier.parse().unwrap()).unwrap(),
            total: Amount(self.total.parse().unwrap()),
            recipient: self.recipient.parse().unwrap(),
            expires_at: BlockTime::from_seconds(self.expires_at.parse().unwrap()).unwrap(),
            payments_hash: self.payments_hash.parse().unwrap(),
            context: self.context.parse().unwrap(),
        }
    }

    fn domain(&self) -> VaultDomain {
        VaultDomain {
            chain_id: ChainId(self.chain_id.parse().unwrap()),
            vault: self.vault.parse::<Address>().unwrap(),
        }
    }
}

fn vectors() -> Vec<Vector> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test-fixtures/vectors/batch-id.json"
    );
    let vectors: Vec<Vector> =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(!vectors.is_empty());
    vectors
}

#[test]
fn packs_and_unpacks_as_the_vectors_say() {
    for vector in vectors() {
        let packed: Bytes = vector.payments.parse().unwrap();
        let payments = vector.payments();
        assert_eq!(pack_payments(&payments), packed, "{}", vector.name);
        assert_eq!(
            unpack_payments(&packed).unwrap(),
            payments,
            "{}",
            vector.name
        );
    }
}

#[test]
fn seals_the_header_that_the_vectors_have() {
    for vector in vectors() {
        let header = vector.header();
        let payments = vector.payments();
        let sealed = Batch::seal(
            header.first_number,
            header.tier,
            &payments,
            header.expires_at,
            header.context,
        );
        assert_eq!(sealed.unwrap(), header, "{}", vector.name);
        header.check(&payments).unwrap();
    }
}

#[test]
fn hashes_as_the_vectors_say() {
    for vector in vectors() {
        let (header, domain) = (vector.header(), vector.domain());
        let hash = |text: &str| text.parse::<B256>().unwrap();
        assert_eq!(
            domain.separator(),
            hash(&vector.domain_separator),
            "{}",
            vector.name
        );
        assert_eq!(
            header.struct_hash(),
            hash(&vector.struct_hash),
            "{}",
            vector.name
        );
        assert_eq!(
            header.id(&domain),
            BatchId(hash(&vector.batch_id)),
            "{}",
            vector.name
        );
    }
}

#[test]
fn no_two_vectors_share_an_id() {
    let mut ids: Vec<String> = vectors()
        .into_iter()
        .map(|vector| vector.batch_id)
        .collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}
