-- Publishes that were gone through without making one. What each has found out is one document, written whole.
CREATE TABLE dry_runs (
  id              uuid        PRIMARY KEY,
  offer_uid       uuid        NOT NULL,
  publisher       text        NOT NULL,
  offer           text        NOT NULL,
  target          text        NOT NULL CHECK (target IN ('preview', 'live')),
  depth           text        NOT NULL CHECK (depth IN ('schema', 'rules', 'full')),
  probe_endpoints boolean     NOT NULL,
  notes           text        NOT NULL CHECK (length(notes) <= 5000),
  created_by      json        NOT NULL,
  state           text        NOT NULL CHECK (state IN ('running', 'done', 'failed', 'canceled')),
  record          json        NOT NULL,
  -- Counts its changes: what a watcher has seen.
  revision        bigint      NOT NULL CHECK (revision > 0),
  -- Counts who took it, and fences what comes after the lease was lost.
  attempt         integer     NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  -- Until when somebody is at it; NULL: it waits.
  lease_until     timestamptz,
  create_time     timestamptz NOT NULL,
  start_time      timestamptz,
  end_time        timestamptz,
  CHECK ((state = 'running') = (end_time IS NULL)),
  CHECK (state = 'running' OR lease_until IS NULL)
);
CREATE INDEX dry_runs_open ON dry_runs (publisher, create_time) WHERE state = 'running';
CREATE INDEX dry_runs_by_age ON dry_runs (end_time) WHERE state <> 'running';
