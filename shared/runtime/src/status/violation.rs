//! One thing wrong with one field of a request.

use std::fmt;

/// A malformed, missing or forbidden value: which field, why, and a stable reason for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the request: `offer.plans[2].name`.
    pub field: String,
    /// What is wrong with it, for people; ends without a full stop.
    pub description: String,
    /// SCREAMING_SNAKE, for programs; part of the contract.
    pub reason: Option<String>,
}

impl Violation {
    /// A violation without a reason of its own.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            description: description.into(),
            reason: None,
        }
    }

    /// The same with a reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// A required field that is not set: `REQUIRED`.
    pub fn missing(field: impl Into<String>) -> Self {
        Self::new(field, "is required").because("REQUIRED")
    }

    /// The same seen from an enclosing message: `name` becomes `plan.name`.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.field = if self.field.is_empty() {
            parent.to_owned()
        } else {
            format!("{parent}.{}", self.field)
        };
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.description)
    }
}

impl std::error::Error for Violation {}

/// Collects violations while a request is read, so that all of them are answered and not the first.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes one.
    pub fn add(&mut self, violation: Violation) {
        self.0.push(violation);
    }

    /// The value, or notes what is wrong with it.
    pub fn take<T>(&mut self, read: Result<T, Violation>) -> Option<T> {
        read.map_err(|violation| self.0.push(violation)).ok()
    }

    /// Notes all of another reading.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Violation>) {
        self.0.extend(others);
    }

    /// True while nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` if nothing was wrong and it is there, else everything that was.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Violation>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            Some(_) => Err(self.0),
            None => {
                if self.0.is_empty() {
                    self.0.push(Violation::missing(""));
                }
                Err(self.0)
            }
        }
    }
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
