import { BlockList, isIP } from 'node:net';

/*
 * Whoever may create a pod names the host that is asked, and a registry names the hosts of its
 * redirects and its token service. None of that may reach what answers only because it is this
 * machine that asks.
 */

/** Metadata services of clouds, which hand out credentials to whoever is on the machine. */
const linkLocal = new BlockList();
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4');
linkLocal.addSubnet('fe80::', 10, 'ipv6');
linkLocal.addAddress('fd00:ec2::254', 'ipv6');
linkLocal.addAddress('fd20:ce::254', 'ipv6');
linkLocal.addAddress('fd00:c1::a9fe:a9fe', 'ipv6');
linkLocal.addAddress('fd00:42::42', 'ipv6');
linkLocal.addAddress('168.63.129.16', 'ipv4');
linkLocal.addAddress('100.100.100.200', 'ipv4');
// The same, each by the address under which a NAT64 gateway of an IPv6 network takes one there.
linkLocal.addSubnet('64:ff9b::169.254.0.0', 112, 'ipv6');
linkLocal.addAddress('64:ff9b::168.63.129.16', 'ipv6');
linkLocal.addAddress('64:ff9b::100.100.100.200', 'ipv6');

/** The machine itself; `0.0.0.0` and `::` are taken for it by the system. */
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addSubnet('0.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addAddress('::', 'ipv6');

export const LOOPBACK_HINT =
  'a registry on this machine has to be named in registries.hosts of the config';

/** The address that is written as the host of a URL; undefined where it is a name. */
export function addressIn({ hostname }: URL): string | undefined {
  const address = hostname.replace(/^\[|\]$/g, '');
  return isIP(address) === 0 ? undefined : address;
}

/** Why an address is not connected to; undefined when it may be. */
export function refusalOf(address: string, mayBeLoopback: boolean): string | undefined {
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  if (linkLocal.check(address, family)) return 'a link-local address';
  if (!mayBeLoopback && loopback.check(address, family)) return 'an address of this machine';
  return undefined;
}

/** Code of the error when a name has no address but refused ones. */
export const ADDRESS_REFUSED = 'ADDRESS_REFUSED';

export function refusedAddress(why: string): NodeJS.ErrnoException {
  return Object.assign(new Error(why), { code: ADDRESS_REFUSED });
}
