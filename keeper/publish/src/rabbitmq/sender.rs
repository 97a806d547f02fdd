//! One event to one exchange, with the broker's word for it.

use std::{fmt, sync::Arc};

use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    auth::AuthProvider,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    runtime::default_runtime,
    tcp::OwnedTLSConfig,
    types::{LongString, ShortString},
    uri::AMQPUri,
};
use tidelock_api::Told;
use tokio::{sync::Mutex, time::timeout};

use super::RabbitMq;
use crate::{
    asyncapi::CONTENT_TYPE,
    webhook::{Ping, Sent, id_of},
};

/// A connection that says nothing for twice as long is broken. [seconds]
const HEARTBEAT: u16 = 20;
/// Delivery mode of messages that outlive the broker.
const PERSISTENT: u8 = 2;

/// Sends to one exchange.
#[derive(Clone)]
pub struct Sender {
    exchange: Arc<RabbitMq>,
    session: Arc<Mutex<Option<Session>>>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.exchange.fmt(f)
    }
}

/// A connection, and its channels that nobody uses just now. A channel has one message on its way: what comes back says of itself
/// that it was not routed, not which confirmation it belongs to.
struct Session {
    connection: Arc<Connection>,
    idle: Vec<Channel>,
}

/// Why it is not known to be taken.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Broker(#[from] lapin::Error),
    #[error(transparent)]
    Secret(#[from] crate::SecretError),
    #[error("certificates {path}: {cause}")]
    Certificates { path: String, cause: std::io::Error },
    #[error("{0}")]
    Refused(String),
}

impl Sender {
    /// For an exchange; its password and certificates can be read.
    pub fn new(exchange: RabbitMq) -> Result<Self, String> {
        exchange
            .password
            .text()
            .map_err(|error| error.to_string())?;
        certificates(&exchange).map_err(|error| error.to_string())?;
        Ok(Self {
            exchange: Arc::new(exchange),
            session: Arc::default(),
        })
    }

    /// The receiver.
    pub fn exchange(&self) -> &RabbitMq {
        &self.exchange
    }

    /// Tells an event.
    pub async fn tell(&self, told: &Told) -> Sent {
        match serde_json::to_vec(&told.event) {
            Ok(body) => self.send(&id_of(told), told.kind.word(), &body).await,
            Err(error) => Sent::refused(format!("the event cannot be written: {error}")),
        }
    }

    /// Tries whether the broker takes an event, and some queue.
    pub async fn ping(&self, ping: &Ping) -> Sent {
        self.send(&ping.id, "tidelock.ping", ping.event.as_bytes())
            .await
    }

    async fn send(&self, id: &str, kind: &str, body: &[u8]) -> Sent {
        match timeout(self.exchange.timeout, self.publish(id, kind, body)).await {
            Ok(Ok(())) => Sent::Taken,
            Ok(Err(failed)) => Sent::refused(failed.to_string()),
            Err(_) => {
                // Whether it is on its way or lost is not known: what comes next goes another one.
                *self.session.lock().await = None;
                Sent::refused("no confirmation in time")
            }
        }
    }

    async fn publish(&self, id: &str, kind: &str, body: &[u8]) -> Result<(), Failed> {
        let (connection, channel) = self.channel().await?;
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type(short(CONTENT_TYPE))
            .with_message_id(short(id))
            .with_type(short(kind))
            .with_app_id(short("tidelock-keeper"));
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let exchange = short(&self.exchange.exchange);
        let sent = channel.basic_publish(exchange, short(kind), options, body, properties);
        let confirmed = match sent.await {
            Ok(confirmation) => confirmation.await,
            Err(error) => Err(error),
        };
        match confirmed {
            Ok(confirmed) => {
                self.give_back(&connection, channel).await;
                judge(&confirmed)
            }
            Err(error) => {
                // An exchange that is not there closes the channel, and nothing else.
                if !connection.status().connected() {
                    self.leave(&connection).await;
                }
                Err(error.into())
            }
        }
    }

    /// A channel for one message.
    async fn channel(&self) -> Result<(Arc<Connection>, Channel), Failed> {
        let mut slot = self.session.lock().await;
        if slot
            .as_ref()
            .is_some_and(|session| !session.connection.status().connected())
        {
            *slot = None;
        }
        let session = match slot.take() {
            Some(session) => session,
            None => Session {
                connection: Arc::new(connect(&self.exchange).await?),
                idle: Vec::new(),
            },
        };
        let session = slot.insert(session);
        let connection = Arc::clone(&session.connection);
        if let Some(channel) = session.idle.pop() {
            return Ok((connection, channel));
        }
        drop(slot);
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        Ok((connection, channel))
    }

    async fn give_back(&self, connection: &Arc<Connection>, channel: Channel) {
        let mut slot = self.session.lock().await;
        if let Some(session) = slot.as_mut()
            && Arc::ptr_eq(&session.connection, connection)
            && session.idle.len() < self.exchange.at_once
        {
            session.idle.push(channel);
        }
    }

    async fn leave(&self, connection: &Arc<Connection>) {
        let mut slot = self.session.lock().await;
        if slot
            .as_ref()
            .is_some_and(|session| Arc::ptr_eq(&session.connection, connection))
        {
            *slot = None;
        }
    }
}

/// A message that came back was confirmed as well: the broker has done with it all it could.
fn judge(confirmed: &Confirmation) -> Result<(), Failed> {
    let why = match confirmed {
        Confirmation::Ack(None) => return Ok(()),
        Confirmation::Ack(Some(back)) | Confirmation::Nack(Some(back)) => {
            format!("came back: {} {}", back.reply_code, back.reply_text)
        }
        Confirmation::Nack(None) => "not taken by a queue: it may be full".to_owned(),
        Confirmation::NotRequested => "the broker confirms nothing".to_owned(),
    };
    Err(Failed::Refused(why))
}

async fn connect(exchange: &RabbitMq) -> Result<Connection, Failed> {
    let uri: Result<AMQPUri, String> = exchange.url.as_str().parse();
    let mut uri = uri.map_err(|_| Failed::Refused("the URL cannot be used".to_owned()))?;
    uri.query.heartbeat = Some(HEARTBEAT);
    let login = Login {
        user: uri.authority.userinfo.username.clone(),
        password: exchange.password.text()?,
    };
    let name = format!("tidelock keeper publish: {}", exchange.name);
    let properties = ConnectionProperties::default()
        .with_connection_name(LongString::from(name))
        .with_auth_provider(login);
    let tls = OwnedTLSConfig {
        identity: None,
        cert_chain: certificates(exchange)?,
    };
    Ok(Connection::connect_uri_with_config(uri, properties, tls, default_runtime()?).await?)
}

fn certificates(exchange: &RabbitMq) -> Result<Option<String>, Failed> {
    let read = exchange.ca_file.as_ref().map(|path| {
        std::fs::read_to_string(path).map_err(|cause| Failed::Certificates {
            path: path.display().to_string(),
            cause,
        })
    });
    read.transpose()
}

/// Says who connects. Nothing prints it by accident.
struct Login {
    user: String,
    password: String,
}

impl AuthProvider for Login {
    fn mechanism(&self) -> ShortString {
        short("PLAIN")
    }

    fn auth_starter(&self) -> Result<LongString, String> {
        Ok(format!("\0{}\0{}", self.user, self.password).into())
    }
}

/// What is longer than 255 bytes is refused where settings are read.
fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_default()
}
