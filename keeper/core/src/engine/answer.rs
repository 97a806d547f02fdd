//! Taking answers in.

use std::collections::BTreeSet;

use alloy_primitives::{B256, Signature};

use super::{Engine, EngineError};
use crate::{
    abi::Fact,
    event::{BlockRef, Event, HaltReason, Job, Mode},
    observe::{Block, Change, Polled, ViewError},
    port::{Advice, Effect, Key, Monotonic, Outcome},
    screen,
    state::AttemptRow,
    store::Store,
    submit::{Call, RefusalClass, Reply},
};

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Takes one answer in. An answer to nothing that is under way is dropped.
    pub(super) fn answer(
        &mut self,
        key: Key,
        outcome: Outcome,
        now: Monotonic,
    ) -> Result<(), EngineError<S::Error>> {
        let Some(asked) = self.memory.questions.answered(key) else {
            return Ok(());
        };
        self.memory.failure = None;
        match (asked, outcome) {
            (Effect::Poll { .. }, Outcome::Polled(polled)) => self.polled(polled, now)?,
            (Effect::Look { at, .. }, Outcome::Looked(vault)) => {
                self.memory.look = Some((at, vault));
                self.memory.has_looked = true;
                self.memory.rests = false;
            }
            (Effect::Advise { payments, .. }, Outcome::Advised(advice)) => {
                let refs = payments.iter().map(|payment| payment.reference());
                let advised: Vec<_> = refs.zip(advice).collect();
                self.advised(&advised, now)?;
            }
            (Effect::Simulate { data, .. }, Outcome::Simulated(simulation)) => {
                let candidate = self.memory.candidate.take();
                if let Some(candidate) = candidate.filter(|candidate| candidate.data == data) {
                    self.simulated(candidate, simulation)?;
                }
            }
            (Effect::Replay { hash, .. }, Outcome::Simulated(again)) => {
                self.memory.reverted.explain(hash, again);
            }
            (Effect::Recall { numbers, .. }, Outcome::Recalled(recalled)) => {
                self.recalled(&numbers, recalled)?;
            }
            (Effect::Sign { nonce, .. }, Outcome::Signed(signature)) => {
                self.signed(nonce, signature, now)?;
            }
            (Effect::Send { hash, .. }, Outcome::Sent(reply)) => self.sent(hash, reply, now),
            (asked, Outcome::Failed(why)) => self.failed(&asked, why, now),
            (asked, _) => self.failed(&asked, "an answer to another question".to_owned(), now),
        }
        Ok(())
    }

    /// What failed is asked again later.
    fn failed(&mut self, asked: &Effect, why: String, now: Monotonic) {
        let again = now.after(self.settings.retry_ms);
        self.memory.questions.wait(asked.key(), again);
        match asked {
            Effect::Simulate { .. } => self.memory.candidate = None,
            Effect::Send { hash, .. } => self.unsent(*hash),
            Effect::Recall { .. } => self.memory.recall.later(now),
            Effect::Sign { .. } => self.memory.unsigned_because = Some(why.clone()),
            Effect::Look { at, .. } => self.memory.has_looked |= self.is_newest(*at),
            Effect::Poll { .. } | Effect::Advise { .. } | Effect::Replay { .. } => {}
        }
        self.memory.failure = Some(why);
    }

    fn polled(&mut self, mut polled: Polled, now: Monotonic) -> Result<(), EngineError<S::Error>> {
        self.memory.suggested_tip = polled.suggested_tip;
        self.memory.floor.ease(now);
        self.memory.ceiling.ease(now);
        self.memory
            .questions
            .wait(Key::Poll, now.after(self.settings.poll_ms));
        self.keep_own_transactions(&mut polled.blocks);
        let change = self.memory.view.extend(&polled.blocks);
        self.memory.is_at_end = change == Ok(Change::Nothing);
        match change {
            Ok(Change::Nothing) => {}
            Ok(Change::Grown) => {
                self.memory.questions.wait(Key::Poll, now); // there may be more
                for block in &polled.blocks {
                    let time = block.id.time.seconds();
                    self.memory.prices.learn(time, block.base_fee);
                }
                self.look_for_repeats(&polled.blocks)?;
                let state = self.journal.state();
                self.memory.reverted.look(&polled.blocks, state);
                let mut facts = polled.blocks.iter().flat_map(|block| &block.facts);
                if facts.any(|fact| *fact == Fact::Policy) {
                    self.memory.advised.forget();
                }
            }
            Ok(Change::Shrunk) => {
                self.memory.questions.wait(Key::Poll, now);
                // What was in the dropped block may have to be sent again; what was read there may be wrong.
                self.memory.lanes.unsent_all();
                self.memory.advised.forget();
            }
            Err(error) => return self.not_followed(error, now),
        }
        self.memory.reverted.prune(&self.memory.view);
        if self.awaits_first_look() {
            return Ok(());
        }
        self.finalise(&polled)
    }

    /// What transactions paid for their data is known from a look, and the entry of a nonce that is used up is to have it: after a start
    /// no block is taken in for good before the first look was answered, or failed at the newest block. A node that keeps the state of its
    /// newest blocks alone refuses those before it, for as long as we catch up.
    fn awaits_first_look(&self) -> bool {
        !self.memory.has_looked && self.state().slots().next().is_some()
    }

    /// Whether no block after this one can be read, for now.
    fn is_newest(&self, block: BlockRef) -> bool {
        let view = &self.memory.view;
        block == view.tip() && (self.memory.is_at_end || view.is_full())
    }

    /// What is in a block was sent before, and what is sent is stored before: other transactions are not worth their memory.
    fn keep_own_transactions(&self, blocks: &mut [Block]) {
        let attempts = self.state().slots().flat_map(|slot| &slot.attempts);
        let own: BTreeSet<B256> = attempts.map(|attempt| attempt.hash).collect();
        for block in blocks {
            block.transactions.retain(|hash| own.contains(hash));
        }
    }

    /// Rule 10.
    fn not_followed(
        &mut self,
        error: ViewError,
        now: Monotonic,
    ) -> Result<(), EngineError<S::Error>> {
        self.memory.failure = Some(error.to_string());
        self.memory
            .questions
            .wait(Key::Poll, now.after(self.settings.retry_ms));
        let ViewError::FinalityBroken {
            number,
            was,
            now: found,
        } = error
        else {
            return Ok(());
        };
        let reason = HaltReason::FinalityBroken {
            number,
            was,
            now: found,
        };
        if self.state().halts_for(&reason) {
            self.journal.record(Event::ModeChanged {
                mode: Mode::Halted { reason },
            })?;
        }
        Ok(())
    }

    fn finalise(&mut self, polled: &Polled) -> Result<(), EngineError<S::Error>> {
        if self.journal.follows() {
            self.finalise_what_is_final_there();
            return Ok(());
        }
        let blocks = self.memory.view.finalise(polled.finalised);
        let base = self.memory.view.base();
        if (base.number, base.hash) == polled.finalised {
            self.memory.nonce = polled.finalised_nonce.or(self.memory.nonce);
        }
        self.memory.lacks_nonce = polled.finalised_nonce.is_none();
        if blocks.is_empty() {
            return Ok(());
        }
        self.settling().settle(&blocks, polled.finalised_nonce)?;
        self.prune_spent();
        let state = self.journal.state();
        let signing = &mut self.memory.signing;
        signing.take_if(|unsigned| state.slot(unsigned.nonce()).is_none()); // somebody else used it up
        self.memory.prune(self.journal.state());
        Ok(())
    }

    fn advised(
        &mut self,
        advised: &[(crate::domain::PaymentRef, Advice)],
        now: Monotonic,
    ) -> Result<(), EngineError<S::Error>> {
        for (reference, tier) in screen::judge(&mut self.journal, advised)? {
            self.memory.advised.learn(reference, tier, now);
        }
        if self.journal.follows() {
            // Its word holds nothing until the other says so: it would be asked for again at once.
            let again = now.after(self.settings.poll_ms);
            self.memory.questions.wait(Key::Advise, again);
        }
        Ok(())
    }

    /// Rule 3: what is signed is stored, and may be sent once the commit at the end of the turn is made.
    fn signed(
        &mut self,
        nonce: u64,
        signature: Signature,
        now: Monotonic,
    ) -> Result<(), EngineError<S::Error>> {
        self.memory.unsigned_because = None;
        let Some(unsigned) = self
            .memory
            .signing
            .take_if(|unsigned| unsigned.nonce() == nonce)
        else {
            return Ok(());
        };
        let keeper = self.state().opening().keeper;
        let (job, fees) = (unsigned.job, unsigned.fees);
        match unsigned.clone().sign(signature, keeper) {
            Ok((hash, raw)) => {
                self.journal.record(Event::AttemptSigned {
                    nonce,
                    job,
                    hash,
                    raw,
                    fees,
                })?;
                let since = self.memory.view.tip().number;
                self.memory.lanes.signed(nonce, since);
                if job == Job::Void {
                    self.settling().bury_abandoned()?;
                }
            }
            Err(error) => {
                self.memory.signing = Some(unsigned);
                let again = now.after(self.settings.retry_ms);
                self.memory.questions.wait(Key::Sign(nonce), again);
                self.memory.unsigned_because = Some(error.to_string());
                self.memory.failure = Some(error.to_string());
            }
        }
        Ok(())
    }

    /// Rule 5: an answer steers when to send again, never what happened.
    fn sent(&mut self, hash: B256, reply: Reply, now: Monotonic) {
        match reply {
            Reply::Accepted | Reply::Known => {}
            Reply::Refused(
                class @ (RefusalClass::Underpriced
                | RefusalClass::FeeTooLow
                | RefusalClass::AboveNodesFeeCap),
            ) => {
                match class {
                    RefusalClass::FeeTooLow => self.learn_floor(hash, now),
                    RefusalClass::AboveNodesFeeCap => self.learn_ceiling(hash, now),
                    _ => {}
                }
                if let Some(nonce) = self.nonce_of(hash) {
                    self.memory.lanes.refused(nonce);
                }
            }
            Reply::Refused(_) => {}
            Reply::Ambiguous => {
                let again = now.after(self.settings.retry_ms);
                self.memory.questions.wait(Key::Send(hash), again);
                self.unsent(hash);
            }
        }
        if let Reply::Refused(class) = reply {
            self.memory.failure = Some(format!(
                "transaction {hash}: the node refuses it: {class:?}"
            ));
        }
    }

    /// The next first offer is dearer too, unless it was the base fee that the refused one does not cover.
    fn learn_floor(&mut self, hash: B256, now: Monotonic) {
        let base_fee = self.memory.view.tip_block().map(|block| block.base_fee);
        let fees = self.attempt(hash).map(|attempt| attempt.fees);
        if let (Some(fees), Some(base_fee)) = (fees, base_fee)
            && fees.max_fee >= base_fee.saturating_add(fees.tip)
        {
            self.memory.floor.refused(fees.tip, now);
        }
    }

    /// What is signed from now on, with this nonce too, is what the node takes.
    fn learn_ceiling(&mut self, hash: B256, now: Monotonic) {
        let attempt = self.attempt(hash);
        let call = attempt.and_then(|attempt| Some((attempt.fees, Call::read(&attempt.raw)?)));
        if let Some((fees, call)) = call {
            let ceiling = &mut self.memory.ceiling;
            ceiling.refused(call.gas_limit, fees.max_fee, now);
        }
    }

    fn attempt(&self, hash: B256) -> Option<&AttemptRow> {
        let mut attempts = self.state().slots().flat_map(|slot| &slot.attempts);
        attempts.find(|attempt| attempt.hash == hash)
    }

    fn unsent(&mut self, hash: B256) {
        if let Some(nonce) = self.nonce_of(hash) {
            self.memory.lanes.unsent(nonce);
        }
    }

    fn nonce_of(&self, hash: B256) -> Option<u64> {
        let mut slots = self.journal.state().slots();
        let slot = slots.find(|slot| slot.attempts.iter().any(|attempt| attempt.hash == hash))?;
        Some(slot.nonce)
    }
}
