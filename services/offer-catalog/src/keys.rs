//! Encryption of secrets at rest: AES-256-GCM under keys that are named, so that they can be rotated.
//!
//! A sealed value is: length of the key's name (1 byte), name, nonce (12 bytes), ciphertext with tag. What the value
//! belongs to is authenticated with it, so that a row copied elsewhere doesn't open.

use std::collections::BTreeMap;
use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::{Engine, engine::general_purpose::STANDARD};
use rand::RngCore;

const NONCE: usize = 12;

/// Seals with the newest key and opens with any.
#[derive(Clone)]
pub struct Keys {
    keys: Arc<BTreeMap<String, Aes256Gcm>>,
    newest: String,
}

/// Why a value can't be sealed or opened, or keys can't be read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not what was sealed for this place.
    #[error("the sealed value is damaged")]
    Damaged,
    /// Sealed with a key that this process doesn't have.
    #[error("key {0} is not known")]
    UnknownKey(String),
    /// The setting is wrong.
    #[error("must be name:base64 of 32 bytes, comma separated, newest first: {0}")]
    Malformed(&'static str),
}

impl std::str::FromStr for Keys {
    type Err = KeyError;

    /// `2026a:<base64>,2025b:<base64>`: the first seals, all open.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut keys = BTreeMap::new();
        let mut newest = None;
        for entry in text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let (name, key) = entry
                .split_once(':')
                .ok_or(KeyError::Malformed("no colon"))?;
            if !(1..=32).contains(&name.len()) {
                return Err(KeyError::Malformed("a name has 1 to 32 bytes"));
            }
            let bytes = STANDARD
                .decode(key)
                .map_err(|_| KeyError::Malformed("no base64"))?;
            let cipher = Aes256Gcm::new_from_slice(&bytes)
                .map_err(|_| KeyError::Malformed("not 32 bytes"))?;
            newest.get_or_insert_with(|| name.to_owned());
            if keys.insert(name.to_owned(), cipher).is_some() {
                return Err(KeyError::Malformed("a name is there twice"));
            }
        }
        let newest = newest.ok_or(KeyError::Malformed("no key"))?;
        Ok(Self {
            keys: Arc::new(keys),
            newest,
        })
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("newest", &self.newest)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// Encrypts `plain` for `place`, for example "offer/{uid}/lead_destination".
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let cipher = self
            .keys
            .get(&self.newest)
            .ok_or_else(|| KeyError::UnknownKey(self.newest.clone()))?;
        let mut nonce = [0; NONCE];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload {
            msg: plain,
            aad: place.as_bytes(),
        };
        let text = cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| KeyError::Damaged)?;
        let length = u8::try_from(self.newest.len()).map_err(|_| KeyError::Damaged)?;
        Ok([&[length], self.newest.as_bytes(), &nonce, &text].concat())
    }

    /// Decrypts what was sealed for `place`.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (length, rest) = sealed.split_first().ok_or(KeyError::Damaged)?;
        let (name, rest) = rest
            .split_at_checked(usize::from(*length))
            .ok_or(KeyError::Damaged)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(KeyError::Damaged)?;
        let name = std::str::from_utf8(name).map_err(|_| KeyError::Damaged)?;
        let cipher = self
            .keys
            .get(name)
            .ok_or_else(|| KeyError::UnknownKey(name.to_owned()))?;
        let payload = Payload {
            msg: text,
            aad: place.as_bytes(),
        };
        cipher
            .decrypt(&Nonce::from(*nonce), payload)
            .map_err(|_| KeyError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const B: &str = "b:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHgA=";

    #[test]
    fn a_rotated_key_still_opens() {
        let old: Keys = A.parse().unwrap();
        let both: Keys = format!("{B},{A}").parse().unwrap();
        let sealed = old.seal("place", b"hush").unwrap();
        assert_eq!(both.open("place", &sealed).unwrap(), b"hush");
        let newer = both.seal("place", b"hush").unwrap();
        assert!(
            matches!(old.open("place", &newer), Err(KeyError::UnknownKey(name)) if name == "b")
        );
    }

    #[test]
    fn a_value_opens_only_where_it_was_sealed_for() {
        let keys: Keys = A.parse().unwrap();
        let mut sealed = keys.seal("here", b"hush").unwrap();
        assert!(keys.open("there", &sealed).is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(keys.open("here", &sealed).is_err());
        for cut in [0, 1, 5] {
            assert!(keys.open("here", &sealed[..cut]).is_err());
        }
    }

    #[test]
    fn wrong_settings_are_refused() {
        for wrong in ["", "a", "a:xx", "a:AAEC", &format!("{A},{A}"), ":AAEC"] {
            assert!(wrong.parse::<Keys>().is_err(), "{wrong}");
        }
    }
}
