//! `keeper publish`: tells others what the log says, in a process of its own beside the keeper's. Needs the store, and the secrets of
//! receivers; it reads no key that signs transactions, and asks no node.

use serde_json::json;
use tidelock_api::source_of;
use tidelock_core::domain::VaultDomain;
use tidelock_publish::{Board, Ping, PublishError, Secret, Sender, Sent, Settings};
use tokio::{runtime::Runtime, sync::watch};
use tracing::info;

use super::{Context, offline, print, run::Stop};
use crate::{
    calendar::utc,
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    operations::{Service, serve_published},
    store::{Candidate, Dead, Outbox, SinkView},
    tls,
};

/// Dead letters that are listed at once.
const LISTED: u32 = 1_000;

/// What `keeper publish` takes.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What can be done beside a running publisher.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show how far each receiver has come
    Status,
    /// Show what was given up, at most 1,000
    Dead {
        /// Of this receiver only
        #[arg(long)]
        sink: Option<String>,
    },
    /// Have what was given up sent again
    Replay {
        /// The receiver
        sink: String,
        /// The entry of the log; all of them, if it is left out
        #[arg(long)]
        seq: Option<u64>,
    },
    /// Send an event that is in no log, to see whether a receiver takes it
    Ping {
        /// The receiver
        sink: String,
    },
    /// Make a secret for a webhook, and show it: for a file on this side, and for the receiver
    Secret,
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Store(cause) => cause.into(),
            PublishError::OtherLog { .. }
            | PublishError::Forgotten { .. }
            | PublishError::Elsewhere { .. } => Self::of(ExitStatus::Store, error),
            _ => Self::of(ExitStatus::Usage, error),
        }
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    match &args.command {
        None => publish(&context.load()?),
        Some(Command::Status) => status(context),
        Some(Command::Dead { sink }) => dead(sink.as_deref(), context),
        Some(Command::Replay { sink, seq }) => replay(sink, *seq, context),
        Some(Command::Ping { sink }) => ping(sink, context),
        Some(Command::Secret) => {
            print(Secret::make())?;
            Ok(ExitStatus::Done)
        }
    }
}

fn settings(config: &Config) -> Settings {
    let publish = &config.publish;
    Settings {
        store: config.store.clone(),
        source: source_of(&VaultDomain {
            chain_id: config.chain.chain_id,
            vault: config.vault.address,
        }),
        holder: Candidate::this_process().name,
        lease: publish.lease,
        private_hosts: publish.private_hosts.clone(),
        webhooks: publish.webhooks.clone(),
        exchanges: publish.exchanges.clone(),
        topics: publish.topics.clone(),
        client: tls::client,
    }
}

fn publish(config: &Config) -> Outcome {
    offline::reader(config)?.close()?;
    let settings = settings(config);
    if settings.is_empty() {
        let rule = "[[publish.webhook]], [[publish.rabbitmq]], [[publish.kafka]]: none is configured, so there is nobody to tell";
        return Err(Failure::new(ExitStatus::Usage, rule));
    }
    let runtime = Runtime::new().map_err(|error| Failure::of(ExitStatus::Failed, error))?;
    let stop = Stop::on_signal(&runtime)?;
    let published: Outcome = runtime.block_on(async {
        let board = Board::default();
        let _serving = match config.publish.listen {
            None => None,
            Some(address) => {
                let serving = serve_published(address, board.clone()).await;
                let serving = serving.map_err(|error| {
                    let field = format!("publish.listen = {address}");
                    Failure::of(ExitStatus::Usage, error).while_doing(field)
                })?;
                info!(address = %serving.address, "figures are served");
                Some(serving)
            }
        };
        let (ask, asked) = watch::channel(false);
        let work = tidelock_publish::run(&settings, board, asked);
        let mut work = std::pin::pin!(work);
        Service.turns("publishes");
        if let Ok(ended) = stop.or(work.as_mut()).await {
            ended?;
        } else {
            // Nobody may be listening any more.
            let _ = ask.send(true);
            work.await?;
        }
        info!("publishing has ended");
        Ok(ExitStatus::Done)
    });
    // What did not end in time ends with the process.
    runtime.shutdown_background();
    published
}

/// What publishers keep; none if there never was one.
fn outbox(context: &Context) -> Result<Option<Outbox>, Failure> {
    let config = context.load()?;
    offline::reader(&config)?.close()?;
    Ok(Outbox::beside(&config.store)?)
}

fn status(context: &Context) -> Outcome {
    let sinks = match outbox(context)? {
        None => Vec::new(),
        Some(mut outbox) => outbox.sinks()?,
    };
    print(if context.json {
        serde_json::Value::from_iter(sinks.iter().map(as_json)).to_string()
    } else if sinks.is_empty() {
        "nothing was published yet".to_owned()
    } else {
        let lines: Vec<String> = sinks.iter().map(line).collect();
        lines.join("\n")
    })?;
    Ok(ExitStatus::Done)
}

