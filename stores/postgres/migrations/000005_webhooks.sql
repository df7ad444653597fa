CREATE TABLE secrets (
  tenant text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  sealed bytea NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (tenant, name, version)
);
COMMENT ON TABLE secrets IS 'AES-256-GCM under ASTRA_SECRETS_KEY (platform/secret-box.ts), apart from what lists and views read.';
COMMENT ON COLUMN secrets.expires_at IS 'Null: the current one. One that was replaced signs for another day.';

CREATE TABLE webhooks (
  tenant text COLLATE "C" NOT NULL,
  webhook_id text COLLATE "C" NOT NULL,
  url text NOT NULL,
  events text[] NOT NULL,
  created_at timestamptz NOT NULL,
  disabled_at timestamptz,
  PRIMARY KEY (tenant, webhook_id)
);
CREATE INDEX webhooks_by_time ON webhooks (tenant, created_at DESC, webhook_id DESC);

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
  created_at timestamptz NOT NULL,
  attempted_at timestamptz,
  next_attempt_at timestamptz,
  give_up_at timestamptz NOT NULL,
  settled_at timestamptz,
  response_status integer,
  error text,
  PRIMARY KEY (tenant, delivery_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE webhook_deliveries IS 'The outbox: a row is written in the commit of the event that it carries, whose data it finds in events.';
COMMENT ON COLUMN webhook_deliveries.webhook_id IS '`callback`: to the callbackUrl of the goal.';
COMMENT ON COLUMN webhook_deliveries.endpoint IS 'Those of one endpoint share its room: the webhook, or the origin of a callbackUrl.';
COMMENT ON COLUMN webhook_deliveries.url IS 'Of a callback; null: the webhook''s own, as it is when it is sent.';
COMMENT ON COLUMN webhook_deliveries.next_attempt_at IS 'While an attempt is under way: when it is taken for lost.';
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (tenant, endpoint, next_attempt_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (tenant, webhook_id, created_at DESC, delivery_id DESC);
CREATE INDEX webhook_deliveries_settled ON webhook_deliveries (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE inbound_webhooks (
  tenant text COLLATE "C" NOT NULL,
  webhook_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  template text COLLATE "C" NOT NULL,
  params text NOT NULL,
  scheme text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, webhook_id),
  UNIQUE (webhook_id)
);
COMMENT ON COLUMN inbound_webhooks.webhook_id IS 'Unique over all tenants: whoever calls /hooks/{id} names no tenant.';
CREATE INDEX inbound_webhooks_by_time ON inbound_webhooks (tenant, created_at DESC, webhook_id DESC);
