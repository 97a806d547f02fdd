//! `keeper consume`: takes requests in from brokers, in a process of its own beside the keeper's. Needs the store, and the passwords of brokers; it
//! reads no key that signs transactions, and asks no node. Any number of them may work side by side.

use tidelock_consume::{Board, ConsumeError, Settings};
use tokio::{runtime::Runtime, sync::watch};
use tracing::info;

use super::{Context, offline, run::Stop};
use crate::{
    exit::{ExitStatus, Failure, Outcome},
    operations::{Service, serve_consumed},
};

/// What `keeper consume` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

impl From<ConsumeError> for Failure {
    fn from(error: ConsumeError) -> Self {
        match error {
            ConsumeError::Store(cause) => cause.into(),
            _ => Self::of(ExitStatus::Usage, error),
        }
    }
}

pub(super) fn run(_: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let reader = offline::reader(&config)?;
    let identity = *reader.identity();
    reader.close()?;
    let consume = &config.consume;
    let settings = Settings {
        store: config.store.clone(),
        identity,
        kafka: consume.kafka.clone(),
        rabbitmq: consume.rabbitmq.clone(),
    };
    if settings.is_empty() {
        let rule = "[[consume.kafka]], [[consume.rabbitmq]]: none is configured, so there is nowhere to take requests from";
        return Err(Failure::new(ExitStatus::Usage, rule));
    }
    let runtime = Runtime::new().map_err(|error| Failure::of(ExitStatus::Failed, error))?;
    let stop = Stop::on_signal(&runtime)?;
    let consumed: Outcome = runtime.block_on(async {
        let board = Board::default();
        let _serving = match consume.listen {
            None => None,
            Some(address) => {
                let serving = serve_consumed(address, board.clone()).await;
                let serving = serving.map_err(|error| {
                    let field = format!("consume.listen = {address}");
                    Failure::of(ExitStatus::Usage, error).while_doing(field)
                })?;
                info!(address = %serving.address, "figures are served");
                Some(serving)
            }
        };
        let (ask, asked) = watch::channel(false);
        let work = tidelock_consume::run(&settings, board, asked);
        let mut work = std::pin::pin!(work);
        Service.turns("takes requests in");
        if let Ok(ended) = stop.or(work.as_mut()).await {
            ended?;
        } else {
            // Nobody may be listening any more.
            let _ = ask.send(true);
            work.await?;
        }
        info!("no more requests are taken in");
        Ok(ExitStatus::Done)
    });
    // What did not end in time ends with the process.
    runtime.shutdown_background();
    consumed
}
