//! Dry runs: made, read, watched, canceled. They are carried out by [`crate::dry_runs`].

use std::sync::Arc;

use marketplace_messaging::requests;
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::access::{Permission, Scope, Target};
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::DryRunName;
use marketplace_runtime::{clock, ids};
use tonic::{Response, Status};
use uuid::Uuid;

use super::watching::{self, Watched, Watching};
use super::{Grpc, once};
use crate::domain::{DryRun, NewDryRun};
use crate::error::Error;
use crate::{commands, store, wire};

struct Watch {
    grpc: Grpc,
    scope: Scope,
    name: DryRunName,
    id: Uuid,
    /// The revision that was sent last.
    seen: u64,
    over: bool,
}

impl Grpc {
    pub(super) async fn create_dry_run(
        &self,
        caller: &Caller,
        request: pb::CreateDryRunRequest,
    ) -> Result<Response<pb::CreateDryRunResponse>, Status> {
        let wanted = wire::create_dry_run(&request).map_err(Error::from)?;
        let scope = self
            .permit_offer(caller, Permission::Publish, &wanted.offer)
            .await?;
        let once = once(caller, "CreateDryRun", &request.request_id, &request)?;
        // A repeat is answered whatever has become of the offer since.
        if let Some(answer) = requests::replay(&self.db, &once).await? {
            return Ok(Response::new(answer));
        }
        let name = wanted.offer.to_string();
        let draft = self.catalog.draft(&name).await?;
        let draft = draft.ok_or(Error::NotFound {
            kind: "Offer",
            name,
        })?;
        let offer_uid = Uuid::try_parse(&draft.offer_uid)
            .map_err(|_| Error::Corrupt("the catalogue's draft names no offer"))?;
        let new = NewDryRun {
            id: ids::new_id(),
            offer_uid,
            publisher: wanted.offer.publisher,
            offer: wanted.offer.offer,
            target: wanted.target,
            depth: wanted.depth,
            probe_endpoints: wanted.probe_endpoints,
            notes: wanted.notes,
            confirm: wanted.confirm,
            supersede: wanted.supersede,
            by: wire::actor_of(&scope),
        };
        let run = DryRun::new(new, clock::now());
        requests::run(&self.db, once, async move |mut work| {
            let run = commands::create_dry_run(&mut work, &self.quotas, run).await?;
            let dry_run = Some(wire::dry_run(&run, &self.medians()));
            Ok((work, pb::CreateDryRunResponse { dry_run }))
        })
        .await
    }

    pub(super) async fn get_dry_run(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<pb::DryRun, Status> {
        let (name, id) = wire::dry_run_name(name).map_err(Error::from)?;
        let scope = self
            .permit_dry_run(caller, Permission::ReadOffer, &name)
            .await?;
        let run = self.find_dry_run(&scope, &name, id).await?;
        Ok(wire::dry_run(&run, &self.medians()))
    }

    pub(super) async fn cancel_dry_run(
        &self,
        caller: &Caller,
        request: pb::CancelDryRunRequest,
    ) -> Result<Response<pb::CancelDryRunResponse>, Status> {
        let (name, _) = wire::dry_run_name(&request.name).map_err(Error::from)?;
        let scope = self
            .permit_dry_run(caller, Permission::Publish, &name)
            .await?;
        let once = once(caller, "CancelDryRun", &request.request_id, &request)?;
        requests::run(&self.db, once, async move |mut work| {
            let run = commands::cancel_dry_run(&mut work, &scope, &name, clock::now()).await?;
            let dry_run = Some(wire::dry_run(&run, &self.medians()));
            Ok((work, pb::CancelDryRunResponse { dry_run }))
        })
        .await
    }

    pub(super) async fn watch_dry_run(
        &self,
        caller: Arc<Caller>,
        name: &str,
    ) -> Result<Watching<pb::WatchDryRunResponse>, Status> {
        let (name, id) = wire::dry_run_name(name).map_err(Error::from)?;
        let scope = self
            .permit_dry_run(&caller, Permission::ReadOffer, &name)
            .await?;
        let listener = self.db.wake().on(commands::dry_run_watched(id));
        let watch = Watch {
            grpc: self.clone(),
            scope,
            name,
            id,
            seen: 0,
            over: false,
        };
        watching::watch(watch, caller, listener, self.stopping.clone()).await
    }

    async fn permit_dry_run(
        &self,
        caller: &Caller,
        wanted: Permission,
        name: &DryRunName,
    ) -> Result<Scope, Status> {
        let target = Target::Resource {
            publisher: &name.publisher,
            kind: "DryRun",
            name: &name.to_string(),
        };
        self.access.require(caller, wanted, &target).await
    }

    async fn find_dry_run(
        &self,
        scope: &Scope,
        name: &DryRunName,
        id: Uuid,
    ) -> Result<DryRun, Error> {
        let mut db = self.db.acquire().await?;
        let found = store::find_dry_run(&mut db, scope, &name.offer, id).await?;
        found.ok_or_else(|| Error::NotFound {
            kind: "DryRun",
            name: name.to_string(),
        })
    }
}

impl Watched for Watch {
    type News = pb::WatchDryRunResponse;

    fn over(&self) -> bool {
        self.over
    }

    async fn recheck(&mut self, caller: &Caller) -> Result<(), Status> {
        let read = Permission::ReadOffer;
        self.scope = self.grpc.permit_dry_run(caller, read, &self.name).await?;
        Ok(())
    }

    /// The whole state, where it is another than was sent last.
    async fn look(&mut self) -> Result<Option<pb::WatchDryRunResponse>, Status> {
        if self.seen > 0 {
            let mut db = self.grpc.db.acquire().await.map_err(Error::from)?;
            if store::dry_run_revision(&mut db, self.id).await? == Some(self.seen) {
                return Ok(None);
            }
        }
        let run = self
            .grpc
            .find_dry_run(&self.scope, &self.name, self.id)
            .await?;
        self.seen = run.revision;
        self.over = run.has_ended();
        let dry_run = Some(wire::dry_run(&run, &self.grpc.medians()));
        Ok(Some(pb::WatchDryRunResponse { dry_run }))
    }
}
