//! The whole record as JSON lines, oldest first, in chunks of whole lines.

use futures::stream::{self, BoxStream, StreamExt};
use marketplace_proto::history::v1::ExportHistoryResponse;
use marketplace_runtime::status;
use tonic::Status;

use super::{Grpc, Readable, Reader};
use crate::domain::{Place, Shown};
use crate::{DOMAIN, store, wire};

/// Rows in a chunk: some 150 KiB, far below the limit of a message.
const CHUNK: i64 = 250;

struct Export {
    grpc: Grpc,
    reader: Reader,
    offer: Readable,
    /// The last row sent.
    after: Option<Place>,
    done: bool,
}

/// Chunk after chunk; what is recorded meanwhile at the end is in it.
pub(super) fn stream(
    grpc: Grpc,
    reader: Reader,
    offer: Readable,
) -> BoxStream<'static, Result<ExportHistoryResponse, Status>> {
    let export = Export {
        grpc,
        reader,
        offer,
        after: None,
        done: false,
    };
    let steps = stream::try_unfold(export, |mut export| async move {
        let next = export.next().await?;
        Ok(next.map(|chunk| (ExportHistoryResponse { chunk }, export)))
    });
    steps.boxed()
}

impl Export {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Status> {
        if self.done {
            return Ok(None);
        }
        // Cut off, it must not look whole.
        if self.grpc.stopping.is_cancelled() {
            return Err(status::unavailable(DOMAIN, "the rest of the record"));
        }
        self.reader.check(&self.grpc, &self.offer.name).await?;
        let uid = self.offer.record.chain.offer_uid;
        let mut db = self
            .grpc
            .db
            .acquire()
            .await
            .map_err(|error| status::database(DOMAIN, &error))?;
        let rows = store::page(&mut db, uid, self.after, CHUNK).await?;
        drop(db);
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        self.after = Some(last.entry.at);
        self.done = rows.len() < usize::try_from(CHUNK).unwrap_or(usize::MAX);
        let people = self.grpc.people(&self.offer.name, &rows).await?;
        let lines = rows.iter().flat_map(|row| {
            let shown = Shown::of(&row.entry.actor, &people, &self.grpc.brand);
            wire::line(&self.offer.name, row, &shown, &self.offer.kind)
        });
        Ok(Some(lines.collect()))
    }
}
