-- What a cancelled goal took back is looked for by task; it is in the events alone, for items at least.
CREATE INDEX events_of_compensation ON events (tenant, goal_id, task_id)
  WHERE type IN ('task.compensated', 'task.compensation_failed');
