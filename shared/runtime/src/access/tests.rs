//! Who may do what: every permission against every kind of caller, and what happens while the catalog is away.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use tonic::Code;

use super::*;
use crate::clock;
use crate::testing::{Folder, Signer, service_tokens};

const DOMAIN: &str = "marketplace.certification.v1";
const OFFER: Target<'static> = Target::Resource {
    publisher: "contoso",
    kind: "Offer",
    name: "publishers/contoso/offers/db",
};
const INCIDENT: Target<'static> = Target::Incident {
    publisher: "contoso",
    kind: "Offer",
    name: "publishers/contoso/offers/db",
};

fn caller(role: &str) -> Caller {
    let mut caller = Caller::new(
        "https://issuer.example",
        "ada",
        clock::now() + Duration::from_secs(60),
    );
    caller.roles.operator = role == "operator";
    caller.roles.reviewer = role == "reviewer";
    caller.roles.service = role.starts_with("service ");
    caller.service = role.strip_prefix("service ").map(str::to_owned);
    caller
}

fn member(roles: &[Role]) -> Membership {
    Membership {
        roles: roles.to_vec(),
        member: true,
        operator_granted: false,
        publisher_exists: true,
    }
}

fn nobody() -> Membership {
    Membership {
        publisher_exists: true,
        ..Membership::default()
    }
}

fn granted() -> Membership {
    Membership {
        operator_granted: true,
        ..nobody()
    }
}

/// What becomes of a permission: "ok {in whose name}", or the reason of the refusal.
async fn decide(
    who: &Caller,
    permission: Permission,
    target: &Target<'_>,
    membership: &Membership,
) -> String {
    let scope = Access::local(DOMAIN).require(who, permission, target).await;
    match scope.and_then(|scope| scope.settle(membership)) {
        Ok(scope) => {
            assert!(scope.is_settled());
            assert_eq!(scope.publisher(), target.publisher());
            format!("ok {:?}", scope.acts_as())
        }
        Err(status) => crate::status::reason(&status),
    }
}

#[tokio::test]
async fn members_are_permitted_by_their_roles() {
    use Permission::{ManageMembers, ManageOwners, Publish, ReadOffer, ReadPublisher};
    let all = [
        ReadPublisher,
        ReadOffer,
        Publish,
        ManageMembers,
        ManageOwners,
    ];
    let (yes, no) = ("ok User", "ROLE_REQUIRED");
    let table = [
        (vec![Role::Owner], [yes, yes, yes, yes, yes]),
        (vec![Role::Manager], [yes, yes, yes, yes, no]),
        (vec![Role::Developer], [yes, yes, yes, no, no]),
        (vec![Role::BusinessContributor], [yes, no, no, no, no]),
        (vec![Role::Marketer], [yes, no, no, no, no]),
        (vec![Role::FinancialContributor], [yes, no, no, no, no]),
        (
            vec![Role::Marketer, Role::Manager],
            [yes, yes, yes, yes, no],
        ),
        (vec![], [yes, no, no, no, no]),
    ];
    for (roles, expected) in table {
        for (permission, expected) in all.into_iter().zip(expected) {
            let decided = decide(&caller(""), permission, &OFFER, &member(&roles)).await;
            assert_eq!(decided, expected, "{roles:?} {permission:?}");
        }
    }
}

