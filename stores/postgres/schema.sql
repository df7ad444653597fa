-- What the migrations amount to. Generated: vitest run --project integration -u record-schema

CREATE TABLE approval_edits (
  tenant text COLLATE "C" NOT NULL,
  approval_id text COLLATE "C" NOT NULL,
  sha256 text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  input json NOT NULL,
  PRIMARY KEY (tenant, approval_id, sha256)
);
CREATE INDEX approval_edits_of_goal ON public.approval_edits USING btree (tenant, goal_id);

CREATE TABLE approval_policies (
  tenant text COLLATE "C" NOT NULL,
  rules json NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  updated_by text NOT NULL,
  PRIMARY KEY (tenant)
);
CREATE INDEX approval_policies_by_time ON public.approval_policies USING btree (updated_at);

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
  requested_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  details json NOT NULL,
  PRIMARY KEY (tenant, approval_id)
) WITH (fillfactor=80);
CREATE INDEX approvals_by_time ON public.approvals USING btree (tenant, requested_at DESC, approval_id DESC);
CREATE INDEX approvals_of_goal ON public.approvals USING btree (tenant, goal_id, requested_at DESC);
CREATE INDEX approvals_pending ON public.approvals USING btree (tenant, requested_at DESC, approval_id DESC) WHERE (status = 'pending'::text);

CREATE TABLE archived_goals (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  parent_goal_id text COLLATE "C",
  status text COLLATE "C" NOT NULL,
  created_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone NOT NULL,
  archived_at timestamp with time zone NOT NULL,
  size_bytes bigint NOT NULL,
  artifacts json NOT NULL,
  submitted_by text COLLATE "C",
  subjects text[] COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, goal_id)
);
CREATE INDEX archived_goals_by_parent ON public.archived_goals USING btree (tenant, parent_goal_id) WHERE (parent_goal_id IS NOT NULL);
CREATE INDEX archived_goals_by_time ON public.archived_goals USING btree (tenant, archived_at DESC, goal_id DESC);

CREATE TABLE artifacts (
  tenant text COLLATE "C" NOT NULL,
  artifact_id text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C",
  task_id text COLLATE "C",
  sha256 text COLLATE "C" NOT NULL,
  name text NOT NULL,
  media_type text NOT NULL,
  size_bytes bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  UNIQUE NULLS NOT DISTINCT (tenant, artifact_id, goal_id)
);
CREATE INDEX artifacts_by_content ON public.artifacts USING btree (tenant, sha256);
CREATE INDEX artifacts_of_goal ON public.artifacts USING btree (tenant, goal_id, created_at, artifact_id);

CREATE TABLE budget_reservations (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  amount numeric NOT NULL,
  attempt integer NOT NULL,
  PRIMARY KEY (tenant, goal_id, task_id, scope, unit)
) WITH (fillfactor=80, autovacuum_vacuum_scale_factor=0.02);

CREATE TABLE budget_waiting (
  tenant text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  amount numeric NOT NULL,
  PRIMARY KEY (tenant, scope, unit, goal_id)
);

CREATE TABLE budgets (
  tenant text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  unit text COLLATE "C" NOT NULL,
  ceiling numeric NOT NULL,
  original numeric NOT NULL,
  reserved numeric NOT NULL,
  spent numeric NOT NULL,
  PRIMARY KEY (tenant, scope, unit)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0.02);
CREATE INDEX budgets_standing ON public.budgets USING btree (tenant, scope) WHERE (scope !~~ 'goal:%'::text);

CREATE TABLE cascade_cancels (
  tenant text COLLATE "C" NOT NULL,
  cascade_id text COLLATE "C" NOT NULL,
  cancelled_at timestamp with time zone NOT NULL,
  reason json NOT NULL,
  PRIMARY KEY (tenant, cascade_id)
);

