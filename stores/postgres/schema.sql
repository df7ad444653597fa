-- What the migrations amount to. Generated: vitest run --project integration -u record-schema

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
  PRIMARY KEY (tenant, approval_id)
) WITH (fillfactor=80);
CREATE INDEX approvals_by_time ON public.approvals USING btree (tenant, requested_at DESC, approval_id DESC);
CREATE INDEX approvals_of_goal ON public.approvals USING btree (tenant, goal_id, requested_at DESC);
CREATE INDEX approvals_pending ON public.approvals USING btree (tenant, requested_at DESC, approval_id DESC) WHERE (status = 'pending'::text);

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
CREATE INDEX artifacts_of_goal ON public.artifacts USING btree (tenant, goal_id, created_at, artifact_id);

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
  PRIMARY KEY (tenant, goal_id)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0.02);
CREATE INDEX goals_by_label ON public.goals USING gin (labels jsonb_path_ops);
CREATE INDEX goals_by_parent ON public.goals USING btree (tenant, parent_goal_id) WHERE (parent_goal_id IS NOT NULL);
CREATE INDEX goals_by_status ON public.goals USING btree (tenant, status, created_at DESC, goal_id DESC);
CREATE INDEX goals_by_template ON public.goals USING btree (tenant, template, created_at DESC) WHERE (template IS NOT NULL);
CREATE INDEX goals_by_time ON public.goals USING btree (tenant, created_at DESC, goal_id DESC);

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

CREATE TABLE plans (
  tenant text COLLATE "C" NOT NULL,
  goal_id text COLLATE "C" NOT NULL,
  revision integer NOT NULL,
  plan json NOT NULL,
  outline json NOT NULL,
  params json NOT NULL,
  PRIMARY KEY (tenant, goal_id, revision)
);

CREATE TABLE revoked_tokens (
  tenant text COLLATE "C" NOT NULL,
  token_id text COLLATE "C" NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  revoked_at timestamp with time zone NOT NULL,
  PRIMARY KEY (tenant, token_id)
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
