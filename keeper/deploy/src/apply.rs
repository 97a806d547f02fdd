//! Makes what is missing, one transaction after another. Nothing is remembered between runs: what is there is read from the
//! chain, and a transaction that an interrupted run left in the pool is waited for before another is signed.

use std::time::{Duration, Instant};

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address, bytes};
use serde_json::{Value, json};

use crate::{
    DeployError, Deployment, Step,
    chain::{Chain, Receipt, narrow},
    node::{NodeError, Payer},
    simulate::revert_words,
};

/// Who signed the transaction that makes the deterministic deployer: a signature chosen so that nobody has the key.
pub const DEPLOYER_SIGNER: Address = address!("3fab184622dc19b6109349b94811493bf2a45362");
/// What it costs: 100,000 gas at 100 gwei. [wei]
pub const DEPLOYER_COST: u64 = 10_000_000_000_000_000;
/// That transaction, the same on every chain: it names none.
pub const DEPLOYER_TRANSACTION: Bytes = bytes!(
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222"
);
/// Room above what the node estimates: state may move between estimate and block. [percent]
const GAS_MARGIN: u64 = 20;
/// Between two looks for a transaction.
const PAUSE: Duration = Duration::from_millis(500);

/// What `apply` may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// [wei per gas]
    pub max_fee: u128,
    /// How long to wait for one transaction.
    pub wait: Duration,
}

/// What is told while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A transaction is on its way; blocks are waited for.
    Sent {
        /// For what.
        step: Step,
        /// Its hash.
        transaction: B256,
    },
    /// Somebody else's transaction in the pool makes it; its block is waited for.
    ByOthers(Step),
    /// A step is done.
    Made(Made),
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Which.
    pub step: Step,
    /// By which transaction.
    pub transaction: B256,
    /// In which block.
    pub block: u64,
    /// [gas]
    pub gas_used: u64,
}

impl Deployment {
    /// Makes everything that is missing; `tell` hears of each step as it goes on. Answers what was made by this run.
    pub async fn apply(
        &self,
        chain: Chain<'_>,
        payer: &dyn Payer,
        limits: Limits,
        tell: &mut (dyn FnMut(Told) + Send),
    ) -> Result<Vec<Made>, DeployError> {
        self.simulate(chain).await?;
        let mut run = Run {
            chain,
            payer,
            limits,
            tell,
        };
        let mut all = Vec::new();
        // Each round makes one step, and looks again.
        for _ in Step::ALL {
            run.settle().await?;
            let Some(step) = self.standing(chain).await?.next() else {
                break;
            };
            match self.make(&mut run, step).await {
                Ok(made) => {
                    (run.tell)(Told::Made(made));
                    all.push(made);
                }
                // Nodes estimate on top of their pool: what somebody else is making there already cannot be made again.
                Err(DeployError::Refused(_) | DeployError::Node(NodeError::Refused { .. }))
                    if !chain.pending_code(self.address(step)).await?.is_empty() =>
                {
                    run.made_by_others(step, self.address(step)).await?;
                }
                Err(error) => return Err(error),
            }
        }
        match self.standing(chain).await?.next() {
            None => Ok(all),
            Some(step) => Err(DeployError::Missing {
                what: step.name(),
                address: self.address(step),
            }),
        }
    }

    async fn make(&self, run: &mut Run<'_>, step: Step) -> Result<Made, DeployError> {
        let Some(making) = self.making(step) else {
            return run.make_deployer().await;
        };
        run.transact(step, making.to, U256::ZERO, making.data).await
    }

    /// The transactions for everything that is missing, for a wallet that signs elsewhere, in order.
    pub async fn unsigned(&self, chain: Chain<'_>) -> Result<Value, DeployError> {
        self.simulate(chain).await?;
        let standing = self.standing(chain).await?;
        let mut transactions = Vec::new();
        for step in Step::ALL {
            if standing.has(step) {
                continue;
            }
            let Some(making) = self.making(step) else {
                return Err(DeployError::Deployer(
                    "is missing on this chain, and only a transaction signed long ago makes it: run `keeper deploy apply` with a keystore that pays for it".to_owned(),
                ));
            };
            transactions.push(json!({
                "description": format!("create the {step} at {}", self.address(step)),
                "chainId": self.policy.chain_id,
                "to": making.to,
                "value": "0x0",
                "data": making.data,
            }));
        }
        Ok(Value::from(transactions))
    }
}

