import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../domain/json.ts';
import { toolContext } from '../../test/support/tool-context.ts';
import { textRender } from './text-render.ts';

const render = (template: string, data: JsonObject, rest: JsonObject = {}) =>
  textRender.run({ template, data, ...rest }, toolContext());

describe('text.render', () => {
  test('fills values, lists and conditions in, without HTML escaping', async () => {
    const template =
      '# {{title}}\n{{#rows}}- {{name}}: {{count}}{{^count}} (none){{/count}}\n{{/rows}}{{{title}}}{{&title}}';
    const data = {
      title: '<A & B>',
      rows: [
        { name: 'x', count: 2 },
        { name: 'y', count: 0 },
      ],
    };
    expect(await render(template, data)).toEqual({ text: '# <A & B>\n- x: 2\n- y: 0 (none)\n<A & B><A & B>' });
  });

  test('finds nested names, outer names, list lengths and the item itself', async () => {
    const template = '{{a.b.c}} {{items.length}}{{#items}} {{.}}{{suffix}}{{/items}} [{{missing}}{{a.x.y}}{{nothing}}]';
    expect(await render(template, { a: { b: { c: 1 } }, items: [1, 'two'], suffix: '!', nothing: null })).toEqual({
      text: '1 2 1! two! []',
    });
  });

  test('a value that is no text is shown as JSON', async () => {
    expect(await render('{{o}} {{{l}}} {{t}}', { o: { a: 1 }, l: [1], t: true })).toEqual({ text: '{"a":1} [1] true' });
  });

  test('reaches nothing but the data’s own properties', async () => {
    const names = [
      'constructor',
      'toString',
      '__proto__',
      'text.constructor',
      'list.map',
      'text.constructor.prototype.constructor',
    ];
    for (const name of names)
      expect(await render(`[{{${name}}}{{#${name}}}x{{/${name}}}]`, { text: 'a', list: [1] })).toEqual({ text: '[]' });
  });

  test('stores the text as an artifact when asked to', async () => {
    const artifact = { name: 'report.md', mediaType: 'text/markdown' };
    expect(await render('é', {}, { artifact })).toMatchObject({ artifact: { ...artifact, sizeBytes: 2 } });
  });

  test('a template with a fault is refused', async () => {
    await expect(render('{{#open}}', {})).rejects.toMatchObject({
      code: 'ASTRA_TOOL_INPUT_INVALID',
      faults: [{ pointer: '/template' }],
    });
  });
});
