-- Orders of the pipeline, the cases they open, what the checks found, and the reports made of it.

-- One order, keyed as the pipeline keys it. `answer` is the event's body: a repeat is answered with the same bytes.
CREATE TABLE jobs (
  submission           text        NOT NULL,
  step                 text        NOT NULL,
  attempt              integer     NOT NULL CHECK (attempt >= 0),
  kind                 text        NOT NULL CHECK (kind IN ('validate', 'certify')),
  case_id              uuid,
  publisher            text        NOT NULL,
  offer                text        NOT NULL,
  offer_uid            uuid        NOT NULL,
  offer_type           text        NOT NULL,
  transactable         boolean     NOT NULL,
  notes                text        NOT NULL DEFAULT '',
  snapshot             text        NOT NULL,
  digest               text        NOT NULL,
  publication_revision bigint      NOT NULL,
  -- working: due.rs is to run the checks. waiting: a reviewer is to decide. done: answered. withdrawn: nobody waits.
  state                text        NOT NULL CHECK (state IN ('working', 'waiting', 'done', 'withdrawn')),
  tries                integer     NOT NULL DEFAULT 0,
  due_at               timestamptz NOT NULL,
  leased_by            uuid,
  last_error           text        NOT NULL DEFAULT '',
  answer_kind          text        CHECK (answer_kind IN ('validation_completed', 'certification_passed', 'certification_failed',
                                                              'order_impossible')),
  answer               bytea,
  -- The trace that ordered it goes on in its job.
  traceparent          text        NOT NULL,
  tracestate           text        NOT NULL,
  created_at           timestamptz NOT NULL,
  ended_at             timestamptz,
  PRIMARY KEY (submission, step, attempt),
  CHECK ((state = 'done') = (answer IS NOT NULL)),
  CHECK ((kind = 'certify') = (case_id IS NOT NULL))
);
-- Claims take the oldest that is due; a lease is a due time in the future.
CREATE INDEX jobs_due ON jobs (due_at) WHERE state = 'working';
CREATE INDEX jobs_by_case ON jobs (case_id) WHERE case_id IS NOT NULL;

-- Orders older than this revision of the publication were called off (T11, T19, T38).
CREATE TABLE cancellations (
  submission           text   PRIMARY KEY,
  publication_revision bigint NOT NULL
);

CREATE TABLE cases (
  id                   uuid        PRIMARY KEY,
  submission           text        NOT NULL,
  publisher            text        NOT NULL,
  offer                text        NOT NULL,
  offer_uid            uuid        NOT NULL,
  offer_type           text        NOT NULL,
  offer_title          text        NOT NULL,
  transactable         boolean     NOT NULL,
  notes                text        NOT NULL,
  snapshot             text        NOT NULL,
  -- Certification's own SHA-256 of the snapshot; empty until the checks have run.
  digest               text        NOT NULL DEFAULT '',
  -- Entra application of the offer, for BE-5.
  application_id       text        NOT NULL DEFAULT '',
  publication_revision bigint      NOT NULL,
  -- Counts the certifications of the offer, from 1.
  number               integer     NOT NULL CHECK (number > 0),
  state                text        NOT NULL
    CHECK (state IN ('CHECKING', 'AWAITING_REVIEW', 'IN_REVIEW', 'PASSED', 'FAILED', 'WITHDRAWN')),
  reviewer             text,
  claim_until          timestamptz,
  review_notes         text        NOT NULL DEFAULT '',
  -- Another attempt of the same step joins this case; not once the submission was cancelled, or the snapshot was found changed.
  joinable             boolean     NOT NULL DEFAULT true,
  revision             bigint      NOT NULL DEFAULT 1,
  created_at           timestamptz NOT NULL,
  awaiting_since       timestamptz,
  ended_at             timestamptz,
  UNIQUE (offer_uid, number),
  CHECK ((state = 'IN_REVIEW') = (claim_until IS NOT NULL)),
  CHECK (state <> 'IN_REVIEW' OR reviewer IS NOT NULL),
  CHECK ((state IN ('PASSED', 'FAILED', 'WITHDRAWN')) = (ended_at IS NOT NULL)),
  CHECK (state <> 'PASSED' OR digest <> '')
);
CREATE UNIQUE INDEX cases_joinable ON cases (submission) WHERE joinable;
CREATE INDEX cases_by_submission ON cases (submission, id DESC);
CREATE INDEX cases_by_offer ON cases (offer, id DESC);
CREATE INDEX cases_queue ON cases (awaiting_since, id) WHERE state IN ('AWAITING_REVIEW', 'IN_REVIEW');
CREATE INDEX cases_claims ON cases (claim_until) WHERE state = 'IN_REVIEW';
CREATE INDEX cases_by_application ON cases (application_id) WHERE state = 'PASSED' AND application_id <> '';
CREATE INDEX cases_applications_of ON cases (publisher) WHERE state = 'PASSED' AND application_id <> '';

CREATE TABLE check_results (
  case_id       uuid        NOT NULL REFERENCES cases,
  check_id      text        NOT NULL,
  -- Order within the catalogue of checks.
  position      integer     NOT NULL,
  check_version integer     NOT NULL,
  level         text        NOT NULL CHECK (level IN ('BUSINESS_ELIGIBILITY', 'CONTENT', 'TECHNICAL')),
  mode          text        NOT NULL CHECK (mode IN ('AUTOMATIC', 'MANUAL')),
  outcome       text        NOT NULL CHECK (outcome IN ('PENDING', 'PASS', 'WARN', 'FAIL', 'NOT_APPLICABLE')),
  policy        text        NOT NULL,
  title         text        NOT NULL,
  instructions  text        NOT NULL DEFAULT '',
  findings      jsonb       NOT NULL,
  decided_by    text,
  -- The last override, if any; all of them are in `decisions`.
  original      text        CHECK (original IN ('PENDING', 'PASS', 'WARN', 'FAIL', 'NOT_APPLICABLE')),
  note          text        NOT NULL DEFAULT '',
  decided_at    timestamptz,
  PRIMARY KEY (case_id, check_id)
);

-- What reviewers decided: only ever added to.
CREATE TABLE decisions (
  id         uuid        PRIMARY KEY,
  case_id    uuid        NOT NULL REFERENCES cases,
  -- A check's id, or '' for a decision on the case.
  check_id   text        NOT NULL,
  move       text        NOT NULL,
  before     text        NOT NULL,
  after      text        NOT NULL,
  reviewer   text        NOT NULL,
  note       text        NOT NULL,
  decided_at timestamptz NOT NULL
);
CREATE INDEX decisions_by_case ON decisions (case_id, id);
DO $$
BEGIN
  EXECUTE format('REVOKE UPDATE, DELETE ON decisions FROM %I', current_schema() || '_app');
END
$$;

-- At most one of each kind for a submission and case; kept for ever.
CREATE TABLE reports (
  id           uuid        PRIMARY KEY,
  submission   text        NOT NULL,
  kind         text        NOT NULL CHECK (kind IN ('validation', 'failure')),
  offer        text        NOT NULL,
  -- Counts the certifications of the offer; 0 for a validation report.
  attempt      integer     NOT NULL,
  review_notes text        NOT NULL DEFAULT '',
  -- [{level, finding fields …}]
  findings     jsonb       NOT NULL,
  created_at   timestamptz NOT NULL
);
CREATE INDEX reports_by_submission ON reports (submission, kind, id DESC);
CREATE INDEX reports_by_offer ON reports (offer, id DESC);
