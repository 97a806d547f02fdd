//! `eth_getLogs`.

use jsonrpsee::types::ErrorObjectOwned;
use pallet_revive::{H160, H256};
use serde_json::{Value, json};

use crate::{
    chain::Chain,
    receipts::Log,
    rpc::{Arguments, block_number, invalid},
};

/// Logs of the blocks, addresses and topics that are asked for.
pub fn logs(chain: &mut Chain, arguments: Arguments) -> Result<Value, ErrorObjectOwned> {
    let filter: Value = arguments.get(0)?;
    let (first, last) = match filter.get("blockHash") {
        Some(hash) => {
            let number = block_number(chain, hash)?
                .ok_or_else(|| invalid("no block has that hash".to_string()))?;
            (number, number)
        }
        None => {
            let end = |name| block_number(chain, filter.get(name).unwrap_or(&Value::Null));
            let last = end("toBlock")?.unwrap_or(chain.newest());
            (end("fromBlock")?.unwrap_or(last + 1), last)
        }
    };
    let addresses: Vec<H160> = one_or_many(filter.get("address"))?;
    let topics = topics(filter.get("topics"))?;
    let wanted = |log: &Log| {
        let address = addresses.is_empty() || addresses.contains(&log.address);
        let topic = |(i, any): (usize, &Vec<H256>)| {
            any.is_empty() || log.topics.get(i).is_some_and(|topic| any.contains(topic))
        };
        address && topics.iter().enumerate().all(topic)
    };
    let mut found = Vec::new();
    for sealed in (first..=last).filter_map(|number| chain.block(number)) {
        if let (Some((_, _, receipt)), Some(place)) = (&sealed.transaction, sealed.place()) {
            let logs = receipt.logs.iter().enumerate();
            let logs = logs.filter(|(_, log)| wanted(log));
            found.extend(logs.map(|(i, log)| log.json(place, i)));
        }
    }
    Ok(json!(found))
}

/// For each place those that are wanted there; none for any.
fn topics(value: Option<&Value>) -> Result<Vec<Vec<H256>>, ErrorObjectOwned> {
    let places: Vec<Value> = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(places) => parsed(places)?,
    };
    places
        .iter()
        .map(|place| one_or_many(Some(place)))
        .collect()
}

fn one_or_many<T: serde::de::DeserializeOwned>(
    value: Option<&Value>,
) -> Result<Vec<T>, ErrorObjectOwned> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(many @ Value::Array(_)) => parsed(many),
        Some(one) => Ok(vec![parsed(one)?]),
    }
}

fn parsed<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, ErrorObjectOwned> {
    serde_json::from_value(value.clone()).map_err(|error| invalid(format!("filter: {error}")))
}
