//! The command line. One file a command; each says what it takes, and does it.

#[cfg(feature = "service")]
mod api_key;
mod approve;
mod backup;
mod canary;
mod check;
mod command;
mod compared;
#[cfg(feature = "service")]
mod consume;
mod deploy;
mod direct;
mod doctor;
mod explain;
mod fees;
mod freeze;
mod init;
mod key;
mod leader;
mod lists;
mod offline;
mod once;
mod online;
mod output;
mod propose;
#[cfg(feature = "service")]
mod publish;
mod quote;
mod reconcile;
mod request;
mod restore;
mod revoke;
mod run;
#[cfg(feature = "service")]
mod serve;
mod shown;
mod status;
mod up;
mod verify_log;
#[cfg(feature = "service")]
mod votes;
#[cfg(not(feature = "service"))]
mod without_service;
pub(crate) mod words;

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, error::ErrorKind};

use crate::{
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    telemetry::{self, LogFormat},
};

pub use output::print;
use output::print_by_and_by;
#[cfg(not(feature = "service"))]
pub(crate) use without_service::HOW;

/// Turns withdrawal requests and approved batches into finalised payments, each exactly once.
#[derive(Debug, Parser)]
#[command(name = "keeper", version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    context: Context,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, or a difference was found
  2  bad usage, or a configuration that is bad or not what chain or store have; nothing was done
  3  refused by a rule; nothing was done
  4  the chain cannot be reached, or does not answer as it must
  5  the store is damaged, changed by somebody, full, missing or in use

Every field of the configuration can be given as KEEPER_SECTION__FIELD, for example KEEPER_CHAIN__RPC_URL.
KEEPER_LOG says what is logged to standard error, for example KEEPER_LOG=info,tidelock_keeper=debug.";

/// What every command is given.
#[derive(Debug, Clone, clap::Args)]
pub struct Context {
    /// The configuration file
    #[arg(
        long,
        global = true,
        env = "KEEPER_CONFIG",
        default_value = "keeper.toml"
    )]
    pub config: PathBuf,
    /// The node to ask, instead of the file's; its URL may carry a password, so the environment may be the better place
    #[arg(
        long,
        global = true,
        env = "KEEPER_CHAIN__RPC_URL",
        hide_env_values = true
    )]
    pub rpc_url: Option<String>,
    /// Answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// How log lines look
    #[arg(
        long,
        global = true,
        value_enum,
        env = "KEEPER_LOG_FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

impl Context {
    /// Reads the configuration.
    pub fn load(&self) -> Result<Config, Failure> {
        let rpc_url = self.rpc_url.as_deref();
        Config::load(&self.config, rpc_url).map_err(|error| Failure::of(ExitStatus::Usage, error))
    }
}

/// What the keeper can be asked for.
#[derive(Debug, Subcommand)]
enum Command {
    /// Make a vault from a policy, and prove what was made
    Deploy(deploy::Args),
    /// Write a configuration
    Init(init::Args),
    /// Compare chain, vault, token and roles with the configuration
    Check(check::Args),
    /// Show which key sends, which one is next, and what a change waits for
    Key(key::Args),
    /// Run the daemon
    Run(run::Args),
    /// Serve the API, beside a running keeper
    #[cfg(feature = "service")]
    Serve(serve::Args),
    /// Tell others what the log says, by webhooks
    #[cfg(feature = "service")]
    Publish(publish::Args),
    /// Take requests in from queues of brokers
    #[cfg(feature = "service")]
    Consume(consume::Args),
    /// Make, list and end keys of the API
    #[cfg(feature = "service")]
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Not in this keeper: the API, webhooks and brokers
    #[cfg(not(feature = "service"))]
    #[command(name = "serve", visible_aliases = ["publish", "consume", "api-key", "votes"])]
    WithoutService(without_service::Args),
    /// Make and run all of it on a development chain, to look at
    Up(up::Args),
    /// Ask for one payment, or for those of a CSV file
    Request(request::Args),
    /// Say what a payment would cost and when it would arrive, and how good such quotes were
    Quote(quote::Args),
    /// Show fees, and what waiting for a cheap hour would have saved
    Fees(fees::Args),
    /// Show where everything stands
    Status(status::Args),
    /// Show where one payment stands, and why
    Explain(explain::Args),
    /// Hold a payment that is in no batch
    Hold(command::PaymentArgs),
    /// Let a held payment go on
    Release(command::PaymentArgs),
    /// Withdraw a payment that is in no batch, for good
    Cancel(command::PaymentArgs),
    /// Send nothing from now on
    Halt(command::WholeArgs),
    /// Send again
    Resume(command::WholeArgs),
    /// Propose payments that wait for approvals
    Propose(propose::Args),
    /// Approve a batch, as a signer
    Approve(approve::Args),
    /// Take an approval back, as a signer
    Revoke(revoke::Args),
    /// Votes that signers gave off chain and the API has collected: list them, or bring them to the vault
    #[command(subcommand)]
    #[cfg(feature = "service")]
    Votes(votes::Command),
    /// Stop everything that leaves the vault, as a guardian or a signer
    Freeze(freeze::Args),
    /// Compare the log with the chain
    Reconcile(reconcile::Args),
    /// Hold the log to its hashes, and the stored rows to the log
    VerifyLog(verify_log::Args),
    /// Copy the database while it is in use, and verify the copy
    Backup(backup::Args),
    /// File again what a backup holds and the log opened after it was lost does not; halts the keeper
    Restore(restore::Args),
    /// Follow the keeper that leads, and say whether this version decides as it does; sends nothing
    Canary(canary::Args),
    /// Look for what is wrong with this installation
    Doctor(doctor::Args),
}

