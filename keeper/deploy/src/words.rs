//! What a policy means, for those who decide on it.

use alloy_primitives::Address;

use crate::{
    Deployment, Policy, Step, Vault,
    simulate::MAX_CREATION,
    units::{span_shown, time_shown},
};

/// Number of the keeper's role in the contract.
const KEEPER: u8 = 0;
/// Number of the proposer's.
const PROPOSER: u8 = 1;
/// Life that must be left once a delay is over: 28 hours in which charges leave the window, and one to pay. [seconds]
const SETTLE: u64 = 29 * 3_600;
/// A freeze lasts that much longer than the policy delay. [seconds]
const FREEZE_MARGIN: u64 = 2 * 86_400;

impl Policy {
    /// The policy line by line.
    pub fn words(&self) -> Vec<String> {
        let mut lines = self.tier_words();
        lines.push(String::new());
        lines.extend(self.loss_words());
        lines.push(String::new());
        lines.extend(self.wait_words());
        lines.push(String::new());
        lines.extend(self.people_words());
        lines
    }

    fn tier_words(&self) -> Vec<String> {
        let tiers = self.configuration.tiers.iter().enumerate();
        let each = tiers.map(|(k, tier)| {
            let unknown = if tier.maxUnknown == 0 {
                "nothing to others".to_owned()
            } else {
                format!("{} to others", self.amount(tier.maxUnknown))
            };
            format!(
                "tier {k}: a payment of at most {} to known recipients, {unknown}; {}; at most {} in any 24 hours",
                self.amount(tier.maxKnown),
                terms(tier),
                self.amount(tier.cap)
            )
        });
        each.collect()
    }

    /// Most that leaves in any 24 hours if keys are stolen. A tier with n approvals needs n signers' keys; executing
    /// needs no more than one of them, and the guardians are taken to sleep.
    fn loss_words(&self) -> Vec<String> {
        let c = &self.configuration;
        let mut lines = vec!["most that leaves in any 24 hours, if nobody stops it:".to_owned()];
        let up_to = |approvals: usize, is_automatic: bool| {
            let tiers = c
                .tiers
                .iter()
                .filter(|tier| usize::from(tier.approvals) <= approvals);
            let tiers = tiers.filter(|tier| is_automatic || tier.approvals > 0);
            tiers.fold(0_u128, |sum, tier| sum.saturating_add(tier.cap))
        };
        let is_keeper = |account: &Address| {
            let mut grants = c.grants.iter();
            grants.any(|grant| grant.role == KEEPER && grant.account == *account)
        };
        let keepers = c.grants.iter().filter(|grant| grant.role == KEEPER).count();
        // One key of both roles counts for both.
        let both = c.signers.iter().filter(|signer| is_keeper(signer)).count();
        let with_keeper = |signers: usize| {
            let signers = signers.saturating_add(both.min(1)).min(c.signers.len());
            up_to(signers, keepers > 0)
        };
        if keepers == 0 {
            lines.push("  nobody is keeper: nothing is paid without approvals".to_owned());
        } else {
            lines.push(format!(
                "  with a keeper's key: {}",
                self.amount(with_keeper(0))
            ));
        }
        for signer in c.signers.iter().filter(|signer| is_keeper(signer)) {
            lines.push(format!(
                "  {} is signer and keeper: one key has both",
                self.name(signer)
            ));
        }
        for count in 1..=c.signers.len() {
            let alone = up_to(count, both > 0);
            let keys = if count == 1 {
                "1 signer's key".to_owned()
            } else {
                format!("{count} signers' keys")
            };
            let with_keeper = if keepers == 0 {
                String::new()
            } else {
                format!("; with a keeper's too: {}", self.amount(with_keeper(count)))
            };
            lines.push(format!(
                "  with {keys}: {}{with_keeper}",
                self.amount(alone)
            ));
        }
        lines.push(format!(
            "  with {} signers' keys, once a change of the policy has waited {}: {}, and never more",
            c.threshold,
            span_shown(c.policyDelay.into()),
            self.amount(c.hardCeiling)
        ));
        lines
    }

