//! What the vault should do.
#![no_std]
extern crate alloc;

pub mod abi;
