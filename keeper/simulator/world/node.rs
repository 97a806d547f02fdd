//! What nodes answer, and what an honest adapter makes of it. The texts of refusals and the vault's logs and errors are
//! read by the production core.

use std::rc::Rc;

use alloy_primitives::{B256, Bytes, Log, U256};
use alloy_sol_types::SolInterface;
use tidelock_core::{
    abi::{Revert, read_fact},
    domain::{Amount, BatchId, BlockTime, Payment, TierIndex},
    event::BlockRef,
    observe::{Block as SeenBlock, Fork as Rules, Polled},
    port::{Advice, Effect, Outcome, ProposalLook, ProposalState, Simulation, TierLook, VaultLook},
    submit::{Reply, classify},
};

use super::{
    World,
    acts::BASE_GAS,
    chain::{Block, Ledger},
    pool::Refusal,
    vault::{KEEPER, PROPOSER},
};
use crate::{fate::Fate, faults::Fault};
use tidelock_model::{Caller, Limits, Standing, State, abi};

/// Blocks in one answer at most.
const ANSWER_BLOCKS: usize = 64;

impl World {
    /// The answer to an effect of a keeper with that key, as of now.
    pub fn answer(
        &mut self,
        (key, effect): (usize, &Effect),
        now_ms: u64,
        fate: &mut Fate,
    ) -> Outcome {
        if let Effect::Sign { digest, .. } = effect {
            return self.answer_sign(key, *digest, fate);
        }
        if now_ms < self.down_until_ms {
            return lost(effect, "connection refused");
        }
        if fate.strikes(Fault::RateLimited) {
            fate.struck(Fault::RateLimited);
            return lost(effect, "429 too many requests");
        }
        if let Some(answer) = self.answer_alien(effect, fate) {
            return answer;
        }
        if matches!(effect, Effect::Advise { .. }) && fate.strikes(Fault::ScreeningSilent) {
            fate.struck(Fault::ScreeningSilent);
            return Outcome::Failed("no answer within the time limit".to_owned());
        }
        match effect {
            Effect::Poll { tip } => self.answer_poll(key, *tip, fate),
            Effect::Look { at, proposals } => {
                let answer = self.at(*at, |ledger, block| {
                    Outcome::Looked(Box::new(look((self, key), ledger, block, proposals)))
                });
                if let Outcome::Looked(look) = &answer {
                    let rooms: Vec<u128> = look.tiers.iter().map(|tier| tier.headroom.0).collect();
                    let (balance, halted) = (look.balance, look.halted_until);
                    fate.say(|| {
                        format!("node: room {rooms:?}, balance {balance}, halted until {halted}")
                    });
                }
                answer
            }
            Effect::Advise { at, payments } => self.at(*at, |ledger, _| {
                let advice = payments.iter().map(|payment| advise(ledger, payment));
                Outcome::Advised(advice.collect())
            }),
            Effect::Simulate {
                at,
                data,
                gas_limit,
                ..
            } => {
                let answer = self.at(*at, |ledger, block| {
                    Outcome::Simulated(simulate((self, key), ledger, block, data, *gas_limit))
                });
                if let Outcome::Simulated(Simulation::Reverts(revert)) = &answer {
                    fate.say(|| format!("node: the call would revert: {revert:?}"));
                }
                if is_over_cap(&answer, *gas_limit) {
                    fate.struck(Fault::OverGasCap);
                }
                answer
            }
            Effect::Replay {
                at,
                data,
                gas_limit,
                ..
            } => self.at(*at, |ledger, block| {
                Outcome::Simulated(simulate((self, key), ledger, block, data, *gas_limit))
            }),
            Effect::Recall { first, at, numbers } => self.recall(*first, *at, numbers),
            Effect::Send { hash, raw } => self.answer_send(key, *hash, raw, fate),
            Effect::Sign { .. } => unreachable!("answered above"),
        }
    }

    fn answer_sign(&mut self, key: usize, digest: B256, fate: &mut Fate) -> Outcome {
        if fate.strikes(Fault::SignerFails) {
            fate.struck(Fault::SignerFails);
            return Outcome::Failed("signer: timeout".to_owned());
        }
        let signature = self.keys[key].sign(digest);
        if fate.strikes(Fault::SignatureLost) {
            fate.struck(Fault::SignatureLost);
            return Outcome::Failed("signer: connection reset".to_owned());
        }
        Outcome::Signed(signature)
    }

