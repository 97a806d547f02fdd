use alloy::primitives::{Address, Bytes, aliases::U40};
use alloy_sol_types::{SolValue, sol};

use crate::{
    stage::tier,
    trace::{Act, Row, Setup},
};

sol! {
    struct Tier {
        uint128 maxKnown;
        uint128 maxUnknown;
        uint128 cap;
        uint8 approvals;
        uint32 delay;
    }
    struct SignersChange {
        address[] signers;
        uint8 threshold;
        uint64 nonce;
        uint40 expiresAt;
    }
    struct TiersChange {
        Tier[] tiers;
        uint32 policyDelay;
        uint40 oldTermsChangedAt;
        uint64 nonce;
        uint40 expiresAt;
    }
    struct TightenChange {
        Tier[] tiers;
        uint64 nonce;
        uint40 expiresAt;
    }
    struct RecipientsChange {
        address[] recipients;
        uint8 oldStanding;
        uint8 standing;
        uint64 nonce;
        uint40 expiresAt;
    }
    struct UnfreezeChange {
        uint40 haltedUntil;
        uint64 nonce;
        uint40 expiresAt;
    }
}

/// What the recipient book calls blocked.
const BLOCKED: u8 = 2;

/// A change of policy as it is proposed and executed: its kind, as the contract numbers them, and its struct. None for what
/// is no change. A change of tiers starts from those that were written at `terms_changed_at`.
pub fn encode(
    act: &Act,
    setup: &Setup,
    terms_changed_at: U40,
    nonce: u64,
    expires_at: u64,
) -> Option<(u8, Bytes)> {
    let expires = U40::from(expires_at);
    let (kind, change) = match act {
        Act::Signers(signers) => (0, signers_change(signers, setup, nonce, expires)),
        Act::Tiers(rows) => {
            let change = TiersChange {
                tiers: tiers(rows),
                policyDelay: setup.policy_delay,
                oldTermsChangedAt: terms_changed_at,
                nonce,
                expiresAt: expires,
            };
            (1, change.abi_encode())
        }
        Act::Tighten(rows) => {
            let change = TightenChange {
                tiers: tiers(rows),
                nonce,
                expiresAt: expires,
            };
            (8, change.abi_encode())
        }
        Act::Unblock(recipient, standing) => {
            let change = RecipientsChange {
                recipients: vec![*recipient],
                oldStanding: BLOCKED,
                standing: *standing,
                nonce,
                expiresAt: expires,
            };
            (2, change.abi_encode())
        }
        Act::Unfreeze(halted_until) => {
            let change = UnfreezeChange {
                haltedUntil: U40::from(*halted_until),
                nonce,
                expiresAt: expires,
            };
            (5, change.abi_encode())
        }
        Act::Vault(_) | Act::Deposit(_) | Act::Pause(_) => return None,
    };
    Some((kind, change.into()))
}

fn tiers(rows: &[Row]) -> Vec<Tier> {
    let rows = rows.iter().map(tier).map(|tier| Tier {
        maxKnown: tier.maxKnown,
        maxUnknown: tier.maxUnknown,
        cap: tier.cap,
        approvals: tier.approvals,
        delay: tier.delay,
    });
    rows.collect()
}

fn signers_change(signers: &[Address], setup: &Setup, nonce: u64, expires: U40) -> Vec<u8> {
    let change = SignersChange {
        signers: signers.to_vec(),
        threshold: setup.threshold,
        nonce,
        expiresAt: expires,
    };
    change.abi_encode()
}
