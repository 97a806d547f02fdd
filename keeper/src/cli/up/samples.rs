//! Requests to look at, and what becomes of them.

use std::{thread, time::Duration};

use alloy::primitives::Address;
use rand::Rng;
use tidelock_core::{
    domain::{Amount, Payment, PaymentRef},
    lifecycle::PaymentStatus,
};
use tokio::runtime::Handle;

use super::{
    super::{offline, print, run::Stop},
    served::Served,
};
use crate::{
    config::Config,
    exit::Failure,
    store::{Location, Reader},
};

/// Is on the token's list: what is paid there freezes.
pub(super) const FROZEN: Address = Address::repeat_byte(0xf0);
/// Small payments.
const SMALL: u8 = 10;
/// One token. [base units]
const USDT: u128 = 1_000_000;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);

/// Small ones, one that wants approvals, one that must not be paid.
fn payments() -> Vec<Payment> {
    let mut random = rand::rng();
    let small = (1..=SMALL).map(|byte| {
        let tokens = u128::from(byte).saturating_mul(12).saturating_mul(USDT);
        (Address::repeat_byte(byte), tokens)
    });
    let large = (Address::repeat_byte(0xa0), USDT.saturating_mul(5_000));
    let frozen = (FROZEN, USDT.saturating_mul(25));
    let all = small.chain([large, frozen]);
    let all = all.filter_map(|(to, amount)| {
        Payment::new(to, Amount(amount), PaymentRef(random.random())).ok()
    });
    all.collect()
}

/// Once there is a log: serves the API, files the requests, and says what becomes of them until it is asked to end. Answers what still serves.
pub(super) fn follow(
    config: &Config,
    stop: &Stop,
    tasks: &Handle,
) -> Result<Option<Served>, Failure> {
    let mut served = None;
    let told = tell(config, stop, tasks, &mut served);
    if let Err(failure) = &told
        && !stop.is_asked()
    {
        print(format!("trouble   {}", failure.message()))?;
    }
    Ok(served)
}

fn tell(
    config: &Config,
    stop: &Stop,
    tasks: &Handle,
    served: &mut Option<Served>,
) -> Result<(), Failure> {
    let store: &Location = &config.store;
    let until = |is_so: &mut dyn FnMut() -> Result<bool, Failure>| {
        while !stop.is_asked() {
            if is_so()? {
                return Ok(true);
            }
            thread::sleep(PAUSE);
        }
        Ok::<_, Failure>(false)
    };
    if !until(&mut || Ok(store.is_opened()? && Reader::is_written(store)))? {
        return Ok(());
    }
    let served = served.insert(Served::start(config, tasks)?);
    print(served.words(config))?;
    let mut desk = offline::desk(config)?;
    let payments = payments();
    desk.file(&payments)?;
    desk.close()?;
    print(format!(
        "requests  {} filed: {SMALL} small ones, one of 5000 that wants approvals, one whose recipient the token would freeze",
        payments.len()
    ))?;
    let mut reader = Reader::open(store)?;
    let mut count = |status| {
        let overview = reader.overview()?;
        Ok::<_, Failure>(overview.counts.get(&status).copied().unwrap_or_default())
    };
    if until(&mut || Ok(count(PaymentStatus::Paid)? >= u64::from(SMALL)))? {
        print(format!(
            "paid      the {SMALL} small ones, by a final block"
        ))?;
    }
    if until(&mut || Ok(count(PaymentStatus::Held)? > 0))? {
        print("held      the one whose recipient the token would freeze")?;
    }
    let mut proposed = None;
    let mut find = || {
        proposed = batch_of_the_large_one(&mut reader)?;
        Ok(proposed.is_some())
    };
    if until(&mut find)? {
        print(what_to_try(
            config,
            proposed.as_deref().unwrap_or_default(),
            served,
        ))?;
    }
    Ok(())
}

/// The batch that the large one is proposed in.
fn batch_of_the_large_one(reader: &mut Reader) -> Result<Option<String>, Failure> {
    let mut batch = None;
    reader.payments::<Failure>(false, |view| {
        if view.row.status == PaymentStatus::Sealed {
            batch = view.row.batch.map(|id| id.to_string());
        }
        Ok(batch.is_none())
    })?;
    Ok(batch)
}

fn what_to_try(config: &Config, batch: &str, served: &Served) -> String {
    let folder = config
        .store
        .path
        .parent()
        .map(|path| path.display().to_string());
    let folder = folder.unwrap_or_default();
    let by_curl = served.by_curl(&folder);
    format!(
        "\nIn another terminal:\n\
         \x20 export KEEPER_CONFIG={folder}/keeper.toml\n\
         \x20 keeper status --watch\n\
         \x20 keeper request 0x00000000000000000000000000000000000000b0 12.5\n\
         {by_curl}\
         \x20 for n in 1 2; do keeper approve {batch} --keystore {folder}/signer-$n.json --password-file {folder}/password --yes; done\n\
         \x20 keeper freeze --keystore {folder}/guardian.json --password-file {folder}/password --yes\n\
         In a browser: a wallet that takes keystore files takes signer-1.json, signer-2.json and guardian.json of that folder, with the password in {folder}/password.\n\
         Two approvals and a minute later the large one is paid. Ctrl-C ends it all."
    )
}
