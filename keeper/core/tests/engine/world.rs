//! What the tests are about: a vault, a key, payments, blocks, and what blocks say.

use alloy_consensus::{TxEip1559, TxEnvelope};
use alloy_eips::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, U256};
use alloy_sol_types::{SolCall, SolValue};
use tidelock_core::{
    abi::{Fact, Vault},
    domain::{
        Amount, Batch, BatchId, BlockTime, ChainId, Payment, PaymentNumber, PaymentRef, TierIndex,
        VaultDomain, pack_payments, packed_items,
    },
    event::{BlockRef, Namespace, Opening, Route},
    observe::{Block, Fork},
    port::{Simulation, TierLook, VaultLook},
    settings::{BatchSettings, LaneSettings, Settings, TransactionGas},
    state::BatchRow,
    submit::FeePolicy,
};

pub const GWEI: u128 = 1_000_000_000;
pub const NAMESPACE: u32 = 7;
/// Of every payment that a test does not give another one. [base units]
pub const AMOUNT: u128 = 100;
/// The half of the numbers that proposals use.
pub const PROPOSALS: u64 = 1 << 63;

pub const SETTINGS: Settings = Settings {
    token: Address::repeat_byte(0x70),
    unit: Amount(10),
    fees: FeePolicy {
        max_fee: 100 * GWEI,
        min_tip: GWEI,
        max_tip: 10 * GWEI,
        blocks_ahead: 2,
        bump_percent: 10,
    },
    patience: None,
    max_gas_cost_per_day: None,
    batch: BatchSettings {
        max_payments: 3,
        max_wait_ms: 0,
        attempt_ttl_s: 7_200,
        voting_s: 604_800,
        max_returns: 1,
        escalate_after_s: None,
    },
    lane: LaneSettings {
        max_unincluded: 2,
        rebroadcast_blocks: 3,
        replace_blocks: 5,
    },
    transaction_gas: TransactionGas::always(16_000_000),
    sends: true,
    poll_ms: 100,
    retry_ms: 100,
};

/// Batches of one payment, and as many under way as there is room for.
pub fn one_by_one() -> Settings {
    let mut settings = SETTINGS;
    settings.batch.max_payments = 1;
    settings.lane.max_unincluded = 10;
    settings
}

pub fn domain() -> VaultDomain {
    VaultDomain {
        chain_id: ChainId(1),
        vault: Address::repeat_byte(0xaa),
    }
}

pub fn opening() -> Opening {
    Opening {
        domain: domain(),
        keeper: Address::from_private_key(&key(1)),
        first_nonce: 0,
        namespace: Namespace::new(NAMESPACE).unwrap(),
        start: first_block().id,
    }
}

pub fn reference(id: u8) -> PaymentRef {
    PaymentRef([id; 16])
}

pub fn payment_of(id: u8, amount: u128) -> Payment {
    Payment::new(Address::repeat_byte(id), Amount(amount), reference(id)).unwrap()
}

pub fn payment(id: u8) -> Payment {
    payment_of(id, AMOUNT)
}

pub fn tier(index: u8) -> TierIndex {
    TierIndex::new(index).unwrap()
}

/// A number of the log's own namespace, in the half of automatic batches.
pub fn number(counter: u64) -> PaymentNumber {
    PaymentNumber((u64::from(NAMESPACE) << 40) | counter)
}

/// A number that the log never gives out.
pub fn foreign_number(counter: u64) -> PaymentNumber {
    PaymentNumber(PROPOSALS | (8 << 40) | counter)
}

pub fn time(seconds: u64) -> BlockTime {
    BlockTime::from_seconds(seconds).unwrap()
}

// ── The chain ────────────────────────────────────────────────────────────────────────────────────────────────────

pub fn first_block() -> Block {
    Block {
        id: BlockRef {
            number: 100,
            hash: B256::repeat_byte(1),
            time: time(1_800_000_000),
        },
        parent: B256::ZERO,
        base_fee: GWEI,
        gas_limit: 30_000_000,
        fork: Fork::Osaka,
        facts: Vec::new(),
        transactions: Vec::new(),
    }
}

