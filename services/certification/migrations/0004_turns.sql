-- Claims serve publishers in turn, of each the oldest first.
CREATE INDEX jobs_turns ON jobs (publisher, due_at) WHERE state = 'working';
