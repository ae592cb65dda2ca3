//! Batches and quotas on the wire.

use std::collections::HashMap;

use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::ids::{BatchName, OfferName, PublisherName};
use marketplace_runtime::paging;
use marketplace_runtime::status::{Violation, Violations};
use marketplace_runtime::text;
use marketplace_runtime::timestamp::to_proto;
use prost::Message;
use time::OffsetDateTime;
use tonic::Status;
use tonic_types::pb as rpc;
use uuid::Uuid;

use super::requests::{in_flight_policy, publish};
use crate::domain::{Batch, BatchItem, BatchOrder, ItemState, Quota, Quotas, Turn, Used};
use crate::error::Error;

/// The most offers of one batch.
const MOST: usize = 500;
/// Longer than any etag that the catalogue gives.
const ETAG: usize = 64;
/// The most bytes of items on one page: half of what a message may have.
const PAGE: usize = 2 * 1024 * 1024;

/// A CreateBatch that is well formed.
#[derive(Debug, Clone)]
pub struct CreateBatch {
    pub publisher: PublisherName,
    pub orders: Vec<BatchOrder>,
}

pub fn create_batch(request: &pb::CreateBatchRequest) -> Result<CreateBatch, Vec<Violation>> {
    let mut wrong = Violations::new();
    let publisher = wrong.take(PublisherName::parse(&request.parent, "parent"));
    match request.items.len() {
        0 => wrong.add(Violation::missing("items")),
        1..=MOST => {}
        more => {
            let why = format!("are {more}, more than {MOST}");
            wrong.add(Violation::new("items", why).because("TOO_MANY"));
            return wrong.finish(None);
        }
    }
    let mut orders = Vec::with_capacity(request.items.len());
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (place, item) in request.items.iter().enumerate() {
        let field = format!("items[{place}]");
        if let Some(before) = first.insert(&item.offer, place)
            && !item.offer.is_empty()
        {
            let why = format!("is the offer of items[{before}] as well");
            let again = Violation::new("offer", why).because("DUPLICATE_OFFER");
            wrong.add(again.within(&field));
        }
        match order(item, publisher.as_ref()) {
            Ok(order) => orders.push(order),
            Err(all) => wrong.extend(all.into_iter().map(|one| one.within(&field))),
        }
    }
    wrong.finish(publisher.map(|publisher| CreateBatch { publisher, orders }))
}

/// Held to the rules of PublishOffer, and to the publisher of the batch.
fn order(
    item: &pb::BatchPublish,
    publisher: Option<&PublisherName>,
) -> Result<BatchOrder, Vec<Violation>> {
    let read = publish(&request(item));
    let offer = OfferName::parse(&item.offer, "offer").ok();
    let others = offer.zip(publisher);
    let others = others.filter(|(offer, publisher)| offer.parent() != **publisher);
    let mut wrong = Violations::new();
    if others.is_some() {
        wrong.add(Violation::new("offer", "is another publisher's").because("OTHER_PUBLISHER"));
    }
    let etag = wrong.take(text::line(&item.etag, "etag", ETAG));
    let read = read.map_err(|all| wrong.extend(all)).ok();
    wrong.finish(read.zip(etag).map(|(read, etag)| BatchOrder {
        offer: read.offer.offer,
        etag,
        notes: read.notes,
        confirm: read.confirm,
        supersede: read.supersede,
    }))
}

fn request(item: &pb::BatchPublish) -> pb::PublishOfferRequest {
    pb::PublishOfferRequest {
        offer: item.offer.clone(),
        etag: item.etag.clone(),
        notes: item.notes.clone(),
        in_flight_policy: item.in_flight_policy,
        confirm: item.confirm,
        ..Default::default()
    }
}

/// The PublishOffer that an item stands for. Its request id is the same for every try.
pub fn publish_item(turn: &Turn) -> pb::PublishOfferRequest {
    let order = &turn.order;
    pb::PublishOfferRequest {
        offer: OfferName::new(&turn.publisher, &order.offer).to_string(),
        etag: order.etag.clone(),
        notes: order.notes.clone(),
        request_id: format!("{}/{}", turn.batch, turn.item),
        in_flight_policy: in_flight_policy(order.supersede).into(),
        confirm: order.confirm,
        ..Default::default()
    }
}

