//! Logo and screenshots, by their pixels (CV-7).

use super::{
    Check, Found, Subject, always, automatic,
    image::{difference, distance},
    manual,
    subject::{Place, listing},
};
use crate::domain::{ImageFacts, Level, Pixels};

pub const CHECKS: &[Check] = &[
    automatic(
        ("CV-7", 2),
        (Level::Content, "100.3"),
        "Logo and screenshots are of the required quality",
        always,
        graphics,
    ),
    manual(
        ("CV-7-M", 1),
        (Level::Content, "100.3"),
        "Graphics are legible and show the offer",
        has_pictures,
        |s| {
            format!(
                "Needs an eye. Look at the logo and the {} screenshots at full size: texts can be read, the product itself is shown, and captions say what is seen.",
                s.listing().screenshots.len()
            )
        },
    ),
];

/// A deviation of luma below this is a blank picture.
const BLANK: f32 = 4.0;
/// Logos may be plain, but something must be drawn.
const BLANK_LOGO: f32 = 1.5;
/// Pictures whose hashes and thumbnails differ by less are the same picture.
const SAME_BITS: u32 = 8;
const SAME_CELLS: f32 = 2.0;

fn has_pictures(subject: &Subject<'_>) -> bool {
    !subject.listing().large_logo.is_empty() || !subject.listing().screenshots.is_empty()
}

fn graphics(subject: &Subject<'_>, found: &mut Found<'_>) {
    let page = subject.listing();
    if page.large_logo.is_empty() {
        found.fail(
            "LOGO_MISSING",
            listing("large_logo"),
            "there is no logo",
            "Upload a square PNG of 216 to 350 pixels.",
        );
    }
    logo(subject, found, &page.large_logo, "large_logo", 216..=350);
    logo(subject, found, &page.medium_logo, "medium_logo", 90..=90);
    logo(subject, found, &page.small_logo, "small_logo", 48..=48);
    wide_logo(subject, found, &page.wide_logo, "wide_logo", (255, 115));
    wide_logo(subject, found, &page.hero_logo, "hero_logo", (815, 290));
    let most = 5;
    let least = subject.of_type().map_or(0, |known| known.min_screenshots);
    if page.screenshots.len() < least {
        let remedy = "Upload one to five screenshots, PNG, 1280 × 720.";
        found.fail(
            "SCREENSHOTS_MISSING",
            listing("screenshots"),
            "there is no screenshot",
            remedy,
        );
    }
    if page.screenshots.len() > most {
        let evidence = format!("{} screenshots", page.screenshots.len());
        found.fail(
            "SCREENSHOTS_TOO_MANY",
            listing("screenshots"),
            evidence,
            "Keep at most five screenshots.",
        );
    }
    for (n, screenshot) in page.screenshots.iter().enumerate() {
        self::screenshot(subject, found, &screenshot.asset, n);
        if screenshot.caption.trim().is_empty() {
            let remedy = "Say in a caption what the screenshot shows.";
            found.fail(
                "CAPTION_MISSING",
                listing(format!("screenshots[{n}].caption")),
                "there is no caption",
                remedy,
            );
        }
    }
    duplicates(subject, found);
}

fn logo(
    subject: &Subject<'_>,
    found: &mut Found<'_>,
    asset: &str,
    field: &str,
    size: std::ops::RangeInclusive<u32>,
) {
    let wanted = if size.start() == size.end() {
        format!("PNG, {0} × {0} pixels", size.start())
    } else {
        format!("PNG, square, {} to {} pixels", size.start(), size.end())
    };
    let Some(facts) = readable(subject, found, asset, listing(field), &wanted) else {
        return;
    };
    let fits = |(width, height)| width == height && size.contains(&width);
    judge(found, facts, field, &wanted, fits);
}

/// LI-18
fn wide_logo(
    subject: &Subject<'_>,
    found: &mut Found<'_>,
    asset: &str,
    field: &str,
    size: (u32, u32),
) {
    let wanted = format!("PNG, {} × {} pixels", size.0, size.1);
    if let Some(facts) = readable(subject, found, asset, listing(field), &wanted) {
        judge(found, facts, field, &wanted, |found| found == size);
    }
}

