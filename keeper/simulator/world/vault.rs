//! The vault: the model that the trial holds equal to the contract (contracts/model). Here is what it does not know: the
//! simulator's token, what a call costs, and changes of policy whose votes nobody simulates.

use alloy_primitives::{Address, B256, Bytes, LogData, U256, aliases::U40};
use alloy_sol_types::{SolEvent, SolInterface};
use tidelock_model::{
    Caller, Revert, Rules, Standing, Vault, World,
    abi::{self, Content, Order, Tier, VaultCalls, signed, unpack},
};

use super::token::Token;

/// Roles by number, as the contract has them.
pub const KEEPER: u8 = 0;
/// Proposes.
pub const PROPOSER: u8 = 1;
/// Stops things.
pub const GUARDIAN: u8 = 2;
/// Approvals that a change of policy needs.
pub const THRESHOLD: u8 = 1;
/// Longest life of a proposal. [seconds]
pub const MAX_LIFE: u64 = Rules::VAULT.max_life;

/// What paying costs before its payments, and for each that is tried. [gas]
const PAY_GAS: u64 = 60_000;
const PAYMENT_GAS: u64 = 30_000;
/// What a call of the approval machine costs, and proposing for each payment. [gas]
const VOTE_GAS: u64 = 60_000;
const PROPOSED_PAYMENT_GAS: u64 = 2_000;
/// What freezing or blocking costs. [gas]
const STOP_GAS: u64 = 50_000;

/// What a call did.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// What the vault logged, in order.
    pub logs: Vec<LogData>,
    /// What the function returned.
    pub returned: Bytes,
    /// Gas it needed, about. [gas]
    pub gas: u64,
}

impl World for Token {
    fn balance(&self, token: Address, _account: Address) -> Option<U256> {
        // Nobody asks for another account than the vault's: nothing is swept here.
        (token == self.address).then(|| U256::from(self.vault_balance))
    }

    fn transfer(
        &mut self,
        _token: Address,
        _vault: Address,
        to: Address,
        amount: U256,
    ) -> Result<(), B256> {
        if Self::transfer(self, to, amount.to()) {
            Ok(())
        } else {
            Err(B256::ZERO)
        }
    }

    fn contract_signed(&self, _signer: Address, _digest: B256, _signature: &[u8]) -> bool {
        false
    }
}

/// A call: all of it or nothing.
pub fn call(
    vault: &mut Vault,
    token: &mut Token,
    caller: Caller,
    data: &[u8],
) -> Result<Done, Revert> {
    let done = vault.call(token, caller, data)?;
    Ok(Done {
        gas: gas_of(data, &done),
        logs: done.logs,
        returned: done.returned,
    })
}

/// Of payments those cost that were tried: what went through, and what the token refused.
fn gas_of(data: &[u8], done: &tidelock_model::Done) -> u64 {
    let call = VaultCalls::abi_decode(data).expect("the model read it");
    match call {
        VaultCalls::pay(_) | VaultCalls::execute(_) => {
            let paid = U256::from_be_slice(&done.returned).count_ones();
            let is_failure =
                |log: &&LogData| log.topics().first() == Some(&abi::PaymentFailed::SIGNATURE_HASH);
            let tried = paid + done.logs.iter().filter(is_failure).count();
            match tried as u64 {
                0 => 0,
                tried => PAY_GAS + PAYMENT_GAS * tried,
            }
        }
        VaultCalls::propose(call) => {
            VOTE_GAS + PROPOSED_PAYMENT_GAS * unpack(&call.payments).len() as u64
        }
        VaultCalls::approve(_) | VaultCalls::revoke(_) | VaultCalls::cancel(_) => VOTE_GAS,
        VaultCalls::freeze(_) | VaultCalls::blockRecipient(_) => STOP_GAS,
        _ => unreachable!("nobody here calls anything else"),
    }
}

/// An order without a context.
pub fn order(first_number: u64, tier: u8, expires_at: u64) -> Order {
    Order::new(first_number, expires_at, tier, B256::ZERO)
}

/// A header's id in a vault.
pub fn batch_id(vault: &Vault, batch: &abi::Batch) -> B256 {
    Content::of_batch(batch).id(vault.domain())
}

// ── What an approved change does when it is executed; how it is approved is the contract's own matter ────────────────────

/// A change, enacted. It costs whoever executes it, and nobody asks what.
pub fn enact(
    vault: &mut Vault,
    token: &mut Token,
    time: u64,
    change: &Content,
) -> Result<Done, Revert> {
    let done = vault.enact_without_votes(token, time, change)?;
    Ok(Done {
        logs: done.logs,
        returned: done.returned,
        gas: 0,
    })
}

/// A change of the recipient book, which states that the recipient is blocked.
pub fn unblocking(recipient: Address, standing: Standing) -> Content {
    Content::Recipients(signed::RecipientsChange {
        recipients: vec![recipient],
        oldStanding: Standing::Blocked.number(),
        standing: standing.number(),
        nonce: 0,
        expiresAt: Default::default(),
    })
}

/// An unfreeze, which states when the freeze of now would end.
pub fn unfreezing(vault: &Vault) -> Content {
    Content::Unfreeze(signed::UnfreezeChange {
        haltedUntil: vault.halted_until().try_into().expect("40 bits"),
        nonce: 0,
        expiresAt: Default::default(),
    })
}

/// A change of signers.
pub fn replacing_signers(signers: Vec<Address>) -> Content {
    Content::Signers(signed::SignersChange {
        signers,
        threshold: THRESHOLD,
        nonce: 0,
        expiresAt: Default::default(),
    })
}

/// Whether a row allows nothing that another does not. A tightening leaves an automatic row's approvals and delay as they are.
fn only_tightens(old: &Tier, new: &Tier) -> bool {
    if (old.approvals, old.delay) == (0, 0) && (new.approvals, new.delay) != (0, 0) {
        return false;
    }
    new.maxKnown <= old.maxKnown
        && new.maxUnknown <= old.maxUnknown
        && new.cap <= old.cap
        && new.approvals >= old.approvals
        && new.delay >= old.delay
}

/// A change of one tier, which writes all of them: a tightening, if that is all it does.
pub fn changing_tier(vault: &Vault, index: usize, change: impl Fn(&mut Tier)) -> Content {
    let mut rows: Vec<Tier> = vault.tiers().iter().map(|tier| tier.row()).collect();
    let old = rows[index].clone();
    change(&mut rows[index]);
    let tiers = rows.iter().map(|row| signed::Tier {
        maxKnown: row.maxKnown,
        maxUnknown: row.maxUnknown,
        cap: row.cap,
        approvals: row.approvals,
        delay: row.delay,
    });
    let tiers = tiers.collect();
    if only_tightens(&old, &rows[index]) {
        return Content::Tighten(signed::TightenChange {
            tiers,
            nonce: 0,
            expiresAt: Default::default(),
        });
    }
    Content::Tiers(signed::TiersChange {
        tiers,
        policyDelay: vault.policy_delay() as u32,
        oldTermsChangedAt: U40::from(vault.terms_changed_at()),
        nonce: 0,
        expiresAt: Default::default(),
    })
}
