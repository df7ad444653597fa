import { lookup as resolve, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { AstraError } from '../../domain/errors.ts';

export interface EgressPolicy {
  /** @throws ASTRA_EGRESS_DENIED for another scheme than http(s), credentials in the URL, or a refused address. */
  checkUrl(url: URL): void;
  /**
   * For sockets: resolves a name and gives the permitted addresses only. The socket connects to these very addresses,
   * so a name that answers differently the second time (DNS rebinding) gains nothing.
   */
  readonly lookup: LookupFunction;
}

type Block = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];
/** Resolves a name to all its addresses; tests put their own in. */
export type ResolveAll = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** Public by number, but the platform's own: Azure's host agent, which hands out credentials. */
const metadataAddresses = new Set(['168.63.129.16']);
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
const resolveAll: ResolveAll = (hostname, done) => {
  resolve(hostname, { all: true }, done);
};

/**
 * Only public unicast addresses may be reached, besides what `allow` names: host names, addresses, CIDR blocks.
 * An allowed name may resolve to anything; an allowed address may have any name.
 * @throws ASTRA_PARAMETER_INVALID for an entry that is none of these.
 */
export function createEgressPolicy(allow: readonly string[], options: { resolve?: ResolveAll } = {}): EgressPolicy {
  const names = new Set<string>();
  const blocks: Block[] = [];
  for (const entry of allow) {
    const block = parseBlock(entry);
    if (block) blocks.push(block);
    else names.add(parseName(entry));
  }
  const mayReach = (address: string): boolean => isPublic(address) || blocks.some((block) => contains(block, address));
  return {
    checkUrl(url) {
      if (url.protocol !== 'http:' && url.protocol !== 'https:')
        throw denied(`${url.protocol} URLs`, 'use http or https');
      if (url.username !== '' || url.password !== '') throw denied('credentials in a URL', 'send them in a header');
      const hostname = hostnameOf(url);
      // Sockets do not look up an address, so it is checked here.
      if (!names.has(hostname) && ipaddr.isValid(hostname) && !mayReach(hostname)) throw deniedHost(hostname);
    },
    lookup(hostname, lookupOptions, callback) {
      (options.resolve ?? resolveAll)(hostname, (error, addresses) => {
        if (error) return callback(error, []);
        const named = names.has(withoutDot(hostname));
        const permitted = addresses.filter(({ address }) => named || mayReach(address));
        const first = permitted[0];
        if (!first) return callback(deniedHost(hostname), []);
        if (lookupOptions.all) return callback(null, permitted);
        callback(null, first.address, first.family);
      });
    },
  };
}

function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  // NAT64 (RFC 6052) carries an IPv4 address in its last four bytes; where the network uses it, that is the destination.
  if (range === 'rfc6052') return isPublic(parsed.toByteArray().slice(12).join('.'));
  // Of IPv6 only 2000::/3 is assigned to the public; outside lie old ways to write IPv4 addresses, too.
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast)) return false;
  return range === 'unicast' && !metadataAddresses.has(parsed.toString());
}

function contains([network, bits]: Block, address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return parsed.kind() === network.kind() && parsed.match(network, bits);
}

function parseBlock(entry: string): Block | undefined {
  if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
  if (!ipaddr.isValid(entry)) return undefined;
  const address = ipaddr.process(entry);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

function parseName(entry: string): string {
  const name = withoutDot(entry.toLowerCase());
  if (/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(name)) return name;
  const hint = `ASTRA_EGRESS_ALLOW: "${entry}" is no host name, address or CIDR block; write for example "10.0.0.0/8".`;
  throw new AstraError('ASTRA_PARAMETER_INVALID', hint);
}

/** URL has parsed all the spellings of an IPv4 address (0x7f.1, 2130706433) into one already. */
const hostnameOf = (url: URL): string => withoutDot(url.hostname.replace(/^\[|\]$/g, ''));
const withoutDot = (name: string): string => name.replace(/\.$/, '');

const denied = (what: string, instead: string): AstraError =>
  new AstraError('ASTRA_EGRESS_DENIED', `Tools may not use ${what}; ${instead}.`);
const deniedHost = (hostname: string): AstraError =>
  denied(
    `the host ${hostname}, which is not on the public Internet`,
    'have the operator name it in ASTRA_EGRESS_ALLOW if it is meant to be reached',
  );
