//! How much a page may bring: a few times what its rules allow, so that they, and not we, say what is too much, and no
//! page costs more time and memory than a large one that is right.

/// Entries of an audience (PN-11: 20,000).
pub const AUDIENCE: usize = 30_000;
/// Partners that may resell (CS-1 has no maximum).
pub const PARTNERS: usize = 10_000;
/// Prices: terms × markets × numbers of cores.
pub const PRICES: usize = 10_000;
/// Markets (PN-4: 141).
pub const MARKETS: usize = 500;
/// Subscriptions that host an offer (SU-1: 100).
pub const SUBSCRIPTIONS: usize = 500;
/// Versions of an image (TC-3 has no maximum).
pub const VERSIONS: usize = 500;
/// Every other list: their rules allow 30 entries or fewer.
pub const FEW: usize = 100;

/// Characters of a text, by the name of its field.
pub fn chars(field: &str) -> usize {
    match field {
        // PR-5: of any length.
        "universal_amendment" => 1_000_000,
        // PR-4, PR-5: terms and amendments.
        "text" => 100_000,
        // LI-4, LI-6, PN-3
        "description" | "getting_started" => 20_000,
        // Twice the longest address.
        _ => 4_096,
    }
}
