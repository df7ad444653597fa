-- The record: what happened to each goal (events) and what that amounts to (all other tables, which can be rebuilt).
--
-- 1. The tenant leads every key.
-- 2. Goals' own JSON is `json`, not `jsonb`: the text comes back as it was written (order of keys, \u0000, which jsonb
--    refuses), a read is two texts joined, and nothing in it is ever searched. What is searched is a column.
-- 3. Names sort by bytes (COLLATE "C"): cheaper, and the same on every machine.

CREATE TABLE goals (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  status text COLLATE "C" NOT NULL,
  head json NOT NULL,
  state json NOT NULL,
  marks text NOT NULL,
  documents json NOT NULL,
  labels jsonb NOT NULL,
  template text COLLATE "C",
  parent_goal_id text COLLATE "C",
  priority smallint NOT NULL,
  body_hash text COLLATE "C",
  created_at timestamptz NOT NULL,
  finished_at timestamptz,
  PRIMARY KEY (tenant, goal_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
COMMENT ON TABLE goals IS 'One row a goal. Each commit updates seq, status, state and marks, in place (HOT) while the status stays.';
COMMENT ON COLUMN goals.seq IS 'Of the last event. A commit happens only on the seq it was made for.';
COMMENT ON COLUMN goals.head IS 'GoalHead: never changes.';
COMMENT ON COLUMN goals.state IS 'GoalState: the fold of the events.';
COMMENT ON COLUMN goals.marks IS 'Names, separated by blanks, of the events that happen once and show nowhere else.';
-- The head and the documents go out of line as soon as a row is worth splitting, and then no commit copies them.
ALTER TABLE goals ALTER COLUMN state SET STORAGE MAIN;
CREATE INDEX goals_by_time ON goals (tenant, created_at DESC, goal_id DESC);
CREATE INDEX goals_by_status ON goals (tenant, status, created_at DESC, goal_id DESC);
CREATE INDEX goals_by_parent ON goals (tenant, parent_goal_id) WHERE parent_goal_id IS NOT NULL;
CREATE INDEX goals_by_template ON goals (tenant, template, created_at DESC) WHERE template IS NOT NULL;
CREATE INDEX goals_by_label ON goals USING gin (labels jsonb_path_ops);

CREATE TABLE events (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  type text COLLATE "C" NOT NULL,
  task_id text COLLATE "C",
  attempt integer NOT NULL,
  at timestamptz NOT NULL,
  data json NOT NULL,
  PRIMARY KEY (tenant, goal_id, seq)
);
COMMENT ON TABLE events IS 'What happened, in order. Gapless from 1 within a goal; never updated.';

CREATE TABLE tasks (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  item integer NOT NULL,
  status text COLLATE "C" NOT NULL,
  attempt integer NOT NULL,
  state json NOT NULL,
  output json,
  artifact json,
  seq bigint NOT NULL,
  PRIMARY KEY (tenant, goal_id, task_id, item)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE tasks IS 'Tasks that an event has touched; the others follow from the plan and these (domain/graph-view.ts).';
COMMENT ON COLUMN tasks.item IS 'Item of a map; -1 for the task itself.';
COMMENT ON COLUMN tasks.seq IS 'Of the event that last touched it.';

CREATE TABLE plans (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  revision integer NOT NULL,
  plan json NOT NULL,
  outline json NOT NULL,
  params json NOT NULL,
  PRIMARY KEY (tenant, goal_id, revision)
);
COMMENT ON TABLE plans IS 'Apart from goals, so that no commit touches them. Never updated.';

CREATE TABLE artifacts (
  tenant text COLLATE "C" NOT NULL,
  artifact_id text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C",
  task_id text COLLATE "C",
  sha256 text COLLATE "C" NOT NULL,
  name text NOT NULL,
  media_type text NOT NULL,
  size_bytes bigint NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE NULLS NOT DISTINCT (tenant, artifact_id, goal_id)
);
COMMENT ON COLUMN artifacts.goal_id IS 'Null for an upload.';
CREATE INDEX artifacts_of_goal ON artifacts (tenant, goal_id, created_at, artifact_id);

CREATE TABLE approvals (
  tenant text COLLATE "C" NOT NULL,
  approval_id text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C",
  kind text COLLATE "C" NOT NULL,
  prompt text NOT NULL,
  input json,
  status text COLLATE "C" NOT NULL,
  required integer NOT NULL,
  votes json NOT NULL,
  requested_at timestamptz NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (tenant, approval_id)
) WITH (fillfactor = 80);
CREATE INDEX approvals_of_goal ON approvals (tenant, goal_id, requested_at DESC);
CREATE INDEX approvals_by_time ON approvals (tenant, requested_at DESC, approval_id DESC);
CREATE INDEX approvals_pending ON approvals (tenant, requested_at DESC, approval_id DESC) WHERE status = 'pending';
