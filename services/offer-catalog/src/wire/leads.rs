//! Customers' leads on the wire.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::ids::OfferName;
use marketplace_runtime::status::Violation;
use uuid::Uuid;

use super::{line, optional_line, violations};
use crate::domain::lead::Contact;
use crate::pages::{CallToAction, check, taxonomy};

/// Characters of any one detail.
const LONGEST: usize = 100;
/// RFC 5321, 4.5.3.1.3
const LONGEST_EMAIL: usize = 254;

/// Whose listing the lead is left at, and what is known of the customer.
pub fn submit(request: &pb::SubmitLeadRequest) -> Result<(OfferName, Contact), Vec<Violation>> {
    let mut wrong = violations();
    let offer = wrong.take(OfferName::parse(&request.offer, "offer"));
    let Some(contact) = &request.contact else {
        wrong.add(Violation::missing("contact"));
        return wrong.finish(None);
    };
    let pb::LeadContact {
        first_name,
        last_name,
        email,
        country,
        phone,
        company,
        job_title,
    } = contact;
    let first_name = wrong.take(line(first_name, "contact.first_name", LONGEST));
    let last_name = wrong.take(line(last_name, "contact.last_name", LONGEST));
    let email = wrong.take(address(email));
    let country = wrong.take(market(country));
    let phone = wrong.take(optional_line(phone, "contact.phone", LONGEST));
    let company = wrong.take(optional_line(company, "contact.company", LONGEST));
    let job_title = wrong.take(optional_line(job_title, "contact.job_title", LONGEST));
    let read = || {
        let contact = Contact {
            first_name: first_name?,
            last_name: last_name?,
            email: email?,
            country: country?,
            phone: phone?,
            company: company?,
            job_title: job_title?,
        };
        Some((offer?, contact))
    };
    let read = read();
    wrong.finish(read)
}

fn address(text: &str) -> Result<String, Violation> {
    let field = "contact.email";
    let text = line(text, field, LONGEST_EMAIL)?;
    match check::is_email(&text) {
        true => Ok(text),
        false => Err(Violation::new(field, "is no e-mail address").because("BAD_EMAIL")),
    }
}

fn market(code: &str) -> Result<String, Violation> {
    let field = "contact.country";
    match code {
        "" => Err(Violation::missing(field)),
        code if taxonomy::is_market(code) => Ok(code.to_owned()),
        _ => {
            let why = "is no ISO 3166-1 alpha-2 code like US";
            Err(Violation::new(field, why).because("BAD_COUNTRY"))
        }
    }
}

/// The id of a lead.
pub fn id(name: &str, field: &str) -> Result<Uuid, Violation> {
    let id = name
        .strip_prefix("leads/")
        .and_then(|id| Uuid::try_parse(id).ok());
    id.ok_or_else(|| Violation::new(field, "must be leads/{lead}").because("BAD_NAME"))
}

/// As it is answered.
pub fn contact(contact: &Contact) -> pb::LeadContact {
    let Contact {
        first_name,
        last_name,
        email,
        country,
        phone,
        company,
        job_title,
    } = contact.clone();
    pb::LeadContact {
        first_name,
        last_name,
        email,
        country,
        phone,
        company,
        job_title,
    }
}

/// What the listing's button says; unset where the offer is sold through the marketplace.
pub fn call_to_action(action: Option<CallToAction>) -> pb::CallToAction {
    match action {
        None => pb::CallToAction::Unspecified,
        Some(CallToAction::Free) => pb::CallToAction::Free,
        Some(CallToAction::FreeTrial) => pb::CallToAction::FreeTrial,
        Some(CallToAction::ContactMe) => pb::CallToAction::ContactMe,
    }
}
