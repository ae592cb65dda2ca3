//! A service's database as messaging sees it: the pool, who is woken by a commit, and which requests run now.

use std::{ops::Deref, sync::Arc};

use marketplace_runtime::postgres::{self, Reader};
use sqlx::{PgPool, postgres::PgConnectOptions};

use crate::{requests::Turns, wake::Wake};

/// The pool of a service with what its doors share. Cheap to clone; derefs to [`PgPool`] for reads.
///
/// Two instances in one process have nothing in common: there are no globals.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
    shared: Arc<Shared>,
}

struct Shared {
    service: &'static str,
    domain: &'static str,
    wake: Wake,
    turns: Turns,
}

impl Database {
    /// `service` is the folder name ("publishing-pipeline"), `domain` the proto package ("marketplace.publishing.v1").
    pub fn new(pool: PgPool, service: &'static str, domain: &'static str) -> Database {
        let shared = Shared {
            service,
            domain,
            wake: Wake::new(),
            turns: Turns::default(),
        };
        Database {
            pool,
            shared: Arc::new(shared),
        }
    }

    /// The same database over a pool of its own of `connections`, so that a role that must not wait for the doors
    /// (a consumer, a step runner) doesn't, and the other way round. Connects when first used.
    pub fn with_own_pool(&self, connections: u32) -> Database {
        let pool = postgres::pool_options(connections).connect_lazy_with(self.options());
        Database {
            pool,
            shared: Arc::clone(&self.shared),
        }
    }

    /// The pool that doors read with.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A connection for the one or two statements of a call that reads: see [`postgres::read`].
    pub async fn read(&self) -> Result<Reader, sqlx::Error> {
        postgres::read(&self.pool).await
    }

    /// Who is woken by commits.
    pub fn wake(&self) -> &Wake {
        &self.shared.wake
    }

    /// Folder name of the service; `app_id` of its messages.
    pub fn service(&self) -> &'static str {
        self.shared.service
    }

    /// Proto package of the service; `domain` of its errors.
    pub fn domain(&self) -> &'static str {
        self.shared.domain
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.shared.turns
    }

    /// How to open a connection outside the pool. Plans aren't compiled: Postgres thinks some of the queue statements
    /// are large, and would take a thousand times as long to compile one as to run it. Nor are they made anew each time,
    /// also where the role's filtered lists need that: what runs here goes by keys.
    pub(crate) fn options(&self) -> PgConnectOptions {
        (*self.pool.connect_options())
            .clone()
            .options([("jit", "off"), ("plan_cache_mode", "force_generic_plan")])
    }
}

impl Deref for Database {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.pool
    }
}
