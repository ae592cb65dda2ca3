//! Technical configuration of a plan: what it deploys (TC-3 … TC-7).

use serde::{Deserialize, Serialize};

use super::check::{self, Context};
use super::offer_type::Deploys;
use super::{ContainerConfiguration, Issues, PackageConfiguration, VirtualMachineConfiguration};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanTechnicalConfiguration {
    /// What it deploys.
    #[serde(flatten)]
    pub configuration: Option<PlanConfiguration>,
}

/// What a plan deploys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanConfiguration {
    /// Container images.
    Container(ContainerConfiguration),
    /// A package.
    Package(PackageConfiguration),
    /// Virtual machine images.
    VirtualMachine(VirtualMachineConfiguration),
    /// What another plan deploys, by its id.
    ReusesPlan(String),
}

impl PlanTechnicalConfiguration {
    /// TC-3 … TC-6; `live` is the page of the same plan as customers have it.
    pub fn check(&self, context: &Context<'_>, live: Option<&Self>, issues: &mut Issues) {
        let deploys = context.offer_type.plan_technical_configuration;
        match (&self.configuration, deploys) {
            (None, _) => check::required(issues, "", "", "what the plan deploys"),
            (Some(PlanConfiguration::Container(container)), Some(Deploys::Container)) => {
                container.check(issues)
            }
            (Some(PlanConfiguration::Package(package)), Some(Deploys::Package)) => {
                package.check(context, issues)
            }
            (Some(PlanConfiguration::VirtualMachine(machine)), Some(Deploys::VirtualMachine)) => {
                machine.check(context, live.and_then(Self::machine), issues)
            }
            (Some(PlanConfiguration::ReusesPlan(plan)), Some(Deploys::VirtualMachine)) => {
                check::required(
                    issues,
                    "reuses_plan",
                    plan,
                    "the plan whose configuration is reused",
                );
            }
            (Some(other), _) => {
                let message = "plans of this type of offer deploy something else";
                issues.error(
                    other.field(),
                    "NOT_ALLOWED",
                    message,
                    "Give the kind of configuration that the offer type has.",
                );
            }
        }
    }

    /// The asset that holds its package.
    pub fn package(&self) -> Option<&str> {
        match &self.configuration {
            Some(PlanConfiguration::Package(package)) => Some(&package.package),
            _ => None,
        }
    }

    fn machine(&self) -> Option<&VirtualMachineConfiguration> {
        match &self.configuration {
            Some(PlanConfiguration::VirtualMachine(machine)) => Some(machine),
            _ => None,
        }
    }

    /// The plan whose configuration is reused (TC-7).
    pub fn parent(&self) -> Option<&str> {
        match &self.configuration {
            Some(PlanConfiguration::ReusesPlan(plan)) => Some(plan),
            _ => None,
        }
    }
}

impl PlanConfiguration {
    const fn field(&self) -> &'static str {
        match self {
            Self::Container(_) => "container",
            Self::Package(_) => "package",
            Self::VirtualMachine(_) => "virtual_machine",
            Self::ReusesPlan(_) => "reuses_plan",
        }
    }
}
