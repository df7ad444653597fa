-- Goals that belong together, and goals that wait for others. Adding a column with a constant default rewrites nothing.
ALTER TABLE goals
  ADD COLUMN cascade_id text COLLATE "C",
  ADD COLUMN awaited boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN goals.awaited IS 'Goals wait for this one: whoever commits its end tells those in goal_waits.';
CREATE INDEX goals_by_cascade ON goals (tenant, cascade_id, created_at DESC, goal_id DESC) WHERE cascade_id IS NOT NULL;

CREATE TABLE goal_waits (
  tenant text COLLATE "C" NOT NULL,
  awaited_goal_id text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, awaited_goal_id, goal_id)
);
COMMENT ON TABLE goal_waits IS 'Whom to tell of a goal''s end. Only a shorter way: who waits looks at the record from time to time.';

CREATE TABLE cascade_cancels (
  tenant text COLLATE "C" NOT NULL,
  cascade_id text COLLATE "C" NOT NULL,
  cancelled_at timestamptz NOT NULL,
  reason json NOT NULL,
  PRIMARY KEY (tenant, cascade_id)
);
COMMENT ON TABLE cascade_cancels IS 'The latest cancel of each cascade, for goals that were submitted before it and had not begun.';
