//! Transactions: what they offer, how they are built, and what an answer to sending one means.

mod ceiling;
mod fees;
mod floor;
mod patience;
mod reply;
mod transaction;

pub use ceiling::NodeCeiling;
pub use fees::{FeeCap, FeeMarket, FeePolicy, Offer, needed, offer};
pub use floor::TipFloor;
pub use patience::{DAY, Patience, Prices, Replay, replay};
pub use reply::{RefusalClass, Reply, classify};
pub use transaction::{Call, SignError, Unsigned};
