//! The settings, read once from the environment.

use marketplace_runtime::config::{Common, Env, Neighbours};
use url::Url;

use crate::domain::{Quotas, Tempo};
use crate::error::span;
use crate::leads::Hosts;

/// The local port.
const PORT: u16 = 7003;
const DRY_RUN: std::time::Duration = std::time::Duration::from_secs(600);
const LOGIN: &str = "https://login.microsoftonline.com";
const SALESFORCE: &str = "https://webto.salesforce.com";
const MARKETO: &str = "mktorest.com";
const BATCH_SHARE: u32 = 1;

#[derive(Debug, Clone)]
pub struct Config {
    pub common: Common,
    /// `CATALOG_URL`: the offer catalogue.
    pub catalog: Url,
    /// `CERTIFICATION_URL`: its checks, for dry runs.
    pub certification: Url,
    /// `DRY_RUN_DEADLINE`: how long one may take.
    pub dry_run_deadline: time::Duration,
    /// How long things may take; a variable each, see the README.
    pub tempo: Tempo,
    /// Hosts of the services behind some lead destinations.
    pub lead_hosts: Hosts,
    /// `QUOTA_…`: how much a publisher may have; 0: as much as it wants.
    pub quotas: Quotas,
    /// `BATCH_SHARE`: how many items of a publisher's batches are between publish and preview at a time; 0: all.
    pub batch_share: u32,
}

impl Config {
    pub fn read(env: &mut Env) -> Option<Config> {
        let common = Common::read(env, PORT);
        let catalog = common
            .as_ref()
            .and_then(|c| Neighbours::need(env, c.neighbours.catalog.as_ref(), "CATALOG_URL"));
        let certification = common.as_ref().and_then(|c| {
            Neighbours::need(
                env,
                c.neighbours.certification.as_ref(),
                "CERTIFICATION_URL",
            )
        });
        let dry_run_deadline = env.duration("DRY_RUN_DEADLINE", DRY_RUN);
        let tempo = tempo(env);
        let lead_hosts = hosts(env);
        let quotas = quotas(env);
        let batch_share = env.or("BATCH_SHARE", BATCH_SHARE);
        Some(Config {
            common: common?,
            catalog: catalog?,
            certification: certification?,
            dry_run_deadline: dry_run_deadline.map(span)?,
            tempo: tempo?,
            lead_hosts: lead_hosts?,
            quotas: quotas?,
            batch_share: batch_share?,
        })
    }
}

fn hosts(env: &mut Env) -> Option<Hosts> {
    let login = env.or("LEADS_LOGIN_URL", LOGIN.to_owned());
    let salesforce = env.or("LEADS_SALESFORCE_URL", SALESFORCE.to_owned());
    let marketo = env.or("LEADS_MARKETO_DOMAIN", MARKETO.to_owned());
    let mut https = |name: &str, text: String| {
        let url = Url::parse(&text).ok().filter(|url| url.scheme() == "https");
        if url.is_none() {
            env.refuse(name, "must begin with https://");
        }
        url
    };
    let (login, salesforce) = (
        https("LEADS_LOGIN_URL", login?),
        https("LEADS_SALESFORCE_URL", salesforce?),
    );
    Some(Hosts {
        login: login?,
        salesforce: salesforce?,
        marketo: marketo?,
    })
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

fn quotas(env: &mut Env) -> Option<Quotas> {
    let usual = Quotas::default();
    let open_submissions = env.or("QUOTA_OPEN_SUBMISSIONS", usual.open_submissions);
    let submissions_per_day = env.or("QUOTA_SUBMISSIONS_PER_DAY", usual.submissions_per_day);
    let batches_running = env.or("QUOTA_BATCHES_RUNNING", usual.batches_running);
    let dry_runs_running = env.or("QUOTA_DRY_RUNS_RUNNING", usual.dry_runs_running);
    Some(Quotas {
        open_submissions: open_submissions?,
        submissions_per_day: submissions_per_day?,
        batches_running: batches_running?,
        dry_runs_running: dry_runs_running?,
    })
}

fn tempo(env: &mut Env) -> Option<Tempo> {
    let usual = Tempo::default();
    let mut read = |name, default: time::Duration| {
        env.duration(
            name,
            std::time::Duration::try_from(default).unwrap_or_default(),
        )
        .map(span)
    };
    let resend = read("ORDER_RESEND", usual.resend);
    let resend_max = read("ORDER_RESEND_MAX", usual.resend_max);
    let resend_waiting = read("ORDER_RESEND_WAITING", usual.resend_waiting);
    let cancel_wait = read("CANCEL_WAIT", usual.cancel_wait);
    let retry = read("STEP_RETRY", usual.retry);
    let retry_max = read("STEP_RETRY_MAX", usual.retry_max);
    let incident_after = read("INCIDENT_AFTER", usual.incident_after);
    let endpoint_window = read("ENDPOINT_WINDOW", usual.endpoint_window);
    let hard_deadline = read("STEP_DEADLINE", usual.hard_deadline);
    let lease = read("STEP_LEASE", usual.lease);
    let incident_tries = env.or("INCIDENT_TRIES", usual.incident_tries);
    let endpoint_tries = env.or("ENDPOINT_TRIES", usual.endpoint_tries);
    Some(Tempo {
        resend: resend?,
        resend_max: resend_max?,
        resend_waiting: resend_waiting?,
        cancel_wait: cancel_wait?,
        retry: retry?,
        retry_max: retry_max?,
        incident_tries: incident_tries?,
        incident_after: incident_after?,
        endpoint_tries: endpoint_tries?,
        endpoint_window: endpoint_window?,
        hard_deadline: hard_deadline?,
        lease: lease?,
    })
}
