-- Search that costs the same among 100,000 live listings as among 1,000.

CREATE INDEX listings_by_title ON offer_catalog.listings USING gin (ts_filter(search, '{a}')) WHERE stage = 'live';
CREATE INDEX listings_by_category ON offer_catalog.listings USING gin (categories) WHERE stage = 'live';
CREATE INDEX listings_by_publisher ON offer_catalog.listings (publisher_id, served_since DESC, listing_id DESC)
  WHERE stage = 'live';
CREATE INDEX listings_by_type ON offer_catalog.listings (offer_type, served_since DESC, listing_id DESC)
  WHERE stage = 'live';

-- Whatever is asked for; null: anything. Of those that match a text the newest 500 by title and the newest 500 by any word
-- are worth ranking: a word that everybody uses matches all of them.
-- Planned for each call: whether a word is rare decides between the index of words and the one of times.
CREATE FUNCTION offer_catalog.find_listings(
  query text, wanted_type text, wanted_storefront text, wanted_publisher text, wanted_category text,
  before_time timestamptz, before_id uuid, most bigint
) RETURNS TABLE (listing_id uuid)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  words tsquery := websearch_to_tsquery('english', query);
BEGIN
  IF query IS NULL THEN
    RETURN QUERY
      SELECT l.listing_id FROM offer_catalog.listings l
      WHERE l.stage = 'live'
        AND (wanted_type IS NULL OR l.offer_type = wanted_type)
        AND (wanted_storefront IS NULL OR wanted_storefront = ANY (l.storefronts))
        AND (wanted_publisher IS NULL OR l.publisher_id = wanted_publisher)
        AND (wanted_category IS NULL OR l.categories @> ARRAY[wanted_category])
        AND (before_time IS NULL OR (l.served_since, l.listing_id) < (before_time, before_id))
      ORDER BY l.served_since DESC, l.listing_id DESC LIMIT most;
  ELSE
    RETURN QUERY
      (SELECT l.listing_id FROM offer_catalog.listings l
       WHERE l.stage = 'live' AND ts_filter(l.search, '{a}') @@ words
         AND (wanted_type IS NULL OR l.offer_type = wanted_type)
         AND (wanted_storefront IS NULL OR wanted_storefront = ANY (l.storefronts))
         AND (wanted_publisher IS NULL OR l.publisher_id = wanted_publisher)
         AND (wanted_category IS NULL OR l.categories @> ARRAY[wanted_category])
       ORDER BY l.served_since DESC, l.listing_id DESC LIMIT 500)
      UNION
      (SELECT l.listing_id FROM offer_catalog.listings l
       WHERE l.stage = 'live' AND l.search @@ words
         AND (wanted_type IS NULL OR l.offer_type = wanted_type)
         AND (wanted_storefront IS NULL OR wanted_storefront = ANY (l.storefronts))
         AND (wanted_publisher IS NULL OR l.publisher_id = wanted_publisher)
         AND (wanted_category IS NULL OR l.categories @> ARRAY[wanted_category])
       ORDER BY l.served_since DESC, l.listing_id DESC LIMIT 500);
  END IF;
END
$$;
