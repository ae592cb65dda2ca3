-- Publishers and who works for them, offers, plans, freezes and snapshots, the listings served to customers, orders of
-- the publishing pipeline, acquisitions. Pages and assets are in 0003.

CREATE TABLE offer_catalog.publishers (
  publisher_id text PRIMARY KEY CHECK (publisher_id ~ '^[a-z0-9][a-z0-9_-]{2,49}$'),
  display_name text NOT NULL CHECK (display_name <> ''),
  -- The marketplace's knowledge of the publisher (BE-1 … BE-7), read whole and written whole.
  programme jsonb NOT NULL,
  revision bigint NOT NULL DEFAULT 1,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL
);

CREATE TABLE offer_catalog.members (
  publisher_id text NOT NULL REFERENCES offer_catalog.publishers,
  member_id text NOT NULL CHECK (member_id ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  kind text NOT NULL CHECK (kind IN ('user', 'application')),
  principal text NOT NULL CHECK (principal LIKE '_%|_%'),
  display_name text NOT NULL,
  roles text[] NOT NULL CHECK (
    cardinality(roles) > 0
    AND roles <@ ARRAY['owner', 'manager', 'developer', 'business_contributor', 'marketer', 'financial_contributor']
  ),
  revision bigint NOT NULL DEFAULT 1,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (publisher_id, member_id),
  UNIQUE (publisher_id, principal)
);
CREATE INDEX members_by_principal ON offer_catalog.members (principal, publisher_id);

-- Permission for the marketplace's staff to act for a publisher (RO-7).
CREATE TABLE offer_catalog.operator_grants (
  publisher_id text NOT NULL REFERENCES offer_catalog.publishers,
  grant_id uuid NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  granted_by text NOT NULL,
  create_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL CHECK (expire_time > create_time),
  revoke_time timestamptz,
  PRIMARY KEY (publisher_id, grant_id)
);

CREATE TABLE offer_catalog.offers (
  offer_uid uuid PRIMARY KEY,
  publisher_id text NOT NULL REFERENCES offer_catalog.publishers,
  offer_id text NOT NULL CHECK (offer_id ~ '^[a-z0-9][a-z0-9_-]{2,49}$'),
  offer_type text NOT NULL,
  alias text NOT NULL CHECK (char_length(alias) <= 120),
  -- The draft's: every draft write raises it; the offer's etag.
  revision bigint NOT NULL DEFAULT 1,
  -- Once true never false again: an offer of which a snapshot was taken can't be deleted (T34).
  ever_frozen boolean NOT NULL DEFAULT false,
  -- The copy of the publication; applied if newer, no guard reads it.
  status text NOT NULL DEFAULT 'draft' CHECK (status IN (
    'draft', 'publish_in_progress', 'attention_needed', 'preview', 'live', 'pending_stop_distribution', 'not_available'
  )),
  publication_revision bigint NOT NULL DEFAULT 0,
  preview_submission uuid,
  live_submission uuid,
  latest_submission uuid,
  -- Draft revision that the newest submission has frozen; 0: nothing was submitted.
  submitted_revision bigint NOT NULL DEFAULT 0,
  -- Publication revision of the last order applied; older orders are answered as superseded.
  order_revision bigint NOT NULL DEFAULT 0,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  UNIQUE (publisher_id, offer_id)
);
CREATE INDEX offers_newest ON offer_catalog.offers (publisher_id, create_time DESC, offer_uid DESC);
CREATE INDEX offers_by_status ON offer_catalog.offers (publisher_id, status, create_time DESC, offer_uid DESC);
CREATE INDEX offers_by_type ON offer_catalog.offers (publisher_id, offer_type, create_time DESC, offer_uid DESC);

CREATE TABLE offer_catalog.plans (
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers ON DELETE CASCADE,
  plan_id text NOT NULL CHECK (plan_id ~ '^[a-z0-9_-]{1,50}$'),
  display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 200),
  subtype text NOT NULL DEFAULT '',
  revision bigint NOT NULL DEFAULT 1,
  ever_frozen boolean NOT NULL DEFAULT false,
  -- The newest version of its private audience that was synced; 0: never.
  synced_audience bigint NOT NULL DEFAULT 0,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (offer_uid, plan_id),
  UNIQUE (offer_uid, display_name)
);