/// The block that follows some seconds later; `fork` tells chains apart.
pub fn block_after(parent: &Block, seconds: u64, fork: u8) -> Block {
    let number = parent.id.number + 1;
    let mut hash = B256::repeat_byte(fork);
    hash.0[..8].copy_from_slice(&number.to_be_bytes());
    Block {
        id: BlockRef {
            number,
            hash,
            time: time(parent.id.time.seconds() + seconds),
        },
        parent: parent.id.hash,
        ..first_block()
    }
}

/// A policy of one automatic tier and one that needs an approval.
pub fn vault() -> VaultLook {
    let tier = |approvals, cap| TierLook {
        approvals,
        delay: 0,
        cap: Amount(cap),
        headroom: Amount(cap),
    };
    VaultLook {
        halted_until: 0,
        balance: Amount(1_000_000),
        tiers: vec![tier(0, 1_000), tier(1, 10_000)],
        proposals: Vec::new(),
        keeper_until: u64::MAX,
        proposer_until: u64::MAX,
        gas_balance: U256::MAX,
        data_fee: None,
    }
}

/// A call that pays everything it tries, or proposes.
pub fn succeeds(data: &Bytes, gas_per_payment: u64) -> Simulation {
    let all = |payments: &[u8]| {
        let count = packed_items(payments).unwrap().len();
        U256::MAX >> (256 - count)
    };
    let (returned, tried) = if let Ok(call) = Vault::payCall::abi_decode(data) {
        let tried = all(&call.payments);
        (tried.abi_encode(), tried.count_ones())
    } else if let Ok(call) = Vault::executeCall::abi_decode(data) {
        let tried = all(&call.payments) & !call.skipMask;
        (tried.abi_encode(), tried.count_ones())
    } else {
        (B256::ZERO.abi_encode(), 1)
    };
    Simulation::Succeeds {
        returned: returned.into(),
        gas: gas_per_payment * u64::try_from(tried).unwrap(),
    }
}

// ── What blocks say ──────────────────────────────────────────────────────────────────────────────────────────────

/// That the payments of the mask were paid, with what the vault says of them.
pub fn paid(batch: &BatchRow, mask: u64) -> Fact {
    let items = packed_items(&pack_payments(&batch.payments)).unwrap();
    Fact::Paid {
        id: batch.id,
        first_number: batch.header.first_number,
        paid: U256::from(mask),
        items: (batch.route == Route::Direct).then_some(items),
    }
}

pub fn proposed(batch: &BatchRow) -> Fact {
    Fact::Proposed {
        id: batch.id,
        header: batch.header,
        payments: batch.payments.clone(),
    }
}

/// Somebody else's proposal.
pub fn foreign_proposal(first_number: PaymentNumber, payments: &[Payment]) -> (BatchId, Fact) {
    let expires_at = time(first_block().id.time.seconds() + 10_000);
    let header = Batch::seal(first_number, tier(1), payments, expires_at, B256::ZERO).unwrap();
    let id = header.id(&domain());
    let payments = payments.to_vec();
    let fact = Fact::Proposed {
        id,
        header,
        payments,
    };
    (id, fact)
}

/// Somebody else's automatic payment.
pub fn foreign_payment(number: PaymentNumber, payment: Payment) -> Fact {
    Fact::Paid {
        id: BatchId(B256::repeat_byte(0xf0)),
        first_number: number,
        paid: U256::from(1),
        items: Some(packed_items(&payment.pack()).unwrap()),
    }
}

// ── The key ──────────────────────────────────────────────────────────────────────────────────────────────────────

pub fn key(id: u8) -> k256::ecdsa::SigningKey {
    k256::ecdsa::SigningKey::from_slice(&[id; 32]).unwrap()
}

/// Signs with a key; the keeper's is 1.
pub fn sign(id: u8, digest: B256) -> Signature {
    let signed = key(id).sign_prehash_recoverable(digest.as_slice());
    Signature::from(signed.unwrap())
}

/// The transaction that bytes hold.
pub fn transaction(mut raw: &[u8]) -> TxEip1559 {
    match TxEnvelope::decode_2718(&mut raw).unwrap() {
        TxEnvelope::Eip1559(signed) => signed.strip_signature(),
        other => panic!("{other:?}"),
    }
}
