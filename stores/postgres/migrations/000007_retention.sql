ALTER TABLE goals ADD COLUMN submitted_by text COLLATE "C";
COMMENT ON COLUMN goals.submitted_by IS 'Subject of the token that submitted the goal; null for sub-goals and where none did.';

CREATE TABLE retention_policies (
  tenant text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  days integer NOT NULL,
  archive boolean NOT NULL,
  PRIMARY KEY (tenant, status)
);
COMMENT ON TABLE retention_policies IS 'How long goals that ended so are kept. Without a row they are kept for ever.';

CREATE TABLE archived_goals (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  parent_goal_id text COLLATE "C",
  status text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  archived_at timestamptz NOT NULL,
  size_bytes bigint NOT NULL,
  artifacts json NOT NULL,
  submitted_by text COLLATE "C",
  subjects text[] COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, goal_id)
);
COMMENT ON TABLE archived_goals IS 'What is in the archive. The row follows the objects: where there is one, the archive is whole.';
COMMENT ON COLUMN archived_goals.subjects IS 'Who is named in its approvals.';
CREATE INDEX archived_goals_by_parent ON archived_goals (tenant, parent_goal_id) WHERE parent_goal_id IS NOT NULL;
CREATE INDEX archived_goals_by_time ON archived_goals (tenant, archived_at DESC, goal_id DESC);

CREATE TABLE deletions (
  deletion_id text COLLATE "C" NOT NULL PRIMARY KEY,
  kind text COLLATE "C" NOT NULL,
  owner text COLLATE "C" NOT NULL,
  request json,
  requested_at timestamptz NOT NULL,
  finished_at timestamptz,
  goals bigint NOT NULL DEFAULT 0,
  rows bigint NOT NULL DEFAULT 0,
  objects bigint NOT NULL DEFAULT 0,
  executions bigint NOT NULL DEFAULT 0,
  votes bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE deletions IS 'Deletions under way, and their audit. Of a completed one it says what was deleted, when and how much, and of whom nothing.';
COMMENT ON COLUMN deletions.owner IS 'SHA-256 of id and tenant: lets the tenant read it, and nobody find the tenant in it.';
COMMENT ON COLUMN deletions.request IS 'What is to be deleted, and how far that is; null once it is.';
CREATE INDEX deletions_under_way ON deletions (requested_at) WHERE finished_at IS NULL;

CREATE TABLE goal_removals (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  deletion_id text COLLATE "C" NOT NULL,
  archive boolean NOT NULL,
  objects text[] COLLATE "C" NOT NULL DEFAULT '{}',
  gone_at timestamptz,
  PRIMARY KEY (tenant, goal_id)
);
COMMENT ON TABLE goal_removals IS 'Goals that are being removed, until no trace of them is left. An empty goal id: all that the tenant has.';
COMMENT ON COLUMN goal_removals.archive IS 'It is still to be archived.';
COMMENT ON COLUMN goal_removals.objects IS 'SHA-256 of bytes that go unless something else refers to them.';
COMMENT ON COLUMN goal_removals.gone_at IS 'When its rows went. From then on workers are told to forget it.';
CREATE INDEX goal_removals_of_deletion ON goal_removals (deletion_id);

-- Who else refers to the bytes of a goal that goes?
CREATE INDEX artifacts_by_content ON artifacts (tenant, sha256);
