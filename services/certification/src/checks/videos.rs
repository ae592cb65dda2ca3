//! Videos: where they are, and their thumbnails (CV-8). Whether they play needs the network: a manual item.

use url::Url;

use super::{Check, Found, Subject, automatic, manual, subject::listing};
use crate::domain::Level;

pub const CHECKS: &[Check] = &[
    automatic(
        ("CV-8", 2),
        (Level::Content, "100.3"),
        "Videos are embeddable and have thumbnails",
        has_videos,
        videos,
    ),
    manual(
        ("CV-8-M", 1),
        (Level::Content, "100.3"),
        "Videos play and name no competitor",
        has_videos,
        |s| {
            let urls: Vec<&str> = s
                .listing()
                .videos
                .iter()
                .map(|video| video.url.as_str())
                .collect();
            format!(
                "Needs the network. Play each of {}: it starts without signing in, may be embedded, is about this offer, and promotes no other company's product.",
                urls.join(", ")
            )
        },
    ),
];

/// Hosts on which a video may lie, with what its path begins with.
const PLAYERS: &[(&str, &str)] = &[
    ("youtube.com", "/watch"),
    ("www.youtube.com", "/watch"),
    ("www.youtube.com", "/embed/"),
    ("youtube.com", "/embed/"),
    ("www.youtube-nocookie.com", "/embed/"),
    ("vimeo.com", "/"),
    ("www.vimeo.com", "/"),
    ("player.vimeo.com", "/video/"),
];
/// Short links that lead to a player, and may lead elsewhere tomorrow.
const SHORTENERS: &[&str] = &[
    "youtu.be",
    "bit.ly",
    "t.co",
    "tinyurl.com",
    "goo.gl",
    "aka.ms",
    "ow.ly",
    "is.gd",
    "buff.ly",
];

fn has_videos(subject: &Subject<'_>) -> bool {
    !subject.listing().videos.is_empty()
}

fn videos(subject: &Subject<'_>, found: &mut Found<'_>) {
    let most = subject.of_type().map_or(5, |known| known.max_videos);
    let videos = &subject.listing().videos;
    if videos.len() > most {
        let evidence = format!("{} videos", videos.len());
        found.fail(
            "VIDEOS_TOO_MANY",
            listing("videos"),
            evidence,
            format!("Keep at most {most} videos."),
        );
    }
    for (n, video) in videos.iter().enumerate() {
        let at = |field: &str| listing(format!("videos[{n}].{field}"));
        if video.name.trim().is_empty() {
            found.fail(
                "VIDEO_NAME_MISSING",
                at("name"),
                "there is no name",
                "Give the video a name.",
            );
        }
        address(found, &video.url, n);
        match subject
            .image(&video.thumbnail)
            .map(|(_, facts)| facts.dimensions())
        {
            Some(Some((1280, 720))) => {}
            Some(Some((width, height))) => {
                let remedy = "Upload a thumbnail, PNG, of exactly 1280 × 720 pixels.";
                found.fail(
                    "THUMBNAIL_SIZE",
                    at("thumbnail"),
                    format!("{width} × {height} pixels"),
                    remedy,
                );
            }
            Some(None) => {
                found.fail(
                    "THUMBNAIL_FORMAT",
                    at("thumbnail"),
                    "not a whole PNG",
                    "Upload the thumbnail as PNG, 1280 × 720.",
                );
            }
            None => found.fail(
                "THUMBNAIL_MISSING",
                at("thumbnail"),
                "there is no thumbnail",
                "Upload a thumbnail, PNG, 1280 × 720.",
            ),
        }
    }
}

fn address(found: &mut Found<'_>, url: &str, n: usize) {
    let at = || listing(format!("videos[{n}].url"));
    let remedy = "Give the full https address of the video on YouTube or Vimeo.";
    let parsed = Url::parse(url)
        .ok()
        .filter(|parsed| parsed.scheme() == "https");
    let Some((host, path)) = parsed
        .as_ref()
        .and_then(|parsed| Some((parsed.host_str()?, parsed.path())))
    else {
        found.fail("VIDEO_URL", at(), url, remedy);
        return;
    };
    if SHORTENERS.contains(&host) {
        found.fail("VIDEO_SHORT_URL", at(), url, remedy);
    } else if !PLAYERS
        .iter()
        .any(|(known, begins)| *known == host && path.starts_with(begins) && path.len() > 1)
    {
        found.fail("VIDEO_HOST", at(), url, remedy);
    }
}
