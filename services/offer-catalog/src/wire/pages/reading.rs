//! What is noted while a page is read: where it belongs, and what of its form is wrong.

use marketplace_runtime::ids::{AssetName, OfferName};
use marketplace_runtime::status::{Violation, Violations};
use serde_json::Value;

use super::limits;
use crate::commands::pages::NewSecret;
use crate::pages::{Page, secret_fault};

/// The most faults that are noted inside of a page; a Status carries fewer.
const MOST_FAULTS: usize = 100;

/// A page that is being read. Paths are those of the page's message; [`Reading::finish`] puts the page's own before them.
#[derive(Debug, Default)]
pub struct Reading {
    /// Whose page it is, if that could be read.
    pub(super) offer: Option<OfferName>,
    /// Faults of the request around the page, with their whole path.
    pub(super) faults: Violations,
    inside: Vec<Violation>,
}

impl Reading {
    fn note(&mut self, violation: Violation) {
        if self.inside.len() < MOST_FAULTS {
            self.inside.push(violation);
        }
    }

    /// A list as it was sent; of one with more than `most` entries nothing is read.
    pub(super) fn list<'a, T>(&mut self, path: &str, items: &'a [T], most: usize) -> &'a [T] {
        if items.len() <= most {
            return items;
        }
        let why = format!("has {} entries, more than {most}", items.len());
        self.note(Violation::new(path, why).because("TOO_MANY"));
        &[]
    }

    /// The same of texts.
    pub(super) fn texts(&mut self, path: &str, items: &[String], most: usize) -> Vec<String> {
        self.list(path, items, most).to_vec()
    }

    /// An enum value that must be a known one; 0 is unset.
    pub(super) fn choice<T>(
        &mut self,
        path: &str,
        value: i32,
        known: impl FnOnce(i32) -> Option<T>,
    ) -> Option<T> {
        if value == 0 {
            return None;
        }
        let found = known(value);
        if found.is_none() {
            self.unknown(path, value);
        }
        found
    }

    /// An enum value that must be there and isn't known.
    pub(super) fn unknown(&mut self, path: &str, value: i32) {
        let violation = match value {
            0 => Violation::missing(path),
            _ => {
                Violation::new(path, format!("{value} is no known value")).because("UNKNOWN_VALUE")
            }
        };
        self.note(violation);
    }

    /// A number that is never negative.
    pub(super) fn number(&mut self, path: &str, value: i32) -> u32 {
        u32::try_from(value).unwrap_or_else(|_| {
            self.note(Violation::new(path, "must not be negative").because("OUT_OF_RANGE"));
            0
        })
    }

    /// The resource name of a file of this offer, or nothing.
    pub(super) fn asset(&mut self, path: &str, name: &str) -> String {
        if name.is_empty() {
            return String::new();
        }
        match AssetName::parse(name, path) {
            Err(violation) => self.note(violation),
            Ok(asset)
                if self
                    .offer
                    .as_ref()
                    .is_some_and(|offer| asset.parent() != *offer) =>
            {
                self.note(
                    Violation::new(path, "is a file of another offer").because("OTHER_OFFER"),
                );
            }
            Ok(_) => {}
        }
        name.to_owned()
    }

    /// The page's JSON. Refused here is text that the database can't hold (NUL characters), and text of a length that no
    /// rule would let pass.
    pub(super) fn content(&mut self, page: &Page) -> Option<Value> {
        match page.to_json() {
            Ok(json) => {
                self.check_texts(&json, String::new(), "");
                Some(json)
            }
            Err(error) => {
                self.note(
                    Violation::new("", format!("can't be stored: {error}")).because("NOT_STORABLE"),
                );
                None
            }
        }
    }

    fn check_texts(&mut self, json: &Value, path: String, field: &str) {
        match json {
            Value::String(text) => self.check_text(text, path, limits::chars(field)),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.check_texts(item, format!("{path}[{at}]"), field);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    let inner = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    self.check_texts(value, inner, name);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn check_text(&mut self, text: &str, path: String, most: usize) {
        // No text has more characters than bytes.
        if text.len() > most && text.chars().count() > most {
            let why = format!("has more than {most} characters");
            self.note(Violation::new(path.as_str(), why).because("TOO_LONG"));
        }
        if text.contains('\0') {
            self.note(Violation::new(path, "has NUL characters").because("CONTROL_CHARACTER"));
        }
    }

    /// LD-2: a secret is looked at now or never.
    pub(super) fn check_secret(&mut self, page: &Page, secret: &NewSecret) {
        let (Page::OfferSetup(setup), NewSecret::Value(value)) = (page, secret) else {
            return;
        };
        let Some(field) = setup
            .lead_destination
            .as_ref()
            .and_then(|leads| leads.secret_field())
        else {
            return;
        };
        let path = format!("lead_destination.{field}");
        if value.contains('\0') {
            self.note(Violation::new(&path, "has NUL characters").because("CONTROL_CHARACTER"));
        }
        if let Some(fault) = secret_fault(field, value) {
            self.note(Violation::new(path, fault).because("BAD_SECRET"));
        }
    }

    /// What was read, or everything that is wrong; paths of the page begin with `prefix`.
    pub(super) fn finish<T>(
        mut self,
        prefix: &str,
        value: impl FnOnce() -> Option<T>,
    ) -> Result<T, Vec<Violation>> {
        self.faults.extend(
            self.inside
                .into_iter()
                .map(|violation| violation.within(prefix)),
        );
        if !self.faults.is_empty() {
            return Err(self.faults.into_iter().collect());
        }
        self.faults.finish(value())
    }
}
