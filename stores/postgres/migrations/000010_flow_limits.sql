-- Flow control: how much may go on at once, and begin in a time (docs/guides/flow-control.md).

CREATE TABLE limits (
  tenant text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  definition json NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, name)
);

CREATE TABLE limits_revision (
  revision bigint NOT NULL
);
INSERT INTO limits_revision (revision) VALUES (0);
COMMENT ON TABLE limits_revision IS 'One row, no tenant: moves with each change of any limit, so that workers see by one number whether to read them again.';

CREATE TABLE limit_buckets (
  tenant text COLLATE "C" NOT NULL,
  limit_name text COLLATE "C" NOT NULL,
  bucket text COLLATE "C" NOT NULL,
  paid_until timestamptz NOT NULL,
  used_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, limit_name, bucket)
) WITH (fillfactor = 50);
COMMENT ON TABLE limit_buckets IS 'Who takes or gives back a place in a bucket holds its row. Rows out of use are tidied away.';
COMMENT ON COLUMN limit_buckets.bucket IS 'The hash of the value of the limit''s key.';
COMMENT ON COLUMN limit_buckets.paid_until IS 'Of the rate: when all that has begun is paid for (domain/limit-judgement.ts).';

CREATE TABLE limit_places (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  limit_name text COLLATE "C" NOT NULL,
  bucket text COLLATE "C" NOT NULL,
  priority smallint NOT NULL,
  since timestamptz NOT NULL,
  taken_at timestamptz,
  until timestamptz,
  lease_until timestamptz,
  replaced boolean NOT NULL,
  checked_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, goal_id, task_id, limit_name)
) WITH (fillfactor = 80);
COMMENT ON TABLE limit_places IS 'What goes on under a limit, or waits to.';
COMMENT ON COLUMN limit_places.task_id IS 'Empty for a goal.';
COMMENT ON COLUMN limit_places.since IS 'When it first asked for any of its places.';
COMMENT ON COLUMN limit_places.taken_at IS 'Null: it waits.';
COMMENT ON COLUMN limit_places.until IS 'Of one that waits: it need not ask before.';
COMMENT ON COLUMN limit_places.lease_until IS 'A call''s place lapses with its worker. Null: a goal''s, which lasts as long as its workflow.';
COMMENT ON COLUMN limit_places.replaced IS 'It is being cancelled for a later one.';
COMMENT ON COLUMN limit_places.checked_at IS 'When Temporal was last asked whether the goal still runs.';
CREATE INDEX limit_places_of_bucket ON limit_places (tenant, limit_name, bucket, priority, since);
CREATE INDEX limit_places_to_check ON limit_places (checked_at) WHERE task_id = '';
