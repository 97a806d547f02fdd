//! The keeper's own pages, as the API passes them on. They are asked over the address that the keeper serves them at.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode, redirect::Policy};
use tidelock_api::{KeeperPages, Pages};
use tokio::sync::Mutex;

use crate::{
    exit::{ExitStatus, Failure},
    tls,
};

/// How long the keeper may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Whoever asks more often is told the same again: the keeper has few connections for its pages.
const FRESH: Duration = Duration::from_secs(1);
/// Most of a page that is read. [bytes]
const PAGE: usize = 1 << 20;

/// Asks one keeper.
pub(super) struct OwnPages {
    client: Client,
    address: SocketAddr,
    last: Mutex<Option<(Instant, KeeperPages)>>,
}

impl OwnPages {
    pub fn new(address: SocketAddr) -> Result<Self, Failure> {
        // A proxy for the world outside is none for what is beside this process.
        let client = tls::client()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(PATIENCE);
        let client = client
            .build()
            .map_err(|error| Failure::of(ExitStatus::Failed, error))?;
        Ok(Self {
            client,
            address,
            last: Mutex::default(),
        })
    }

    async fn page(&self, name: &str) -> Result<(StatusCode, String), reqwest::Error> {
        let url = format!("http://{}/{name}", self.address);
        let mut answer = self.client.get(url).send().await?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await?
            && body.len().saturating_add(chunk.len()) <= PAGE
        {
            body.extend_from_slice(&chunk);
        }
        Ok((answer.status(), String::from_utf8_lossy(&body).into_owned()))
    }

    async fn ask(&self) -> Result<KeeperPages, reqwest::Error> {
        let (status, words) = self.page("readyz").await?;
        let (_, figures) = self.page("metrics").await?;
        let ready = status == StatusCode::OK;
        let lines = words.lines().filter(|_| !ready).map(str::to_owned);
        Ok(KeeperPages {
            ready,
            unready: lines.collect(),
            figures,
        })
    }
}

impl Pages for OwnPages {
    fn look(&self) -> Pin<Box<dyn Future<Output = KeeperPages> + Send + '_>> {
        Box::pin(async {
            let mut last = self.last.lock().await;
            if let Some((at, pages)) = last.as_ref()
                && at.elapsed() < FRESH
            {
                return pages.clone();
            }
            let pages = self.ask().await.unwrap_or_else(|_| KeeperPages {
                ready: false,
                unready: vec![format!(
                    "keeper: nobody answers at operations.listen = {}",
                    self.address
                )],
                figures: String::new(),
            });
            *last = Some((Instant::now(), pages.clone()));
            pages
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[tokio::test]
    async fn that_nobody_answers_is_an_answer() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let told = OwnPages::new(address).unwrap().look().await;
        assert!(!told.ready && told.figures.is_empty());
        assert_eq!(
            told.unready,
            [format!(
                "keeper: nobody answers at operations.listen = {address}"
            )]
        );
    }
}
