//! The guarded client against a real TLS server on loopback, with names that a test makes up.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use http::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

/// Tells whether an error is the expected one.
type Expected = fn(&OutboundError) -> bool;

const LOOPBACK: &str = "127.0.0.0/8";

/// Names and the addresses that they have, one set per look-up; the last one stays.
#[derive(Default)]
struct Names {
    known: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Names {
    fn set(&self, name: &str, answers: &[&[&str]]) {
        let parse = |set: &&[&str]| set.iter().map(|address| address.parse().unwrap()).collect();
        self.known
            .lock()
            .unwrap()
            .insert(name.into(), answers.iter().map(parse).collect());
    }
}

impl Lookup for Names {
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut known = self.known.lock().unwrap();
        let found = known.get_mut(&name).map(|answers| {
            if answers.len() > 1 {
                answers.remove(0)
            } else {
                answers[0].clone()
            }
        });
        Box::pin(async move { found.ok_or_else(|| std::io::Error::other("no such name")) })
    }
}

struct World {
    names: Arc<Names>,
    outbound: Outbound,
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// `answer` makes an answer of the request line and the port.
    async fn start(allow: &[&str], answer: fn(&str, u16) -> Vec<u8>) -> World {
        crate::crypto::install();
        let names = [
            "good.example".to_owned(),
            "other.example".to_owned(),
            "rebind.example".to_owned(),
        ];
        let certified = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(
            certified.signing_key.serialize_der(),
        ));
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        crate::testing::background(serve(
            listener,
            TlsAcceptor::from(Arc::new(config)),
            Arc::clone(&requests),
            answer,
            port,
        ));
        let names = Arc::new(Names::default());
        names.set("good.example", &[&["127.0.0.1"]]);
        names.set("other.example", &[&["127.0.0.1"]]);
        let allow: Vec<IpNet> = allow.iter().map(|net| net.parse().unwrap()).collect();
        let roots = certified.cert.pem();
        let outbound = Outbound::with(
            Arc::clone(&names) as Arc<dyn Lookup>,
            &allow,
            Some(roots.as_bytes()),
        )
        .unwrap();
        World {
            names,
            outbound,
            port,
            requests,
        }
    }

    fn url(&self, host: &str, path: &str) -> Url {
        Url::parse(&format!("https://{host}:{}{path}", self.port)).unwrap()
    }

    async fn get(&self, host: &str, path: &str) -> Result<Answer, OutboundError> {
        self.outbound.send(Call::get(self.url(host, path))).await
    }

    fn seen(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    requests: Arc<Mutex<Vec<String>>>,
    answer: fn(&str, u16) -> Vec<u8>,
    port: u16,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(mut stream) = tls.accept(stream).await else {
            continue;
        };
        let mut request = Vec::new();
        let mut buffer = [0; 4_096];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(read) => request.extend_from_slice(&buffer[..read]),
            }
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let line = text.lines().next().unwrap_or_default().to_owned();
        requests.lock().unwrap().push(text);
        let _ = stream.write_all(&answer(&line, port)).await;
        let _ = stream.shutdown().await;
    }
}

fn response(head: &str, body: &[u8]) -> Vec<u8> {
    let mut all = format!(
        "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    all.extend_from_slice(body);
    all
}

fn hello(_: &str, _: u16) -> Vec<u8> {
    response("200 OK", b"hello")
}

#[tokio::test]
async fn a_trusted_server_at_a_permitted_address_answers() {
    let world = World::start(&[LOOPBACK], hello).await;
    let answer = world.get("good.example", "/x").await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_ref()),
        (StatusCode::OK, &b"hello"[..])
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused() {
    let world = World::start(&[LOOPBACK], hello).await;
    let outbound = Outbound::with(
        Arc::clone(&world.names) as Arc<dyn Lookup>,
        &[LOOPBACK.parse().unwrap()],
        None,
    )
    .unwrap();
    let refused = outbound
        .send(Call::get(world.url("good.example", "/")))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, OutboundError::Unreachable(_)),
        "{refused:?}"
    );
    assert!(world.seen().is_empty());
}

