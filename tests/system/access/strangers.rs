//! Who is nothing to a publisher can't tell what it has from what it doesn't have (RO-8).

use std::collections::BTreeMap;

use system_tests::Marketplace;
use tonic::{Code, Status};

use super::stage::Stage;
use super::{Rpc, token};

/// RPC, the field that names the resource, and the resource of contoso that there is.
const LOOKS: [(&str, &str, &str); 14] = [
    (
        "PublisherService/GetPublisher",
        "name",
        "publishers/contoso",
    ),
    (
        "PublisherService/GetMember",
        "name",
        "publishers/contoso/members/ada",
    ),
    ("OfferService/GetOffer", "name", "{offer}"),
    ("OfferService/ReviewOffer", "name", "{offer}"),
    ("PlanService/GetPlan", "name", "{offer}/plans/byol"),
    ("AssetService/GetAsset", "name", "{offer}/assets/logo"),
    ("AssetService/GetUpload", "name", "{upload}"),
    ("CertificationService/GetCase", "name", "{case}"),
    (
        "CertificationService/GetFailureReport",
        "submission",
        "{failed}",
    ),
    ("PublishingService/GetSubmission", "name", "{submission}"),
    (
        "PublishingService/CancelPublish",
        "submission",
        "{submission}",
    ),
    ("PublishingService/GetBatch", "name", "{batch}"),
    ("HistoryService/ListEvents", "parent", "{offer}"),
    ("ActionCenterService/MarkActionItemRead", "name", "{item}"),
];

/// A stranger's NOT_FOUND of what there is = a stranger's NOT_FOUND of what isn't there = a member's, to the byte but for
/// the name that was asked for.
pub async fn learn_nothing(
    market: &Marketplace,
    stage: &Stage<'_>,
    served: &BTreeMap<String, Rpc>,
    wrong: &mut Vec<String>,
) -> anyhow::Result<()> {
    for (name, field, resource) in LOOKS {
        let there = stage.request(resource, false, "ada").await?;
        let missing = elsewhere(&there);
        let ask = async |caller: &str, resource: &str| -> anyhow::Result<Bytes> {
            let request = serde_json::json!({ field: resource }).to_string();
            let token = token(market, caller, "history")?;
            let rpc = &served[name];
            let answer = rpc.call(rpc.ports[0], &request, token.as_deref()).await?;
            Ok(answer.map_or_else(|refused| bytes(&refused), |_| None))
        };
        let member = ask("owner", &missing).await?;
        let expected = member.filter(|(code, ..)| *code == Code::NotFound);
        for caller in ["other publisher", "customer"] {
            let of_missing = ask(caller, &missing).await?;
            let of_there = ask(caller, &there)
                .await?
                .map(|answer| renamed(answer, &there, &missing));
            if expected.is_none() || of_missing != expected || of_there != expected {
                wrong.push(format!(
                    "{name}: of what isn't there a member gets {expected:?}, {caller} {of_missing:?}; of what is there \
                     {caller} gets {of_there:?}"
                ));
            }
        }
    }
    Ok(())
}

/// Code, message, details; `None`: it was answered.
type Bytes = Option<(Code, String, Vec<u8>)>;

fn bytes(refused: &Status) -> Bytes {
    Some((
        refused.code(),
        refused.message().to_owned(),
        refused.details().to_vec(),
    ))
}

/// A name as long as this one, of nothing.
fn elsewhere(name: &str) -> String {
    let (parent, id) = name.rsplit_once('/').unwrap_or(("", name));
    let id: String = id
        .chars()
        .map(|c| if c.is_alphanumeric() { 'a' } else { c })
        .collect();
    format!("{parent}/{id}")
}

fn renamed(answer: (Code, String, Vec<u8>), from: &str, to: &str) -> (Code, String, Vec<u8>) {
    let (code, message, mut details) = answer;
    while let Some(at) = details
        .windows(from.len())
        .position(|part| part == from.as_bytes())
    {
        details[at..at + from.len()].copy_from_slice(to.as_bytes());
    }
    (code, message.replace(from, to), details)
}
