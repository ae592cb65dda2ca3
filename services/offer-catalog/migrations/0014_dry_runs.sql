-- Snapshots that no submission fixed: a dry run looks at them, and they go when their time is over. NULL: it stays. Whatever
-- freezes the same content makes it stay.
ALTER TABLE offer_catalog.snapshots ADD COLUMN expire_time timestamptz;
CREATE INDEX snapshots_expiring ON offer_catalog.snapshots (expire_time) WHERE expire_time IS NOT NULL;
