import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { writeFileAtomically } from './write-file-atomically.ts';

export interface Secrets {
  postgresAdminPassword: string;
  postgresPassword: string;
  redisPassword: string;
  s3AccessKeyId: string;
  s3SecretAccessKey: string;
  /** Ed25519 private key that signs the local token. */
  jwtPrivateKey: JWK;
  jwtKeyId: string;
  /** The API's and the worker's ASTRA_SECRETS_KEY. */
  secretsKey: string;
}

/** The stack's secrets, made at random at the first start and kept (mode 0600) because the stores' data need them. */
export async function loadSecrets(path: string): Promise<Secrets> {
  const existing = readSecrets(path);
  if (hasSecretsKey(existing)) return existing;
  const secrets = { ...(existing ?? (await makeSecrets())), secretsKey: randomBytes(32).toString('base64') };
  writeFileAtomically(path, `${JSON.stringify(secrets, null, 2)}\n`, 0o600);
  return secrets;
}

/** As they were kept before there were webhooks. */
type EarlierSecrets = Omit<Secrets, 'secretsKey'>;
const hasSecretsKey = (secrets: EarlierSecrets | null): secrets is Secrets =>
  secrets !== null && 'secretsKey' in secrets;

async function makeSecrets(): Promise<EarlierSecrets> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return {
    postgresAdminPassword: randomSecret(),
    postgresPassword: randomSecret(),
    redisPassword: randomSecret(),
    s3AccessKeyId: `astra${randomBytes(8).toString('hex')}`,
    s3SecretAccessKey: randomSecret(),
    jwtPrivateKey: await exportJWK(privateKey),
    jwtKeyId: randomUUID(),
  };
}

function readSecrets(path: string): EarlierSecrets | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  // The file is our own; one that was edited into something else is better refused than replaced, for the data's sake.
  const parsed = JSON.parse(text) as Partial<Secrets>;
  if (typeof parsed.postgresPassword !== 'string' || parsed.jwtPrivateKey === undefined) {
    throw new Error(`${path} is not a secrets file. Restore it, or forget the data with 'npm start -- --reset'.`);
  }
  // Written whole, by this function, or not at all.
  return parsed as EarlierSecrets;
}

/** Hexadecimal, so that it needs no escaping in a URL, a configuration file or a shell. */
export function randomSecret(): string {
  return randomBytes(24).toString('hex');
}
