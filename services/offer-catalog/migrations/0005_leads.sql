-- What customers leave for the publisher of an offer, kept until 90 days after.
CREATE TABLE offer_catalog.customer_leads (
  lead_id uuid PRIMARY KEY,
  offer_uid uuid NOT NULL REFERENCES offer_catalog.offers,
  -- Of the snapshot that was served: it names the destination.
  digest text NOT NULL,
  preview boolean NOT NULL,
  principal text NOT NULL CHECK (principal <> ''),
  contact jsonb NOT NULL,
  create_time timestamptz NOT NULL
);
CREATE INDEX customer_leads_of_principal ON offer_catalog.customer_leads (principal, create_time);
CREATE INDEX customer_leads_by_age ON offer_catalog.customer_leads (create_time);
