import { readFileSync } from 'node:fs';
import { evaluate as evaluateByCelJs } from '@marcbachmann/cel-js';
import { describe, expect, test } from 'vitest';
import { AstraError } from './errors.ts';
import {
  evaluateCondition,
  evaluateList,
  parseExpression,
  referencesOf,
  renderTemplate,
  renderText,
  type Scope,
} from './expressions.ts';
import { functions } from './expressions/functions.ts';
import type { Json } from './json.ts';

const outputs = (values: Record<string, Json>): NonNullable<Scope['tasks']> =>
  Object.fromEntries(Object.entries(values).map(([id, output]) => [id, { output }]));

const scope: Scope = {
  goal: { input: { url: 'https://a.example', depth: 2, flags: { dry: true } } },
  tasks: outputs({
    probe: {
      status: 200,
      ratio: 0.5,
      name: 'web',
      tags: ['a', 'b'],
      nested: [[1, 2], [3]],
      big: 1e300,
      mixed: [1.5, 2, 'x', null],
    },
    'list-files': {
      items: [
        { path: 'a.ts', lines: 10 },
        { path: 'b.md', lines: 5 },
        { path: 'c.ts', lines: 0 },
      ],
    },
    skipped: null,
    constructor: { name: 'odd' },
  }),
  item: { path: 'src/x.ts', size: 7 },
  index: 3,
  params: { directory: '/repo' },
};

const evaluate = (expression: string): Json => renderTemplate(`{{ ${expression} }}`, scope);
const faultOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof AstraError && error.code === 'ASTRA_EXPRESSION_FAILED') return error.message;
    throw error;
  }
  return 'no fault';
};

describe('a string that is one expression', () => {
  test.each<[string, Json]>([
    ['goal.input.url', 'https://a.example'],
    ['tasks.probe.output.status', 200],
    ['tasks.probe.output.tags', ['a', 'b']],
    ["tasks['list-files'].output.items[1].path", 'b.md'],
    ['tasks.skipped.output', null],
    ['tasks.constructor.output.name', 'odd'],
    ['item.path', 'src/x.ts'],
    ['index', 3],
    ['params.directory', '/repo'],
    ['tasks.probe.output.big', 1e300],
    ['true', true],
    ['{"a": [1, 2.5, null], "b": {}}', { a: [1, 2.5, null], b: {} }],
  ])('takes the value of %s', (expression, value) => {
    expect(evaluate(expression)).toEqual(value);
  });

  test('takes a value by reference, however large it is', () => {
    const rows = Array.from({ length: 100_000 }, (_, n) => ({ n }));
    expect(renderTemplate('{{ tasks.big.output }}', { tasks: outputs({ big: rows }) })).toBe(rows);
  });
});

describe('numbers', () => {
  test.each<[string, Json]>([
    ['tasks.probe.output.status == 200', true],
    ['tasks.probe.output.status + 1', 201],
    ['tasks.probe.output.status * 2 - 1', 399],
    ['tasks.probe.output.ratio + 1', 1.5],
    ['2 * tasks.probe.output.ratio', 1],
    ['7 / 2', 3],
    ['-7 / 2', -3],
    ['7 % 4', 3],
    ['7 / 2.0', 3.5],
    ['double(7) / 2', 3.5],
    ['1 == 1.0', true],
    ['1 < 1.5 && 2.5 > 2', true],
    ['index * 10 + 1', 31],
    ['-index', -3],
    ['tasks.probe.output.tags[index - 2]', 'b'],
    ['sum([1, 2.5])', 3.5],
    ['sum([])', 0],
  ])('%s is %j', (expression, value) => {
    expect(evaluate(expression)).toEqual(value);
  });

  test.each([
    ['1 / 0', 'division by zero'],
    ['9223372036854775807 + 1', 'integer overflow'],
    ['9007199254740993', 'beyond the integers that JSON carries exactly'],
    ['[9007199254740993]', 'beyond the integers that JSON carries exactly'],
    ['1.0 / 0.0', 'Infinity is not a JSON number'],
    ['1 + "a"', 'no + for int and string'],
  ])('%s fails: %s', (expression, reason) => {
    expect(faultOf(() => evaluate(expression))).toContain(reason);
  });
});

