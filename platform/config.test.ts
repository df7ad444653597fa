import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { AstraError } from '../domain/errors.ts';
import { loadConfig } from './config.ts';

describe('loading the configuration', () => {
  test('an empty environment is a valid one', () => {
    const config = loadConfig({});
    expect(config.TEMPORAL_ADDRESS).toBe('127.0.0.1:7233');
    expect([...config.ASTRA_WORKER_CLASSES]).toEqual(['kernel', 'tools', 'sandbox']);
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('an empty variable counts as unset', () => {
    expect(loadConfig({ ASTRA_MODEL: '' }).ASTRA_MODEL).toBeUndefined();
  });

  test('all faults are reported at once, each with its variable', () => {
    const load = (): unknown =>
      loadConfig({ ASTRA_API_PORT: '99999', ASTRA_LOG_LEVEL: 'loud', ASTRA_WORKER_CLASSES: 'kernel,magic' });
    expect(load).toThrow(AstraError);
    expect(load).toThrow(/ASTRA_API_PORT.*ASTRA_WORKER_CLASSES.*ASTRA_LOG_LEVEL/);
  });

  test('secrets do not print', () => {
    const config = loadConfig({ DATABASE_URL: 'postgres://u:hunter2@h/d', AWS_SECRET_ACCESS_KEY: 'hunter2' });
    expect(`${JSON.stringify(config)} ${inspect(config, { depth: 9 })} ${inspect(config.DATABASE_URL)}`).not.toContain(
      'hunter2',
    );
    expect(config.DATABASE_URL.reveal()).toBe('postgres://u:hunter2@h/d');
  });
});
