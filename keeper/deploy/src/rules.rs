//! The vault's rules once more, to say in the words of the file what breaks them. The contract's own (VaultRules, Policy) decide:
//! `simulate` asks them, and a test holds the two to each other.

use std::fmt::Display;

use alloy_primitives::Address;

use crate::{
    Vault,
    policy::Violation,
    units::{shown, span_shown, time_shown},
};

/// [seconds]
const DAY: u64 = 86_400;
const MAX_TIERS: usize = 4;
const MAX_SIGNERS: usize = 32;
const MAX_GUARDIANS: usize = 16;
/// Most units that a cap may be: 33 bits, one below all ones.
const MAX_CAP: u128 = (1 << 33) - 2;
/// Longest delay: what a proposal's life of 30 days leaves after 7 days of voting and 29 hours of settling. [seconds]
pub(crate) const MAX_DELAY: u32 = 30 * 86_400 - 7 * 86_400 - 29 * 3_600;
/// [seconds]
const MIN_POLICY_DELAY: u32 = 86_400;
/// [seconds]
const MAX_GRANT: u64 = 400 * DAY;

/// Every rule that a configuration breaks at `now`. [seconds]
pub(crate) fn broken(c: &Vault::Configuration, decimals: u8, now: u64) -> Vec<Violation> {
    let mut rules = Rules {
        decimals,
        broken: Vec::new(),
    };
    rules.bounds(c);
    rules.signers(c);
    rules.tiers(c);
    rules.people(c, now);
    rules.broken
}

struct Rules {
    decimals: u8,
    broken: Vec<Violation>,
}

impl Rules {
    fn bounds(&mut self, c: &Vault::Configuration) {
        self.amount("vault.unit", c.unit, 1, (1 << 96) - 1);
        let most = c.unit.saturating_mul(MAX_CAP);
        self.amount("vault.hard_ceiling", c.hardCeiling, c.unit, most);
        self.multiple("vault.hard_ceiling", c.hardCeiling, c.unit);
        let floor = c.policyDelayFloor;
        self.span(
            "vault.policy_delay_floor",
            floor,
            MIN_POLICY_DELAY,
            MAX_DELAY,
        );
        self.span("vault.policy_delay", c.policyDelay, floor, MAX_DELAY);
    }

    fn signers(&mut self, c: &Vault::Configuration) {
        let count = c.signers.len();
        self.range(
            "signer",
            format!("{count} of them"),
            (1..=MAX_SIGNERS).contains(&count),
            "must be 1 to 32",
        );
        let threshold = usize::from(c.threshold);
        let rule = format!("must be 1 to the number of signers, {count}");
        self.range(
            "vault.threshold",
            threshold,
            (1..=count).contains(&threshold),
            &rule,
        );
    }

    fn tiers(&mut self, c: &Vault::Configuration) {
        let count = c.tiers.len();
        self.range(
            "tier",
            format!("{count} of them"),
            (1..=MAX_TIERS).contains(&count),
            "must be 1 to 4",
        );
        let mut below = Vault::Tier {
            maxKnown: 0,
            maxUnknown: 0,
            cap: 0,
            approvals: 0,
            delay: 0,
        };
        let mut sum = 0_u128;
        for (k, tier) in c.tiers.iter().enumerate() {
            let field = |name: &str| format!("tier[{k}].{name}");
            for (name, value) in [
                ("max_known", tier.maxKnown),
                ("max_unknown", tier.maxUnknown),
                ("cap", tier.cap),
            ] {
                self.multiple(&field(name), value, c.unit);
            }
            self.amount(&field("cap"), tier.cap, c.unit, c.hardCeiling);
            self.amount(
                &field("max_known"),
                tier.maxKnown,
                c.unit.max(below.maxKnown),
                tier.cap,
            );
            self.amount(
                &field("max_unknown"),
                tier.maxUnknown,
                below.maxUnknown,
                tier.maxKnown,
            );
            let is_top = k.saturating_add(1) == count;
            let least = below.approvals.max(if is_top { c.threshold } else { 0 });
            let most = c.signers.len().min(MAX_SIGNERS);
            let approvals = tier.approvals;
            let rule = format!(
                "must be {least} to {most}: no fewer than the tier before, no more than there are signers{}",
                if is_top {
                    ", and in the last tier no fewer than vault.threshold"
                } else {
                    ""
                }
            );
            let fits = approvals >= least && usize::from(approvals) <= most;
            self.range(&field("approvals"), approvals, fits, &rule);
            self.span(&field("delay"), tier.delay, below.delay, MAX_DELAY);
            sum = sum.saturating_add(tier.cap);
            below = tier.clone();
        }
        let rule = format!(
            "all caps together must be at most vault.hard_ceiling, {}",
            shown(c.hardCeiling, self.decimals)
        );
        self.range(
            "tier.cap",
            shown(sum, self.decimals),
            sum <= c.hardCeiling,
            &rule,
        );
    }

