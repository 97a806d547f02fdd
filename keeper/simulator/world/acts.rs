//! What a call does to the chain's state.

use super::{
    chain::{Act, Call, Ledger},
    vault::{self, Done},
};
use tidelock_model::{Caller, Revert};

/// Gas of any transaction before it calls anything.
pub const BASE_GAS: u64 = 21_000;

/// What came of a call.
#[derive(Debug, Clone)]
pub enum Effect {
    /// It went through.
    Made(Done),
    /// It was refused, and changed nothing.
    Refused(Revert),
    /// It needed more gas than it may use, and changed nothing.
    OutOfGas,
}

impl Ledger {
    /// A call in a block of that time: all of it or nothing.
    pub fn perform(&mut self, call: &Call, time: u64) -> Effect {
        let before = (self.vault.clone(), self.token.clone());
        match self.act(call, time) {
            Err(data) => Effect::Refused(data),
            Ok(done) if done.gas > call.gas_limit.saturating_sub(BASE_GAS) => {
                (self.vault, self.token) = before;
                Effect::OutOfGas
            }
            Ok(done) => Effect::Made(done),
        }
    }

    fn act(&mut self, call: &Call, time: u64) -> Result<Done, Revert> {
        let Self { vault, token, .. } = self;
        match &call.act {
            Act::Call(data) => {
                let address = call.by;
                vault::call(vault, token, Caller { address, time }, data)
            }
            Act::Unblock(recipient, standing) => {
                let change = vault::unblocking(*recipient, *standing);
                vault::enact(vault, token, time, &change)
            }
            Act::Unfreeze => {
                let change = vault::unfreezing(vault);
                vault::enact(vault, token, time, &change)
            }
            Act::SetSigners(signers) => {
                let change = vault::replacing_signers(signers.clone());
                vault::enact(vault, token, time, &change)
            }
            Act::SetCap(tier, cap) => {
                let change = vault::changing_tier(vault, *tier, |row| row.cap = *cap);
                vault::enact(vault, token, time, &change)
            }
            Act::SetApprovals(tier, approvals) => {
                let change = vault::changing_tier(vault, *tier, |row| row.approvals = *approvals);
                vault::enact(vault, token, time, &change)
            }
            Act::Deposit(amount) => token.deposit(*amount).map(|()| Done::default()),
            Act::Pause(paused) => token.pause(*paused).map(|()| Done::default()),
            Act::SetGas(wei) => {
                for account in &mut self.accounts {
                    account.gas_wei = *wei;
                }
                Ok(Done::default())
            }
        }
    }
}
