-- Where contents lie, so that what nothing names any more can be found and taken away.

CREATE TABLE offer_catalog.blobs (
  -- Name of an object. It is written once and never again: a deletion, however late it arrives, takes nothing else.
  place text COLLATE "C" PRIMARY KEY,
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  -- coming: an upload is under way; stored: it can be read; going: nobody is led to it any more, and it is deleted.
  state text NOT NULL CHECK (state IN ('coming', 'stored', 'going')),
  -- When an upload began it, completed it, or found its content here.
  use_time timestamptz NOT NULL
);
-- Of several the newest is read: what is stored again replaces what is damaged.
CREATE INDEX blobs_by_digest ON offer_catalog.blobs (digest, place) WHERE state = 'stored';

-- Where the sweep for orphans is, and until when nobody looks further.
CREATE TABLE offer_catalog.blob_sweep (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  after text COLLATE "C" NOT NULL,
  due_time timestamptz NOT NULL
);
INSERT INTO offer_catalog.blob_sweep (after, due_time) VALUES ('', now());

-- What names a content.
CREATE INDEX assets_by_digest ON offer_catalog.assets (digest);
CREATE INDEX snapshots_by_asset ON offer_catalog.snapshots USING gin (assets);

-- What was stored before there was a name for each upload.
INSERT INTO offer_catalog.blobs (place, digest, state, use_time)
SELECT 'sha256/' || left(digest, 2) || '/' || digest, digest, 'stored', now()
FROM (SELECT digest FROM offer_catalog.assets
      UNION SELECT unnest(assets) FROM offer_catalog.snapshots
      UNION SELECT digest FROM offer_catalog.listing_assets) named;
