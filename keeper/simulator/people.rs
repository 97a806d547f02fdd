//! People: those who request payments, signers, a guardian, an operator, and somebody who acts beside the keeper.

mod chores;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolEvent};
use tidelock_core::{
    domain::{Address, Amount, Payment, PaymentRef},
    event::Command,
    lifecycle::PaymentStatus,
};

use crate::{
    fate::Fate,
    faults::Fault,
    setting::USDT,
    world::{
        World,
        chain::{Act, Deed, Ledger},
        store::Drive,
        vault::order,
    },
};
use tidelock_model::abi::{self, Item, header, pack, unpack};

/// A proposal that people know from the chain.
#[derive(Debug, Clone)]
struct Shown {
    order: abi::Order,
    payments: Bytes,
}

/// Everybody.
pub struct People {
    drive: Drive,
    /// What was requested: what each ref is to be paid.
    pub filed: BTreeMap<PaymentRef, Payment>,
    /// What people proposed themselves and mean to approve.
    pub planned: BTreeMap<PaymentRef, Payment>,
    shown: BTreeMap<B256, Shown>,
    read: BTreeSet<B256>,
    next_foreign: u64,
}

impl People {
    /// Nobody has done anything yet but ask for what was paid before.
    pub fn new(drive: Drive, past: &[Payment]) -> Self {
        Self {
            drive,
            filed: past.iter().map(|p| (p.reference(), *p)).collect(),
            planned: BTreeMap::new(),
            shown: BTreeMap::new(),
            read: BTreeSet::new(),
            next_foreign: 1,
        }
    }

    /// What people do in one step.
    pub fn act(&mut self, world: &mut World, steps: u64, fate: &mut Fate) {
        self.read_chain(world);
        let asks = self.filed.len() < world.setting.requests as usize;
        if fate.is_active() && asks && fate.rng.below(steps) < 2 * world.setting.requests {
            self.request(world, fate);
        }
        self.sign(world, fate);
        if fate.is_active() {
            self.meddle(world, fate);
            self.propose_beside(world, fate);
            self.operate(fate);
        }
    }

    // ── Requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    fn request(&mut self, world: &World, fate: &mut Fate) {
        if fate.strikes(Fault::DuplicateRequest) && !self.filed.is_empty() {
            let filed: Vec<Payment> = self.filed.values().copied().collect();
            let again = fate.rng.pick(&filed);
            fate.struck(Fault::DuplicateRequest);
            self.file_again(again);
        }
        let count = fate.rng.pick(&[1, 1, 3, 12]);
        for _ in 0..count {
            let payment = draw_payment(world, fate);
            self.file(payment, fate);
            if fate.strikes(Fault::DuplicateRequest) {
                fate.struck(Fault::DuplicateRequest);
                self.file_again(payment);
            }
        }
        if fate.strikes(Fault::Poison) {
            fate.struck(Fault::Poison);
            self.drive.0.borrow_mut().file_unreadable(false);
        }
    }

    fn file(&mut self, payment: Payment, fate: &mut Fate) {
        let filed = self.drive.0.borrow_mut().file(payment);
        assert_eq!(filed, Ok(true), "a new ref is taken");
        let reference = payment.reference();
        self.filed.insert(reference, payment);
        fate.say(|| format!("request {reference}: {}", payment.amount()));
    }

    /// The same request changes nothing; the same ref with another body is refused.
    fn file_again(&self, payment: Payment) {
        let mut disk = self.drive.0.borrow_mut();
        assert_eq!(
            disk.file(payment),
            Ok(false),
            "the same again is nothing new"
        );
        let more = Amount(payment.amount().0 + 1);
        let other = Payment::new(payment.recipient(), more, payment.reference());
        let refused = disk.file(other.expect("valid"));
        assert_eq!(
            refused,
            Err(payment),
            "another body under a known ref is refused"
        );
    }

    // ── Signers ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// Learns of proposals from the logs of blocks that were not read yet.
    fn read_chain(&mut self, world: &World) {
        let mut block = world.chain.head();
        while self.read.insert(block.hash) {
            for log in &block.logs {
                if let Ok(proposed) = abi::BatchProposed::decode_log_data(log) {
                    let shown = Shown {
                        order: proposed.order,
                        payments: proposed.payments,
                    };
                    self.shown.insert(proposed.id, shown);
                }
            }
            match world.chain.block(block.parent) {
                Some(parent) => block = parent,
                None => return,
            }
        }
    }

    /// Signers approve what was requested, or what they planned, and nothing else; now and then one takes a vote back.
    fn sign(&mut self, world: &mut World, fate: &mut Fate) {
        let ledger = world.chain.ledger();
        let time = world.chain.head().time;
        let eager = if fate.is_active() { 60 } else { 300 };
        for (id, shown) in &self.shown {
            let state = ledger.vault.state(*id, time).number();
            if !(1..=3).contains(&state) || !self.is_meant(shown) {
                continue;
            }
            for signer in ledger.vault.signers() {
                let voted = ledger.vault.has_vote(*id, *signer);
                if !voted && state == 1 && fate.rng.chance(eager) {
                    let batch = header(&shown.order, &shown.payments);
                    call(world, *signer, abi::approveCall { batch });
                } else if voted && fate.is_active() && fate.rng.chance(3) {
                    call(world, *signer, abi::revokeCall { id: *id });
                }
            }
            if state == 3 && fate.strikes(Fault::OtherExecutes) {
                self.execute(world, &ledger, shown, fate);
            }
        }
    }

    fn execute(&self, world: &mut World, ledger: &Ledger, shown: &Shown, fate: &mut Fate) {
        fate.struck(Fault::OtherExecutes);
        let signer = fate.rng.pick(ledger.vault.signers());
        let skip = fate.rng.pick(&[0_u64, 0, 1]);
        let execute = abi::executeCall {
            order: shown.order.clone(),
            payments: shown.payments.clone(),
            skipMask: U256::from(skip),
        };
        call(world, signer, execute);
    }

    /// Whether people asked for every payment of it, and it does not give a requested ref a second number.
    fn is_meant(&self, shown: &Shown) -> bool {
        let disk = self.drive.0.borrow();
        let numbered = (shown.order.first_number()..).zip(unpack(&shown.payments));
        numbered.into_iter().all(|(number, item)| {
            let reference = PaymentRef(item.reference);
            let is_asked = |payment: &Payment| {
                payment.recipient() == item.recipient && payment.amount().0 == item.amount
            };
            let row = disk.payment(reference);
            let given = row.and_then(|row| row.number);
            match self.filed.get(&reference) {
                Some(payment) => is_asked(payment) && given.is_some_and(|n| n.0 == number),
                None => self.planned.get(&reference).is_some_and(is_asked),
            }
        })
    }

    // ── Somebody proposes beside the keeper ──────────────────────────────────────────────────────────────────────

    fn propose_beside(&mut self, world: &mut World, fate: &mut Fate) {
        if !fate.rng.chance(4) {
            return;
        }
        let proposer = world.setting.signers[0];
        let payment = match fate.rng.below(3) {
            0 => {
                let payment = draw_small(world, fate);
                self.planned.insert(payment.reference(), payment);
                payment
            }
            1 => {
                let filed: Vec<Payment> = self.filed.values().copied().collect();
                match filed.is_empty() {
                    true => return,
                    false => fate.rng.pick(&filed), // a second number for a ref that has one, or will
                }
            }
            _ => draw_small(world, fate), // nobody asked for it, and nobody will approve it
        };
        let upper = fate.rng.pick(&[0, 1 << 63]);
        let first = upper + self.next_foreign;
        self.next_foreign += 1;
        let item = item_of(&payment);
        let life = fate.rng.between(3, 12) * 24 * 3600;
        let order = order(first, 1, world.chain.head().time + life);
        fate.say(|| format!("somebody proposes {} as {first}", payment.reference()));
        let payments = pack(&[item]);
        call(world, proposer, abi::proposeCall { order, payments });
    }
}

