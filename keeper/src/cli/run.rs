//! `keeper run`: the daemon.

mod lead;
mod log;
mod patience;
pub(super) mod rotation;
mod signs;
mod stop;
mod watch;

use std::{net::TcpListener, sync::Arc, time::Duration};

use tidelock_core::{
    engine::{Engine, EngineError, Status},
    port::Monotonic,
    settings::Settings,
};
use tokio::{runtime::Runtime, time::sleep};
use tracing::{info, warn};

use super::{
    Context,
    online::{connect, expected, warnings},
    words,
};
use crate::{
    chain::Identity,
    config::Config,
    daemon::{self, Ended, World},
    exit::{ExitStatus, Failure, Outcome},
    signer::{Guarded, Signer},
    store::StoreError,
    traces::Traces,
};

use patience::Patience;
use rotation::Key;
use signs::Signs;
pub(super) use stop::Stop;
use stop::Stopped;
use watch::Watch;

/// What `keeper run` takes.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Send nothing, and say what would be sent
    #[arg(long)]
    pub observe: bool,
    /// First block to read the vault's past from, when there is no log yet; not after the one that created the vault
    #[arg(long, default_value_t = 0)]
    pub from_block: u64,
    /// No keeper has worked for this vault before: when there is no log yet, start at once instead of waiting until whatever
    /// one may have signed has expired and an operator resumes. Not for service files
    #[arg(long)]
    pub first_keeper: bool,
    /// The PostgreSQL server was promoted or restored, and is known to have every commit that its predecessor had. Not for
    /// service files
    #[arg(long)]
    pub accept_promotion: bool,
    /// Where `operations.listen` is, if somebody has bound it already.
    #[arg(skip)]
    pub pages: Option<TcpListener>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let runtime = Runtime::new().map_err(|error| Failure::of(ExitStatus::Failed, error))?;
    let stop = Stop::on_signal(&runtime)?;
    let worked = work(args, &config, &runtime, &stop);
    runtime.shutdown_background();
    match worked {
        Err(failure) if stop.is_asked() && has_waited(&failure) => info!("{}", failure.message()),
        worked => worked?,
    }
    info!("keeper stopped");
    Ok(ExitStatus::Done)
}

/// Whether it had done nothing yet but wait, for the chain or for somebody who holds the store.
fn has_waited(failure: &Failure) -> bool {
    let error = failure.error.downcast_ref::<StoreError>();
    matches!(error, Some(StoreError::Held { .. })) || failure.error.is::<Stopped>()
}