impl Command {
    fn run(&self, context: &Context) -> Outcome {
        match self {
            Self::Deploy(args) => deploy::run(args, context),
            Self::Init(args) => init::run(args, context),
            Self::Request(args) => request::run(args, context),
            Self::Quote(args) => quote::run(args, context),
            Self::Fees(args) => fees::run(args, context),
            Self::Status(args) => status::run(args, context),
            Self::Explain(args) => explain::run(args, context),
            Self::Hold(args) => command::hold(args, context),
            Self::Release(args) => command::release(args, context),
            Self::Cancel(args) => command::cancel(args, context),
            Self::Halt(args) => command::halt(args, context),
            Self::Resume(args) => command::resume(args, context),
            Self::VerifyLog(args) => verify_log::run(args, context),
            Self::Check(args) => check::run(args, context),
            Self::Key(args) => key::run(args, context),
            Self::Run(args) => run::run(args, context),
            #[cfg(feature = "service")]
            Self::Serve(args) => serve::run(args, context),
            #[cfg(feature = "service")]
            Self::Publish(args) => publish::run(args, context),
            #[cfg(feature = "service")]
            Self::Consume(args) => consume::run(args, context),
            #[cfg(feature = "service")]
            Self::ApiKey(command) => api_key::run(command, context),
            #[cfg(not(feature = "service"))]
            Self::WithoutService(args) => without_service::run(args),
            Self::Up(args) => up::run(args, context),
            Self::Propose(args) => propose::run(args, context),
            Self::Approve(args) => approve::run(args, context),
            Self::Revoke(args) => revoke::run(args, context),
            #[cfg(feature = "service")]
            Self::Votes(command) => votes::run(command, context),
            Self::Freeze(args) => freeze::run(args, context),
            Self::Reconcile(args) => reconcile::run(args, context),
            Self::Backup(args) => backup::run(args, context),
            Self::Restore(args) => restore::run(args, context),
            Self::Canary(args) => canary::run(args, context),
            Self::Doctor(args) => doctor::run(args, context),
        }
    }
}

/// Does what the process's arguments say.
pub fn main() -> ExitCode {
    invoke(std::env::args_os()).into()
}

fn invoke(arguments: impl IntoIterator<Item = OsString>) -> ExitStatus {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Nowhere is left to report to if this cannot be printed.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitStatus::Done,
                _ => ExitStatus::Usage,
            };
        }
    };
    if let Err(error) = telemetry::start(cli.context.log_format) {
        return report(&Failure::of(ExitStatus::Usage, error), cli.context.json);
    }
    match cli.command.run(&cli.context) {
        Ok(status) => status,
        Err(failure) => report(&failure, cli.context.json),
    }
}

/// To standard error, as `{"error": …, "exit": …}` if JSON was asked for.
fn report(failure: &Failure, json: bool) -> ExitStatus {
    let message = failure.message();
    let line = if json {
        serde_json::json!({ "error": message, "exit": failure.status.code() }).to_string()
    } else {
        format!("error: {message}")
    };
    // Nowhere is left to report to if this fails.
    let _ = writeln!(std::io::stderr(), "{line}");
    failure.status
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        super::Cli::command().debug_assert();
    }
}
