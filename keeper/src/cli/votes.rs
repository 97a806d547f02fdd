//! `keeper votes`: votes that signers gave off chain and the API has collected. They are held to the vault, and brought to it from a person's own
//! account: anybody may bring them, and whoever does pays for the gas. The keeper's key brings none (ADR 0081).

mod found;

use alloy::primitives::Bytes;
use serde_json::{Value, json};
use tidelock_core::domain::{BatchId, VaultDomain};

use self::found::{Found, Polled};
use super::{
    Context,
    direct::{Desk, SendArgs},
    online::{batch_id, block_on},
    print,
};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
};

/// What `keeper votes` does.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the votes that were collected, what each is worth to the vault now, and the calls that bring them
    List(ListArgs),
    /// Bring those that the vault would take, from your own account
    Bring(BringArgs),
}

/// What `keeper votes list` takes.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Of one batch or policy change; of all that wait, without it
    pub id: Option<String>,
}

/// What `keeper votes bring` takes.
#[derive(Debug, clap::Args)]
pub(super) struct BringArgs {
    /// For one batch or policy change; for all that wait, without it
    pub id: Option<String>,
    /// Try it on the node, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub send: SendArgs,
}

pub(super) fn run(command: &Command, context: &Context) -> Outcome {
    let config = context.load()?;
    match command {
        Command::List(args) => list(args, context, &config),
        Command::Bring(args) => bring(args, context, &config),
    }
}

fn wanted(id: Option<&String>) -> Result<Option<BatchId>, Failure> {
    id.map(|text| batch_id(text)).transpose()
}

fn list(args: &ListArgs, context: &Context, config: &Config) -> Outcome {
    let id = wanted(args.id.as_ref())?;
    let found = Found::look(config, id)?;
    let domain = found.domain;
    if context.json {
        let each = found.each.iter().map(|polled| polled.told(&domain));
        let told = json!({
            "vault": domain.vault.to_string(), "block": found.block, "signer_epoch": found.epoch,
            "proposals": each.collect::<Vec<Value>>(), "votes_for_nothing_that_waits": found.others,
        });
        print(told.to_string())?;
        return Ok(ExitStatus::Done);
    }
    for polled in &found.each {
        print(polled.lines(&domain))?;
    }
    print(found.end())?;
    Ok(ExitStatus::Done)
}

fn bring(args: &BringArgs, context: &Context, config: &Config) -> Outcome {
    let id = wanted(args.id.as_ref())?;
    let found = Found::look(config, id)?;
    let ready: Vec<(&Polled, Bytes)> = found
        .each
        .iter()
        .filter_map(|polled| Some((polled, polled.call()?)))
        .collect();
    if ready.is_empty() {
        let what = id.map_or_else(|| "nothing that waits".to_owned(), |id| id.to_string());
        let words =
            format!("{what}: no vote that was collected for it can be brought; nothing was sent");
        return Err(Failure::new(ExitStatus::Refused, words));
    }
    let domain = found.domain;
    block_on(async {
        let desk = Desk::open(&args.send, config.clone()).await?;
        let (mut told, mut ended) = (Vec::new(), Ok(ExitStatus::Done));
        for (polled, data) in ready {
            if !context.json {
                print(polled.lines(&domain))?;
            }
            match one(&desk, args, context, polled, data).await {
                Ok(brought) => told.push(brought),
                Err(failure) if failure.status == ExitStatus::Refused => {
                    let why = failure.message();
                    if !context.json {
                        print(format!("{}: not brought: {why}", polled.id))?;
                    }
                    told.push(json!({"id": polled.id, "sent": false, "refused": why}));
                    ended = Ok(ExitStatus::Refused);
                }
                // Of the others it would be no different.
                Err(failure) => {
                    ended = Err(failure);
                    break;
                }
            }
        }
        if context.json && !told.is_empty() {
            print(Value::from(told).to_string())?;
        }
        ended
    })
}

/// One transaction, for one batch or change: what the vault refuses of one keeps no other back.
async fn one(
    desk: &Desk,
    args: &BringArgs,
    context: &Context,
    polled: &Polled,
    data: Bytes,
) -> Result<Value, Failure> {
    let id = polled.id;
    let count = polled.to_bring().count();
    if args.dry_run {
        let gas = desk.rehearse(&data).await?;
        if !context.json {
            print(format!(
                "the vault would take {count} votes for {id}, for {gas} gas; nothing was sent"
            ))?;
        }
        return Ok(json!({"id": id, "brings": count, "gas": gas, "sent": false}));
    }
    desk.confirm(&format!("Bring {count} votes for {id}?"))?;
    let sent = desk.send(data).await?;
    let said = desk.standing(id).await?;
    if !context.json {
        print(format!(
            "brought {count} votes for {id}\nvotes      {} of {}\ntransaction {} in block {}",
            said.votes, said.required, sent.hash, sent.mined.block
        ))?;
    }
    Ok(json!({
        "id": id, "brings": count, "sent": true, "transaction": sent.hash, "block": sent.mined.block,
        "votes": said.votes, "required": said.required, "earliest": said.earliest.to::<u64>(),
    }))
}

/// As `cast send` takes it.
fn as_cast(domain: &VaultDomain, data: &Bytes) -> String {
    format!("cast send {} {data}", domain.vault)
}
