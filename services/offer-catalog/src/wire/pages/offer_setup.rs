//! Offer setup on the wire.

use marketplace_proto::offercatalog::v1 as pb;

use super::{Reading, lead_destination, limits};
use crate::pages::{CallToAction, OfferSetup, Selling, TestDrive};

pub(super) fn read(page: &pb::OfferSetupPage, reading: &mut Reading) -> OfferSetup {
    let kind = page
        .test_drive
        .as_ref()
        .map(|test_drive| test_drive.r#type.clone())
        .filter(|kind| !kind.is_empty());
    OfferSetup {
        selling: reading.choice("selling", page.selling, selling),
        call_to_action: reading.choice("call_to_action", page.call_to_action, call_to_action),
        call_to_action_url: page.call_to_action_url.clone(),
        lead_destination: page
            .lead_destination
            .as_ref()
            .and_then(|leads| lead_destination::read(leads, reading)),
        client_links: reading.texts("client_links", &page.client_links, limits::FEW),
        test_drive: kind.map(|kind| TestDrive { kind }),
    }
}

pub(super) fn write(page: &OfferSetup, secret: bool) -> pb::OfferSetupPage {
    let selling = page.selling.map(|selling| match selling {
        Selling::ListAndSell => pb::SellingOption::ListAndSell,
        Selling::ListingOnly => pb::SellingOption::ListingOnly,
    });
    let call_to_action = page.call_to_action.map(|action| match action {
        CallToAction::Free => pb::CallToAction::Free,
        CallToAction::FreeTrial => pb::CallToAction::FreeTrial,
        CallToAction::ContactMe => pb::CallToAction::ContactMe,
    });
    pb::OfferSetupPage {
        selling: selling.unwrap_or_default() as i32,
        call_to_action: call_to_action.unwrap_or_default() as i32,
        call_to_action_url: page.call_to_action_url.clone(),
        lead_destination: page
            .lead_destination
            .as_ref()
            .map(|leads| lead_destination::write(leads, secret)),
        client_links: page.client_links.clone(),
        test_drive: page.test_drive.as_ref().map(|test_drive| pb::TestDrive {
            r#type: test_drive.kind.clone(),
        }),
    }
}

fn selling(value: i32) -> Option<Selling> {
    match pb::SellingOption::try_from(value).ok()? {
        pb::SellingOption::Unspecified => None,
        pb::SellingOption::ListAndSell => Some(Selling::ListAndSell),
        pb::SellingOption::ListingOnly => Some(Selling::ListingOnly),
    }
}

fn call_to_action(value: i32) -> Option<CallToAction> {
    match pb::CallToAction::try_from(value).ok()? {
        pb::CallToAction::Unspecified => None,
        pb::CallToAction::Free => Some(CallToAction::Free),
        pb::CallToAction::FreeTrial => Some(CallToAction::FreeTrial),
        pb::CallToAction::ContactMe => Some(CallToAction::ContactMe),
    }
}