    fn answer_send(&mut self, key: usize, hash: B256, raw: &Bytes, fate: &mut Fate) -> Outcome {
        let (ledger, gas_limit) = (self.chain.ledger(), self.chain.head().gas_limit);
        let account = &ledger.accounts[key];
        let reply = match self.pools[key].add(raw, account, gas_limit) {
            Ok(taken) => {
                assert_eq!(taken, hash, "the keeper's hash is that of its bytes");
                Reply::Accepted
            }
            Err(refusal) => {
                fate.say(|| format!("pool: {hash}: {refusal}"));
                count_refusal(&refusal, fate);
                classify(&refusal.to_string())
            }
        };
        if fate.strikes(Fault::ReplyLost) {
            fate.struck(Fault::ReplyLost);
            return Outcome::Sent(Reply::Ambiguous);
        }
        Outcome::Sent(reply)
    }

    /// An answer about one block, if the node has it.
    fn at(&self, at: BlockRef, answer: impl Fn(&Ledger, &Block) -> Outcome) -> Outcome {
        match (self.chain.state(at.hash), self.chain.block(at.hash)) {
            (Some(ledger), Some(block)) => answer(&ledger, &block),
            _ => Outcome::Failed("header not found".to_owned()),
        }
    }

    fn answer_poll(&mut self, key: usize, tip: BlockRef, fate: &mut Fate) -> Outcome {
        let mut top = self.chain.head();
        if let Some(fork) = self.fork
            && self.chain.agrees(fork.tip)
            && fate.rng.chance(500)
        {
            top = self.chain.block(fork.tip).expect("stored");
            fate.struck(Fault::NodesContradict);
        }
        if fate.strikes(Fault::StaleHead) {
            fate.struck(Fault::StaleHead);
            for _ in 0..fate.rng.between(1, 12) {
                top = self.chain.block(top.parent).unwrap_or(top);
            }
        }
        if let Some(still) = self.still
            && self.chain.agrees(still.tip)
        {
            top = self.chain.block(still.tip).expect("stored");
            fate.struck(Fault::SilentNode);
        }
        let final_now = self.said_to_be_final(&top, fate);
        let mut blocks = self.branch_above(&top, tip.number);
        blocks.truncate(ANSWER_BLOCKS);
        if fate.strikes(Fault::LaggingNode) {
            fate.struck(Fault::LaggingNode);
            blocks.clear();
        }
        if blocks.iter().any(|block| !block.logs.is_empty()) && fate.strikes(Fault::EmptyLogs) {
            // The header's bloom says that there are logs: an adapter does not take none for an answer.
            fate.struck(Fault::EmptyLogs);
            return Outcome::Failed("logs of a block are missing".to_owned());
        }
        let keeps_state = !fate.strikes(Fault::StateGone);
        if !keeps_state {
            fate.struck(Fault::StateGone);
        }
        let mut blocks: Vec<SeenBlock> = blocks.iter().map(|block| self.seen(block)).collect();
        self.hide(&mut blocks, fate);
        Outcome::Polled(Polled {
            blocks,
            finalised: (final_now.number, final_now.hash),
            finalised_nonce: keeps_state.then_some(final_now.nonces[key]),
            suggested_tip: self.setting.suggested_tip,
        })
    }

    /// What a node calls final: never more than what both agree on, now and then less, or the first block.
    fn said_to_be_final(&self, top: &Rc<Block>, fate: &mut Fate) -> Rc<Block> {
        let first = self.chain.first();
        let mut number = self.chain.finalised().min(top.number);
        if fate.strikes(Fault::StaleHead) {
            fate.struck(Fault::StaleHead);
            number = fate.rng.pick(&[first, number.saturating_sub(3).max(first)]);
        }
        self.chain.at(number).expect("final blocks are canonical")
    }

    /// The blocks above a height on the branch that ends in `top`, oldest first.
    fn branch_above(&self, top: &Rc<Block>, height: u64) -> Vec<Rc<Block>> {
        let mut blocks = Vec::new();
        let mut block = top.clone();
        while block.number > height {
            blocks.push(block.clone());
            match self.chain.block(block.parent) {
                Some(parent) => block = parent,
                None => break,
            }
        }
        blocks.reverse();
        blocks
    }

    pub(super) fn seen(&self, block: &Block) -> SeenBlock {
        let address = self.setting.vault;
        let domain = self.setting.domain();
        let read = |data: &alloy_primitives::LogData| {
            let log = Log {
                address,
                data: data.clone(),
            };
            read_fact(&log, &domain).expect("the core reads every log of the vault")
        };
        SeenBlock {
            id: reference(block),
            parent: block.parent,
            base_fee: block.base_fee,
            gas_limit: block.gas_limit,
            fork: Rules::Osaka,
            facts: block.logs.iter().map(read).collect(),
            transactions: block.transactions.iter().map(|mined| mined.hash).collect(),
        }
    }
}

/// How the core names a block.
pub fn reference(block: &Block) -> BlockRef {
    BlockRef {
        number: block.number,
        hash: block.hash,
        time: BlockTime::from_seconds(block.time).expect("below 2^40"),
    }
}

