import { isIP } from 'node:net';
import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import {
  checkIssued,
  ownAuthority,
  readAuthority,
  readAuthorityCertificate,
  withChain,
} from './authority.ts';
import type { AuthorityFiles } from './authority.ts';
import { readExisting } from './inventory.ts';
import { pathOf } from './layout.ts';
import type { Layout, Target } from './layout.ts';
import { certificatesIn, isSame } from './pem.ts';
import { issueLeaf, makeAuthority } from './pki.ts';
import type { Credential, LeafRequest, PkiPorts } from './pki.ts';

/** The name that the service's `tls.allowedClients` holds. */
const CLIENT_NAME = 'api-server';

/** By these the service can always be reached; external-service is the seed's name for it. */
const ALWAYS_HOSTS = ['localhost', '127.0.0.1', '::1', 'external-service'];

export const LEAVES = {
  server: { key: 'serverKey', certificate: 'serverCertificate' },
  client: { key: 'clientKey', certificate: 'clientCertificate' },
} as const;
export const LEAF_KINDS = ['server', 'client'] as const;
export type LeafKind = (typeof LEAF_KINDS)[number];

const AUTHORITY = { key: 'caKey', certificate: 'caCertificate' } as const;

/** Each side holds the CA that the other side's certificate is verified with. */
const AUTHORITY_COPIES = ['clientCa', 'externalCa'] as const;

export interface CredentialRequest {
  readonly layout: Layout;
  /** What is there already, and stays. */
  readonly present: ReadonlySet<Target>;
  /** Names and addresses for the server certificate, beside those that are always in it. */
  readonly serverHosts: readonly string[];
  /** A CA of the caller's own, instead of one that is made. Its key stays where it is. */
  readonly given?: AuthorityFiles | undefined;
}

/** PEM files by target. */
export type Credentials = Map<Target, string>;

/**
 * Every key and certificate that is not there. A new CA only where nothing of an old one is left;
 * the CA's own two files may have been taken off the node, and stay away as long as nothing is to
 * be signed.
 *
 * @throws ImageCheckerError `setup-refused`, `file-unreadable`
 */
export async function makeMissingCredentials(
  request: CredentialRequest,
  ports: PkiPorts,
): Promise<Credentials> {
  const made: Credentials = new Map();
  const missing = findMissing(request.present);
  refuseIncomplete(request, missing);
  const authority = await obtainAuthority(request, missing, ports);
  if (authority === undefined) return made;
  if (request.given !== undefined) putGiven(made, authority, request);
  else if (missing.everything) putPair(made, AUTHORITY, authority);
  for (const copy of missing.copies) made.set(copy, authority.certificate);
  const leaves = await Promise.all(
    missing.leaves.map((kind) => issueLeaf(authority, leafRequest(kind, request), ports)),
  );
  leaves.forEach((leaf, index) => {
    checkIssued(leaf, authority);
    const certificate = withChain(leaf, authority);
    putPair(made, LEAVES[missing.leaves[index] ?? 'server'], { ...leaf, certificate });
  });
  return made;
}

interface Missing {
  /** Nothing of a CA, nor of what one made, is there. */
  readonly everything: boolean;
  readonly leaves: readonly LeafKind[];
  readonly copies: readonly Target[];
}

function findMissing(present: ReadonlySet<Target>): Missing {
  const pairs = [AUTHORITY, ...Object.values(LEAVES)];
  const all = [...AUTHORITY_COPIES, ...pairs.flatMap(({ key, certificate }) => [key, certificate])];
  return {
    everything: !all.some((target) => present.has(target)),
    leaves: LEAF_KINDS.filter((kind) => !present.has(LEAVES[kind].certificate)),
    copies: AUTHORITY_COPIES.filter((target) => !present.has(target)),
  };
}

