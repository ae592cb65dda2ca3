-- The storage whose contents `blobs` knows: the name of an object that lies in it and in no other.
CREATE TABLE offer_catalog.storage (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  mark text NOT NULL
);

-- The order in which uploads began, of which no replica's clock is asked.
ALTER TABLE offer_catalog.blobs ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
DROP INDEX offer_catalog.blobs_by_digest;
CREATE INDEX blobs_by_digest ON offer_catalog.blobs (digest, number) WHERE state = 'stored';
