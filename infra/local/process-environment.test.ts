import { expect, it } from 'vitest';
import { type Addresses, processEnvironment } from './process-environment.ts';

const addresses: Addresses = {
  apiPort: 8700,
  temporalAddress: '127.0.0.1:7233',
  temporalUiUrl: 'http://127.0.0.1:8233',
  databaseUrl: 'postgresql://127.0.0.1:5433/astra',
  redisUrl: 'redis://127.0.0.1:6390/0',
  memcachedServers: '',
  s3Endpoint: 'http://127.0.0.1:8333',
  s3AccessKeyId: 'key',
  s3SecretAccessKey: 'secret',
  jwksFile: '/p/.astra/jwks.json',
  secretsKey: 'a2V5',
  stateDirectory: '/state',
  bwrap: '/usr/bin/bwrap',
};

it('hands on what API and worker are configured by, and nothing else of the user', () => {
  const user = {
    PATH: '/bin',
    ASTRA_MODEL: 'm',
    ASTRA_MODEL_API_KEY: 'k',
    OTEL_SERVICE_NAME: 's',
    AWS_SESSION_TOKEN: 't',
  };
  const env = processEnvironment({ ...user, GITHUB_TOKEN: 't', NODE_OPTIONS: '--inspect' }, addresses);
  expect(env).toMatchObject({ PATH: '/bin', ASTRA_MODEL: 'm', ASTRA_MODEL_API_KEY: 'k', OTEL_SERVICE_NAME: 's' });
  for (const name of ['GITHUB_TOKEN', 'NODE_OPTIONS', 'AWS_SESSION_TOKEN']) expect(env).not.toHaveProperty(name);
});

it('does not let the user send API or worker to other servers than those of the stack', () => {
  const env = processEnvironment({ DATABASE_URL: 'postgresql://production/', AWS_REGION: 'eu-1' }, addresses);
  expect(env).toMatchObject({ DATABASE_URL: addresses.databaseUrl, AWS_REGION: 'us-east-1', MEMCACHED_SERVERS: '' });
});

it('lets the user choose the directories that sandboxed commands may read', () => {
  expect(processEnvironment({ ASTRA_SHELL_ROOTS: '/srv' }, addresses).ASTRA_SHELL_ROOTS).toBe('/srv');
});

it('hides the state directory from sandboxes, with what the user hides', () => {
  expect(processEnvironment({ ASTRA_SHELL_HIDDEN: '/secret' }, addresses).ASTRA_SHELL_HIDDEN).toBe('/state:/secret');
  expect(processEnvironment({}, addresses).ASTRA_SHELL_HIDDEN).toBe('/state');
});
