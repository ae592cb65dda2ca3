//! The table of RPCs that are called: one line each, so that a request alone says where it goes.

use marketplace_proto::{
    certification::v1 as certification, history::v1 as history, messaging::v1 as messaging,
    notification::v1 as notification, offercatalog::v1 as catalog, publishing::v1 as publishing,
};

use super::{Named, Rpc, Service};

macro_rules! rpcs {
    ($($served_by:ident $package:literal $types:ident { $($service:literal { $($method:literal $request:ident => $answer:ident,)+ })+ })+) => {
        $($($(
            impl Named for $types::$answer {
                const NAME: &'static str = concat!($package, ".", stringify!($answer));
            }
            impl Rpc for $types::$request {
                type Answer = $types::$answer;
                const SERVICE: Service = Service::$served_by;
                const PATH: &'static str = concat!("/", $package, ".", $service, "/", $method);
            }
        )+)+)+

        /// Every line as (path, request, answer), to be held against the descriptors.
        #[cfg(test)]
        pub const ALL: &[(&str, &str, &str)] = &[$($($((
            concat!($package, ".", $service, "/", $method), stringify!($request), stringify!($answer),
        ),)+)+)+];
    };
}

rpcs! {
    Catalog "marketplace.offercatalog.v1" catalog {
        "PublisherService" {
            "CreatePublisher" CreatePublisherRequest => CreatePublisherResponse,
            "GetPublisher" GetPublisherRequest => GetPublisherResponse,
            "ListPublishers" ListPublishersRequest => ListPublishersResponse,
            "UpdateProgrammeFacts" UpdateProgrammeFactsRequest => UpdateProgrammeFactsResponse,
            "CreateMember" CreateMemberRequest => CreateMemberResponse,
            "ListMembers" ListMembersRequest => ListMembersResponse,
            "DeleteMember" DeleteMemberRequest => DeleteMemberResponse,
        }
        "OfferService" {
            "CreateOffer" CreateOfferRequest => CreateOfferResponse,
            "GetOffer" GetOfferRequest => GetOfferResponse,
            "UpdatePage" UpdatePageRequest => UpdatePageResponse,
            "ReviewOffer" ReviewOfferRequest => ReviewOfferResponse,
            "GetOfferTree" GetOfferTreeRequest => GetOfferTreeResponse,
        }
        "PlanService" {
            "CreatePlan" CreatePlanRequest => CreatePlanResponse,
            "UpdatePlan" UpdatePlanRequest => UpdatePlanResponse,
            "DeletePlan" DeletePlanRequest => DeletePlanResponse,
        }
        "AssetService" {
            "CreateAsset" CreateAssetRequest => CreateAssetResponse,
            "UploadAsset" UploadAssetRequest => UploadAssetResponse,
            "GetUpload" GetUploadRequest => GetUploadResponse,
            "GetAsset" GetAssetRequest => GetAssetResponse,
            "DownloadAsset" DownloadAssetRequest => DownloadAssetResponse,
        }
        "ListingService" {
            "SearchListings" SearchListingsRequest => SearchListingsResponse,
            "GetListing" GetListingRequest => GetListingResponse,
            "GetPreviewListing" GetPreviewListingRequest => GetPreviewListingResponse,
        }
    }
    Certification "marketplace.certification.v1" certification {
        "CertificationService" {
            "GetCase" GetCaseRequest => GetCaseResponse,
            "GetValidationReport" GetValidationReportRequest => GetValidationReportResponse,
            "GetFailureReport" GetFailureReportRequest => GetFailureReportResponse,
        }
        "ReviewService" {
            "ListReviewQueue" ListReviewQueueRequest => ListReviewQueueResponse,
            "ClaimCase" ClaimCaseRequest => ClaimCaseResponse,
            "ReleaseCase" ReleaseCaseRequest => ReleaseCaseResponse,
            "DecideCheck" DecideCheckRequest => DecideCheckResponse,
            "ApproveCase" ApproveCaseRequest => ApproveCaseResponse,
            "RejectCase" RejectCaseRequest => RejectCaseResponse,
        }
    }
    Publishing "marketplace.publishing.v1" publishing {
        "PublishingService" {
            "PublishOffer" PublishOfferRequest => PublishOfferResponse,
            "CancelPublish" CancelPublishRequest => CancelPublishResponse,
            "GoLive" GoLiveRequest => GoLiveResponse,
            "CancelScheduledGoLive" CancelScheduledGoLiveRequest => CancelScheduledGoLiveResponse,
            "GetPublication" GetPublicationRequest => GetPublicationResponse,
            "GetOfferOverview" GetOfferOverviewRequest => GetOfferOverviewResponse,
            "GetSubmission" GetSubmissionRequest => GetSubmissionResponse,
            "WatchSubmission" WatchSubmissionRequest => WatchSubmissionResponse,
            "CreateBatch" CreateBatchRequest => CreateBatchResponse,
            "GetBatch" GetBatchRequest => GetBatchResponse,
            "GetQuota" GetQuotaRequest => GetQuotaResponse,
            "CreateDryRun" CreateDryRunRequest => CreateDryRunResponse,
            "GetDryRun" GetDryRunRequest => GetDryRunResponse,
            "WatchDryRun" WatchDryRunRequest => WatchDryRunResponse,
        }
    }
    History "marketplace.history.v1" history {
        "HistoryService" {
            "ListEvents" ListEventsRequest => ListEventsResponse,
        }
    }
    Notification "marketplace.notification.v1" notification {
        "ActionCenterService" {
            "ListActionItems" ListActionItemsRequest => ListActionItemsResponse,
            "MarkActionItemRead" MarkActionItemReadRequest => MarkActionItemReadResponse,
            "ArchiveActionItem" ArchiveActionItemRequest => ArchiveActionItemResponse,
        }
        "PreferenceService" {
            "GetPreferences" GetPreferencesRequest => GetPreferencesResponse,
            "UpdatePreferences" UpdatePreferencesRequest => UpdatePreferencesResponse,
            "SendVerification" SendVerificationRequest => SendVerificationResponse,
            "VerifyEmail" VerifyEmailRequest => VerifyEmailResponse,
        }
        "AudienceService" {
            "ListAudience" ListAudienceRequest => ListAudienceResponse,
            "AddAudienceMember" AddAudienceMemberRequest => AddAudienceMemberResponse,
            "RemoveAudienceMember" RemoveAudienceMemberRequest => RemoveAudienceMemberResponse,
        }
    }
    // Served by all five; the command says by which one.
    Catalog "marketplace.messaging.v1" messaging {
        "DeadLetterService" {
            "ListDeadLetters" ListDeadLettersRequest => ListDeadLettersResponse,
            "GetDeadLetter" GetDeadLetterRequest => GetDeadLetterResponse,
            "ReplayDeadLetter" ReplayDeadLetterRequest => ReplayDeadLetterResponse,
            "DiscardDeadLetter" DiscardDeadLetterRequest => DiscardDeadLetterResponse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::json::pool;

    #[test]
    fn every_line_of_the_table_is_an_rpc_of_the_proto_files() {
        for (path, request, answer) in ALL {
            let (service, method) = path.split_once('/').unwrap();
            let service = pool()
                .get_service_by_name(service)
                .unwrap_or_else(|| panic!("no service {service}"));
            let rpc = service
                .methods()
                .find(|m| m.name() == method)
                .unwrap_or_else(|| panic!("no RPC {path}"));
            assert_eq!(
                (rpc.input().name(), rpc.output().name()),
                (*request, *answer),
                "{path}"
            );
        }
    }
}
