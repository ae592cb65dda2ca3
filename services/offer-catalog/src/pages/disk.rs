//! Where a disk of a virtual machine image lies: a version in a compute gallery, or a VHD by a SAS address (TC-3, TC-4).

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use time::format_description::well_known::Iso8601;
use time::{Date, Duration, OffsetDateTime};
use url::Url;

use super::{Issues, check};

/// A resource id as the cloud writes it, in whatever case.
static GALLERY: LazyLock<Regex> = LazyLock::new(|| {
    check::pattern(
        "(?i)^/subscriptions/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/resourceGroups/[^/?#]+/providers/Microsoft\\.Compute\
         /galleries/[^/?#]+/images/[^/?#]+/versions/[0-9]+\\.[0-9]+\\.[0-9]+$",
    )
});

/// An address is valid since then: clocks differ, and it may be used at once.
const STARTED: Duration = Duration::days(1);
/// And for so long from now: certification has to read the disk.
const LASTS: Duration = Duration::weeks(3);

/// TC-3, TC-4
pub(super) fn check(issues: &mut Issues, field: &str, address: &str, now: OffsetDateTime) {
    if address.trim().is_empty() || GALLERY.is_match(address) {
        return;
    }
    match Url::parse(address) {
        Ok(url) if url.scheme() == "https" && url.has_host() && url.username().is_empty() => {
            check_sas(issues, field, &url, now);
        }
        _ => issues.error(
            field,
            "BAD_DISK",
            "is neither a version of an image in a compute gallery nor an https address",
            "Give /subscriptions/…/galleries/…/images/…/versions/n.n.n, or the SAS address of a VHD.",
        ),
    }
}

/// TC-4. Nothing of the address is told: who reads it may read the disk.
fn check_sas(issues: &mut Issues, field: &str, url: &Url, now: OffsetDateTime) {
    let value = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    };
    let mut wrong = |code, message: &str, remedy: &str| issues.error(field, code, message, remedy);
    if value("sig").is_none_or(|signature| signature.is_empty()) {
        let remedy = "Give the whole SAS address, as it was made for the VHD.";
        return wrong("SAS_SIGNATURE", "has no signature (sig)", remedy);
    }
    let permissions = value("sp").unwrap_or_default();
    if !(permissions.contains('r') && permissions.contains('l')) {
        let remedy = "Make the address with sp=rl.";
        wrong(
            "SAS_PERMISSIONS",
            "does not permit both to read and to list (sp)",
            remedy,
        );
    }
    let latest = now - STARTED;
    if moment(value("st")).is_none_or(|start| start > latest) {
        let message = "is not valid since a day ago or longer (st)";
        wrong("SAS_START", message, "Make it start at least one day ago.");
    }
    let earliest = now + LASTS;
    if moment(value("se")).is_none_or(|expiry| expiry < earliest) {
        let message = "is not valid for three weeks from now (se)";
        let remedy = "Make it expire three weeks from now or later.";
        wrong("SAS_EXPIRY", message, remedy);
    }
}

/// A time of a SAS: ISO 8601 in UTC, with seconds, without, or a date alone. `None`: it isn't there or is none.
fn moment(text: Option<Cow<'_, str>>) -> Option<OffsetDateTime> {
    let text = text?;
    let date = || Date::parse(&text, &Iso8601::DATE).map(|date| date.midnight().assume_utc());
    OffsetDateTime::parse(&text, &Iso8601::DEFAULT)
        .or_else(|_| date())
        .ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::pages::PageId;

    const NOW: OffsetDateTime = datetime!(2026-03-10 12:00 UTC);

    fn codes(address: &str) -> Vec<&'static str> {
        let mut issues = Issues::of(PageId::PlanTechnicalConfiguration, None);
        check(&mut issues, "os_disk", address, NOW);
        let found = issues.into_vec();
        for issue in &found {
            let told = format!("{} {}", issue.message, issue.remedy);
            assert!(!told.contains("c2lnbg"), "{told}");
        }
        found.into_iter().map(|issue| issue.code).collect()
    }

    fn sas(query: &str) -> Vec<&'static str> {
        codes(&format!(
            "https://contoso.blob.core.windows.net/vhds/os.vhd?sv=2024-11-04&sr=c&sig=c2lnbg%3D{query}"
        ))
    }

    #[test]
    fn tc_3_a_disk_is_of_a_gallery_or_an_https_address() {
        let gallery = "/subscriptions/7c1d6f4e-9a52-4b0e-8f36-2d5b8a9c0e17/resourceGroups/images/providers/Microsoft.Compute\
            /galleries/contoso/images/postgresql/versions/17.4.0";
        for good in [gallery, &gallery.to_lowercase(), "", " "] {
            assert!(codes(good).is_empty(), "{good}");
        }
        let image = gallery.trim_end_matches("/versions/17.4.0");
        for bad in [
            image,
            &format!("{gallery}-rc"),
            &gallery.replace("7c1d", "7c1"),
            "os.vhd",
            "http://contoso.blob.core.windows.net/vhds/os.vhd?sig=c2lnbg",
            "https://user@contoso.blob.core.windows.net/vhds/os.vhd?sig=c2lnbg",
            "ftp://contoso.example/os.vhd",
            "https://",
        ] {
            assert_eq!(codes(bad), ["BAD_DISK"], "{bad}");
        }
    }

    #[test]
    fn tc_4_a_sas_reads_and_lists_since_a_day_and_for_three_weeks() {
        let good = "&sp=rl&st=2026-03-09T12:00:00Z&se=2026-03-31T12:00:00Z";
        assert!(sas(good).is_empty(), "at both limits");
        let table: &[(&str, &str, &[&str])] = &[
            ("sp=rl", "sp=lr", &[]),
            ("sp=rl", "sp=racwdl", &[]),
            ("sp=rl", "sp=r", &["SAS_PERMISSIONS"]),
            ("sp=rl", "sp=l", &["SAS_PERMISSIONS"]),
            ("sp=rl&", "", &["SAS_PERMISSIONS"]),
            ("09T12:00:00Z", "09T12:00:01Z", &["SAS_START"]),
            ("09T12:00:00Z", "09T12:00Z", &[]),
            ("09T12:00:00Z", "09", &[]),
            ("09T12:00:00Z", "10", &["SAS_START"]),
            ("09T12:00:00Z", "09T14:00:00%2B02:00", &[]),
            ("st=2026-03-09T12:00:00Z&", "", &["SAS_START"]),
            ("st=2026", "st=yesterday", &["SAS_START"]),
            ("31T12:00:00Z", "31T11:59:59Z", &["SAS_EXPIRY"]),
            ("31T12:00:00Z", "31", &["SAS_EXPIRY"]),
            ("&se=2026-03-31T12:00:00Z", "", &["SAS_EXPIRY"]),
        ];
        for (part, by, wanted) in table {
            assert!(good.contains(part), "{part}");
            assert_eq!(sas(&good.replace(part, by)), *wanted, "{by}");
        }
        assert_eq!(sas(""), ["SAS_PERMISSIONS", "SAS_START", "SAS_EXPIRY"]);
        let unsigned = "https://contoso.blob.core.windows.net/vhds/os.vhd?sp=rl";
        assert_eq!(codes(unsigned), ["SAS_SIGNATURE"]);
        assert_eq!(codes(&format!("{unsigned}&sig=")), ["SAS_SIGNATURE"]);
    }
}