CREATE TABLE deletions (
  deletion_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  owner text COLLATE "C" NOT NULL,
  request json,
  requested_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  goals bigint NOT NULL,
  rows bigint NOT NULL,
  objects bigint NOT NULL,
  executions bigint NOT NULL,
  votes bigint NOT NULL,
  PRIMARY KEY (deletion_id)
);
CREATE INDEX deletions_under_way ON public.deletions USING btree (requested_at) WHERE (finished_at IS NULL);

CREATE TABLE events (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  type text COLLATE "C" NOT NULL,
  task_id text COLLATE "C",
  attempt integer NOT NULL,
  at timestamp with time zone NOT NULL,
  data json NOT NULL,
  PRIMARY KEY (tenant, goal_id, seq)
);
CREATE INDEX events_of_compensation ON public.events USING btree (tenant, goal_id, task_id) WHERE (type = ANY (ARRAY['task.compensated'::text, 'task.compensation_failed'::text]));

CREATE TABLE goal_removals (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  deletion_id text COLLATE "C" NOT NULL,
  archive boolean NOT NULL,
  objects text[] COLLATE "C" NOT NULL,
  gone_at timestamp with time zone,
  PRIMARY KEY (tenant, goal_id)
);
CREATE INDEX goal_removals_of_deletion ON public.goal_removals USING btree (deletion_id);

CREATE TABLE goal_waits (
  tenant text COLLATE "C" NOT NULL,
  awaited_goal_id text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, awaited_goal_id, goal_id)
);

CREATE TABLE goals (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  status text COLLATE "C" NOT NULL,
  head json NOT NULL,
  state json STORAGE m NOT NULL,
  marks text NOT NULL,
  documents json NOT NULL,
  labels jsonb NOT NULL,
  template text COLLATE "C",
  parent_goal_id text COLLATE "C",
  priority smallint NOT NULL,
  body_hash text COLLATE "C",
  created_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  cascade_id text COLLATE "C",
  awaited boolean NOT NULL,
  submitted_by text COLLATE "C",
  PRIMARY KEY (tenant, goal_id)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0.02);
CREATE INDEX goals_by_cascade ON public.goals USING btree (tenant, cascade_id, created_at DESC, goal_id DESC) WHERE (cascade_id IS NOT NULL);
CREATE INDEX goals_by_label ON public.goals USING gin (labels jsonb_path_ops);
CREATE INDEX goals_by_parent ON public.goals USING btree (tenant, parent_goal_id) WHERE (parent_goal_id IS NOT NULL);
CREATE INDEX goals_by_status ON public.goals USING btree (tenant, status, created_at DESC, goal_id DESC);
CREATE INDEX goals_by_template ON public.goals USING btree (tenant, template, created_at DESC) WHERE (template IS NOT NULL);
CREATE INDEX goals_by_time ON public.goals USING btree (tenant, created_at DESC, goal_id DESC);

CREATE TABLE inbound_webhooks (
  tenant text COLLATE "C" NOT NULL,
  webhook_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  template text COLLATE "C" NOT NULL,
  params text NOT NULL,
  scheme text COLLATE "C" NOT NULL,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  PRIMARY KEY (tenant, webhook_id),
  UNIQUE (webhook_id)
);
CREATE INDEX inbound_webhooks_by_time ON public.inbound_webhooks USING btree (tenant, created_at DESC, webhook_id DESC);

CREATE TABLE limit_buckets (
  tenant text COLLATE "C" NOT NULL,
  limit_name text COLLATE "C" NOT NULL,
  bucket text COLLATE "C" NOT NULL,
  paid_until timestamp with time zone NOT NULL,
  used_at timestamp with time zone NOT NULL,
  PRIMARY KEY (tenant, limit_name, bucket)
) WITH (fillfactor=50);

CREATE TABLE limit_places (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  limit_name text COLLATE "C" NOT NULL,
  bucket text COLLATE "C" NOT NULL,
  priority smallint NOT NULL,
  since timestamp with time zone NOT NULL,
  taken_at timestamp with time zone,
  until timestamp with time zone,
  lease_until timestamp with time zone,
  replaced boolean NOT NULL,
  checked_at timestamp with time zone NOT NULL,
  PRIMARY KEY (tenant, goal_id, task_id, limit_name)
) WITH (fillfactor=80);
CREATE INDEX limit_places_of_bucket ON public.limit_places USING btree (tenant, limit_name, bucket, priority, since);
CREATE INDEX limit_places_to_check ON public.limit_places USING btree (checked_at) WHERE (task_id = ''::text);

