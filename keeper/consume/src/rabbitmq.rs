//! One queue of RabbitMQ: read by a consumer that holds a bounded number of messages, each acknowledged by itself. When the connection breaks, the broker hands
//! out again what was not acknowledged.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer,
    auth::AuthProvider,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions,
        BasicQosOptions, ConfirmSelectOptions,
    },
    runtime::default_runtime,
    tcp::OwnedTLSConfig,
    types::{AMQPValue, FieldTable, LongString, ShortString},
    uri::AMQPUri,
};
use tokio::{
    sync::Mutex,
    task::{JoinError, JoinSet},
    time::timeout,
};
use tracing::{debug, info};

use crate::{
    ConsumeError, END, RabbitMq,
    letter::{Letter, Message},
    taker::{Fate, Taker},
    waits::Waits,
};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(20);
/// A connection that says nothing for twice as long is broken. [seconds]
const HEARTBEAT: u16 = 20;
/// Delivery mode of messages that outlive the broker.
const PERSISTENT: u8 = 2;

/// Why the broker has to be connected to anew.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error(transparent)]
    Broker(#[from] lapin::Error),
    #[error(transparent)]
    Setting(#[from] ConsumeError),
    #[error("the URL cannot be used")]
    Url,
    #[error("the broker does not answer")]
    Silent,
    #[error("the broker hands out no more: the queue may be gone")]
    Cancelled,
    #[error("what was handed out cannot be acknowledged any more")]
    Lost,
    #[error("a message broke off: {0}")]
    Broken(#[from] JoinError),
}

/// Works until the process is asked to end.
pub(crate) async fn run(queue: RabbitMq, taker: Taker) {
    let mut waits = Waits::default();
    loop {
        let worked = session(&queue, &taker, &mut waits).await;
        taker.connected(false);
        let Err(cause) = worked else { return };
        if !taker
            .pause(&mut waits, &queue.queue, &cause.to_string())
            .await
        {
            return;
        }
    }
}

/// A connection that hands messages out.
struct Opened {
    connection: Arc<Connection>,
    channel: Channel,
    consumer: Consumer,
    grave: Arc<Grave>,
}

async fn open(queue: &RabbitMq) -> Result<Opened, Interrupted> {
    let connection = Arc::new(connect(queue).await?);
    let channel = connection.create_channel().await?;
    let at_once = queue.source.at_once;
    channel
        .basic_qos(at_once, BasicQosOptions::default())
        .await?;
    let grave = Arc::new(Grave {
        connection: Arc::clone(&connection),
        channel: Mutex::new(None),
        queue: short(&queue.dead_letters),
    });
    let consumer = channel.basic_consume(
        short(&queue.queue),
        ShortString::default(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let consumer = consumer.await?;
    Ok(Opened {
        connection,
        channel,
        consumer,
        grave,
    })
}

/// One connection. Without an error, the process is asked to end.
async fn session(queue: &RabbitMq, taker: &Taker, waits: &mut Waits) -> Result<(), Interrupted> {
    let opened = tokio::select! {
        opened = timeout(CONNECT, open(queue)) => opened,
        () = taker.stopped() => return Ok(()),
    };
    let mut opened = opened.map_err(|_| Interrupted::Silent)??;
    taker.connected(true);
    info!(
        source = taker.source.name,
        queue = queue.queue,
        "taking requests in"
    );
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            () = taker.stopped() => break,
            delivery = opened.consumer.next() => {
                let delivery = delivery.ok_or(Interrupted::Cancelled)??;
                let grave = Arc::clone(&opened.grave);
                under_way.spawn(settle(delivery, queue.queue.clone(), taker.clone(), grave));
            }
            Some(settled) = under_way.join_next() => {
                settled??;
                // It does what it is there for: the next interruption is another one.
                *waits = Waits::default();
            }
        }
    }
    let end = async {
        let tag = opened.consumer.tag();
        let _ = opened
            .channel
            .basic_cancel(tag, BasicCancelOptions::default())
            .await;
        while under_way.join_next().await.is_some() {}
        if let Err(cause) = opened.connection.close(200, short("ended")).await {
            debug!(%cause, "not closed as agreed");
        }
    };
    // What is cut off is handed out again.
    let _ = timeout(END, end).await;
    Ok(())
}

async fn connect(queue: &RabbitMq) -> Result<Connection, Interrupted> {
    let mut uri: AMQPUri = queue.url.as_str().parse().map_err(|_| Interrupted::Url)?;
    uri.query.heartbeat = Some(HEARTBEAT);
    let login = Login {
        user: uri.authority.userinfo.username.clone(),
        password: queue.secret()?,
    };
    let name = format!("tidelock keeper consume: {}", queue.source.name);
    let properties = ConnectionProperties::default()
        .with_connection_name(LongString::from(name))
        .with_auth_provider(login);
    let tls = OwnedTLSConfig {
        identity: None,
        cert_chain: queue.certificates()?,
    };
    Ok(Connection::connect_uri_with_config(uri, properties, tls, default_runtime()?).await?)
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

/// Files one message, or puts it among the dead letters, and acknowledges it then. If the process is asked to end before, the broker hands it
/// out again.
async fn settle(
    mut delivery: Delivery,
    queue: String,
    taker: Taker,
    grave: Arc<Grave>,
) -> Result<(), Interrupted> {
    let message = Message::new(std::mem::take(&mut delivery.data));
    match taker.take(&message.body, &queue).await {
        None => return Ok(()),
        Some(Fate::Filed) => {}
        Some(Fate::Refused(problem)) => {
            let letter = Letter::new(&message, &problem, &taker.source.name, &queue);
            if !grave
                .bury(&letter, &delivery.properties, &queue, &taker)
                .await?
            {
                return Ok(());
            }
            taker.buried(&problem, &queue);
        }
    }
    match delivery.acker.ack(BasicAckOptions::default()).await? {
        true => Ok(()),
        false => Err(Interrupted::Lost),
    }
}

/// Where dead letters are put, one after the other: so it is sure which of them the broker could not put anywhere.
struct Grave {
    connection: Arc<Connection>,
    /// Of dead letters alone: one that the broker forbids closes it, and nothing else.
    channel: Mutex<Option<Channel>>,
    queue: ShortString,
}

impl Grave {
    /// Until the broker says that it is in the queue; false if the process is asked to end before.
    async fn bury(
        &self,
        letter: &Letter<'_>,
        original: &BasicProperties,
        from: &str,
        taker: &Taker,
    ) -> Result<bool, Interrupted> {
        let mut waits = Waits::default();
        loop {
            let Some(why) = self.put(letter, original).await? else {
                return Ok(true);
            };
            let why = format!("refused, and {why}");
            if !taker.wait(&mut waits, from, &why).await {
                return Ok(false);
            }
        }
    }

    /// None if the broker has it, or why it has not.
    async fn put(
        &self,
        letter: &Letter<'_>,
        original: &BasicProperties,
    ) -> Result<Option<String>, Interrupted> {
        let mut slot = self.channel.lock().await;
        let channel = match slot.take() {
            Some(channel) => channel,
            None => self.open().await?,
        };
        match self.publish(&channel, letter, original).await {
            Ok(confirmation) => {
                *slot = Some(channel);
                Ok(refusal(&confirmation).map(str::to_owned))
            }
            Err(cause) if self.connection.status().connected() => {
                let why =
                    format!("the broker does not let it be put among the dead letters: {cause}");
                Ok(Some(why))
            }
            Err(cause) => Err(cause.into()),
        }
    }

    async fn open(&self) -> Result<Channel, lapin::Error> {
        let channel = self.connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        Ok(channel)
    }

    async fn publish(
        &self,
        channel: &Channel,
        letter: &Letter<'_>,
        original: &BasicProperties,
    ) -> Result<Confirmation, lapin::Error> {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        // The exchange without a name leads to the queue that is named.
        let sent = channel.basic_publish(
            ShortString::default(),
            self.queue.clone(),
            options,
            letter.body,
            properties(letter, original),
        );
        sent.await?.await
    }
}

fn properties(letter: &Letter<'_>, original: &BasicProperties) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, text) in &letter.headers {
        headers.insert(short(name), AMQPValue::LongString(text.as_str().into()));
    }
    let mut properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers);
    if let Some(id) = original.message_id() {
        properties = properties.with_message_id(id.clone());
    }
    if let Some(kind) = original.content_type() {
        properties = properties.with_content_type(kind.clone());
    }
    properties
}

fn refusal(confirmation: &Confirmation) -> Option<&'static str> {
    match confirmation {
        Confirmation::Ack(None) => None,
        Confirmation::Ack(Some(_)) => Some("there is no queue for dead letters"),
        Confirmation::Nack(_) => Some("the queue for dead letters does not take it"),
        Confirmation::NotRequested => Some("the broker confirms no dead letter"),
    }
}

/// What is longer than 255 bytes is refused where settings are read.
fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_default()
}
