-- What PublishOffer would be asked besides: `confirm`, and SUPERSEDE as its `in_flight_policy`.
ALTER TABLE dry_runs
  ADD COLUMN confirm   boolean NOT NULL DEFAULT false,
  ADD COLUMN supersede boolean NOT NULL DEFAULT false;
