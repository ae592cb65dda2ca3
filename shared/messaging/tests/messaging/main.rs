//! Messaging against a real Postgres and a real RabbitMQ (`TEST_POSTGRES_URL`, `TEST_AMQP_URL`,
//! `TEST_RABBITMQ_MANAGEMENT_URL`): each test has a fresh database and a fresh vhost.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read the environment and spawn services"
)]
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod given_up;
mod inbox;
mod poison;
mod relay;
mod requests;
mod retention;
mod setup;
mod wake;
