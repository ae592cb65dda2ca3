//! The far side of third parties: a real HTTPS server on loopback whose certificate only the test trusts.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::proxy::spawn;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// GET, POST, …
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Received {
    /// A header as text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// The fields of a form, or of a query.
    pub fn form(bytes: &[u8]) -> HashMap<String, String> {
        url::form_urlencoded::parse(bytes).into_owned().collect()
    }
}

/// What the server says.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Extra headers.
    pub headers: Vec<(&'static str, String)>,
    /// How long it takes.
    pub after: Duration,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A status, at once.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            after: Duration::ZERO,
            body: Bytes::new(),
        }
    }

    /// A status with JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            body: body.to_string().into(),
            ..Self::status(status).with("content-type", "application/json")
        }
    }

    /// The same with one header more.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What is answered where nothing is scripted.
type Usual = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

/// Serves TLS on a free port of loopback; answers 200 where nothing else is scripted.
pub struct HttpsServer {
    /// `https://localhost:{port}`.
    pub url: String,
    /// Its port.
    pub port: u16,
    /// Holds the certificate to trust, as PEM.
    folder: PathBuf,
    state: Arc<Mutex<State>>,
    accept: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    script: VecDeque<Answer>,
    always: Option<Answer>,
}

impl HttpsServer {
    /// Starts it.
    pub async fn start() -> anyhow::Result<Self> {
        Self::serving(&[], |_| Answer::status(200)).await
    }

    /// Starts it under further names; `usual` answers where nothing is scripted.
    pub async fn serving(
        names: &[&str],
        usual: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let folder = crate::scratch("https")?;
        marketplace_runtime::crypto::install();
        let names = ["localhost", "127.0.0.1"].iter().chain(names);
        let names: Vec<String> = names.map(|name| (*name).to_owned()).collect();
        let certified = rcgen::generate_simple_self_signed(names)?;
        std::fs::write(folder.join("ca.pem"), certified.cert.pem())?;
        let key =
            rustls::pki_types::PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let tls = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .context("the certificate")?;
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let port = listener.local_addr()?.port();
        let usual: Usual = Arc::new(usual);
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let accept = spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, state, usual) = (acceptor.clone(), shared.clone(), usual.clone());
                spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let service =
                        service_fn(move |request| answer(request, state.clone(), usual.clone()));
                    // A client that hangs up in the middle is its own business.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(Self {
            url: format!("https://localhost:{port}"),
            port,
            folder,
            state,
            accept,
        })
    }

    /// Environment of services that trust it, and may speak to loopback.
    pub fn trusted(&self) -> Vec<(&'static str, String)> {
        let ca = self.folder.join("ca.pem").display().to_string();
        vec![
            ("OUTBOUND_ALLOW", "127.0.0.0/8,::1/128".to_owned()),
            ("OUTBOUND_CA_FILE", ca),
        ]
    }

    /// The certificate that it shows, as PEM.
    pub fn certificate(&self) -> anyhow::Result<Vec<u8>> {
        Ok(std::fs::read(self.folder.join("ca.pem"))?)
    }

    /// What arrived so far.
    pub fn received(&self) -> Vec<Received> {
        self.state
            .lock()
            .expect("no panic holds it")
            .received
            .clone()
    }

    /// The next requests are answered so, in this order.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state
            .lock()
            .expect("no panic holds it")
            .script
            .extend(answers);
    }

    /// Every request that nothing is scripted for is answered so.
    pub fn always(&self, answer: Answer) {
        self.state.lock().expect("no panic holds it").always = Some(answer);
    }
}

impl Drop for HttpsServer {
    fn drop(&mut self) {
        self.accept.abort();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn answer(
    request: Request<hyper::body::Incoming>,
    state: Arc<Mutex<State>>,
    usual: Usual,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let path = request
        .uri()
        .path_and_query()
        .map_or_else(String::new, ToString::to_string);
    let (head, body) = request.into_parts();
    let received = Received {
        method: head.method,
        path,
        headers: head.headers,
        body: body.collect().await?.to_bytes(),
    };
    let scripted = {
        let mut state = state.lock().expect("no panic holds it");
        state.received.push(received.clone());
        let always = state.always.clone();
        state.script.pop_front().or(always)
    };
    let answer = scripted.unwrap_or_else(|| usual(&received));
    tokio::time::sleep(answer.after).await;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    Ok(response
        .body(Full::new(answer.body))
        .expect("statuses and headers of tests are valid"))
}
