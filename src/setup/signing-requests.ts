import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import { LEAF_KINDS, leafRequest, LEAVES } from './credentials.ts';
import type { LeafKind } from './credentials.ts';
import { readExisting } from './inventory.ts';
import { pathOf } from './layout.ts';
import type { Layout, Target } from './layout.ts';
import { folderFlags } from './shell-text.ts';
import { makeLeafKey, requestLeaf } from './pki.ts';
import type { PkiPorts } from './pki.ts';

/** Both lie with the service: kube-apiserver need not see them. */
const NAMES: Readonly<Record<LeafKind, string>> = {
  server: 'server.csr',
  client: 'apiserver-client.csr',
};

function requestPath(layout: Layout, kind: LeafKind): string {
  return join(layout.service, NAMES[kind]);
}

interface RequestsWanted {
  readonly layout: Layout;
  /** What is there already, and stays: for such a key a request is made, too. */
  readonly present: ReadonlySet<Target>;
  readonly serverHosts: readonly string[];
}

export interface SigningRequests {
  /** PEM; where the CA is elsewhere, new keys alone. */
  readonly keysAndCertificates: ReadonlyMap<Target, string>;
  readonly requests: readonly RequestFile[];
}

interface RequestFile {
  readonly path: string;
  readonly mode: number;
  /** PKCS #10, PEM. */
  readonly content: string;
}

/**
 * A key and a signing request for each leaf that has neither certificate nor request yet.
 *
 * @throws ImageCheckerError `setup-refused`, `file-unreadable`
 */
export async function makeSigningRequests(
  wanted: RequestsWanted,
  ports: PkiPorts,
): Promise<SigningRequests> {
  const keys = new Map<Target, string>();
  const requests: RequestFile[] = [];
  for (const kind of LEAF_KINDS) {
    const { key: target, certificate } = LEAVES[kind];
    const path = requestPath(wanted.layout, kind);
    if (wanted.present.has(certificate) || (await isAsked(path, target, wanted))) continue;
    const key = wanted.present.has(target)
      ? (await readExisting(pathOf(wanted.layout, target))).toString()
      : await makeLeafKey(ports);
    if (!wanted.present.has(target)) keys.set(target, key);
    requests.push({ path, mode: 0o644, content: requestLeaf(leafRequest(kind, wanted), key) });
  }
  return { keysAndCertificates: keys, requests };
}

/** Whether the request is there, and the key that it was made for. */
async function isAsked(
  path: string,
  key: Target,
  { layout, present }: RequestsWanted,
): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return false;
  if (present.has(key)) return true;
  const message = `expected its key ${pathOf(layout, key)} beside it, got a request alone`;
  throw new ImageCheckerError('setup-refused', { file: path, message, hint: 'remove the request' });
}

/** The requests, and where what the CA answers is to be put. */
export function signingRequestsIn(layout: Layout): readonly object[] {
  return LEAF_KINDS.map((kind) => ({
    file: requestPath(layout, kind),
    role: kind,
    certificate: pathOf(layout, LEAVES[kind].certificate),
    ca: pathOf(layout, kind === 'server' ? 'externalCa' : 'clientCa'),
  }));
}

/** What is to be done with the requests. */
export function reportSigningRequests(layout: Layout): string {
  const server = pathOf(layout, 'serverCertificate');
  const client = pathOf(layout, 'clientCertificate');
  return `
two signing requests wait for your CA, and nothing works before it has answered:
1. have ${requestPath(layout, 'server')} signed for server authentication,
   with the names that it asks for, and put the certificate at
     ${server}
   (the CAs between it and the root, if any, behind it)
2. have ${requestPath(layout, 'client')} signed for client authentication,
   and put the certificate at
     ${client}
3. put the CA, with those above it up to the root, where the other side looks for it:
     ${pathOf(layout, 'clientCa')}    verifies kube-apiserver's certificate
     ${pathOf(layout, 'externalCa')}    verifies the service's certificate
   openssl can sign, with the names as asked for:
     openssl x509 -req -in REQUEST -CA ca.pem -CAkey ca-key.pem -days 365 -copy_extensions copyall -out CERTIFICATE
4. look at the result with: image-checker certs show${folderFlags(layout)}
`;
}
