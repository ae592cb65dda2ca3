//! Writes with a request id.

use std::sync::atomic::{AtomicBool, Ordering};

use marketplace_messaging::{Work, requests};
use marketplace_runtime::access::Scope;
use prost::Message;
use tonic::{Response, Status};

use super::{Catalog, now};
use crate::error::Error;
use crate::store;

impl Catalog {
    /// Runs a write once per request id.
    ///
    /// Access is checked on repeats too: where the stored answer of a request is given again although its command was
    /// refused or not run at all, what the caller is to the publisher is asked again.
    pub(super) async fn write<A, F, Fut>(
        &self,
        scope: &Scope,
        once: requests::Once,
        command: F,
    ) -> Result<Response<A>, Status>
    where
        A: Message + Default,
        F: FnOnce(Work) -> Fut,
        Fut: Future<Output = Result<(Work, A), Error>>,
    {
        let permitted = AtomicBool::new(false);
        let answer = requests::run(&self.db, once, |work| async {
            let done = command(work).await?;
            permitted.store(true, Ordering::Relaxed);
            Ok(done)
        })
        .await?;
        if !permitted.load(Ordering::Relaxed) && !scope.is_settled() {
            self.permit(scope).await?;
        }
        Ok(answer)
    }

    /// Decides an open scope by a statement of its own.
    pub(super) async fn permit(&self, scope: &Scope) -> Result<Scope, Status> {
        let publisher = scope.publisher().unwrap_or_default();
        let mut db = self.db.acquire().await.map_err(Error::from)?;
        let standing = store::publishers::standing(&mut db, scope, publisher, now()).await?;
        scope.clone().settle(&standing)
    }
}
