//! `keeper run`: the daemon.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tidelock_core::{
    engine::{self, Engine, EngineError, Status},
    event::Mode,
    port::Monotonic,
    settings::Settings,
};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};
use tracing::{info, warn};

use super::{
    Context,
    online::{connect, expected},
    rotation::{self, Key},
    words,
};
use crate::{
    chain::{Identity, Nodes},
    config::Config,
    daemon::{self, Ended, World},
    exit::{ExitStatus, Failure, Outcome},
    heartbeat::Heartbeat,
    opening,
    signer::{Guarded, Signer},
    store::{self, SqliteStore, StoreError, WriterLock},
};

/// What `keeper run` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Send nothing, and say what would be sent
    #[arg(long)]
    pub observe: bool,
    /// First block to read the vault's past from, when there is no log yet; not after the one that created the vault
    #[arg(long, default_value_t = 0)]
    pub from_block: u64,
    /// No keeper has worked for this vault before: when there is no log yet, start at once instead of waiting until whatever
    /// one may have signed has expired. Not for service files
    #[arg(long)]
    pub first_keeper: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let runtime = Runtime::new().map_err(|error| Failure::of(ExitStatus::Failed, error))?;
    let mut key = rotation::first(&config, &runtime)?;
    // Before signals are caught: whoever is asked for a password can still interrupt.
    let mut opened = key.open(&runtime, &AtomicBool::new(false))?;
    let stop = stop_on_signal(&runtime)?;
    while let Some(signer) = opened {
        opened = match serve(args, &config, &runtime, &stop, (key, signer))? {
            Some(next) => {
                key = next;
                key.open(&runtime, &stop)?
            }
            None => None,
        };
    }
    runtime.shutdown_background();
    info!("keeper stopped");
    Ok(ExitStatus::Done)
}

/// Runs with one key until the keeper is told to stop, or the next one takes over.
fn serve<'a>(
    args: &Args,
    config: &'a Config,
    runtime: &Runtime,
    stop: &AtomicBool,
    (key, signer): (Key<'a>, Guarded),
) -> Result<Option<Key<'a>>, Failure> {
    let nodes = connect(config, signer.address())?;
    let identity = runtime.block_on(nodes.identify(expected(config, !args.observe)))?;
    for warning in &identity.warnings {
        warn!("{warning}");
    }
    let path = &config.store.path;
    let lock = lock(path)?;
    if !path.exists() {
        open_log(args, config, &nodes, &identity, runtime)?;
    }
    let store = SqliteStore::open_locked(path, lock).map_err(store_failure)?;
    same_log(config, &identity, &store)?;
    let settings = settings(config, &identity, !args.observe);
    let mut engine =
        Engine::start(store, settings, Monotonic::default()).map_err(engine_failure)?;
    let keeper = engine.state().opening().keeper;
    key.must_be(keeper, signer.address())?;
    let world = World {
        chain: nodes.chain(),
        signer: Arc::new(signer),
        tasks: runtime.handle().clone(),
    };
    info!(vault = %config.vault.address, %keeper, observe = args.observe, "keeper runs");
    let mut watch = Watch {
        store: path.clone(),
        observes: args.observe,
        last: None,
        heartbeat_failure: None,
    };
    let retire = rotation::watch(config, &key, args.observe, &identity, runtime)?;
    let report = |status: &Status| watch.report(status);
    let ended = daemon::run_while_key_serves(&mut engine, &world, (stop, &retire), report);
    let ended = ended.map_err(engine_failure)?;
    let mut store = engine.into_store();
    let next = match ended {
        Ended::Stopped => None,
        Ended::Drained => Some(rotation::change(config, &mut store, runtime, stop)?),
    };
    store.close().map_err(store_failure)?;
    Ok(next.flatten())
}

/// Rule 14. The log is made in a folder of its own and moved into place when it is whole.
fn open_log(
    args: &Args,
    config: &Config,
    nodes: &Nodes,
    identity: &Identity,
    runtime: &Runtime,
) -> Result<(), Failure> {
    let path = &config.store.path;
    no_remains(path)?;
    info!(store = %path.display(), "no log yet: reading the vault's past");
    let to = identity.finalised.number;
    let past = runtime
        .block_on(opening::read_past(
            (nodes.first(), nodes.second()),
            identity,
            args.from_block,
            (config.batch.attempt_ttl_s, args.first_keeper),
            |block| info!(block, to, "read"),
        ))
        .map_err(|error| Failure::of(ExitStatus::Chain, error))?;
    let folder = Folder::new(path)?;
    let store_identity = store::Identity {
        domain: past.opening.domain,
        token: config.vault.token,
        decimals: identity.decimals,
    };
    let mut store =
        SqliteStore::create(&folder.database(path), store_identity).map_err(store_failure)?;
    engine::open(&mut store, past.opening, past.events).map_err(engine_failure)?;
    store.close().map_err(store_failure)?;
    folder.into_place(path)?;
    info!(
        paid = past.paid,
        waiting = past.waiting,
        from = past.opening.start.number,
        "log opened"
    );
    if let Some((until, suspicion)) = past.wait {
        let until = until.seconds();
        if args.first_keeper {
            warn!("--first-keeper is not followed");
        }
        warn!("nothing is sent before a block of chain time {until} is final: {suspicion}");
    }
    Ok(())
}