fn work(args: &Args, config: &Config, runtime: &Runtime, stop: &Stop) -> Result<(), Failure> {
    let signs = Signs::default();
    let _serving = signs.serve(config, args.pages.as_ref(), runtime)?;
    let shortest = Duration::from_millis(config.chain.poll_interval_ms);
    let patience = Patience::new(stop, &config.store.path, &signs, shortest);
    let mut key = of_the_log(config, (runtime, &patience))?;
    let mut trusts_promotion = args.accept_promotion;
    loop {
        let open = async || key.open().await;
        let signer = patience.until("the key", open, patience::of_key);
        let signer = runtime.block_on(signer)??;
        let with = (runtime, stop, &patience, &signs);
        // The operator spoke of one promotion, not of those to come.
        let trusts = std::mem::take(&mut trusts_promotion);
        match serve((args, trusts), config, with, (key, signer)) {
            Ok(Some(next)) => key = next,
            Ok(None) => return Ok(()),
            Err(failure) if lead::stands_by_again(config, &failure) => {
                // The key that it ran with may have been changed by the keeper that led meanwhile.
                runtime.block_on(async { stop.or(sleep(shortest)).await })?;
                key = of_the_log(config, (runtime, &patience))?;
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// The key to run with, once the store can be asked which that is.
fn of_the_log<'a>(
    config: &'a Config,
    (runtime, patience): (&Runtime, &Patience<'_>),
) -> Result<Key<'a>, Failure> {
    if config.next_key.is_some() && config.store.server.is_some() {
        let look = async || lead::is_opened(&config.store).await;
        let looked = patience.until("the store", look, patience::of_store);
        runtime.block_on(looked)?.map_err(store_failure)?;
    }
    rotation::first(config, runtime)
}

/// Runs with one key until the keeper is told to stop, or the next one is to go on.
fn serve<'a>(
    (args, trusts_promotion): (&Args, bool),
    config: &'a Config,
    (runtime, stop, patience, signs): (&Runtime, &Stop, &Patience<'_>, &Signs),
    (key, signer): (Key<'a>, Guarded),
) -> Result<Option<Key<'a>>, Failure> {
    let nodes = connect(config, signer.address())?;
    let path = &config.store.path;
    // Taken before a log is looked for: of two keepers that start at once, one opens it, and the other is refused.
    let lock = log::lock(path)?;
    // A key whose role was taken may still hand over to the next one; the engine sends nothing without the role.
    let hands_over = config.next_key.is_some() && matches!(key, Key::Current(_));
    let expected = expected(config, !args.observe && !hands_over);
    let identify = async || nodes.identify(expected).await;
    let identity = patience.until("the chain", identify, patience::of_identity);
    let mut identity = runtime.block_on(identity)??;
    for warning in warnings(config, &identity) {
        warn!("{warning}");
    }
    let of_store = log::identity(config, &identity);
    let with = (stop, patience);
    let led = lead::right(&config.store, lock, of_store, trusts_promotion, with);
    let led = runtime.block_on(led)?;
    if led.waited {
        let identify = async || nodes.identify(expected).await;
        let again = patience.until("the chain", identify, patience::of_identity);
        identity = runtime.block_on(again)??;
    }
    let leadership = led.right.leadership();
    let store = log::open(
        args,
        config,
        &nodes,
        led.right,
        (runtime, stop, patience, signs),
    )?;
    log::must_be_of(config, &identity, &store)?;
    let settings = settings(config, &identity, !args.observe);
    let mut engine =
        Engine::start(store, settings, Monotonic::default()).map_err(engine_failure)?;
    let keeper = engine.state().opening().keeper;
    if let Some(next) = rotation::must_be(config, keeper, signer.address())? {
        return Ok(Some(next));
    }
    // Ends with this keeper: what was heard by then is sent.
    let traces = Traces::start(config, engine.head().seq, runtime.handle())?;
    let world = World {
        chain: nodes.chain(),
        signer: Arc::new(signer),
        tasks: runtime.handle().clone(),
        leadership,
        witness: traces.as_ref().and_then(Traces::witness),
    };
    info!(vault = %config.vault.address, %keeper, observe = args.observe, "keeper runs");
    let mut watch = Watch::new(path, args.observe, nodes, signs, &identity);
    let retire = rotation::watch(config, &key, args.observe, &identity, runtime)?;
    let report = |status: &Status| watch.report(status);
    let ended = daemon::run_while_key_serves(&mut engine, &world, (stop.flag(), &retire), report);
    signs.ends();
    let ended = ended.map_err(engine_failure)?;
    let mut store = engine.into_store();
    let next = match ended {
        Ended::Stopped => None,
        Ended::Lapsed => return Err(store_failure(StoreError::Lapsed)),
        Ended::Drained => rotation::change(config, &mut store, (runtime, patience))?,
    };
    store.close().map_err(store_failure)?;
    Ok(next)
}

pub(super) fn settings(config: &Config, identity: &Identity, sends: bool) -> Settings {
    Settings {
        token: config.vault.token,
        unit: identity.unit,
        fees: config.fees,
        patience: config.patience,
        max_gas_cost_per_day: config.max_gas_cost_per_day,
        batch: config.batch,
        lane: config.lane,
        transaction_gas: config.gas.transaction,
        sends,
        poll_ms: config.chain.poll_interval_ms,
        retry_ms: config.chain.poll_interval_ms.max(500),
    }
}

fn store_failure(error: StoreError) -> Failure {
    Failure::of(ExitStatus::Store, error)
}

/// Nothing more is sent: what was decided and not stored is decided again after a start.
pub(super) fn engine_failure(error: EngineError<StoreError>) -> Failure {
    match error {
        EngineError::Store(error) => store_failure(error),
        EngineError::NotOpened | EngineError::Opened => Failure::of(ExitStatus::Store, error),
        EngineError::Journal(_) => Failure::of(ExitStatus::Failed, error),
    }
}