describe('lists, maps and texts', () => {
  const files = "tasks['list-files'].output.items";
  test.each<[string, Json]>([
    [`${files}.map(f, f.lines)`, [10, 5, 0]],
    [`${files}.map(f, f.lines > 0, f.path)`, ['a.ts', 'b.md']],
    [`${files}.filter(f, f.path.endsWith(".ts")).size()`, 2],
    [`sum(${files}.map(f, f.lines))`, 15],
    [`${files}.all(f, f.lines >= 0)`, true],
    [`${files}.exists(f, f.lines == 5)`, true],
    [`${files}.exists_one(f, f.lines == 0)`, true],
    [`${files}.exists(f, f.missing || f.lines == 5)`, true],
    ['flatten(tasks.probe.output.nested)', [1, 2, 3]],
    ['flatten([[1, [2]], 3])', [1, [2], 3]],
    ['2 in tasks.probe.output.mixed', true],
    ['"y" in tasks.probe.output.mixed', false],
    ['"dry" in goal.input.flags', true],
    ['"constructor" in goal.input.flags', false],
    ['tasks.probe.output.mixed + [1]', [1.5, 2, 'x', null, 1]],
    ['[1, "a"] == [1.0, "a"]', true],
    ['{"a": 1, "b": [2]} == {"b": [2], "a": 1}', true],
    ['{"a": 1} == {"b": 1}', false],
    ['1 == "1"', false],
    ['null == tasks.skipped.output', true],
    ['{"__proto__": 1}', JSON.parse('{"__proto__": 1}') as Json],
    ['goal.input.flags.map(k, k)', ['dry']],
    ['entries({"a": 1})', [{ key: 'a', value: 1 }]],
    [
      '[1, 2].map(x, [10, 20].map(y, x * y))',
      [
        [10, 20],
        [20, 40],
      ],
    ],
    ['[[1], [2, 3]].map(item, item.size())', [1, 2]],
    ['"a,b".split(",")', ['a', 'b']],
    ['["a", "b"].join("-")', 'a-b'],
    ['join([1, true, "x"], " ")', '1 true x'],
    ['"Hello".lowerAscii() + "x".upperAscii()', 'helloX'],
    ['"  a ".trim()', 'a'],
    ['"hello".substring(1, 3)', 'el'],
    ['"hello".indexOf("l") + "hello".lastIndexOf("l")', 5],
    ['size("né𝒳")', 3],
    ['json({"a": "b"})', '{"a":"b"}'],
    ['json("b")', '"b"'],
    ['string(1) + string(1.5) + string(true) + string([1])', '11.5true[1]'],
    ['int("12") + int(1.9)', 13],
    ['double("1e3")', 1000],
    ['has(item.path) && !has(item.missing)', true],
    ['has(tasks.skipped.output.a.b)', false],
    ['has(goal.input.flags.toString)', false],
    ['tasks.skipped.output == null ? "none" : "some"', 'none'],
  ])('%s is %j', (expression, value) => {
    expect(evaluate(expression)).toEqual(value);
  });

  test.each([
    ['item.missing', 'no such key "missing"'],
    ['item.toString', 'no such key "toString"'],
    ['tasks.skipped.output.status', 'a null has no "status"'],
    ['tasks.later.output', 'task "later" has no output yet'],
    ['tasks.toString.output', 'task "toString" has no output yet'],
    ['tasks.probe.output.tags[2]', 'no element 2 in a list of 2'],
    ['tasks.probe.output.tags["a"]', 'a list cannot be indexed with a string'],
    ['1 ? 2 : 3', 'must be true or false, not a int'],
    ['item.missing || false', 'no such key "missing"'],
    ['[1].all(x, x)', 'must be true or false'],
    ['{1: 2}', 'the keys of a map are strings'],
    ['"abc".substring(2, 1)', 'substring from 2 to 1'],
    ['[1].contains("a")', 'contains needs a string here, not a list'],
    ['int("x")', 'int cannot read this string'],
    ['size(1)', 'a int has no size'],
    ['"a" < 1', 'no < for string and int'],
  ])('%s fails: %s', (expression, reason) => {
    expect(faultOf(() => evaluate(expression))).toContain(reason);
  });

  test('a decisive side makes the fault of the other irrelevant', () => {
    expect(evaluate('item.missing == 1 || true')).toBe(true);
    expect(evaluate('item.missing == 1 && false')).toBe(false);
  });
});

