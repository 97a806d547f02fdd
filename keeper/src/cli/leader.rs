//! Where the log is, and which of several keepers writes it.

use serde_json::{Value, json};

use crate::{
    calendar::utc,
    config::Config,
    store::{self, Leader, StoreError},
};

/// Who leads, as the database says; none of a store that one host only can write.
pub(super) fn ask(config: &Config) -> Result<Option<Leader>, StoreError> {
    store::leader(&config.store)
}

/// Who leads, in words.
pub(super) fn words(leader: &Leader) -> String {
    let Leader {
        holder,
        epoch,
        since,
        holds,
    } = leader;
    let since = utc(*since);
    if *holds {
        format!("{holder} leads since {since}, in epoch {epoch}")
    } else {
        format!("nobody leads; {holder} did from {since}, in epoch {epoch}")
    }
}

/// The same for programs.
pub(super) fn as_json(leader: Option<&Leader>) -> Value {
    leader.map_or(Value::Null, |leader| {
        json!({
            "holder": leader.holder,
            "epoch": leader.epoch,
            "since": leader.since,
            "holds": leader.holds,
        })
    })
}

/// What `keeper check` says of the store.
pub(super) fn store_line(config: &Config) -> String {
    let store = &config.store;
    if store.server.is_none() {
        return store.to_string();
    }
    let leader = match ask(config) {
        Ok(Some(leader)) => words(&leader),
        Ok(None) => "nobody has led yet".to_owned(),
        Err(StoreError::Empty { .. }) => "empty; `keeper run` makes the log".to_owned(),
        Err(error) => format!("cannot be asked: {error}"),
    };
    format!("{store}; {leader}")
}
