//! `keeper serve`: the API, in a process of its own beside the keeper's. Needs the store and the file of API keys; it reads no key that
//! signs, and asks no node unless `serve.asks_node` lets it look.

mod lookout;
mod pages;

use std::sync::Arc;

use tidelock_api::{Lookout, Pages, Settings, start};
use tokio::runtime::Runtime;
use tracing::info;

use super::{Context, offline, run::Stop};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    operations::Service,
};

/// What `keeper serve` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let serve = &config.serve;
    let settings = settings(&config)?;
    let runtime = Runtime::new().map_err(|error| Failure::of(ExitStatus::Failed, error))?;
    let stop = Stop::on_signal(&runtime)?;
    let served: Outcome = runtime.block_on(async {
        let serving = start(serve.listen, settings).await.map_err(|error| {
            let field = format!("serve.listen = {}", serve.listen);
            Failure::of(ExitStatus::Usage, error).while_doing(field)
        })?;
        info!(address = %serving.address, "the API is served");
        Service.turns(&format!("serves on {}", serving.address));
        // The wish to end is what is waited for.
        let _ = stop.or(std::future::pending::<()>()).await;
        serving.end().await;
        info!("the API is served no more");
        Ok(ExitStatus::Done)
    });
    // What did not end in time ends with the process.
    runtime.shutdown_background();
    served
}

/// What the configuration says of the API. The store must be there.
pub(super) fn settings(config: &Config) -> Result<Settings, Failure> {
    let reader = offline::reader(config)?;
    let identity = *reader.identity();
    reader.close()?;
    let serve = &config.serve;
    // A port of the system's choice is not known here.
    let listen = config.operations.listen.filter(|at| at.port() != 0);
    let pages = listen.map(|at| {
        let pages: Arc<dyn Pages> = Arc::new(pages::OwnPages::new(at)?);
        Ok::<_, Failure>(pages)
    });
    Ok(Settings {
        store: config.store.clone(),
        identity,
        keys: serve.keys_file.clone(),
        connections: serve.connections,
        requests_per_second: serve.requests_per_second,
        lookout: serve.asks_node.then(|| {
            let lookout: Arc<dyn Lookout> = Arc::new(lookout::NodeLookout::new(config, identity));
            lookout
        }),
        pages: pages.transpose()?,
    })
}
