import { readFile } from 'node:fs/promises';
import autocannon from 'autocannon';

/** Where wrk is not to be had: what load.lua does, by autocannon. */
const [url = '', seconds = '', connections = '', pathsFile = '', token = '', ifNoneMatch] = process.argv.slice(2);
const paths = (await readFile(pathsFile, 'utf8')).trimEnd().split('\n');
const result = await autocannon({
  url,
  duration: Number(seconds),
  connections: Number(connections),
  headers: { authorization: `Bearer ${token}`, ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }) },
  requests: paths.map((path) => ({ path })),
});
const { requests, latency, errors, timeouts } = result;
const figures = { p50Ms: latency.p50, p99Ms: latency.p99, maxMs: latency.max };
const failed = errors + timeouts + result['4xx'] + result['5xx'];
console.log(JSON.stringify({ requests: requests.total, seconds: result.duration, ...figures, failed }));
