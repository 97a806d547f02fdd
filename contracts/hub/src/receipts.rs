//! What a transaction did, read from the events of its block.

use pallet_revive::{
    Event, H160, H256, U256, create1,
    evm::{Block as EthBlock, GenericTransaction, TransactionSigned},
    keccak_256,
};
use polkadot_sdk::frame_system::Phase;
use serde_json::{Value, json};

use crate::runtime::{Revive, RuntimeEvent, System};

/// One log of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Who logged it.
    pub address: H160,
    /// What it is filed under.
    pub topics: Vec<H256>,
    /// The rest.
    pub data: Vec<u8>,
}

/// What a transaction did.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Whether it did not revert.
    pub success: bool,
    /// Who sent it.
    pub from: H160,
    /// Whom it called; nobody if it created a contract.
    pub to: Option<H160>,
    /// What it created.
    pub created: Option<H160>,
    /// What was logged; nothing if it reverted.
    pub logs: Vec<Log>,
    /// Gas that it was charged for.
    pub gas_used: U256,
    /// Price of each. [wei]
    pub gas_price: U256,
    /// Kind of transaction (EIP-2718).
    pub kind: u8,
}

/// The receipt of the newest block's transaction; asked while the runtime stands at the end of that block.
pub fn receipt_of(transaction: &TransactionSigned, block: &EthBlock) -> Receipt {
    let from = transaction.recover_eth_address().unwrap_or_default();
    let generic =
        GenericTransaction::from_signed(transaction.clone(), block.base_fee_per_gas, Some(from));
    let gas = Revive::eth_receipt_data().pop().unwrap_or_default();
    let nonce = u64::try_from(generic.nonce.unwrap_or_default()).unwrap_or(u64::MAX);
    let success = !events().any(|event| matches!(event, Event::EthExtrinsicRevert { .. }));
    Receipt {
        success,
        from,
        to: generic.to,
        created: generic.to.is_none().then(|| create1(&from, nonce)),
        logs: logs(),
        gas_used: gas.gas_used,
        gas_price: gas.effective_gas_price,
        kind: generic.r#type.map_or(0, |kind| kind.0),
    }
}

/// What contracts logged in the runtime's block.
pub fn logs() -> Vec<Log> {
    let log = |event| match event {
        Event::ContractEmitted {
            contract,
            data,
            topics,
        } => Some(Log {
            address: contract,
            topics,
            data,
        }),
        _ => None,
    };
    events().filter_map(log).collect()
}

fn events() -> impl Iterator<Item = Event<crate::runtime::Runtime>> {
    let records = System::read_events_no_consensus();
    records.filter_map(|record| match (record.phase, record.event) {
        (Phase::ApplyExtrinsic(_) | Phase::Initialization, RuntimeEvent::Revive(event)) => {
            Some(event)
        }
        _ => None,
    })
}

/// Where a transaction is: its hash and its block.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The transaction.
    pub transaction: H256,
    /// Its block.
    pub block: H256,
    /// The block's number.
    pub number: U256,
    /// The block's time. [seconds]
    pub time: U256,
}

impl Log {
    /// As Ethereum's nodes write it.
    pub fn json(&self, place: Place, index: usize) -> Value {
        json!({
            "address": self.address,
            "topics": self.topics,
            "data": hexed(&self.data),
            "blockHash": place.block,
            "blockNumber": place.number,
            "blockTimestamp": place.time,
            "transactionHash": place.transaction,
            "transactionIndex": "0x0",
            "logIndex": U256::from(index),
            "removed": false,
        })
    }
}

impl Receipt {
    /// As Ethereum's nodes write it.
    pub fn json(&self, place: Place) -> Value {
        let logs = self.logs.iter().enumerate();
        json!({
            "transactionHash": place.transaction,
            "transactionIndex": "0x0",
            "blockHash": place.block,
            "blockNumber": place.number,
            "from": self.from,
            "to": self.to,
            "contractAddress": self.created,
            "cumulativeGasUsed": self.gas_used,
            "gasUsed": self.gas_used,
            "effectiveGasPrice": self.gas_price,
            "logs": logs.map(|(i, log)| log.json(place, i)).collect::<Vec<_>>(),
            "logsBloom": hexed(&bloom(&self.logs)),
            "type": format!("{:#x}", self.kind),
            "status": if self.success { "0x1" } else { "0x0" },
        })
    }
}

/// Bytes as JSON-RPC has them.
pub fn hexed(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Ethereum's filter over addresses and topics: three of 2048 bits for each.
fn bloom(logs: &[Log]) -> [u8; 256] {
    let mut bloom = [0; 256];
    let topics = logs.iter().flat_map(|log| &log.topics).map(H256::as_bytes);
    for entry in logs.iter().map(|log| log.address.as_bytes()).chain(topics) {
        let hash = keccak_256(entry);
        for pair in hash.chunks_exact(2).take(3) {
            let bit = (usize::from(pair[0]) << 8 | usize::from(pair[1])) & 2047;
            bloom[255 - bit / 8] |= 1 << (bit % 8);
        }
    }
    bloom
}
