-- What customers of an offer pay until prices that were published come into force (UP-10).
CREATE TABLE offer_catalog.price_changes (
  offer_uid uuid PRIMARY KEY REFERENCES offer_catalog.offers ON DELETE CASCADE,
  changes jsonb NOT NULL
);
