//! The smaller pages of an offer on the wire: properties, technical configuration, resellers, co-sell, supplemental.

use marketplace_proto::offercatalog::v1 as pb;

use super::offer_listing::{contact_of, read_files, write_contact, write_files};
use super::{Reading, legal, limits};
use crate::pages::{
    CategoryChoice, CoSell, Hosting, IndustryChoice, Properties, ResellThroughCsps, ResellerState,
    SupplementalContent, TechnicalConfiguration,
};

pub(super) fn read_properties(page: &pb::PropertiesPage, reading: &mut Reading) -> Properties {
    let categories = reading.list("categories", &page.categories, limits::FEW);
    let categories = categories.iter().enumerate().map(|(at, choice)| {
        let path = format!("categories[{at}].subcategories");
        CategoryChoice {
            category: choice.category.clone(),
            subcategories: reading.texts(&path, &choice.subcategories, limits::FEW),
        }
    });
    let categories = categories.collect();
    let industries = reading.list("industries", &page.industries, limits::FEW);
    let industries = industries.iter().enumerate().map(|(at, choice)| {
        let path = format!("industries[{at}].sub_industries");
        IndustryChoice {
            industry: choice.industry.clone(),
            sub_industries: reading.texts(&path, &choice.sub_industries, limits::FEW),
        }
    });
    Properties {
        categories,
        industries: industries.collect(),
        app_version: page.app_version.clone(),
        legal: page
            .legal
            .as_ref()
            .and_then(|terms| legal::read(terms, reading)),
    }
}

pub(super) fn write_properties(page: &Properties) -> pb::PropertiesPage {
    let category = |choice: &CategoryChoice| pb::CategoryChoice {
        category: choice.category.clone(),
        subcategories: choice.subcategories.clone(),
    };
    let industry = |choice: &IndustryChoice| pb::IndustryChoice {
        industry: choice.industry.clone(),
        sub_industries: choice.sub_industries.clone(),
    };
    pb::PropertiesPage {
        categories: page.categories.iter().map(category).collect(),
        industries: page.industries.iter().map(industry).collect(),
        app_version: page.app_version.clone(),
        legal: page.legal.as_ref().map(legal::write),
    }
}

pub(super) fn read_technical(page: &pb::TechnicalConfigurationPage) -> TechnicalConfiguration {
    TechnicalConfiguration {
        landing_page_url: page.landing_page_url.clone(),
        webhook_url: page.webhook_url.clone(),
        tenant_id: page.tenant_id.clone(),
        application_id: page.application_id.clone(),
    }
}

pub(super) fn write_technical(page: &TechnicalConfiguration) -> pb::TechnicalConfigurationPage {
    pb::TechnicalConfigurationPage {
        landing_page_url: page.landing_page_url.clone(),
        webhook_url: page.webhook_url.clone(),
        tenant_id: page.tenant_id.clone(),
        application_id: page.application_id.clone(),
    }
}

pub(super) fn read_resell(
    page: &pb::ResellThroughCspsPage,
    reading: &mut Reading,
) -> ResellThroughCsps {
    let state = |value| match pb::ResellerState::try_from(value).ok()? {
        pb::ResellerState::Unspecified => None,
        pb::ResellerState::None => Some(ResellerState::None),
        pb::ResellerState::Some => Some(ResellerState::Some),
        pb::ResellerState::All => Some(ResellerState::All),
    };
    ResellThroughCsps {
        state: reading.choice("state", page.state, state),
        partner_tenant_ids: reading.texts(
            "partner_tenant_ids",
            &page.partner_tenant_ids,
            limits::PARTNERS,
        ),
    }
}

pub(super) fn write_resell(page: &ResellThroughCsps) -> pb::ResellThroughCspsPage {
    let state = page.state.map(|state| match state {
        ResellerState::None => pb::ResellerState::None,
        ResellerState::Some => pb::ResellerState::Some,
        ResellerState::All => pb::ResellerState::All,
    });
    pb::ResellThroughCspsPage {
        state: state.unwrap_or_default() as i32,
        partner_tenant_ids: page.partner_tenant_ids.clone(),
    }
}

pub(super) fn read_co_sell(page: &pb::CoSellPage, reading: &mut Reading) -> CoSell {
    CoSell {
        contacts: reading
            .list("contacts", &page.contacts, limits::FEW)
            .iter()
            .map(contact_of)
            .collect(),
        documents: read_files(&page.documents, "documents", reading),
    }
}

pub(super) fn write_co_sell(page: &CoSell) -> pb::CoSellPage {
    pb::CoSellPage {
        contacts: page.contacts.iter().map(write_contact).collect(),
        documents: write_files(&page.documents),
    }
}

pub(super) fn read_supplemental(
    page: &pb::SupplementalContentPage,
    reading: &mut Reading,
) -> SupplementalContent {
    let hosting = |value| match pb::HostingModel::try_from(value).ok()? {
        pb::HostingModel::Unspecified => None,
        pb::HostingModel::Azure => Some(Hosting::Azure),
        pb::HostingModel::OtherCloud => Some(Hosting::OtherCloud),
        pb::HostingModel::OnPremises => Some(Hosting::OnPremises),
        pb::HostingModel::Mixed => Some(Hosting::Mixed),
    };
    SupplementalContent {
        hosting: reading.choice("hosting", page.hosting, hosting),
        azure_subscription_ids: reading.texts(
            "azure_subscription_ids",
            &page.azure_subscription_ids,
            limits::SUBSCRIPTIONS,
        ),
        demo_video_url: page.demo_video_url.clone(),
        evidence: read_files(&page.evidence, "evidence", reading),
        validation_call_requested: page.validation_call_requested,
    }
}

pub(super) fn write_supplemental(page: &SupplementalContent) -> pb::SupplementalContentPage {
    let hosting = page.hosting.map(|hosting| match hosting {
        Hosting::Azure => pb::HostingModel::Azure,
        Hosting::OtherCloud => pb::HostingModel::OtherCloud,
        Hosting::OnPremises => pb::HostingModel::OnPremises,
        Hosting::Mixed => pb::HostingModel::Mixed,
    });
    pb::SupplementalContentPage {
        hosting: hosting.unwrap_or_default() as i32,
        azure_subscription_ids: page.azure_subscription_ids.clone(),
        demo_video_url: page.demo_video_url.clone(),
        evidence: write_files(&page.evidence),
        validation_call_requested: page.validation_call_requested,
    }
}