#[tokio::test]
async fn everybody_else_is_permitted_by_platform_roles_grants_and_incidents() {
    use Permission::{
        Correct, Customer, ManageMembers, Operate, Publish, ReadOffer, ReadPublisher, Review,
    };
    let services = Permission::Service(&["history", "notification"]);
    let absent = Membership::default();
    let (none, gone) = ("NOT_FOUND", &absent);
    let table = [
        ("", ReadPublisher, OFFER, &nobody(), none),
        ("", ReadOffer, OFFER, &nobody(), none),
        ("", Publish, OFFER, &granted(), none),
        ("", Publish, INCIDENT, &nobody(), none),
        ("reviewer", ReadPublisher, OFFER, &nobody(), "ok User"),
        ("reviewer", ReadPublisher, OFFER, gone, none),
        ("reviewer", ReadOffer, OFFER, &nobody(), none),
        ("operator", ReadPublisher, OFFER, &nobody(), "ok Operator"),
        ("operator", ReadOffer, OFFER, &nobody(), "ok Operator"),
        ("operator", ReadOffer, OFFER, gone, none),
        ("operator", Publish, OFFER, &nobody(), "GRANT_REQUIRED"),
        ("operator", Publish, OFFER, &granted(), "ok Operator"),
        ("operator", Publish, INCIDENT, &nobody(), "ok Operator"),
        ("operator", Publish, INCIDENT, gone, none),
        ("operator", Correct, OFFER, &nobody(), "GRANT_REQUIRED"),
        (
            "operator",
            Correct,
            OFFER,
            &member(&[Role::Owner]),
            "GRANT_REQUIRED",
        ),
        ("operator", Correct, OFFER, &granted(), "ok Operator"),
        (
            "operator",
            Correct,
            INCIDENT,
            &member(&[Role::Owner]),
            "ok Operator",
        ),
        (
            "",
            Correct,
            INCIDENT,
            &member(&[Role::Owner]),
            "ROLE_REQUIRED",
        ),
        ("", Correct, INCIDENT, &granted(), none),
        (
            "operator",
            ManageMembers,
            OFFER,
            &granted(),
            "ROLE_REQUIRED",
        ),
        (
            "operator",
            Publish,
            OFFER,
            &member(&[Role::Owner]),
            "ok User",
        ),
        ("operator", Review, OFFER, &nobody(), "ROLE_REQUIRED"),
        ("reviewer", Review, OFFER, &nobody(), "ok User"),
        (
            "reviewer",
            Review,
            OFFER,
            &member(&[Role::Marketer]),
            "CONFLICT_OF_INTEREST",
        ),
        ("", Review, OFFER, &member(&[Role::Owner]), "ROLE_REQUIRED"),
        ("reviewer", Review, Target::Platform, gone, "ok User"),
        ("", Review, Target::Platform, gone, "ROLE_REQUIRED"),
        ("operator", Operate, Target::Platform, gone, "ok Operator"),
        ("reviewer", Operate, Target::Platform, gone, "ROLE_REQUIRED"),
        (
            "service history",
            Operate,
            Target::Platform,
            gone,
            "ROLE_REQUIRED",
        ),
        (
            "service history",
            services,
            Target::Platform,
            gone,
            "ok System",
        ),
        (
            "service certification",
            services,
            Target::Platform,
            gone,
            "ROLE_REQUIRED",
        ),
        (
            "operator",
            services,
            Target::Platform,
            gone,
            "ROLE_REQUIRED",
        ),
        ("service history", Publish, OFFER, &nobody(), none),
        ("", Customer, Target::Platform, gone, "ok User"),
        ("operator", Publish, Target::Platform, gone, "ROLE_REQUIRED"),
    ];
    for (who, permission, target, membership, expected) in table {
        let decided = decide(&caller(who), permission, &target, membership).await;
        assert_eq!(
            decided, expected,
            "{who:?} {permission:?} {target:?} {membership:?}"
        );
    }
}

#[tokio::test]
async fn a_stranger_gets_the_bytes_of_a_missing_resource() {
    let open = Access::local(DOMAIN)
        .require(&caller(""), Permission::Publish, &OFFER)
        .await
        .unwrap();
    let missing = crate::status::not_found(DOMAIN, "Offer", "publishers/contoso/offers/db");
    for membership in [nobody(), Membership::default(), granted()] {
        let refused = open.clone().settle(&membership).unwrap_err();
        assert_eq!(
            (refused.code(), refused.message(), refused.details()),
            (Code::NotFound, missing.message(), missing.details())
        );
    }
}

#[tokio::test]
async fn in_the_catalog_a_scope_stays_open_until_the_roles_are_read() {
    let access = Access::local(DOMAIN);
    let open = access
        .require(&caller(""), Permission::Publish, &OFFER)
        .await
        .unwrap();
    assert!(!open.is_settled());
    assert!(
        access
            .require(&caller(""), Permission::Customer, &Target::Platform)
            .await
            .unwrap()
            .is_settled()
    );
    assert_eq!(
        open.settle(&member(&[Role::Developer])).unwrap().role(),
        Some(Role::Developer)
    );
}

#[test]
fn roles_survive_the_round_trip() {
    for role in Role::ALL {
        assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
        assert_eq!(Role::from_proto(role.to_proto() as i32), Some(role));
    }
    assert!("emperor".parse::<Role>().is_err());
    assert_eq!((Role::from_proto(0), Role::from_proto(99)), (None, None));
}

/// A catalog that answers CheckAccess with what it is told, and counts.
#[derive(Clone)]
struct Fake {
    asked: Arc<AtomicUsize>,
    away: Arc<AtomicBool>,
    answer: Arc<Mutex<CheckAccessResponse>>,
}

impl tonic::server::NamedService for Fake {
    const NAME: &'static str = "marketplace.offercatalog.v1.PublisherService";
}

impl tonic::server::UnaryService<CheckAccessRequest> for Fake {
    type Response = CheckAccessResponse;
    type Future = std::future::Ready<Result<tonic::Response<CheckAccessResponse>, Status>>;

    fn call(&mut self, request: tonic::Request<CheckAccessRequest>) -> Self::Future {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let request = request.into_inner();
        assert_eq!(
            (request.publisher.as_str(), request.principal.as_str()),
            ("publishers/contoso", "https://issuer.example|ada")
        );
        std::future::ready(match self.away.load(Ordering::SeqCst) {
            true => Err(Status::unavailable("away")),
            false => Ok(tonic::Response::new(self.answer.lock().unwrap().clone())),
        })
    }
}

