-- The append-only record of every offer: rows that the app role can add and read, never change, and the head of the
-- hash chain that proves it.

-- One per offer, locked while rows are appended to it. It also keeps what the filters of the offer can take, so that
-- facets are read without touching the rows.
CREATE TABLE history.chains (
  offer_uid  uuid    PRIMARY KEY,
  publisher  text    NOT NULL,
  offer      text    NOT NULL,
  offer_type text    NOT NULL DEFAULT '',
  -- Rows so far, and the hash of the newest.
  seq        bigint  NOT NULL DEFAULT 0 CHECK (seq >= 0),
  head       bytea   NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (length(head) = 32),
  codes      text[]  NOT NULL DEFAULT '{}',
  -- Users who initiated something, as "{issuer}|{subject}".
  principals text[]  NOT NULL DEFAULT '{}',
  operated   boolean NOT NULL DEFAULT false,
  oldest     timestamptz,
  newest     timestamptz,
  -- The offer is gone: its record stays, and is found by name no more.
  deleted    boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
-- An offer id can be used again after a delete: the newest system id (UUIDv7) is meant.
CREATE INDEX chains_by_name ON history.chains (publisher, offer, offer_uid);

CREATE TABLE history.rows (
  offer_uid    uuid        NOT NULL,
  seq          bigint      NOT NULL CHECK (seq > 0),
  event_id     uuid        NOT NULL,
  place        integer     NOT NULL CHECK (place >= 0),
  source       text        COLLATE "C" NOT NULL CHECK (source IN ('catalog', 'publishing')),
  revision     bigint      NOT NULL CHECK (revision >= 0),
  occurred_at  timestamptz NOT NULL,
  code         text        NOT NULL CHECK (code IN ('H01', 'H02', 'H03', 'H04', 'H05', 'H06', 'H07', 'H08', 'H09',
                                                    'H10', 'H11', 'H12', 'H13', 'HS')),
  actor        text        NOT NULL CHECK (actor IN ('user', 'operator', 'system')),
  principal    text        NOT NULL,
  plan_id      text        NOT NULL,
  plan_name    text        NOT NULL,
  submission   uuid,
  leg          text        CHECK (leg IN ('preview', 'live')),
  step         text        NOT NULL,
  step_name    text        NOT NULL,
  started_at   timestamptz,
  completed_at timestamptz,
  completion   text        CHECK (completion IN ('succeeded', 'succeeded_with_warnings', 'failed', 'canceled')),
  pages        text[]      NOT NULL,
  reason       text        NOT NULL,
  hash         bytea       NOT NULL CHECK (length(hash) = 32),
  recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Exactly once, whatever the inbox remembers (HI-9).
  UNIQUE (event_id, place, occurred_at),
  UNIQUE (offer_uid, seq, occurred_at),
  CHECK ((code = 'HS') = (completion IS NOT NULL)),
  CHECK ((code = 'HS') = (completed_at IS NOT NULL)),
  -- A step has no initiator (IB-4).
  CHECK (code <> 'HS' OR (actor = 'system' AND principal = ''))
) PARTITION BY RANGE (occurred_at);

-- Order and page key of the list (HI-9).
CREATE INDEX rows_in_order ON history.rows (offer_uid, occurred_at, source, revision, place);

-- What makes the record append-only: the app role may add and read rows. Partitions are reached through the table
-- only, so that no default privilege opens them.
REVOKE UPDATE, DELETE, TRUNCATE ON history.rows FROM history_app;
REVOKE UPDATE, DELETE, TRUNCATE ON history.chains FROM history_app;
GRANT UPDATE (deleted, offer_type, seq, head, codes, principals, operated, oldest, newest) ON history.chains TO history_app;

-- Makes the partitions of the months in which these times fall; answers how many were made. Runs as the owner: the app
-- role can't create tables. A partition is attached, not created in place: that would lock out readers.
CREATE FUNCTION history.prepare_months(times timestamptz[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = history, pg_temp AS $$
DECLARE
  wanted    timestamp;
  partition text;
  made      integer := 0;
BEGIN
  FOR wanted IN
    SELECT DISTINCT date_trunc('month', t AT TIME ZONE 'UTC') AS begins FROM unnest(times) t ORDER BY begins
  LOOP
    IF wanted < '2020-01-01' OR wanted > now() AT TIME ZONE 'UTC' + interval '1 year' THEN
      RAISE EXCEPTION 'no history is kept for %', to_char(wanted, 'YYYY-MM') USING ERRCODE = 'check_violation';
    END IF;
    partition := 'rows_' || to_char(wanted, 'YYYYMM');
    CONTINUE WHEN to_regclass(partition) IS NOT NULL;
    -- One transaction at a time; who waited finds the table made.
    PERFORM pg_advisory_xact_lock(hashtextextended('history.prepare_months', 0));
    CONTINUE WHEN to_regclass(partition) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE rows INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
    EXECUTE format('REVOKE ALL ON %I FROM history_app', partition);
    EXECUTE format('ALTER TABLE rows ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition,
                   wanted AT TIME ZONE 'UTC', (wanted + interval '1 month') AT TIME ZONE 'UTC');
    made := made + 1;
  END LOOP;
  RETURN made;
END
$$;
REVOKE ALL ON FUNCTION history.prepare_months(timestamptz[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION history.prepare_months(timestamptz[]) TO history_app;
SELECT history.prepare_months(ARRAY[now(), now() + interval '1 month', now() + interval '2 months']);
