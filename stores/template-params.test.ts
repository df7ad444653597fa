import { describe, expect, test } from 'vitest';
import { AstraError } from '../domain/errors.ts';
import type { JsonObject } from '../domain/json.ts';
import { compileParams, validateParams } from './template-params.ts';

const schema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['directory'],
  properties: {
    directory: { type: 'string', minLength: 1, description: 'where' },
    depth: { type: 'integer', minimum: 1, default: 3 },
    filter: { type: 'object', default: {}, properties: { 'a/b': { type: 'boolean', default: true } } },
  },
};

function refusal(run: () => unknown): AstraError {
  try {
    run();
  } catch (error) {
    if (error instanceof AstraError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('parameters', () => {
  test('that fit are returned with their defaults, nested ones too, and are not changed', () => {
    const given = { directory: 'x' };
    expect(validateParams(schema, given)).toEqual({ directory: 'x', depth: 3, filter: { 'a/b': true } });
    expect(given).toEqual({ directory: 'x' });
  });

  test('do not share their defaults', () => {
    const [first, second] = [validateParams(schema, { directory: 'x' }), validateParams(schema, { directory: 'x' })];
    expect(first.filter).not.toBe(second.filter);
  });

  test('that do not fit are refused with all their faults, by pointers into the body', () => {
    const error = refusal(() => validateParams(schema, { depth: 0, extra: 1, filter: { 'a/b': 1 } }));
    expect(error.code).toBe('ASTRA_TEMPLATE_INVALID');
    expect(error.faults).toEqual([
      { pointer: '/template/params/directory', message: 'missing' },
      { pointer: '/template/params/extra', message: 'unknown field' },
      { pointer: '/template/params/depth', message: 'must be >= 1' },
      { pointer: '/template/params/filter/a~1b', message: 'must be boolean' },
    ]);
  });
});

test('a schema that is none is the template’s fault', () => {
  const error = refusal(() => validateParams({ type: 'objekt' }, {}));
  expect(error.code).toBe('ASTRA_TEMPLATE_INVALID');
  expect(error.faults[0]?.pointer).toBe('/params');
});

test('two templates may use the same $id', () => {
  compileParams({ $id: 'https://example.com/x', type: 'object' });
  expect(() => compileParams({ $id: 'https://example.com/x', type: 'object', required: ['a'] })).not.toThrow();
});