function refuseIncomplete({ layout, present, given }: CredentialRequest, missing: Missing): void {
  const lacks = (target: Target): boolean => !present.has(target);
  const problems: Problem[] = [];
  for (const { key, certificate } of Object.values(LEAVES)) {
    if (lacks(key) !== lacks(certificate)) {
      problems.push(halfPair(layout, lacks(key) ? [certificate, key] : [key, certificate]));
    }
  }
  if (!missing.everything && given === undefined) {
    problems.push(...authorityProblems(layout, lacks, missing));
  }
  if (problems.length > 0) throw new ImageCheckerError('setup-refused', problems);
}

function halfPair(layout: Layout, [there, gone]: readonly [Target, Target]): Problem {
  return {
    file: pathOf(layout, there),
    message: `expected ${pathOf(layout, gone)} beside it, got one without the other`,
    hint: 'bring the other back, or remove this one: then both are made',
  };
}

function authorityProblems(
  layout: Layout,
  lacks: (target: Target) => boolean,
  { leaves, copies }: Missing,
): Problem[] {
  if (lacks('caCertificate') && !lacks('caKey'))
    return [halfPair(layout, ['caKey', 'caCertificate'])];
  const needed: Target[] = [];
  if (leaves.length + copies.length > 0) needed.push('caCertificate');
  if (leaves.length > 0) needed.push('caKey');
  return needed.filter(lacks).map((target) => ({
    file: pathOf(layout, target),
    message: 'expected the CA that the other files were made with, got nothing',
    hint: 'bring it back to make what is missing, or make everything anew with --force',
  }));
}

/** @returns undefined when nothing is missing that a CA is needed for. */
async function obtainAuthority(
  request: CredentialRequest,
  missing: Missing,
  ports: PkiPorts,
): Promise<Credential | undefined> {
  const { layout, given } = request;
  if (given !== undefined) {
    const authority = await readAuthority(given, ports.now());
    await refuseOther(authority, request, given);
    return authority;
  }
  if (missing.everything) return makeAuthority(ports);
  if (missing.leaves.length > 0) return readAuthority(ownAuthority(layout), ports.now());
  if (missing.copies.length === 0) return undefined;
  const certificate = await readAuthorityCertificate(ownAuthority(layout), ports.now());
  return { certificate, key: '' };
}

/** What is there was made with the CA that is there. */
async function refuseOther(
  { certificate }: Credential,
  { layout, present }: CredentialRequest,
  given: AuthorityFiles,
): Promise<void> {
  const [named] = certificatesIn(certificate);
  for (const target of [AUTHORITY.certificate, ...AUTHORITY_COPIES]) {
    if (!present.has(target) || named === undefined) continue;
    const path = pathOf(layout, target);
    const there = certificatesIn((await readExisting(path)).toString());
    if (there.some((one) => isSame(one, named))) continue;
    throw new ImageCheckerError('setup-refused', {
      file: given.certificate,
      message: `expected the CA of ${path}, got another`,
      hint: '`image-checker certs renew --ca` changes to another CA while reviews go on',
    });
  }
}

/** The CA's certificate alone: a key that somebody keeps elsewhere is not multiplied. */
function putGiven(made: Credentials, authority: Credential, { present }: CredentialRequest): void {
  if (!present.has('caCertificate')) made.set('caCertificate', authority.certificate);
}

/** What a leaf of an installation is asked to be. */
export function leafRequest(
  kind: LeafKind,
  { serverHosts }: Pick<CredentialRequest, 'serverHosts'>,
): LeafRequest {
  if (kind === 'client') return { kind, name: CLIENT_NAME };
  const hosts = [...new Set([...serverHosts, ...ALWAYS_HOSTS])];
  return { kind, hosts: hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })) };
}

function putPair(
  made: Credentials,
  pair: { readonly key: Target; readonly certificate: Target },
  credential: Credential,
): void {
  made.set(pair.key, credential.key);
  made.set(pair.certificate, credential.certificate);
}