/// A GetBatch that is well formed.
#[derive(Debug, Clone)]
pub struct GetBatch {
    pub name: BatchName,
    pub id: Uuid,
    pub size: i64,
    /// The last item of the page before.
    pub after: Option<i32>,
    pub filters: paging::Fingerprint,
}

pub fn get_batch(request: &pb::GetBatchRequest) -> Result<GetBatch, Vec<Violation>> {
    let mut wrong = Violations::new();
    let filters = paging::Fingerprint::of("GetBatch", &request.name);
    let name = wrong.take(BatchName::parse(&request.name, "name"));
    let id = name.as_ref().and_then(|name| wrong.take(name.id("name")));
    let size = wrong.take(paging::page_size(request.page_size));
    let after = wrong.take(paging::decode(&request.page_token, filters));
    let read = name.zip(id).zip(size.zip(after));
    wrong.finish(read.map(|((name, id), (size, after))| GetBatch {
        name,
        id,
        size,
        after,
        filters,
    }))
}

pub fn batch(batch: &Batch) -> pb::Batch {
    let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    let state = match batch.end_time {
        None => pb::BatchState::Running,
        Some(_) => pb::BatchState::Done,
    };
    pb::Batch {
        name: BatchName::new(&batch.publisher, batch.id.to_string()).to_string(),
        state: state.into(),
        pending_count: count(batch.pending),
        submitted_count: count(batch.submitted),
        refused_count: count(batch.refused),
        made_by: batch.made_by.principal.clone(),
        create_time: Some(to_proto(batch.create_time)),
        end_time: batch.end_time.map(to_proto),
    }
}

/// As many of these items as one page has, and the token of the next one.
pub fn batch_page(
    found: &[BatchItem],
    wanted: &GetBatch,
) -> Result<(Vec<pb::BatchItem>, String), Error> {
    let most = usize::try_from(wanted.size).unwrap_or(usize::MAX);
    let (mut shown, mut bytes) = (Vec::new(), 0);
    for item in found.iter().take(most) {
        let one = batch_item(item, &wanted.name.publisher)?;
        bytes += one.encoded_len();
        if bytes > PAGE && !shown.is_empty() {
            break;
        }
        shown.push(one);
    }
    let last = shown.len().checked_sub(1).map(|last| found[last].item);
    let last = last.filter(|_| shown.len() < found.len());
    let token = last.map(|last| paging::encode(&last, wanted.filters));
    Ok((shown, token.unwrap_or_default()))
}

fn batch_item(item: &BatchItem, publisher: &str) -> Result<pb::BatchItem, Error> {
    use pb::BatchItemState as S;
    let offer = OfferName::new(publisher, &item.offer);
    let (state, submission, refusal) = match &item.state {
        ItemState::Pending => (S::Pending, None, None),
        ItemState::Submitted(id) => (S::Submitted, Some(offer.submission(*id)), None),
        ItemState::Refused(bytes) => (S::Refused, None, Some(bytes)),
    };
    let refusal = refusal.map(|bytes| rpc::Status::decode(bytes.as_slice()));
    let unreadable = |_| Error::Corrupt("the refusal of an item can't be read");
    Ok(pb::BatchItem {
        offer: offer.to_string(),
        state: state.into(),
        submission: submission.map(|name| name.to_string()).unwrap_or_default(),
        refusal: refusal.transpose().map_err(unreadable)?,
    })
}

/// A refusal as it is kept.
pub fn refusal(status: &Status) -> Vec<u8> {
    let told = rpc::Status::decode(status.details()).ok();
    // A status that was not made by one of us may have no details.
    let told = told.filter(|told| told.code != 0).unwrap_or(rpc::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: Vec::new(),
    });
    told.encode_to_vec()
}

