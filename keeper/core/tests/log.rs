//! An entry reads back as the event it was made from. What cannot be read back cannot be folded after a restart.

use alloy_primitives::{B256, Bytes, U256};
use tidelock_core::{
    domain::BatchId,
    event::{Event, Fees, Job},
    log::{Entry, LogHead, entry_hash},
};

#[test]
fn fees_of_any_size_read_back() {
    for fee in [0, 1, u128::from(u64::MAX), u128::MAX] {
        let event = Event::AttemptSigned {
            nonce: 1,
            job: Job::Execute {
                batch: BatchId(B256::repeat_byte(1)),
                skip: U256::MAX,
            },
            hash: B256::repeat_byte(2),
            raw: Bytes::from(vec![3]),
            fees: Fees {
                max_fee: fee,
                tip: fee,
            },
        };
        let entry = Entry::after(LogHead::EMPTY, &event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&entry.body).unwrap(), event);
        assert_eq!(entry.hash, entry_hash(B256::ZERO, 1, &entry.body));
    }
}