fn judge(
    found: &mut Found<'_>,
    facts: &ImageFacts,
    field: &str,
    wanted: &str,
    fits: impl Fn((u32, u32)) -> bool,
) {
    let Some((width, height)) = facts.dimensions() else {
        return;
    };
    if !fits((width, height)) {
        let remedy = format!("Upload the logo as {wanted}.");
        found.fail(
            "LOGO_SIZE",
            listing(field),
            format!("{width} × {height} pixels"),
            remedy,
        );
        return;
    }
    if let ImageFacts::Png(pixels) = facts
        && (pixels.deviation < BLANK_LOGO || pixels.opaque < 0.02)
    {
        let evidence = format!(
            "luma deviates by {:.1}, {:.0} % can be seen on white",
            pixels.deviation,
            pixels.opaque * 100.0
        );
        found.fail(
            "LOGO_BLANK",
            listing(field),
            evidence,
            "Upload a logo that can be seen on a white page.",
        );
    }
}

fn screenshot(subject: &Subject<'_>, found: &mut Found<'_>, asset: &str, n: usize) {
    let at = || listing(format!("screenshots[{n}].asset"));
    let Some(facts) = readable(subject, found, asset, at(), "PNG, 1280 × 720 pixels") else {
        return;
    };
    let Some((width, height)) = facts.dimensions() else {
        return;
    };
    if (width, height) != (1280, 720) {
        let remedy = "Upload the screenshot as PNG of exactly 1280 × 720 pixels.";
        found.fail(
            "SCREENSHOT_SIZE",
            at(),
            format!("{width} × {height} pixels"),
            remedy,
        );
        return;
    }
    let ImageFacts::Png(pixels) = facts else {
        return;
    };
    if pixels.deviation < BLANK {
        let evidence = format!("luma deviates by {:.1} of 255", pixels.deviation);
        found.fail(
            "SCREENSHOT_BLANK",
            at(),
            evidence,
            "Upload a screenshot that shows the product at work.",
        );
    } else if pixels.upscaled {
        let remedy = "Take the screenshot at 1280 × 720 instead of enlarging a smaller one.";
        found.warn(
            "SCREENSHOT_UPSCALED",
            at(),
            "no detail is finer than two pixels",
            remedy,
        );
    }
}

/// The picture, unless it isn't there or is no whole PNG, which is a finding.
fn readable<'a>(
    subject: &Subject<'a>,
    found: &mut Found<'_>,
    asset: &str,
    at: Place,
    wanted: &str,
) -> Option<&'a ImageFacts> {
    if asset.is_empty() {
        return None;
    }
    let remedy = format!("Upload the picture as {wanted}.");
    let Some((_, facts)) = subject.image(asset) else {
        found.fail(
            "IMAGE_MISSING",
            at,
            format!("{asset} is not part of the snapshot"),
            remedy,
        );
        return None;
    };
    match facts {
        ImageFacts::TooLarge => found.fail("IMAGE_TOO_LARGE", at, "more than 8 MiB", remedy),
        ImageFacts::NotPng(format) => found.fail(
            "IMAGE_FORMAT",
            at,
            format!("the content is {format}"),
            remedy,
        ),
        ImageFacts::Broken(why) => found.fail("IMAGE_BROKEN", at, why, remedy),
        ImageFacts::Oversized { .. } | ImageFacts::Png(_) => return Some(facts),
    }
    None
}

fn duplicates(subject: &Subject<'_>, found: &mut Found<'_>) {
    let shots = &subject.listing().screenshots;
    let pixels = |n: usize| match subject.image(&shots[n].asset) {
        Some((asset, ImageFacts::Png(pixels))) => Some((asset, pixels)),
        _ => None,
    };
    for later in 1..shots.len() {
        let Some((asset, picture)) = pixels(later) else {
            continue;
        };
        for earlier in 0..later {
            let Some((other_asset, other)) = pixels(earlier) else {
                continue;
            };
            if asset.digest == other_asset.digest || alike(picture, other) {
                let at = listing(format!("screenshots[{later}].asset"));
                let evidence = format!("shows the same as screenshots[{earlier}]");
                found.fail(
                    "SCREENSHOT_DUPLICATE",
                    at,
                    evidence,
                    "Replace the repeated screenshot by one that shows something else.",
                );
                break;
            }
        }
    }
}

fn alike(one: &Pixels, other: &Pixels) -> bool {
    distance(&one.hash, &other.hash) <= SAME_BITS
        && difference(&one.thumbnail, &other.thumbnail) <= SAME_CELLS
}