fn as_json(sink: &SinkView) -> serde_json::Value {
    json!({
        "sink": sink.name,
        "seq": sink.seq,
        "publisher": sink.holder,
        "retrying": sink.waiting,
        "dead": sink.dead,
    })
}

fn line(sink: &SinkView) -> String {
    format!(
        "{}: told up to entry {} by {}; {} tried again, {} given up",
        sink.name, sink.seq, sink.holder, sink.waiting, sink.dead
    )
}

fn dead(sink: Option<&str>, context: &Context) -> Outcome {
    let dead = match outbox(context)? {
        None => Vec::new(),
        Some(mut outbox) => outbox.dead(sink, LISTED)?,
    };
    print(if context.json {
        serde_json::Value::from_iter(dead.iter().map(dead_json)).to_string()
    } else if dead.is_empty() {
        "nothing was given up".to_owned()
    } else {
        let lines: Vec<String> = dead.iter().map(dead_line).collect();
        lines.join("\n")
    })?;
    Ok(ExitStatus::Done)
}

/// [seconds since 1970]
fn given_up_at(dead: &Dead) -> u64 {
    dead.delivery.dead.unwrap_or(0) / 1_000
}

fn dead_json(dead: &Dead) -> serde_json::Value {
    json!({
        "sink": dead.sink,
        "seq": dead.delivery.seq,
        "tries": dead.delivery.tries,
        "why": dead.delivery.why,
        "given_up_at": given_up_at(dead),
    })
}

fn dead_line(dead: &Dead) -> String {
    let delivery = &dead.delivery;
    format!(
        "{}: entry {}, given up {} after {} tries: {}",
        dead.sink,
        delivery.seq,
        utc(given_up_at(dead)),
        delivery.tries,
        delivery.why
    )
}

fn replay(sink: &str, seq: Option<u64>, context: &Context) -> Outcome {
    let count = match outbox(context)? {
        None => 0,
        Some(mut outbox) => outbox.replay(sink, seq)?,
    };
    if count == 0 {
        let of = seq.map_or_else(|| "nothing".to_owned(), |seq| format!("no entry {seq}"));
        let why = format!("{sink}: {of} of it was given up; `keeper publish dead` lists what was");
        return Err(Failure::new(ExitStatus::Refused, why));
    }
    print(if context.json {
        json!({ "sink": sink, "replayed": count }).to_string()
    } else {
        format!("{sink}: {count} will be sent again, by the publisher that runs or the next one")
    })?;
    Ok(ExitStatus::Done)
}

fn ping(name: &str, context: &Context) -> Outcome {
    let config = context.load()?;
    let settings = settings(&config);
    let ping = Ping::of(&settings.source);
    let runtime = Runtime::new().map_err(|error| Failure::of(ExitStatus::Failed, error))?;
    let (place, taken) = sent(name, &settings, &ping, &runtime)?;
    if let Err(why) = taken {
        let why = format!("{name}: not taken by {place}: {why}");
        return Err(Failure::new(ExitStatus::Failed, why));
    }
    print(if context.json {
        json!({ "sink": name, "taken": true }).to_string()
    } else {
        format!("{name}: taken by {place}")
    })?;
    Ok(ExitStatus::Done)
}

/// Where it went, and whether it was taken.
fn sent(
    name: &str,
    settings: &Settings,
    ping: &Ping,
    runtime: &Runtime,
) -> Result<(String, Result<(), String>), Failure> {
    let taken = |sent| match sent {
        Sent::Taken => Ok(()),
        Sent::Refused { why, .. } => Err(why),
    };
    if let Some(webhook) = settings.webhooks.iter().find(|one| one.name == name) {
        let hosts = settings.private_hosts.clone();
        let sender = Sender::new(webhook.clone(), hosts, tls::client());
        let sender = sender.map_err(|why| Failure::new(ExitStatus::Usage, why))?;
        return Ok((webhook.place(), taken(runtime.block_on(sender.ping(ping)))));
    }
    #[cfg(feature = "rabbitmq")]
    if let Some(exchange) = settings.exchanges.iter().find(|one| one.name == name) {
        let sender = tidelock_publish::ExchangeSender::new(exchange.clone());
        let sender = sender.map_err(|why| Failure::new(ExitStatus::Usage, why))?;
        return Ok((exchange.place(), taken(runtime.block_on(sender.ping(ping)))));
    }
    #[cfg(feature = "kafka")]
    if let Some(topic) = settings.topics.iter().find(|one| one.name == name) {
        return Ok((
            topic.place(),
            tidelock_publish::ping_topic(topic, &ping.event),
        ));
    }
    let rule = format!(
        "{name}: no such [[publish.webhook]], [[publish.rabbitmq]] or [[publish.kafka]] is configured"
    );
    Err(Failure::new(ExitStatus::Usage, rule))
}
