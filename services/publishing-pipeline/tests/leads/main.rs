//! Leads to every destination, at a real HTTPS server that behaves as the services behind them do: what counts as
//! delivered, whose fault it is if not, what the publisher is told, and that no secret gets out.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod answers;
mod guard;
mod services;
mod world;

use world::{Kind, World};
