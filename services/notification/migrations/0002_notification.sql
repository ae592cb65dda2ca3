-- What people are told, where, and who wants to be told.

-- A person's address and language. No row: nothing was ever set.
CREATE TABLE notification.people (
  principal   text        PRIMARY KEY,
  email       text        NOT NULL DEFAULT '',
  -- Unset: the address is not verified, and no mail goes to it (NO-8).
  verified_at timestamptz,
  language    text        NOT NULL DEFAULT 'en',
  revision    bigint      NOT NULL CHECK (revision > 0),
  CHECK (verified_at IS NULL OR email <> '')
);

-- Codes that were mailed to prove an address: their hashes only (NO-9).
CREATE TABLE notification.verifications (
  hash       bytea       PRIMARY KEY CHECK (length(hash) = 32),
  principal  text        NOT NULL REFERENCES notification.people,
  email      text        NOT NULL,
  made_at    timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at    timestamptz
);
CREATE INDEX verifications_by_person ON notification.verifications (principal, made_at);

-- The submission notification audience of an offer: managers and developers who chose to hear of it (NO-3, NO-4).
-- Owners hear of everything and have no row. By the offer's system id: its name can be used again after a delete.
CREATE TABLE notification.audience (
  offer_uid uuid        NOT NULL,
  publisher text        NOT NULL,
  principal text        NOT NULL,
  member    text        NOT NULL,
  added_at  timestamptz NOT NULL,
  PRIMARY KEY (offer_uid, principal)
);
CREATE INDEX audience_by_person ON notification.audience (publisher, principal);

-- What the two contexts have told of a submission's preview: a sign-off request (N04) needs both sides.
CREATE TABLE notification.previews (
  submission   text        PRIMARY KEY,
  offer_uid    uuid        NOT NULL,
  -- Publishing's side: when sign-off was reached.
  awaits_since timestamptz,
  -- The catalog's side.
  served       boolean     NOT NULL,
  title        text        NOT NULL,
  warnings     integer     NOT NULL,
  report       text        NOT NULL,
  told_at      timestamptz NOT NULL,
  -- Signed off, live, withdrawn or superseded: nothing is asked for any more, whichever side comes late.
  closed_at    timestamptz
);
CREATE INDEX previews_of_offer ON notification.previews (offer_uid);

-- Something to tell: written with the event, told to people afterwards.
CREATE TABLE notification.notices (
  id          uuid        PRIMARY KEY,
  -- What it is told of: once, whatever is received twice.
  cause       text        NOT NULL,
  code        text        NOT NULL CHECK (code IN ('N01', 'N02', 'N03', 'N04', 'N05', 'N06', 'N07', 'N08', 'N09', 'N10',
                                                   'N11', 'N12')),
  publisher   text        NOT NULL,
  offer       text        NOT NULL,
  offer_uid   uuid        NOT NULL,
  submission  text        NOT NULL,
  facts       jsonb       NOT NULL,
  occurred_at timestamptz NOT NULL,
  state       text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'told')),
  attempts    integer     NOT NULL DEFAULT 0,
  -- When it is tried next; while it is being told, when its lease ends.
  due_at      timestamptz NOT NULL,
  -- The action that it asks for was taken.
  resolved_at timestamptz,
  reminded_at timestamptz,
  UNIQUE (cause, code)
);
CREATE INDEX notices_due ON notification.notices (due_at) WHERE state = 'pending';
CREATE INDEX notices_open ON notification.notices (offer_uid) WHERE code IN ('N02', 'N03', 'N04', 'N05') AND resolved_at IS NULL;
CREATE INDEX notices_by_age ON notification.notices (occurred_at);

-- Items of people's Action Centers.
CREATE TABLE notification.items (
  id          uuid        PRIMARY KEY,
  notice      uuid        REFERENCES notification.notices,
  principal   text        NOT NULL,
  code        text        NOT NULL CHECK (code ~ '^N(0[1-9]|1[0-4])$'),
  kind        text        NOT NULL CHECK (kind IN ('status', 'required', 'recommended', 'mandatory')),
  publisher   text        NOT NULL,
  offer       text        NOT NULL,
  submission  text        NOT NULL,
  title       text        NOT NULL,
  body        text        NOT NULL,
  links       jsonb       NOT NULL,
  created_at  timestamptz NOT NULL,
  read_at     timestamptz,
  archived_at timestamptz,
  resolved_at timestamptz,
  -- One delivery per notification, person and channel (NO-11).
  UNIQUE (notice, principal),
  -- A mandatory action stands until it is taken (NO-8).
  CHECK (kind <> 'mandatory' OR archived_at IS NULL OR resolved_at IS NOT NULL)
);
CREATE INDEX items_of_person ON notification.items (principal, created_at, id);
CREATE UNIQUE INDEX one_standing_verification ON notification.items (principal) WHERE code = 'N13' AND resolved_at IS NULL;
CREATE INDEX items_by_age ON notification.items (created_at);

-- Mails: the whole message is rendered before the first try, so that a repeat is the same to the byte.
CREATE TABLE notification.mails (
  -- In its Message-ID.
  id         uuid        PRIMARY KEY,
  notice     uuid        REFERENCES notification.notices,
  principal  text        NOT NULL,
  address    text        NOT NULL,
  -- Taken away once it is sent where it holds a secret: a code, or the link to a preview.
  message    bytea,
  secret     boolean     NOT NULL DEFAULT false,
  state      text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
  attempts   integer     NOT NULL DEFAULT 0,
  due_at     timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  settled_at timestamptz,
  error      text        NOT NULL DEFAULT '',
  UNIQUE (notice, principal),
  CHECK (state <> 'pending' OR message IS NOT NULL)
);
CREATE INDEX mails_due ON notification.mails (due_at) WHERE state = 'pending';
CREATE INDEX mails_by_age ON notification.mails (settled_at) WHERE state <> 'pending';
