-- Files that come in by several streams: what each upload is of, and its pieces, which are contents of their own.

CREATE TABLE offer_catalog.uploads (
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers ON DELETE CASCADE,
  upload_id text NOT NULL CHECK (upload_id ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  asset_id text NOT NULL,
  kind text NOT NULL,
  file_name text NOT NULL,
  -- What the content must be, where its sender said.
  digest text CHECK (digest ~ '^[0-9a-f]{64}$'),
  size_bytes bigint CHECK (size_bytes > 0),
  -- The stream that has it: the last that began. What an earlier one brings is not taken any more.
  stream uuid NOT NULL,
  committed_bytes bigint NOT NULL DEFAULT 0 CHECK (committed_bytes >= 0),
  create_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL,
  PRIMARY KEY (offer_uid, upload_id)
);
CREATE INDEX uploads_by_expiry ON offer_catalog.uploads (expire_time);

CREATE TABLE offer_catalog.upload_pieces (
  offer_uid uuid NOT NULL,
  upload_id text NOT NULL,
  -- Where in the file it begins.
  start bigint NOT NULL CHECK (start >= 0),
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  PRIMARY KEY (offer_uid, upload_id, start),
  FOREIGN KEY (offer_uid, upload_id) REFERENCES offer_catalog.uploads ON DELETE CASCADE
);
-- What names a content.
CREATE INDEX upload_pieces_by_digest ON offer_catalog.upload_pieces (digest);
