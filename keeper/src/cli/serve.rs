//! `keeper serve`: the API, in a process of its own beside the keeper's. Needs the store and the file of API keys; it reads no key that
//! signs, and asks no node unless `serve.asks_node` lets it look.

mod lookout;
mod pages;

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, sync::Arc};

pub(super) use lookout::NodeLookout;
use tidelock_api::{ClientSecret, Lookout, Pages, Settings, SignIn, start};
use tokio::runtime::Runtime;
use tracing::info;

use super::{Context, offline, run::Stop};
use crate::{
    config::{Config, SignInConfig},
    exit::{ExitStatus, Failure, Outcome},
    operations::{self, Service, serve_served},
};

/// What `keeper serve` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let serve = &config.serve;
    let settings = settings(&config)?;
    let runtime = Runtime::new().map_err(|error| Failure::of(ExitStatus::Failed, error))?;
    let stop = Stop::on_signal(&runtime)?;
    let served: Outcome = runtime.block_on(async {
        let serving = start(serve.listen, settings).await.map_err(|error| {
            let field = format!("serve.listen = {}", serve.listen);
            Failure::of(ExitStatus::Usage, error).while_doing(field)
        })?;
        info!(address = %serving.address, "the API is served");
        let _figures = figures(serve.metrics_listen, &serving).await?;
        Service.turns(&format!("serves on {}", serving.address));
        // The wish to end is what is waited for.
        let _ = stop.or(std::future::pending::<()>()).await;
        serving.end().await;
        info!("the API is served no more");
        Ok(ExitStatus::Done)
    });
    // What did not end in time ends with the process.
    runtime.shutdown_background();
    served
}

/// Serves how the server is doing, where it is asked for.
async fn figures(
    listen: Option<SocketAddr>,
    serving: &tidelock_api::Serving,
) -> Result<Option<operations::Serving>, Failure> {
    let Some(address) = listen else {
        return Ok(None);
    };
    let figures = serve_served(address, serving.board.clone()).await;
    let figures = figures.map_err(|error| {
        let field = format!("serve.metrics_listen = {address}");
        Failure::of(ExitStatus::Usage, error).while_doing(field)
    })?;
    info!(address = %figures.address, "figures are served");
    Ok(Some(figures))
}

/// What the configuration says of the API. The store must be there.
pub(super) fn settings(config: &Config) -> Result<Settings, Failure> {
    let reader = offline::reader(config)?;
    let identity = *reader.identity();
    reader.close()?;
    let serve = &config.serve;
    // A port of the system's choice is not known here.
    let listen = config.operations.listen.filter(|at| at.port() != 0);
    let pages = listen.map(|at| {
        let pages: Arc<dyn Pages> = Arc::new(pages::OwnPages::new(at)?);
        Ok::<_, Failure>(pages)
    });
    Ok(Settings {
        store: config.store.clone(),
        identity,
        keys: serve.keys_file.clone(),
        tls: serve.tls.clone(),
        proxies: serve.proxies.clone(),
        sign_in: serve.sign_in.as_ref().map(sign_in).transpose()?,
        connections: serve.connections,
        requests_per_second: serve.requests_per_second,
        write_timeout: serve.write_timeout,
        lookout: serve.asks_node.then(|| {
            let lookout: Arc<dyn Lookout> = Arc::new(NodeLookout::new(config, identity));
            lookout
        }),
        pages: pages.transpose()?,
    })
}

/// With the client's secret, if it has one.
fn sign_in(config: &SignInConfig) -> Result<SignIn, Failure> {
    let mut settings = config.settings.clone();
    if let Some(path) = &config.client_secret_file {
        let failed = |why: String| {
            let field = format!("serve.sign_in.client_secret_file = {}", path.display());
            Failure::of(ExitStatus::Usage, anyhow::anyhow!("{field}: {why}"))
        };
        let found = fs::metadata(path).map_err(|error| failed(error.to_string()))?;
        if found.permissions().mode() & 0o077 != 0 {
            let rule = "must be readable by its owner alone, as by chmod 600";
            return Err(failed(rule.to_owned()));
        }
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        settings.client_secret = Some(ClientSecret::new(text.trim().to_owned()));
    }
    Ok(settings)
}
