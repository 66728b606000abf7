import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** Who is at the other end of a connection, by its verified certificate. */
export interface ClientIdentity {
  /** The common name, if there is exactly one, and every subject alternative name. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly validTo: number;
}

/** The certificate of a connection never changes (TLS 1.3, and no renegotiation in Node). */
const identities = new WeakMap<TLSSocket, ClientIdentity>();

/** The identity of the peer; undefined when the TLS layer did not verify a certificate. */
export function identityOf(socket: TLSSocket): ClientIdentity | undefined {
  if (!socket.authorized) return undefined;
  const known = identities.get(socket);
  if (known !== undefined) return known;
  const identity = readIdentity(socket.getPeerCertificate(false));
  if (identity !== undefined) identities.set(socket, identity);
  return identity;
}

/** An empty object is what Node gives for no certificate. */
function readIdentity(
  certificate: Partial<Omit<DetailedPeerCertificate, 'issuerCertificate'>>,
): ClientIdentity | undefined {
  const validTo = Date.parse(certificate.valid_to ?? '');
  if (Number.isNaN(validTo)) return undefined;
  const commonName: unknown = certificate.subject?.CN;
  return {
    names: [
      ...(typeof commonName === 'string' ? [commonName] : []),
      ...parseAltNames(certificate.subjectaltname ?? ''),
    ],
    validTo,
  };
}

/**
 * Reads Node's rendering of subject alternative names: `DNS:a, IP Address:127.0.0.1, URI:"..."`.
 * A value that holds a separator or a quote stands as a JSON string (Node 17.3.1 and newer, in
 * answer to CVE-2021-44532), so what is in quotes never splits.
 */
export function parseAltNames(text: string): string[] {
  const names: string[] = [];
  let from = 0;
  while (from < text.length) {
    const colon = text.indexOf(':', from);
    if (colon < 0) break;
    const end =
      text[colon + 1] === '"' ? endOfQuoted(text, colon + 1) : endOfPlain(text, colon + 1);
    const value = text.slice(colon + 1, end);
    const name: unknown = value.startsWith('"') ? tryJson(value) : value;
    if (typeof name === 'string') names.push(name);
    from = end + ', '.length;
  }
  return names;
}

function endOfPlain(text: string, from: number): number {
  const end = text.indexOf(', ', from);
  return end < 0 ? text.length : end;
}

function endOfQuoted(text: string, from: number): number {
  for (let index = from + 1; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === '"') return index + 1;
  }
  return text.length;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
