//! What the author writes about changes of policy.

use alloy_primitives::{Address, Bytes, aliases::U40};
use tidelock_model::{
    State, Vault,
    abi::{self, Content, Vote, signed},
};

use crate::{
    author::{Author, SETTLE},
    setting::{DAY, KEEPER, PROPOSER, UNIT, account},
    trial::{Place, Step},
};

/// A second change of tiers right after one, which chance seldom brings within the 28 hours: first proposed, then executed.
#[derive(Debug, Clone)]
pub(crate) enum Haste {
    Propose,
    Execute(Content),
}

impl Author {
    fn change_life(&mut self, model: &Vault) -> U40 {
        let least = model.policy_delay() + SETTLE;
        let life = match self.rng.below(12) {
            0..=2 => least,
            3..=8 => least + self.rng.below(4 * DAY),
            9 => 30 * DAY,
            10 => self.rng.between(0, least),
            _ => self.rng.pick(&[least - 1, 30 * DAY + 1]),
        };
        U40::from(self.time + life)
    }

    fn change(&mut self, model: &Vault, place: &Place) -> Content {
        self.nonce += 1;
        let (nonce, expiresAt) = (self.nonce, self.change_life(model));
        match self.rng.below(16) {
            0 => self.signers_change(place, nonce, expiresAt),
            1..=6 => self.tiers_change(model, nonce, expiresAt),
            7..=8 => self.recipients_change(model, place, nonce, expiresAt),
            9..=10 => self.role_change(model, nonce, expiresAt),
            11 => self.guardians_change(model, nonce, expiresAt),
            12 => {
                let halted = model.halted_until() + u64::from(self.rng.percent(10));
                let haltedUntil = U40::from(halted);
                Content::Unfreeze(signed::UnfreezeChange {
                    haltedUntil,
                    nonce,
                    expiresAt,
                })
            }
            13 => {
                let usual = [account(600), account(601), account(600), Address::ZERO];
                let wrong = [place.vault, place.token];
                let successor = if self.rng.percent(10) {
                    self.rng.pick(&wrong)
                } else {
                    self.rng.pick(&usual)
                };
                Content::Successor(signed::SuccessorChange {
                    successor,
                    nonce,
                    expiresAt,
                })
            }
            _ => {
                let token = self.rng.pick(&[
                    place.other,
                    place.other,
                    place.other,
                    place.token,
                    account(1),
                ]);
                Content::Sweep(signed::SweepChange {
                    token,
                    nonce,
                    expiresAt,
                })
            }
        }
    }

    fn signers_change(&mut self, place: &Place, nonce: u64, expiresAt: U40) -> Content {
        let mut pool: Vec<Address> = self.actors[..5].iter().map(|a| a.address).collect();
        pool.push(place.contract_signer);
        let count = self.rng.between(2, 4) as usize;
        let mut signers = self.rng.some(&pool, count);
        if self.rng.percent(5) {
            signers.push(self.rng.pick(&[signers[0], Address::ZERO, place.vault]));
        }
        let threshold = self.rng.pick(&[1, 1, 2, 2, 2, 0, 5]);
        Content::Signers(signed::SignersChange {
            signers,
            threshold,
            nonce,
            expiresAt,
        })
    }

    fn tiers_change(&mut self, model: &Vault, nonce: u64, expiresAt: U40) -> Content {
        let mut tiers = rows(model);
        let mut policyDelay = model.policy_delay() as u32;
        let k = self.rng.below(tiers.len() as u64) as usize;
        let what = self.rng.below(13);
        let tightens = what <= 4 || what == 12;
        match what {
            12 => {} // the same once more
            0..=1 => tiers[k].cap -= (tiers[k].cap - tiers[k].maxKnown) / (2 * UNIT) * UNIT,
            2 => tiers[k].maxUnknown = tiers[k].maxUnknown / (2 * UNIT) * UNIT,
            3 => tiers[k].approvals += 1,
            4 => tiers[k].delay += 3_600,
            5..=6 => tiers[k].cap += 500 * UNIT,
            7 => tiers[k].delay = tiers[k].delay.saturating_sub(3_600),
            8 => tiers[k].approvals = tiers[k].approvals.saturating_sub(1),
            9 if tiers.len() > 3 => drop(tiers.pop()),
            9 => {
                let mut next = tiers[tiers.len() - 1].clone();
                next.delay += 60;
                tiers.push(next);
            }
            10 => policyDelay = self.rng.pick(&[86_400, 172_800, 90_000, 86_399]),
            _ => tiers[k].cap = self.rng.pick(&[tiers[k].cap + 1, 100_001 * UNIT, 0]),
        }
        // Now and then both kinds state rows that are the other's.
        if self.rng.percent(if tightens { 80 } else { 10 }) {
            return Content::Tighten(signed::TightenChange {
                tiers,
                nonce,
                expiresAt,
            });
        }
        let stale = u64::from(self.rng.percent(5));
        Content::Tiers(signed::TiersChange {
            tiers,
            policyDelay,
            oldTermsChangedAt: U40::from(model.terms_changed_at() - stale),
            nonce,
            expiresAt,
        })
    }

