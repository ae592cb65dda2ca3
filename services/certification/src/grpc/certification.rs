//! Cases, policies and reports: reads.

use marketplace_proto::certification::v1::{
    self as pb, certification_service_server::CertificationService,
};
use marketplace_runtime::{
    access::{Permission, Scope, Target},
    identity::{self, Caller},
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    Grpc,
    looks::{LOOKERS, Looking},
    page::Page,
    reading,
};
use crate::{
    domain::{Kind, Report},
    error::Error,
    store, wire,
};

/// The services that read reports to write mails of them.
const REPORT_READERS: Permission = Permission::Service(&["notification"]);

impl Grpc {
    async fn may_read_report(
        &self,
        caller: &Caller,
        submission: &str,
        kind: Kind,
    ) -> Result<Scope, Status> {
        if caller.roles.service {
            return self
                .access
                .require(caller, REPORT_READERS, &Target::Platform)
                .await;
        }
        let name = wire::submission(submission)?;
        let report = Report::name_of(submission, kind);
        let target = Target::Resource {
            publisher: &name.publisher,
            kind: "Report",
            name: &report,
        };
        self.access
            .require(caller, Permission::ReadOffer, &target)
            .await
    }

    async fn report(
        &self,
        scope: &Scope,
        submission: &str,
        kind: Kind,
    ) -> Result<pb::Report, Error> {
        wire::submission(submission)?;
        let mut db = self.db.acquire().await?;
        let report = store::find_report(&mut db, scope, submission, kind).await?;
        let report =
            report.ok_or_else(|| Error::not_found("Report", Report::name_of(submission, kind)))?;
        Ok(wire::report(&report, true, &self.book.policies()))
    }
}

#[tonic::async_trait]
impl CertificationService for Grpc {
    async fn get_case(
        &self,
        request: Request<pb::GetCaseRequest>,
    ) -> Result<Response<pb::GetCaseResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let (scope, id) = self.reader_of(&caller, &request.name).await?;
        let mut db = self.db.acquire().await.map_err(Error::from)?;
        let case = store::find_case(&mut db, &scope, id)
            .await
            .map_err(Error::from)?;
        let case = case.ok_or_else(|| Error::not_found("Case", request.name))?;
        Ok(Response::new(pb::GetCaseResponse {
            case: Some(wire::case(&case, true, &self.book.policies())),
        }))
    }

    async fn list_cases(
        &self,
        request: Request<pb::ListCasesRequest>,
    ) -> Result<Response<pb::ListCasesResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = wire::offer(&request.offer)?;
        let target = Target::Resource {
            publisher: &name.publisher,
            kind: "Offer",
            name: &request.offer,
        };
        let scope = self
            .access
            .require(&caller, reading(&caller), &target)
            .await?;
        let page: Page<Uuid> = Page::read(
            "ListCases",
            &request.offer,
            request.page_size,
            &request.page_token,
        )?;
        let mut db = self.db.read().await.map_err(Error::from)?;
        let rows =
            store::list_cases(&mut db, &scope, &request.offer, page.after, page.limit()).await;
        let mut cases = rows.map_err(Error::from)?;
        let next_page_token = page.cut(&mut cases, |case| case.id);
        let policies = self.book.policies();
        let cases = cases
            .iter()
            .map(|case| wire::case(case, false, &policies))
            .collect();
        Ok(Response::new(pb::ListCasesResponse {
            cases,
            next_page_token,
        }))
    }

    async fn list_policies(
        &self,
        request: Request<pb::ListPoliciesRequest>,
    ) -> Result<Response<pb::ListPoliciesResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        self.access
            .require(&caller, Permission::Customer, &Target::Platform)
            .await?;
        let page: Page<i32> =
            Page::read("ListPolicies", &(), request.page_size, &request.page_token)?;
        let mut db = self.db.acquire().await.map_err(Error::from)?;
        let mut policies = store::list_policies(&mut db, page.after, page.limit())
            .await
            .map_err(Error::from)?;
        let next_page_token = page.cut(&mut policies, |(position, _)| *position);
        let policies = policies
            .iter()
            .map(|(_, policy)| wire::policy(policy))
            .collect();
        Ok(Response::new(pb::ListPoliciesResponse {
            policies,
            next_page_token,
        }))
    }

    async fn get_policy(
        &self,
        request: Request<pb::GetPolicyRequest>,
    ) -> Result<Response<pb::GetPolicyResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        self.access
            .require(&caller, Permission::Customer, &Target::Platform)
            .await?;
        let policies = self.book.policies();
        let policy = policies.get(wire::policy_id(&request.name)?);
        let policy = policy.ok_or_else(|| Error::not_found("Policy", &request.name))?;
        Ok(Response::new(pb::GetPolicyResponse {
            policy: Some(wire::policy(policy)),
        }))
    }

    async fn get_validation_report(
        &self,
        request: Request<pb::GetValidationReportRequest>,
    ) -> Result<Response<pb::GetValidationReportResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let scope = self
            .may_read_report(&caller, &request.submission, Kind::Validation)
            .await?;
        let report = self
            .report(&scope, &request.submission, Kind::Validation)
            .await?;
        Ok(Response::new(pb::GetValidationReportResponse {
            report: Some(report),
        }))
    }

    async fn get_failure_report(
        &self,
        request: Request<pb::GetFailureReportRequest>,
    ) -> Result<Response<pb::GetFailureReportResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let scope = self
            .may_read_report(&caller, &request.submission, Kind::Failure)
            .await?;
        let report = self
            .report(&scope, &request.submission, Kind::Failure)
            .await?;
        Ok(Response::new(pb::GetFailureReportResponse {
            report: Some(report),
        }))
    }

    async fn list_reports(
        &self,
        request: Request<pb::ListReportsRequest>,
    ) -> Result<Response<pb::ListReportsResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let name = wire::offer(&request.offer)?;
        let target = Target::Resource {
            publisher: &name.publisher,
            kind: "Offer",
            name: &request.offer,
        };
        let scope = self
            .access
            .require(&caller, Permission::ReadOffer, &target)
            .await?;
        let page: Page<Uuid> = Page::read(
            "ListReports",
            &request.offer,
            request.page_size,
            &request.page_token,
        )?;
        let mut db = self.db.read().await.map_err(Error::from)?;
        let rows =
            store::list_reports(&mut db, &scope, &request.offer, page.after, page.limit()).await;
        let mut reports = rows.map_err(Error::from)?;
        let next_page_token = page.cut(&mut reports, |report| report.id);
        let policies = self.book.policies();
        let reports = reports
            .iter()
            .map(|report| wire::report(report, false, &policies))
            .collect();
        Ok(Response::new(pb::ListReportsResponse {
            reports,
            next_page_token,
        }))
    }

    type CheckSnapshotStream = Looking;

    async fn check_snapshot(
        &self,
        request: Request<pb::CheckSnapshotRequest>,
    ) -> Result<Response<Looking>, Status> {
        let (caller, request) = identity::open(request)?;
        self.access
            .require(&caller, LOOKERS, &Target::Platform)
            .await?;
        Ok(Response::new(self.look(request).await?))
    }
}
