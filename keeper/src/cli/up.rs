//! `keeper up --dev`: a chain, a vault, a keeper and some requests in one command, to look at. Everything of it is made up anew, and gone
//! with it.

mod made;
mod node;
mod samples;
#[cfg_attr(not(feature = "service"), path = "up/without_service.rs")]
mod served;

use std::{path::PathBuf, thread};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{
    Context, print,
    run::{self, Stop},
};
use crate::exit::{ExitStatus, Failure, Outcome};

use made::Made;
use node::Node;

/// What `keeper up` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// On a development chain: an anvil of its own, or the node that --rpc-url names, whose accounts must be unlocked
    #[arg(long)]
    pub dev: bool,
    /// Where configuration, keys and log go, and stay; without it, into a folder that is removed at the end
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// The anvil to start; by default the one on PATH, or that of npm's packages in this directory
    #[arg(long, conflicts_with = "rpc_url")]
    pub anvil: Option<PathBuf>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    if !args.dev {
        let rule = "--dev: must be given; for a real chain see `keeper deploy`, `keeper init` and `keeper run`";
        return Err(Failure::new(ExitStatus::Usage, rule));
    }
    let runtime = Runtime::new().map_err(|error| Failure::of(ExitStatus::Failed, error))?;
    let stop = Stop::on_signal(&runtime)?;
    let done = up(args, context, &runtime, &stop);
    runtime.shutdown_background();
    match done {
        // Whoever interrupts what is being set up wants just that.
        Err(_) if stop.is_asked() => Ok(ExitStatus::Done),
        done => done,
    }
}

fn up(args: &Args, context: &Context, runtime: &Runtime, stop: &Stop) -> Outcome {
    let folder = Folder::new(args.dir.clone())?;
    let (url, _node) = match &context.rpc_url {
        Some(url) => (url.clone(), None),
        None => {
            let node = Node::start(args.anvil.as_deref())?;
            (node.url(), Some(node))
        }
    };
    print(format!("chain     {url}"))?;
    let made = runtime.block_on(stop.or(Made::make(&url, &folder.path)))??;
    print(made.words())?;
    let context = Context {
        config: made.config.clone(),
        rpc_url: None,
        ..context.clone()
    };
    let config = context.load()?;
    let (stopped, looks_on, tasks) = (stop.clone(), config.clone(), runtime.handle().clone());
    let onlooker = thread::spawn(move || samples::follow(&looks_on, &stopped, &tasks));
    let run = run::Args {
        first_keeper: true,
        pages: Some(made.pages),
        ..run::Args::default()
    };
    let ended = run::run(&run, &context);
    stop.ask();
    // What it had to say is said by now; that nobody reads on is no failure of what was shown.
    if let Ok(Ok(Some(served))) = onlooker.join() {
        runtime.block_on(served.end());
    }
    ended
}

/// Where everything is.
struct Folder {
    path: PathBuf,
    /// Removed when dropped.
    _temporary: Option<TempDir>,
}

impl Folder {
    fn new(chosen: Option<PathBuf>) -> Result<Self, Failure> {
        let failed = |error| Failure::of(ExitStatus::Failed, error);
        let Some(path) = chosen else {
            let temporary = tempfile::Builder::new().prefix("keeper-dev-").tempdir();
            let temporary = temporary.map_err(failed)?;
            return Ok(Self {
                path: temporary.path().to_owned(),
                _temporary: Some(temporary),
            });
        };
        let shown = path.display().to_string();
        std::fs::create_dir_all(&path)
            .map_err(|error| failed(error).while_doing(format!("--dir {shown}")))?;
        let path = path
            .canonicalize()
            .map_err(|error| failed(error).while_doing(format!("--dir {shown}")))?;
        let mut inside = std::fs::read_dir(&path)
            .map_err(|error| failed(error).while_doing(format!("--dir {shown}")))?;
        if inside.next().is_some() {
            let rule = format!("--dir {shown}: must be empty");
            return Err(Failure::new(ExitStatus::Refused, rule));
        }
        Ok(Self {
            path,
            _temporary: None,
        })
    }
}
