import type { X509Certificate } from 'node:crypto';

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate is valid from a little before it was made: clocks of two machines differ. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** The most that RFC 5280 (4.1.2.2) allows. */
export const SERIAL_BYTES = 20;

/** Positive and of one length: the first bits are 01, the other 158 are random. */
export function serialNumber(random: Uint8Array): Buffer {
  const bytes = Buffer.from(random);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

/** Whole seconds, which is what a certificate can say. */
export function validity(now: Date, years: number): Validity {
  const start = new Date(now);
  start.setUTCMilliseconds(0);
  const notAfter = new Date(start);
  notAfter.setUTCFullYear(start.getUTCFullYear() + years);
  return { notBefore: new Date(start.getTime() - CLOCK_SKEW_MS), notAfter };
}

/** No longer than the issuer. */
export function within(wanted: Validity, issuer: X509Certificate): Validity {
  const notBefore = new Date(issuer.validFrom);
  const notAfter = new Date(issuer.validTo);
  return {
    notBefore: wanted.notBefore < notBefore ? notBefore : wanted.notBefore,
    notAfter: wanted.notAfter > notAfter ? notAfter : wanted.notAfter,
  };
}
