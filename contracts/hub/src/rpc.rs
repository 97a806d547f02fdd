//! Ethereum's JSON-RPC over the chain: what the keeper, alloy and cast ask for, and a few methods of development chains.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jsonrpsee::{
    RpcModule,
    types::{ErrorObjectOwned, Params},
};
use pallet_revive::{
    EthTransactError, H160, H256, U256,
    evm::{GenericTransaction, TransactionInfo},
    pallet_revive_types::runtime_api::{BlockV1, GenericTransactionV1, TransactionInfoV1},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    chain::{Chain, Refusal, Sealed},
    receipts::{Place, hexed},
    runtime::{CHAIN_ID, Revive},
};

/// The chain, shared by those who ask.
pub type Shared = Arc<Mutex<Chain>>;

type Answer = Result<Value, ErrorObjectOwned>;
type Method = fn(&mut Chain, Arguments) -> Answer;

/// The methods by name.
const METHODS: &[(&str, Method)] = &[
    ("web3_clientVersion", |_, _| Ok(json!("tidelock-hub"))),
    ("net_version", |_, _| Ok(json!(CHAIN_ID.to_string()))),
    ("eth_chainId", |_, _| Ok(json!(U256::from(CHAIN_ID)))),
    ("eth_syncing", |_, _| Ok(json!(false))),
    ("eth_accounts", |_, _| Ok(json!([]))),
    ("eth_blockNumber", |c, _| Ok(json!(U256::from(c.newest())))),
    ("eth_gasPrice", |c, _| {
        Ok(json!(c.read(Revive::evm_base_fee)))
    }),
    ("eth_maxPriorityFeePerGas", |_, _| Ok(json!("0x0"))),
    ("eth_feeHistory", fee_history),
    ("eth_getBalance", balance),
    ("eth_getCode", code),
    ("eth_getStorageAt", storage),
    ("eth_getTransactionCount", nonce),
    ("eth_call", call),
    ("eth_estimateGas", estimate),
    ("eth_sendRawTransaction", send),
    ("eth_getBlockByNumber", block),
    ("eth_getBlockByHash", block),
    ("eth_getBlockReceipts", block_receipts),
    ("eth_getTransactionByHash", transaction),
    ("eth_getTransactionReceipt", receipt),
    ("eth_getLogs", crate::filter::logs),
    ("evm_mine", |c, _| {
        c.mine();
        Ok(json!("0x0"))
    }),
    ("evm_increaseTime", |c, a| {
        c.advance(a.number(0)?);
        Ok(json!("0x0"))
    }),
    ("evm_setNextBlockTimestamp", |c, a| {
        c.set_next_time(a.number(0)?);
        Ok(Value::Null)
    }),
    ("anvil_setBalance", |c, a| {
        let (account, balance) = (a.get(0)?, a.get(1)?);
        c.change(|| Revive::set_evm_balance(&account, balance))
            .map_err(|error| invalid(format!("{error:?}")))?;
        Ok(Value::Null)
    }),
];

/// All of it, to be served.
pub fn module(chain: Shared) -> RpcModule<Shared> {
    let mut module = RpcModule::new(chain);
    for (name, method) in METHODS {
        module
            .register_blocking_method(name, move |params: Params, chain: Arc<Shared>, _| {
                method(&mut lock(&chain), Arguments::new(&params)?)
            })
            .expect("each name once");
    }
    module
}

fn lock(chain: &Shared) -> MutexGuard<'_, Chain> {
    chain.lock().unwrap_or_else(PoisonError::into_inner)
}

// ── Arguments ────────────────────────────────────────────────────────────────────────────────────────────────────

/// What a method is called with, by position.
pub struct Arguments(Vec<Value>);

impl Arguments {
    fn new(params: &Params<'_>) -> Result<Self, ErrorObjectOwned> {
        if params.as_str().is_none() {
            return Ok(Self(Vec::new()));
        }
        Ok(Self(params.parse()?))
    }

    /// The argument at that place.
    pub fn get<T: DeserializeOwned>(&self, place: usize) -> Result<T, ErrorObjectOwned> {
        let value = self.0.get(place).cloned().unwrap_or(Value::Null);
        serde_json::from_value(value)
            .map_err(|error| invalid(format!("argument {}: {error}", place + 1)))
    }

