CREATE TABLE templates (
  tenant text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  definition json NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, name)
);

CREATE TABLE tools (
  name text COLLATE "C" PRIMARY KEY,
  manifest jsonb NOT NULL,
  updated_at timestamptz NOT NULL
);
COMMENT ON TABLE tools IS 'No tenant: tools come with the workers, which serve all tenants.';
