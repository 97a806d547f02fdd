//! What a call does to the chain's state.

use super::{
    chain::{Act, Call, Ledger},
    vault::{Caller, Done, Revert},
};

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
                vault.call(token, Caller { address, time }, data)
            }
            Act::Unblock(recipient, standing) => vault.unblock(*recipient, *standing),
            Act::Unfreeze => vault.unfreeze(time),
            Act::SetSigners(signers) => Ok(vault.set_signers(signers.clone()).into()),
            Act::SetCap(tier, cap) => vault.set_tier(*tier, time, |row| row.cap = *cap),
            Act::SetApprovals(tier, approvals) => {
                vault.set_tier(*tier, time, |row| row.approvals = *approvals)
            }
            Act::Deposit(amount) => token.deposit(*amount).map(|()| Done::default()),
            Act::Pause(paused) => token.pause(*paused).map(|()| Done::default()),
            Act::SetGas(wei) => {
                self.gas_wei = *wei;
                Ok(Done::default())
            }
        }
    }
}
