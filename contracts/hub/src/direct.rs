//! Calls in process, without signatures or blocks: for tests that make hundreds of thousands of them.

use pallet_revive::{
    AddressMapper, Code, ExecConfig, H160, StorageDeposit, TransactionLimits, U256, create1,
};
use polkadot_sdk::*;
use sp_runtime::Weight;

use crate::{
    chain::Chain,
    receipts::{Log, logs},
    runtime::{Balance, Revive, Runtime, RuntimeOrigin, System},
};

/// What a call did, and what it cost.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether it did not revert.
    pub success: bool,
    /// What it returned, or its revert data.
    pub output: Vec<u8>,
    /// What was logged; nothing if it reverted.
    pub logs: Vec<Log>,
    /// Computing and proof that it took.
    pub weight: Weight,
    /// Deposit that its storage is charged; less than nothing if deposits were given back. [planck]
    pub deposit: i128,
    /// Why it ended without revert data of its own, if so.
    pub trapped: Option<String>,
}

/// Most that a call may take: half a block.
const LIMIT: Weight = Weight::from_parts(1_000_000_000_000, 5 * 1024 * 1024);
/// No block has to hold what is only read.
const NO_LIMIT: Weight = Weight::from_parts(u64::MAX / 4, u64::MAX / 4);
/// Deposit that is never used up. [planck]
const PLENTY: Balance = 1_000_000_000_000_000_000;

impl Chain {
    /// A call by anybody; what it does stays, in the block to come.
    pub fn call(&mut self, from: H160, to: H160, data: Vec<u8>) -> Outcome {
        self.between_blocks(|| call(from, to, data, LIMIT, PLENTY))
    }

    /// The same with limits, and what it does is forgotten.
    pub fn attempt(
        &mut self,
        from: H160,
        to: H160,
        data: Vec<u8>,
        limit: Weight,
        deposit: Balance,
    ) -> Outcome {
        self.trying(|| call(from, to, data, limit, deposit))
    }

    /// What a view answers.
    pub fn view(&mut self, to: H160, data: Vec<u8>) -> Outcome {
        self.attempt(H160::zero(), to, data, NO_LIMIT, PLENTY)
    }

    /// Creates a contract: a PolkaVM blob with its constructor's arguments, or EVM creation code with them behind it.
    pub fn create(
        &mut self,
        from: H160,
        code: Vec<u8>,
        arguments: Vec<u8>,
    ) -> (Option<H160>, Outcome) {
        let (code, arguments) = if code.starts_with(b"PVM\0") {
            (code, arguments)
        } else {
            ([code, arguments].concat(), Vec::new())
        };
        self.between_blocks(|| create(from, code, arguments))
    }

    /// The same at an address that follows from one of the creator's first nonces, which becomes its next: for what was recorded
    /// elsewhere.
    pub fn create_at(
        &mut self,
        from: H160,
        address: H160,
        code: Vec<u8>,
        arguments: Vec<u8>,
    ) -> (Option<H160>, Outcome) {
        let nonce = (0..100).find(|nonce| create1(&from, *nonce) == address);
        let nonce = nonce.expect("one of the first nonces leads to that address");
        self.between_blocks(|| {
            let next = u32::try_from(nonce).unwrap_or(u32::MAX) + 1; // a transaction counts before it runs
            frame_system::Account::<Runtime>::mutate(account_of(from), |account| {
                account.nonce = next;
            });
        });
        self.create(from, code, arguments)
    }
}

fn call(from: H160, to: H160, data: Vec<u8>, weight_limit: Weight, deposit: Balance) -> Outcome {
    let limits = TransactionLimits::WeightAndDeposit {
        weight_limit,
        deposit_limit: deposit,
    };
    endow(from);
    System::reset_events();
    let done = Revive::bare_call(
        origin(from),
        to,
        U256::zero(),
        limits,
        data,
        &ExecConfig::new_substrate_tx(),
    );
    let deposit = signed(&done.storage_deposit);
    match done.result {
        Ok(returned) => {
            let success = !returned.did_revert();
            Outcome {
                success,
                output: returned.data,
                logs: if success { logs() } else { Vec::new() },
                weight: done.weight_consumed,
                deposit,
                trapped: None,
            }
        }
        Err(error) => trap(error, done.weight_consumed, deposit),
    }
}

fn create(from: H160, code: Vec<u8>, arguments: Vec<u8>) -> (Option<H160>, Outcome) {
    let limits = TransactionLimits::WeightAndDeposit {
        weight_limit: LIMIT,
        deposit_limit: PLENTY,
    };
    endow(from);
    System::reset_events();
    let done = Revive::bare_instantiate(
        origin(from),
        U256::zero(),
        limits,
        Code::Upload(code),
        arguments,
        None,
        &ExecConfig::new_substrate_tx(),
    );
    let deposit = signed(&done.storage_deposit);
    match done.result {
        Ok(made) => {
            let success = !made.result.did_revert();
            let outcome = Outcome {
                success,
                output: made.result.data,
                logs: if success { logs() } else { Vec::new() },
                weight: done.weight_consumed,
                deposit,
                trapped: None,
            };
            (success.then_some(made.addr), outcome)
        }
        Err(error) => (None, trap(error, done.weight_consumed, deposit)),
    }
}

/// Whoever calls can pay deposits.
fn endow(account: H160) {
    let plenty = U256::from(10).pow(U256::from(30));
    if Revive::evm_balance(&account) < plenty {
        Revive::set_evm_balance(&account, plenty * 10).expect("an endowment is a balance");
    }
}

fn trap(error: sp_runtime::DispatchError, weight: Weight, deposit: i128) -> Outcome {
    Outcome {
        success: false,
        output: Vec::new(),
        logs: Vec::new(),
        weight,
        deposit,
        trapped: Some(format!("{error:?}")),
    }
}

fn origin(from: H160) -> RuntimeOrigin {
    RuntimeOrigin::signed(account_of(from))
}

fn account_of(address: H160) -> sp_runtime::AccountId32 {
    type Mapper = <Runtime as pallet_revive::Config>::AddressMapper;
    <Mapper as AddressMapper<Runtime>>::to_fallback_account_id(&address)
}

fn signed(deposit: &StorageDeposit<Balance>) -> i128 {
    let amount = |amount: &Balance| i128::try_from(*amount).unwrap_or(i128::MAX);
    match deposit {
        StorageDeposit::Charge(charged) => amount(charged),
        StorageDeposit::Refund(refunded) => -amount(refunded),
    }
}