impl tower::Service<http::Request<tonic::body::Body>> for Fake {
    type Response = http::Response<tonic::body::Body>;
    type Error = std::convert::Infallible;
    type Future = futures::future::BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let codec =
                tonic_prost::ProstCodec::<CheckAccessResponse, CheckAccessRequest>::default();
            Ok(tonic::server::Grpc::new(codec)
                .unary(service, request)
                .await)
        })
    }
}

impl Fake {
    async fn start() -> (Fake, Access) {
        let fake = Fake {
            asked: Arc::default(),
            away: Arc::default(),
            answer: Arc::default(),
        };
        let incoming =
            tonic::transport::server::TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}", incoming.local_addr().unwrap())
            .parse()
            .unwrap();
        crate::testing::background(
            tonic::transport::Server::builder()
                .add_service(fake.clone())
                .serve_with_incoming(incoming),
        );
        let tokens = service_tokens(
            &Folder::new(),
            &Signer::new(Algorithm::EdDSA, "local-1"),
            "certification",
        );
        (
            fake,
            Access::remote(DOMAIN, crate::neighbour::channel(&url, &tokens).unwrap()),
        )
    }

    fn says(&self, roles: &[Role]) {
        let roles: Vec<i32> = roles.iter().map(|role| role.to_proto() as i32).collect();
        let answer = CheckAccessResponse {
            member: !roles.is_empty(),
            roles,
            publisher_exists: true,
            ..Default::default()
        };
        *self.answer.lock().unwrap() = answer;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn advance(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn positive_answers_live_five_seconds_and_negative_ones_not_at_all() {
    let (catalog, access) = Fake::start().await;
    let ada = caller("");
    for expected in 1..=3 {
        assert_eq!(
            access
                .require(&ada, Permission::Publish, &OFFER)
                .await
                .unwrap_err()
                .code(),
            Code::NotFound
        );
        assert_eq!(catalog.asked(), expected);
    }
    catalog.says(&[Role::Developer]);
    for _ in 0..5 {
        let scope = access
            .require(&ada, Permission::Publish, &OFFER)
            .await
            .unwrap();
        assert_eq!(
            (scope.role(), scope.principal()),
            (Some(Role::Developer), "https://issuer.example|ada")
        );
        assert_eq!(catalog.asked(), 4);
    }
    // What the kept answer would refuse is asked again: they may have been promoted.
    catalog.says(&[Role::Owner]);
    assert!(
        access
            .require(&ada, Permission::ManageOwners, &OFFER)
            .await
            .is_ok()
    );
    assert_eq!(catalog.asked(), 5);
    catalog.says(&[]);
    assert!(
        access
            .require(&ada, Permission::Publish, &OFFER)
            .await
            .is_ok()
    );
    advance(6).await;
    assert_eq!(
        access
            .require(&ada, Permission::Publish, &OFFER)
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn with_the_catalog_away_reads_go_on_for_a_minute_and_writes_wait() {
    let (catalog, access) = Fake::start().await;
    let ada = caller("");
    catalog.away.store(true, Ordering::SeqCst);
    for permission in [Permission::ReadOffer, Permission::Publish] {
        let refused = access.require(&ada, permission, &OFFER).await.unwrap_err();
        assert_eq!(
            refused.code(),
            Code::Unavailable,
            "nothing is allowed by default"
        );
    }
    catalog.away.store(false, Ordering::SeqCst);
    catalog.says(&[Role::Developer]);
    access
        .require(&ada, Permission::ReadOffer, &OFFER)
        .await
        .unwrap();
    catalog.away.store(true, Ordering::SeqCst);
    advance(30).await;
    assert!(
        access
            .require(&ada, Permission::ReadOffer, &OFFER)
            .await
            .is_ok()
    );
    assert_eq!(
        access
            .require(&ada, Permission::Publish, &OFFER)
            .await
            .unwrap_err()
            .code(),
        Code::Unavailable
    );
    advance(31).await;
    assert_eq!(
        access
            .require(&ada, Permission::ReadOffer, &OFFER)
            .await
            .unwrap_err()
            .code(),
        Code::Unavailable
    );
    // Who was refused by the catalog has no old answer to go by.
    catalog.away.store(false, Ordering::SeqCst);
    catalog.says(&[Role::Developer]);
    access
        .require(&ada, Permission::ReadOffer, &OFFER)
        .await
        .unwrap();
    catalog.says(&[]);
    advance(6).await;
    assert!(
        access
            .require(&ada, Permission::ReadOffer, &OFFER)
            .await
            .is_err()
    );
    catalog.away.store(true, Ordering::SeqCst);
    assert_eq!(
        access
            .require(&ada, Permission::ReadOffer, &OFFER)
            .await
            .unwrap_err()
            .code(),
        Code::Unavailable
    );
}
