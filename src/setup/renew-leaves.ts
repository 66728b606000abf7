import type { X509Certificate } from 'node:crypto';
import { ImageCheckerError } from '../errors.ts';
import { checkIssued, readAuthority, withChain } from './authority.ts';
import type { AuthorityFiles } from './authority.ts';
import { LEAF_KINDS, LEAVES } from './credentials.ts';
import { pathOf } from './layout.ts';
import type { Target } from './layout.ts';
import { certificatesIn, leadsTo } from './pem.ts';
import { issueLeaf } from './pki.ts';
import type { Credential, PkiPorts } from './pki.ts';
import type { Change } from './renew-change.ts';
import type { Installation } from './renew-files.ts';
import type { RenewOptions } from './renew-options.ts';

const CA_HINT =
  "bring the CA's key and ca-cert.pem back from where they are kept for as long as this takes, or name " +
  'the key with --ca-key FILE, and the certificate with --ca-cert FILE where it is away, too; where the ' +
  'key is lost, `image-checker certs renew --ca` changes to a new CA';

/** New keys and certificates from the CA in force. */
export async function renewLeaves(
  installation: Installation,
  options: RenewOptions,
  ports: PkiPorts,
): Promise<Change> {
  const authority = await readAuthority(signingAuthority(options), ports.now());
  const contents = await makeLeaves(installation, authority, ports);
  checkTrusted(installation, contents);
  return { step: 'leaves', contents, files: [], remove: [] };
}

function signingAuthority(options: RenewOptions): AuthorityFiles {
  const { layout, authorityCertificate, authorityKey } = options;
  return {
    certificate: authorityCertificate ?? pathOf(layout, 'caCertificate'),
    key: authorityKey ?? pathOf(layout, 'caKey'),
    hint: CA_HINT,
  };
}

/** Leaves that say of themselves what those that are there say. */
export async function makeLeaves(
  installation: Installation,
  authority: Credential,
  ports: PkiPorts,
): Promise<Map<Target, string>> {
  const made = new Map<Target, string>();
  for (const kind of LEAF_KINDS) {
    const leaf = await issueLeaf(authority, { kind, like: String(installation[kind]) }, ports);
    checkIssued(leaf, authority);
    made.set(LEAVES[kind].certificate, withChain(leaf, authority));
    made.set(LEAVES[kind].key, leaf.key);
  }
  return made;
}

function checkTrusted(
  { layout, externalCa, clientCa }: Installation,
  contents: ReadonlyMap<Target, string>,
): void {
  const sides: readonly [Target, Target, readonly X509Certificate[]][] = [
    ['serverCertificate', 'externalCa', externalCa],
    ['clientCertificate', 'clientCa', clientCa],
  ];
  for (const [leaf, bundle, trusted] of sides) {
    const [first, ...between] = certificatesIn(contents.get(leaf) ?? '');
    if (first !== undefined && leadsTo(first, trusted, between)) continue;
    throw new ImageCheckerError('setup-refused', {
      file: pathOf(layout, bundle),
      message: 'expected the CA that signs the new certificates among these, got others',
      hint: '`image-checker certs renew --ca` changes the CA, step by step',
    });
  }
}
