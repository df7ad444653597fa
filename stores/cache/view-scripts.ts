import type { Redis } from 'ioredis';

/**
 * A goal's hash holds its snapshot at one `seq`: fields `seq`, `head`, `state`, `outline` and `t:<taskId>`. Or it holds
 * `floor` alone: the snapshot was dropped, and one older than that must not come back. Or, for some seconds, `gone`: the goal
 * was deleted, and what a slow reader has read of it before must not come back.
 *
 * 1. A commit's delta is applied only to the snapshot it was made for. Where another one is found, a write in between is
 *    missing here: the hash is dropped and the next reader fills it.
 * 2. A whole snapshot replaces only an older one and never one below the floor, nor a goal that is gone: a slow reader does
 *    no harm.
 */
const put = `
local function put(first)
  for i = first, #ARGV, 1000 do
    redis.call('HSET', KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV)))
  end
end
local known = tonumber(redis.call('HGET', KEYS[1], 'seq') or nil)
local floor = tonumber(redis.call('HGET', KEYS[1], 'floor') or 0)
`;

/** ARGV: seq the delta builds on, new seq, seconds to live, wake channel, then fields and values. */
const refresh = `${put}
local base, seq = tonumber(ARGV[1]), tonumber(ARGV[2])
if known == base or (base == 0 and not known and floor <= seq) then
  if base == 0 then redis.call('HDEL', KEYS[1], 'gone') end
  put(5)
  redis.call('EXPIRE', KEYS[1], ARGV[3])
elseif not known or known < seq then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'floor', math.max(floor, seq))
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
redis.call('PUBLISH', ARGV[4], seq)
return 1`;

/** ARGV: seq, seconds to live, then fields and values. */
const fill = `${put}
local seq = tonumber(ARGV[1])
if floor > seq or (known and known >= seq) or redis.call('HEXISTS', KEYS[1], 'gone') == 1 then return 0 end
redis.call('DEL', KEYS[1])
put(3)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1`;

export interface ScriptCall {
  readonly key: string;
  readonly args: readonly (string | number)[];
}
export interface ViewScripts {
  /** In one round trip. */
  refreshViews(calls: readonly ScriptCall[]): Promise<unknown>;
  fillView(call: ScriptCall): Promise<unknown>;
}

/** Sent as EVALSHA; the server is given the text once. */
export function defineViewScripts(redis: Redis): ViewScripts {
  redis.defineCommand('astraRefreshView', { lua: refresh, numberOfKeys: 1 });
  redis.defineCommand('astraFillView', { lua: fill, numberOfKeys: 1 });
  type Script = (key: string, ...args: readonly (string | number)[]) => Promise<unknown>;
  // defineCommand has just added them, which its types do not say.
  const defined = redis as unknown as Readonly<Record<'astraRefreshView' | 'astraFillView', Script>>;
  return {
    async refreshViews(calls) {
      const [first] = calls;
      if (first && calls.length === 1) return defined.astraRefreshView(first.key, ...first.args);
      const pipeline = redis.pipeline();
      // As above; on a pipeline a command answers with the pipeline.
      const queued = pipeline as unknown as Pick<typeof defined, 'astraRefreshView'>;
      for (const { key, args } of calls) void queued.astraRefreshView(key, ...args);
      const failed = (await pipeline.exec())?.find(([error]) => error);
      if (failed?.[0]) throw failed[0];
      return calls.length;
    },
    fillView: ({ key, args }) => defined.astraFillView(key, ...args),
  };
}