#[tokio::test]
async fn addresses_are_refused_before_anything_is_dialled() {
    let world = World::start(&[], hello).await;
    let table: &[(&str, Expected)] = &[
        ("http://good.example/", |e| {
            matches!(e, OutboundError::NotHttps)
        }),
        ("ftp://good.example/", |e| {
            matches!(e, OutboundError::NotHttps)
        }),
        ("https://user@good.example/", |e| {
            matches!(e, OutboundError::UserInfo)
        }),
        ("https://user:pw@good.example/", |e| {
            matches!(e, OutboundError::UserInfo)
        }),
        ("https://127.0.0.1/", |e| {
            matches!(e, OutboundError::NotPublic(_))
        }),
        ("https://2130706433/", |e| {
            matches!(e, OutboundError::NotPublic(_))
        }),
        ("https://0x7f.1/", |e| {
            matches!(e, OutboundError::NotPublic(_))
        }),
        ("https://0177.0.0.1/", |e| {
            matches!(e, OutboundError::NotPublic(_))
        }),
        ("https://169.254.169.254/latest/meta-data", |e| {
            matches!(e, OutboundError::NotPublic(_))
        }),
        ("https://[::1]/", |e| {
            matches!(e, OutboundError::NotPublic(_))
        }),
        ("https://[::ffff:10.0.0.1]/", |e| {
            matches!(e, OutboundError::NotPublic(_))
        }),
        ("https://[64:ff9b::a00:1]/", |e| {
            matches!(e, OutboundError::NotPublic(_))
        }),
        ("https://[fd00::1]/", |e| {
            matches!(e, OutboundError::NotPublic(_))
        }),
        (
            "https://good.example/",
            |e| matches!(e, OutboundError::NotPublic(name) if name == "good.example"),
        ),
    ];
    for (url, expected) in table {
        let refused = world
            .outbound
            .send(Call::get(Url::parse(url).unwrap()))
            .await
            .unwrap_err();
        assert!(
            expected(&refused) && refused.is_refusal(),
            "{url}: {refused:?}"
        );
    }
    assert!(world.seen().is_empty());
}

#[tokio::test]
async fn a_name_with_a_public_and_a_private_address_is_dialled_at_the_permitted_one() {
    let world = World::start(&["127.0.0.1/32"], hello).await;
    // 127.0.0.2 would answer just as well: nobody asks it.
    world
        .names
        .set("good.example", &[&["10.0.0.1", "127.0.0.1", "::1"]]);
    assert!(world.get("good.example", "/").await.is_ok());
}

#[tokio::test]
async fn a_name_that_resolves_differently_the_second_time_is_vetted_the_second_time() {
    let world = World::start(&["127.0.0.1/32"], hello).await;
    world
        .names
        .set("rebind.example", &[&["127.0.0.1"], &["169.254.169.254"]]);
    assert!(world.get("rebind.example", "/").await.is_ok());
    let refused = world.get("rebind.example", "/").await.unwrap_err();
    assert!(
        matches!(refused, OutboundError::NotPublic(_)),
        "{refused:?}"
    );
    // One look-up a call: what was checked is what was dialled.
    assert_eq!(
        (world.names.asked.load(Ordering::SeqCst), world.seen().len()),
        (2, 1)
    );
}

fn redirects(line: &str, port: u16) -> Vec<u8> {
    let to = |code: &str, url: String| response(&format!("{code}\r\nlocation: {url}"), b"");
    let path = line.split(' ').nth(1).unwrap_or_default();
    match path {
        "/away" => to("302 Found", format!("https://other.example:{port}/end")),
        "/same" => to("307 Temporary", "/end".into()),
        "/inside" => to("302 Found", "https://169.254.169.254/latest".into()),
        "/plain" => to("302 Found", format!("http://good.example:{port}/end")),
        "/userinfo" => to("302 Found", format!("https://a:b@good.example:{port}/end")),
        "/rebind" => to("302 Found", format!("https://rebind.example:{port}/end")),
        "/nowhere" => response("302 Found", b""),
        "/keep" => to("307 Temporary", format!("https://other.example:{port}/end")),
        "/see" => to("303 See", "/end".into()),
        "/end" => response("200 OK", line.as_bytes()),
        hop => match hop.trim_start_matches("/hop").parse::<u32>() {
            Ok(0) => response("200 OK", b"arrived"),
            Ok(left) => to("302 Found", format!("/hop{}", left - 1)),
            Err(_) => response("404 None", b""),
        },
    }
}