describe('text with expressions in it', () => {
  test.each([
    ['no expression } here', 'no expression } here'],
    ['{{ item.path }} has {{ item.size }} bytes', 'src/x.ts has 7 bytes'],
    ['tags: {{ tasks.probe.output.tags }}', 'tags: ["a","b"]'],
    [' {{ index }}', ' 3'],
    ['{{ \'a }} b\' + "}}" }}!', 'a }} b}}!'],
    ['{{ {"a": {"b": 1}}.a.b }}.', '1.'],
    ["{{ '''it's''' }}.", "it's."],
    ['Mustache: \\{{name}} and \\{{{raw}}}', 'Mustache: {{name}} and {{{raw}}}'],
    ['\\{{ {{ index }} }}', '{{ 3 }}'],
    ['{{ "\\"}}" }}.', '"}}.'],
  ])('%j becomes %j', (text, expected) => {
    expect(renderTemplate(text, scope)).toBe(expected);
  });

  test('is always text when rendered as text', () => {
    expect(renderText('{{ index }}', scope)).toBe('3');
  });

  test('a value that looks like an expression is not evaluated', () => {
    expect(renderTemplate('{{ item }}', { item: '{{ index }}' })).toBe('{{ index }}');
    expect(renderTemplate('{{ item }}!', { item: '{{ index }}' })).toBe('{{ index }}!');
  });

  test('expressions are found at any depth, and keys are left alone', () => {
    expect(renderTemplate({ a: [{ '{{ index }}': '{{ index }}' }], b: null }, scope)).toEqual({
      a: [{ '{{ index }}': 3 }],
      b: null,
    });
  });
});

describe('an expression that is none', () => {
  test.each([
    ['1 +', 'at character 4: Unexpected token: EOF'],
    ['', 'Unexpected token: EOF'],
    ['foo.bar', 'at character 1: unknown name "foo"'],
    ['goal.id', '"goal" has no value of its own: write goal.input'],
    ['tasks.a', 'write tasks.<id>.output'],
    ['tasks[item].output', 'needs a literal task id'],
    ['tasks.map(t, t)', 'write tasks.<id>.output'],
    ['1 + frobnicate(2)', 'at character 5: unknown function "frobnicate"'],
    ['"a".matches("(a+)+$")', 'unknown function "matches"'],
    ['size(1, 2)', 'size does not take 2 arguments'],
    ['[1].map(1, 2)', 'invalid predicate iteration variable'],
    ['has(1)', 'has(…) takes one path'],
    ['b"a"', 'bytes and unsigned integers are not supported'],
    ['1u', 'bytes and unsigned integers are not supported'],
    ['{{ index }}', 'stands without {{ }}'],
  ])('%j is refused: %s', (text, reason) => {
    expect(faultOf(() => parseExpression(text))).toContain(reason);
  });

  test.each(['{{ index', 'a {{ "x }}', '{{ {"a": 1 }}'])('%j is never closed', (text) => {
    expect(faultOf(() => renderTemplate(text, scope))).toContain('is never closed');
  });

  test.each([
    ['too long', `"${'x'.repeat(8_192)}"`, 'longer than 8192 characters'],
    ['too large', Array.from({ length: 600 }, () => '1').join('+'), 'Exceeded maxAstNodes'],
    ['nested too deeply', '('.repeat(60) + '1' + ')'.repeat(60), 'Exceeded maxDepth'],
    ['full of signs', `${'-'.repeat(8_000)}1`, 'maxAstNodes'],
  ])('is refused when it is %s', (_, text, reason) => {
    expect(faultOf(() => parseExpression(text))).toContain(reason);
  });

  test('is refused again when it is met again', () => {
    expect(faultOf(() => parseExpression('1 +'))).toBe(faultOf(() => parseExpression('1 +')));
  });
});

