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
/// How often it is looked whether a connection is still there.
const LOOK: Duration = Duration::from_millis(250);

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
            let prepared = async {
                let channel = connection.create_channel().await?;
                topology::declare(&channel).await?;
                Ok::<_, Error>(channel)
            };
            let channel = while_there(&connection, prepared).await?;
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

    /// Does something for as long as the connection is there.
    pub(crate) async fn while_there<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error>
    where
        Error: From<E>,
    {
        while_there(&self.connection, work).await
    }

    /// Fails if the connection is gone.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check(&self.connection)
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

/// lapin leaves some who ask for something at the very moment in which the connection breaks without an answer for ever:
/// nobody waits for it without looking.
async fn while_there<T, E>(
    connection: &Connection,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Error>
where
    Error: From<E>,
{
    let gone = async {
        loop {
            if let Err(gone) = check(connection) {
                return gone;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        biased;
        done = work => Ok(done?),
        gone = gone => Err(gone),
    }
}

fn check(connection: &Connection) -> Result<(), Error> {
    if connection.status().connected() {
        Ok(())
    } else {
        Err(Error::BrokerSilent("the connection is gone"))
    }
}
