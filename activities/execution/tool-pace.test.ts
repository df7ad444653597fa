import { describe, expect, it } from 'vitest';
import type { ToolBinding } from '../../domain/plan-outline.ts';
import { createToolPace, markQuickTools } from './tool-pace.ts';

const shared: ToolBinding = { workerClass: 'tools', execution: 'activity', effect: 'idempotent', timeoutSeconds: 30 };

function paceAfter(...milliseconds: readonly number[]) {
  const pace = createToolPace();
  for (const each of milliseconds) pace.observe('a.b', each);
  return pace;
}

const row = (length: number, milliseconds: number): number[] => Array.from({ length }, () => milliseconds);

describe('a tool’s pace', () => {
  it('is quick once it has been so often enough', () => {
    expect(paceAfter(...row(19, 3)).isQuick('a.b')).toBe(false);
    expect(paceAfter(...row(20, 3)).isQuick('a.b')).toBe(true);
    expect(paceAfter(...row(20, 3)).isQuick('c.d')).toBe(false);
  });

  it('forgives one slow call in a long row, and no second', () => {
    expect(paceAfter(...row(100, 3), 900).isQuick('a.b')).toBe(true);
    expect(paceAfter(...row(100, 3), 900, 900).isQuick('a.b')).toBe(false);
    expect(paceAfter(...row(100, 3), 900, 900, ...row(10, 3)).isQuick('a.b')).toBe(true);
  });
});

describe('tools whose tasks may share an activity', () => {
  const pace = paceAfter(...row(20, 3));
  const marked = (binding: ToolBinding): ToolBinding | undefined =>
    markQuickTools({ revision: 1, source: 'explicit', tasks: [], tools: { 'a.b': binding } }, pace).tools['a.b'];

  it('are quick ones that may run twice', () => {
    expect(marked(shared)).toEqual({ ...shared, quick: true });
    expect(marked({ ...shared, effect: 'none' })).toMatchObject({ quick: true });
  });

  it.each<Partial<ToolBinding>>([{ effect: 'once' }, { workerClass: 'sandbox' }, { execution: 'inline' }])(
    'are never such as %j',
    (other) => expect(marked({ ...shared, ...other })).toEqual({ ...shared, ...other }),
  );
});
