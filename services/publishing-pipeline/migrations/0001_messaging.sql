-- The tables of shared/messaging: identical in every service. Names are unqualified: they are created in, and found by,
-- the search_path of the role, which is the service's own schema. The app role has rows only (default privileges, see
-- deploy/postgres/roles.sql); partitions are made and dropped by rotate_published(), which runs as the owner.

-- Last revision and time of what was announced about an offer (or about a publisher, where no offer is concerned).
-- The row is locked by the statement that appends an event, so positions of one stream are in order of commit.
CREATE TABLE streams (
  stream      text        PRIMARY KEY,
  revision    bigint      NOT NULL CHECK (revision > 0),
  occurred_at timestamptz NOT NULL
) WITH (fillfactor = 70);

-- Raised by an operator when this database is restored from a backup: revisions count anew from there.
CREATE TABLE outbox_epoch (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  epoch  integer NOT NULL CHECK (epoch > 0)
);
INSERT INTO outbox_epoch (epoch) VALUES (1);

-- What is told and not yet confirmed by the broker. Rows never leave by age, only by being published.
CREATE TABLE outbox (
  position    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id    uuid        NOT NULL,
  stream      text        NOT NULL,
  revision    bigint      NOT NULL,
  epoch       integer     NOT NULL,
  occurred_at timestamptz NOT NULL,
  told_at     timestamptz NOT NULL DEFAULT now(),
  key         text        NOT NULL,
  cc          text        NOT NULL DEFAULT '',
  head        bytea       NOT NULL,
  body        bytea       NOT NULL,
  traceparent text        NOT NULL DEFAULT '',
  tracestate  text        NOT NULL DEFAULT ''
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- What was published, for ReplayEvents; a partition a day, dropped whole.
CREATE TABLE published (
  published_on date        NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
  position     bigint      NOT NULL,
  event_id     uuid        NOT NULL,
  stream       text        NOT NULL,
  revision     bigint      NOT NULL,
  epoch        integer     NOT NULL,
  occurred_at  timestamptz NOT NULL,
  key          text        NOT NULL,
  cc           text        NOT NULL,
  head         bytea       NOT NULL,
  body         bytea       NOT NULL,
  traceparent  text        NOT NULL,
  tracestate   text        NOT NULL,
  PRIMARY KEY (published_on, position)
) PARTITION BY RANGE (published_on);
-- Takes what no partition was made for in time; rotate_published() moves it where it belongs.
CREATE TABLE published_default PARTITION OF published DEFAULT;

-- At most one relay of a schema reads the outbox.
CREATE TABLE relay_lease (
  single     boolean     PRIMARY KEY DEFAULT true CHECK (single),
  holder     uuid,
  held_until timestamptz NOT NULL
) WITH (fillfactor = 50);
INSERT INTO relay_lease (held_until) VALUES ('-infinity');

-- Processes that run now; wake-ups are sent by NOTIFY only where there are others.
CREATE TABLE replicas (
  replica uuid        PRIMARY KEY,
  seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Events that were applied. Ids are UUIDv7, so the oldest rows are the lowest ids.
CREATE TABLE inbox (
  event_id    uuid        PRIMARY KEY,
  received_at timestamptz NOT NULL DEFAULT now()
);

-- Requests that succeeded (answer) or are being carried out under a claim (no answer yet).
-- key: SHA-256 of caller, RPC and request id.
CREATE TABLE requests (
  key         bytea       PRIMARY KEY CHECK (length(key) = 32),
  rpc         text        NOT NULL,
  fingerprint bytea       NOT NULL CHECK (length(fingerprint) = 32),
  answer      bytea,
  claim       uuid,
  holder      uuid,
  lease_until timestamptz,
  made_at     timestamptz NOT NULL DEFAULT now(),
  CHECK (answer IS NOT NULL OR (claim IS NOT NULL AND holder IS NOT NULL AND lease_until IS NOT NULL))
);
CREATE INDEX requests_by_age ON requests (made_at);

-- Messages that could not be applied, kept until an operator decides.
CREATE TABLE dead_letters (
  id          uuid        PRIMARY KEY,
  queue       text        NOT NULL,
  event_id    uuid        NOT NULL UNIQUE,
  type        text        NOT NULL,
  reason      text        NOT NULL,
  attempts    integer     NOT NULL CHECK (attempts > 0),
  received_at timestamptz NOT NULL,
  payload     bytea       NOT NULL,
  traceparent text        NOT NULL DEFAULT '',
  tracestate  text        NOT NULL DEFAULT '',
  state       text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'replayed', 'discarded')),
  settled_at  timestamptz,
  settled_by  text,
  note        text        NOT NULL DEFAULT '',
  CHECK ((state = 'waiting') = (settled_at IS NULL))
);
CREATE INDEX dead_letters_by_state ON dead_letters (state, received_at DESC, id DESC);

-- Functions that run as the owner find the owner's tables, and nothing of the caller's: pg_temp comes last.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- Makes the partitions of the days around today, moves what fell into the default one, drops those past `keep_days`.
CREATE FUNCTION rotate_published(keep_days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  today     date := (now() AT TIME ZONE 'UTC')::date;
  wanted    date;
  partition text;
  dropped   integer := 0;
BEGIN
  IF keep_days < 30 THEN
    RAISE EXCEPTION 'published events are kept for at least 30 days, not %', keep_days;
  END IF;
  -- One replica at a time: two would make the same partition.
  IF NOT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.rotate_published', 0)) THEN
    RETURN 0;
  END IF;
  FOR wanted IN
    SELECT today + n FROM generate_series(0, 7) n
    UNION SELECT DISTINCT d.published_on FROM published_default d WHERE d.published_on >= today - keep_days
  LOOP
    partition := 'published_' || to_char(wanted, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(partition) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE published INCLUDING ALL)', partition);
    EXECUTE format('WITH moved AS (DELETE FROM published_default WHERE published_on = %L RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', wanted, partition);
    EXECUTE format('ALTER TABLE published ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, wanted, wanted + 1);
  END LOOP;
  FOR partition IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'published'::regclass AND c.relname ~ '^published_\d{8}$'
      AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - keep_days
  LOOP
    EXECUTE format('DROP TABLE %I', partition);
    dropped := dropped + 1;
  END LOOP;
  DELETE FROM published_default WHERE published_on < today - keep_days;
  RETURN dropped;
END
$$;
REVOKE ALL ON FUNCTION rotate_published(integer) FROM PUBLIC;
DO $$
BEGIN
  EXECUTE format('GRANT EXECUTE ON FUNCTION rotate_published(integer) TO %I', current_schema() || '_app');
END
$$;
SELECT rotate_published(30);
