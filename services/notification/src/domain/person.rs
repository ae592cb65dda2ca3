//! A person's address and language, and how the address is proved (NO-8, NO-9).

use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

/// Codes that one person may have mailed within an hour.
pub const CODES_PER_HOUR: i64 = 5;
/// How long a code is good.
pub const CODE_LIFE: Duration = Duration::hours(24);
/// Random bytes of a code: 160 bits.
pub const CODE_BYTES: usize = 20;

/// What is known of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub principal: String,
    pub email: String,
    pub verified_at: Option<OffsetDateTime>,
    pub language: String,
    /// 0: nothing was ever set.
    pub revision: i64,
}

/// Preferences that a person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    pub email: String,
    pub language: String,
    /// The revision they were read at.
    pub etag: Option<i64>,
}

impl Person {
    /// Before anything was set.
    pub fn unknown(principal: impl Into<String>) -> Person {
        let (email, language) = (String::new(), "en".to_owned());
        Person {
            principal: principal.into(),
            email,
            verified_at: None,
            language,
            revision: 0,
        }
    }

    /// Where mail may go: to an address that was proved, and nowhere else (NO-8).
    pub fn mail_address(&self) -> Option<&str> {
        self.verified_at.is_some().then_some(self.email.as_str())
    }

    /// With other preferences. Another address is unproved until its own code comes back (NO-8).
    #[must_use]
    pub fn changed(mut self, email: String, language: String) -> Person {
        if email != self.email {
            self.verified_at = None;
            self.email = email;
        }
        self.language = language;
        self.revision += 1;
        self
    }
}

/// What is kept of a code.
pub fn hash(code: &str) -> [u8; 32] {
    Sha256::digest(code.trim().to_ascii_lowercase()).into()
}

/// A language tag as BCP 47 builds them: `en`, `pt-BR`.
pub fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let letters = (2..=8).contains(&first.len()) && first.bytes().all(|c| c.is_ascii_alphabetic());
    let subtag = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric())
    };
    text.len() <= 35 && letters && parts.all(subtag)
}

/// An address that mail can go to: a local part and a domain, nothing that could end a header.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"@".contains(c);
    let dots = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    let label = |part: &str| {
        let hyphens = part.starts_with('-') || part.ends_with('-');
        (1..=63).contains(&part.len())
            && !hyphens
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    let local_fits = (1..=64).contains(&local.len()) && local.chars().all(plain) && dots;
    text.len() <= 254 && local_fits && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_8_mail_goes_to_proved_addresses_only_and_a_new_address_is_unproved() {
        let ada = Person::unknown("ada");
        assert_eq!(ada.mail_address(), None);
        let mut ada = ada.changed("ada@contoso.example".into(), "en".into());
        assert_eq!((ada.mail_address(), ada.revision), (None, 1));
        ada.verified_at = Some(OffsetDateTime::UNIX_EPOCH);
        assert_eq!(ada.mail_address(), Some("ada@contoso.example"));
        let same = ada
            .clone()
            .changed("ada@contoso.example".into(), "de".into());
        assert!(
            same.mail_address().is_some(),
            "another language is not another address"
        );
        assert_eq!(
            ada.changed("ada@fabrikam.example".into(), "en".into())
                .mail_address(),
            None
        );
    }

    #[test]
    fn addresses() {
        for good in ["ada@contoso.example", "a.b+c@x-y.co", "o'neil@localhost"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "ada",
            "@x",
            "ada@",
            "a b@x.y",
            "a@x..y",
            "a\r\nBcc:b@x.y",
            "<a@x.y>",
            ".a@x",
            "a@-x.y",
            "a@b@c",
        ] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }

    #[test]
    fn languages() {
        for good in ["en", "pt-BR", "zh-Hant-TW"] {
            assert!(is_language(good), "{good}");
        }
        for bad in ["", "e", "english-", "en_US", "en-", "12"] {
            assert!(!is_language(bad), "{bad:?}");
        }
    }

    #[test]
    fn no_9_a_code_is_kept_as_its_hash_however_it_is_typed() {
        assert_eq!(hash(" ABcd "), hash("abcd"));
        assert_ne!(hash("abcd"), hash("abce"));
        const { assert!(CODE_BYTES * 8 >= 128) }
    }
}
