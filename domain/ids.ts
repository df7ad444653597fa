import type { GoalId } from './schemas/common.ts';

/** In ASCII order, so that encoded numbers sort as text. */
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const timeChars = 8;
/** 128 bits in base 62. */
const hashChars = 22;
const hashBytes = 16;

function base62(value: bigint, length: number): string {
  const chars: string[] = [];
  for (let rest = value; chars.length < length; rest /= 62n) chars.push(digits.charAt(Number(rest % 62n)));
  return chars.reverse().join('');
}

function base62OfBytes(bytes: Uint8Array): string {
  if (bytes.length < hashBytes) throw new RangeError(`An id needs ${hashBytes} bytes.`);
  const value = bytes.subarray(0, hashBytes).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return base62(value, hashChars);
}

/**
 * An id of 22 digits after a prefix: `whk_…`.
 * @param bytes at least 16, from a cryptographic source, or a cryptographic hash of what the id stands for
 */
export const prefixedId = (prefix: string, bytes: Uint8Array): string => `${prefix}_${base62OfBytes(bytes)}`;

// Made of base-62 digits in the right number: what goalIdSchema checks.
const asGoalId = (text: string): GoalId => text as GoalId;

/**
 * A goal's id: `gol_`, eight digits of the time (so that ids sort by it) and 22 of chance.
 * @param random at least 16 bytes from a cryptographic source
 */
export function goalIdFrom(time: { readonly unixMilliseconds: number }, random: Uint8Array): GoalId {
  return asGoalId(`gol_${base62(BigInt(time.unixMilliseconds), timeChars)}${base62OfBytes(random)}`);
}

/**
 * The id of the goal that a task starts: the same at every attempt, beside its parent when sorted.
 * @param options.digest a cryptographic hash of at least 16 bytes, such as SHA-256
 * @param options.run of the task
 */
export function childGoalId(
  parent: GoalId,
  taskId: string,
  { digest, run = 1 }: { readonly digest: (text: string) => Uint8Array; readonly run?: number },
): GoalId {
  const time = parent.slice('gol_'.length, 'gol_'.length + timeChars);
  const name = run === 1 ? `${parent}/${taskId}` : `${parent}/${taskId}/${run}`;
  return asGoalId(`gol_${time}${base62OfBytes(digest(name))}`);
}

/** The id of the goal that a schedule's run starts. @param runId of the run's own workflow: a UUID, whose 128 bits are used */
export function scheduledGoalId(runId: string): GoalId {
  const bytes = runId.replaceAll('-', '').match(/../g) ?? [];
  return goalIdFrom(
    { unixMilliseconds: 0 },
    Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16)),
  );
}

/**
 * `apr_<goal>.<task>`, or `apr_<goal>` for the approval of the goal's plan: says where a decision belongs. With the
 * task's run, when it has begun anew: it is asked about again.
 */
export function approvalId(goalId: GoalId, taskId: string | null, run = 1): string {
  const task = taskId === null ? '' : `.${taskId}`;
  return `apr_${goalId.slice('gol_'.length)}${task}${run > 1 ? `.${run}` : ''}`;
}

/** Of a goal's `n`th question (from 1) for more budget. No task's id begins with a dash. */
export const budgetApprovalId = (goalId: GoalId, n: number): string => `${approvalId(goalId, null)}.-budget-${n}`;

/** `apr_<goal>.0…`: the approval of a change of the goal's plan. No task's id begins with a digit. */
export function changeApprovalId(
  goalId: GoalId,
  changeId: string,
  { digest }: { readonly digest: (text: string) => Uint8Array },
): string {
  return `${approvalId(goalId, null)}.0${base62OfBytes(digest(changeId))}`;
}

/** The reverse of `approvalId`; null for what is no approval's id. */
export function parseApprovalId(id: string): { readonly goalId: GoalId; readonly taskId: string | null } | null {
  const [, goal, taskId] =
    /^apr_([0-9A-Za-z]{16,40})(?:[.]([A-Za-z][A-Za-z0-9_-]{0,63})(?:[.][0-9]+)?|[.]0[0-9A-Za-z]{22})?$/.exec(id) ?? [];
  return goal === undefined ? null : { goalId: asGoalId(`gol_${goal}`), taskId: taskId ?? null };
}

/** The id of a map's item: `each.3` is item 3 (from 0) of the map `each`. */
export function itemTaskId(mapId: string, index: number): string {
  return `${mapId}.${index}`;
}

/** Splits `each.3` into the map's id and the item's index; of any other task's id the index is null. */
export function parseTaskId(taskId: string): { readonly id: string; readonly index: number | null } {
  const dot = taskId.indexOf('.');
  if (dot === -1) return { id: taskId, index: null };
  return { id: taskId.slice(0, dot), index: Number(taskId.slice(dot + 1)) };
}
