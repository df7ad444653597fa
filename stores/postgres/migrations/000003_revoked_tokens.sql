CREATE TABLE revoked_tokens (
  tenant text COLLATE "C" NOT NULL,
  token_id text COLLATE "C" NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, token_id)
);
COMMENT ON COLUMN revoked_tokens.token_id IS 'SHA-256 of what the token''s issuer signed; the token itself is kept nowhere.';
