//! Writes the canonical chain of a seed out, and a few blocks more, so that it can be played to the contract. The chain keeps
//! what was called; what came of it is worked out again from the first block on, and must be what the blocks say.

mod epilogue;
mod probes;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, LogData, U256};
use alloy_sol_types::SolInterface;
use tidelock_core::{
    domain::{Amount, Payment, PaymentRef},
    port,
};

use crate::{
    setting::USDT,
    trace::{Act, Advice, Call, Look, Outcome, Page, Proposal, Row, Setup, Trace},
    world::{
        World,
        acts::Effect,
        chain::{self, Ledger},
        node::advise,
        vault::{GUARDIAN, KEEPER, PROPOSER, THRESHOLD, changing_tier},
    },
};
use epilogue::epilogue;
use probes::Prober;
use tidelock_model::{
    Limits, Standing,
    abi::{self, Content, signed, unpack},
};

/// Of the blocks in which something was called, every so many are looked at.
const LOOK_PAGES: usize = 6;
/// Of those in which nothing was called, one in so many is written out for a look: time passes there too.
const QUIET_BLOCKS: u64 = 60;
/// Amounts that are asked about: the limits of the tiers, and one more. [base units]
const ASKED: [u128; 8] = [
    1,
    1_000 * USDT,
    1_000 * USDT + 1,
    10_000 * USDT,
    10_000 * USDT + 1,
    20_000 * USDT + 1,
    1_000_000 * USDT,
    1_000_000 * USDT + 1,
];

/// Writes out what the canonical chain of a world has become.
pub fn record(world: &World, seed: u64, steps: u64) -> Trace {
    let (first, ledger) = world.setting.beginning(world.addresses());
    let mut recorder = Recorder {
        world,
        ledger,
        prober: Prober::new(world, seed),
        headers: BTreeSet::new(),
        received: BTreeMap::new(),
        pages: Vec::new(),
    };
    let setup = setup(world, &recorder.ledger, first.time);
    let head = world.chain.head();
    for number in first.number + 1..=head.number {
        let block = world.chain.at(number).expect("canonical");
        let quiet = block.calls.is_empty() && !number.is_multiple_of(QUIET_BLOCKS);
        if !quiet {
            let logs = recorder.turn_page(number, block.time, &block.calls);
            assert_eq!(logs, block.logs, "what came of it is what came of it");
        }
    }
    let more = epilogue(world, &recorder.ledger, seed, head.time);
    for (number, (time, calls)) in (head.number + 1..).zip(more) {
        recorder.turn_page(number, time, &calls);
    }
    let numbers = recorder.headers.iter();
    let numbers = numbers.flat_map(|(first, count)| *first..first + u64::from(*count));
    let numbers: BTreeSet<u64> = numbers.collect();
    let vault = &recorder.ledger.vault;
    Trace {
        seed,
        steps,
        setup,
        numbers: numbers.into_iter().map(|n| (n, vault.is_paid(n))).collect(),
        received: recorder.received.into_iter().collect(),
        pages: recorder.pages,
    }
}

fn setup(world: &World, ledger: &Ledger, time: u64) -> Setup {
    let setting = &world.setting;
    let vault = &ledger.vault;
    let [keeper, next] = world.addresses();
    let roles = [keeper, next, setting.spare, setting.signers[0]].map(|account| {
        let until = |role| vault.role_until(account, role);
        (account, until(KEEPER), until(PROPOSER))
    });
    let known = setting.standings().into_iter();
    let known = known.filter(|(_, standing)| *standing == Standing::Known);
    Setup {
        chain_id: setting.domain().chain_id.0,
        time,
        vault: vault.address(),
        token: ledger.token.address,
        issuer: setting.admin,
        unit: vault.unit(),
        policy_delay: vault.policy_delay() as u32,
        threshold: THRESHOLD,
        tiers: vault.tiers().iter().map(row).collect(),
        signers: vault.signers().to_vec(),
        guardian: setting.guardian,
        guardian_until: vault.role_until(setting.guardian, GUARDIAN),
        grants: roles.to_vec(),
        known: known.map(|(payee, _)| payee).collect(),
        refused: setting.refused.clone(),
        blacklisted: setting.blacklisted.clone(),
        balance: ledger.token.vault_balance,
    }
}

fn row(tier: &Limits) -> Row {
    Row {
        max_known: tier.max_known,
        max_unknown: tier.max_unknown,
        cap: tier.cap,
        approvals: tier.approvals,
        delay: tier.delay as u32,
    }
}

struct Recorder<'a> {
    world: &'a World,
    ledger: Ledger,
    prober: Prober,
    /// First numbers and counts of all headers that the vault was called with.
    headers: BTreeSet<(u64, u16)>,
    received: BTreeMap<Address, u128>,
    pages: Vec<Page>,
}