    fn recipients_change(
        &mut self,
        model: &Vault,
        place: &Place,
        nonce: u64,
        expiresAt: U40,
    ) -> Content {
        let count = self.rng.pick(&[1, 1, 2, 3]);
        let mut recipients = self.rng.some(&self.recipients.clone(), count);
        let oldStanding = match self.rng.percent(90) {
            true => model.standing(recipients[0]).number(),
            false => self.rng.below(3) as u8,
        };
        let standing = self.rng.pick(&[0, 1, 1, 2, 2, 0]);
        match self.rng.below(30) {
            0 => recipients.push(recipients[0]),
            1 => recipients.push(place.token),
            2 => recipients.clear(),
            _ => {}
        }
        let standing = if self.rng.percent(2) { 7 } else { standing };
        Content::Recipients(signed::RecipientsChange {
            recipients,
            oldStanding,
            standing,
            nonce,
            expiresAt,
        })
    }

    fn role_change(&mut self, model: &Vault, nonce: u64, expiresAt: U40) -> Content {
        let account = self.rng.pick(&self.actors[3..9]).address;
        let role = self
            .rng
            .pick(&[KEEPER, KEEPER, PROPOSER, KEEPER, PROPOSER, 2, 7]);
        let actual = model.role_until(account, role);
        let old = if self.rng.percent(65) {
            actual
        } else {
            actual + 1
        };
        let soon = self.time + model.policy_delay();
        let until = match self.rng.below(8) {
            0..=1 => 0,
            2 => old.saturating_sub(DAY),
            3 => soon + 1,
            4 => soon,
            5 => expiresAt.to::<u64>() + 400 * DAY,
            _ => soon + self.rng.between(5 * DAY, 200 * DAY),
        };
        Content::Role(signed::RoleChange {
            account,
            role,
            oldUntil: U40::from(old),
            until: U40::from(until),
            nonce,
            expiresAt,
        })
    }

    fn guardians_change(&mut self, model: &Vault, nonce: u64, expiresAt: U40) -> Content {
        let pool: Vec<Address> = self.actors[6..].iter().map(|a| a.address).collect();
        let count = self.rng.pick(&[1, 2, 2, 3, 0]);
        let guardians = self.rng.some(&pool, count);
        let until = self.time + model.policy_delay() + self.rng.pick(&[0, 3 * DAY, 300 * DAY]);
        Content::Guardians(signed::GuardiansChange {
            guardians,
            until: U40::from(until),
            nonce,
            expiresAt,
        })
    }

    // ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    fn spoil(&mut self, change: Bytes) -> Bytes {
        if !self.rng.percent(3) {
            return change;
        }
        match self.rng.below(3) {
            0 => [change.as_ref(), &[0; 32]].concat().into(),
            1 => change[..change.len() - 32].to_vec().into(),
            _ => change[..31].to_vec().into(),
        }
    }

    fn about_change(&self, model: &Vault, content: &Content, mut step: Step) -> Step {
        step.ids = vec![content.id(model.domain())];
        step
    }

    pub(crate) fn propose_change(&mut self, model: &Vault, place: &Place) -> Step {
        let content = match self.changes.last().cloned() {
            Some(again) if self.rng.percent(6) => again,
            _ => self.change(model, place),
        };
        self.changes.push(content.clone());
        let kind = content.kind().unwrap_or_default();
        let kind = if self.rng.percent(1) { 9 } else { kind };
        let change = self.spoil(content.encode());
        let step = if self.rng.percent(65) {
            let from = self.proposing(model);
            self.step(from, place.vault, &abi::proposeChangeCall { kind, change })
        } else {
            let from = self.rng.pick(&self.actors).address;
            let votes = self.votes(model, place, &content);
            let call = abi::proposeChangeBySigCall {
                kind,
                change,
                votes,
            };
            self.step(from, place.vault, &call)
        };
        self.about_change(model, &content, step)
    }

    fn change_at(&mut self, model: &Vault, states: &[State]) -> Option<Content> {
        let now = self.time;
        let right: Vec<Content> = self
            .changes
            .iter()
            .filter(|c| states.contains(&model.state(c.id(model.domain()), now)))
            .cloned()
            .collect();
        if right.is_empty() {
            return self
                .changes
                .last()
                .filter(|_| now.is_multiple_of(5))
                .cloned();
        }
        Some(self.rng.pick(&right))
    }

    pub(crate) fn approve_change(&mut self, model: &Vault, place: &Place) -> Step {
        let Some(content) = self.change_at(model, &[State::Proposed]) else {
            return self.propose_change(model, place);
        };
        let (kind, change) = (content.kind().unwrap_or_default(), content.encode());
        let step = if self.rng.percent(60) {
            let from = self.signer(model);
            self.step(from, place.vault, &abi::approveChangeCall { kind, change })
        } else {
            let from = self.rng.pick(&self.actors).address;
            let votes = self.votes(model, place, &content);
            let call = abi::approveChangeBySigCall {
                kind,
                change,
                votes,
            };
            self.step(from, place.vault, &call)
        };
        self.about_change(model, &content, step)
    }

    pub(crate) fn execute_change(&mut self, model: &Vault, place: &Place) -> Step {
        let Some(content) = self.change_at(model, &[State::Ready]) else {
            return self.approve_change(model, place);
        };
        if matches!(content, Content::Tiers(_)) && self.rng.percent(30) {
            self.haste = Some(Haste::Propose);
        }
        self.execute_now(model, place, &content)
    }

    fn execute_now(&mut self, model: &Vault, place: &Place, content: &Content) -> Step {
        let from = self.executor(model);
        let (kind, change) = (content.kind().unwrap_or_default(), content.encode());
        let call = abi::executeChangeCall { kind, change };
        let step = self.step(from, place.vault, &call);
        self.about_change(model, content, step)
    }

    /// The tiers as they are, once more.
    pub(crate) fn hurry(&mut self, haste: Haste, model: &Vault, place: &Place) -> Step {
        if let Haste::Execute(content) = haste {
            self.time += model.policy_delay();
            return self.execute_now(model, place, &content);
        }
        self.nonce += 1;
        let life = model.policy_delay() + SETTLE;
        let content = Content::Tiers(signed::TiersChange {
            tiers: rows(model),
            policyDelay: model.policy_delay() as u32,
            oldTermsChangedAt: U40::from(model.terms_changed_at()),
            nonce: self.nonce,
            expiresAt: U40::from(self.time + life),
        });
        let signers = model.signers().to_vec();
        let vote = |signer| Vote {
            signer,
            signature: self.signature(model, place, &content, signer),
        };
        let votes = signers.into_iter().map(vote).collect();
        let (kind, change) = (content.kind().unwrap_or_default(), content.encode());
        let call = abi::proposeChangeBySigCall {
            kind,
            change,
            votes,
        };
        self.haste = Some(Haste::Execute(content.clone()));
        self.changes.push(content.clone());
        let from = self.rng.pick(&self.actors).address;
        let step = self.step(from, place.vault, &call);
        self.about_change(model, &content, step)
    }
}

/// The tiers that there are, as a change states them.
fn rows(model: &Vault) -> Vec<signed::Tier> {
    let signed = |row: abi::Tier| signed::Tier {
        maxKnown: row.maxKnown,
        maxUnknown: row.maxUnknown,
        cap: row.cap,
        approvals: row.approvals,
        delay: row.delay,
    };
    (model.tiers().iter())
        .map(|tier| signed(tier.row()))
        .collect()
}
