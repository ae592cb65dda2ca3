//! PublisherService: publishers, members, operator grants, and what others ask about them.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::publisher_service_server::PublisherService;
use marketplace_runtime::access::{Permission, Scope, Target};
use marketplace_runtime::identity::open;
use marketplace_runtime::ids::{MemberName, OfferName, PublisherName, uuid};
use marketplace_runtime::paging::{self, Fingerprint};
use marketplace_runtime::status::Violation;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Catalog, NEIGHBOURS, invalid, now, once};
use crate::commands::publishers::NewFacts;
use crate::commands::{grants, members, publishers};
use crate::error::Error;
use crate::{store, wire};

/// Implements PublisherService.
#[derive(Clone)]
pub struct Publishers(pub Catalog);

const MOST_PRINCIPALS: usize = 1_000;

fn publisher(text: &str, field: &str) -> Result<PublisherName, Status> {
    PublisherName::parse(text, field).map_err(invalid)
}

#[tonic::async_trait]
impl PublisherService for Publishers {
    async fn create_publisher(
        &self,
        request: Request<pb::CreatePublisherRequest>,
    ) -> Result<Response<pb::CreatePublisherResponse>, Status> {
        let (caller, request) = open(request)?;
        let scope = self
            .0
            .access
            .require(&caller, Permission::Operate, &Target::Platform)
            .await?;
        let once = once(&caller, "CreatePublisher", &request.request_id, &request)?;
        let (publisher, owner) = wire::publishers::create(&request, now()).map_err(invalid)?;
        let command = async |mut db| {
            publishers::create(&mut db, &scope, &publisher, &owner).await?;
            Ok((
                db,
                pb::CreatePublisherResponse {
                    publisher: Some(wire::publishers::publisher(&publisher)),
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn get_publisher(
        &self,
        request: Request<pb::GetPublisherRequest>,
    ) -> Result<Response<pb::GetPublisherResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = publisher(&request.name, "name")?;
        if caller.roles.service {
            self.0.before_neighbours(&caller, NEIGHBOURS).await?;
        } else {
            let scope = self
                .0
                .before_publisher(&caller, Permission::ReadPublisher, &name)
                .await?;
            self.0.permit(&scope).await?;
        }
        let mut db = self.0.db.acquire().await.map_err(Error::from)?;
        let found = store::publishers::get(&mut db, &name.publisher).await?;
        let publisher = found.ok_or_else(|| Error::not_found("Publisher", name))?;
        Ok(Response::new(pb::GetPublisherResponse {
            publisher: Some(wire::publishers::publisher(&publisher)),
        }))
    }

    async fn list_publishers(
        &self,
        request: Request<pb::ListPublishersRequest>,
    ) -> Result<Response<pb::ListPublishersResponse>, Status> {
        let (caller, request) = open(request)?;
        // Any token: who belongs to no publisher sees an empty list.
        self.0
            .access
            .require(&caller, Permission::Customer, &Target::Platform)
            .await?;
        let all = caller.roles.operator || caller.roles.service;
        let principal = (!all).then(|| caller.principal());
        let filters = Fingerprint::of("ListPublishers", &principal);
        let size = paging::page_size(request.page_size).map_err(invalid)?;
        let after: Option<String> =
            paging::decode(&request.page_token, filters).map_err(invalid)?;
        let mut db = self.0.db.read().await.map_err(Error::from)?;
        let mut found =
            store::publishers::list(&mut db, principal, after.as_deref(), size + 1).await?;
        let next_page_token =
            super::next_page(&mut found, size, |last| paging::encode(&last.id, filters));
        let publishers = found.iter().map(wire::publishers::publisher).collect();
        Ok(Response::new(pb::ListPublishersResponse {
            publishers,
            next_page_token,
        }))
    }

    async fn update_programme_facts(
        &self,
        request: Request<pb::UpdateProgrammeFactsRequest>,
    ) -> Result<Response<pb::UpdateProgrammeFactsResponse>, Status> {
        let (caller, request) = open(request)?;
        let scope = self
            .0
            .access
            .require(&caller, Permission::Operate, &Target::Platform)
            .await?;
        let once = once(
            &caller,
            "UpdateProgrammeFacts",
            &request.request_id,
            &request,
        )?;
        let name = publisher(&request.publisher, "publisher")?;
        let programme = wire::publishers::facts(request.programme.as_ref()).map_err(invalid)?;
        let etag = wire::etag(&request.etag, "etag").map_err(invalid)?;
        let command = async |mut db| {
            let new = NewFacts {
                publisher: &name.publisher,
                programme,
                etag,
            };
            let publisher = publishers::update_programme_facts(&mut db, new, now()).await?;
            Ok((
                db,
                pb::UpdateProgrammeFactsResponse {
                    publisher: Some(wire::publishers::publisher(&publisher)),
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn create_member(
        &self,
        request: Request<pb::CreateMemberRequest>,
    ) -> Result<Response<pb::CreateMemberResponse>, Status> {
        let (caller, request) = open(request)?;
        let parent = publisher(&request.parent, "parent")?;
        let scope = self
            .0
            .before_publisher(&caller, Permission::ManageMembers, &parent)
            .await?;
        let once = once(&caller, "CreateMember", &request.request_id, &request)?;
        let member = wire::publishers::create_member(&request, now()).map_err(invalid)?;
        let command = async |mut db| {
            members::create(&mut db, &scope, &member).await?;
            Ok((
                db,
                pb::CreateMemberResponse {
                    member: Some(wire::publishers::member(&member)),
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn get_member(
        &self,
        request: Request<pb::GetMemberRequest>,
    ) -> Result<Response<pb::GetMemberResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = MemberName::parse(&request.name, "name").map_err(invalid)?;
        let target = Target::Resource {
            publisher: &name.publisher,
            kind: "Member",
            name: &request.name,
        };
        let scope = self
            .0
            .access
            .require(&caller, Permission::ReadMembers, &target)
            .await?;
        self.0.permit(&scope).await?;
        let mut db = self.0.db.acquire().await.map_err(Error::from)?;
        let found = store::members::get(&mut db, &name.publisher, &name.member).await?;
        let member = found.ok_or_else(|| Error::not_found("Member", &request.name))?;
        Ok(Response::new(pb::GetMemberResponse {
            member: Some(wire::publishers::member(&member)),
        }))
    }

    async fn list_members(
        &self,
        request: Request<pb::ListMembersRequest>,
    ) -> Result<Response<pb::ListMembersResponse>, Status> {
        let (caller, request) = open(request)?;
        let parent = publisher(&request.parent, "parent")?;
        let scope = self
            .0
            .before_publisher(&caller, Permission::ReadMembers, &parent)
            .await?;
        self.0.permit(&scope).await?;
        let filters = Fingerprint::of("ListMembers", &request.parent);
        let size = paging::page_size(request.page_size).map_err(invalid)?;
        let after: Option<String> =
            paging::decode(&request.page_token, filters).map_err(invalid)?;
        let mut db = self.0.db.read().await.map_err(Error::from)?;
        let mut found =
            store::members::list(&mut db, &parent.publisher, after.as_deref(), size + 1).await?;
        let next_page_token =
            super::next_page(&mut found, size, |last| paging::encode(&last.id, filters));
        let members = found.iter().map(wire::publishers::member).collect();
        Ok(Response::new(pb::ListMembersResponse {
            members,
            next_page_token,
        }))
    }

    async fn update_member(
        &self,
        request: Request<pb::UpdateMemberRequest>,
    ) -> Result<Response<pb::UpdateMemberResponse>, Status> {
        let (caller, request) = open(request)?;
        let new = request
            .member
            .as_ref()
            .ok_or_else(|| invalid(Violation::missing("member")))?;
        let name = MemberName::parse(&new.name, "member.name").map_err(invalid)?;
        let scope = self.before_member(&caller, &name).await?;
        let once = once(&caller, "UpdateMember", &request.request_id, &request)?;
        let change = wire::publishers::update_member(new, &name).map_err(invalid)?;
        let command = async |mut db| {
            let member = members::update(&mut db, &scope, change, now()).await?;
            Ok((
                db,
                pb::UpdateMemberResponse {
                    member: Some(wire::publishers::member(&member)),
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn delete_member(
        &self,
        request: Request<pb::DeleteMemberRequest>,
    ) -> Result<Response<pb::DeleteMemberResponse>, Status> {
        let (caller, request) = open(request)?;
        let name = MemberName::parse(&request.name, "name").map_err(invalid)?;
        let scope = self.before_member(&caller, &name).await?;
        let once = once(&caller, "DeleteMember", &request.request_id, &request)?;
        let command = async |mut db| {
            members::delete(&mut db, &scope, &name.publisher, &name.member, now()).await?;
            Ok((db, pb::DeleteMemberResponse {}))
        };
        self.0.write(&scope, once, command).await
    }

    async fn grant_operator(
        &self,
        request: Request<pb::GrantOperatorRequest>,
    ) -> Result<Response<pb::GrantOperatorResponse>, Status> {
        let (caller, request) = open(request)?;
        let parent = publisher(&request.parent, "parent")?;
        let scope = self
            .0
            .before_publisher(&caller, Permission::Publish, &parent)
            .await?;
        let once = once(&caller, "GrantOperator", &request.request_id, &request)?;
        let grant = wire::publishers::new_grant(&request, &parent, caller.principal(), now())
            .map_err(invalid)?;
        let command = async |mut db| {
            grants::grant_operator(&mut db, &scope, &grant).await?;
            Ok((
                db,
                pb::GrantOperatorResponse {
                    grant: Some(wire::publishers::grant(&grant)),
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn revoke_operator(
        &self,
        request: Request<pb::RevokeOperatorRequest>,
    ) -> Result<Response<pb::RevokeOperatorResponse>, Status> {
        let (caller, request) = open(request)?;
        let (parent, id) = grant_name(&request.name).map_err(invalid)?;
        let target = Target::Resource {
            publisher: &parent.publisher,
            kind: "OperatorGrant",
            name: &request.name,
        };
        let scope = self
            .0
            .access
            .require(&caller, Permission::Publish, &target)
            .await?;
        let once = once(&caller, "RevokeOperator", &request.request_id, &request)?;
        let command = async |mut db| {
            let grant =
                grants::revoke_operator(&mut db, &scope, &parent.publisher, id, now()).await?;
            Ok((
                db,
                pb::RevokeOperatorResponse {
                    grant: Some(wire::publishers::grant(&grant)),
                },
            ))
        };
        self.0.write(&scope, once, command).await
    }

    async fn list_grants(
        &self,
        request: Request<pb::ListGrantsRequest>,
    ) -> Result<Response<pb::ListGrantsResponse>, Status> {
        let (caller, request) = open(request)?;
        let parent = publisher(&request.parent, "parent")?;
        let scope = self
            .0
            .before_publisher(&caller, Permission::ReadOffer, &parent)
            .await?;
        self.0.permit(&scope).await?;
        let filters = Fingerprint::of("ListGrants", &request.parent);
        let size = paging::page_size(request.page_size).map_err(invalid)?;
        let after: Option<Uuid> = paging::decode(&request.page_token, filters).map_err(invalid)?;
        let mut db = self.0.db.read().await.map_err(Error::from)?;
        let mut found = store::grants::list(&mut db, &parent.publisher, after, size + 1).await?;
        let next_page_token =
            super::next_page(&mut found, size, |last| paging::encode(&last.id, filters));
        let grants = found.iter().map(wire::publishers::grant).collect();
        Ok(Response::new(pb::ListGrantsResponse {
            grants,
            next_page_token,
        }))
    }

    async fn check_access(
        &self,
        request: Request<pb::CheckAccessRequest>,
    ) -> Result<Response<pb::CheckAccessResponse>, Status> {
        let (caller, request) = open(request)?;
        self.0.before_neighbours(&caller, NEIGHBOURS).await?;
        let name = publisher(&request.publisher, "publisher")?;
        let mut db = self.0.db.acquire().await.map_err(Error::from)?;
        let (standing, member) =
            store::members::check(&mut db, &name.publisher, &request.principal, now()).await?;
        Ok(Response::new(wire::publishers::access(
            &name.publisher,
            &standing,
            member,
        )))
    }

    async fn batch_get_members(
        &self,
        request: Request<pb::BatchGetMembersRequest>,
    ) -> Result<Response<pb::BatchGetMembersResponse>, Status> {
        let (caller, request) = open(request)?;
        self.0.before_neighbours(&caller, NEIGHBOURS).await?;
        let name = publisher(&request.publisher, "publisher")?;
        if request.principals.len() > MOST_PRINCIPALS {
            return Err(invalid(
                Violation::new("principals", "has more than 1,000 entries").because("TOO_MANY"),
            ));
        }
        let mut db = self.0.db.acquire().await.map_err(Error::from)?;
        let found = store::members::batch(&mut db, &name.publisher, &request.principals).await?;
        let offer_uid = if request.offer.is_empty() {
            String::new()
        } else {
            let offer = OfferName::parse(&request.offer, "offer").map_err(invalid)?;
            if offer.publisher != name.publisher {
                let wrong = Violation::new("offer", "is no offer of this publisher");
                return Err(invalid(wrong.because("BAD_NAME")));
            }
            let scope = Scope::system(&name.publisher);
            let offer = store::offers::get(&mut db, &scope, &offer, now()).await?;
            offer
                .map(|(offer, _)| offer.uid.to_string())
                .unwrap_or_default()
        };
        Ok(Response::new(pb::BatchGetMembersResponse {
            members: found.iter().map(wire::publishers::member).collect(),
            offer_uid,
        }))
    }
}

impl Publishers {
    async fn before_member(
        &self,
        caller: &marketplace_runtime::identity::Caller,
        name: &MemberName,
    ) -> Result<Scope, Status> {
        let text = name.to_string();
        let target = Target::Resource {
            publisher: &name.publisher,
            kind: "Member",
            name: &text,
        };
        self.0
            .access
            .require(caller, Permission::ManageMembers, &target)
            .await
    }
}

/// `publishers/{publisher}/grants/{grant}`
fn grant_name(text: &str) -> Result<(PublisherName, Uuid), Violation> {
    let wrong = || {
        Violation::new(
            "name",
            "is not a name of the form publishers/{publisher}/grants/{grant}",
        )
        .because("BAD_NAME")
    };
    let (parent, id) = text.split_once("/grants/").ok_or_else(wrong)?;
    Ok((
        PublisherName::parse(parent, "name").map_err(|_| wrong())?,
        uuid(id, "name")?,
    ))
}
