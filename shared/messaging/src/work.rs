//! One transaction and what it tells: state, outbox rows and request or inbox row commit together or not at all.

use std::{
    borrow::Cow,
    ops::{Deref, DerefMut},
};

use marketplace_runtime::postgres;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::{
    Database, Error, Outgoing,
    outbox::{self, Told},
    requests::Settlement,
    wake::OUTBOX,
};

/// An open transaction and the events to tell with it. Derefs to [`PgConnection`], so `store` functions take it.
///
/// Only a door begins and commits one. Dropped without commit: nothing happened and nothing is told.
pub struct Work {
    tx: Transaction<'static, Postgres>,
    database: Database,
    told: Vec<Told>,
    wakes: Vec<Cow<'static, str>>,
    afterwards: Vec<Box<dyn FnOnce() + Send>>,
}

impl Work {
    /// Opens a transaction. Within a call its statements end with the call's deadline.
    pub async fn begin(database: &Database) -> Result<Work, sqlx::Error> {
        let tx = postgres::begin(database.pool()).await?;
        Ok(Work {
            tx,
            database: database.clone(),
            told: Vec::new(),
            wakes: Vec::new(),
            afterwards: Vec::new(),
        })
    }

    /// Tells an event: held in memory, written by the commit in one statement with all others. The trace context is
    /// that of the current span.
    pub fn tell(&mut self, event: Outgoing) {
        self.told.push(Told::now(event));
    }

    /// Wakes the listeners of a topic after the commit, on every replica (see [`crate::wake`]).
    pub fn wake(&mut self, topic: impl Into<Cow<'static, str>>) {
        let topic = topic.into();
        if !self.wakes.contains(&topic) {
            self.wakes.push(topic);
        }
    }

    /// Runs `act` in this process once the transaction is committed: what follows is handed over in memory. It must not
    /// block. Dropped with a transaction that is rolled back.
    pub fn after_commit(&mut self, act: impl FnOnce() + Send + 'static) {
        self.afterwards.push(Box::new(act));
    }

    /// The database this transaction runs in.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Writes what was told, commits, and wakes who waits for it.
    pub async fn commit(self) -> Result<(), Error> {
        self.settle(None).await
    }

    /// As [`Work::commit`], with the row of the request in the same statement.
    pub(crate) async fn settle(mut self, request: Option<Settlement>) -> Result<(), Error> {
        outbox::write(&mut self.tx, &self.told, request.as_ref()).await?;
        self.tx.commit().await?;
        for act in self.afterwards {
            act();
        }
        let wake = self.database.wake();
        if !self.told.is_empty() {
            wake.notify(OUTBOX);
        }
        for topic in self.wakes {
            wake.notify(topic);
        }
        Ok(())
    }
}

impl Deref for Work {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.tx
    }
}

impl DerefMut for Work {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}