    fn wait_words(&self) -> Vec<String> {
        let c = &self.configuration;
        let longest = c
            .tiers
            .iter()
            .map(|tier| tier.delay)
            .max()
            .unwrap_or_default();
        vec![
            format!(
                "longest wait of a payment, once approved: {} and, if the cap is used up, until it has room again, {} at most",
                span_shown(longest.into()),
                span_shown(SETTLE)
            ),
            format!(
                "a policy change waits {} after {} approvals; one that only tightens, not at all; the wait can never be less than {}",
                span_shown(c.policyDelay.into()),
                c.threshold,
                span_shown(c.policyDelayFloor.into())
            ),
            format!(
                "a freeze lasts {}",
                span_shown(u64::from(c.policyDelay).saturating_add(FREEZE_MARGIN))
            ),
        ]
    }

    fn people_words(&self) -> Vec<String> {
        let c = &self.configuration;
        let mut lines = Vec::new();
        let mut list = |title: String, accounts: &mut dyn Iterator<Item = String>| {
            lines.push(title);
            lines.extend(accounts.map(|account| format!("  {account}")));
        };
        let named = |account: &Address| self.name(account);
        list(
            format!(
                "{} signers, who approve, and each of whom can freeze:",
                c.signers.len()
            ),
            &mut c.signers.iter().map(named),
        );
        list(
            format!(
                "{} guardians until {}, each of whom can freeze, veto what waits, block a recipient and take a keeper's or proposer's role:",
                c.guardians.len(),
                time_shown(c.guardiansUntil.to())
            ),
            &mut c.guardians.iter().map(named),
        );
        list(
            "keepers, who pay what needs no approval and execute what is ready:".to_owned(),
            &mut or_nobody(self.holders(KEEPER)),
        );
        list(
            "proposers, who may only propose:".to_owned(),
            &mut or_nobody(self.holders(PROPOSER)),
        );
        list(
            format!("{} recipients known from the start:", c.known.len()),
            &mut c.known.iter().map(named),
        );
        lines
    }

    fn holders(&self, role: u8) -> impl Iterator<Item = String> {
        let grants = self.configuration.grants.iter();
        let grants = grants.filter(move |grant| grant.role == role);
        grants.map(|grant| {
            let until = time_shown(grant.until.to());
            format!("{} until {until}", self.name(&grant.account))
        })
    }
}

/// What is listed, or that nothing is.
fn or_nobody(listed: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let mut listed = listed.peekable();
    let nobody = listed.peek().is_none().then(|| "nobody".to_owned());
    nobody.into_iter().chain(listed)
}

fn terms(tier: &Vault::Tier) -> String {
    match (tier.approvals, tier.delay) {
        (0, 0) => "paid at once by the keeper".to_owned(),
        (approvals, delay) => format!(
            "{approvals} approvals, then {} of waiting",
            span_shown(delay.into())
        ),
    }
}

impl Deployment {
    /// Where everything comes to be, and by which calls.
    pub fn words(&self) -> Vec<String> {
        let mut lines = vec![
            format!("configuration hash  {}", self.at.configuration_hash),
            format!(
                "creation code hash  {}",
                self.release.vault.creation_code_hash()
            ),
            format!(
                "creation            {} bytes of {MAX_CREATION}",
                self.creation_size()
            ),
        ];
        for step in Step::ALL {
            lines.push(format!("{:<19} {}", step.name(), self.address(step)));
        }
        lines.push(format!("{:<19} {}", "rules of the vault", self.at.rules));
        lines.push("transactions, each only if what it makes is not there:".to_owned());
        for making in Step::ALL.into_iter().filter_map(|step| self.making(step)) {
            let hash = alloy_primitives::keccak256(&making.data);
            lines.push(format!(
                "  {}: to {}, {} bytes of data with the hash {hash}",
                making.step,
                making.to,
                making.data.len()
            ));
        }
        lines
    }
}
