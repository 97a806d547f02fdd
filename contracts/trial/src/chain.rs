//! A chain of one vault: revm with a clock, a state and nothing else.

use alloy_primitives::{Address, Bytes, Log, U256};
use alloy_sol_types::SolCall;
use revm::{
    Context, ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext, MainnetEvm,
    context::{TxEnv, result::ExecutionResult},
    database::{CacheDB, EmptyDB},
    handler::MainnetContext,
    primitives::{TxKind, hardfork::SpecId},
};

/// Id of the chain: that of forge's tests, so that what is recorded here can be replayed there.
pub const CHAIN_ID: u64 = 31_337;
/// Most gas of an ordinary call: the cap of a transaction's execution gas (EIP-7825).
pub const CALL_GAS: u64 = 16_777_216;
/// Enough to create a vault at Amsterdam's price of code.
const CREATE_GAS: u64 = 100_000_000;

/// The rules that the chain runs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Fork {
    /// Mainnet's of today.
    Osaka,
    /// Mainnet's of next year (EIP-8037: state has a price of its own).
    Amsterdam,
}

impl Fork {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Osaka, Self::Amsterdam];

    fn spec(self) -> SpecId {
        match self {
            Self::Osaka => SpecId::OSAKA,
            Self::Amsterdam => SpecId::AMSTERDAM,
        }
    }
}

/// What became of a call.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether it did not revert.
    pub success: bool,
    /// What it returned, or its revert data; empty if it ran out of gas.
    pub output: Bytes,
    /// What was logged.
    pub logs: Vec<Log>,
    /// Gas of the whole transaction.
    pub gas: u64,
    /// Whether it ended without revert data of its own: out of gas, an invalid opcode and so on.
    pub halted: bool,
}

/// The chain after some transaction.
pub struct Chain {
    evm: MainnetEvm<MainnetContext<CacheDB<EmptyDB>>>,
    fork: Fork,
    nonce: u64,
}

impl Chain {
    /// An empty chain at a time. [seconds]
    pub fn new(fork: Fork, time: u64) -> Self {
        let context = Context::mainnet()
            .with_db(CacheDB::new(EmptyDB::default()))
            .modify_cfg_chained(|cfg| {
                *cfg = cfg.clone().with_spec_and_mainnet_gas_params(fork.spec());
                cfg.chain_id = CHAIN_ID;
                cfg.disable_nonce_check = true;
                if fork == Fork::Osaka {
                    cfg.tx_gas_limit_cap = Some(CREATE_GAS);
                }
            });
        let mut chain = Self {
            evm: context.build_mainnet(),
            fork,
            nonce: 0,
        };
        chain.set_time(time);
        chain
    }

    /// Which rules it runs by.
    pub fn fork(&self) -> Fork {
        self.fork
    }

    /// Block time of what comes next. [seconds]
    pub fn set_time(&mut self, time: u64) {
        self.evm.ctx.block.timestamp = U256::from(time);
    }

    /// Creates a contract.
    pub fn create(&mut self, from: Address, code: Bytes) -> Result<Address, Outcome> {
        let tx = self.transaction(from, TxKind::Create, code, CREATE_GAS);
        let result = self
            .evm
            .transact_commit(tx)
            .unwrap_or_else(|error| panic!("not a transaction: {error}"));
        result.created_address().ok_or_else(|| outcome(result))
    }

    /// A transaction; what it does stays.
    pub fn send(&mut self, from: Address, to: Address, data: Bytes) -> Outcome {
        let tx = self.transaction(from, TxKind::Call(to), data, CALL_GAS);
        let result = self.evm.transact_commit(tx);
        outcome(result.unwrap_or_else(|error| panic!("not a transaction: {error}")))
    }

    /// The same with a gas limit, and what it does is forgotten.
    pub fn try_with_gas(&mut self, from: Address, to: Address, data: Bytes, gas: u64) -> Outcome {
        let tx = self.transaction(from, TxKind::Call(to), data, gas);
        let result = self.evm.transact(tx);
        outcome(
            result
                .unwrap_or_else(|error| panic!("not a transaction: {error}"))
                .result,
        )
    }

    /// Reads a view, which must answer.
    pub fn view<C: SolCall>(&mut self, to: Address, call: &C) -> C::Return {
        let data = call.abi_encode().into();
        let seen = self.try_with_gas(Address::ZERO, to, data, CALL_GAS);
        assert!(seen.success, "{} reverts: {}", C::SIGNATURE, seen.output);
        C::abi_decode_returns(&seen.output).expect("what the interface says")
    }

    /// Sends a call that must succeed.
    pub fn must<C: SolCall>(&mut self, from: Address, to: Address, call: &C) -> Outcome {
        let done = self.send(from, to, call.abi_encode().into());
        assert!(done.success, "{} reverts: {}", C::SIGNATURE, done.output);
        done
    }

    fn transaction(&mut self, from: Address, kind: TxKind, data: Bytes, gas: u64) -> TxEnv {
        self.nonce += 1;
        TxEnv::builder()
            .caller(from)
            .kind(kind)
            .data(data)
            .gas_limit(gas)
            .gas_price(0)
            .nonce(self.nonce)
            .chain_id(Some(CHAIN_ID))
            .build_fill()
    }
}

fn outcome(result: ExecutionResult) -> Outcome {
    let gas = result.tx_gas_used();
    let success = result.is_success();
    let halted = result.is_halt();
    let logs = if success {
        result.logs().to_vec()
    } else {
        Vec::new()
    };
    Outcome {
        success,
        output: result.into_output().unwrap_or_default(),
        logs,
        gas,
        halted,
    }
}
