//! `AudienceService`: who hears of an offer's submissions. Who the members are is asked before any transaction.

use std::collections::HashMap;

use marketplace_messaging::requests;
use marketplace_proto::notification::v1 as pb;
use marketplace_proto::notification::v1::audience_service_server::AudienceService;
use marketplace_runtime::access::{Permission, Scope};
use marketplace_runtime::ids::{MemberName, OfferName};
use marketplace_runtime::paging::{self, Fingerprint};
use marketplace_runtime::{clock, identity};
use tonic::{Request, Response, Status};

use super::{Grpc, once};
use crate::domain::{Member, Person, recipients};
use crate::error::Error;
use crate::{commands, store, wire};

impl Grpc {
    /// Owners, and those on the list who may be on it (NO-6), by name.
    async fn audience(
        &self,
        scope: &Scope,
        offer: &OfferName,
        request: &pb::ListAudienceRequest,
    ) -> Result<pb::ListAudienceResponse, Error> {
        let fingerprint = Fingerprint::of("ListAudience", &request.offer);
        let size = usize::try_from(paging::page_size(request.page_size)?).unwrap_or(usize::MAX);
        let after: Option<String> = paging::decode(&request.page_token, fingerprint)?;
        let (offer, members) = self.neighbours.offer(offer).await?;
        let mut db = self.db.acquire().await?;
        let list = store::listed(&mut db, scope, offer.uid).await?;
        let mut told: Vec<&Member> = recipients(&members, &list);
        told.retain(|member| after.as_ref().is_none_or(|after| member.name > *after));
        told.sort_by(|a, b| a.name.cmp(&b.name));
        let more = told.len() > size;
        told.truncate(size);
        let principals: Vec<String> = told.iter().map(|member| member.principal.clone()).collect();
        let people = store::people(&mut db, &principals).await?;
        let people: HashMap<&str, &Person> = people
            .iter()
            .map(|person| (person.principal.as_str(), person))
            .collect();
        let entries = told
            .iter()
            .map(|member| wire::entry(member, people.get(member.principal.as_str()).copied()));
        let last = told.last().filter(|_| more);
        let next_page_token = last
            .map(|member| paging::encode(&member.name, fingerprint))
            .unwrap_or_default();
        Ok(pb::ListAudienceResponse {
            entries: entries.collect(),
            next_page_token,
        })
    }
}

/// A member with publishing permission, by name.
fn named(members: Vec<Member>, name: &MemberName) -> Option<Member> {
    let name = name.to_string();
    members.into_iter().find(|member| member.name == name)
}

#[tonic::async_trait]
impl AudienceService for Grpc {
    async fn list_audience(
        &self,
        request: Request<pb::ListAudienceRequest>,
    ) -> Result<Response<pb::ListAudienceResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let offer = wire::offer(&request.offer)?;
        let scope = self.permit(&caller, Permission::ReadOffer, &offer).await?;
        Ok(Response::new(
            self.audience(&scope, &offer, &request).await?,
        ))
    }

    async fn add_audience_member(
        &self,
        request: Request<pb::AddAudienceMemberRequest>,
    ) -> Result<Response<pb::AddAudienceMemberResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let offer = wire::offer(&request.offer)?;
        let scope = self.permit(&caller, Permission::Publish, &offer).await?;
        let once = once(&caller, "AddAudienceMember", &request.request_id, &request)?;
        let name = wire::member_of(&offer, &request.member)?;
        let asked = self.neighbours.offer(&offer).await;
        // What the catalog says of now is looked at within: a repeat is answered as the first time, whoever has left since.
        requests::run(&self.db, once, |mut work| async move {
            let (offer, members) = asked?;
            let member = named(members, &name).ok_or(Error::RoleNotEligible)?;
            let now = clock::now();
            commands::add_audience_member(&mut work, &scope, &offer, &member, &self.portal, now)
                .await?;
            let person = store::person(&mut work, &member.principal).await?;
            Ok((
                work,
                pb::AddAudienceMemberResponse {
                    entry: Some(wire::entry(&member, Some(&person))),
                },
            ))
        })
        .await
    }

    async fn remove_audience_member(
        &self,
        request: Request<pb::RemoveAudienceMemberRequest>,
    ) -> Result<Response<pb::RemoveAudienceMemberResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let offer = wire::offer(&request.offer)?;
        let scope = self.permit(&caller, Permission::Publish, &offer).await?;
        let once = once(
            &caller,
            "RemoveAudienceMember",
            &request.request_id,
            &request,
        )?;
        let name = wire::member_of(&offer, &request.member)?;
        let asked = self.neighbours.offer(&offer).await;
        requests::run(&self.db, once, |mut work| async move {
            let (offer, members) = asked?;
            let owner = named(members, &name).is_some_and(|member| member.owner);
            let (name, now) = (name.to_string(), clock::now());
            commands::remove_audience_member(
                &mut work,
                &scope,
                &offer,
                &name,
                owner,
                &self.portal,
                now,
            )
            .await?;
            Ok((work, pb::RemoveAudienceMemberResponse {}))
        })
        .await
    }
}
