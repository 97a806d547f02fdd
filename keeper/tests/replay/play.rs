use alloy::primitives::{Address, B256, Bytes, LogData};
use alloy_sol_types::{SolCall, SolEvent};
use tidelock_core::abi::Vault;

use crate::{
    change,
    stage::{Landed, Stage, Tether},
    tally::{Tally, words_of_error, words_of_log},
    trace::{Act, Call, Outcome, Page, Probe, Trace},
};

/// Life of a proposed change, short of the longest. [seconds]
const LIFE: u64 = 29 * 24 * 3_600;

/// One seed's chain on its stage.
pub struct Play {
    pub stage: Stage,
    pub tally: Tally,
    /// Who approves now.
    signers: Vec<Address>,
    /// Changes proposed so far.
    changes: u64,
}

/// A change of policy that is proposed and has its votes.
enum Approved {
    /// It may be executed by that signer, with that call.
    Waits(Address, Bytes),
    /// It was refused, or took effect at once.
    Over(Outcome),
}

/// A call that waits for its block.
struct Sent<'a> {
    hash: B256,
    call: &'a Call,
}

impl Play {
    /// Plays all of it. The error is the first difference between the model and the contract.
    pub async fn run(trace: &Trace) -> Result<Tally, String> {
        let stage = Stage::build(trace.setup.clone()).await;
        let mut play = Self {
            stage,
            tally: Tally::default(),
            signers: trace.setup.signers.clone(),
            changes: 0,
        };
        for page in &trace.pages {
            let played = play.page(page).await;
            played.map_err(|what| format!("block {}, time {}: {what}", page.number, page.time))?;
        }
        play.check_end(trace).await?;
        Ok(play.tally)
    }

    async fn page(&mut self, page: &Page) -> Result<(), String> {
        let mut sent = Vec::new();
        for call in &page.calls {
            if call.outcome == Outcome::OutOfGas {
                self.tally.left_out += 1; // the model counts gas too plainly to be held to it
                continue;
            }
            let Some((from, to, data)) = self.transaction(call, page, &mut sent).await? else {
                continue;
            };
            let hash = self.stage.wire.send(from, to, &data).await;
            sent.push(Sent { hash, call });
        }
        self.settle(page, &mut sent).await?;
        self.check_probes(&page.probes).await?;
        if let Some(look) = &page.look {
            self.check_look(look).await?;
        }
        Ok(())
    }

    /// A block with what was sent, and what came of each of it.
    async fn settle(&mut self, page: &Page, sent: &mut Vec<Sent<'_>>) -> Result<(), String> {
        let landed = self.stage.mine(page.time).await;
        let hashes = |list: &[Sent]| list.iter().map(|sent| sent.hash).collect::<Vec<_>>();
        let mined: Vec<B256> = landed.iter().map(|landed| landed.hash).collect();
        assert_eq!(mined, hashes(sent), "a block holds what was sent, in order");
        for (Sent { call, .. }, landed) in sent.drain(..).zip(landed) {
            let outcome = self.outcome(landed).await;
            self.judge(call, &outcome)?;
        }
        Ok(())
    }

    /// Whether what came of a call is what the model says.
    fn judge(&mut self, call: &Call, outcome: &Outcome) -> Result<(), String> {
        self.tally.count(call);
        if *outcome != call.outcome {
            return Err(format!(
                "{}\n  by {}\n  model:    {}\n  contract: {}",
                Tally::kind(&call.act),
                call.by,
                words(&call.outcome),
                words(outcome),
            ));
        }
        if let (Act::Signers(signers), Outcome::Made(_)) = (&call.act, outcome) {
            self.signers.clone_from(signers);
        }
        Ok(())
    }

