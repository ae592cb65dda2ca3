//! The table: who may call what, and a request that succeeds for those who may.

/// One RPC about one thing; an RPC may have several. Letters as in [`super::CALLERS`]: `U` UNAUTHENTICATED, `N` NOT_FOUND
/// (as if there were no such thing), `D` PERMISSION_DENIED, `+` OK, `?` anything else.
pub struct Row {
    pub rpc: &'static str,
    pub letters: &'static str,
    /// Protobuf's JSON, one message after the other; `{…}` are filled in by the stage, `{fresh_…}` anew for each call
    /// that is to succeed.
    pub request: &'static str,
    /// The service that calls, where it matters.
    pub service: Option<&'static str>,
}

const fn row(rpc: &'static str, letters: &'static str, request: &'static str) -> Row {
    Row {
        rpc,
        letters,
        request,
        service: None,
    }
}

/// For the publisher, and for the service that writes mails of it.
const fn reports(rpc: &'static str, service: &'static str, request: &'static str) -> Row {
    Row {
        rpc,
        letters: "UUUND+++N+++N",
        request,
        service: Some(service),
    }
}

const fn internal(rpc: &'static str, service: &'static str, request: &'static str) -> Row {
    Row {
        rpc,
        letters: SERVICE,
        request,
        service: Some(service),
    }
}

/// Anybody at all; a token that is wrong is refused all the same.
const ANYBODY: &str = "+UU++++++++++";
const ANY_TOKEN: &str = "UUU++++++++++";
/// Members of any role, operators.
const READ_MEMBERS: &str = "UUUN++++N++NN";
/// Publishing roles, operators.
const READ_OFFER: &str = "UUUND+++N++NN";
/// Publishing roles; operators have no grant here.
const PUBLISH: &str = "UUUND+++N+DNN";
/// Publishing roles, and operators for an open incident; of what is refused by its state.
const INCIDENT: &str = "UUUND???N??NN";
/// Owners and managers.
const MANAGE: &str = "UUUNDD++NDDNN";
const OPERATOR: &str = "UUUDDDDDDD+DD";
const SERVICE: &str = "UUUDDDDDDDD+D";
/// Publishing roles, operators, reviewers; an interest takes a reviewer's own publisher away.
const CASES: &str = "UUUND++++D+NN";
/// Reviewers; one with an interest sees the queue without the cases of its publisher.
const QUEUE: &str = "UUUDDDDD++DDD";
const REVIEW: &str = "UUUDDDDD+DDDD";

