use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SpanProcessor},
};
use reqwest::{Client, RequestBuilder, redirect::Policy};
use tokio::runtime::Handle;
use tracing::{info, warn};

use super::span::Span;
use crate::{
    config::{Config, RpcUrl},
    exit::{ExitStatus, Failure},
    tls,
};

/// Spans that wait for the collector at most; what comes beyond is lost.
const WAITING: usize = 16_384;
/// Time between two deliveries, while fewer wait than one holds.
const DELAY: Duration = Duration::from_secs(1);
/// Until a delivery counts as unanswered.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the last spans may take at the end.
const FAREWELL: Duration = Duration::from_secs(1);
/// Most of an answer that is read. [bytes]
const ANSWER: usize = 65_536;

/// Where spans are sent, in the background.
pub(super) struct Collector(BatchSpanProcessor);

impl Collector {
    pub fn new(url: &RpcUrl, config: &Config, tasks: &Handle) -> Result<Self, Failure> {
        let failed = |error: &dyn std::error::Error| {
            let field = format!("operations.traces_url = {url}");
            Failure::of(ExitStatus::Usage, anyhow::anyhow!("{error}")).while_doing(field)
        };
        let client = tls::client()
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .build()
            .map_err(|error| failed(&error))?;
        let client = Delivery {
            client,
            tasks: tasks.clone(),
            place: url.to_string(),
            fails: AtomicBool::new(false),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url.expose())
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| failed(&error))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING)
            .with_scheduled_delay(DELAY);
        let mut processor = BatchSpanProcessor::new(exporter, batches.build());
        let resource = Resource::builder()
            .with_service_name("tidelock-keeper")
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("tidelock.chain", config.chain.chain_id.0.to_string()),
                KeyValue::new("tidelock.vault", config.vault.address.to_string()),
            ]);
        processor.set_resource(&resource.build());
        Ok(Self(processor))
    }

    /// Returns at once, whatever the collector does.
    pub fn take(&self, span: Span) {
        self.0.on_end(span.into_data());
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Whoever does not take the last spans by then does not get them.
        let _ = self.0.shutdown_with_timeout(FAREWELL);
    }
}

/// Delivers what the exporter has written, and says once that it cannot and once that it can again.
#[derive(Debug)]
struct Delivery {
    client: Client,
    tasks: Handle,
    place: String,
    fails: AtomicBool,
}

impl Delivery {
    fn tell(&self, failure: Option<String>) {
        let failed = self.fails.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(why) if !failed => {
                warn!(collector = self.place, why, "traces are not taken");
            }
            None if failed => info!(collector = self.place, "traces are taken again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Delivery {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        // Takes a password out of the URL, and into a header.
        let request = self
            .client
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body);
        // The thread that waits here is none of the runtime that the client needs.
        let sent = self.tasks.spawn(send(request));
        let answer = sent.await.map_err(HttpError::from).flatten();
        self.tell(match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the collector answers {}", answer.status())),
            Err(error) => Some(words(error.as_ref())),
        });
        answer
    }
}

/// With what it comes from: the client's own words say only that sending failed.
fn words(error: &(dyn Error + 'static)) -> String {
    let causes = anyhow::Chain::new(error).map(ToString::to_string);
    causes.collect::<Vec<String>>().join(": ")
}

async fn send(request: RequestBuilder) -> Result<Response<Bytes>, HttpError> {
    let sent = request.send().await;
    let mut answer = sent.map_err(reqwest::Error::without_url)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)?
        && body.len().saturating_add(chunk.len()) <= ANSWER
    {
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    Ok(response)
}