-- Audiences are outside of snapshots (SY-6): versioned lists, of the preview ('') or of a private plan.
CREATE TABLE offer_catalog.audiences (
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers ON DELETE CASCADE,
  plan_id text NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  -- "KIND:id" each, ids in lower case, sorted.
  members text[] NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (offer_uid, plan_id, version)
);

-- Write-only values of pages (LD-4), encrypted, a new version for each change.
CREATE TABLE offer_catalog.secrets (
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers ON DELETE CASCADE,
  purpose text NOT NULL CHECK (purpose IN ('lead_destination')),
  version bigint NOT NULL CHECK (version > 0),
  sealed bytea NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (offer_uid, purpose, version)
);

-- Who had a secret opened; never what it was.
CREATE TABLE offer_catalog.secret_openings (
  opening_id uuid PRIMARY KEY,
  offer_uid uuid NOT NULL,
  purpose text NOT NULL,
  version bigint NOT NULL,
  snapshot_digest text NOT NULL,
  opened_by text NOT NULL,
  open_time timestamptz NOT NULL
);
CREATE INDEX secret_openings_of_offer ON offer_catalog.secret_openings (offer_uid, open_time);

-- Canonical bytes, stored once. Nothing ever changes a row but the same content frozen again, where it was damaged.
CREATE TABLE offer_catalog.snapshots (
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers,
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  format integer NOT NULL,
  bytes bytea NOT NULL,
  -- Digests of the contents that it names: who may read one is decided without a look into the bytes.
  assets text[] NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (offer_uid, digest)
);

-- One row per submission that froze the offer. The first freeze fixes the content, later ones stamp stops into it.
CREATE TABLE offer_catalog.freezes (
  submission uuid PRIMARY KEY,
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers,
  draft_revision bigint NOT NULL,
  -- Digest of the first snapshot, whose content counts, and of the newest.
  content_digest text NOT NULL,
  digest text NOT NULL,
  plans text[] NOT NULL,
  -- Version of each audience that the freeze saw: {"": 3, "gold": 1}.
  audiences jsonb NOT NULL,
  -- A preview of it was prepared: its plans can't be deleted any more (T04).
  prepared boolean NOT NULL DEFAULT false,
  -- Given back: the publish that froze was refused, and there never was such a submission (T04, T34).
  released boolean NOT NULL DEFAULT false CHECK (NOT released OR close_time IS NOT NULL AND NOT prepared),
  create_time timestamptz NOT NULL,
  close_time timestamptz,
  FOREIGN KEY (offer_uid, content_digest) REFERENCES offer_catalog.snapshots,
  FOREIGN KEY (offer_uid, digest) REFERENCES offer_catalog.snapshots
);
CREATE INDEX freezes_of_offer ON offer_catalog.freezes (offer_uid);

-- What customers see or could see: prepared (served to nobody), preview (by link), live. One row moves through the
-- stages, so that what goes live is what was previewed.
CREATE TABLE offer_catalog.listings (
  listing_id uuid PRIMARY KEY,
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers,
  submission uuid NOT NULL UNIQUE,
  digest text NOT NULL,
  stage text NOT NULL CHECK (stage IN ('prepared', 'preview', 'live')),
  format integer NOT NULL,
  -- Head of the snapshot: name, uid, offer_type, alias; and its secret versions.
  offer jsonb NOT NULL,
  secrets jsonb NOT NULL,
  preview_audience bigint NOT NULL DEFAULT 0,
  served_since timestamptz,
  -- For search, made of the rows when they go live.
  title text NOT NULL DEFAULT '',
  summary text NOT NULL DEFAULT '',
  logo_digest text NOT NULL DEFAULT '',
  offer_type text NOT NULL,
  publisher_id text NOT NULL,
  storefronts text[] NOT NULL DEFAULT '{}',
  categories text[] NOT NULL DEFAULT '{}',
  search tsvector,
  create_time timestamptz NOT NULL
);
CREATE UNIQUE INDEX listings_one_preview ON offer_catalog.listings (offer_uid) WHERE stage = 'preview';
CREATE UNIQUE INDEX listings_one_live ON offer_catalog.listings (offer_uid) WHERE stage = 'live';
CREATE INDEX listings_of_offer ON offer_catalog.listings (offer_uid);
CREATE INDEX listings_search ON offer_catalog.listings USING gin (search) WHERE stage = 'live';
CREATE INDEX listings_newest ON offer_catalog.listings (served_since DESC, listing_id DESC) WHERE stage = 'live';

