//! Lists that are read to their end, however many pages they have.

use marketplace_proto::{
    certification::v1::ListReviewQueueRequest,
    notification::v1::ListAudienceRequest,
    offercatalog::v1::{ListMembersRequest, ListPublishersRequest},
    publishing::v1::{GetBatchRequest, GetBatchResponse},
};

use super::{Api, Rpc};
use crate::error::Error;

/// The most rows that a service answers at once.
const PAGE: i32 = 1_000;

/// The request for a page of a list.
pub trait Paged: Rpc {
    /// Asks for the rows after this token.
    fn after(&mut self, token: String);
    /// Adds the rows of the next page; answers the token of the one after it, empty at the end.
    fn join(all: &mut Self::Answer, next: Self::Answer) -> String;
}

macro_rules! paged {
    ($($request:ident . $rows:ident),+ $(,)?) => {$(
        impl Paged for $request {
            fn after(&mut self, token: String) {
                (self.page_size, self.page_token) = (PAGE, token);
            }

            fn join(all: &mut Self::Answer, next: Self::Answer) -> String {
                all.$rows.extend(next.$rows);
                next.next_page_token
            }
        }
    )+};
}

paged! {
    ListReviewQueueRequest.cases,
    ListAudienceRequest.entries,
    ListMembersRequest.members,
    ListPublishersRequest.publishers,
}

impl Paged for GetBatchRequest {
    fn after(&mut self, token: String) {
        (self.page_size, self.page_token) = (PAGE, token);
    }

    /// The newest counts are those of the last page.
    fn join(all: &mut GetBatchResponse, next: GetBatchResponse) -> String {
        all.items.extend(next.items);
        all.batch = next.batch;
        next.next_page_token
    }
}

impl Api {
    /// The whole list, as if it were one page.
    pub async fn list<R: Paged>(&self, request: R) -> Result<R::Answer, Error> {
        read(request, async |request| self.call(request).await).await
    }
}

async fn read<R: Paged>(
    mut request: R,
    mut call: impl AsyncFnMut(R) -> Result<R::Answer, Error>,
) -> Result<R::Answer, Error> {
    let mut all = R::Answer::default();
    let mut token = String::new();
    loop {
        request.after(token);
        token = R::join(&mut all, call(request.clone()).await?);
        if token.is_empty() {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use marketplace_proto::offercatalog::v1::{ListMembersResponse, Member};

    use super::*;

    #[tokio::test]
    async fn every_page_is_read_with_the_token_of_the_one_before() {
        let mut asked = Vec::new();
        let request = ListMembersRequest {
            parent: "publishers/contoso".into(),
            ..ListMembersRequest::default()
        };
        let all = read(request, async |request: ListMembersRequest| {
            assert_eq!(request.parent, "publishers/contoso");
            let page = asked.len();
            asked.push((request.page_size, request.page_token));
            Ok(ListMembersResponse {
                members: vec![Member {
                    name: page.to_string(),
                    ..Member::default()
                }],
                next_page_token: ["one", "two", ""][page].to_owned(),
            })
        })
        .await
        .unwrap();
        let names: Vec<&str> = all.members.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["0", "1", "2"]);
        let wanted = ["", "one", "two"].map(|token| (PAGE, token.to_owned()));
        assert_eq!(asked, wanted);
    }
}