CREATE TABLE limits (
  tenant text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  definition json NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  PRIMARY KEY (tenant, name)
);

CREATE TABLE limits_revision (
  revision bigint NOT NULL
);

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
  parked_at timestamp with time zone NOT NULL,
  told_at timestamp with time zone,
  PRIMARY KEY (tenant, goal_id, task_id)
);
CREATE INDEX parked_tasks_by_time ON public.parked_tasks USING btree (tenant, parked_at DESC, (((goal_id || '.'::text) || task_id)) DESC);

CREATE TABLE plan_proposals (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  change_id text COLLATE "C" NOT NULL,
  proposal json NOT NULL,
  proposed_at timestamp with time zone NOT NULL,
  PRIMARY KEY (tenant, goal_id, change_id)
);

CREATE TABLE plans (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  revision integer NOT NULL,
  plan json NOT NULL,
  outline json NOT NULL,
  params json NOT NULL,
  PRIMARY KEY (tenant, goal_id, revision)
);

CREATE TABLE retention_policies (
  tenant text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  days integer NOT NULL,
  archive boolean NOT NULL,
  PRIMARY KEY (tenant, status)
);

CREATE TABLE revoked_tokens (
  tenant text COLLATE "C" NOT NULL,
  token_id text COLLATE "C" NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  revoked_at timestamp with time zone NOT NULL,
  PRIMARY KEY (tenant, token_id)
);

CREATE TABLE secrets (
  tenant text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  sealed bytea NOT NULL,
  expires_at timestamp with time zone,
  PRIMARY KEY (tenant, name, version)
);

CREATE TABLE task_durations (
  tenant text COLLATE "C" NOT NULL,
  task_type text COLLATE "C" NOT NULL,
  tasks bigint NOT NULL,
  mean_seconds double precision NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  PRIMARY KEY (tenant, task_type)
);

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
) WITH (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);

CREATE TABLE templates (
  tenant text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  definition json NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  PRIMARY KEY (tenant, name)
);

CREATE TABLE tools (
  name text COLLATE "C" NOT NULL,
  manifest jsonb NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE webhook_deliveries (
  tenant text COLLATE "C" NOT NULL,
  delivery_id text COLLATE "C" NOT NULL,
  webhook_id text COLLATE "C" NOT NULL,
  endpoint text COLLATE "C" NOT NULL,
  url text,
  goal_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  type text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  attempts integer NOT NULL,
  created_at timestamp with time zone NOT NULL,
  attempted_at timestamp with time zone,
  next_attempt_at timestamp with time zone,
  give_up_at timestamp with time zone NOT NULL,
  settled_at timestamp with time zone,
  response_status integer,
  error text,
  PRIMARY KEY (tenant, delivery_id)
) WITH (fillfactor=80);
CREATE INDEX webhook_deliveries_by_time ON public.webhook_deliveries USING btree (tenant, webhook_id, created_at DESC, delivery_id DESC);
CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (tenant, endpoint, next_attempt_at) WHERE (status = 'pending'::text);
CREATE INDEX webhook_deliveries_settled ON public.webhook_deliveries USING btree (settled_at) WHERE (settled_at IS NOT NULL);

CREATE TABLE webhooks (
  tenant text COLLATE "C" NOT NULL,
  webhook_id text COLLATE "C" NOT NULL,
  url text NOT NULL,
  events text[] NOT NULL,
  created_at timestamp with time zone NOT NULL,
  disabled_at timestamp with time zone,
  PRIMARY KEY (tenant, webhook_id)
);
CREATE INDEX webhooks_by_time ON public.webhooks USING btree (tenant, created_at DESC, webhook_id DESC);