/// A payment as it is packed.
pub fn item_of(payment: &Payment) -> Item {
    Item {
        recipient: payment.recipient(),
        amount: payment.amount().0,
        reference: payment.reference().0,
    }
}

/// A call of the vault.
fn call(world: &mut World, by: Address, call: impl SolCall) {
    let act = Act::Call(call.abi_encode().into());
    world.deeds.push(Deed { by, act });
}

fn draw_payment(world: &World, fate: &mut Fate) -> Payment {
    let setting = &world.setting;
    let rng = &mut fate.rng;
    let most = match rng.below(100) {
        0..60 => 1_000,
        60..80 => 10_000,
        80..92 => 100_000,
        92..97 => 1_000_000,
        _ => 3_000_000,
    };
    let amount = u128::from(rng.between(1, most)) * USDT + u128::from(rng.below(1_000_000));
    let odd = rng.below(100);
    let recipient = match odd {
        0..8 if fate.has(Fault::RecipientRefused) => {
            fate.struck(Fault::RecipientRefused);
            fate.rng.pick(&setting.refused)
        }
        8..14 if fate.has(Fault::Blacklisted) => {
            fate.struck(Fault::Blacklisted);
            fate.rng.pick(&setting.blacklisted)
        }
        14..17 => fate.rng.pick(&[setting.vault, setting.token]),
        _ => fate.rng.pick(&setting.good),
    };
    let reference = PaymentRef(fate.rng.bytes());
    Payment::new(recipient, Amount(amount), reference).expect("valid")
}

/// A small payment to somebody without any trouble.
pub fn draw_small(world: &World, fate: &mut Fate) -> Payment {
    let amount = Amount(u128::from(fate.rng.between(1, 900)) * USDT);
    let recipient = fate.rng.pick(&world.setting.good);
    Payment::new(recipient, amount, PaymentRef(fate.rng.bytes())).expect("valid")
}

/// Whether a payment can be paid once nothing stands in its way for a while.
pub fn is_payable(world: &World, payment: &Payment) -> bool {
    let is_good = world.setting.good.contains(&payment.recipient());
    is_good && payment.amount().0 <= 1_000_000 * USDT
}

impl People {
    /// What must be paid in the end: every request that can be, unless an operator withdrew it or its number was taken.
    pub fn expected(&self, world: &World) -> Vec<PaymentRef> {
        let disk = self.drive.0.borrow();
        let withdrawn = |reference| {
            let row = disk.payment(reference);
            let ended = [PaymentStatus::Cancelled, PaymentStatus::Displaced];
            row.is_some_and(|row| ended.contains(&row.status))
        };
        let filed = self.filed.values();
        filed
            .filter(|payment| is_payable(world, payment) && !withdrawn(payment.reference()))
            .map(Payment::reference)
            .collect()
    }

    fn command(&self, command: Command) {
        self.drive.0.borrow_mut().command(command);
    }
}