#[rustfmt::skip] // One row is one line.
pub const ROWS: &[Row] = &[
    // offer-catalog: publishers
    row("PublisherService/CreatePublisher", OPERATOR, r#"{"publisher_id": "p-{n}", "display_name": "P", "owner": {"name": "publishers/p-{n}/members/o", "kind": "MEMBER_KIND_USER", "principal": "https://local.marketplace|o", "display_name": "O", "roles": ["MEMBER_ROLE_OWNER"]}}"#),
    row("PublisherService/GetPublisher", "UUUN++++++++N", r#"{"name": "publishers/contoso"}"#),
    row("PublisherService/ListPublishers", ANY_TOKEN, "{}"),
    row("PublisherService/UpdateProgrammeFacts", OPERATOR, r#"{"publisher": "publishers/fabrikam", "programme": {"enrolled": true}}"#),
    row("PublisherService/CreateMember", MANAGE, r#"{"parent": "publishers/contoso", "member_id": "m-{n}", "member": {"kind": "MEMBER_KIND_USER", "principal": "https://local.marketplace|m-{n}", "display_name": "M", "roles": ["MEMBER_ROLE_DEVELOPER"]}}"#),
    row("PublisherService/GetMember", READ_MEMBERS, r#"{"name": "publishers/contoso/members/ada"}"#),
    row("PublisherService/ListMembers", READ_MEMBERS, r#"{"parent": "publishers/contoso"}"#),
    row("PublisherService/UpdateMember", MANAGE, r#"{"member": {"name": "{fresh_member}", "display_name": "Renamed", "roles": ["MEMBER_ROLE_MARKETER"]}}"#),
    row("PublisherService/DeleteMember", MANAGE, r#"{"name": "{fresh_member}"}"#),
    row("PublisherService/GrantOperator", "UUUND+++N+DNN", r#"{"parent": "publishers/granting", "reason": "help us"}"#),
    row("PublisherService/RevokeOperator", "UUUND+++N+DNN", r#"{"name": "{fresh_grant}"}"#),
    row("PublisherService/ListGrants", READ_OFFER, r#"{"parent": "publishers/contoso"}"#),
    internal("PublisherService/CheckAccess", "history", r#"{"publisher": "publishers/contoso", "principal": "https://local.marketplace|ada"}"#),
    internal("PublisherService/BatchGetMembers", "notification", r#"{"publisher": "publishers/contoso"}"#),
    // offer-catalog: offers
    row("OfferService/CreateOffer", PUBLISH, r#"{"parent": "publishers/contoso", "offer_id": "o-{n}", "offer_type": "softwareAsAService", "alias": "A"}"#),
    row("OfferService/CreateOffer", "UUUND+++N++NN", r#"{"parent": "publishers/granting", "offer_id": "o-{n}", "offer_type": "softwareAsAService", "alias": "A"}"#),
    row("OfferService/GetOffer", READ_OFFER, r#"{"name": "{offer}"}"#),
    row("OfferService/ListOffers", READ_OFFER, r#"{"parent": "publishers/contoso"}"#),
    row("OfferService/DeleteOffer", PUBLISH, r#"{"name": "{fresh_offer}"}"#),
    row("OfferService/UpdatePage", PUBLISH, r#"{"page": {"parent": "{fresh_offer}", "co_sell": {}}}"#),
    row("OfferService/GetPage", READ_OFFER, r#"{"parent": "{offer}", "page_id": "PAGE_ID_OFFER_SETUP"}"#),
    row("OfferService/ReviewOffer", READ_OFFER, r#"{"name": "{offer}"}"#),
    internal("OfferService/GetDraftStanding", "publishing-pipeline", r#"{"offer": "{offer}"}"#),
    row("OfferService/GetOfferTree", READ_OFFER, r#"{"name": "{offer}"}"#),
    row("OfferService/CompareOffer", READ_OFFER, r#"{"name": "{offer}"}"#),
    row("OfferService/ListOfferTypes", ANY_TOKEN, "{}"),
    row("OfferService/GetOfferType", ANY_TOKEN, r#"{"id": "azureContainer"}"#),
    internal("OfferService/FreezeOffer", "publishing-pipeline", r#"{"offer": "{offer}", "submission": "{submission}", "etag": "{etag}", "dry_run": true}"#),
    internal("OfferService/ReleaseFreeze", "publishing-pipeline", r#"{"submission": "{offer}/submissions/01900000-0000-7000-8000-000000000000"}"#),
    internal("OfferService/GetSnapshot", "certification", r#"{"name": "{snapshot}"}"#),
    internal("OfferService/OpenLeadSecret", "publishing-pipeline", r#"{"snapshot": "{snapshot}"}"#),
    // offer-catalog: plans
    row("PlanService/CreatePlan", PUBLISH, r#"{"parent": "{sold}", "plan_id": "p-{n}", "display_name": "Plan {n}"}"#),
    row("PlanService/GetPlan", READ_OFFER, r#"{"name": "{offer}/plans/byol"}"#),
    row("PlanService/ListPlans", READ_OFFER, r#"{"parent": "{offer}"}"#),
    row("PlanService/UpdatePlan", PUBLISH, r#"{"plan": {"name": "{sold}/plans/byol", "display_name": "Renamed {n}"}}"#),
    row("PlanService/DeletePlan", PUBLISH, r#"{"name": "{fresh_plan}"}"#),
    row("PlanService/ImportPrivateAudience", PUBLISH, r#"{"head": {"plan": "{private_plan}", "etag": "1", "mode": "IMPORT_MODE_REPLACE", "validate_only": true}} {"chunk": "dHlwZSxpZAp0ZW5hbnQsMTExMTExMTEtMTExMS00MTExLTgxMTEtMTExMTExMTExMTExCg=="}"#),
    row("PlanService/ListPrivateAudience", READ_OFFER, r#"{"parent": "{private_plan}"}"#),
    row("PlanService/SyncPrivateAudience", PUBLISH, r#"{"name": "{private_plan}"}"#),
    // offer-catalog: assets
    row("AssetService/CreateAsset", PUBLISH, r#"{"head": {"parent": "{offer}", "asset_id": "a-{n}", "kind": "ASSET_KIND_LOGO_LARGE", "file_name": "l.png"}, "content": "{logo}"}"#),
    row("AssetService/UploadAsset", PUBLISH, r#"{"head": {"parent": "{offer}", "asset_id": "a-{n}", "kind": "ASSET_KIND_LOGO_LARGE", "file_name": "l.png"}} {"chunk": "{logo}"}"#),
    row("AssetService/GetUpload", PUBLISH, r#"{"name": "{upload}"}"#),
    row("AssetService/DeleteUpload", PUBLISH, r#"{"name": "{fresh_upload}"}"#),
    row("AssetService/GetAsset", READ_OFFER, r#"{"name": "{offer}/assets/logo"}"#),
    row("AssetService/ListAssets", READ_OFFER, r#"{"parent": "{offer}"}"#),
    row("AssetService/DeleteAsset", PUBLISH, r#"{"name": "{fresh_asset}"}"#),
    row("AssetService/DownloadAsset", ANYBODY, r#"{"offer": "{offer}", "digest": "{digest}"}"#),
    row("AssetService/DownloadAsset", "UUUND+++N+++N", r#"{"offer": "{offer}", "digest": "{hidden}"}"#),
    // offer-catalog: listings
    row("ListingService/SearchListings", ANYBODY, r#"{"query": "forge"}"#),
    row("ListingService/GetListing", ANYBODY, r#"{"offer": "{offer}"}"#),
    row("ListingService/GetPreviewListing", "NUUNNNNNNNNNN", r#"{"token": "0123456789abcdef0123456789abcdef"}"#),
    row("ListingService/GetPreviewListing", ANYBODY, r#"{"token": "{preview_token}"}"#),
    row("ListingService/AcquireOffer", ANY_TOKEN, r#"{"offer": "{offer}", "plan_id": "byol", "validate_only": true}"#),
    row("ListingService/ListAcquisitions", ANY_TOKEN, "{}"),
    row("ListingService/SubmitLead", ANY_TOKEN, r#"{"offer": "{contact}", "contact": {"first_name": "C", "last_name": "C", "email": "c@c.example", "country": "US"}}"#),
    internal("ListingService/OpenLead", "publishing-pipeline", r#"{"name": "{lead}"}"#),
    internal("ListingService/GetPreviewLinks", "publishing-pipeline", r#"{"offer": "{preview_offer}", "submission": "{preview}"}"#),
    internal("ListingService/ProbePurchase", "publishing-pipeline", r#"{"snapshot": "{snapshot}"}"#),
    // certification
    row("CertificationService/GetCase", CASES, r#"{"name": "{case}"}"#),
    row("CertificationService/ListCases", CASES, r#"{"offer": "{offer}"}"#),
    row("CertificationService/ListPolicies", ANY_TOKEN, "{}"),
    row("CertificationService/GetPolicy", ANY_TOKEN, r#"{"name": "policies/100.1.3"}"#),
    reports("CertificationService/GetValidationReport", "notification", r#"{"submission": "{warned}"}"#),
    reports("CertificationService/GetFailureReport", "notification", r#"{"submission": "{failed}"}"#),
    row("CertificationService/ListReports", READ_OFFER, r#"{"offer": "{offer}"}"#),
    internal("CertificationService/CheckSnapshot", "publishing-pipeline", r#"{"snapshot": "{snapshot}", "extent": "CHECK_EXTENT_CERTIFICATION", "offer_type": "azureContainer"}"#),
    row("ReviewService/ListReviewQueue", QUEUE, "{}"),
    row("ReviewService/ClaimCase", REVIEW, r#"{"name": "{fresh_case}"}"#),
    row("ReviewService/ReleaseCase", REVIEW, r#"{"name": "{fresh_claimed}"}"#),
    row("ReviewService/DecideCheck", REVIEW, r#"{"name": "{fresh_claimed}", "check": "CV-15", "outcome": "CHECK_OUTCOME_PASS", "note": "seen"}"#),
    row("ReviewService/ApproveCase", REVIEW, r#"{"name": "{fresh_claimed}", "pass_pending_checks": true}"#),
    row("ReviewService/RejectCase", REVIEW, r#"{"name": "{fresh_claimed}", "notes": "Say for whom it is.", "findings": [{"code": "AUDIENCE_MISSING", "policy": "100.1.3", "page": "offer_listing", "field_path": "description", "remedy": "Say for whom it is."}]}"#),
    // publishing-pipeline
    row("PublishingService/PublishOffer", PUBLISH, r#"{"offer": "{fresh_draft}", "etag": "{fresh_etag}", "notes": "Run it."}"#),
    row("PublishingService/CancelPublish", PUBLISH, r#"{"submission": "{fresh_running}"}"#),
    row("PublishingService/GoLive", PUBLISH, r#"{"submission": "{fresh_preview}", "acknowledge_warnings": true}"#),
    row("PublishingService/CancelScheduledGoLive", PUBLISH, r#"{"submission": "{fresh_scheduled}"}"#),
    row("PublishingService/GetPublication", READ_OFFER, r#"{"offer": "{offer}"}"#),
    row("PublishingService/GetOfferOverview", READ_OFFER, r#"{"offer": "{offer}"}"#),
    row("PublishingService/GetSubmission", READ_OFFER, r#"{"name": "{submission}"}"#),
    row("PublishingService/ListSubmissions", READ_OFFER, r#"{"parent": "{offer}"}"#),
    row("PublishingService/WatchSubmission", READ_OFFER, r#"{"name": "{submission}"}"#),
    row("PublishingService/StopDistribution", PUBLISH, r#"{"offer": "{offer}", "plan_id": "{fresh_sale}", "confirm": "{fresh_sale}"}"#),
    row("PublishingService/ResumeDistribution", PUBLISH, r#"{"offer": "{offer}", "plan_id": "{fresh_pause}"}"#),
    row("PublishingService/RestorePlan", PUBLISH, r#"{"offer": "{regretted}", "plan_id": "{fresh_regret}"}"#),
    row("PublishingService/DiscardFailure", PUBLISH, r#"{"submission": "{fresh_failed}"}"#),
    row("PublishingService/CreateBatch", PUBLISH, r#"{"parent": "publishers/contoso", "items": [{"offer": "{offer}", "etag": "0"}]}"#),
    row("PublishingService/GetBatch", READ_OFFER, r#"{"name": "{batch}"}"#),
    row("PublishingService/GetQuota", READ_OFFER, r#"{"publisher": "publishers/contoso"}"#),
    row("PublishingService/CreateDryRun", PUBLISH, r#"{"offer": "{offer}", "depth": "DRY_RUN_DEPTH_SCHEMA"}"#),
    row("PublishingService/GetDryRun", READ_OFFER, r#"{"name": "{dry_run}"}"#),
    row("PublishingService/WatchDryRun", READ_OFFER, r#"{"name": "{dry_run}"}"#),
    row("PublishingService/CancelDryRun", PUBLISH, r#"{"name": "{fresh_dry_run}"}"#),
    row("PublishingService/CancelPublish", INCIDENT, r#"{"submission": "{failed}"}"#),
    row("PublishingService/GoLive", INCIDENT, r#"{"submission": "{failed}"}"#),
    row("PublishingService/StopDistribution", "UUUND???N?DNN", r#"{"offer": "{troubled}", "confirm": "x"}"#),
    row("PublishingService/PublishOffer", "UUUND???N?DNN", r#"{"offer": "{troubled}", "etag": "0"}"#),
    row("OperatorService/ListIncidents", OPERATOR, "{}"),
    row("OperatorService/RetryStep", "UUUDDDDDDDDDD", r#"{"submission": "{submission}", "step": "final-publish", "reason": "again"}"#),
    row("OperatorService/RetryStep", "UUUDDDDDDD?DD", r#"{"submission": "{failed}", "step": "final-publish", "reason": "again"}"#),
    row("OperatorService/FailStep", "UUUDDDDDDDDDD", r#"{"submission": "{submission}", "step": "final-publish", "reason": "enough"}"#),
    row("OperatorService/RetryStep", OPERATOR, r#"{"submission": "{fresh_blocked}", "step": "{blocked_step}", "reason": "again"}"#),
    row("OperatorService/FailStep", OPERATOR, r#"{"submission": "{fresh_blocked}", "step": "{blocked_step}", "reason": "enough"}"#),
    row("OperatorService/CancelLiveLeg", "UUUDDDDDDDDDD", r#"{"submission": "{submission}", "reason": "asked to"}"#),
    row("OperatorService/CancelLiveLeg", OPERATOR, r#"{"submission": "{fresh_live_leg}", "reason": "asked to"}"#),
    row("OperatorService/WithdrawPreview", "UUUDDDDDDDDDD", r#"{"submission": "{submission}", "reason": "asked to"}"#),
    row("OperatorService/WithdrawPreview", OPERATOR, r#"{"submission": "{fresh_granting}", "reason": "asked to"}"#),
    // history
    row("HistoryService/ListEvents", READ_OFFER, r#"{"parent": "{offer}"}"#),
    row("HistoryService/ListFacets", READ_OFFER, r#"{"parent": "{offer}"}"#),
    row("HistoryService/WatchHistory", READ_OFFER, r#"{"parent": "{offer}"}"#),
    row("HistoryService/VerifyHistory", READ_OFFER, r#"{"parent": "{offer}"}"#),
    row("HistoryService/ExportHistory", READ_OFFER, r#"{"parent": "{offer}"}"#),
    // notification
    row("ActionCenterService/ListActionItems", ANY_TOKEN, "{}"),
    row("ActionCenterService/MarkActionItemRead", "UUUNNNN+NNNNN", r#"{"name": "{item}"}"#),
    row("ActionCenterService/ArchiveActionItem", "UUUNNNN+NNNNN", r#"{"name": "{item}"}"#),
    row("PreferenceService/GetPreferences", ANY_TOKEN, "{}"),
    row("PreferenceService/UpdatePreferences", ANY_TOKEN, r#"{"preferences": {"email": "somebody-{n}@example.com", "language": "en"}}"#),
    row("PreferenceService/SendVerification", ANY_TOKEN, "{}"),
    row("PreferenceService/VerifyEmail", "UUU??????????", r#"{"code": "AAAAAAAAAAAAAAAAAAAAAA"}"#),
    row("PreferenceService/VerifyEmail", ANY_TOKEN, r#"{"code": "{fresh_code}"}"#),
    row("AudienceService/ListAudience", READ_OFFER, r#"{"offer": "{offer}"}"#),
    row("AudienceService/AddAudienceMember", PUBLISH, r#"{"offer": "{offer}", "member": "publishers/contoso/members/dev"}"#),
    row("AudienceService/RemoveAudienceMember", PUBLISH, r#"{"offer": "{offer}", "member": "{fresh_listed}"}"#),
    // every service
    row("DeadLetterService/ListDeadLetters", OPERATOR, "{}"),
    row("DeadLetterService/GetDeadLetter", "UUUDDDDDDDNDD", r#"{"id": "{nothing}"}"#),
    row("DeadLetterService/ReplayDeadLetter", "UUUDDDDDDDNDD", r#"{"id": "{nothing}"}"#),
    row("DeadLetterService/DiscardDeadLetter", "UUUDDDDDDDNDD", r#"{"id": "{nothing}", "reason": "old"}"#),
    row("DeadLetterService/GetDeadLetter", OPERATOR, r#"{"id": "{fresh_dead_letter}"}"#),
    row("DeadLetterService/ReplayDeadLetter", OPERATOR, r#"{"id": "{fresh_dead_letter}"}"#),
    row("DeadLetterService/DiscardDeadLetter", OPERATOR, r#"{"id": "{fresh_dead_letter}", "reason": "old"}"#),
    row("EventService/ReplayEvents", OPERATOR, r#"{"consumer": "history", "from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}"#),
];