struct Run<'a> {
    chain: Chain<'a>,
    payer: &'a dyn Payer,
    limits: Limits,
    tell: &'a mut (dyn FnMut(Told) + Send),
}

impl Run<'_> {
    /// Waits until a block holds what waits in the pool.
    async fn made_by_others(&mut self, step: Step, address: Address) -> Result<(), DeployError> {
        (self.tell)(Told::ByOthers(step));
        let started = Instant::now();
        while self.chain.code(address).await?.is_empty() {
            if started.elapsed() >= self.limits.wait {
                let what = step.name();
                return Err(DeployError::Missing { what, address });
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Waits until no transaction of the payer is in the pool: one may be an earlier run's.
    async fn settle(&self) -> Result<(), DeployError> {
        let account = self.payer.address();
        let started = Instant::now();
        loop {
            let (mined, pending) = (
                self.chain.nonce(account, "latest").await?,
                self.chain.nonce(account, "pending").await?,
            );
            if pending <= mined {
                return Ok(());
            }
            if started.elapsed() >= self.limits.wait {
                return Err(DeployError::Pending {
                    account,
                    waited_s: started.elapsed().as_secs(),
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Funds the address that signed the deployer's transaction, and sends that.
    async fn make_deployer(&mut self) -> Result<Made, DeployError> {
        let step = Step::Deployer;
        if self.chain.nonce(DEPLOYER_SIGNER, "latest").await? != 0 {
            return Err(DeployError::Deployer(format!(
                "its transaction was used up on this chain without making it, and there is no other with that address: 100,000 gas are too little where code costs more (as after Amsterdam). Nothing of {DEPLOYER_SIGNER} can be sent again; a development chain can have the deployer in its genesis"
            )));
        }
        let cost = U256::from(DEPLOYER_COST);
        let has = self.chain.balance(DEPLOYER_SIGNER).await?;
        self.check_deployer_gas().await?;
        if has < cost {
            let missing = cost.saturating_sub(has);
            self.transact(step, DEPLOYER_SIGNER, missing, Bytes::new())
                .await?;
        }
        let hash = self.chain.send(&DEPLOYER_TRANSACTION).await.map_err(|error| {
            DeployError::Deployer(format!(
                "the node does not take the transaction that makes it ({error}); it has no chain id, and geth wants --rpc.allow-unprotected-txs for that"
            ))
        })?;
        self.included(step, hash).await
    }

    /// Whether 100,000 gas make the deployer on this chain: asked before its only transaction is spent.
    async fn check_deployer_gas(&self) -> Result<(), DeployError> {
        const LIMIT: u64 = 100_000;
        // The signature is no part of the estimate: what is sent is a creation with the same code.
        const CREATION: Bytes = bytes!(
            "604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
        );
        let gas = self
            .chain
            .estimate_creation(self.payer.address(), &CREATION)
            .await?;
        if gas > LIMIT {
            return Err(DeployError::Deployer(format!(
                "making it takes {gas} gas on this chain, and its only transaction has {LIMIT}: it would be spent for nothing, and was not sent. A development chain can have the deployer in its genesis"
            )));
        }
        Ok(())
    }

    async fn transact(
        &mut self,
        step: Step,
        to: Address,
        value: U256,
        data: Bytes,
    ) -> Result<Made, DeployError> {
        let account = self.payer.address();
        let gas = self.gas(step, to, value, &data).await?;
        let (max_fee, tip) = self.fees().await?;
        let cost = U256::from(gas).saturating_mul(U256::from(max_fee));
        let needs = cost.saturating_add(value);
        let has = self.chain.balance(account).await?;
        if has < needs {
            return Err(DeployError::Funds {
                account,
                has,
                needs,
                step,
            });
        }
        let transaction = TxEip1559 {
            chain_id: self.chain.id().await?,
            // Not the pool's: whatever else an earlier run left there can only be replaced, never followed.
            nonce: self.chain.nonce(account, "latest").await?,
            gas_limit: gas,
            max_fee_per_gas: max_fee,
            max_priority_fee_per_gas: tip,
            to: TxKind::Call(to),
            value,
            access_list: Default::default(),
            input: data,
        };
        let digest = transaction.signature_hash();
        let refused = |reason| DeployError::Sign { account, reason };
        let signature = self.payer.sign(digest).await.map_err(refused)?;
        let recovered = signature.recover_address_from_prehash(&digest).ok();
        if recovered != Some(account) {
            return Err(refused("is not that account's".to_owned()));
        }
        let raw: Bytes = transaction.into_signed(signature).encoded_2718().into();
        let hash = self.chain.send(&raw).await?;
        self.included(step, hash).await
    }

    async fn gas(
        &self,
        step: Step,
        to: Address,
        value: U256,
        data: &Bytes,
    ) -> Result<u64, DeployError> {
        let account = self.payer.address();
        let estimated = self.chain.estimate(account, to, value, data).await;
        let gas = estimated.map_err(|error| match error {
            DeployError::Node(NodeError::Refused {
                data: Some(data), ..
            }) if !data.is_empty() => DeployError::Refused(revert_words(&data)),
            other => other,
        })?;
        let limit: u64 = narrow("gasLimit", self.chain.block("latest").await?.gas_limit)?;
        if gas > limit {
            return Err(DeployError::Gas { step, gas, limit });
        }
        let margin = gas.saturating_mul(GAS_MARGIN).div_euclid(100);
        Ok(gas
            .saturating_add(margin)
            .min(limit)
            .min(gas.max(TRANSACTION_GAS)))
    }

    /// Most per gas and tip: the base fee may double before the transaction is in a block. [wei per gas]
    async fn fees(&self) -> Result<(u128, u128), DeployError> {
        let base = self.chain.block("latest").await?.base_fee_per_gas;
        let base: u128 = narrow("baseFeePerGas", base.unwrap_or_default())?;
        let tip = self.chain.tip().await?;
        let asked = base.saturating_add(tip);
        let most = self.limits.max_fee;
        if asked > most {
            return Err(DeployError::Fee { asked, most });
        }
        let room = asked.saturating_add(base);
        Ok((room.min(most), tip))
    }

    async fn included(&mut self, step: Step, hash: B256) -> Result<Made, DeployError> {
        let transaction = hash;
        (self.tell)(Told::Sent { step, transaction });
        let started = Instant::now();
        loop {
            if let Some(receipt) = self.chain.receipt(hash).await? {
                return made(step, &receipt);
            }
            if started.elapsed() >= self.limits.wait {
                return Err(DeployError::Waiting {
                    step,
                    hash,
                    waited_s: started.elapsed().as_secs(),
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Most gas that one transaction may have where EIP-7825 holds. More is asked for only where the estimate itself is more, as it is
/// where gas for state counts apart.
const TRANSACTION_GAS: u64 = 16_777_216;

fn made(step: Step, receipt: &Receipt) -> Result<Made, DeployError> {
    let hash = receipt.transaction_hash;
    if receipt.status != U256::ONE {
        return Err(DeployError::Failed { step, hash });
    }
    Ok(Made {
        step,
        transaction: hash,
        block: narrow("blockNumber", receipt.block_number)?,
        gas_used: narrow("gasUsed", receipt.gas_used)?,
    })
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{TxEnvelope, transaction::SignerRecoverable};
    use alloy_eips::eip2718::Decodable2718;

    use super::*;
    use crate::address::DEPLOYER;

    #[test]
    fn the_deployers_transaction_is_what_it_says() {
        let envelope = TxEnvelope::decode_2718(&mut DEPLOYER_TRANSACTION.as_ref()).unwrap();
        assert_eq!(envelope.recover_signer().unwrap(), DEPLOYER_SIGNER);
        assert_eq!(DEPLOYER_SIGNER.create(0), DEPLOYER);
        let TxEnvelope::Legacy(signed) = envelope else {
            panic!("not a legacy transaction");
        };
        let transaction = signed.tx();
        assert_eq!(transaction.chain_id, None, "good for every chain");
        let cost = u128::from(transaction.gas_limit) * transaction.gas_price;
        assert_eq!(cost, u128::from(DEPLOYER_COST));
    }
}
