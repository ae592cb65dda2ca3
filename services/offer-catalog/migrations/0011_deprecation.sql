-- Offers that leave the marketplace at a date (UP-7), and what customers have acquired.

-- What customers are told of it; null: it stays.
ALTER TABLE offer_catalog.listings ADD COLUMN deprecation jsonb CHECK (deprecation IS NULL OR stage = 'live');

-- As in 0010, without those that are about to leave.
CREATE OR REPLACE FUNCTION offer_catalog.find_listings(
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
      WHERE l.stage = 'live' AND l.deprecation IS NULL
        AND (wanted_type IS NULL OR l.offer_type = wanted_type)
        AND (wanted_storefront IS NULL OR wanted_storefront = ANY (l.storefronts))
        AND (wanted_publisher IS NULL OR l.publisher_id = wanted_publisher)
        AND (wanted_category IS NULL OR l.categories @> ARRAY[wanted_category])
        AND (before_time IS NULL OR (l.served_since, l.listing_id) < (before_time, before_id))
      ORDER BY l.served_since DESC, l.listing_id DESC LIMIT most;
  ELSE
    RETURN QUERY
      (SELECT l.listing_id FROM offer_catalog.listings l
       WHERE l.stage = 'live' AND l.deprecation IS NULL AND ts_filter(l.search, '{a}') @@ words AND l.search @@ words
         AND (wanted_type IS NULL OR l.offer_type = wanted_type)
         AND (wanted_storefront IS NULL OR wanted_storefront = ANY (l.storefronts))
         AND (wanted_publisher IS NULL OR l.publisher_id = wanted_publisher)
         AND (wanted_category IS NULL OR l.categories @> ARRAY[wanted_category])
       ORDER BY l.served_since DESC, l.listing_id DESC LIMIT 500)
      UNION
      (SELECT l.listing_id FROM offer_catalog.listings l
       WHERE l.stage = 'live' AND l.deprecation IS NULL AND l.search @@ words
         AND (wanted_type IS NULL OR l.offer_type = wanted_type)
         AND (wanted_storefront IS NULL OR wanted_storefront = ANY (l.storefronts))
         AND (wanted_publisher IS NULL OR l.publisher_id = wanted_publisher)
         AND (wanted_category IS NULL OR l.categories @> ARRAY[wanted_category])
       ORDER BY l.served_since DESC, l.listing_id DESC LIMIT 500);
  END IF;
END
$$;

CREATE INDEX acquisitions_of_principal ON offer_catalog.acquisitions (principal, create_time DESC, acquisition_id DESC);
