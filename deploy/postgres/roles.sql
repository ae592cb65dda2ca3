-- Two roles and one schema per service: <schema>_owner migrates, <schema>_app reads and writes rows.
-- Run as a superuser in the database of the marketplace; may be run again. Passwords are set apart (ALTER ROLE … PASSWORD).
DO $$
DECLARE
  context text;
BEGIN
  FOREACH context IN ARRAY ARRAY['offer_catalog', 'certification', 'publishing', 'history', 'notification'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = context || '_owner') THEN
      EXECUTE format('CREATE ROLE %I LOGIN', context || '_owner');
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = context || '_app') THEN
      EXECUTE format('CREATE ROLE %I LOGIN', context || '_app');
      EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', context || '_app', '15s');
      EXECUTE format('ALTER ROLE %I SET lock_timeout = %L', context || '_app', '3s');
      EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', context || '_app', '5s');
    END IF;
    -- Statements here take microseconds to milliseconds; compiling one takes longer than any of them.
    EXECUTE format('ALTER ROLE %I SET jit = off', context || '_app');
    -- shared/messaging names its tables without a schema: they are those of the role that asks.
    EXECUTE format('ALTER ROLE %I SET search_path = %I', context || '_owner', context);
    EXECUTE format('ALTER ROLE %I SET search_path = %I', context || '_app', context);
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', context, context || '_owner');
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', context, context || '_app');
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I',
                   context || '_owner', context, context || '_app');
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT USAGE, SELECT ON SEQUENCES TO %I',
                   context || '_owner', context, context || '_app');
  END LOOP;
END
$$;

-- Every statement goes by a key and has one good plan; left to itself Postgres plans some of them anew each time, which takes
-- longer than to run them. History's lists are filtered: a generic plan could not use the index for an optional filter.
ALTER ROLE offer_catalog_app SET plan_cache_mode = force_generic_plan;
ALTER ROLE certification_app SET plan_cache_mode = force_generic_plan;
ALTER ROLE publishing_app SET plan_cache_mode = force_generic_plan;
ALTER ROLE notification_app SET plan_cache_mode = force_generic_plan;
ALTER ROLE history_app SET plan_cache_mode = force_custom_plan;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
