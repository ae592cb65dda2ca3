-- Pages of drafts, and the files that they name.

CREATE TABLE offer_catalog.pages (
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers ON DELETE CASCADE,
  -- Empty for pages of the offer.
  plan_id text NOT NULL DEFAULT '',
  plan text GENERATED ALWAYS AS (nullif(plan_id, '')) STORED,
  page text NOT NULL CHECK (page IN (
    'offer_setup', 'properties', 'offer_listing', 'preview_audience', 'technical_configuration', 'resell_through_csps',
    'co_sell', 'supplemental_content', 'plan_listing', 'plan_pricing', 'plan_technical_configuration'
  )),
  -- The page's etag; every save raises it.
  revision bigint NOT NULL CHECK (revision > 0),
  -- As snapshots hold it, with audiences, never with a secret.
  content jsonb NOT NULL,
  -- Version of the secret that belongs to it: the revision that brought it. In offer_catalog.secrets.
  secret_version bigint,
  save_time timestamptz NOT NULL,
  saved_by text NOT NULL,
  PRIMARY KEY (offer_uid, plan_id, page),
  FOREIGN KEY (offer_uid, plan) REFERENCES offer_catalog.plans (offer_uid, plan_id) ON DELETE CASCADE,
  CHECK ((plan_id <> '') = (page IN ('plan_listing', 'plan_pricing', 'plan_technical_configuration'))),
  CHECK (secret_version IS NULL OR page = 'offer_setup')
);

CREATE TABLE offer_catalog.assets (
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers ON DELETE CASCADE,
  asset_id text NOT NULL CHECK (asset_id ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  kind text NOT NULL CHECK (kind IN (
    'LOGO_LARGE', 'LOGO_MEDIUM', 'LOGO_SMALL', 'SCREENSHOT', 'VIDEO_THUMBNAIL', 'DOCUMENT', 'PACKAGE'
  )),
  state text NOT NULL CHECK (state IN ('pending_upload', 'uploaded', 'in_processing', 'processed', 'process_failed')),
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  size_bytes bigint NOT NULL CHECK (size_bytes > 0),
  content_type text NOT NULL,
  width integer CHECK (width > 0),
  height integer CHECK (height > 0),
  file_name text NOT NULL,
  -- The large logo that it was made of; empty: it was uploaded.
  derived_from text NOT NULL DEFAULT '',
  revision bigint NOT NULL DEFAULT 1,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (offer_uid, asset_id)
);

-- Application ids of what is live (TC-2).
CREATE INDEX listing_pages_applications ON offer_catalog.listing_pages ((lower(content ->> 'application_id')))
  WHERE page = 'technical_configuration';
-- What was live last: some fields may not change after that.
CREATE INDEX orders_activated ON offer_catalog.orders (offer_uid, answer_time DESC) WHERE answer = 'offer_activated';
