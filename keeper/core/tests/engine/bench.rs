//! An engine whose world is the test: it answers what is asked, when the test says so.

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::{B256, Bytes};
use tidelock_core::{
    abi::Fact,
    domain::{BatchId, PaymentRef},
    engine::{self, Engine},
    event::{BlockRef, Command, Event, HaltReason, HoldReason, Job, Mode},
    lifecycle::PaymentStatus,
    observe::{Block, Polled},
    port::{
        Advice, Effect, Key, Monotonic, Outcome, ProposalLook, ProposalState, Recalled, Simulation,
        VaultLook,
    },
    settings::Settings,
    state::{BatchRow, PaymentRow, SlotRow},
    submit::Reply,
};

use crate::{
    memory::Memory,
    world::{
        GWEI, SETTINGS, block_after, first_block, opening, payment, proposed, reference, sign,
        succeeds, tier, vault,
    },
};

/// Blocks in one answer at most.
const ANSWER: usize = 64;

/// An engine, its store, and the chain and the vault as a node shows them.
pub struct Bench {
    pub engine: Engine<Memory>,
    pub store: Memory,
    settings: Settings,
    now: Monotonic,
    /// What is asked and not answered.
    asked: VecDeque<Effect>,
    /// Everything that was ever asked.
    pub history: Vec<Effect>,
    pub chain: Vec<Block>,
    fork: u8,
    finalised: BlockRef,
    finalised_nonce: Option<u64>,
    /// Of the blocks to come. [wei per gas]
    pub base_fee: u128,
    /// Tip that the node suggests. [wei per gas]
    pub suggested_tip: u128,
    /// What the vault says, at every block.
    pub vault: VaultLook,
    /// What the policy says of payments; tier 0 takes those that are not listed.
    pub advice: BTreeMap<PaymentRef, Advice>,
    /// What simulations come to; none lets each succeed.
    pub simulation: Option<Simulation>,
    pub gas_per_payment: u64,
    /// What the vault calls paid, and what the node shows of it when it is asked again.
    pub recalled: Recalled,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub hash: B256,
    pub raw: Bytes,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(SETTINGS)
    }

    pub fn with(settings: Settings) -> Self {
        Self::opened(settings, Vec::new())
    }

    /// A log that begins with what is known from before; one block was seen since.
    pub fn opened(settings: Settings, past: Vec<Event>) -> Self {
        let mut store = Memory::default();
        engine::open(&mut store, opening(), past).unwrap();
        let mut bench = Self {
            engine: Engine::start(store.clone(), settings, Monotonic(0)).unwrap(),
            store,
            settings,
            now: Monotonic(0),
            asked: VecDeque::new(),
            history: Vec::new(),
            chain: vec![first_block()],
            fork: 1,
            finalised: first_block().id,
            finalised_nonce: Some(0),
            base_fee: GWEI,
            suggested_tip: GWEI,
            vault: vault(),
            advice: BTreeMap::new(),
            simulation: None,
            gas_per_payment: 100_000,
            recalled: Recalled::default(),
        };
        bench.mine(Vec::new(), Vec::new());
        bench
    }

    /// Time passes in which nothing happens. [milliseconds]
    pub fn wait(&mut self, milliseconds: u64) {
        self.now = self.now.after(milliseconds);
    }

    /// The process dies and starts again from what it stored.
    pub fn restart(&mut self) {
        self.asked.clear();
        self.engine = Engine::start(self.store.clone(), self.settings, self.now).unwrap();
        self.follow();
    }

    /// An engine that follows another keeper's log in place of its own.
    pub fn follow_another(&mut self) {
        self.asked.clear();
        let followed = Engine::start_following(self.store.clone(), self.settings, self.now);
        self.engine = followed.unwrap();
        self.follow();
    }

    // ── The engine ───────────────────────────────────────────────────────────────────────────────────────────────

    /// Rule 3 holds after every turn: what is to be signed has its nonce stored, what is to be sent its bytes.
    pub fn turn(&mut self, answers: Vec<(Key, Outcome)>) {
        self.now = self.now.after(100);
        let effects = self.engine.turn(answers, self.now).unwrap();
        for effect in &effects {
            let tables = self.store.0.borrow();
            match effect {
                Effect::Sign { nonce, .. } => assert!(tables.slots.contains_key(nonce)),
                Effect::Send { hash, raw } => {
                    let mut attempts = tables.slots.values().flat_map(|slot| &slot.attempts);
                    assert!(attempts.any(|stored| stored.hash == *hash && stored.raw == *raw));
                }
                _ => {}
            }
        }
        self.history.extend(effects.iter().cloned());
        self.asked.extend(effects);
    }

    /// Takes an effect that is under way, to be answered by the test.
    pub fn take(&mut self, which: impl Fn(&Effect) -> bool) -> Option<Effect> {
        let at = self.asked.iter().position(which)?;
        self.asked.remove(at)
    }

    /// Answers everything but polls and sends, until nothing else is asked.
    pub fn settle(&mut self) {
        assert_eq!(self.settle_until(|_| false), None);
    }

    /// The same, until that effect is asked for: it is left to the test.
    pub fn settle_until(&mut self, which: impl Fn(&Effect) -> bool) -> Option<Effect> {
        for _ in 0..100 {
            if let Some(effect) = self.take(&which) {
                return Some(effect);
            }
            let others = |effect: &Effect| !is_poll(effect) && !is_send(effect);
            if let Some(effect) = self.take(others) {
                self.answer(&effect);
                continue;
            }
            self.turn(Vec::new());
            if !self.asked.iter().any(others) {
                return None;
            }
        }
        panic!("it never settles: {:?}", self.asked);
    }

    /// Answers one effect as the world is.
    pub fn answer(&mut self, effect: &Effect) {
        let outcome = match effect {
            Effect::Look { .. } => Outcome::Looked(Box::new(self.vault.clone())),
            Effect::Advise { payments, .. } => {
                let advice = payments.iter().map(|payment| {
                    let known = self.advice.get(&payment.reference());
                    known.copied().unwrap_or(Advice::Tier(tier(0)))
                });
                Outcome::Advised(advice.collect())
            }
            Effect::Simulate { data, .. } | Effect::Replay { data, .. } => Outcome::Simulated(
                self.simulation
                    .clone()
                    .unwrap_or_else(|| succeeds(data, self.gas_per_payment)),
            ),
            Effect::Recall { .. } => Outcome::Recalled(self.recalled.clone()),
            Effect::Sign { digest, .. } => Outcome::Signed(sign(1, *digest)),
            Effect::Send { .. } => Outcome::Sent(Reply::Accepted),
            Effect::Poll { tip } => Outcome::Polled(self.polled(*tip)),
        };
        self.turn(vec![(effect.key(), outcome)]);
    }

    /// Answers the look at the vault that is under way.
    pub fn look(&mut self) {
        let look = self.take(|effect| effect.key() == Key::Look).unwrap();
        self.answer(&look);
    }

    /// Answers the first send that is under way.
    pub fn send(&mut self, reply: Reply) -> Option<Sent> {
        Some(self.send_if(|_| reply)?.0)
    }

    /// The same, by a node that looks at the bytes.
    pub fn send_if(&mut self, judge: impl Fn(&Bytes) -> Reply) -> Option<(Sent, Reply)> {
        let effect = self.take(is_send)?;
        let Effect::Send { hash, raw } = effect.clone() else {
            return None;
        };
        let reply = judge(&raw);
        self.turn(vec![(effect.key(), Outcome::Sent(reply))]);
        Some((Sent { hash, raw }, reply))
    }

    // ── The chain ────────────────────────────────────────────────────────────────────────────────────────────────

    /// Shows the engine a block more.
    pub fn mine(&mut self, facts: Vec<Fact>, transactions: Vec<B256>) {
        self.mine_after(12, facts, transactions);
    }

    /// The same, that many seconds after the one before.
    pub fn mine_after(&mut self, seconds: u64, facts: Vec<Fact>, transactions: Vec<B256>) {
        let block = Block {
            facts,
            transactions,
            base_fee: self.base_fee,
            ..block_after(self.tip(), seconds, self.fork)
        };
        self.chain.push(block);
        self.follow();
    }

    /// Blocks that say nothing, before the engine asks for what is new.
    pub fn mine_unseen(&mut self, blocks: usize) {
        for _ in 0..blocks {
            let block = block_after(self.tip(), 12, self.fork);
            self.chain.push(block);
        }
    }

    /// Blocks that say nothing.
    pub fn mine_quiet(&mut self, blocks: usize) {
        for _ in 0..blocks {
            self.mine(Vec::new(), Vec::new());
        }
    }

    pub fn tip(&self) -> &Block {
        self.chain.last().unwrap()
    }

    /// Drops blocks from the chain; what is mined from now on belongs to another fork.
    pub fn fork(&mut self, blocks: usize) {
        self.chain.truncate(self.chain.len() - blocks);
        self.fork += 1;
    }

    /// Makes the tip final, and tells the keeper's nonce there.
    pub fn finalise(&mut self, nonce: u64) {
        self.call_final(self.tip().id, nonce);
        self.follow();
    }

    /// Makes the tip final at a node that does not keep the state of blocks so old.
    pub fn finalise_without_state(&mut self) {
        (self.finalised, self.finalised_nonce) = (self.tip().id, None);
        self.follow();
    }

    /// What the node says is final from now on.
    pub fn call_final(&mut self, block: BlockRef, nonce: u64) {
        (self.finalised, self.finalised_nonce) = (block, Some(nonce));
    }

    /// Answers polls until the engine has seen what there is, or goes on no more.
    pub fn follow(&mut self) {
        for _ in 0..8 {
            let poll = loop {
                if let Some(poll) = self.take(is_poll) {
                    break poll;
                }
                self.turn(Vec::new());
            };
            self.answer(&poll);
            if matches!(&poll, Effect::Poll { tip } if *tip == self.tip().id) {
                return;
            }
        }
    }

    fn polled(&self, tip: BlockRef) -> Polled {
        let new = self
            .chain
            .iter()
            .filter(|block| block.id.number > tip.number);
        let blocks: Vec<Block> = new.take(ANSWER).cloned().collect();
        // As the adapter has it: while it catches up, all that it was answered is final.
        let last = blocks.last().map(|block| block.id);
        let behind = last.filter(|last| last.number < self.finalised.number);
        let finalised = behind.unwrap_or(self.finalised);
        Polled {
            blocks,
            finalised: (finalised.number, finalised.hash),
            finalised_nonce: self.finalised_nonce,
            suggested_tip: self.suggested_tip,
        }
    }

    // ── People ───────────────────────────────────────────────────────────────────────────────────────────────────

    pub fn request(&mut self, ids: impl IntoIterator<Item = u8>) {
        for id in ids {
            self.store.0.borrow_mut().file_request(payment(id));
        }
        self.turn(Vec::new());
    }

    pub fn command(&mut self, command: Command) {
        self.store.0.borrow_mut().file_command(command);
        self.turn(Vec::new());
    }

    pub fn halt(&mut self) {
        let note = "drill".to_owned();
        self.command(Command::Halt { note });
    }

    pub fn resume(&mut self) {
        let note = "drill".to_owned();
        self.command(Command::Resume { note });
    }

    // ── Ways to get somewhere ────────────────────────────────────────────────────────────────────────────────────

    /// Requests payments, and sends the transaction that pays them.
    pub fn pay(&mut self, ids: impl IntoIterator<Item = u8>) -> Sent {
        self.request(ids);
        self.settle();
        self.send(Reply::Accepted).unwrap()
    }

    /// Payments that need approval, in a proposal that is final on chain.
    pub fn propose(&mut self, ids: impl IntoIterator<Item = u8> + Clone) -> BatchRow {
        let advice = ids.clone().into_iter();
        self.advice
            .extend(advice.map(|id| (reference(id), Advice::Tier(tier(1)))));
        let nonce = self.engine.state().next_nonce() + 1;
        let sent = self.pay(ids);
        let batch = self.live_batch();
        self.mine(vec![proposed(&batch)], vec![sent.hash]);
        self.finalise(nonce);
        self.live_batch()
    }

    /// Where the vault says that a proposal stands.
    pub fn stands(&mut self, id: BatchId, state: ProposalState) {
        let look = ProposalLook {
            state,
            earliest: 0,
            votes: 1,
            required: 1,
        };
        self.vault.proposals = vec![(id, look)];
        self.mine_quiet(1);
    }

    // ── What came of it ──────────────────────────────────────────────────────────────────────────────────────────

    pub fn row(&self, id: u8) -> PaymentRow {
        self.store.0.borrow().payments[&reference(id)].clone()
    }

    pub fn status(&self, id: u8) -> PaymentStatus {
        self.row(id).status
    }

    pub fn hold_reason(&self, id: u8) -> Option<HoldReason> {
        self.row(id).hold
    }

    pub fn batch(&self, id: BatchId) -> BatchRow {
        self.store.0.borrow().batches[&id].clone()
    }

    /// The last batch that a payment was in.
    pub fn batch_of(&self, id: u8) -> BatchRow {
        self.batch(self.row(id).batch.unwrap())
    }

    /// The only batch that may still pay something.
    pub fn live_batch(&self) -> BatchRow {
        let tables = self.store.0.borrow();
        let live = tables.batches.values().filter(|row| row.status.is_live());
        let live: Vec<&BatchRow> = live.collect();
        assert_eq!(live.len(), 1, "{live:?}");
        live[0].clone()
    }

    pub fn slot(&self, nonce: u64) -> SlotRow {
        self.store.0.borrow().slots[&nonce].clone()
    }

    /// What the slots were for, by nonce.
    pub fn jobs(&self) -> Vec<Job> {
        let tables = self.store.0.borrow();
        tables.slots.values().map(|slot| slot.job).collect()
    }

    pub fn events(&self) -> Vec<Event> {
        self.store.0.borrow().events()
    }

    pub fn count(&self, which: impl Fn(&Event) -> bool) -> usize {
        self.events().iter().filter(|event| which(event)).count()
    }

    pub fn asked_for(&self, which: impl Fn(&Effect) -> bool) -> usize {
        self.history.iter().filter(|effect| which(effect)).count()
    }

    /// Why it is halted.
    pub fn halted(&self) -> Option<HaltReason> {
        match self.engine.state().mode() {
            Mode::Halted { reason } => Some(reason.clone()),
            Mode::Armed => None,
        }
    }
}

pub fn is_sign(effect: &Effect) -> bool {
    matches!(effect, Effect::Sign { .. })
}

pub fn is_send(effect: &Effect) -> bool {
    matches!(effect, Effect::Send { .. })
}

pub fn is_simulate(effect: &Effect) -> bool {
    matches!(effect, Effect::Simulate { .. })
}

pub fn is_replay(effect: &Effect) -> bool {
    matches!(effect, Effect::Replay { .. })
}

pub fn is_look(effect: &Effect) -> bool {
    matches!(effect, Effect::Look { .. })
}

pub fn is_advise(effect: &Effect) -> bool {
    matches!(effect, Effect::Advise { .. })
}

pub fn is_recall(effect: &Effect) -> bool {
    matches!(effect, Effect::Recall { .. })
}

fn is_poll(effect: &Effect) -> bool {
    matches!(effect, Effect::Poll { .. })
}
