-- Customers' leads on their way to the destination that the publisher chose. What is in them is the catalogue's.
CREATE TABLE lead_deliveries (
  lead       uuid        PRIMARY KEY,
  offer_uid  uuid        NOT NULL,
  state      text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts   integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  -- When it is tried next; while it is being delivered, when its lease ends.
  due_at     timestamptz NOT NULL,
  -- Why the last try failed.
  error      text        NOT NULL DEFAULT '',
  settled_at timestamptz,
  CHECK ((state = 'pending') = (settled_at IS NULL))
);
CREATE INDEX lead_deliveries_due ON lead_deliveries (due_at) WHERE state = 'pending';
CREATE INDEX lead_deliveries_by_age ON lead_deliveries (settled_at) WHERE state <> 'pending';
