//! Level 3: the automatic look at the technical configuration (TV-P1), and the items that a person carries out by their
//! script (domain rules §5.3): what needs the network, a run of a package, or a machine.

use super::{Check, Subject, automatic, configuration::configuration, manual};
use crate::domain::{Level, offer_type::Artifact};

pub const CHECKS: &[Check] = &[
    automatic(
        ("TV-P1", 1),
        (Level::Technical, "100.12"),
        "Technical configuration is well formed",
        is_technical,
        configuration,
    ),
    manual(
        ("TV-P1-M", 1),
        (Level::Technical, "100.11"),
        "Endpoints and artifacts can be fetched and are whole",
        is_technical,
        fetched,
    ),
    manual(
        ("TV-P2-M", 1),
        (Level::Technical, "200.6"),
        "Virtual machine image passes the self-test",
        is_vm,
        |_| {
            "Needs a virtual machine: nothing here boots one. Ask for the self-test tool's result ({TestResult, Tests:[{TestID, \
         TestCaseName, Description, Result, ActualValue, RequiredValue}]}) for each active image: every test has Passed. It covers \
         the disk format (TV-P2) and the Linux or Windows requirements (TV-P3, TV-P4)."
            .to_owned()
        },
    ),
    manual(
        ("TV-P5-M", 1),
        (Level::Technical, "100.11"),
        "Dependencies have no known exploited vulnerability",
        has_artifact,
        |_| {
            "Needs the artifact and a vulnerability database, which automatic checks of this version don't fetch. List the \
         dependencies (SBOM) of each artifact; a known exploited vulnerability fails it, a high one is noted."
            .to_owned()
        },
    ),
    manual(
        ("TV-M1-M", 1),
        (Level::Technical, "100.11"),
        "Artifacts hold no malware",
        has_artifact,
        |_| {
            "Needs the artifact and a scanner, which automatic checks of this version don't fetch. Scan every file with \
         signatures of at most 24 hours of age, archives to a depth of five; a hit or an encrypted archive fails it (TV-M1, TV-M2)."
            .to_owned()
        },
    ),
    manual(
        ("TV-N1-M", 1),
        (Level::Technical, "100.11"),
        "Network calls are those that are declared",
        has_artifact,
        |_| {
            "Needs a run in a sandbox. Record DNS, TCP and TLS: destinations that neither listing nor notes declare are noted; \
         plaintext credentials, calls of the metadata service or of other tenants fail it (TV-N1, TV-N2)."
            .to_owned()
        },
    ),
    manual(
        ("TV-F1-M", 1),
        (Level::Technical, "1000.4"),
        "Landing page and webhook do their work",
        is_sold_service,
        |s| {
            let page = &s.snapshot.pages.technical_configuration;
            format!(
                "Needs the network. (1) {} answers 200 to ?token=…, without #. (2) {} answers 2xx to a signed test event and 401 or 403 to an unsigned one. (3) Resolve, activate and unsubscribe a test purchase (1000.3, 1000.4, 1000.6).",
                page.landing_page_url, page.webhook_url
            )
        },
    ),
    manual(
        ("TV-F2-M", 1),
        (Level::Technical, "100.12"),
        "Deploys from each plan",
        has_artifact,
        |s| {
            let plans: Vec<&str> = s.plans().map(|plan| plan.plan_id.as_str()).collect();
            format!(
                "Needs a deployment. For each plan ({}): deploy, start, see that it is healthy within its time, use what the listing names, delete it cleanly. Record each result.",
                plans.join(", ")
            )
        },
    ),
    manual(
        ("TV-F3-M", 1),
        (Level::Technical, "100.14"),
        "Functions in the notes were exercised",
        is_technical,
        |s| {
            format!(
                "Needs a person at the product. Follow the publisher's notes step by step and record what was seen. Notes: {}",
                s.notes
            )
        },
    ),
    manual(
        ("TV-X1-M", 1),
        (Level::Technical, "100.12"),
        "Works on every platform and version it names",
        is_technical,
        |s| {
            let cells = match s.artifact() {
                Artifact::VirtualMachine => "generation 1 and 2, two sizes, two disk types",
                Artifact::Container => "two Kubernetes versions",
                Artifact::Service => "two browsers, on a desktop and on a phone",
                Artifact::AzureApplication | Artifact::Package | Artifact::None => {
                    "each product version that the listing names"
                }
            };
            format!(
                "Needs several platforms. Repeat the functional test over {cells}; a cell that fails, and isn't declared unsupported, fails it."
            )
        },
    ),
];

fn is_technical(subject: &Subject<'_>) -> bool {
    match subject.artifact() {
        // A service that is only listed has no technical configuration (§4.2), but is still tried out.
        Artifact::Service
        | Artifact::VirtualMachine
        | Artifact::AzureApplication
        | Artifact::Container
        | Artifact::Package => true,
        Artifact::None => false,
    }
}

fn has_artifact(subject: &Subject<'_>) -> bool {
    is_technical(subject) && subject.artifact() != Artifact::Service
}

fn is_vm(subject: &Subject<'_>) -> bool {
    subject.artifact() == Artifact::VirtualMachine
}

fn is_sold_service(subject: &Subject<'_>) -> bool {
    subject.artifact() == Artifact::Service && subject.transactable
}

fn fetched(subject: &Subject<'_>) -> String {
    let what = match subject.artifact() {
        Artifact::Service => {
            "Connect to landing page, webhook and the links of the call to action: TLS is valid and unexpired."
        }
        Artifact::Container => {
            "Pull every image by its digest from its registry: it resolves without credentials and its manifest is whole."
        }
        Artifact::VirtualMachine => {
            "Read every disk: the SAS is valid for three weeks more, or the gallery image is shared."
        }
        Artifact::AzureApplication => {
            "Open every package: mainTemplate.json and createUiDefinition.json lie at its root and parse (300.2); the template toolkit passes (300.4)."
        }
        Artifact::Package | Artifact::None => {
            "Open every package: it has the file type of its product and can be read."
        }
    };
    format!("Needs the network. {what}")
}