    /// A number, with or without quotes.
    fn number(&self, place: usize) -> Result<u64, ErrorObjectOwned> {
        let value: Value = self.get(place)?;
        let read = match &value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => match text.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).ok(),
                None => text.parse().ok(),
            },
            _ => None,
        };
        read.ok_or_else(|| invalid(format!("argument {}: {value} is no number", place + 1)))
    }

    /// Number of the block that is named by number, tag or hash; nothing if there is none. Blocks are final at once.
    fn block(&self, chain: &Chain, place: usize) -> Result<Option<usize>, ErrorObjectOwned> {
        block_number(chain, self.0.get(place).unwrap_or(&Value::Null))
    }
}

/// The same for a value.
pub fn block_number(chain: &Chain, value: &Value) -> Result<Option<usize>, ErrorObjectOwned> {
    let named = match value {
        Value::Object(fields) => fields
            .get("blockHash")
            .or_else(|| fields.get("blockNumber"))
            .unwrap_or(&Value::Null),
        other => other,
    };
    let text = match named {
        Value::Null => "latest",
        Value::String(text) => text,
        other => return Err(invalid(format!("{other} names no block"))),
    };
    let number = match text {
        "latest" | "safe" | "finalized" | "pending" => Some(chain.newest()),
        "earliest" => Some(0),
        hash if hash.len() == 66 => hash.parse().ok().and_then(|hash| chain.number_of(hash)),
        text => {
            let digits = text
                .strip_prefix("0x")
                .and_then(|d| usize::from_str_radix(d, 16).ok());
            let number = digits.ok_or_else(|| invalid(format!("{text} names no block")))?;
            Some(number).filter(|number| *number <= chain.newest())
        }
    };
    Ok(number)
}

// ── Errors ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// The caller's mistake.
pub fn invalid(message: String) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(-32_602, message, None::<()>)
}

fn failed(message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(-32_000, message, None::<()>)
}

fn reverted(error: EthTransactError) -> ErrorObjectOwned {
    match error {
        EthTransactError::Data(data) => {
            ErrorObjectOwned::owned(3, "execution reverted", Some(hexed(&data)))
        }
        EthTransactError::Message(message) => failed(message),
    }
}

fn refused(refusal: Refusal) -> ErrorObjectOwned {
    failed(match refusal {
        Refusal::Malformed => "not a signed transaction of this chain".to_string(),
        Refusal::NonceTooLow => "nonce too low".to_string(),
        Refusal::InsufficientFunds => "insufficient funds for gas * price + value".to_string(),
        Refusal::Other(what) => format!("invalid transaction: {what}"),
    })
}

// ── State ────────────────────────────────────────────────────────────────────────────────────────────────────────

fn read<R>(
    chain: &mut Chain,
    arguments: &Arguments,
    place: usize,
    question: impl FnOnce() -> R,
) -> Result<R, ErrorObjectOwned> {
    let number = arguments.block(chain, place)?;
    number
        .and_then(|number| chain.read_at(number, question))
        .ok_or_else(|| failed("the state after that block is unknown or not remembered"))
}

fn balance(chain: &mut Chain, arguments: Arguments) -> Answer {
    let account: H160 = arguments.get(0)?;
    let balance = read(chain, &arguments, 1, || Revive::evm_balance(&account))?;
    Ok(json!(balance))
}

fn code(chain: &mut Chain, arguments: Arguments) -> Answer {
    let account: H160 = arguments.get(0)?;
    let code = read(chain, &arguments, 1, || Revive::code(&account))?;
    Ok(json!(hexed(&code)))
}

fn storage(chain: &mut Chain, arguments: Arguments) -> Answer {
    let (account, slot): (H160, U256) = (arguments.get(0)?, arguments.get(1)?);
    let key = slot.to_big_endian();
    let word = read(chain, &arguments, 2, || Revive::get_storage(account, key))?;
    let word = word.ok().flatten().unwrap_or_else(|| vec![0; 32]);
    Ok(json!(hexed(&word)))
}

fn nonce(chain: &mut Chain, arguments: Arguments) -> Answer {
    let account: H160 = arguments.get(0)?;
    if arguments.0.get(1) == Some(&json!("pending")) {
        return Ok(json!(U256::from(chain.pending_nonce(account))));
    }
    let nonce = read(chain, &arguments, 1, || Revive::evm_nonce(&account))?;
    Ok(json!(U256::from(nonce)))
}

