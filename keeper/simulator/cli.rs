//! The command line.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use crate::{
    coverage::Coverage,
    run::{Verdict, run},
    trace::Trace,
};

const USAGE: &str = "usage: simulator [--seeds A..B | --seed S] [--steps N] [--trace] [--record DIR] [--quiet] [--keep-going] [--any-coverage]
  --seeds A..B     seeds A to B (default 1..200)
  --seed S         one seed
  --steps N        steps with faults in each seed (default 1200)
  --trace          print everything that happens
  --record DIR     write the canonical chain of each seed to DIR/<seed>.json, as the model of the vault sees it
  --quiet          print only the result
  --keep-going     run all seeds, and say in one line what is wrong with each that fails
  --any-coverage   do not fail because a fault or a transition was never exercised
Ends with 0 if all is well, 1 if a seed fails or something was never exercised, 2 for a wrong call.";

struct Options {
    first: u64,
    last: u64,
    steps: u64,
    traced: bool,
    record_to: Option<PathBuf>,
    quiet: bool,
    keep_going: bool,
    any_coverage: bool,
}

/// Reads the command line and runs the seeds.
pub fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok(options) => run_all(&options),
        Err(problem) => {
            eprintln!("simulator: {problem}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        first: 1,
        last: 200,
        steps: 1_200,
        traced: false,
        record_to: None,
        quiet: false,
        keep_going: false,
        any_coverage: false,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--seeds" => {
                let range = value()?;
                let (first, last) = range
                    .split_once("..")
                    .ok_or(format!("--seeds {range}: must be A..B"))?;
                (options.first, options.last) = (number(first)?, number(last)?);
            }
            "--seed" => {
                options.first = number(&value()?)?;
                options.last = options.first;
                options.any_coverage = true;
            }
            "--steps" => options.steps = number(&value()?)?,
            "--trace" => options.traced = true,
            "--record" => options.record_to = Some(value()?.into()),
            "--quiet" => options.quiet = true,
            "--keep-going" => options.keep_going = true,
            "--any-coverage" => options.any_coverage = true,
            _ => return Err(format!("{argument}: unknown")),
        }
    }
    if options.first > options.last || options.steps == 0 {
        return Err("there is nothing to run".to_owned());
    }
    Ok(options)
}

fn number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("{text}: must be a whole number"))
}

fn run_all(options: &Options) -> ExitCode {
    let began = Instant::now();
    let mut total = Coverage::default();
    let mut failures = 0_u64;
    for seed in options.first..=options.last {
        let verdict = judged(seed, options);
        if let (Some(directory), Some(trace)) = (&options.record_to, &verdict.trace)
            && let Err(problem) = write(directory, trace)
        {
            eprintln!("simulator: {problem}");
            return ExitCode::from(2);
        }
        if let Some(failure) = &verdict.failure {
            failures += 1;
            if !options.keep_going {
                report(seed, options, &verdict, failure);
                return ExitCode::FAILURE;
            }
            println!("seed {seed} fails: {failure}");
        }
        total.add(&verdict.coverage);
        let done = seed - options.first + 1;
        if !options.quiet && done.is_multiple_of(50) {
            println!("{done} seeds, {} s", began.elapsed().as_secs());
        }
    }
    let seeds = options.last - options.first + 1;
    let missing = total.missing();
    if !options.quiet {
        total.print();
    }
    let seconds = began.elapsed().as_secs();
    println!("\n{seeds} seeds of {} steps, {seconds} s", options.steps);
    if failures > 0 {
        println!("{failures} seeds fail");
        return ExitCode::FAILURE;
    }
    if !missing.is_empty() && !options.any_coverage {
        println!("never exercised: {}", missing.join("; "));
        return ExitCode::FAILURE;
    }
    println!("nothing is wrong");
    ExitCode::SUCCESS
}

/// A panic, of the keeper's core or of the simulator, is a failure of the seed.
fn judged(seed: u64, options: &Options) -> Verdict {
    let recorded = options.record_to.is_some();
    let run = AssertUnwindSafe(|| run(seed, options.steps, options.traced, recorded));
    catch_unwind(run).unwrap_or_else(|_| Verdict {
        failure: Some("panic, see above".to_owned()),
        coverage: Coverage::default(),
        account: Vec::new(),
        trace: None,
    })
}

/// Whoever finds the file finds all of it.
fn write(directory: &Path, trace: &Trace) -> Result<(), String> {
    let path = directory.join(format!("{}.json", trace.seed));
    let part = directory.join(format!("{}.json.part", trace.seed));
    let text = serde_json::to_vec(trace).expect("nothing in it that JSON lacks");
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(&part, text))
        .and_then(|()| fs::rename(&part, &path))
        .map_err(|error| format!("--record {}: {error}", directory.display()))
}

fn report(seed: u64, options: &Options, verdict: &Verdict, failure: &str) {
    if !options.traced {
        for line in &verdict.account {
            println!("{line}");
        }
    }
    println!("\nseed {seed} fails: {failure}");
    let steps = options.steps;
    println!("replay: scripts/simulate --seed {seed} --steps {steps} --trace");
}
