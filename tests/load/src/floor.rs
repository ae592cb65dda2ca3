//! What the parts do without us: bare tonic, tonic over one read by key or one transaction of two inserts, and the broker.
//!
//! The floors are served by a process of their own, as the services are, by the smallest service there is: gRPC health,
//! whose `service` says what to do.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use sqlx::PgPool;
use system_tests::{Marketplace, until};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::pace::{Times, closed_loop};
use crate::report::{Report, rate};

/// Callers at a time, over this many connections: of floors and services alike.
pub const CALLERS: usize = 32;
pub const CONNECTIONS: usize = 4;
const ROWS: i64 = 10_000;

/// Operations per second.
pub struct Floors {
    pub read: f64,
    pub write: f64,
}

struct Bare(PgPool);

#[tonic::async_trait]
impl Health for Bare {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let wanted = request.into_inner().service;
        let done = match wanted.as_str() {
            "read" => read(&self.0).await,
            "write" => write(&self.0).await,
            _ => Ok(()),
        };
        done.map_err(|error| Status::internal(error.to_string()))?;
        let status = ServingStatus::Serving as i32;
        Ok(Response::new(HealthCheckResponse { status }))
    }

    type WatchStream = tokio_stream::Empty<Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("the floors are not watched"))
    }
}

#[expect(clippy::disallowed_methods, reason = "tables of the benchmark's own")]
async fn read(db: &PgPool) -> sqlx::Result<()> {
    let key = i64::from(uuid::Uuid::new_v4().as_bytes()[0]) * 39 % ROWS;
    let row = sqlx::query("SELECT body FROM floor WHERE id = $1").bind(key);
    row.fetch_one(db).await.map(drop)
}

#[expect(clippy::disallowed_methods, reason = "tables of the benchmark's own")]
async fn write(db: &PgPool) -> sqlx::Result<()> {
    let mut transaction = db.begin().await?;
    for table in [
        "INSERT INTO floor_writes (body) VALUES ($1)",
        "INSERT INTO floor_events (body) VALUES ($1)",
    ] {
        sqlx::query(table)
            .bind(vec![7_u8; 1_000])
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

/// Serves the floors until it is killed.
pub async fn serve(database: &str, port: u16) -> anyhow::Result<()> {
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(16)
        .connect(database)
        .await?;
    tonic::transport::Server::builder()
        .add_service(HealthServer::new(Bare(pool)))
        .serve(([127, 0, 0, 1], port).into())
        .await?;
    Ok(())
}

/// Measures each floor.
pub async fn measure(
    report: &mut Report,
    market: &Marketplace,
    pause: Duration,
) -> anyhow::Result<Floors> {
    prepare(market).await?;
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port();
    let database = market.servers.database.superuser_url();
    let _server = tokio::process::Command::new(std::env::current_exe()?)
        .args([
            "floor",
            "--database",
            &database,
            "--port",
            &port.to_string(),
        ])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?;
    until("the floors are served", async || {
        Ok(endpoint.connect().await.ok())
    })
    .await?;
    let channels: Vec<Channel> = (0..CONNECTIONS).map(|_| endpoint.connect_lazy()).collect();
    let mut measured = Vec::new();
    for (name, what) in [
        ("", "floor: bare tonic"),
        ("read", "floor: tonic, one read by key"),
        ("write", "floor: tonic, one transaction of two inserts"),
    ] {
        let call = async |channel: Channel, _| {
            let service = name.to_owned();
            HealthClient::new(channel)
                .check(HealthCheckRequest { service })
                .await?;
            Ok(())
        };
        let times = closed_loop(CALLERS, pause, call, &channels).await?;
        report.row(what, &rate(&times), "");
        measured.push(times.rate());
    }
    report.row(
        "floor: publish, confirm, consume, ack",
        &rate(&broker(&market.servers.amqp, 20_000).await?),
        "",
    );
    let [_, read, write] = measured
        .try_into()
        .map_err(|_| anyhow::anyhow!("three floors"))?;
    Ok(Floors { read, write })
}

#[expect(clippy::disallowed_methods, reason = "tables of the benchmark's own")]
async fn prepare(market: &Marketplace) -> anyhow::Result<()> {
    let mut db = market.servers.database.superuser().await?;
    for statement in [
        "CREATE TABLE floor (id bigint PRIMARY KEY, body bytea NOT NULL)",
        "INSERT INTO floor SELECT n, decode(repeat('07', 1000), 'hex') FROM generate_series(0, 9999) n",
        "CREATE TABLE floor_writes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)",
        "CREATE TABLE floor_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)",
    ] {
        sqlx::query(statement).execute(&mut db).await?;
    }
    Ok(())
}

/// Persistent messages of 1,000 bytes through a quorum queue: 64 unconfirmed at most, acked in batches of up to 64, as
/// the relay and the inbox do. A time is from publish to its confirm.
async fn broker(amqp: &str, messages: usize) -> anyhow::Result<Times> {
    let connection = Connection::connect(amqp, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let mut arguments = FieldTable::default();
    arguments.insert(
        "x-queue-type".into(),
        AMQPValue::LongString("quorum".into()),
    );
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare("floor".into(), durable, arguments)
        .await?;
    let reader = connection.create_channel().await?;
    reader.basic_qos(256, Default::default()).await?;
    let mut deliveries = reader
        .basic_consume(
            "floor".into(),
            "floor".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let begun = Instant::now();
    let publishing = futures::stream::iter(0..messages)
        .map(|_| async {
            let started = Instant::now();
            let persistent = BasicProperties::default().with_delivery_mode(2);
            let published = channel.basic_publish(
                "".into(),
                "floor".into(),
                BasicPublishOptions::default(),
                &[7; 1_000],
                persistent,
            );
            published.await?.await?;
            anyhow::Ok(started.elapsed())
        })
        .buffer_unordered(64)
        .collect::<Vec<_>>();
    let consuming = async {
        for number in 1..=messages {
            let delivery = deliveries
                .next()
                .await
                .context("the consumer was canceled")??;
            if number % 64 == 0 || number == messages {
                delivery.ack(BasicAckOptions { multiple: true }).await?;
            }
        }
        anyhow::Ok(())
    };
    let (published, consumed) = tokio::join!(publishing, consuming);
    consumed?;
    let whole = begun.elapsed();
    let times = published.into_iter().collect::<anyhow::Result<_>>()?;
    connection.close(200, "done".into()).await?;
    Ok(Times::new(times, whole))
}
