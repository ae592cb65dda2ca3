//! A TCP proxy that can be cut and restored: the network between a service and its broker or database.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards a loopback port to an address for as long as it isn't cut.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    open: Arc<watch::Sender<bool>>,
    accept: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port and forwards to `target`.
    pub async fn to(target: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let open = Arc::new(watch::Sender::new(true));
        let state = open.clone();
        let accept = spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !*state.borrow() {
                    continue; // dropped: connection reset
                }
                spawn(forward(client, target.clone(), state.subscribe()));
            }
        });
        Ok(Self {
            address,
            open,
            accept,
        })
    }

    /// Drops every connection and refuses new ones.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Forwards again.
    pub fn restore(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accept.abort();
        self.open.send_replace(false);
    }
}

async fn forward(mut client: TcpStream, target: String, mut open: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's helper, aborted when it is dropped"
)]
pub(crate) fn spawn<F: Future<Output: Send> + Send + 'static>(
    work: F,
) -> tokio::task::JoinHandle<F::Output> {
    tokio::spawn(work)
}