describe('a costly expression', () => {
  const list = Array.from({ length: 20_000 }, (_, n) => n);
  const big = { tasks: outputs({ a: list, text: 'x'.repeat(1_000_000) }) };

  test.each([
    ['nests comprehensions', 'tasks.a.output.map(x, tasks.a.output.map(y, x * y))'],
    [
      'adds lists to themselves',
      '[tasks.a.output].map(l, l + l + l + l).map(l, l + l + l + l).map(l, l + l + l + l).map(l, l + l + l + l)',
    ],
    ['compares long lists', 'tasks.a.output.all(x, tasks.a.output == tasks.a.output + [x] || true)'],
    ['searches long lists', 'tasks.a.output.map(x, -1 in tasks.a.output)'],
    ['searches long texts', 'tasks.a.output.map(x, tasks.text.output.contains("yz"))'],
    ['counts long texts', 'tasks.a.output.map(x, size(tasks.text.output))'],
    ['splits long texts', 'tasks.a.output.map(x, tasks.text.output.split("").size())'],
  ])('that %s runs out of steps', (_, text) => {
    expect(faultOf(() => renderTemplate(`{{ ${text} }}`, big))).toContain('more than 2000000 steps');
  });

  test.each([
    ['repeats a list', 'tasks.a.output.map(x, tasks.a.output)'],
    ['repeats a text', 'tasks.a.output.map(x, tasks.text.output)'],
    [
      'repeats a list inside of lists',
      '[tasks.a.output].map(l, [l,l,l,l,l,l,l,l,l,l]).map(l, [l,l,l,l,l,l,l,l,l,l]).map(l, [l,l,l,l,l,l,l,l,l,l])',
    ],
    ['repeats a list as text', 'tasks.a.output.map(x, json(tasks.a.output)).size()'],
  ])('that %s has too large a result', (_, text) => {
    expect(faultOf(() => renderTemplate(`{{ ${text} }}`, big))).toContain('the result is larger than');
  });

  test('that doubles a text over and over is stopped', () => {
    const text = Array.from({ length: 8 }, () => '.map(t, t + t + t + t)').join('');
    expect(faultOf(() => renderTemplate(`{{ [tasks.text.output]${text}.size() }}`, big))).toContain(
      'a text becomes longer',
    );
  });

  test('shares its bound with the others of the same input', () => {
    const one = '{{ tasks.text.output }}';
    expect(() => renderTemplate([one, one], big)).not.toThrow();
    expect(
      faultOf(() =>
        renderTemplate(
          Array.from({ length: 100 }, () => one),
          big,
        ),
      ),
    ).toContain('the result is larger');
  });

  test('is stopped even where faults do not matter', () => {
    const text = 'tasks.a.output.all(x, tasks.a.output.all(y, y >= 0)) || true';
    expect(faultOf(() => evaluateCondition(text, big))).toContain('more than 2000000 steps');
  });

  test('over a list as long as a map may have is none', () => {
    const items = Array.from({ length: 100_000 }, (_, n) => ({ n }));
    expect(renderTemplate('{{ sum(tasks.a.output.map(x, x.n)) }}', { tasks: outputs({ a: items }) })).toBe(
      4_999_950_000,
    );
  });

  test('over values nested without end is refused, not fatal', () => {
    let deep: Json = 1;
    for (let depth = 0; depth < 200_000; depth += 1) deep = [deep];
    expect(faultOf(() => renderTemplate('{{ json(item) }}', { item: deep }))).toContain('nested too deeply');
  });
});

describe('evaluateCondition', () => {
  test('gives the boolean', () => {
    expect(evaluateCondition('tasks.probe.output.status == 200', scope)).toBe(true);
    expect(evaluateCondition('goal.input.depth > 2', scope)).toBe(false);
  });

  test('refuses any other value', () => {
    expect(faultOf(() => evaluateCondition('goal.input.depth', scope))).toContain('must be true or false, not a int');
  });
});

