//! Pricing and availability on the wire.

use marketplace_proto::offercatalog::v1 as pb;

use super::{Reading, audience, limits};
use crate::pages::{
    BillingTerm, CustomMeter, CustomerMarkets, PlanAudience, PlanPricing, Price, PricingModel,
};

pub(super) fn read(page: &pb::PlanPricingPage, reading: &mut Reading) -> PlanPricing {
    let public = |value| match pb::PlanAudience::try_from(value).ok()? {
        pb::PlanAudience::Unspecified => None,
        pb::PlanAudience::Public => Some(PlanAudience::Public),
        pb::PlanAudience::Private => Some(PlanAudience::Private),
    };
    PlanPricing {
        markets: reading.texts("markets", &page.markets, limits::MARKETS),
        customer_markets: reading.choice("customer_markets", page.customer_markets, every_market),
        model: reading.choice("model", page.model, model),
        prices: reading
            .list("prices", &page.prices, limits::PRICES)
            .iter()
            .enumerate()
            .map(|(at, price)| read_price(at, price, reading))
            .collect(),
        audience: reading.choice("audience", page.audience, public),
        hidden: page.hidden,
        free_trial: page.free_trial,
        meters: reading
            .list("meters", &page.meters, limits::FEW)
            .iter()
            .map(read_meter)
            .collect(),
        private_audience: audience::read(&page.private_audience, "private_audience", reading),
    }
}

pub(super) fn write(page: &PlanPricing) -> pb::PlanPricingPage {
    let public = page.audience.map(|audience| match audience {
        PlanAudience::Public => pb::PlanAudience::Public,
        PlanAudience::Private => pb::PlanAudience::Private,
    });
    pb::PlanPricingPage {
        markets: page.markets.clone(),
        customer_markets: page
            .customer_markets
            .map(write_every_market)
            .unwrap_or_default() as i32,
        model: page.model.map(write_model).unwrap_or_default() as i32,
        prices: page.prices.iter().map(write_price).collect(),
        audience: public.unwrap_or_default() as i32,
        hidden: page.hidden,
        free_trial: page.free_trial,
        meters: page.meters.iter().map(write_meter).collect(),
        private_audience: audience::write(&page.private_audience),
    }
}

fn read_price(at: usize, price: &pb::Price, reading: &mut Reading) -> Price {
    let at = format!("prices[{at}]");
    Price {
        term: reading.choice(&format!("{at}.term"), price.term, term),
        paid_every: reading.choice(&format!("{at}.paid_every"), price.paid_every, term),
        market: price.market.clone(),
        currency: price.currency.clone(),
        amount: price.amount.clone(),
        min_users: reading.number(&format!("{at}.min_users"), price.min_users),
        max_users: reading.number(&format!("{at}.max_users"), price.max_users),
        cores: reading.number(&format!("{at}.cores"), price.cores),
    }
}

fn write_price(price: &Price) -> pb::Price {
    pb::Price {
        term: price.term.map(write_term).unwrap_or_default() as i32,
        paid_every: price.paid_every.map(write_term).unwrap_or_default() as i32,
        market: price.market.clone(),
        currency: price.currency.clone(),
        amount: price.amount.clone(),
        min_users: price.min_users.try_into().unwrap_or(i32::MAX),
        max_users: price.max_users.try_into().unwrap_or(i32::MAX),
        cores: price.cores.try_into().unwrap_or(i32::MAX),
    }
}

fn read_meter(meter: &pb::CustomMeter) -> CustomMeter {
    CustomMeter {
        id: meter.id.clone(),
        display_name: meter.display_name.clone(),
        unit: meter.unit.clone(),
        price_per_unit: meter.price_per_unit.clone(),
        included_quantity: meter.included_quantity.clone(),
    }
}

fn write_meter(meter: &CustomMeter) -> pb::CustomMeter {
    pb::CustomMeter {
        id: meter.id.clone(),
        display_name: meter.display_name.clone(),
        unit: meter.unit.clone(),
        price_per_unit: meter.price_per_unit.clone(),
        included_quantity: meter.included_quantity.clone(),
    }
}

fn every_market(value: i32) -> Option<CustomerMarkets> {
    match pb::CustomerMarkets::try_from(value).ok()? {
        pb::CustomerMarkets::Unspecified => None,
        pb::CustomerMarkets::All => Some(CustomerMarkets::All),
        pb::CustomerMarkets::AllTaxRemitted => Some(CustomerMarkets::AllTaxRemitted),
    }
}

fn write_every_market(markets: CustomerMarkets) -> pb::CustomerMarkets {
    match markets {
        CustomerMarkets::All => pb::CustomerMarkets::All,
        CustomerMarkets::AllTaxRemitted => pb::CustomerMarkets::AllTaxRemitted,
    }
}

fn model(value: i32) -> Option<PricingModel> {
    match pb::PricingModel::try_from(value).ok()? {
        pb::PricingModel::Unspecified => None,
        pb::PricingModel::FlatRate => Some(PricingModel::FlatRate),
        pb::PricingModel::PerUser => Some(PricingModel::PerUser),
        pb::PricingModel::Free => Some(PricingModel::Free),
        pb::PricingModel::Byol => Some(PricingModel::Byol),
        pb::PricingModel::PerCore => Some(PricingModel::PerCore),
        pb::PricingModel::PerCoreSize => Some(PricingModel::PerCoreSize),
        pb::PricingModel::PerMarketAndCoreSize => Some(PricingModel::PerMarketAndCoreSize),
    }
}

fn write_model(model: PricingModel) -> pb::PricingModel {
    match model {
        PricingModel::FlatRate => pb::PricingModel::FlatRate,
        PricingModel::PerUser => pb::PricingModel::PerUser,
        PricingModel::Free => pb::PricingModel::Free,
        PricingModel::Byol => pb::PricingModel::Byol,
        PricingModel::PerCore => pb::PricingModel::PerCore,
        PricingModel::PerCoreSize => pb::PricingModel::PerCoreSize,
        PricingModel::PerMarketAndCoreSize => pb::PricingModel::PerMarketAndCoreSize,
    }
}

fn term(value: i32) -> Option<BillingTerm> {
    match pb::BillingTerm::try_from(value).ok()? {
        pb::BillingTerm::Unspecified => None,
        pb::BillingTerm::OneMonth => Some(BillingTerm::OneMonth),
        pb::BillingTerm::OneYear => Some(BillingTerm::OneYear),
        pb::BillingTerm::TwoYears => Some(BillingTerm::TwoYears),
        pb::BillingTerm::ThreeYears => Some(BillingTerm::ThreeYears),
        pb::BillingTerm::Hour => Some(BillingTerm::Hour),
    }
}

fn write_term(term: BillingTerm) -> pb::BillingTerm {
    match term {
        BillingTerm::OneMonth => pb::BillingTerm::OneMonth,
        BillingTerm::OneYear => pb::BillingTerm::OneYear,
        BillingTerm::TwoYears => pb::BillingTerm::TwoYears,
        BillingTerm::ThreeYears => pb::BillingTerm::ThreeYears,
        BillingTerm::Hour => pb::BillingTerm::Hour,
    }
}
