-- Who left a publisher lately, and who came back: while the catalog is away names of a minute ago are shown, but never
-- theirs (IB-3). Ids only. Forgotten when no name is kept that long any more.
CREATE TABLE history.departures (
  publisher  text        NOT NULL,
  -- "{issuer}|{subject}".
  principal  text        NOT NULL,
  -- Came back since, where false.
  gone       boolean     NOT NULL,
  -- When it happened: late news of before changes nothing.
  changed_at timestamptz NOT NULL,
  noted_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (publisher, principal)
);
