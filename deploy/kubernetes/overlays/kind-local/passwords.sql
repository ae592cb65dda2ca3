-- Passwords of a cluster on a developer's machine.
DO $$
DECLARE
  context text;
BEGIN
  FOREACH context IN ARRAY ARRAY['offer_catalog', 'certification', 'publishing', 'history', 'notification'] LOOP
    EXECUTE format('ALTER ROLE %I PASSWORD %L', context || '_owner', 'local');
    EXECUTE format('ALTER ROLE %I PASSWORD %L', context || '_app', 'local');
  END LOOP;
END
$$;
