import { isIP, isIPv6 } from 'node:net';
import type { Problem } from '../errors.ts';

/** A DNS name: labels of letters, digits and inner hyphens, 63 characters each (RFC 1123). */
const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** What some resolvers take for an address: a last label of digits, or of hex digits behind 0x. */
const NUMBER_AT_END = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

const ANY_ADDRESS = new Set(['0.0.0.0', '::']);

/** A host as it is written in the certificate and in the kubeconf, or what is wrong with it. */
export function readServerHost(written: string): string | Problem {
  const host =
    isIPv6(written) && !written.includes('%') ? normalizeIPv6(written) : written.toLowerCase();
  if (ANY_ADDRESS.has(host)) {
    return {
      message: `--server-host: expected the address that kube-apiserver calls, got '${written}'`,
      hint: 'the service listens on every address of its machine anyway',
    };
  }
  if (isIP(host) !== 0 && !host.includes('%')) return host;
  if (DNS_NAME.test(host) && !NUMBER_AT_END.test(host)) return host;
  return {
    message: `--server-host: expected a DNS name or an IP address, got '${written}'`,
    hint: 'neither scheme, port, brackets nor wildcard; the port is --port',
  };
}

/** The form of RFC 5952, which the WHATWG URL parser writes. */
export function normalizeIPv6(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}
