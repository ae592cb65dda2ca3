//! Lead destinations on the wire: the one place where secrets are taken out of a page, masked, and put back.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::dynamics_destination::Authentication;
use marketplace_proto::offercatalog::v1::lead_destination::Destination as Wire;

use super::{Reading, limits};
use crate::commands::pages::NewSecret;
use crate::pages::{
    Destination, Dynamics, DynamicsAuthentication, Entra, HttpsEndpoint, LeadDestination, Marketo,
    Office365, SECRET_MASK, Salesforce, Table,
};

/// What the request says about the secret: the mask keeps it, nothing takes it away.
pub(super) fn secret(leads: Option<&pb::LeadDestination>) -> NewSecret {
    let sent = match leads.and_then(|leads| leads.destination.as_ref()) {
        Some(Wire::Table(table)) => table.connection_string.as_str(),
        Some(Wire::Marketo(marketo)) => marketo.client_secret.as_str(),
        Some(Wire::Dynamics(dynamics)) => match &dynamics.authentication {
            Some(Authentication::Entra(entra)) => entra.application_key.as_str(),
            Some(Authentication::Office365(user)) => user.password.as_str(),
            None => "",
        },
        Some(Wire::HttpsEndpoint(_) | Wire::Salesforce(_)) | None => "",
    };
    match sent {
        "" => NewSecret::None,
        SECRET_MASK => NewSecret::Keep,
        value => NewSecret::Value(value.to_owned()),
    }
}

/// Without its secret; `None`: nothing is set.
pub(super) fn read(leads: &pb::LeadDestination, reading: &mut Reading) -> Option<LeadDestination> {
    let destination = leads
        .destination
        .as_ref()
        .map(|destination| match destination {
            Wire::Table(_) => Destination::Table(Table {}),
            Wire::Dynamics(dynamics) => Destination::Dynamics(read_dynamics(dynamics)),
            Wire::HttpsEndpoint(endpoint) => Destination::HttpsEndpoint(HttpsEndpoint {
                url: endpoint.url.clone(),
            }),
            Wire::Marketo(marketo) => Destination::Marketo(Marketo {
                munchkin_id: marketo.munchkin_id.clone(),
                form_id: marketo.form_id.clone(),
                server_id: marketo.server_id.clone(),
                client_id: marketo.client_id.clone(),
            }),
            Wire::Salesforce(salesforce) => Destination::Salesforce(Salesforce {
                object_identifier: salesforce.object_identifier.clone(),
            }),
        });
    let read = LeadDestination {
        destination,
        contact_emails: reading.texts(
            "lead_destination.contact_emails",
            &leads.contact_emails,
            limits::FEW,
        ),
    };
    (read != LeadDestination::default()).then_some(read)
}

fn read_dynamics(dynamics: &pb::DynamicsDestination) -> Dynamics {
    let authentication =
        dynamics
            .authentication
            .as_ref()
            .map(|authentication| match authentication {
                Authentication::Entra(entra) => DynamicsAuthentication::Entra(Entra {
                    application_id: entra.application_id.clone(),
                    directory_id: entra.directory_id.clone(),
                }),
                Authentication::Office365(user) => DynamicsAuthentication::Office365(Office365 {
                    username: user.username.clone(),
                }),
            });
    Dynamics {
        instance_url: dynamics.instance_url.clone(),
        authentication,
    }
}

/// With a mask where a secret is stored.
pub(super) fn write(leads: &LeadDestination, secret: bool) -> pb::LeadDestination {
    open_destination(leads, if secret { SECRET_MASK } else { "" })
}

/// With its secret in clear: for the publishing pipeline alone.
pub fn open_destination(leads: &LeadDestination, secret: &str) -> pb::LeadDestination {
    let destination = leads
        .destination
        .as_ref()
        .map(|destination| match destination {
            Destination::Table(_) => Wire::Table(pb::TableDestination {
                connection_string: secret.to_owned(),
            }),
            Destination::Dynamics(dynamics) => Wire::Dynamics(write_dynamics(dynamics, secret)),
            Destination::HttpsEndpoint(endpoint) => Wire::HttpsEndpoint(pb::HttpsDestination {
                url: endpoint.url.clone(),
            }),
            Destination::Marketo(marketo) => Wire::Marketo(pb::MarketoDestination {
                munchkin_id: marketo.munchkin_id.clone(),
                form_id: marketo.form_id.clone(),
                server_id: marketo.server_id.clone(),
                client_id: marketo.client_id.clone(),
                client_secret: secret.to_owned(),
            }),
            Destination::Salesforce(salesforce) => Wire::Salesforce(pb::SalesforceDestination {
                object_identifier: salesforce.object_identifier.clone(),
            }),
        });
    pb::LeadDestination {
        destination,
        contact_emails: leads.contact_emails.clone(),
    }
}

fn write_dynamics(dynamics: &Dynamics, secret: &str) -> pb::DynamicsDestination {
    let authentication =
        dynamics
            .authentication
            .as_ref()
            .map(|authentication| match authentication {
                DynamicsAuthentication::Entra(entra) => {
                    Authentication::Entra(pb::EntraAuthentication {
                        application_id: entra.application_id.clone(),
                        application_key: secret.to_owned(),
                        directory_id: entra.directory_id.clone(),
                    })
                }
                DynamicsAuthentication::Office365(user) => {
                    Authentication::Office365(pb::Office365Authentication {
                        username: user.username.clone(),
                        password: secret.to_owned(),
                    })
                }
            });
    pb::DynamicsDestination {
        instance_url: dynamics.instance_url.clone(),
        authentication,
    }
}
