//! Transactions: what they offer, how they are built, and what an answer to sending one means.

mod fees;
mod floor;
mod reply;
mod transaction;

pub use fees::{FeeCap, FeeMarket, FeePolicy, Offer, offer};
pub use floor::TipFloor;
pub use reply::{RefusalClass, Reply, classify};
pub use transaction::{Call, SignError, Unsigned};
