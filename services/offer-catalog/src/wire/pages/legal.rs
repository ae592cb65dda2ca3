//! Legal terms on the wire.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::custom_terms::Source;
use marketplace_proto::offercatalog::v1::legal_terms::Terms;

use super::{Reading, limits};
use crate::pages::{CustomAmendment, CustomTerms, LegalTerms, StandardContract, TermsSource};

pub(super) fn read(legal: &pb::LegalTerms, reading: &mut Reading) -> Option<LegalTerms> {
    Some(match legal.terms.as_ref()? {
        Terms::Standard(contract) => LegalTerms::Standard(StandardContract {
            universal_amendment: contract.universal_amendment.clone(),
            custom_amendments: read_amendments(&contract.custom_amendments, reading),
        }),
        Terms::Custom(custom) => LegalTerms::Custom(CustomTerms {
            source: custom.source.as_ref().map(|source| match source {
                Source::Text(text) => TermsSource::Text(text.clone()),
                Source::Url(url) => TermsSource::Url(url.clone()),
            }),
        }),
    })
}

fn read_amendments(
    amendments: &[pb::CustomAmendment],
    reading: &mut Reading,
) -> Vec<CustomAmendment> {
    const AT: &str = "legal.standard.custom_amendments";
    let amendments = reading.list(AT, amendments, limits::FEW);
    let read = amendments.iter().enumerate().map(|(at, amendment)| {
        let path = format!("{AT}[{at}].tenant_ids");
        CustomAmendment {
            text: amendment.text.clone(),
            tenant_ids: reading.texts(&path, &amendment.tenant_ids, limits::FEW),
        }
    });
    read.collect()
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
