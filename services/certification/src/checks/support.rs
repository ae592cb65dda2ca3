//! Customers learn how to get help (CV-13).

use super::{Check, Found, Subject, always, automatic, subject::listing};
use crate::domain::Level;

pub const CHECKS: &[Check] = &[automatic(
    ("CV-13", 1),
    (Level::Content, "100.5"),
    "Support information is present",
    always,
    support,
)];

fn support(subject: &Subject<'_>, found: &mut Found<'_>) {
    let page = subject.listing();
    let contact = &page.support_contact;
    if page.support_url.trim().is_empty() {
        let remedy = "Give the address of the page on which customers get support.";
        found.fail(
            "SUPPORT_URL_MISSING",
            listing("support_url"),
            "there is no support URL",
            remedy,
        );
    }
    let (email, phone) = (contact.email.trim(), contact.phone.trim());
    if email.is_empty() && phone.is_empty() {
        let remedy = "Give an e-mail address or a telephone number of your support.";
        found.fail(
            "SUPPORT_CONTACT_MISSING",
            listing("support_contact"),
            "neither e-mail nor phone",
            remedy,
        );
    }
    if !email.is_empty() && !is_email(email) {
        found.fail(
            "SUPPORT_EMAIL",
            listing("support_contact.email"),
            email,
            "Correct the e-mail address of your support.",
        );
    }
    if !phone.is_empty() && !is_phone(phone) {
        let remedy = "Give the telephone number with digits, at least six of them.";
        found.fail(
            "SUPPORT_PHONE",
            listing("support_contact.phone"),
            phone,
            remedy,
        );
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let clean = |part: &str| {
        !part.is_empty()
            && !part
                .contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '@'))
    };
    clean(local)
        && clean(domain)
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}

fn is_phone(text: &str) -> bool {
    let allowed =
        |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')' | '.' | '/' | ' ' | 'x');
    text.chars().all(allowed) && text.chars().filter(char::is_ascii_digit).count() >= 6
}
