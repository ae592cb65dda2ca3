-- One row per offer: what alone decides what may happen to it. Every move locks it first.
CREATE TABLE publications (
  offer_uid         uuid        PRIMARY KEY,
  publisher         text        NOT NULL,
  offer             text        NOT NULL,
  -- Counts the announced changes, without gaps.
  revision          bigint      NOT NULL CHECK (revision >= 0),
  -- Counts every write under the lock, also those that announce nothing.
  version           bigint      NOT NULL CHECK (version >= revision),
  distribution      text        NOT NULL CHECK (distribution IN ('never', 'active', 'stop_pending', 'stopped')),
  in_flight         uuid,
  awaiting_sign_off uuid,
  preview           uuid,
  live              uuid,
  latest            uuid,
  -- The newest attempt, where it failed and was neither superseded nor discarded.
  failed            uuid,
  -- An incident of this offer is open.
  incident          boolean     NOT NULL,
  -- Plans that are not simply live: [{id, name, state}].
  plans             json        NOT NULL,
  -- A stop of the whole offer that is not finished.
  stop              json,
  -- A go live that is to happen later.
  schedule          json,
  create_time       timestamptz NOT NULL,
  update_time       timestamptz NOT NULL,
  -- When somebody must look: the stop's or the schedule's next moment.
  due_at            timestamptz,
  UNIQUE (publisher, offer),
  CHECK ((distribution = 'stop_pending') = (stop IS NOT NULL)),
  CHECK (in_flight IS NULL OR (stop IS NULL AND failed IS NULL AND schedule IS NULL))
) WITH (fillfactor = 70, toast_tuple_target = 8160);
CREATE INDEX publications_due ON publications (due_at) WHERE due_at IS NOT NULL;

-- A submission with its steps. The steps are one document: at most one of them is active, and they always change
-- together with their submission.
CREATE TABLE submissions (
  id               uuid        PRIMARY KEY,
  offer_uid        uuid        NOT NULL REFERENCES publications (offer_uid),
  state            text        NOT NULL CHECK (state IN ('queued', 'preview_leg', 'awaiting_sign_off', 'live_leg', 'live',
                                                         'failed', 'canceling_preview', 'canceling_live', 'canceled',
                                                         'superseded', 'withdrawn')),
  leg              text        NOT NULL CHECK (leg IN ('preview', 'live')),
  -- What the catalogue said of the snapshot; never changes.
  profile          json        NOT NULL,
  notes            text        NOT NULL CHECK (length(notes) <= 5000),
  submitted_by     json        NOT NULL,
  steps            json        NOT NULL,
  -- Counts its transitions.
  transition       bigint      NOT NULL CHECK (transition > 0),
  validation       json,
  certified_digest text,
  signed_off       json,
  failure          json,
  cancel           json,
  -- The trace that published it: what is done later because it is due goes on in it.
  traceparent      text        NOT NULL,
  tracestate       text        NOT NULL,
  create_time      timestamptz NOT NULL,
  end_time         timestamptz,
  -- The process that carries out the active step, where it is one of ours.
  holder           uuid,
  -- When somebody must look at the active step.
  due_at           timestamptz,
  -- No offer is ever live without a certification of exactly its digest, signed off.
  CHECK (state <> 'live' OR (certified_digest IS NOT DISTINCT FROM profile ->> 'digest'
                             AND signed_off ->> 'digest' IS NOT DISTINCT FROM profile ->> 'digest')),
  CHECK ((state = 'failed') = (failure IS NOT NULL)),
  CHECK (state NOT IN ('live', 'canceled', 'superseded', 'withdrawn') OR (holder IS NULL AND due_at IS NULL))
) WITH (fillfactor = 70, toast_tuple_target = 8160);
-- Backs "one in flight per offer".
CREATE UNIQUE INDEX submissions_one_in_flight ON submissions (offer_uid)
  WHERE state IN ('queued', 'preview_leg', 'live_leg', 'canceling_preview', 'canceling_live');
CREATE INDEX submissions_by_offer ON submissions (offer_uid, id DESC);
CREATE INDEX submissions_due ON submissions (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX submissions_held ON submissions (holder) WHERE holder IS NOT NULL;

-- Every move of a submission or of one of its steps, numbered: what WatchSubmission resumes by.
-- Written with their submission only, so no foreign key is checked for each.
CREATE TABLE transitions (
  submission       uuid        NOT NULL,
  transition       bigint      NOT NULL,
  at               timestamptz NOT NULL,
  step             text,
  step_state       text,
  submission_state text        NOT NULL,
  message          text        NOT NULL,
  -- How long a completed step took; the median of these is the next one's ETA.
  took_ms          bigint,
  PRIMARY KEY (submission, transition)
);

-- Steps that the platform fails to carry out.
CREATE TABLE incidents (
  id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  offer_uid  uuid        NOT NULL REFERENCES publications (offer_uid),
  submission uuid        NOT NULL REFERENCES submissions (id),
  step       text        NOT NULL,
  attempts   integer     NOT NULL CHECK (attempts > 0),
  last_error text        NOT NULL,
  opened_at  timestamptz NOT NULL,
  closed_at  timestamptz
);
CREATE UNIQUE INDEX incidents_one_open ON incidents (offer_uid) WHERE closed_at IS NULL;
CREATE INDEX incidents_by_age ON incidents (opened_at DESC, id DESC);

-- Outcomes that came after their attempt was over.
CREATE TABLE discarded_outcomes (
  submission  uuid        NOT NULL,
  step        text        NOT NULL,
  attempt     bigint      NOT NULL,
  outcome     text        NOT NULL,
  received_at timestamptz NOT NULL
);
CREATE INDEX discarded_outcomes_of ON discarded_outcomes (submission);

-- What operators did, with their reasons.
CREATE TABLE operator_actions (
  id         uuid        PRIMARY KEY,
  offer_uid  uuid        NOT NULL REFERENCES publications (offer_uid),
  submission uuid        NOT NULL,
  step       text        NOT NULL,
  action     text        NOT NULL,
  reason     text        NOT NULL CHECK (reason <> ''),
  principal  text        NOT NULL,
  at         timestamptz NOT NULL
);
CREATE INDEX operator_actions_of ON operator_actions (offer_uid, id DESC);

-- Processes that carry out steps: one lease each, renewed every second, holds all of a process's steps.
CREATE TABLE runners (
  id          uuid        PRIMARY KEY,
  lease_until timestamptz NOT NULL
) WITH (fillfactor = 50);
