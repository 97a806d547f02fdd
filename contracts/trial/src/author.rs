//! Writes random steps: every verb, many actors, right and wrong. What it writes follows from a seed and from what the model
//! says, so that much of it succeeds.

use alloy_primitives::{Address, B256, Bytes, U256, aliases::U40};
use alloy_sol_types::SolCall;
use tidelock_model::{
    Vault,
    abi::{self, Configuration, Content, Order, Vote},
};

use crate::{
    actors::{Actor, high_twin},
    changes::Haste,
    rng::Rng,
    setting::{self, BIRTH, DAY, KEEPER, PROPOSER, UNIT, account, grant, tier},
    trial::{Place, Step},
    world::{IIntruder, IModeToken, ITrialSigner, mode},
};

/// Accounts with keys; any of them may become a signer.
const ACTORS: u64 = 10;
/// Recipients, some of them known.
const RECIPIENTS: u64 = 6;
/// Life that is left when a delay is over. [seconds]
pub(crate) const SETTLE: u64 = 29 * 3_600;

/// A batch that was written of.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) order: Order,
    pub(crate) payments: Bytes,
    pub(crate) content: Content,
}

/// Who writes.
pub struct Author {
    pub(crate) rng: Rng,
    pub(crate) actors: Vec<Actor>,
    pub(crate) recipients: Vec<Address>,
    pub(crate) batches: Vec<Written>,
    pub(crate) changes: Vec<Content>,
    pub(crate) time: u64,
    pub(crate) nonce: u64,
    pub(crate) haste: Option<Haste>,
    times: Vec<u64>,
}

