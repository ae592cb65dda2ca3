//! The way to RabbitMQ. Each role (relay, consumer, replay) builds its own connection, channel and topology, and builds
//! all of it again on any error: lapin's own recovery leaves channel errors alone, so it stays off.

use std::time::Duration;

use futures::FutureExt as _;
use lapin::{
    Channel, Connection, ConnectionProperties,
    types::LongString,
    uri::{AMQPQueryString, AMQPUri},
};

use crate::{Error, topology};

const HEARTBEAT_SECONDS: u16 = 5;
const CONNECT: Duration = Duration::from_secs(10);

/// Where the broker is and who connects. Cheap to clone; connects when a role starts.
#[derive(Clone)]
pub struct Broker {
    uri: AMQPUri,
    service: &'static str,
}

/// A connection with one channel on which the topology is declared.
pub(crate) struct Link {
    connection: Connection,
    pub(crate) channel: Channel,
}

impl Broker {
    /// Reads the URL ("amqp://user:password@host:5672/vhost"); the broker may be away.
    pub fn new(url: &str, service: &'static str) -> Result<Broker, Error> {
        // The URL holds a password: what is wrong with it is told, not what it is.
        let mut uri: AMQPUri = url.parse().map_err(Error::AmqpUrl)?;
        uri.query = AMQPQueryString {
            heartbeat: Some(HEARTBEAT_SECONDS),
            ..uri.query
        };
        Ok(Broker { uri, service })
    }

    /// Connects for one role and declares the topology.
    pub(crate) async fn link(&self, role: &str) -> Result<Link, Error> {
        let name = LongString::from(format!("{} {role}", self.service));
        let properties = ConnectionProperties::default().with_connection_name(name);
        let connecting = async {
            let connection = Connection::connect_uri(self.uri.clone(), properties).await?;
            let channel = connection.create_channel().await?;
            topology::declare(&channel).await?;
            Ok(Link {
                connection,
                channel,
            })
        };
        tokio::time::timeout(CONNECT, connecting)
            .await
            .unwrap_or(Err(Error::BrokerSilent("connecting")))
    }
}

/// However a role ends, the connection goes first. lapin would cancel the consumers that are dropped after it, and
/// RabbitMQ hands what follows to the next consumer while it still waits for a canceled one to settle what it has;
/// when the connection goes, that is given back first and comes in order.
impl Drop for Link {
    fn drop(&mut self) {
        // The first poll sends the goodbye; there is nobody left to wait for the answer.
        drop(self.goodbye().now_or_never());
    }
}

impl Link {
    /// One more channel of the same connection.
    pub(crate) async fn another(&self) -> Result<Channel, Error> {
        Ok(self.connection.create_channel().await?)
    }

    async fn goodbye(&self) -> lapin::Result<()> {
        self.connection.close(200, "stopping".into()).await
    }

    /// Says goodbye. The broker notices a connection that is only dropped as well; this leaves no warning in its log.
    pub(crate) async fn close(&self) {
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(1), self.goodbye()).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the broker was gone before the goodbye"
            );
        }
    }
}
