//! The log of `keeper run`: one keeper's at a time, made from the vault's past where there is none, and held to the
//! configuration.

use std::path::{Path, PathBuf};

use tidelock_core::{domain::VaultDomain, engine};
use tokio::runtime::Runtime;
use tracing::{info, warn};

use super::{
    Args, engine_failure, expected,
    patience::{self, PastError, Patience},
    signs::Signs,
    stop::Stop,
    store_failure, watch,
};
use crate::{
    calendar::both,
    chain::{Identity, Nodes},
    config::Config,
    exit::{ExitStatus, Failure},
    opening::{Past, Reading},
    store::{self, LogStore, Right, WriterLock, beside},
};

/// What the store is made for.
pub(super) fn identity(config: &Config, identity: &Identity) -> store::Identity {
    store::Identity {
        domain: VaultDomain {
            chain_id: config.chain.chain_id,
            vault: config.vault.address,
        },
        token: config.vault.token,
        decimals: identity.decimals,
    }
}

/// The log to write; rule 14 if there is none yet.
pub(super) fn open(
    args: &Args,
    config: &Config,
    nodes: &Nodes,
    right: Right,
    (runtime, stop, patience, signs): (&Runtime, &Stop, &Patience<'_>, &Signs),
) -> Result<LogStore, Failure> {
    let location = &config.store;
    let go_on = watch::while_held(&location.path, stop, signs);
    let is_opened = location.is_opened().map_err(store_failure)?;
    if !is_opened && location.server.is_none() {
        make_file(args, config, nodes, (runtime, patience))?;
    }
    let mut store = LogStore::open_with(location, right, go_on).map_err(store_failure)?;
    if !is_opened && location.server.is_some() {
        let (past, _) = read_past(args, config, nodes, (runtime, patience))?;
        engine::open(&mut store, past.opening, past.events.clone()).map_err(engine_failure)?;
        announce(args, &past);
    }
    Ok(store)
}

/// The log is made in a folder of its own and moved into place when it is whole.
fn make_file(
    args: &Args,
    config: &Config,
    nodes: &Nodes,
    with: (&Runtime, &Patience<'_>),
) -> Result<(), Failure> {
    let path = &config.store.path;
    no_remains(path)?;
    let (past, identity) = read_past(args, config, nodes, with)?;
    let folder = Folder::new(path)?;
    let mut store = LogStore::create(&folder.database(path), identity).map_err(store_failure)?;
    engine::open(&mut store, past.opening, past.events.clone()).map_err(engine_failure)?;
    store.close().map_err(store_failure)?;
    folder.into_place(path)?;
    announce(args, &past);
    Ok(())
}

fn read_past(
    args: &Args,
    config: &Config,
    nodes: &Nodes,
    (runtime, patience): (&Runtime, &Patience<'_>),
) -> Result<(Past, store::Identity), Failure> {
    info!(store = %config.store, "no log yet: reading the vault's past");
    let expected = expected(config, !args.observe);
    // What is final changes while it is waited for; what was read is kept.
    let mut reading = Reading::new(args.from_block);
    let read = async || {
        let identity = nodes.identify(expected).await?;
        let to = identity.finalised.number;
        let past = reading.read(
            (nodes.first(), nodes.second()),
            &identity,
            (config.batch.attempt_ttl_s, args.first_keeper),
            |block| info!(block, to, "read"),
        );
        Ok::<_, PastError>((past.await?, self::identity(config, &identity)))
    };
    let read = patience.until("the vault's past", read, patience::of_past);
    Ok(runtime.block_on(read)??)
}

fn announce(args: &Args, past: &Past) {
    info!(
        paid = past.paid,
        waiting = past.waiting,
        from = past.opening.start.number,
        "log opened"
    );
    if let Some((until, suspicion)) = &past.wait {
        let until = both(until.seconds());
        if args.first_keeper {
            warn!("--first-keeper is not followed");
        }
        warn!(
            "nothing is sent before a block of chain time {until} is final, nor before `keeper resume`: {suspicion}"
        );
    }
}

/// SQLite would read what another database left behind as part of the new one.
fn no_remains(path: &Path) -> Result<(), Failure> {
    for ending in ["-wal", "-shm", "-journal"] {
        let remains = beside(path, ending);
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

/// One keeper of this host.
pub(super) fn lock(path: &Path) -> Result<WriterLock, Failure> {
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
            let (from, to) = (beside(&made, ending), beside(path, ending));
            std::fs::rename(&from, &to).map_err(|error| file_failure(&to, error))?;
        }
        std::fs::remove_dir_all(&self.0).map_err(|error| file_failure(&self.0, error))
    }
}

fn file_failure(path: &Path, error: std::io::Error) -> Failure {
    Failure::of(ExitStatus::Store, error).while_doing(format!("store.path {}", path.display()))
}

/// Rule 15: the log is of the vault and token that the configuration names.
pub(super) fn must_be_of(
    config: &Config,
    identity: &Identity,
    store: &LogStore,
) -> Result<(), Failure> {
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
                format!("{field} {configured}: the log in the store was opened for {stored}"),
            ));
        }
    }
    Ok(())
}
