import type { Json } from '../../domain/json.ts';

const deepest = 1_000;

/**
 * The value as JSON that every store can hold, or undefined when it is none (functions, NaN, Dates, cycles).
 * Properties that are undefined are left out. Postgres' jsonb takes neither U+0000 nor lone surrogates, so in strings
 * they become U+FFFD; both occur when a tool reads bytes that are no text.
 */
export function toJson(value: unknown, depth = 0): Json | undefined {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return storable(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'object' || depth > deepest) return undefined;
  return Array.isArray(value) ? toJsonArray(value, depth) : toJsonObject(value, depth);
}

function toJsonArray(values: readonly unknown[], depth: number): Json | undefined {
  const items: Json[] = [];
  for (const value of values) {
    const item = toJson(value, depth + 1);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

function toJsonObject(value: object, depth: number): Json | undefined {
  const entries: [string, Json][] = [];
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  // A plain object, as the line above says.
  for (const [key, property] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    if (property === undefined) continue;
    const json = toJson(property, depth + 1);
    if (json === undefined) return undefined;
    entries.push([storable(key), json]);
  }
  // fromEntries defines `__proto__` as a property of its own; an assignment would set the prototype.
  return Object.fromEntries(entries);
}

function storable(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.includes('\u0000') ? wellFormed.replaceAll('\u0000', '\ufffd') : wellFormed;
}
