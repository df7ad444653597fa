ALTER TABLE approvals ADD COLUMN details json NOT NULL DEFAULT '{}';
COMMENT ON COLUMN approvals.details IS 'What most approvals are without: domain/approvals/approval-details.ts.';

CREATE TABLE approval_edits (
  tenant text COLLATE "C" NOT NULL,
  approval_id text COLLATE "C" NOT NULL,
  sha256 text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  input json NOT NULL,
  PRIMARY KEY (tenant, approval_id, sha256)
);
COMMENT ON TABLE approval_edits IS 'Inputs that voters have put in the place of those asked about. Written before the vote that names one by its hash; those that no recorded vote names count for nothing.';
CREATE INDEX approval_edits_of_goal ON approval_edits (tenant, goal_id);

CREATE TABLE approval_policies (
  tenant text COLLATE "C" PRIMARY KEY,
  rules json NOT NULL,
  updated_at timestamptz NOT NULL,
  updated_by text NOT NULL
);
COMMENT ON TABLE approval_policies IS 'One row a tenant, never deleted but with the tenant: workers ask for what was updated since they last asked.';
CREATE INDEX approval_policies_by_time ON approval_policies (updated_at);
