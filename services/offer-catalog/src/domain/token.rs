//! The token in the link to a preview: 128 random bits. Stored encrypted and found by its hash, so that a copy of the
//! database opens no preview.

use sha2::{Digest, Sha256};

/// A secret that opens a preview to whoever holds it (PV-1). Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PreviewToken([u8; 16]);

impl PreviewToken {
    /// Of random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// As it stands in a link; `None` for what never was a token.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// As it stands in a link.
    pub fn reveal(&self) -> String {
        hex::encode(self.0)
    }

    /// What it is found by.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl std::fmt::Debug for PreviewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PreviewToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_a_link_and_is_not_printed() {
        let token = PreviewToken::new([7; 16]);
        assert_eq!(PreviewToken::parse(&token.reveal()), Some(token.clone()));
        assert_eq!(format!("{token:?}"), "PreviewToken");
        for wrong in ["", "07", &"g".repeat(32), &"07".repeat(17)] {
            assert_eq!(PreviewToken::parse(wrong), None);
        }
    }

    /// Links that were handed out are found by it: it never changes.
    #[test]
    fn pv_1_a_token_is_found_by_the_sha_256_of_its_bytes() {
        assert_eq!(
            hex::encode(PreviewToken::new([7; 16]).hash()),
            "d761d406af2a4a5a15f67c924378ed88d1f85c13f1a37fc7366f59789b3bcd65"
        );
    }
}
