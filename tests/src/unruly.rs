//! A way to the broker on which things go wrong: deliveries come back, or come twice, and requests or their answers vanish.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, parse_frame};
use amq_protocol::protocol::{AMQPClass, basic};
use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, tcp};

use crate::proxy::spawn;

const CHANGED: &str = "publishing.v1.publication_changed";

/// What may vanish from a queue: who asks for it asks again.
const ASKED_AGAIN: [(&str, &[&str]); 3] = [
    (
        "offer-catalog",
        &[
            "preview_requested",
            "activation_requested",
            "removal_requested",
        ],
    ),
    (
        "certification",
        &["validation_requested", "certification_requested"],
    ),
    (
        "publishing-pipeline",
        &[
            "validation_completed",
            "certification_passed",
            "certification_failed",
            "preview_prepared",
            "offer_activated",
            "offer_removed",
        ],
    ),
];

/// How often things go wrong, in a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chances {
    /// A delivery isn't handed over, the connection breaks: the broker delivers it again.
    pub returned: u32,
    /// The connection breaks before the broker hears that deliveries were settled, or a service that its event arrived:
    /// they come twice.
    pub repeated: u32,
    /// A request or its answer is gone from its queue.
    pub lost: u32,
}

/// How often things have gone wrong.
#[derive(Debug, Clone, Copy)]
pub struct Mishaps {
    pub returned: u32,
    pub repeated: u32,
    pub lost: u32,
    /// When they did last.
    pub last: Instant,
}

/// A proxy to the broker.
pub struct Unruly {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<Mutex<(Chances, Mishaps)>>,
    accept: tokio::task::JoinHandle<()>,
}

impl Unruly {
    /// Listens on a free port and forwards to the broker at `amqp://…`; nothing goes wrong yet.
    pub async fn to(amqp: &str) -> anyhow::Result<Self> {
        let broker = url::Url::parse(amqp)?;
        let broker = broker.socket_addrs(|| Some(5672))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let none = Mishaps {
            returned: 0,
            repeated: 0,
            lost: 0,
            last: Instant::now(),
        };
        let state = Arc::new(Mutex::new((Chances::default(), none)));
        let shared = state.clone();
        let accept = spawn(async move {
            while let Ok((service, _)) = listener.accept().await {
                let Ok(broker) = TcpStream::connect(&*broker).await else {
                    continue;
                };
                let connection = Connection {
                    state: shared.clone(),
                    queues: Mutex::default(),
                };
                spawn(connection.forward(service, broker));
            }
        });
        Ok(Self {
            address,
            state,
            accept,
        })
    }

    /// From now on things go wrong so often.
    pub fn chances(&self, chances: Chances) {
        self.state.lock().expect("no panic holds it").0 = chances;
    }

    /// What has gone wrong so far.
    pub fn mishaps(&self) -> Mishaps {
        self.state.lock().expect("no panic holds it").1
    }
}

impl Drop for Unruly {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

/// One connection of a service; it breaks where a direction ends.
struct Connection {
    state: Arc<Mutex<(Chances, Mishaps)>>,
    /// The queue that each channel consumes.
    queues: Mutex<HashMap<u16, String>>,
}

impl Connection {
    async fn forward(self, service: TcpStream, broker: TcpStream) {
        let (from_service, to_service) = service.into_split();
        let (from_broker, to_broker) = broker.into_split();
        tokio::select! {
            _ = self.to_broker(Frames::of(from_service), to_broker) => {}
            _ = self.to_service(Frames::of(from_broker), to_service) => {}
        }
    }

    async fn to_broker(
        &self,
        mut frames: Frames,
        mut broker: tcp::OwnedWriteHalf,
    ) -> anyhow::Result<()> {
        loop {
            let (frame, bytes) = frames.next().await?;
            match frame {
                AMQPFrame::Method(
                    channel,
                    AMQPClass::Basic(basic::AMQPMethod::Consume(consume)),
                ) => {
                    let mut queues = self.queues.lock().expect("no panic holds it");
                    queues.insert(channel, consume.queue.to_string());
                }
                AMQPFrame::Method(_, AMQPClass::Basic(basic::AMQPMethod::Ack(_)))
                    if self.repeats() =>
                {
                    return Ok(());
                }
                _ => {}
            }
            broker.write_all(&bytes).await?;
        }
    }