/// SQLite would read what another database left behind as part of the new one.
fn no_remains(path: &Path) -> Result<(), Failure> {
    for ending in ["-wal", "-shm", "-journal"] {
        let remains = ended(path, ending);
        if remains.exists() {
            return Err(Failure::new(
                ExitStatus::Store,
                format!(
                    "store.path {}: the database is gone, and {} of it is still there; move both together",
                    path.display(),
                    remains.display()
                ),
            ));
        }
    }
    Ok(())
}

/// Taken before a log is looked for: of two keepers that start at once, one opens it, and the other is refused.
fn lock(path: &Path) -> Result<WriterLock, Failure> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|error| file_failure(folder, error))?;
    }
    WriterLock::take(path).map_err(store_failure)
}

/// Where a log is made.
struct Folder(PathBuf);

impl Folder {
    fn new(path: &Path) -> Result<Self, Failure> {
        let mut name = path.as_os_str().to_owned();
        name.push(".opening");
        let folder = PathBuf::from(name);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file_failure(&folder, error));
            }
            _ => {}
        }
        std::fs::create_dir_all(&folder).map_err(|error| file_failure(&folder, error))?;
        Ok(Self(folder))
    }

    fn database(&self, path: &Path) -> PathBuf {
        self.0.join(path.file_name().unwrap_or_default())
    }

    /// The database last: a log exists once its file does.
    fn into_place(self, path: &Path) -> Result<(), Failure> {
        let made = self.database(path);
        for ending in [".high-water", ""] {
            let (from, to) = (ended(&made, ending), ended(path, ending));
            std::fs::rename(&from, &to).map_err(|error| file_failure(&to, error))?;
        }
        std::fs::remove_dir_all(&self.0).map_err(|error| file_failure(&self.0, error))
    }
}

fn ended(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn file_failure(path: &Path, error: std::io::Error) -> Failure {
    Failure::of(ExitStatus::Store, error).while_doing(format!("store.path {}", path.display()))
}

/// Rule 15: the log is of the vault and token that the configuration names.
fn same_log(config: &Config, identity: &Identity, store: &SqliteStore) -> Result<(), Failure> {
    let found = store.identity();
    let pairs = [
        (
            "vault.address",
            config.vault.address.to_string(),
            found.domain.vault.to_string(),
        ),
        (
            "chain.chain_id",
            config.chain.chain_id.0.to_string(),
            found.domain.chain_id.0.to_string(),
        ),
        (
            "vault.token",
            config.vault.token.to_string(),
            found.token.to_string(),
        ),
        (
            "decimals",
            identity.decimals.to_string(),
            found.decimals.to_string(),
        ),
    ];
    for (field, configured, stored) in pairs {
        if configured != stored {
            return Err(Failure::new(
                ExitStatus::Usage,
                format!("{field} {configured}: the log in store.path was opened for {stored}"),
            ));
        }
    }
    Ok(())
}

fn settings(config: &Config, identity: &Identity, sends: bool) -> Settings {
    Settings {
        token: config.vault.token,
        unit: identity.unit,
        fees: config.fees,
        batch: config.batch,
        lane: config.lane,
        max_transaction_gas: config.gas.max_transaction_gas,
        sends,
        poll_ms: config.chain.poll_interval_ms,
        retry_ms: config.chain.poll_interval_ms.max(500),
    }
}

/// SIGTERM and SIGINT end the loop between two commits.
fn stop_on_signal(runtime: &Runtime) -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let _guard = runtime.enter();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind).map_err(|error| Failure::of(ExitStatus::Failed, error))?;
        let stop = Arc::clone(&stop);
        runtime.spawn(async move {
            signals.recv().await;
            stop.store(true, Ordering::Relaxed);
        });
    }
    Ok(stop)
}

/// Says what has changed, and says it once; and leaves a sign of life for `keeper status`.
struct Watch {
    store: PathBuf,
    observes: bool,
    last: Option<Status>,
    /// Why the last sign of life could not be left.
    heartbeat_failure: Option<String>,
}

impl Watch {
    fn report(&mut self, status: &Status) {
        let last = self.last.as_ref();
        if last.is_none_or(|last| last.mode != status.mode) {
            match &status.mode {
                Mode::Armed => info!("armed"),
                Mode::Halted { reason } => {
                    warn!(reason = words::halt(reason), "halted: nothing is sent")
                }
            }
        }
        if last.is_none_or(|last| last.alerts != status.alerts) {
            status.alerts.iter().for_each(|alert| warn!("{alert}"));
        }
        if last.is_none_or(|last| last.waits != status.waits) && !status.waits.is_empty() {
            info!(waits = ?status.waits, "waiting");
        }
        if let Some(failure) = &status.failure
            && last.is_none_or(|last| last.failure.as_ref() != Some(failure))
        {
            warn!(failure, "no usable answer");
        }
        if last.is_none_or(|last| last.payments != status.payments) {
            info!(tip = status.tip.number, finalised = status.finalised.number,
                unincluded = status.unincluded, payments = ?status.payments, "progress");
        }
        self.beat(status);
        self.last = Some(status.clone());
    }

    fn beat(&mut self, status: &Status) {
        let written = Heartbeat::of(status, self.observes).write(&self.store);
        let failure = written.err().map(|error| error.to_string());
        if let Some(error) = &failure
            && self.heartbeat_failure != failure
        {
            warn!(error, "no heartbeat written");
        }
        self.heartbeat_failure = failure;
    }
}

pub(super) fn store_failure(error: StoreError) -> Failure {
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