CREATE TABLE offer_catalog.listing_pages (
  listing_id uuid NOT NULL REFERENCES offer_catalog.listings ON DELETE CASCADE,
  -- Empty for pages of the offer.
  plan_id text NOT NULL DEFAULT '',
  page text NOT NULL,
  content jsonb NOT NULL,
  PRIMARY KEY (listing_id, plan_id, page)
);

CREATE TABLE offer_catalog.listing_plans (
  listing_id uuid NOT NULL REFERENCES offer_catalog.listings ON DELETE CASCADE,
  plan_id text NOT NULL,
  -- The plan as the snapshot has it, without its pages.
  content jsonb NOT NULL,
  private boolean NOT NULL,
  -- Version of the private audience that counts; 0: it has none.
  audience bigint NOT NULL,
  PRIMARY KEY (listing_id, plan_id)
);

CREATE TABLE offer_catalog.listing_assets (
  listing_id uuid NOT NULL REFERENCES offer_catalog.listings ON DELETE CASCADE,
  name text NOT NULL,
  digest text NOT NULL,
  -- The asset as the snapshot has it: name, kind, digest, size_bytes, …
  content jsonb NOT NULL,
  PRIMARY KEY (listing_id, name)
);
CREATE INDEX listing_assets_by_digest ON offer_catalog.listing_assets (digest);

-- Links to previews: found by the hash of their token, shown again from its sealed form.
CREATE TABLE offer_catalog.preview_tokens (
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers,
  submission uuid NOT NULL,
  storefront text NOT NULL,
  sealed bytea NOT NULL,
  create_time timestamptz NOT NULL,
  revoke_time timestamptz
);
CREATE UNIQUE INDEX preview_tokens_in_force ON offer_catalog.preview_tokens (offer_uid, storefront) WHERE revoke_time IS NULL;

-- What the pipeline asked for, and what was answered: an order asked for again is answered again.
CREATE TABLE offer_catalog.orders (
  submission uuid NOT NULL,
  step text NOT NULL,
  attempt bigint NOT NULL,
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers,
  kind text NOT NULL CHECK (kind IN ('preview', 'activation', 'removal')),
  snapshot_digest text NOT NULL,
  certified_digest text NOT NULL DEFAULT '',
  signed_off_digest text NOT NULL DEFAULT '',
  publication_revision bigint NOT NULL,
  create_time timestamptz NOT NULL,
  -- Activations are worked off outside of the transaction that brought them.
  lease_end timestamptz,
  answer text CHECK (answer IN ('preview_prepared', 'offer_activated', 'offer_removed', 'superseded', 'failed')),
  answer_digest text NOT NULL DEFAULT '',
  answer_reason text NOT NULL DEFAULT '',
  answer_message text NOT NULL DEFAULT '',
  answer_time timestamptz,
  PRIMARY KEY (submission, step, attempt)
);
CREATE INDEX orders_open ON offer_catalog.orders (create_time) WHERE answer IS NULL;

-- What customers acquired; there is no billing, the record says what would be charged.
CREATE TABLE offer_catalog.acquisitions (
  acquisition_id uuid PRIMARY KEY,
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers,
  submission uuid NOT NULL,
  plan_id text NOT NULL,
  principal text NOT NULL,
  preview boolean NOT NULL,
  no_charge boolean NOT NULL,
  ticket_reference text NOT NULL,
  market text NOT NULL,
  charge text NOT NULL,
  state text NOT NULL CHECK (state IN ('created', 'resolved', 'canceled')),
  create_time timestamptz NOT NULL,
  CHECK (NOT no_charge OR (preview AND ticket_reference <> ''))
);
CREATE INDEX acquisitions_of_offer ON offer_catalog.acquisitions (offer_uid, create_time);
