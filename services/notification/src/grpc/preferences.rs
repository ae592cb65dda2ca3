//! `PreferenceService`: a person's own address and language.

use marketplace_messaging::requests;
use marketplace_proto::notification::v1 as pb;
use marketplace_proto::notification::v1::preference_service_server::PreferenceService;
use marketplace_runtime::{clock, identity};
use tonic::{Request, Response, Status};

use super::{Grpc, once};
use crate::commands::{self, NewCode};
use crate::domain::{CODE_BYTES, Person};
use crate::error::Error;
use crate::{store, wire};

impl Grpc {
    async fn person(&self, principal: &str) -> Result<Person, Error> {
        store::person(&mut *self.db.acquire().await?, principal).await
    }
}

/// From the operating system's randomness, as letters and digits that are easily copied.
fn new_code() -> NewCode {
    NewCode(hex::encode(rand::random::<[u8; CODE_BYTES]>()))
}

#[tonic::async_trait]
impl PreferenceService for Grpc {
    async fn get_preferences(
        &self,
        request: Request<pb::GetPreferencesRequest>,
    ) -> Result<Response<pb::GetPreferencesResponse>, Status> {
        let (caller, _) = identity::open(request)?;
        let scope = self.oneself(&caller).await?;
        let person = self.person(scope.principal()).await?;
        Ok(Response::new(pb::GetPreferencesResponse {
            preferences: Some(wire::preferences_answer(&person)),
        }))
    }

    async fn update_preferences(
        &self,
        request: Request<pb::UpdatePreferencesRequest>,
    ) -> Result<Response<pb::UpdatePreferencesResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let scope = self.oneself(&caller).await?;
        let once = once(&caller, "UpdatePreferences", &request.request_id, &request)?;
        let wanted = wire::preferences(request.preferences.as_ref())?;
        requests::run(&self.db, once, |mut work| async move {
            let (principal, now) = (scope.principal(), clock::now());
            let person =
                commands::update_preferences(&mut work, principal, wanted, &self.portal, now)
                    .await?;
            Ok((
                work,
                pb::UpdatePreferencesResponse {
                    preferences: Some(wire::preferences_answer(&person)),
                },
            ))
        })
        .await
    }

    async fn send_verification(
        &self,
        request: Request<pb::SendVerificationRequest>,
    ) -> Result<Response<pb::SendVerificationResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let scope = self.oneself(&caller).await?;
        let once = once(&caller, "SendVerification", &request.request_id, &request)?;
        requests::run(&self.db, once, |mut work| async move {
            let (principal, now) = (scope.principal(), clock::now());
            commands::send_verification(
                &mut work,
                principal,
                new_code(),
                &self.head,
                &self.portal,
                now,
            )
            .await?;
            Ok((work, pb::SendVerificationResponse {}))
        })
        .await
    }

    async fn verify_email(
        &self,
        request: Request<pb::VerifyEmailRequest>,
    ) -> Result<Response<pb::VerifyEmailResponse>, Status> {
        let (caller, request) = identity::open(request)?;
        let scope = self.oneself(&caller).await?;
        let once = once(&caller, "VerifyEmail", &request.request_id, &request)?;
        requests::run(&self.db, once, |mut work| async move {
            let person =
                commands::verify_email(&mut work, scope.principal(), &request.code, clock::now())
                    .await?;
            Ok((
                work,
                pb::VerifyEmailResponse {
                    preferences: Some(wire::preferences_answer(&person)),
                },
            ))
        })
        .await
    }
}