fn call(chain: &mut Chain, arguments: Arguments) -> Answer {
    let asked: GenericTransactionV1 = arguments.get(0)?;
    let transaction = GenericTransaction::from(asked);
    let overrides = match arguments.0.get(2) {
        None | Some(Value::Null) => None,
        Some(_) => return Err(failed("overrides of state are not supported")),
    };
    let done = read(chain, &arguments, 1, || {
        Revive::dry_run_eth_transact(transaction, None, false, overrides)
    })?;
    let done = done.map_err(reverted)?;
    Ok(json!(hexed(&done.data)))
}

fn estimate(chain: &mut Chain, arguments: Arguments) -> Answer {
    let asked: GenericTransactionV1 = arguments.get(0)?;
    let transaction = GenericTransaction::from(asked);
    let gas = read(chain, &arguments, 1, || {
        Revive::eth_estimate_gas(transaction, None, None)
    })?;
    Ok(json!(gas.map_err(reverted)?))
}

fn send(chain: &mut Chain, arguments: Arguments) -> Answer {
    let text: String = arguments.get(0)?;
    let raw = text
        .strip_prefix("0x")
        .and_then(|digits| hex::decode(digits).ok());
    let raw = raw.ok_or_else(|| invalid("argument 1: no bytes".to_string()))?;
    chain.send(&raw).map(|hash| json!(hash)).map_err(refused)
}

// ── Blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────

fn block(chain: &mut Chain, arguments: Arguments) -> Answer {
    let Some(sealed) = arguments.block(chain, 0)?.and_then(|n| chain.block(n)) else {
        return Ok(Value::Null);
    };
    let whole: bool = arguments.get(1).unwrap_or(false);
    let mut answer = json!(BlockV1::from(sealed.block.clone()));
    if whole {
        let info = sealed
            .transaction_json()
            .map_or(json!([]), |one| json!([one]));
        answer["transactions"] = info;
    }
    Ok(answer)
}

fn block_receipts(chain: &mut Chain, arguments: Arguments) -> Answer {
    let Some(sealed) = arguments.block(chain, 0)?.and_then(|n| chain.block(n)) else {
        return Ok(Value::Null);
    };
    let receipts: Vec<Value> = sealed.receipt_json().into_iter().collect();
    Ok(json!(receipts))
}

fn transaction(chain: &mut Chain, arguments: Arguments) -> Answer {
    let hash: H256 = arguments.get(0)?;
    let sealed = chain.block_of(hash);
    Ok(sealed
        .and_then(Sealed::transaction_json)
        .unwrap_or(Value::Null))
}

fn receipt(chain: &mut Chain, arguments: Arguments) -> Answer {
    let hash: H256 = arguments.get(0)?;
    let sealed = chain.block_of(hash);
    Ok(sealed.and_then(Sealed::receipt_json).unwrap_or(Value::Null))
}

fn fee_history(chain: &mut Chain, arguments: Arguments) -> Answer {
    let asked = usize::try_from(arguments.number(0)?).unwrap_or(usize::MAX);
    let newest = arguments.block(chain, 1)?.unwrap_or(chain.newest());
    let count = asked.min(newest + 1).min(1_024);
    let oldest = newest + 1 - count;
    let percentiles: Vec<f64> = arguments.get(2).unwrap_or_default();
    let fee = chain.read(Revive::evm_base_fee);
    Ok(json!({
        "oldestBlock": U256::from(oldest),
        "baseFeePerGas": vec![fee; count + 1],
        "gasUsedRatio": vec![0.5; count],
        "reward": vec![vec![U256::zero(); percentiles.len()]; count],
    }))
}

impl Sealed {
    /// Where the block's transaction is.
    pub fn place(&self) -> Option<Place> {
        let (transaction, ..) = self.transaction.as_ref()?;
        Some(Place {
            transaction: *transaction,
            block: self.block.hash,
            number: self.block.number,
            time: self.block.timestamp,
        })
    }

    fn receipt_json(&self) -> Option<Value> {
        let (_, _, receipt) = self.transaction.as_ref()?;
        Some(receipt.json(self.place()?))
    }

    fn transaction_json(&self) -> Option<Value> {
        let (hash, transaction, receipt) = self.transaction.as_ref()?;
        Some(json!(TransactionInfoV1::from(TransactionInfo {
            block_hash: self.block.hash,
            block_number: self.block.number,
            from: receipt.from,
            hash: *hash,
            transaction_index: U256::zero(),
            transaction_signed: transaction.clone(),
        })))
    }
}
