//! The four filters of the history page: Events, Users, Date, Pages (HF-4).

use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, UtcOffset};

use super::{Code, OfferType, Page};

/// What a list is narrowed to: filters combine with AND, values of one with OR (HF-10); an empty one narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub codes: Vec<Code>,
    /// Set: rows of these initiators only.
    pub users: Option<UserFilter>,
    pub days: Days,
    /// Submissions to preview that changed one of these, and nothing else (HF-6).
    pub pages: Vec<Page>,
}

/// Initiators that are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    pub principals: Vec<String>,
    /// What operators did, whoever of them.
    pub operators: bool,
}

/// A span of whole days, as times: from `from`, before `until`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Days {
    pub from: Option<OffsetDateTime>,
    pub until: Option<OffsetDateTime>,
}

/// What is wrong with a day or a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
    #[error("is not a day of the form YYYY-MM-DD")]
    Day,
    #[error("is not a UTC offset such as +02:00")]
    Zone,
}

impl Days {
    /// Both days included, as calendar days of the viewer's zone (HF-5).
    pub fn between(from: Option<Date>, to: Option<Date>, zone: UtcOffset) -> Days {
        let begins = |day: Date| day.midnight().assume_offset(zone).to_offset(UtcOffset::UTC);
        Days {
            from: from.map(begins),
            // A last day of the calendar, with no day after it, would end nowhere.
            until: to.and_then(Date::next_day).map(begins),
        }
    }
}

/// Of days that can be asked for.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9998;

/// "YYYY-MM-DD"; empty: none.
pub fn parse_day(text: &str) -> Result<Option<Date>, DayError> {
    if text.is_empty() {
        return Ok(None);
    }
    // Years that any offset leaves within those that the calendar and the database know; no sign.
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .ok()
        .filter(|day| text.len() == 10 && YEARS.contains(&day.year()))
        .map(Some)
        .ok_or(DayError::Day)
}

/// "+02:00", "-05:30", "Z"; empty: UTC.
pub fn parse_zone(text: &str) -> Result<UtcOffset, DayError> {
    if matches!(text, "" | "Z" | "UTC") {
        return Ok(UtcOffset::UTC);
    }
    let zone = UtcOffset::parse(
        text,
        format_description!("[offset_hour sign:mandatory]:[offset_minute]"),
    );
    let zone = zone.map_err(|_| DayError::Zone)?;
    let widest = Duration::hours(14);
    let span = Duration::seconds(i64::from(zone.whole_seconds())).abs();
    if span > widest {
        Err(DayError::Zone)
    } else {
        Ok(zone)
    }
}

impl Filter {
    /// Codes to look for: with a filter by pages, submissions to preview only (HF-6). `None`: any.
    pub fn wanted_codes(&self) -> Option<Vec<Code>> {
        if self.pages.is_empty() {
            return if self.codes.is_empty() {
                None
            } else {
                Some(self.codes.clone())
            };
        }
        let submissions = Code::SubmittedToPreview;
        let wanted = self.codes.is_empty() || self.codes.contains(&submissions);
        Some(if wanted {
            vec![submissions]
        } else {
            Vec::new()
        })
    }

    /// Pages to look for: none where one of them counts as changed in every submission (HF-7, HF-8).
    pub fn wanted_pages(&self, kind: &OfferType) -> Option<&[Page]> {
        if self.pages.is_empty() || kind.takes_every_submission(&self.pages) {
            None
        } else {
            Some(&self.pages)
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    fn kind() -> OfferType {
        OfferType {
            supports_plans: true,
            pages: vec![],
        }
    }

    #[test]
    fn hf_3_without_filters_everything_is_shown() {
        let none = Filter::default();
        assert_eq!(
            (none.wanted_codes(), none.wanted_pages(&kind())),
            (None, None)
        );
        assert_eq!((none.days, none.users), (Days::default(), None));
    }

    #[test]
    fn hf_6_pages_show_submissions_to_preview_only() {
        let filter = Filter {
            pages: vec![Page::OfferListing],
            ..Filter::default()
        };
        assert_eq!(filter.wanted_codes(), Some(vec![Code::SubmittedToPreview]));
        assert_eq!(
            filter.wanted_pages(&kind()),
            Some(&[Page::OfferListing][..])
        );
    }

    #[test]
    fn hf_7_and_8_pages_that_always_count_take_every_submission() {
        for page in [Page::OfferSetup, Page::PlanOverview] {
            let filter = Filter {
                pages: vec![Page::CoSell, page],
                ..Filter::default()
            };
            assert_eq!(filter.wanted_codes(), Some(vec![Code::SubmittedToPreview]));
            assert_eq!(filter.wanted_pages(&kind()), None);
        }
    }

    #[test]
    fn hf_10_pages_with_events_that_are_no_submissions_show_nothing() {
        let mut filter = Filter {
            pages: vec![Page::OfferSetup],
            codes: vec![Code::CreatedPlan],
            ..Filter::default()
        };
        assert_eq!(filter.wanted_codes(), Some(vec![]));
        filter.codes.push(Code::SubmittedToPreview);
        assert_eq!(filter.wanted_codes(), Some(vec![Code::SubmittedToPreview]));
    }

    #[test]
    fn hf_5_days_are_inclusive_and_of_the_viewers_zone() {
        let zone = parse_zone("+02:00").unwrap();
        let days = Days::between(
            Some(date!(2026 - 03 - 01)),
            Some(date!(2026 - 03 - 01)),
            zone,
        );
        assert_eq!(days.from, Some(datetime!(2026-02-28 22:00 UTC)));
        assert_eq!(days.until, Some(datetime!(2026-03-01 22:00 UTC)));
        assert_eq!(Days::between(None, None, zone), Days::default());
    }

    #[test]
    fn the_first_and_the_last_day_are_times_in_every_zone() {
        let (first, last) = (
            parse_day("0001-01-01").unwrap(),
            parse_day("9998-12-31").unwrap(),
        );
        for zone in ["+14:00", "-14:00"] {
            let days = Days::between(first, last, parse_zone(zone).unwrap());
            assert!(days.from < days.until && days.until.is_some(), "{zone}");
        }
    }

    #[test]
    fn what_is_no_day_or_zone_is_refused() {
        for zone in ["+15:00", "2", "CET", "+2", "+02:60", "02:00"] {
            assert_eq!(parse_zone(zone), Err(DayError::Zone), "{zone}");
        }
        for day in [
            "2026-02-30",
            "2026-2-3",
            "today",
            "2026-01-01T00:00:00Z",
            "-9999-01-01",
            "-4800-01-01",
            "+2026-01-01",
            "0000-01-01",
            "9999-01-01",
        ] {
            assert_eq!(parse_day(day), Err(DayError::Day), "{day}");
        }
        assert_eq!(parse_zone("-05:30").unwrap().as_hms(), (-5, -30, 0));
        assert_eq!(parse_day("2026-12-31"), Ok(Some(date!(2026 - 12 - 31))));
    }
}
