//! LI-13 … LI-18: kinds of files, their sizes and their states.

use crate::pages::{AssetKind, AssetState};

#[test]
fn li_18_kinds_and_states_are_read_as_they_were_stored() {
    for kind in AssetKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        assert_eq!(AssetKind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(AssetKind::parse("logo"), None);
    for (state, stored) in [
        (AssetState::PendingUpload, "pending_upload"),
        (AssetState::Uploaded, "uploaded"),
        (AssetState::InProcessing, "in_processing"),
        (AssetState::Processed, "processed"),
        (AssetState::ProcessFailed, "process_failed"),
    ] {
        assert_eq!(state.as_str(), stored);
        assert_eq!(AssetState::parse(stored), Some(state));
    }
    assert_eq!(AssetState::parse("PROCESSED"), None);
}

#[test]
fn li_14_li_15_li_16_li_18_pictures_have_their_size() {
    use AssetKind::*;
    for (kind, width, height, good) in [
        (LogoLarge, 216, 216, true),
        (LogoLarge, 350, 350, true),
        (LogoLarge, 215, 215, false),
        (LogoLarge, 351, 351, false),
        (LogoLarge, 216, 217, false),
        (LogoMedium, 90, 90, true),
        (LogoMedium, 90, 91, false),
        (LogoSmall, 48, 48, true),
        (LogoSmall, 47, 48, false),
        (LogoWide, 255, 115, true),
        (LogoWide, 255, 116, false),
        (LogoHero, 815, 290, true),
        (LogoHero, 816, 290, false),
        (Screenshot, 1280, 720, true),
        (Screenshot, 720, 1280, false),
        (VideoThumbnail, 1280, 720, true),
        (VideoThumbnail, 1281, 720, false),
        (Document, 1, 2, true),
        (Package, 0, 0, true),
    ] {
        let fault = kind.size_fault(width, height);
        assert_eq!(fault.is_none(), good, "{kind:?} {width} {height}");
    }
    assert_eq!(
        LogoMedium.size_fault(90, 91).as_deref(),
        Some("must be 90 × 90 pixels; it is 90 × 91")
    );
}

#[test]
fn a_file_has_at_most_the_bytes_of_its_kind() {
    for (kind, image, most) in [
        (AssetKind::LogoLarge, true, 10_485_760),
        (AssetKind::Screenshot, true, 10_485_760),
        (AssetKind::VideoThumbnail, true, 10_485_760),
        (AssetKind::Document, false, 52_428_800),
        (AssetKind::Package, false, 1_073_741_824),
    ] {
        assert_eq!((kind.is_image(), kind.max_bytes()), (image, most));
    }
}