#[tokio::test]
async fn at_most_three_redirects_are_followed_and_each_is_vetted() {
    let world = World::start(&["127.0.0.1/32"], redirects).await;
    world.names.set("rebind.example", &[&["10.1.1.1"]]);
    assert_eq!(
        world.get("good.example", "/hop3").await.unwrap().body,
        "arrived"
    );
    assert!(matches!(
        world.get("good.example", "/hop4").await,
        Err(OutboundError::TooManyRedirects)
    ));
    let table: &[(&str, Expected)] = &[
        ("/inside", |e| matches!(e, OutboundError::NotPublic(_))),
        ("/rebind", |e| matches!(e, OutboundError::NotPublic(_))),
        ("/plain", |e| matches!(e, OutboundError::NotHttps)),
        ("/userinfo", |e| matches!(e, OutboundError::UserInfo)),
        ("/nowhere", |e| matches!(e, OutboundError::BadRedirect)),
    ];
    for (path, expected) in table {
        let refused = world.get("good.example", path).await.unwrap_err();
        assert!(expected(&refused), "{path}: {refused:?}");
    }
}

#[tokio::test]
async fn credentials_stay_with_their_host() {
    let world = World::start(&[LOOPBACK], redirects).await;
    let call = |path: &str| {
        let mut call = Call::post_json(world.url("good.example", path), "{}");
        call.headers
            .insert("authorization", HeaderValue::from_static("Bearer secret"));
        call.headers
            .insert("x-api-key", HeaderValue::from_static("secret"));
        call
    };
    let answer = world.outbound.send(call("/same")).await.unwrap();
    assert!(
        answer.body.starts_with(b"POST /end"),
        "307 keeps the method"
    );
    assert_eq!(answer.method, Method::POST);
    let answer = world.outbound.send(call("/away")).await.unwrap();
    assert!(
        answer.body.starts_with(b"GET /end"),
        "302 after POST is a GET"
    );
    assert_eq!(answer.url.host_str(), Some("other.example"));
    let answer = world.outbound.send(call("/see")).await.unwrap();
    assert!(answer.body.starts_with(b"GET /end"));
    assert_eq!(answer.method, Method::GET, "nothing was posted there");
    let leaks: Vec<bool> = world
        .seen()
        .iter()
        .map(|request| request.contains("secret"))
        .collect();
    assert_eq!(leaks, [true, true, true, false, true, true]);
}

#[tokio::test]
async fn a_call_that_is_a_credential_itself_goes_to_no_other_host() {
    let world = World::start(&[LOOPBACK], redirects).await;
    let call = |path: &str| Call {
        secret: true,
        ..Call::post_json(world.url("good.example", path), "client_secret")
    };
    for path in ["/keep", "/away"] {
        let refused = world.outbound.send(call(path)).await.unwrap_err();
        assert!(matches!(refused, OutboundError::Elsewhere), "{refused:?}");
    }
    assert!(world.outbound.send(call("/same")).await.is_ok());
    assert_eq!(world.seen().len(), 4, "the other host was not asked");
}

fn floods(line: &str, _: u16) -> Vec<u8> {
    match line.split(' ').nth(1) {
        Some("/fits") => response("200 OK", &vec![b'x'; MAX_BODY]),
        // 1.1 MiB of zeros: some hundred bytes on the wire.
        Some("/bomb") => response(
            "200 OK\r\ncontent-encoding: gzip",
            include_bytes!("../../testdata/bomb.gz"),
        ),
        _ => response("200 OK", &vec![b'x'; MAX_BODY + 1]),
    }
}

#[tokio::test]
async fn an_answer_over_1_mib_decoded_is_cut() {
    let world = World::start(&[LOOPBACK], floods).await;
    assert_eq!(
        world.get("good.example", "/fits").await.unwrap().body.len(),
        MAX_BODY
    );
    for path in ["/large", "/bomb"] {
        assert!(
            matches!(
                world.get("good.example", path).await,
                Err(OutboundError::TooLarge)
            ),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_after_30_seconds() {
    let world = World::start(&[LOOPBACK], hello).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!(
        "https://good.example:{}/",
        silent.local_addr().unwrap().port()
    ))
    .unwrap();
    tokio::time::pause();
    let begun = Instant::now();
    let refused = world.outbound.send(Call::get(url)).await.unwrap_err();
    assert!(
        matches!(
            refused,
            OutboundError::Timeout | OutboundError::Unreachable(_)
        ),
        "{refused:?}"
    );
    assert!(begun.elapsed() <= TIMEOUT + Duration::from_millis(10));
}

#[test]
fn a_wrong_ca_file_names_its_variable() {
    let config = OutboundConfig {
        allow: vec![],
        ca_file: Some("/none.pem".into()),
    };
    assert!(
        Outbound::open(&config)
            .err()
            .unwrap()
            .to_string()
            .starts_with("OUTBOUND_CA_FILE")
    );
}
