//! Where customers' leads go (LD-1 … LD-4). Secrets aren't here: they are write-only and kept apart, encrypted.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Issues;
use super::check;

/// What a stored secret reads as; writing it keeps the secret (LD-4).
pub const SECRET_MASK: &str = "********";

/// A destination and who else is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeadDestination {
    /// Exactly one of them (LD-3).
    #[serde(flatten)]
    pub destination: Option<Destination>,
    /// Told of new leads as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contact_emails: Vec<String>,
}

/// A system that takes leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// A table in a storage account.
    Table(Table),
    /// Dynamics 365.
    Dynamics(Dynamics),
    /// An HTTPS endpoint.
    HttpsEndpoint(HttpsEndpoint),
    /// Marketo.
    Marketo(Marketo),
    /// Salesforce.
    Salesforce(Salesforce),
}

/// A table in a storage account; all of it is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {}

/// Dynamics 365.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dynamics {
    /// Where it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instance_url: String,
    /// Who we are there.
    #[serde(flatten)]
    pub authentication: Option<DynamicsAuthentication>,
}

/// Who we are to Dynamics 365.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DynamicsAuthentication {
    /// An application; its key is secret.
    Entra(Entra),
    /// A user; the password is secret.
    Office365(Office365),
}

/// An application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entra {
    /// Its id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub application_id: String,
    /// Its directory.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub directory_id: String,
}

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Office365 {
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
}

/// An HTTPS endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HttpsEndpoint {
    /// Where it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// Marketo; the client's secret is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marketo {
    /// The account.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub munchkin_id: String,
    /// The form.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub form_id: String,
    /// The server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_id: String,
    /// Who we are there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_id: String,
}

/// Salesforce.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Salesforce {
    /// The organisation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub object_identifier: String,
}

static MUNCHKIN: LazyLock<Regex> =
    LazyLock::new(|| check::pattern("^[a-zA-Z0-9]{3}-[a-zA-Z0-9]{3}-[a-zA-Z0-9]{3}$"));
static FORM: LazyLock<Regex> = LazyLock::new(|| check::pattern("^[0-9]{1,8}$"));
static SALESFORCE: LazyLock<Regex> = LazyLock::new(|| check::pattern("^[a-zA-Z0-9]{15}$"));
static CONNECTION: LazyLock<Regex> = LazyLock::new(|| {
    check::pattern(
        "^DefaultEndpointsProtocol=https;AccountName=[a-z0-9]{3,24};AccountKey=[0-9a-zA-Z=+/]*(;|;EndpointSuffix=[a-z0-9.-]+;?)?$",
    )
});

const MAX_CONTACTS: usize = 20;

impl LeadDestination {
    /// The name of its kind: the set member of the oneof.
    pub fn kind(&self) -> Option<&'static str> {
        self.destination
            .as_ref()
            .map(|destination| match destination {
                Destination::Table(_) => "table",
                Destination::Dynamics(_) => "dynamics",
                Destination::HttpsEndpoint(_) => "https_endpoint",
                Destination::Marketo(_) => "marketo",
                Destination::Salesforce(_) => "salesforce",
            })
    }

    /// LD-2, LD-3; `secret` says whether one is stored.
    pub(super) fn check(&self, needed: bool, secret: bool, issues: &mut Issues) {
        if self.destination.is_none() && needed {
            check::required(issues, "lead_destination", "", "a destination for leads");
        }
        if let (Some(field), false) = (self.secret_field(), secret) {
            check::required(
                issues,
                &format!("lead_destination.{field}"),
                "",
                "the secret",
            );
        }
        match &self.destination {
            Some(Destination::Dynamics(dynamics)) => dynamics.check(issues),
            Some(Destination::HttpsEndpoint(endpoint)) => endpoint.check(issues),
            Some(Destination::Marketo(marketo)) => marketo.check(issues),
            Some(Destination::Salesforce(salesforce)) => salesforce.check(issues),
            Some(Destination::Table(_)) | None => {}
        }
        check::max_items(
            issues,
            "lead_destination.contact_emails",
            &self.contact_emails,
            MAX_CONTACTS,
        );
        for (at, email) in self.contact_emails.iter().enumerate() {
            let field = format!("lead_destination.contact_emails[{at}]");
            check::required(issues, &field, email, "an e-mail address");
            check::email(issues, &field, email);
        }
    }

    /// Path of the one field that is secret, below `lead_destination`; `None` where nothing is.
    pub fn secret_field(&self) -> Option<&'static str> {
        match self.destination.as_ref()? {
            Destination::Table(_) => Some("table.connection_string"),
            // The older way, by server id alone, has no secret.
            Destination::Marketo(marketo) => {
                (!marketo.client_id.is_empty()).then_some("marketo.client_secret")
            }
            Destination::Dynamics(dynamics) => match dynamics.authentication.as_ref()? {
                DynamicsAuthentication::Entra(_) => Some("dynamics.entra.application_key"),
                DynamicsAuthentication::Office365(_) => Some("dynamics.office365.password"),
            },
            Destination::HttpsEndpoint(_) | Destination::Salesforce(_) => None,
        }
    }

    /// Whether a secret stored for `other` may be kept for this one: it must go to the same place under the same name,
    /// so that nobody has a secret that they never knew sent to an address of their own.
    pub fn shares_secret_with(&self, other: &Self) -> bool {
        match (&self.destination, &other.destination) {
            (Some(Destination::Table(_)), Some(Destination::Table(_))) => true,
            (Some(Destination::Dynamics(this)), Some(Destination::Dynamics(that))) => this == that,
            (Some(Destination::Marketo(this)), Some(Destination::Marketo(that))) => {
                (&this.munchkin_id, &this.server_id, &this.client_id)
                    == (&that.munchkin_id, &that.server_id, &that.client_id)
            }
            _ => false,
        }
    }
}

