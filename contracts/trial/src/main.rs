//! Runs trials without an end, or as many steps as are asked for.

use std::process::ExitCode;

use clap::Parser;
use tidelock_model::Rules;
use tidelock_trial::{chain::Fork, record, run::run};

/// The vault's bytecode beside the model, on random traces.
#[derive(Parser)]
struct Arguments {
    /// Steps to take on each fork.
    #[arg(long, default_value_t = 20_000)]
    steps: u64,
    /// Seed of the first world; each world takes the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this fork.
    #[arg(long, value_enum)]
    fork: Option<Fork>,
    /// Print traces for others to replay, and nothing else.
    #[arg(long)]
    record: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.record {
        print!("{}", record::traces());
        return ExitCode::SUCCESS;
    }
    for fork in Fork::ALL {
        if arguments.fork.is_some_and(|only| only != fork) {
            continue;
        }
        match run(fork, Rules::VAULT, arguments.seed, arguments.steps) {
            Ok(coverage) => {
                println!("{fork:?}: {} steps, no difference", arguments.steps);
                for (name, times) in coverage {
                    println!("  {times:>7} {name}");
                }
            }
            Err(divergence) => {
                println!("{fork:?}: {divergence}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