pub fn quotas(quotas: &Quotas, used: &Used, now: OffsetDateTime) -> Vec<pb::Quota> {
    let quota = |quota: Quota| pb::Quota {
        name: quota.as_str().to_owned(),
        limit: quotas.limit(quota).unwrap_or_default(),
        used: used.of(quota),
        free_time: quota.free_at(now).map(to_proto),
    };
    Quota::ALL.map(quota).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use marketplace_runtime::status;

    fn item(offer: &str) -> pb::BatchPublish {
        pb::BatchPublish {
            offer: offer.into(),
            etag: "1".into(),
            ..Default::default()
        }
    }

    fn refused(items: Vec<pb::BatchPublish>) -> Vec<String> {
        let request = pb::CreateBatchRequest {
            parent: "publishers/a".into(),
            items,
            ..Default::default()
        };
        let why = |one: Violation| format!("{} {}", one.field, one.reason.unwrap_or_default());
        let all = create_batch(&request).unwrap_err().into_iter();
        all.map(why).collect()
    }

    #[test]
    fn every_violation_of_every_item_is_named() {
        let mut nothing = item("");
        nothing.etag.clear();
        nothing.in_flight_policy = 9;
        let one = "publishers/a/offers/one";
        let items = vec![
            item(one),
            item("publishers/b/offers/two"),
            item(one),
            nothing,
        ];
        let wanted = [
            "items[1].offer OTHER_PUBLISHER",
            "items[2].offer DUPLICATE_OFFER",
            "items[3].offer REQUIRED",
            "items[3].etag REQUIRED",
            "items[3].in_flight_policy UNKNOWN_VALUE",
        ];
        assert_eq!(refused(items), wanted);
    }

    #[test]
    fn a_batch_has_1_to_500_items() {
        let many = |count| (0..count).map(|i| item(&format!("publishers/a/offers/o{i}")));
        assert_eq!(refused(vec![]), ["items REQUIRED"]);
        assert_eq!(refused(many(501).collect()), ["items TOO_MANY"]);
        let request = pb::CreateBatchRequest {
            parent: "publishers/a".into(),
            items: many(500).collect(),
            ..Default::default()
        };
        assert_eq!(create_batch(&request).unwrap().orders.len(), 500);
    }

    fn wanted(size: i32) -> GetBatch {
        let request = pb::GetBatchRequest {
            name: format!("publishers/a/batches/{}", Uuid::from_u128(7)),
            page_size: size,
            ..Default::default()
        };
        get_batch(&request).unwrap()
    }

    #[test]
    fn a_page_of_the_largest_refusals_fits_into_a_message() {
        let details = vec![0; status::MAX_DETAILS];
        let told = Status::with_details(tonic::Code::Internal, "x".repeat(1_024), details.into());
        let found: Vec<BatchItem> = (0..500)
            .map(|item| BatchItem {
                item,
                offer: "o".repeat(64),
                state: ItemState::Refused(
                    rpc::Status {
                        code: 13,
                        message: told.message().into(),
                        details: vec![prost_types::Any {
                            type_url: "x".into(),
                            value: told.details().to_vec(),
                        }],
                    }
                    .encode_to_vec(),
                ),
            })
            .collect();
        let (shown, token) = batch_page(&found, &wanted(500)).unwrap();
        let answer = pb::GetBatchResponse {
            batch: None,
            items: shown.clone(),
            next_page_token: token.clone(),
        };
        assert!(answer.encoded_len() < 4 * 1024 * 1024 && shown.len() > 100);
        let next = pb::GetBatchRequest {
            page_token: token,
            name: wanted(500).name.to_string(),
            ..Default::default()
        };
        let after = get_batch(&next).unwrap().after.unwrap();
        assert_eq!(usize::try_from(after).unwrap() + 1, shown.len());
        let (rest, token) = batch_page(&found[495..], &wanted(50)).unwrap();
        assert_eq!((rest.len(), token.as_str()), (5, ""));
    }

    #[test]
    fn a_refusal_is_kept_with_its_details() {
        let told = status::in_flight("marketplace.publishing.v1", "s");
        let kept = rpc::Status::decode(refusal(&told).as_slice()).unwrap();
        assert_eq!(kept.code, i32::from(told.code()));
        assert_eq!(kept.details.len(), 1);
        let bare = Status::unavailable("away");
        let kept = rpc::Status::decode(refusal(&bare).as_slice()).unwrap();
        assert_eq!((kept.code, kept.message.as_str()), (14, "away"));
    }
}