/// What is wrong with a secret, which can't be looked at again after it was saved (LD-2); `field` as
/// [`LeadDestination::secret_field`] has it.
pub fn secret_fault(field: &str, secret: &str) -> Option<&'static str> {
    let length = secret.chars().count();
    match field {
        "table.connection_string" if !CONNECTION.is_match(secret) => Some(
            "must have the form DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…;EndpointSuffix=…",
        ),
        "dynamics.entra.application_key" if length > 2_048 => {
            Some("has more than 2,048 characters")
        }
        "dynamics.office365.password" if length > 256 => Some("has more than 256 characters"),
        "marketo.client_secret" if length > 2_048 => Some("has more than 2,048 characters"),
        _ => None,
    }
}

impl Dynamics {
    fn check(&self, issues: &mut Issues) {
        const AT: &str = "lead_destination.dynamics";
        check::required(
            issues,
            &format!("{AT}.instance_url"),
            &self.instance_url,
            "the address of the instance",
        );
        check::https_url(issues, &format!("{AT}.instance_url"), &self.instance_url);
        match &self.authentication {
            None => check::required(
                issues,
                AT,
                "",
                "an application or a user to authenticate as",
            ),
            Some(DynamicsAuthentication::Entra(entra)) => {
                check::required(
                    issues,
                    &format!("{AT}.entra.application_id"),
                    &entra.application_id,
                    "the application's id",
                );
                check::guid(
                    issues,
                    &format!("{AT}.entra.application_id"),
                    &entra.application_id,
                );
                check::required(
                    issues,
                    &format!("{AT}.entra.directory_id"),
                    &entra.directory_id,
                    "the directory's id",
                );
                check::guid(
                    issues,
                    &format!("{AT}.entra.directory_id"),
                    &entra.directory_id,
                );
            }
            Some(DynamicsAuthentication::Office365(user)) => {
                check::required(
                    issues,
                    &format!("{AT}.office365.username"),
                    &user.username,
                    "a user name",
                );
                check::max_chars(
                    issues,
                    &format!("{AT}.office365.username"),
                    &user.username,
                    128,
                );
            }
        }
    }
}

impl HttpsEndpoint {
    fn check(&self, issues: &mut Issues) {
        const AT: &str = "lead_destination.https_endpoint.url";
        check::required(issues, AT, &self.url, "the address of the endpoint");
        check::https_url(issues, AT, &self.url);
    }
}

impl Marketo {
    fn check(&self, issues: &mut Issues) {
        const AT: &str = "lead_destination.marketo";
        check::required(
            issues,
            &format!("{AT}.munchkin_id"),
            &self.munchkin_id,
            "the Munchkin id",
        );
        check::matches(
            issues,
            &format!("{AT}.munchkin_id"),
            &self.munchkin_id,
            &MUNCHKIN,
            "an id like abc-123-def",
        );
        check::required(
            issues,
            &format!("{AT}.form_id"),
            &self.form_id,
            "the form's id",
        );
        check::matches(
            issues,
            &format!("{AT}.form_id"),
            &self.form_id,
            &FORM,
            "a number of at most 8 digits",
        );
        if self.client_id.is_empty() {
            check::required(
                issues,
                &format!("{AT}.server_id"),
                &self.server_id,
                "the server's id, or a client's id and secret",
            );
        }
        check::max_chars(issues, &format!("{AT}.server_id"), &self.server_id, 128);
        check::max_chars(issues, &format!("{AT}.client_id"), &self.client_id, 128);
    }
}

impl Salesforce {
    fn check(&self, issues: &mut Issues) {
        const AT: &str = "lead_destination.salesforce.object_identifier";
        check::required(issues, AT, &self.object_identifier, "the organisation's id");
        check::matches(
            issues,
            AT,
            &self.object_identifier,
            &SALESFORCE,
            "15 letters and digits",
        );
    }
}
