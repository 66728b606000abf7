import { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { normalizeIPv6 } from './server-host.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM file, in order; whatever else stands in it is passed over.
 *
 * @throws Error when a block is no certificate
 */
export function certificatesIn(text: string): X509Certificate[] {
  return (text.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
}

/** A PEM file of certificates, each once, and of nothing else. */
export function bundleOf(certificates: readonly X509Certificate[]): string {
  return [...new Set(certificates.map(pemOf))].join('');
}

/** With line ends of Unix, and one at the end. */
function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString().trim().replaceAll('\r\n', '\n')}\n`;
}

export function isSame(one: X509Certificate, other: X509Certificate): boolean {
  return one.raw.equals(other.raw);
}

/** Whether `authority` signed it, by name and by key. */
export function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/** `CN=a, O=b`; empty for one that is known by its alternative names alone. */
export function subjectOf(certificate: X509Certificate): string {
  // The declarations say that there always is one.
  const subject = certificate.subject as string | undefined;
  return subject?.split('\n').join(', ') ?? '';
}

/** Whether a certificate leads up to one of the bundle, over `between` where need be. */
export function leadsTo(
  certificate: X509Certificate,
  bundle: readonly X509Certificate[],
  between: readonly X509Certificate[] = [],
): boolean {
  if (bundle.some((one) => isIssuedBy(certificate, one))) return true;
  return between.some((one) => {
    const rest = between.filter((other) => other !== one);
    return isIssuedBy(certificate, one) && leadsTo(one, bundle, rest);
  });
}

/** DNS names and addresses bare, anything else with its kind, such as `URI:spiffe://a/b`. */
export function altNamesOf(certificate: X509Certificate): string[] {
  const names = certificate.subjectAltName?.split(', ') ?? [];
  return names.map((written) => {
    const name = written.replace(/^(?:DNS|IP Address):/, '');
    return isIPv6(name) ? normalizeIPv6(name) : name;
  });
}
