-- Offers that are published by one call.
CREATE TABLE batches (
  id          uuid        PRIMARY KEY,
  publisher   text        NOT NULL,
  -- Who made it: whether they still may is asked anew for each item.
  made_by     json        NOT NULL,
  -- The trace that made it.
  traceparent text        NOT NULL,
  tracestate  text        NOT NULL,
  state       text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done')),
  create_time timestamptz NOT NULL,
  end_time    timestamptz,
  CHECK ((state = 'done') = (end_time IS NOT NULL))
);
CREATE INDEX batches_running ON batches (publisher, id) WHERE state = 'running';
CREATE INDEX batches_by_age ON batches (end_time) WHERE state = 'done';

CREATE TABLE batch_items (
  batch      uuid        NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
  -- Its place in the request.
  item       integer     NOT NULL CHECK (item >= 0),
  offer      text        NOT NULL,
  etag       text        NOT NULL,
  notes      text        NOT NULL,
  confirm    boolean     NOT NULL,
  supersede  boolean     NOT NULL,
  state      text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'submitted', 'refused')),
  attempts   integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  -- Pending: when it is tried next; while it is being published, when its lease ends.
  due_at     timestamptz NOT NULL,
  -- Being published, or submitted and not yet through what is automatic: counts against its publisher's share.
  underway   boolean     NOT NULL DEFAULT false,
  submission uuid,
  -- google.rpc.Status, encoded.
  refusal    bytea,
  PRIMARY KEY (batch, item),
  UNIQUE (batch, offer),
  CHECK ((state = 'submitted') = (submission IS NOT NULL)),
  CHECK ((state = 'refused') = (refusal IS NOT NULL)),
  CHECK (state <> 'refused' OR NOT underway)
) WITH (fillfactor = 70);
CREATE INDEX batch_items_pending ON batch_items (batch, item) WHERE state = 'pending';
CREATE INDEX batch_items_underway ON batch_items (batch) WHERE underway;

-- How many submissions a publisher made on a day. In slots, so that those who submit at once don't wait for each other.
CREATE TABLE submitted (
  publisher   text     NOT NULL,
  day         date     NOT NULL,
  slot        smallint NOT NULL,
  submissions bigint   NOT NULL CHECK (submissions > 0),
  PRIMARY KEY (publisher, day, slot)
) WITH (fillfactor = 50);
CREATE INDEX submitted_by_day ON submitted (day);
CREATE INDEX publications_in_flight ON publications (publisher) WHERE in_flight IS NOT NULL;

-- Counts a submission, and answers what there was of the publisher before it, as far as there are limits (NULL: none). A
-- function, because a statement doesn't see what was committed while it waited for a lock, and because the caller pays one
-- round trip only.
--
-- Far from the limits submissions of a publisher don't wait for each other: who counted and has not committed has a
-- connection, so there are at most as many of these as connections, and as many again that were let in while they waited.
-- Nearer than that one at a time counts, and then the count is exact.
CREATE FUNCTION count_submission(submits text, at_day date, of_offer uuid, most_open bigint, most_today bigint,
                                 OUT open bigint, OUT today bigint)
LANGUAGE plpgsql AS $$
DECLARE
  margin CONSTANT bigint := 2 * current_setting('max_connections')::bigint;
  publishers_lock CONSTANT bigint := hashtextextended('submissions of ' || submits, 0);
BEGIN
  FOR near IN 0..1 LOOP
    open := 0;
    today := 0;
    IF most_open IS NOT NULL THEN
      SELECT count(*) INTO open
      FROM (SELECT FROM publishing.publications
            WHERE publisher = submits AND in_flight IS NOT NULL AND offer_uid <> of_offer LIMIT most_open) o;
    END IF;
    IF most_today IS NOT NULL THEN
      SELECT coalesce(sum(submissions), 0) INTO today FROM publishing.submitted WHERE publisher = submits AND day = at_day;
    END IF;
    EXIT WHEN near = 1;
    IF open + margin < coalesce(most_open, open + margin + 1) AND today + margin < coalesce(most_today, today + margin + 1) THEN
      PERFORM pg_advisory_xact_lock_shared(publishers_lock);
      EXIT;
    END IF;
    PERFORM pg_advisory_xact_lock(publishers_lock);
  END LOOP;
  INSERT INTO publishing.submitted AS s (publisher, day, slot, submissions) VALUES (submits, at_day, pg_backend_pid() % 32, 1)
  ON CONFLICT ON CONSTRAINT submitted_pkey DO UPDATE SET submissions = s.submissions + 1;
END $$;