/// Revert data in words.
pub fn words(data: &[u8]) -> String {
    match abi::VaultErrors::abi_decode(data) {
        Ok(error) => format!("{error:?}").chars().take(120).collect(),
        Err(_) => format!("{} bytes of revert data", data.len()),
    }
}

/// No answer: for a transaction that was sent, nobody knows what became of it.
pub fn lost(effect: &Effect, why: &str) -> Outcome {
    match effect {
        Effect::Send { .. } => Outcome::Sent(Reply::Ambiguous),
        _ => Outcome::Failed(why.to_owned()),
    }
}

fn count_refusal(refusal: &Refusal, fate: &mut Fate) {
    match refusal {
        Refusal::AlreadyKnown => fate.struck(Fault::AlreadyKnown),
        Refusal::NonceTooLow { .. } => fate.struck(Fault::NonceTooLow),
        Refusal::NonceTooHigh { .. } => fate.struck(Fault::NonceTooHigh),
        Refusal::Underpriced => fate.struck(Fault::Underpriced),
        _ => {}
    }
}

fn look(
    (world, key): (&World, usize),
    ledger: &Ledger,
    block: &Block,
    proposals: &[BatchId],
) -> VaultLook {
    let vault = &ledger.vault;
    let tiers = (0..).zip(vault.tiers()).map(|(index, tier)| TierLook {
        approvals: tier.approvals,
        delay: tier.delay as u32,
        cap: Amount(tier.cap),
        headroom: Amount(vault.headroom(index, block.time)),
    });
    let looked = proposals.iter().map(|id| {
        let view = vault.view(id.0, block.time);
        let state = match view.state {
            State::None => ProposalState::None,
            State::Proposed => ProposalState::Proposed,
            State::Queued => ProposalState::Queued,
            State::Ready => ProposalState::Ready,
            State::Executed => ProposalState::Executed,
            State::Cancelled => ProposalState::Cancelled,
            State::Expired => ProposalState::Expired,
        };
        let look = ProposalLook {
            state,
            earliest: view.earliest,
            votes: view.votes as u8,
            required: view.required,
        };
        (*id, look)
    });
    let until = |role| vault.role_until(world.keys[key].address(), role);
    VaultLook {
        halted_until: vault.halted_until(),
        balance: Amount(ledger.token.vault_balance),
        tiers: tiers.collect(),
        proposals: looked.collect(),
        keeper_until: until(KEEPER),
        proposer_until: until(PROPOSER),
        gas_balance: U256::from(ledger.accounts[key].gas_wei),
        data_fee: world.setting.data_fee,
    }
}

/// What the policy and the token say of a payment.
pub fn advise(ledger: &Ledger, payment: &Payment) -> Advice {
    let (vault, token) = (&ledger.vault, &ledger.token);
    let (recipient, amount) = (payment.recipient(), payment.amount().0);
    if recipient == vault.address() || recipient == token.address {
        return Advice::Never;
    }
    let standing = vault.standing(recipient);
    if standing == Standing::Blocked {
        return Advice::Blocked;
    }
    if token.blacklisted.contains(&recipient) {
        return Advice::Blacklisted;
    }
    let limit = |tier: &Limits| match standing {
        Standing::Known => tier.max_known,
        _ => tier.max_unknown,
    };
    match vault.tiers().iter().position(|tier| amount <= limit(tier)) {
        Some(tier) => Advice::Tier(TierIndex::new(tier as u8).expect("at most four")),
        None => Advice::AboveLimit,
    }
}

fn simulate(
    (world, key): (&World, usize),
    ledger: &Ledger,
    block: &Block,
    data: &Bytes,
    gas_limit: u64,
) -> Simulation {
    let caller = Caller {
        address: world.keys[key].address(),
        time: block.time,
    };
    let (mut vault, mut token) = (ledger.vault.clone(), ledger.token.clone());
    match super::vault::call(&mut vault, &mut token, caller, data) {
        Err(data) => Simulation::Reverts(Revert::read(&data)),
        // With more than it may use it goes through, on a node that gives it more.
        Ok(done) if BASE_GAS + done.gas > gas_limit && !world.setting.generous_node => {
            Simulation::Reverts(Revert::OutOfGas)
        }
        Ok(done) => Simulation::Succeeds {
            returned: done.returned,
            gas: BASE_GAS + done.gas,
        },
    }
}

/// Whether the answer says that the call needs more gas than it may use.
fn is_over_cap(answer: &Outcome, gas_limit: u64) -> bool {
    match answer {
        Outcome::Simulated(Simulation::Reverts(revert)) => *revert == Revert::OutOfGas,
        Outcome::Simulated(Simulation::Succeeds { gas, .. }) => *gas > gas_limit,
        _ => false,
    }
}
