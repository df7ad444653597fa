CREATE TABLE parked_tasks (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  tool text COLLATE "C" NOT NULL,
  title text NOT NULL,
  reason text COLLATE "C" NOT NULL,
  detail text COLLATE "C" NOT NULL,
  error json,
  attempt integer NOT NULL,
  parked_at timestamptz NOT NULL,
  told_at timestamptz,
  PRIMARY KEY (tenant, goal_id, task_id)
);
COMMENT ON TABLE parked_tasks IS 'Tasks while they are parked, over all goals. Not an index of tasks, which would make each of its updates dearer.';
COMMENT ON COLUMN parked_tasks.task_id IS 'each.3 is item 3 of the map each.';
COMMENT ON COLUMN parked_tasks.detail IS 'Of a failure, the error''s code.';
COMMENT ON COLUMN parked_tasks.told_at IS 'When its goal was last told that it is to be tried again, or discarded.';
CREATE INDEX parked_tasks_by_time ON parked_tasks (tenant, parked_at DESC, (goal_id || '.' || task_id) DESC);