describe('evaluateList', () => {
  test('gives the list', () => {
    expect(evaluateList("tasks['list-files'].output.items.map(f, f.path)", scope)).toEqual(['a.ts', 'b.md', 'c.ts']);
  });

  test('refuses any other value, and a list that is too long', () => {
    expect(faultOf(() => evaluateList('goal.input', scope))).toContain('a map goes over a list, not over a map');
    const item = Array.from({ length: 100_001 }, () => 0);
    expect(faultOf(() => evaluateList('item', { item }))).toContain('at most 100000 items');
  });
});

describe('referencesOf', () => {
  test('collects the tasks and local names of all expressions', () => {
    const references = referencesOf({
      a: ['{{ tasks.one.output + tasks["two-b"].output }}', 'x {{ item }} {{ has(tasks.three.output.x) }}'],
      b: { c: '{{ params.p }}' },
      d: '\\{{ tasks.literal.output }}',
    });
    expect([...references.tasks].sort()).toEqual(['one', 'three', 'two-b']);
    expect([...references.locals].sort()).toEqual(['item', 'params']);
  });

  test('does not take the variable of a comprehension for a name in scope', () => {
    const { tasks, locals } = parseExpression('[{"a": {"output": 1}}].map(tasks, tasks.a.output).map(item, item)');
    expect([tasks.size, locals.size]).toEqual([0, 0]);
  });
});

/** The form in which cel-js wants integers. */
const withBigInts = (value: Json): unknown =>
  JSON.parse(JSON.stringify(value), (_, inner: unknown) => (typeof inner === 'number' ? BigInt(inner) : inner));

/** CEL's own semantics, wherever Astra does not differ on purpose. */
describe('what cel-js makes of the same expression', () => {
  const data = {
    i: 7,
    text: 'hello',
    list: [3, 1, 2],
    rows: [
      { n: 1, s: 'a' },
      { n: 2, s: 'b' },
    ],
    map: { a: 1, b: 2 },
  };
  test.each([
    'item.i + 1 == 8 && item.i % 2 == 1',
    '(item.i - 10) / 2',
    '(item.i - 10) % 2',
    'item.i > 3 ? "big" : "small"',
    'item.list.map(x, x * x).filter(x, x > 1)',
    'item.list.exists(x, x == 2) || item.list.all(x, x > 2)',
    'item.list.exists_one(x, x == 3)',
    'item.list + [4]',
    '2 in item.list && !("c" in item.map)',
    'item.map.map(k, k)',
    'item.rows.filter(r, r.n > 1).map(r, r.s)',
    'item.rows.map(r, r.n > 1, r.s)',
    'item.text.startsWith("he") && item.text.endsWith("lo") && item.text.contains("ell")',
    'item.text.indexOf("l") + item.text.lastIndexOf("l") + item.text.size()',
    'item.text.substring(1, 3) + item.text.substring(4)',
    'item.text.split("l")',
    '["a", "b"].join("-")',
    'size(item.list) + size(item.map) + size(item.text)',
    'has(item.map.a) && !has(item.map.c)',
    'int("5") + int(2.9)',
    'double(item.i) / 2.0',
    '{"k": [item.i, item.i]}.k[1]',
    'item.list == [3, 1, 2] && item.map == {"b": 2, "a": 1}',
    '-item.i < 0 && !(item.i == 8)',
    "r\"a\\n\" + \"b\\n\\u00e9\" + '''c'''",
    '0x10 + 1',
    '"a" < "b" && 1.5 >= 1',
  ])('%s', (text) => {
    const theirs = JSON.stringify(evaluateByCelJs(text, { item: withBigInts(data) }), (_, value: unknown) =>
      typeof value === 'bigint' ? Number(value) : value,
    );
    expect(renderTemplate(`{{ ${text} }}`, { item: data })).toEqual(JSON.parse(theirs));
  });
});

test('the guide lists every function, and no other', () => {
  const guide = readFileSync(new URL('../docs/guides/expressions.md', import.meta.url), 'utf8');
  const table = guide.slice(guide.indexOf('## Functions'), guide.indexOf('## Bounds'));
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const listed = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(list[.])?(\w+)\(([^)]*)\)`/g)].flatMap(
      ([, receiver, name = '', args = '']) => (receiver || name === 'has' ? [] : [`${name}/${args.split(',').length}`]),
    ),
  );
  expect(listed.sort()).toEqual([...functions.keys()].sort());
});
