//! Settings: environment variables, read once, into one typed struct per service.

mod common;
mod env;
#[cfg(test)]
mod tests;

pub use common::{
    AuthConfig, Common, LogFormat, Neighbours, OutboundConfig, PostgresConfig, ServiceIdentity,
    TelemetryConfig,
};
pub use env::{ConfigError, Env};
