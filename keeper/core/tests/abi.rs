//! What the vault logs and refuses is read as what it means.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use alloy_primitives::{B256, Log, U256};
use alloy_sol_types::{SolError, SolEvent};
use tidelock_core::{
    abi::{Fact, FactError, Revert, TRANSFER_GAS, Vault, order_argument, read_fact},
    domain::{
        Address, Amount, Batch, BlockTime, ChainId, DomainError, Payment, PaymentNumber,
        PaymentRef, TierIndex, VaultDomain, pack_payments, packed_items,
    },
};

fn domain() -> VaultDomain {
    VaultDomain {
        chain_id: ChainId(31_337),
        vault: Address::repeat_byte(0xaa),
    }
}

fn payments() -> Vec<Payment> {
    let payment = |id: u8| {
        let reference = PaymentRef([id; 16]);
        Payment::new(Address::repeat_byte(id), Amount(id.into()), reference).unwrap()
    };
    vec![payment(1), payment(2)]
}

/// In a tier that is not automatic, under numbers of the upper half.
fn header() -> Batch {
    Batch::seal(
        PaymentNumber((1 << 63) + 7),
        TierIndex::new(1).unwrap(),
        &payments(),
        BlockTime::from_seconds(1_800_000_000).unwrap(),
        B256::repeat_byte(0x66),
    )
    .unwrap()
}

fn log_of(event: impl SolEvent) -> Log {
    Log {
        address: domain().vault,
        data: event.encode_log_data(),
    }
}

fn paid() -> Vault::BatchPaid {
    Vault::BatchPaid {
        id: header().id(&domain()).0,
        order: order_argument(&header()),
        paidMask: U256::from(0b10),
        payments: pack_payments(&payments()).into(),
    }
}

fn proposed() -> Vault::BatchProposed {
    Vault::BatchProposed {
        id: header().id(&domain()).0,
        proposer: Address::repeat_byte(3),
        order: order_argument(&header()),
        payments: pack_payments(&payments()).into(),
    }
}

#[test]
fn a_proposal_is_the_header_that_its_order_and_payments_come_to() {
    let fact = read_fact(&log_of(proposed()), &domain()).unwrap();
    let expected = Fact::Proposed {
        id: header().id(&domain()),
        header: header(),
        payments: payments(),
    };
    assert_eq!(fact, expected);
}

/// `payBySig` pays in any tier without a delay, under any number.
#[test]
fn a_batch_paid_at_once_is_read_whatever_its_tier_and_numbers() {
    let fact = read_fact(&log_of(paid()), &domain()).unwrap();
    let expected = Fact::Paid {
        id: header().id(&domain()),
        first_number: header().first_number,
        paid: U256::from(0b10),
        items: Some(packed_items(&paid().payments).unwrap()),
    };
    assert_eq!(fact, expected);
}

fn renumbered(order: &Vault::Order, first: u64) -> Vault::Order {
    Vault::Order::new(first, order.expires_at(), order.tier(), order.context)
}

#[test]
fn an_order_is_read_as_it_was_made() {
    let order = Vault::Order::new(u64::MAX - 1, (1 << 40) - 2, 3, B256::repeat_byte(7));
    let parts = (order.first_number(), order.expires_at(), order.tier());
    assert_eq!(parts, (u64::MAX - 1, (1 << 40) - 2, 3));
    assert_eq!(order.head.to_string(), "0xfffffffffffffffefffffffffe03");
}

#[test]
fn an_id_that_is_not_that_of_order_and_payments_is_not_believed() {
    let mut order = paid();
    order.order = renumbered(&order.order, order.order.first_number() + 1);
    let mut payments = paid();
    payments.payments = pack_payments(&self::payments()[..1]).into();
    for event in [order, payments] {
        let read = read_fact(&log_of(event), &domain());
        assert!(matches!(read, Err(FactError::WrongId { .. })), "{read:?}");
    }
    let mut event = proposed();
    event.order.context = B256::ZERO;
    let read = read_fact(&log_of(event), &domain());
    assert!(matches!(read, Err(FactError::WrongId { .. })), "{read:?}");
}

#[test]
fn numbers_beyond_the_last_are_not_believed() {
    let mut event = paid();
    event.order = renumbered(&event.order, u64::MAX);
    let read = read_fact(&log_of(event), &domain());
    assert!(
        matches!(
            read,
            Err(FactError::Domain(DomainError::NumbersOverflow { .. }))
        ),
        "{read:?}"
    );
}

/// The token is to blame only if the transfer had what the vault asks for.
#[test]
fn too_little_gas_is_told_from_a_transfer_that_burns_all() {
    let low = |gas: u64| {
        let error = Vault::VaultGasTooLow {
            index: U256::from(3),
            gasBefore: U256::from(gas),
            gasAfter: U256::from(9),
        };
        Revert::read(&error.abi_encode())
    };
    assert_eq!(TRANSFER_GAS, 1_000_000, "Vault.TRANSFER_GAS");
    assert_eq!(low(TRANSFER_GAS - 1), Revert::OutOfGas);
    let blamed = low(TRANSFER_GAS);
    assert!(
        matches!(blamed, Revert::BurnsGas { index: 3, .. }),
        "{blamed:?}"
    );
}