    fn people(&mut self, c: &Vault::Configuration, now: u64) {
        let count = c.guardians.len();
        self.range(
            "guardian",
            format!("{count} of them"),
            (1..=MAX_GUARDIANS).contains(&count),
            "must be 1 to 16",
        );
        self.until("vault.guardians_until", c.guardiansUntil.to(), now);
        self.accounts("signer", &c.signers, c.token);
        self.accounts("guardian", &c.guardians, c.token);
        self.accounts("known", &c.known, c.token);
        for (role, section) in [(0, "keeper"), (1, "proposer")] {
            let grants: Vec<_> = c.grants.iter().filter(|grant| grant.role == role).collect();
            let accounts: Vec<Address> = grants.iter().map(|grant| grant.account).collect();
            self.accounts(section, &accounts, c.token);
            for (i, grant) in grants.iter().enumerate() {
                self.until(&format!("{section}[{i}].until"), grant.until.to(), now);
            }
        }
        if c.successor == c.token && !c.token.is_zero() {
            self.range(
                "vault.successor",
                c.successor,
                false,
                "must not be the token",
            );
        }
    }

    fn accounts(&mut self, section: &str, accounts: &[Address], token: Address) {
        for (i, account) in accounts.iter().enumerate() {
            let rule = if account.is_zero() {
                "must not be the zero address"
            } else if *account == token {
                "must not be the token"
            } else if accounts.iter().take(i).any(|earlier| earlier == account) {
                "is listed twice"
            } else {
                continue;
            };
            self.range(&format!("{section}[{i}].address"), account, false, rule);
        }
    }

    fn until(&mut self, field: &str, until: u64, now: u64) {
        let last = now.saturating_add(MAX_GRANT);
        let rule = format!(
            "must be after now, {}, and at most 400 days later, {}",
            time_shown(now),
            time_shown(last)
        );
        self.range(
            field,
            time_shown(until),
            until > now && until <= last,
            &rule,
        );
    }

    fn amount(&mut self, field: &str, value: u128, least: u128, most: u128) {
        let say = |amount| shown(amount, self.decimals);
        let (value_said, rule) = (
            say(value),
            format!("must be {} to {}", say(least), say(most)),
        );
        self.range(field, value_said, (least..=most).contains(&value), &rule);
    }

    fn multiple(&mut self, field: &str, value: u128, unit: u128) {
        let is_multiple = value.checked_rem(unit) == Some(0);
        let rule = format!(
            "must be a whole multiple of vault.unit, {}",
            shown(unit, self.decimals)
        );
        self.range(field, shown(value, self.decimals), is_multiple, &rule);
    }

    fn span(&mut self, field: &str, value: u32, least: u32, most: u32) {
        let say = |seconds: u32| span_shown(seconds.into());
        let rule = format!("must be {} to {}", say(least), say(most));
        self.range(field, say(value), (least..=most).contains(&value), &rule);
    }

    fn range(&mut self, field: &str, value: impl Display, fits: bool, rule: &str) {
        if !fits {
            self.broken.push(Violation {
                field: field.to_owned(),
                value: value.to_string(),
                rule: rule.to_owned(),
            });
        }
    }
}
