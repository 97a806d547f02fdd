//! What holds for every payment and every batch.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use alloy_primitives::{Address, B256};
use proptest::prelude::*;
use tidelock_core::domain::{
    Amount, Batch, BlockTime, ChainId, DomainError, Payment, PaymentNumber, PaymentRef, TierIndex,
    VaultDomain, pack_payments, unpack_payments,
};

fn any_payment() -> impl Strategy<Value = Payment> {
    let recipient = any::<[u8; 20]>().prop_filter("zero address", |bytes| bytes != &[0; 20]);
    (recipient, 1_u128..1 << 96, any::<[u8; 16]>()).prop_map(|(recipient, amount, reference)| {
        Payment::new(
            Address::from(recipient),
            Amount(amount),
            PaymentRef(reference),
        )
        .unwrap()
    })
}

fn any_payments() -> impl Strategy<Value = Vec<Payment>> {
    prop::collection::vec(any_payment(), 1..=256)
}

prop_compose! {
    fn any_batch()(
        payments in prop::collection::vec(any_payment(), 1..=4),
        first_number in 0..=u64::MAX - 3,
        tier in 0_u8..4,
        expires_at in 0_u64..1 << 40,
        context in any::<[u8; 32]>(),
    ) -> (Batch, Vec<Payment>) {
        let tier = TierIndex::new(tier).unwrap();
        let expires_at = BlockTime::from_seconds(expires_at).unwrap();
        let first_number = PaymentNumber(first_number);
        let context = B256::from(context);
        let batch = Batch::seal(first_number, tier, &payments, expires_at, context).unwrap();
        (batch, payments)
    }
}

fn domain(chain_id: u64, vault: u8) -> VaultDomain {
    VaultDomain {
        chain_id: ChainId(chain_id),
        vault: Address::repeat_byte(vault),
    }
}

proptest! {
    #[test]
    fn payments_survive_packing(payments in any_payments()) {
        prop_assert_eq!(unpack_payments(&pack_payments(&payments)).unwrap(), payments);
    }

    #[test]
    fn any_bytes_unpack_to_themselves_or_are_refused(
        packed in prop::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..200),
    ) {
        match unpack_payments(&packed) {
            Ok(payments) => prop_assert_eq!(pack_payments(&payments), packed),
            Err(DomainError::PackedLength { len }) => {
                prop_assert_eq!(len, packed.len());
                prop_assert_ne!(len % 48, 0);
            }
            Err(DomainError::CountOutOfRange { count }) => {
                prop_assert_eq!(count, 0);
                prop_assert!(packed.is_empty());
            }
            Err(DomainError::PaymentAt { index, .. }) => prop_assert!(index < packed.len() / 48),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn a_sealed_batch_is_true_of_its_payments_only(
        (batch, payments) in any_batch(),
        other in any_payment(),
    ) {
        prop_assert!(batch.check(&payments).is_ok());
        let mut longer = payments.clone();
        longer.push(other);
        prop_assert!(batch.check(&longer).is_err());
        let mut swapped = payments.clone();
        swapped[0] = other;
        prop_assert_eq!(batch.check(&swapped).is_ok(), swapped == payments);
    }

    #[test]
    fn every_field_and_the_vault_change_the_id((batch, _) in any_batch(), chain_id in 0..u64::MAX) {
        let here = domain(chain_id, 1);
        let id = batch.id(&here);
        prop_assert_eq!(batch.id(&here), id);
        prop_assert_ne!(batch.id(&domain(chain_id + 1, 1)), id);
        prop_assert_ne!(batch.id(&domain(chain_id, 2)), id);
        let tier = TierIndex::new((batch.tier.get() + 1) % 4).unwrap();
        let expires_at = BlockTime::from_seconds((batch.expires_at.seconds() + 1) % (1 << 40)).unwrap();
        let others = [
            Batch { first_number: PaymentNumber(batch.first_number.0 ^ 1), ..batch },
            Batch { count: batch.count + 1, ..batch },
            Batch { tier, ..batch },
            Batch { total: Amount(batch.total.0 + 1), ..batch },
            Batch { recipient: Address::repeat_byte(3), ..batch },
            Batch { expires_at, ..batch },
            Batch { payments_hash: B256::ZERO, ..batch },
            Batch { context: !batch.context, ..batch },
        ];
        for other in others {
            prop_assert_ne!(other.id(&here), id);
        }
    }
}
