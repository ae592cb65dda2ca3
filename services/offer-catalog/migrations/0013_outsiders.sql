-- Who let people from outside of the publisher's organisation into a preview (PV-6): never who these are, but where from.
CREATE TABLE offer_catalog.outsider_admissions (
  admission_id uuid PRIMARY KEY,
  offer_uid uuid NOT NULL,
  -- Of the page that was saved.
  revision bigint NOT NULL,
  domains text[] NOT NULL CHECK (cardinality(domains) > 0),
  admitted_by text NOT NULL,
  admit_time timestamptz NOT NULL
);
CREATE INDEX outsider_admissions_of_offer ON offer_catalog.outsider_admissions (offer_uid, admit_time);
