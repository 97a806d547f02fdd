//! Who else hears what the keeper does: whoever asks over HTTP, and the service manager.

use std::net::TcpListener;

use tidelock_core::engine::Status;
use tokio::runtime::Runtime;
use tracing::info;

use crate::{
    chain::Nodes,
    cli::online::full_transaction,
    config::Config,
    exit::{ExitStatus, Failure},
    operations::{self, Limits, NodeFigures, Pulse, Service, Serving},
};

/// Names of the nodes in figures, in their order.
const NODES: [&str; 2] = ["first", "second"];

/// Tells both.
#[derive(Debug, Clone, Default)]
pub(super) struct Signs {
    pulse: Pulse,
    service: Service,
}

impl Signs {
    /// Begins to serve, if the configuration says where; on what is bound there already, if that is given.
    pub fn serve(
        &self,
        config: &Config,
        bound: Option<&TcpListener>,
        runtime: &Runtime,
    ) -> Result<Option<Serving>, Failure> {
        let Some(address) = config.operations.listen else {
            return Ok(None);
        };
        let limits = Limits {
            fees: config.fees,
            transaction: full_transaction(config, None),
        };
        let (pulse, store) = (self.pulse.clone(), config.store.clone());
        let started = runtime.block_on(async {
            let listener = match bound {
                Some(bound) => bound.try_clone()?,
                None => TcpListener::bind(address)?,
            };
            operations::start(listener, pulse, limits, store)
        });
        let serving = started.map_err(|error| {
            let field = format!("operations.listen = {address}");
            Failure::of(ExitStatus::Usage, error).while_doing(field)
        })?;
        info!(address = %serving.address, "serves /healthz, /readyz and /metrics");
        Ok(Some(serving))
    }

    /// The engine turns.
    pub fn turns(
        &self,
        status: &Status,
        observes: bool,
        (nodes, laggard): (&Nodes, Option<String>),
    ) {
        self.service.turns(&format!(
            "block {} is final; {} transactions in no block",
            status.finalised.number, status.unincluded
        ));
        let named = NODES.into_iter().zip(nodes.named());
        let figures = named.map(|(name, (_, chain))| {
            let (asked, unanswered) = chain.rpc().asked();
            let newest = chain.newest();
            NodeFigures {
                name,
                asked,
                unanswered,
                newest: newest.map(|block| (block.number, block.time.seconds())),
            }
        });
        let of_nodes = (figures.collect(), nodes.disagreements(), laggard);
        self.pulse.beat(status, observes, of_nodes);
    }

    /// The engine turns no more, and another may after it.
    pub fn ends(&self) {
        self.pulse.ends();
    }

    /// Another keeper leads.
    pub fn stands_by(&self, words: &str) {
        self.service.turns(words);
        self.pulse.waits(words);
    }

    /// All else waits for something.
    pub fn waits(&self, wait: &str) {
        self.service.waits(wait);
        self.pulse.waits(wait);
    }
}