impl Author {
    /// The author of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            actors: (1..=ACTORS).map(Actor::new).collect(),
            recipients: (0..RECIPIENTS).map(|i| account(500 + i)).collect(),
            batches: Vec::new(),
            changes: Vec::new(),
            time: BIRTH,
            nonce: 0,
            haste: None,
            times: vec![BIRTH],
        }
    }

    /// Whom to watch.
    pub fn accounts(&self) -> Vec<Address> {
        let actors = self.actors.iter().map(|actor| actor.address);
        actors.chain(self.recipients.iter().copied()).collect()
    }

    /// Actors 0 to 4 may be signers, 5 and 6 are keepers, 7 proposes, 8 and 9 are guardians.
    pub fn configuration(&mut self, place: &Place) -> Configuration {
        let rng = &mut self.rng;
        let address = |i: usize| self.actors[i].address;
        let mut signers = vec![address(0), address(1), address(2)];
        if rng.percent(40) {
            signers.push(place.contract_signer);
        }
        let threshold = rng.between(1, 2) as u8;
        let middle = match rng.below(4) {
            0 => tier(5_000, 2_000, 10_000, 1, 0),
            1 => tier(5_000, 2_000, 10_000, 0, 3_600),
            2 => tier(5_000, 5_000, 10_000, 1, 3_600),
            _ => tier(5_000, 2_000, 10_000, 2, 0),
        };
        let delay = rng.pick(&[3_600, DAY + 3_600]);
        let tiers = vec![
            tier(1_000, 100, 3_000, 0, 0),
            middle,
            tier(20_000, 20_000, 40_000, 2, delay),
        ];
        Configuration {
            token: place.token,
            unit: UNIT,
            hardCeiling: 100_000 * UNIT,
            policyDelayFloor: DAY as u32,
            policyDelay: rng.pick(&[DAY as u32, 2 * DAY as u32]),
            threshold,
            signers,
            tiers,
            guardians: vec![address(8), address(9)],
            guardiansUntil: U40::from(BIRTH + 300 * DAY),
            grants: vec![
                grant(address(5), KEEPER),
                grant(address(6), KEEPER),
                grant(address(7), PROPOSER),
            ],
            known: vec![self.recipients[0], self.recipients[1]],
            successor: rng.pick(&[Address::ZERO, account(600)]),
        }
    }

    /// Money for the vault, before anything else.
    pub fn opening(&mut self, place: &Place) -> Vec<Step> {
        let units = self.rng.pick(&[200_000, 200_000, 9_000]);
        [place.token, place.other]
            .map(|token| {
                let amount = U256::from(units * UNIT);
                let to = place.vault;
                self.step(account(0), token, &IModeToken::mintCall { to, amount })
            })
            .into()
    }

    /// The next step.
    pub fn next(&mut self, model: &Vault, place: &Place) -> Step {
        if let Some(haste) = self.haste.take() {
            return self.hurry(haste, model, place);
        }
        self.pass_time(model);
        match self.rng.below(100) {
            0..=17 => self.pay(model, place),
            18..=24 => self.pay_by_sig(model, place),
            25..=34 => self.propose(model, place),
            35..=44 => self.approve(model, place),
            45..=54 => self.execute(model, place),
            55..=64 => self.propose_change(model, place),
            65..=72 => self.approve_change(model, place),
            73..=79 => self.execute_change(model, place),
            80..=82 => self.revoke(model, place),
            83..=86 => self.stop(model, place),
            87..=93 => self.disturb(place),
            94..=98 => self.approve(model, place),
            _ => self.nonsense(place),
        }
    }

    fn pass_time(&mut self, model: &Vault) {
        let now = self.time;
        let bucket = 4 * 3_600;
        let target = match self.rng.below(100) {
            0..=64 => now + self.rng.below(30),
            65..=75 => now + self.rng.below(2 * 3_600),
            76..=83 => (now / bucket + self.rng.between(1, 2)) * bucket,
            84..=92 => {
                let since = self.rng.pick(&self.times);
                let wait = [3_600, DAY + 3_600, 28 * 3_600, model.policy_delay()];
                since + self.rng.pick(&wait)
            }
            93..=94 => model.halted_until(),
            95..=96 => match self.batches.last() {
                Some(batch) => batch.content.expires_at(),
                None => now,
            },
            97 => match self.changes.last() {
                Some(change) => change.expires_at(),
                None => now,
            },
            _ => now + self.rng.below(3 * DAY),
        };
        let edge = self.rng.below(3);
        self.time = (target + edge).saturating_sub(1).clamp(now, now + 12 * DAY);
        if self.times.len() > 6 {
            self.times.remove(0);
        }
        self.times.push(self.time);
    }

    // ── People ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// One of those who may, mostly; else anybody.
    pub(crate) fn caller(&mut self, may: impl Fn(Address) -> bool) -> Address {
        let all: Vec<Address> = self.actors.iter().map(|actor| actor.address).collect();
        let right: Vec<Address> = all.iter().copied().filter(|a| may(*a)).collect();
        if right.is_empty() || self.rng.percent(8) {
            return self.rng.pick(&all);
        }
        self.rng.pick(&right)
    }

    pub(crate) fn signer(&mut self, model: &Vault) -> Address {
        self.caller(|a| model.signers().contains(&a))
    }

    pub(crate) fn executor(&mut self, model: &Vault) -> Address {
        let now = self.time;
        self.caller(|a| model.signers().contains(&a) || now < model.role_until(a, KEEPER))
    }

    fn proposer(&mut self, model: &Vault) -> Address {
        let now = self.time;
        self.caller(|a| model.signers().contains(&a) || now < model.role_until(a, PROPOSER))
    }

    pub(crate) fn guardian(&mut self, model: &Vault) -> Address {
        let now = self.time;
        self.caller(|a| now < model.role_until(a, 2))
    }

    /// Who may propose: role and address of the caller.
    pub(crate) fn proposing(&mut self, model: &Vault) -> Address {
        self.proposer(model)
    }

    /// Signed votes for something, most of them good.
    pub(crate) fn votes(&mut self, model: &Vault, place: &Place, content: &Content) -> Vec<Vote> {
        let mut pool: Vec<Address> = model.signers().to_vec();
        if self.rng.percent(6) {
            pool.push(self.actors[7].address); // no signer
        }
        let count = self.rng.pick(&[0, 1, 1, 1, 2, 2, 2, 3, 3]);
        let mut signers = self.rng.some(&pool, count);
        if self.rng.percent(10) {
            signers.extend(signers.first().copied()); // twice
        }
        let vote = |signer| Vote {
            signer,
            signature: self.signature(model, place, content, signer),
        };
        signers.into_iter().map(vote).collect()
    }

    pub(crate) fn signature(
        &mut self,
        model: &Vault,
        place: &Place,
        content: &Content,
        signer: Address,
    ) -> Bytes {
        let spoiled = self.rng.percent(12);
        let fault = if spoiled { self.rng.below(8) } else { 99 };
        let epoch = model.epoch() + u64::from(fault == 0);
        let named = if fault == 1 {
            self.actors[3].address
        } else {
            signer
        };
        let domain = match fault {
            2 => abi::domain(1, place.vault),
            _ => model.domain().clone(),
        };
        let digest = content.vote_digest(&domain, named, epoch);
        if signer == place.contract_signer {
            return digest.to_vec().into();
        }
        let actor = self
            .actors
            .iter()
            .find(|a| a.address == signer && fault != 3);
        let Some(actor) = actor.or(self.actors.last()) else {
            return Bytes::new();
        };
        let good = actor.sign(digest);
        match fault {
            4 => high_twin(&good),
            5 => good[..64].to_vec().into(),
            6 => {
                let mut other = good.to_vec();
                other[64] -= 27;
                other.into()
            }
            7 => Bytes::new(),
            _ => good,
        }
    }

    // ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn step<C: SolCall>(&self, from: Address, to: Address, call: &C) -> Step {
        Step {
            time: self.time,
            from,
            to,
            data: call.abi_encode().into(),
            ids: Vec::new(),
            numbers: Vec::new(),
        }
    }

    fn revoke(&mut self, model: &Vault, place: &Place) -> Step {
        let from = self.signer(model);
        let id = self.some_id(model);
        let mut step = self.step(from, place.vault, &abi::revokeCall { id });
        step.ids = vec![id];
        step
    }

    pub(crate) fn some_id(&mut self, model: &Vault) -> B256 {
        let recent = |len: usize| len.saturating_sub(6);
        let batches = self.batches[recent(self.batches.len())..].iter();
        let changes = self.changes[recent(self.changes.len())..].iter();
        let all: Vec<B256> = batches
            .map(|b| &b.content)
            .chain(changes)
            .map(|content| content.id(model.domain()))
            .collect();
        if all.is_empty() || self.rng.percent(2) {
            return B256::repeat_byte(self.rng.below(3) as u8);
        }
        self.rng.pick(&all)
    }

    /// What guardians do, and a freeze by a signer.
    fn stop(&mut self, model: &Vault, place: &Place) -> Step {
        let guardian = self.guardian(model);
        match self.rng.below(10) {
            0..=3 => {
                let firm = |c: &&Content| {
                    matches!(
                        c,
                        Content::Guardians(_) | Content::Unfreeze(_) | Content::Tighten(_)
                    )
                };
                let unvetoable = self.changes.iter().rev().find(firm).cloned();
                let id = match unvetoable {
                    Some(content) if self.rng.percent(25) => content.id(model.domain()),
                    _ => self.some_id(model),
                };
                let mut step = self.step(guardian, place.vault, &abi::cancelCall { id });
                step.ids = vec![id];
                step
            }
            4..=5 => {
                let from = if self.rng.percent(50) {
                    self.signer(model)
                } else {
                    guardian
                };
                self.step(from, place.vault, &abi::freezeCall {})
            }
            6..=7 => {
                let recipient = self.rng.pick(&self.recipients[2..]);
                self.step(
                    guardian,
                    place.vault,
                    &abi::blockRecipientCall { recipient },
                )
            }
            _ => {
                let account = self.rng.pick(&self.actors[5..8]).address;
                let role = self.rng.pick(&[KEEPER, PROPOSER, PROPOSER, 2, 3]);
                self.step(
                    guardian,
                    place.vault,
                    &abi::revokeRoleCall { account, role },
                )
            }
        }
    }

    /// The world outside: tokens misbehave, contracts change their mind.
    fn disturb(&mut self, place: &Place) -> Step {
        let anybody = account(0);
        let token = if self.rng.percent(80) {
            place.token
        } else {
            place.other
        };
        match self.rng.below(10) {
            0 => {
                let next = self.rng.pick(&[0, 0, 1, 2]);
                self.step(
                    anybody,
                    place.contract_signer,
                    &ITrialSigner::setMoodCall { next },
                )
            }
            1 => {
                let (to, amount) = (place.vault, U256::from(self.rng.below(50_000) * 10_000));
                self.step(anybody, token, &IModeToken::mintCall { to, amount })
            }
            2..=3 => {
                let recipient = self.rng.pick(&self.recipients);
                let yes = self.rng.percent(40);
                self.step(
                    anybody,
                    token,
                    &IModeToken::setRefusesCall { recipient, yes },
                )
            }
            4 => self.incite(place),
            _ => {
                let all = [0, 0, 1, 2, 3, 4, 5, 5, 6, 7, 8, mode::REENTER];
                let next = if self.rng.percent(50) {
                    self.rng.pick(&[0, 1, 2])
                } else {
                    self.rng.pick(&all)
                };
                let nextHook = place.intruder;
                self.step(anybody, token, &IModeToken::setModeCall { next, nextHook })
            }
        }
    }

    /// What the token's hook will call.
    fn incite(&mut self, place: &Place) -> Step {
        let data = match (self.rng.below(3), self.batches.last()) {
            (0, Some(last)) => {
                let (order, payments) = (last.order.clone(), last.payments.clone());
                abi::payCall { order, payments }.abi_encode()
            }
            (1, _) => abi::freezeCall {}.abi_encode(),
            _ => abi::cancelCall { id: B256::ZERO }.abi_encode(),
        };
        let target = place.vault;
        let data = data.into();
        self.step(
            account(0),
            place.intruder,
            &IIntruder::setCallCall { target, data },
        )
    }

    /// Calldata that is no call.
    fn nonsense(&mut self, place: &Place) -> Step {
        let from = self.rng.pick(&self.actors).address;
        let mut step = self.step(from, place.vault, &abi::freezeCall {});
        step.data = match self.rng.below(3) {
            0 => vec![0xde, 0xad, 0xbe, 0xef].into(),
            1 => abi::payCall::SELECTOR.to_vec().into(),
            _ => Bytes::new(),
        };
        step
    }

    /// Payments that fit a tier, mostly.
    pub(crate) fn payments(&mut self, model: &Vault, place: &Place, tier: u8) -> Bytes {
        let count = match self.rng.below(12) {
            0..=5 => 1,
            6..=8 => 2,
            9..=10 => self.rng.between(3, 5),
            _ => self.rng.between(0, 9),
        };
        let row = model.tiers().get(usize::from(tier)).map(|t| t.row());
        let row = row.unwrap_or_default();
        let mut payments = Vec::new();
        for _ in 0..count {
            let mut recipient = self.rng.pick(&self.recipients);
            if self.rng.percent(1) {
                recipient = self.rng.pick(&[Address::ZERO, place.vault, place.token]);
            }
            let known = model.standing(recipient).number() == 1;
            let most = if known { row.maxKnown } else { row.maxUnknown };
            let below = u128::from(self.rng.below(most.max(1) as u64));
            let wild = [0, most + 1];
            let usual = [1, UNIT, most, most, most / 2, below, below];
            let amount = if self.rng.percent(4) {
                self.rng.pick(&wild)
            } else {
                self.rng.pick(&usual).max(1)
            };
            payments.push((recipient, amount));
        }
        setting::pack(&payments)
    }
}
