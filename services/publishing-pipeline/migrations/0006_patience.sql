-- An item is tried for a day from its own first failure on, however long it waited for its turn before, and what is wrong with
-- us is counted apart from what passes by itself.
ALTER TABLE batch_items
  ADD COLUMN failing_since timestamptz,
  ADD COLUMN broken integer NOT NULL DEFAULT 0 CHECK (broken >= 0);
