import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/** Networks that a webhook has no business in. Source: IANA's special-purpose address registries. */
const PRIVATE = { 4: new BlockList(), 6: new BlockList() } as const;
for (const [network, bits] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
  ] as const),
  ...([
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ] as const),
])
  PRIVATE[4].addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  // Forms that carry an IPv4 address lead around every rule for those: none is taken.
  ...([
    ['::', 96],
    ['::ffff:0:0', 96],
    ['::ffff:0:0:0', 96],
    ['64:ff9b::', 96],
    ['64:ff9b:1::', 48],
    ['2002::', 16],
  ] as const),
  ...([
    ['100::', 64],
    ['2001::', 23],
    ['2001:db8::', 32],
    ['3fff::', 20],
    ['5f00::', 16],
  ] as const),
  ...([
    ['fc00::', 7],
    ['fe80::', 10],
    ['fec0::', 10],
    ['ff00::', 8],
  ] as const),
])
  PRIVATE[6].addSubnet(network, bits, 'ipv6');

/** Whether an IP address is of this machine, a private network, or otherwise not of the public internet. */
export function isPrivateAddress(address: string): boolean {
  // Apart: a list of both takes every IPv4 address for one that is mapped into IPv6.
  if (isIP(address) === 4) return PRIVATE[4].check(address, 'ipv4');
  return isIP(address) === 0 || PRIVATE[6].check(address, 'ipv6');
}

/** An address was refused before anything was sent. */
class BlockedAddress extends Error {
  readonly code = 'WEBHOOK_BLOCKED';
}

type Done = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * A `lookup` for `http.request` that resolves once and gives out only addresses that are all public, so that what was checked
 * is what is connected to.
 */
export function publicLookup(hostname: string, options: LookupOptions, done: Done): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, '');
    const bad = addresses.find(({ address }) => isPrivateAddress(address));
    const [first] = addresses;
    if (bad !== undefined || first === undefined)
      return done(new BlockedAddress(`${hostname} is at ${bad?.address ?? 'no address'}, which is not public`), '');
    if (options.all === true) done(null, addresses);
    else done(null, first.address, first.family);
  });
}
