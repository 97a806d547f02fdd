//! What receivers of every kind have: they are told event by event, and answer each.

use tidelock_api::Told;

use crate::{
    queue::Waits,
    webhook::{Beginning, Sender, Sent},
};

/// Whether whoever wants types that begin so is told of events of this one.
pub(crate) fn wants(types: &[String], kind: &str) -> bool {
    types.iter().any(|start| kind.starts_with(start.as_str()))
}

/// Whom events are told one by one, each until it is taken.
#[derive(Debug, Clone)]
pub(crate) enum Teller {
    Webhook(Box<Sender>),
    #[cfg(feature = "rabbitmq")]
    RabbitMq(crate::rabbitmq::Sender),
}

impl Teller {
    pub fn name(&self) -> &str {
        match self {
            Self::Webhook(sender) => &sender.webhook().name,
            #[cfg(feature = "rabbitmq")]
            Self::RabbitMq(sender) => &sender.exchange().name,
        }
    }

    /// From where it is told, if it is new.
    pub fn beginning(&self) -> Beginning {
        match self {
            Self::Webhook(sender) => sender.webhook().from,
            #[cfg(feature = "rabbitmq")]
            Self::RabbitMq(_) => Beginning::Start,
        }
    }

    pub fn wants(&self, kind: &str) -> bool {
        match self {
            Self::Webhook(sender) => wants(&sender.webhook().types, kind),
            #[cfg(feature = "rabbitmq")]
            Self::RabbitMq(sender) => wants(&sender.exchange().types, kind),
        }
    }

    /// Tries at a time, of different payments.
    pub fn at_once(&self) -> usize {
        match self {
            Self::Webhook(sender) => sender.webhook().at_once,
            #[cfg(feature = "rabbitmq")]
            Self::RabbitMq(sender) => sender.exchange().at_once,
        }
    }

    pub fn waits(&self) -> Waits {
        match self {
            Self::Webhook(sender) => sender.webhook().waits,
            #[cfg(feature = "rabbitmq")]
            Self::RabbitMq(sender) => sender.exchange().waits,
        }
    }

    pub async fn tell(&self, told: &Told) -> Sent {
        match self {
            Self::Webhook(sender) => sender.tell(told).await,
            #[cfg(feature = "rabbitmq")]
            Self::RabbitMq(sender) => sender.tell(told).await,
        }
    }
}
