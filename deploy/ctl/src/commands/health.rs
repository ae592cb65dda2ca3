//! `health`: whether the five services serve.

use std::time::Duration;

use clap::Args;
use tokio::time::Instant;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::cli::Endpoints;
use crate::error::Error;
use crate::output::{Output, table};

#[derive(Args)]
pub struct HealthArgs {
    /// Ask again until all serve, for at most so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
}

pub async fn run(endpoints: &Endpoints, args: HealthArgs, out: &mut Output) -> Result<(), Error> {
    let deadline = Instant::now() + Duration::from_secs(args.wait);
    let asked = [
        ("offer-catalog", &endpoints.endpoint_catalog),
        ("certification", &endpoints.endpoint_certification),
        ("publishing-pipeline", &endpoints.endpoint_publishing),
        ("history", &endpoints.endpoint_history),
        ("notification", &endpoints.endpoint_notification),
    ];
    loop {
        let mut rows = table(["service", "address", "health"]);
        let mut all = true;
        for (service, url) in asked {
            let said = ask(url).await;
            all &= said == "SERVING";
            rows.add_row([service, url, &said]);
        }
        if all {
            return out.table(&rows);
        }
        if Instant::now() >= deadline {
            out.table(&rows)?;
            return Err(Error::usage("not every service serves"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn ask(url: &str) -> String {
    let Ok(endpoint) = Endpoint::from_shared(url.to_owned()) else {
        return "no address".to_owned();
    };
    let mut client = HealthClient::new(
        endpoint
            .connect_timeout(Duration::from_secs(1))
            .connect_lazy(),
    );
    let everything = HealthCheckRequest {
        service: String::new(),
    };
    match tokio::time::timeout(Duration::from_secs(2), client.check(everything)).await {
        Ok(Ok(answer)) => match answer.into_inner().status() {
            ServingStatus::Serving => "SERVING".to_owned(),
            other => other.as_str_name().to_owned(),
        },
        Ok(Err(status)) => status.code().description().to_owned(),
        Err(_) => "no answer".to_owned(),
    }
}
