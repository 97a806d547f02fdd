//! `keeper deploy`: makes a vault from a policy in human terms, and proves what was made. Each part can be repeated.

pub(super) mod adapter;
mod commands;
#[cfg(feature = "compiler")]
mod sources;

use std::path::PathBuf;

use tidelock_deploy::{DeployError, Release, policy::EXAMPLE};

use super::{Context, print};
use crate::exit::{ExitStatus, Failure, Outcome};

/// What `keeper deploy` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, clap::Subcommand)]
enum Part {
    /// Print a policy to start from
    Example,
    /// Check a policy and say what it means, where everything will be and what is sent; asks no node unless one is given
    Plan(PolicyArgs),
    /// Have the node run the creation, without sending anything
    Simulate(PolicyArgs),
    /// Make what is missing; can be interrupted and run again
    Apply(ApplyArgs),
    /// Prove that the chain has what the policy says, and write the record that `keeper init --deployment` takes
    Verify(VerifyArgs),
}

/// What is to be deployed.
#[derive(Debug, clap::Args)]
struct PolicyArgs {
    /// The policy (TOML); `keeper deploy example` prints one
    #[arg(long, default_value = "policy.toml")]
    policy: PathBuf,
    /// Compile the contracts of this checkout; they must come to the release that is built in
    #[cfg(feature = "compiler")]
    #[arg(long)]
    sources: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct ApplyArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// The keystore of an account that pays; it gets no rights in the vault by that
    #[arg(long, required_unless_present = "unsigned")]
    keystore: Option<PathBuf>,
    /// A file with its password; without it, `KEEPER_PASSWORD` or a prompt
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// Write the transactions that are missing to this file instead of sending them
    #[arg(long, conflicts_with = "keystore")]
    unsigned: Option<PathBuf>,
    /// Most that is paid for gas [gwei]
    #[arg(long, default_value = "100")]
    max_fee_gwei: String,
    /// How long to wait for one transaction [seconds]
    #[arg(long, default_value_t = 600)]
    wait: u64,
}

#[derive(Debug, clap::Args)]
struct VerifyArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Where to write the record
    #[arg(long, default_value = "deployment.json")]
    out: PathBuf,
    /// A second node, which must say the same
    #[arg(long, env = "KEEPER_CHAIN__SECOND_RPC_URL", hide_env_values = true)]
    second_rpc_url: Option<String>,
    /// Write the compiler's standard JSON input for block explorers into this directory; wants --sources
    #[cfg(feature = "compiler")]
    #[arg(long, requires = "sources")]
    standard_json: Option<PathBuf>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    match &args.part {
        Part::Example => {
            print(EXAMPLE.trim_end())?;
            Ok(ExitStatus::Done)
        }
        Part::Plan(args) => commands::plan(args, context),
        Part::Simulate(args) => commands::simulate(args, context),
        Part::Apply(args) => commands::apply(args, context),
        Part::Verify(args) => commands::verify(args, context),
    }
}

/// The release that is built in; if sources are given, they must come to it.
fn release(args: &PolicyArgs) -> Result<Release, DeployError> {
    let release = Release::embedded()?;
    #[cfg(feature = "compiler")]
    if let Some(root) = &args.sources {
        sources::check(root, &release)?;
    }
    #[cfg(not(feature = "compiler"))]
    let _ = args;
    Ok(release)
}

impl From<DeployError> for Failure {
    fn from(error: DeployError) -> Self {
        use DeployError as E;
        let status = match &error {
            E::Malformed(_)
            | E::Invalid(_)
            | E::Release(_)
            | E::Compiler(_)
            | E::WrongChain { .. }
            | E::NoToken(_)
            | E::NotAToken { .. }
            | E::TooLong { .. }
            | E::Decimals { .. } => ExitStatus::Usage,
            E::Refused(_) | E::Deployer(_) | E::Funds { .. } | E::Fee { .. } | E::Gas { .. } => {
                ExitStatus::Refused
            }
            E::Node(_) => ExitStatus::Chain,
            E::CodeDiffers { .. }
            | E::NotOurs { .. }
            | E::Simulation(_)
            | E::Missing { .. }
            | E::Failed { .. }
            | E::Waiting { .. }
            | E::Pending { .. }
            | E::Sign { .. }
            | E::Differs(_)
            | E::File { .. } => ExitStatus::Failed,
        };
        Self::of(status, error)
    }
}
