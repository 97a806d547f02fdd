//! A development chain with pallet-revive in process: PolkaVM and EVM bytecode side by side, and Ethereum's JSON-RPC over it. It has
//! one author, a block for each transaction and no network: finality, fees and weights of a real chain are others.

pub mod chain;
pub mod direct;
mod filter;
pub mod receipts;
pub mod rpc;
pub mod runtime;
