CREATE TABLE plan_proposals (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  change_id text COLLATE "C" NOT NULL,
  proposal json NOT NULL,
  proposed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, goal_id, change_id)
);
COMMENT ON TABLE plan_proposals IS 'Changes of plans before they are made: those that people are asked about, and those of planners. The first under an id counts.';