impl Recorder<'_> {
    /// Writes a block out. Answers what the vault logs.
    fn turn_page(&mut self, number: u64, time: u64, made: &[chain::Call]) -> Vec<LogData> {
        let mut logs = Vec::new();
        let mut calls = Vec::new();
        for call in made {
            let act = self.act_of(call);
            let effect = self.ledger.perform(call, time);
            let Some(act) = act else { continue };
            if let Act::Vault(data) = &act {
                self.note(data, &effect);
            }
            let outcome = match effect {
                Effect::Made(done) => Outcome::Made(done.logs),
                Effect::Refused(data) => Outcome::Reverted(data),
                Effect::OutOfGas => Outcome::OutOfGas,
            };
            if let Outcome::Made(more) = &outcome {
                logs.extend(more.iter().cloned());
            }
            let by = call.by;
            calls.push(Call { by, act, outcome });
        }
        let is_last = number > self.world.chain.head().number;
        let looks = calls.is_empty() || is_last || self.pages.len().is_multiple_of(LOOK_PAGES);
        self.pages.push(Page {
            number,
            time,
            probes: self.prober.probe(&self.ledger, time, &calls),
            look: looks.then(|| self.look(number, time)),
            calls,
        });
        logs
    }

    /// A call as it is written out, but for those that concern neither vault nor token.
    fn act_of(&self, call: &chain::Call) -> Option<Act> {
        let vault = &self.ledger.vault;
        Some(match &call.act {
            chain::Act::Call(data) => Act::Vault(data.clone()),
            chain::Act::Unblock(recipient, standing) => Act::Unblock(*recipient, standing.number()),
            chain::Act::Unfreeze => Act::Unfreeze(vault.halted_until()),
            chain::Act::SetSigners(signers) => Act::Signers(signers.clone()),
            chain::Act::SetCap(index, cap) => self.tiers_with(*index, |row| row.cap = *cap),
            chain::Act::SetApprovals(index, approvals) => {
                self.tiers_with(*index, |row| row.approvals = *approvals)
            }
            chain::Act::Deposit(amount) => Act::Deposit(*amount),
            chain::Act::Pause(paused) => Act::Pause(*paused),
            chain::Act::SetGas(_) => return None,
        })
    }

    fn tiers_with(&self, index: usize, change: impl Fn(&mut abi::Tier)) -> Act {
        let rows = |tiers: Vec<signed::Tier>| {
            let rows = tiers.iter().map(|tier| Row {
                max_known: tier.maxKnown,
                max_unknown: tier.maxUnknown,
                cap: tier.cap,
                approvals: tier.approvals,
                delay: tier.delay,
            });
            rows.collect()
        };
        match changing_tier(&self.ledger.vault, index, change) {
            Content::Tighten(c) => Act::Tighten(rows(c.tiers)),
            Content::Tiers(c) => Act::Tiers(rows(c.tiers)),
            other => unreachable!("a change of tiers: {other:?}"),
        }
    }

    /// Whom a call paid, and which numbers it named.
    fn note(&mut self, data: &[u8], effect: &Effect) {
        use abi::VaultCalls as Call;
        let (order, payments, pays) = match abi::VaultCalls::abi_decode(data) {
            Ok(Call::pay(call)) => (call.order, call.payments, true),
            Ok(Call::execute(call)) => (call.order, call.payments, true),
            Ok(Call::propose(call)) => (call.order, call.payments, false),
            _ => return,
        };
        let items = unpack(&payments);
        self.headers
            .insert((order.first_number(), items.len() as u16));
        let Effect::Made(done) = effect else { return };
        let mask = if pays {
            U256::from_be_slice(&done.returned)
        } else {
            U256::ZERO
        };
        for (i, item) in items.iter().enumerate() {
            if mask.bit(i) {
                *self.received.entry(item.recipient).or_default() += item.amount;
            }
        }
    }

    fn look(&self, number: u64, time: u64) -> Look {
        let Ledger { vault, token, .. } = &self.ledger;
        let tiers = vault.tiers().iter().enumerate();
        let proposals = vault.proposal_ids().map(|id| {
            let view = vault.view(id, time);
            Proposal {
                id,
                state: view.state.number(),
                earliest: view.earliest,
                votes: view.votes as u8,
                required: view.required,
            }
        });
        let paid = self.headers.iter().map(|(first, count)| {
            let paid = (0..usize::from(*count)).filter(|i| vault.is_paid(first + *i as u64));
            let mask = paid.fold(U256::ZERO, |mask, i| mask | (U256::from(1) << i));
            (*first, *count, mask)
        });
        Look {
            halted_until: vault.halted_until(),
            balance: token.vault_balance,
            paused: token.paused,
            tiers: tiers
                .map(|(k, tier)| (tier.cap, vault.headroom(k as u8, time)))
                .collect(),
            proposals: proposals.collect(),
            paid: paid.collect(),
            advice: self.advice(number as usize),
        }
    }

    /// What a node would tell the keeper of some payments: other amounts in each look.
    fn advice(&self, turn: usize) -> Vec<Advice> {
        let setting = &self.world.setting;
        let people = setting.good.iter().chain(&setting.blacklisted);
        let all = people.chain([&setting.refused[0], &setting.vault, &setting.token]);
        let asked = all.enumerate().map(|(i, recipient)| {
            let amount = ASKED[(i + turn) % ASKED.len()];
            let payment = Payment::new(*recipient, Amount(amount), PaymentRef([7; 16]));
            let advice = advise(&self.ledger, &payment.expect("valid"));
            let tier = match advice {
                port::Advice::Tier(tier) => Some(Ok(tier.get())),
                port::Advice::Never | port::Advice::Blocked => Some(Err(2)),
                port::Advice::AboveLimit => Some(Err(3)),
                _ => None, // the token's matter
            };
            tier.map(|tier| Advice {
                recipient: *recipient,
                amount,
                tier,
            })
        });
        asked.flatten().collect()
    }
}
