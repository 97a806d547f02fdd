use alloy::primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use reqwest::{Client, Url, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Gas of anything here: nothing runs out of it.
const AMPLE_GAS: u64 = 500_000_000;

/// JSON-RPC with batches of questions: a look at the vault is a hundred of them.
pub struct Wire {
    client: Client,
    url: Url,
}

impl Wire {
    pub fn new(url: Url) -> Self {
        let client = tidelock_keeper::tls::client().build().unwrap();
        Self { client, url }
    }

    /// Asks, and the answer must be one.
    pub async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> T {
        let mut answers = self.ask_all(&[(method, params)]).await;
        let answer = answers.remove(0);
        let answer = answer.unwrap_or_else(|error| panic!("{method}: {error}"));
        serde_json::from_value(answer).unwrap()
    }

    /// Asks several things that do not depend on one another; errors are answers too.
    pub async fn ask_all(&self, questions: &[(&str, Value)]) -> Vec<Result<Value, Value>> {
        if questions.is_empty() {
            return Vec::new();
        }
        let requests = questions.iter().enumerate().map(|(id, (method, params))| {
            json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        });
        let body = Value::Array(requests.collect()).to_string();
        let request = self.client.post(self.url.clone());
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let text = request.send().await.unwrap().text().await.unwrap();
        let mut answers: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(answers.len(), questions.len(), "an answer for each");
        answers.sort_by_key(|answer| answer["id"].as_u64());
        let read = |mut answer: Value| match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].take()),
        };
        answers.into_iter().map(read).collect()
    }

    /// What calls would return, or the revert data.
    pub async fn call_all(&self, calls: &[(Address, Address, Bytes)]) -> Vec<Result<Bytes, Bytes>> {
        let questions = calls.iter().map(|(from, to, data)| {
            let call = transaction(*from, *to, data);
            ("eth_call", json!([call, "latest"]))
        });
        let questions: Vec<_> = questions.collect();
        let answers = self.ask_all(&questions).await.into_iter();
        let read = |answer| match answer {
            Ok(returned) => Ok(serde_json::from_value(returned).unwrap()),
            Err(error) => Err(revert_data(&error)),
        };
        answers.map(read).collect()
    }

    /// What functions return that only read.
    pub async fn read_all<C: SolCall>(&self, to: Address, calls: Vec<C>) -> Vec<C::Return> {
        let data = calls.iter().map(|call| call.abi_encode().into());
        let calls: Vec<_> = data.map(|data| (Address::ZERO, to, data)).collect();
        let answers = self.call_all(&calls).await.into_iter();
        let read = |answer: Result<Bytes, Bytes>| {
            let returned = answer.unwrap_or_else(|data| panic!("{}: {data}", C::SIGNATURE));
            C::abi_decode_returns(&returned).unwrap()
        };
        answers.map(read).collect()
    }

    pub async fn read<C: SolCall>(&self, to: Address, call: C) -> C::Return {
        self.read_all(to, vec![call]).await.remove(0)
    }

    /// Puts a transaction of anybody in the pool. Nobody pays for gas here.
    pub async fn send(&self, from: Address, to: Address, data: &Bytes) -> B256 {
        let call = transaction(from, to, data);
        self.ask("eth_sendTransaction", json!([call])).await
    }

    /// Revert data of a transaction in a block.
    pub async fn why_reverted(&self, hash: B256) -> Bytes {
        let tracer = json!({"tracer": "callTracer"});
        let traced: Value = self
            .ask("debug_traceTransaction", json!([hash, tracer]))
            .await;
        let output = traced.get("output");
        output.map_or(Bytes::new(), |output| {
            serde_json::from_value(output.clone()).unwrap()
        })
    }
}

fn transaction(from: Address, to: Address, data: &Bytes) -> Value {
    let gas = U256::from(AMPLE_GAS);
    json!({"from": from, "to": to, "data": data, "gas": gas, "gasPrice": "0x0"})
}

/// A call that fails otherwise than by a revert is no answer.
fn revert_data(error: &Value) -> Bytes {
    assert_eq!(error["code"], 3, "not a revert: {error}");
    let data = error.get("data").filter(|data| !data.is_null());
    data.map_or(Bytes::new(), |data| {
        serde_json::from_value(data.clone()).unwrap()
    })
}
