//! What a vault's creation must have logged, and reading a vault's policy back.

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;

use crate::{
    DeployError, Deployment, Vault, VaultFactory,
    chain::{Chain, Log, Receipt, narrow},
};

/// Blocks in one question, where a node refuses to answer about all of them.
const FIRST_WINDOW: u64 = 50_000;
/// Number of the guardian's role in the contract.
const GUARDIAN: u8 = 2;

impl Deployment {
    /// The receipt of the transaction that created the vault, by the factory's log.
    pub(crate) async fn creation(&self, chain: Chain<'_>) -> Result<Receipt, DeployError> {
        let log = self.creation_log(chain).await?;
        let receipt = chain.receipt(log.transaction_hash).await?;
        receipt.ok_or_else(|| {
            DeployError::Differs(vec![format!(
                "transaction {} is in the factory's log, and the node has no receipt of it",
                log.transaction_hash
            )])
        })
    }

    async fn creation_log(&self, chain: Chain<'_>) -> Result<Log, DeployError> {
        let topics = [
            VaultFactory::VaultDeployed::SIGNATURE_HASH,
            self.at.vault.into_word(),
        ];
        let head: u64 = narrow("number", chain.block("latest").await?.number)?;
        let ask = |first, last| chain.logs(self.at.factory, &topics, first, last);
        let missing = || {
            let factory = self.at.factory;
            DeployError::Differs(vec![format!(
                "the factory {factory} never logged its creation"
            )])
        };
        // In one question if the node allows it, else backwards from its head.
        if let Ok(logs) = ask(0, head).await {
            return logs.into_iter().next().ok_or_else(missing);
        }
        let mut window = FIRST_WINDOW;
        let mut last = head;
        loop {
            let first = last.saturating_sub(window.saturating_sub(1));
            match ask(first, last).await {
                Ok(logs) => match logs.into_iter().next() {
                    Some(log) => return Ok(log),
                    None if first == 0 => return Err(missing()),
                    None => last = first.saturating_sub(1),
                },
                Err(_) if window > 1 => window = window.div_euclid(4).max(1),
                Err(error) => return Err(error),
            }
        }
    }

    /// What the creation logged against what it must have logged.
    pub(crate) fn check_events(&self, receipt: &Receipt) -> Vec<String> {
        let of = |address: Address| {
            let logs = receipt.logs.iter();
            let logs = logs.filter(move |log| log.address == address);
            logs.map(|log| (log.topics.clone(), log.data.to_vec()))
        };
        let found: Vec<(Vec<B256>, Vec<u8>)> = of(self.at.vault).collect();
        let expected = self.expected_events();
        let mut wrong = Vec::new();
        for (i, (name, topics, data)) in expected.iter().enumerate() {
            let is_there = found.get(i).is_some_and(|(t, d)| t == topics && d == data);
            if !is_there {
                wrong.push(format!(
                    "event {i} of its creation must be {name} as configured"
                ));
            }
        }
        if found.len() > expected.len() {
            let (more, all) = (found.len(), expected.len());
            wrong.push(format!(
                "its creation logged {more} events, and must have logged {all}"
            ));
        }
        wrong
    }

    /// In the order in which the constructor logs.
    fn expected_events(&self) -> Vec<Event> {
        let mut events = self.policy_events();
        events.extend(self.people_events());
        events
    }

    fn policy_events(&self) -> Vec<Event> {
        let c = &self.policy.configuration;
        let none = Vault::Tier {
            maxKnown: 0,
            maxUnknown: 0,
            cap: 0,
            approvals: 0,
            delay: 0,
        };
        let mut events = vec![event(&Vault::VaultCreated {
            token: c.token,
            unit: U256::from(c.unit),
            hardCeiling: U256::from(c.hardCeiling),
            policyDelayFloor: U256::from(c.policyDelayFloor),
        })];
        events.extend(c.tiers.iter().enumerate().map(|(k, tier)| {
            event(&Vault::TierSet {
                tier: U256::from(k),
                oldTier: none.clone(),
                newTier: tier.clone(),
            })
        }));
        events.push(event(&Vault::PolicyDelaySet {
            oldDelay: U256::ZERO,
            delay: U256::from(c.policyDelay),
        }));
        events
    }

    fn people_events(&self) -> Vec<Event> {
        let c = &self.policy.configuration;
        let mut events = vec![event(&Vault::SignersSet {
            epoch: U256::ONE,
            oldSigners: Vec::new(),
            signers: c.signers.clone(),
            oldThreshold: U256::ZERO,
            threshold: U256::from(c.threshold),
        })];
        let guardians = c.guardians.iter();
        let guardians = guardians.map(|account| (*account, GUARDIAN, c.guardiansUntil));
        let grants = c.grants.iter();
        let grants = grants.map(|grant| (grant.account, grant.role, grant.until));
        events.extend(guardians.chain(grants).map(|(account, role, until)| {
            event(&Vault::RoleSet {
                account,
                role,
                oldUntil: U256::ZERO,
                until: U256::from(until),
            })
        }));
        events.extend(c.known.iter().map(|recipient| {
            event(&Vault::RecipientSet {
                recipient: *recipient,
                oldStanding: 0,
                standing: 1,
            })
        }));
        if !c.successor.is_zero() {
            events.push(event(&Vault::SuccessorSet {
                oldSuccessor: Address::ZERO,
                successor: c.successor,
            }));
        }
        events
    }
}

/// Name, topics and data.
type Event = (String, Vec<B256>, Vec<u8>);

fn event<E: SolEvent>(event: &E) -> Event {
    let log = event.encode_log_data();
    let name = E::SIGNATURE.split('(').next().unwrap_or_default();
    (name.to_owned(), log.topics().to_vec(), log.data.to_vec())
}
