import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hostPathOf, isWithin } from '../manifest/mounts.ts';
import type { Mount } from '../manifest/mounts.ts';
import { readDisk } from './disk.ts';
import type { Findings } from './finding.ts';
import type { Credentials } from './certificate-checks.ts';

/** The folder that is mounted holds five files. */
const MAX_FILES = 200;
/** Folders within folders: `setup` makes one of them, and a volume of a Secret another. */
const MAX_DEPTH = 3;
const KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/;

/** Whoever gets into kube-apiserver's container must not find there what makes certificates. */
export async function checkExposedKey(
  folder: string,
  { externalCa, clientCa, ownCa }: Credentials,
  findings: Findings,
): Promise<void> {
  const files = await filesBelow(folder, MAX_DEPTH);
  const authorities = [externalCa, clientCa, ownCa].flatMap((ca) => [...(ca?.certificates ?? [])]);
  for (const file of files.slice(0, MAX_FILES)) {
    const read = await readDisk(file);
    if ('problem' in read || !KEY.test(read.text) || !isKeyOf(read.text, authorities)) continue;
    const message = 'expected the key of the CA to be kept away from kube-apiserver, got it here';
    const hint = 'move it where neither kube-apiserver nor the service reads it, or off the node';
    findings.fail('ca-key-exposed', { file, message, hint });
  }
  findings.okUnlessFound('ca-key-exposed', 'the key of the CA is not here', folder);
}

async function filesBelow(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory());
  const folders = depth > 0 ? entries.filter((entry) => entry.isDirectory()) : [];
  const within = folders.map(({ name }) => filesBelow(join(folder, name), depth - 1));
  return [...files.map(({ name }) => join(folder, name)), ...(await Promise.all(within)).flat()];
}

function isKeyOf(text: string, authorities: readonly X509Certificate[]): boolean {
  try {
    const held = createPublicKey(createPrivateKey(text)).export({ type: 'spki', format: 'der' });
    return authorities.some(
      // A self-signed leaf is a CA to nobody else.
      ({ ca, publicKey }) => ca && publicKey.export({ type: 'spki', format: 'der' }).equals(held),
    );
  } catch {
    return false;
  }
}

/** The service's folder holds its keys, and the CA's. */
export function checkServiceFolder(
  folder: string,
  mounts: readonly Mount[],
  findings: Findings,
): void {
  const mount = mounts.find(({ mountPath }) =>
    isWithin(folder, hostPathOf(mounts, mountPath) ?? '/dev/null'),
  );
  if (mount === undefined) {
    findings.ok('service-folder-mounted', 'kube-apiserver does not see it', folder);
    return;
  }
  const message = `expected the service's folder to be its own, got it mounted at ${mount.mountPath}`;
  const hint = 'mount the admission folder alone';
  findings.fail('service-folder-mounted', { file: folder, message, hint });
}
