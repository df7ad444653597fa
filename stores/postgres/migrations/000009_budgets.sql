CREATE TABLE budgets (
  tenant text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  ceiling numeric NOT NULL,
  original numeric NOT NULL,
  reserved numeric NOT NULL,
  spent numeric NOT NULL,
  PRIMARY KEY (tenant, scope, unit)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
COMMENT ON TABLE budgets IS 'One row a limit. Whoever locks several does so in the order of the key.';
COMMENT ON COLUMN budgets.scope IS 'tenant, agent:<id> or goal:<goal id>.';
COMMENT ON COLUMN budgets.original IS 'The limit as it was set: by so much an approval raises it.';
CREATE INDEX budgets_standing ON budgets (tenant, scope) WHERE scope NOT LIKE 'goal:%';

CREATE TABLE budget_reservations (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  amount numeric NOT NULL,
  attempt integer NOT NULL,
  PRIMARY KEY (tenant, goal_id, task_id, scope, unit)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
COMMENT ON TABLE budget_reservations IS 'What calls under way may cost, a row for each budget that counts it. Gone once it is settled.';
COMMENT ON COLUMN budget_reservations.task_id IS 'each.3 is item 3 of the map each.';

CREATE TABLE budget_waiting (
  tenant text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  amount numeric NOT NULL,
  PRIMARY KEY (tenant, scope, unit, goal_id)
);
COMMENT ON TABLE budget_waiting IS 'Goals with tasks that a budget parked: to be told when it is raised.';
COMMENT ON COLUMN budget_waiting.amount IS 'Of the dearest call that was refused.';
