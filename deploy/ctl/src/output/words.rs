//! Times, spans and enum values as people read them.

use prost_types::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

const MINUTE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const CLOCK: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]:[second]");

/// The time of a message; unset and impossible ones are `None`.
pub fn instant(time: Option<&Timestamp>) -> Option<OffsetDateTime> {
    let time = time?;
    let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
}

/// A time as a message has it.
pub fn timestamp(time: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: time.unix_timestamp(),
        nanos: i32::try_from(time.nanosecond()).unwrap_or_default(),
    }
}

/// "2026-03-01 12:00:05" in UTC; empty if unset.
pub fn when(time: Option<&Timestamp>) -> String {
    instant(time)
        .and_then(|time| time.format(MINUTE).ok())
        .unwrap_or_default()
}

/// "12:00:05" in UTC.
pub fn clock(time: OffsetDateTime) -> String {
    time.format(CLOCK).unwrap_or_default()
}

/// "0:07", "12:30", "3:05:00", "2 d 03:00".
pub fn span(span: Duration) -> String {
    let seconds = span.whole_seconds().max(0);
    let (days, hours, minutes, seconds) = (
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    );
    match (days, hours) {
        (0, 0) => format!("{minutes}:{seconds:02}"),
        (0, hours) => format!("{hours}:{minutes:02}:{seconds:02}"),
        (days, hours) => format!("{days} d {hours:02}:{minutes:02}"),
    }
}

/// "Publish in progress" of "OFFER_STATUS_PUBLISH_IN_PROGRESS", given "OFFER_STATUS_".
pub fn label(value: &str, prefix: &str) -> String {
    let words = value
        .strip_prefix(prefix)
        .unwrap_or(value)
        .replace('_', " ")
        .to_lowercase();
    if words == "unspecified" {
        return String::new();
    }
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// "1 page", "2 pages".
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// "12.3 KiB".
pub fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let kib = bytes as f64 / 1024.0;
    if kib < 1.0 {
        format!("{bytes} B")
    } else if kib < 1024.0 {
        format!("{kib:.1} KiB")
    } else {
        format!("{:.1} MiB", kib / 1024.0)
    }
}

/// HTML of a listing as lines of text: what a customer reads, without markup.
pub fn plain(html: &str) -> String {
    let mut text = String::new();
    // Line breaks of the source are blanks to a reader.
    let html = html.replace(['\n', '\r'], " ");
    let mut rest = html.as_str();
    while let Some((before, tag_on)) = rest.split_once('<') {
        text += before;
        let Some((tag, after)) = tag_on.split_once('>') else {
            rest = "";
            break;
        };
        text += break_at(tag);
        rest = after;
    }
    text += rest;
    // &amp; last: it may stand before what looks like another entity.
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    tidy(&text)
}

/// The line breaks that a tag stands for.
fn break_at(tag: &str) -> &'static str {
    let name = tag
        .trim_start_matches('/')
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or("");
    match (tag.starts_with('/'), name.to_ascii_lowercase().as_str()) {
        (false, "li") => "\n• ",
        (false, "br") | (true, "h1" | "h2" | "h3" | "h4" | "h5" | "h6") => "\n",
        (_, "p" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6") => "\n\n",
        _ => "",
    }
}

/// No blanks around lines, at most one empty line in a row, points of lists moved in.
fn tidy(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines().map(str::trim) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let line = words.join(" ");
        if line.is_empty() {
            if !out.is_empty() && !out.ends_with("\n\n") {
                out.push('\n');
            }
            continue;
        }
        if line.starts_with('•') {
            out += "  ";
        }
        out += &line;
        out.push('\n');
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_grow_with_their_length() {
        let table = [
            (7, "0:07"),
            (750, "12:30"),
            (11_100, "3:05:00"),
            (183_600, "2 d 03:00"),
            (-5, "0:00"),
        ];
        for (seconds, wanted) in table {
            assert_eq!(span(Duration::seconds(seconds)), wanted);
        }
    }

    #[test]
    fn enum_values_become_labels() {
        assert_eq!(
            label("OFFER_STATUS_PUBLISH_IN_PROGRESS", "OFFER_STATUS_"),
            "Publish in progress"
        );
        assert_eq!(label("OFFER_STATUS_UNSPECIFIED", "OFFER_STATUS_"), "");
    }

    #[test]
    fn times_are_utc_to_the_second() {
        let time = Timestamp {
            seconds: 1_767_225_605,
            nanos: 999_000_000,
        };
        assert_eq!(when(Some(&time)), "2026-01-01 00:00:05");
        assert_eq!(when(None), "");
        assert_eq!(timestamp(instant(Some(&time)).unwrap()), time);
    }

    #[test]
    fn html_reads_as_text() {
        let html = "<h2>Why</h2><p>Fast &amp; <b>safe</b>.</p>\n<ul><li>one</li><li>two</li></ul><p>1 &lt; 2</p>";
        assert_eq!(
            plain(html),
            "Why\n\nFast & safe.\n\n  • one\n  • two\n\n1 < 2"
        );
        assert_eq!(plain("open <b"), "open");
    }

    #[test]
    fn sizes_and_counts() {
        assert_eq!(
            (size(10).as_str(), size(12_595).as_str()),
            ("10 B", "12.3 KiB")
        );
        assert_eq!(
            (count(1, "page").as_str(), count(2, "page").as_str()),
            ("1 page", "2 pages")
        );
    }
}
