//! Legal terms on the wire.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::custom_terms::Source;
use marketplace_proto::offercatalog::v1::legal_terms::Terms;

use crate::pages::{CustomAmendment, CustomTerms, LegalTerms, StandardContract, TermsSource};

pub(super) fn read(legal: &pb::LegalTerms) -> Option<LegalTerms> {
    Some(match legal.terms.as_ref()? {
        Terms::Standard(contract) => LegalTerms::Standard(StandardContract {
            universal_amendment: contract.universal_amendment.clone(),
            custom_amendments: contract
                .custom_amendments
                .iter()
                .map(read_amendment)
                .collect(),
        }),
        Terms::Custom(custom) => LegalTerms::Custom(CustomTerms {
            source: custom.source.as_ref().map(|source| match source {
                Source::Text(text) => TermsSource::Text(text.clone()),
                Source::Url(url) => TermsSource::Url(url.clone()),
            }),
        }),
    })
}

fn read_amendment(amendment: &pb::CustomAmendment) -> CustomAmendment {
    CustomAmendment {
        text: amendment.text.clone(),
        tenant_ids: amendment.tenant_ids.clone(),
    }
}

pub(super) fn write(legal: &LegalTerms) -> pb::LegalTerms {
    let terms = match legal {
        LegalTerms::Standard(contract) => Terms::Standard(pb::StandardContract {
            universal_amendment: contract.universal_amendment.clone(),
            custom_amendments: contract
                .custom_amendments
                .iter()
                .map(write_amendment)
                .collect(),
        }),
        LegalTerms::Custom(custom) => Terms::Custom(pb::CustomTerms {
            source: custom.source.as_ref().map(|source| match source {
                TermsSource::Text(text) => Source::Text(text.clone()),
                TermsSource::Url(url) => Source::Url(url.clone()),
            }),
        }),
    };
    pb::LegalTerms { terms: Some(terms) }
}

fn write_amendment(amendment: &CustomAmendment) -> pb::CustomAmendment {
    pb::CustomAmendment {
        text: amendment.text.clone(),
        tenant_ids: amendment.tenant_ids.clone(),
    }
}
