import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { createEgressPolicy } from './egress-policy.ts';

const resolving = (...addresses: string[]) => ({
  resolve: (_name: string, done: (error: null, found: LookupAddress[]) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    ),
});
const check =
  (url: string, allow: string[] = []) =>
  () =>
    createEgressPolicy(allow).checkUrl(new URL(url));
const denied = expect.objectContaining({ code: 'ASTRA_EGRESS_DENIED', retryable: false }) as Error;

function lookup(allow: string[], name: string, ...addresses: string[]): Promise<unknown> {
  const { lookup: look } = createEgressPolicy(allow, resolving(...addresses));
  return new Promise((resolve, reject) => {
    look(name, { all: true }, (error, found) => (error ? reject(error) : resolve(found)));
  });
}

describe('addresses in URLs', () => {
  test.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://0.0.0.0/',
    'http://0.1.2.3/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://172.31.255.255/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://100.100.100.200/',
    'http://169.254.169.254/latest/meta-data/',
    'http://168.63.129.16/',
    'http://192.0.0.192/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://198.18.0.1/',
    'http://240.0.0.1/',
    'http://203.0.113.5/',
    'http://192.88.99.1/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:a00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[2002:7f00:1::]/',
    'http://[2001:0:1::1]/',
    'http://[fe80::1]/',
    'http://[fec0::1]/',
    'http://[fc00::1]/',
    'http://[fd00:ec2::254]/',
    'http://[ff02::1]/',
    'http://[2001:db8::1]/',
    'http://[100::1]/',
  ])('%s is refused', (url) => {
    expect(check(url)).toThrow(denied);
  });

  test.each([
    'http://8.8.8.8/',
    'https://93.184.216.34:8443/',
    'http://[2606:4700::1111]/',
    'http://[64:ff9b::808:808]/',
    'http://example.com/',
  ])('%s is allowed', (url) => {
    expect(check(url)).not.toThrow();
  });

  test.each([
    'file:///etc/passwd',
    'ftp://example.com/',
    'data:text/plain,x',
    'http://user@example.com/',
    'http://user:secret@example.com/',
  ])('%s is refused, without saying more of it', (url) => {
    expect(check(url)).toThrow(denied);
    expect(check(url)).not.toThrow('secret');
  });
});

describe('names', () => {
  test.each(['127.0.0.1', '10.1.2.3', '::1', '::ffff:10.0.0.1', 'fe80::1', '169.254.169.254'])(
    'one that resolves to %s is refused',
    async (address) => {
      await expect(lookup([], 'innocent.example', address)).rejects.toMatchObject({ code: 'ASTRA_EGRESS_DENIED' });
    },
  );

  test('of several addresses only public ones are connected to', async () => {
    expect(await lookup([], 'mixed.example', '10.0.0.1', '8.8.8.8', '::1')).toEqual([
      { address: '8.8.8.8', family: 4 },
    ]);
  });

  test('a failed resolution is passed on', async () => {
    const policy = createEgressPolicy([], {
      resolve: (_, done) => done(Object.assign(new Error('gone'), { code: 'ENOTFOUND' }), []),
    });
    const error = await new Promise((resolve) => policy.lookup('x.example', {}, resolve));
    expect(error).toMatchObject({ code: 'ENOTFOUND' });
  });
});

describe('what is allowed by configuration', () => {
  test('an address, a block and a name', async () => {
    expect(check('http://127.0.0.1/', ['127.0.0.1'])).not.toThrow();
    expect(check('http://[::ffff:127.0.0.1]/', ['127.0.0.1'])).not.toThrow();
    expect(check('http://127.0.0.2/', ['127.0.0.1'])).toThrow(denied);
    expect(check('http://10.9.8.7/', ['10.0.0.0/8'])).not.toThrow();
    expect(check('http://[fd12::1]/', ['fd00::/8'])).not.toThrow();
    expect(await lookup(['Internal.Example'], 'internal.example.', '10.0.0.1')).toEqual([
      { address: '10.0.0.1', family: 4 },
    ]);
    expect(await lookup(['10.0.0.0/24'], 'any.example', '10.0.0.1', '10.0.1.1')).toEqual([
      { address: '10.0.0.1', family: 4 },
    ]);
    await expect(lookup(['internal.example'], 'evil-internal.example', '10.0.0.1')).rejects.toMatchObject({
      code: 'ASTRA_EGRESS_DENIED',
    });
  });

  test('what is none of these is refused at the start', () => {
    expect(() => createEgressPolicy(['http://x/'])).toThrow(
      expect.objectContaining({ code: 'ASTRA_PARAMETER_INVALID' }) as Error,
    );
  });
});