    /// What came of it, without how a change of policy came about, which the model does not have.
    async fn outcome(&self, landed: Landed) -> Outcome {
        if !landed.success {
            return Outcome::Reverted(self.stage.wire.why_reverted(landed.hash).await);
        }
        let is_executed =
            |log: &LogData| log.topics().first() == Some(&Vault::ChangeExecuted::SIGNATURE_HASH);
        let mut logs = landed.logs;
        if let Some(executed) = logs.iter().position(is_executed) {
            logs.drain(..=executed);
        }
        Outcome::Made(logs)
    }

    /// From whom, to whom and what with; none for what is over as soon as it is proposed.
    async fn transaction(
        &mut self,
        call: &Call,
        page: &Page,
        sent: &mut Vec<Sent<'_>>,
    ) -> Result<Option<(Address, Address, Bytes)>, String> {
        let (vault, token) = (self.stage.setup.vault, self.stage.setup.token);
        Ok(Some(match &call.act {
            Act::Vault(data) => (call.by, vault, data.clone()),
            Act::Deposit(amount) => (call.by, token, self.stage.deposit(*amount)),
            Act::Pause(true) => (call.by, token, Tether::pauseCall {}.abi_encode().into()),
            Act::Pause(false) => (call.by, token, Tether::unpauseCall {}.abi_encode().into()),
            change => {
                self.settle(page, sent).await?;
                match self.approved(change, page.time).await {
                    Approved::Waits(signer, data) => (signer, vault, data),
                    Approved::Over(outcome) => {
                        self.judge(call, &outcome)?;
                        return Ok(None);
                    }
                }
            }
        }))
    }

    /// Proposes a change, and lets its delay have passed, if it has one.
    async fn approved(&mut self, act: &Act, time: u64) -> Approved {
        self.changes += 1;
        let setup = &self.stage.setup;
        let call = Vault::termsChangedAtCall {};
        let terms_changed_at = self.stage.wire.read(setup.vault, call).await;
        let encoded = change::encode(act, setup, terms_changed_at, self.changes, time + LIFE);
        let (kind, change) = encoded.expect("a change of policy");
        let signer = self.signers[0];
        let propose = Vault::proposeChangeCall {
            kind,
            change: change.clone(),
        };
        let stage = &self.stage;
        let data = propose.abi_encode().into();
        stage.wire.send(signer, stage.setup.vault, &data).await;
        let landed = stage.mine(time).await.remove(0);
        if !landed.success || landed.logs.len() > 2 {
            return Approved::Over(self.outcome(landed).await);
        }
        let queued = Vault::Queued::decode_log_data(&landed.logs[1]).expect("one vote is enough");
        stage.age(queued.id, time).await;
        let execute = Vault::executeChangeCall { kind, change };
        Approved::Waits(signer, execute.abi_encode().into())
    }

    async fn check_probes(&mut self, probes: &[Probe]) -> Result<(), String> {
        let vault = self.stage.setup.vault;
        let calls = probes
            .iter()
            .map(|probe| (probe.by, vault, probe.data.clone()));
        let calls: Vec<_> = calls.collect();
        let answers = self.stage.wire.call_all(&calls).await;
        for (probe, answer) in probes.iter().zip(answers) {
            self.tally.count_probe(probe);
            if probe.answer != answer {
                let act = Act::Vault(probe.data.clone());
                return Err(format!(
                    "asked what would come of {}\n  by {}\n  model:    {}\n  contract: {}",
                    Tally::kind(&act),
                    probe.by,
                    words_of_answer(&probe.answer),
                    words_of_answer(&answer),
                ));
            }
        }
        Ok(())
    }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Made(logs) => {
            let logs: Vec<String> = logs.iter().map(words_of_log).collect();
            format!("went through with {} logs: {}", logs.len(), logs.join(", "))
        }
        Outcome::Reverted(data) => format!("reverts: {}", words_of_error(data)),
        Outcome::OutOfGas => "out of gas".to_owned(),
    }
}

fn words_of_answer(answer: &Result<Bytes, Bytes>) -> String {
    match answer {
        Ok(returned) => format!("would return {returned}"),
        Err(data) => format!("would revert: {}", words_of_error(data)),
    }
}
