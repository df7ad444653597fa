import { describe, expect, test } from 'vitest';
import { compileParams, requireParams } from './template-params.ts';

const allOf = (faults: unknown[]): unknown => expect.arrayContaining(faults);
const anyString: unknown = expect.any(String);

const schema = {
  type: 'object',
  required: ['url'],
  additionalProperties: false,
  properties: { url: { type: 'string' }, depth: { type: 'integer', default: 3 } },
};

function faultsOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('the parameters of a template', () => {
  test('may leave out what has a default', () => {
    expect(() => requireParams(schema, { url: 'x' }, '/template/params')).not.toThrow();
  });

  test('are refused with a pointer for each fault', () => {
    expect(faultsOf(() => requireParams(schema, { depth: 'x', more: 1 }, '/template/params'))).toMatchObject({
      code: 'ASTRA_TEMPLATE_INVALID',
      faults: allOf([
        { pointer: '/template/params/url', message: anyString },
        { pointer: '/template/params/depth', message: 'must be integer' },
        { pointer: '/template/params/more', message: anyString },
      ]),
    });
  });
});

test('a template’s `params` that are no JSON Schema are refused', () => {
  expect(faultsOf(() => compileParams({ type: 'objekt' }, '/params'))).toMatchObject({
    code: 'ASTRA_TEMPLATE_INVALID',
    faults: [{ pointer: '/params', message: anyString }],
  });
});

test('two templates may use the same $id', () => {
  compileParams({ $id: 'https://example.com/x', type: 'object' }, '/params');
  expect(() =>
    compileParams({ $id: 'https://example.com/x', type: 'object', required: ['a'] }, '/params'),
  ).not.toThrow();
});
