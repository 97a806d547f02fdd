//! Both sides of every boundary of the vocabulary, and what each refusal says.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use alloy_primitives::{Address, B256, hex};
use tidelock_core::domain::{
    Amount, Batch, BlockTime, DomainError, PACKED_PAYMENT_LEN, Payment, PaymentNumber, PaymentRef,
    TierIndex, pack_payments, unpack_payments,
};

const RECIPIENT: Address = Address::repeat_byte(0xab);
const REF: PaymentRef = PaymentRef([0xcd; 16]);
const CONTEXT: B256 = B256::repeat_byte(0xef);

fn payment(amount: u128) -> Result<Payment, DomainError> {
    Payment::new(RECIPIENT, Amount(amount), REF)
}

fn payments(count: usize) -> Vec<Payment> {
    vec![payment(1).unwrap(); count]
}

fn seal(first_number: u64, payments: &[Payment]) -> Result<Batch, DomainError> {
    let tier = TierIndex::new(0).unwrap();
    let expires_at = BlockTime::from_seconds(1).unwrap();
    Batch::seal(
        PaymentNumber(first_number),
        tier,
        payments,
        expires_at,
        CONTEXT,
    )
}

fn message<T: std::fmt::Debug>(result: Result<T, DomainError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn payment_keeps_what_it_was_given() {
    let payment = payment(5).unwrap();
    assert_eq!(payment.recipient(), RECIPIENT);
    assert_eq!(payment.amount(), Amount(5));
    assert_eq!(payment.reference(), REF);
}

#[test]
fn amount_is_above_zero_and_below_2_pow_96() {
    assert_eq!(payment(0), Err(DomainError::AmountZero));
    assert!(payment(1).is_ok());
    assert!(payment((1 << 96) - 1).is_ok());
    let value = Amount(1 << 96);
    assert_eq!(payment(1 << 96), Err(DomainError::AmountTooLarge { value }));
    assert!(payment(u128::MAX).is_err());
}

#[test]
fn recipient_zero_is_refused() {
    let refused = Payment::new(Address::ZERO, Amount(1), REF);
    assert_eq!(refused, Err(DomainError::RecipientZero));
    let one = Address::with_last_byte(1);
    assert!(Payment::new(one, Amount(1), REF).is_ok());
}

#[test]
fn tier_is_below_four() {
    assert_eq!(TierIndex::new(3).unwrap().get(), 3);
    assert_eq!(
        TierIndex::new(4),
        Err(DomainError::TierOutOfRange { value: 4 })
    );
}

#[test]
fn time_is_below_2_pow_40() {
    let last = (1 << 40) - 1;
    assert_eq!(BlockTime::from_seconds(last).unwrap().seconds(), last);
    assert_eq!(BlockTime::from_seconds(0).unwrap().seconds(), 0);
    let value = 1 << 40;
    assert_eq!(
        BlockTime::from_seconds(value),
        Err(DomainError::TimeTooLarge { value })
    );
}

#[test]
fn payment_packs_as_recipient_amount_ref() {
    let expected = format!("{}{:024x}{}", "ab".repeat(20), 0x0102, "cd".repeat(16));
    assert_eq!(hex::encode(payment(0x0102).unwrap().pack()), expected);
}

#[test]
fn packed_length_is_a_multiple_of_48() {
    let packed = pack_payments(&payments(2));
    for len in [1, 19, 20, 31, 32, 47, 49, 95] {
        let refused = unpack_payments(&packed[..len]);
        assert_eq!(refused, Err(DomainError::PackedLength { len }));
    }
    for len in [0, 19, 31, 47, 49, 96] {
        let refused = Payment::unpack(&packed[..len]);
        assert_eq!(refused, Err(DomainError::PackedLength { len }));
    }
    assert_eq!(unpack_payments(&packed).unwrap(), payments(2));
}

#[test]
fn packed_count_is_1_to_256() {
    for count in [0, 257] {
        let packed = pack_payments(&payments(count));
        assert_eq!(
            unpack_payments(&packed),
            Err(DomainError::CountOutOfRange { count })
        );
    }
    for count in [1, 256] {
        assert_eq!(
            unpack_payments(&pack_payments(&payments(count)))
                .unwrap()
                .len(),
            count
        );
    }
}

#[test]
fn unpack_names_the_wrong_payment() {
    let mut packed = pack_payments(&payments(3));
    packed[PACKED_PAYMENT_LEN..PACKED_PAYMENT_LEN + 20].fill(0);
    let source = Box::new(DomainError::RecipientZero);
    assert_eq!(
        unpack_payments(&packed),
        Err(DomainError::PaymentAt { index: 1, source })
    );
}

#[test]
fn batch_holds_1_to_256_payments() {
    for count in [0, 257, 65_536, 65_537] {
        assert_eq!(
            seal(0, &payments(count)),
            Err(DomainError::CountOutOfRange { count })
        );
    }
    for count in [1_u16, 256] {
        assert_eq!(seal(0, &payments(count.into())).unwrap().count, count);
    }
}

#[test]
fn numbers_stay_below_2_pow_64() {
    assert!(seal(u64::MAX - 255, &payments(256)).is_ok());
    let first_number = PaymentNumber(u64::MAX - 254);
    let count = 256;
    let refused = seal(first_number.0, &payments(256));
    assert_eq!(
        refused,
        Err(DomainError::NumbersOverflow {
            first_number,
            count
        })
    );
    assert!(seal(u64::MAX, &payments(1)).is_ok());
    assert!(seal(u64::MAX, &payments(2)).is_err());
}

#[test]
fn only_a_batch_of_one_names_its_recipient() {
    assert_eq!(seal(0, &payments(1)).unwrap().recipient, RECIPIENT);
    assert_eq!(seal(0, &payments(2)).unwrap().recipient, Address::ZERO);
}

#[test]
fn largest_total_fits() {
    let largest = vec![payment((1 << 96) - 1).unwrap(); 256];
    assert_eq!(seal(0, &largest).unwrap().total, Amount((1 << 104) - 256));
}

#[test]
fn check_refuses_each_untrue_field() {
    let payments = payments(2);
    let true_header = seal(0, &payments).unwrap();
    true_header.check(&payments).unwrap();
    let cases = [
        (
            Batch {
                count: 1,
                ..true_header
            },
            "count 1: the payments give 2",
        ),
        (
            Batch {
                total: Amount(3),
                ..true_header
            },
            "total 3: the payments give 2",
        ),
        (
            Batch {
                recipient: RECIPIENT,
                ..true_header
            },
            "recipient 0x",
        ),
        (
            Batch {
                payments_hash: CONTEXT,
                ..true_header
            },
            "payments hash 0xefef",
        ),
    ];
    for (header, expected) in cases {
        let said = message(header.check(&payments));
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn refusals_name_field_value_and_rule() {
    let zero = format!(
        "recipient {}: the zero address is never paid",
        Address::ZERO
    );
    let overflow =
        "first number 18446744073709551615 with count 2: the last number must be below 2^64";
    let too_large = "amount 79228162514264337593543950336: a payment must be below 2^96 base units";
    let cases = [
        (
            message(payment(0)),
            "amount 0: a payment must be more than 0 base units",
        ),
        (message(payment(1 << 96)), too_large),
        (message(Payment::new(Address::ZERO, Amount(1), REF)), &zero),
        (
            message(seal(0, &[])),
            "count 0: a batch holds 1 to 256 payments",
        ),
        (message(seal(u64::MAX, &payments(2))), overflow),
        (
            message(TierIndex::new(9)),
            "tier 9: a vault has tiers 0 to 3",
        ),
        (
            message(BlockTime::from_seconds(1 << 40)),
            "time 1099511627776: seconds must be below 2^40",
        ),
        (
            message(unpack_payments(&[0; 50])),
            "packed payments of 50 bytes: the length must be a multiple of 48",
        ),
        (
            message(unpack_payments(&[0; 48])),
            &format!("payment 0 of the batch: {zero}"),
        ),
    ];
    for (said, expected) in cases {
        assert_eq!(said, expected);
    }
}

#[test]
fn words_print_plainly() {
    assert_eq!(REF.to_string(), format!("0x{}", "cd".repeat(16)));
    assert_eq!(PaymentNumber(7).to_string(), "7");
    assert_eq!(Amount(7).to_string(), "7");
}

#[test]
fn a_ref_is_the_same_16_bytes_in_each_of_its_forms() {
    let expected = PaymentRef(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128.to_be_bytes());
    for text in [
        "0x0123456789abcdef0123456789abcdef",
        "0123456789ABCDEF0123456789ABCDEF",
        "01234567-89ab-cdef-0123-456789abcdef",
        "014D2PF2DBSQQG28T5CY4TQKFF",
        "014d2pf2dbsqqg28t5cy4tqkff",
    ] {
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
    assert_eq!(
        "7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse(),
        Ok(PaymentRef([0xff; 16])),
        "the largest ULID"
    );
    for bad in [
        "80000000000000000000000000",  // one more
        "014D2PF2DBSQQG28T5CY4TQKFU",  // U is none of the digits
        "014D2PF2DBSQQG28T5CY4TQKF",   // 25
        "014D2PF2DBSQQG28T5CY4TQKFFF", // 27
        "",
    ] {
        let refused = bad.parse::<PaymentRef>();
        assert!(
            matches!(refused, Err(DomainError::RefInvalid { .. })),
            "{bad}"
        );
    }
}