    async fn to_service(
        &self,
        mut frames: Frames,
        mut service: tcp::OwnedWriteHalf,
    ) -> anyhow::Result<()> {
        // What is known of a delivery before its header has come; what is still to come of one that is lost.
        let mut begun: HashMap<u16, (String, Vec<u8>)> = HashMap::new();
        let mut lost: HashMap<u16, u64> = HashMap::new();
        loop {
            let (frame, bytes) = frames.next().await?;
            match frame {
                AMQPFrame::Method(
                    channel,
                    AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver)),
                ) => {
                    if self.happens(|chances| chances.returned, |count| &mut count.returned) {
                        return Ok(());
                    }
                    begun.insert(channel, (deliver.routing_key.to_string(), bytes));
                    continue;
                }
                AMQPFrame::Header(channel, header) => {
                    if let Some((key, delivery)) = begun.remove(&channel) {
                        if self.asked_again(channel, &key, &header)
                            && self.happens(|chances| chances.lost, |count| &mut count.lost)
                        {
                            lost.insert(channel, header.body_size);
                            continue;
                        }
                        service.write_all(&delivery).await?;
                    }
                }
                AMQPFrame::Body(channel, body) => {
                    if let Some(left) = lost.get_mut(&channel) {
                        *left = left.saturating_sub(body.len() as u64);
                        if *left == 0 {
                            lost.remove(&channel);
                        }
                        continue;
                    }
                }
                AMQPFrame::Method(_, AMQPClass::Basic(basic::AMQPMethod::Ack(_)))
                    if self.repeats() =>
                {
                    return Ok(());
                }
                _ => {}
            }
            service.write_all(&bytes).await?;
        }
    }

    /// Whether it is a request or an answer, to whom it is addressed.
    fn asked_again(&self, channel: u16, key: &str, header: &AMQPContentHeader) -> bool {
        let queues = self.queues.lock().expect("no panic holds it");
        let queue = queues.get(&channel);
        let Some((_, names)) = ASKED_AGAIN
            .iter()
            .find(|(name, _)| queue.is_some_and(|queue| queue == name))
        else {
            return false;
        };
        let copies = header.properties.headers().as_ref();
        let copies = copies.and_then(|headers| headers.inner().get("CC")?.as_array());
        let orders = copies.into_iter().flat_map(|keys| keys.as_slice());
        let orders =
            orders.filter_map(|key| std::str::from_utf8(key.as_long_string()?.as_bytes()).ok());
        let mut keys = orders.chain((key != CHANGED).then_some(key));
        keys.any(|key| names.iter().any(|name| key.ends_with(name)))
    }

    fn repeats(&self) -> bool {
        self.happens(|chances| chances.repeated, |count| &mut count.repeated)
    }

    fn happens(&self, chance: fn(&Chances) -> u32, count: fn(&mut Mishaps) -> &mut u32) -> bool {
        let mut state = self.state.lock().expect("no panic holds it");
        let (chances, mishaps) = &mut *state;
        let happens = fastrand::u32(0..1_000) < chance(chances);
        if happens {
            *count(mishaps) += 1;
            mishaps.last = Instant::now();
        }
        happens
    }
}

/// Frames of one direction, and their bytes as they came.
struct Frames {
    source: tcp::OwnedReadHalf,
    read: Vec<u8>,
}

impl Frames {
    fn of(source: tcp::OwnedReadHalf) -> Self {
        Self {
            source,
            read: Vec::new(),
        }
    }

    /// The next; an error where the stream ends.
    async fn next(&mut self) -> anyhow::Result<(AMQPFrame, Vec<u8>)> {
        loop {
            let parsed = match parse_frame(&self.read[..]) {
                Ok((rest, frame)) => Some((self.read.len() - rest.len(), frame)),
                Err(error) if error.is_incomplete() => None,
                Err(error) => anyhow::bail!("no AMQP: {error:?}"),
            };
            if let Some((length, frame)) = parsed {
                return Ok((frame, self.read.drain(..length).collect()));
            }
            let read = self.source.read_buf(&mut self.read).await?;
            (read > 0)
                .then_some(())
                .context("the connection has ended")?;
        }
    }
}
