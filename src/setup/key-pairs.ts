import { createPrivateKey } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { systemCode } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { systemMessage } from '../files/read-text-file.ts';
import { pathOf } from './layout.ts';
import type { Layout } from './layout.ts';
import { certificatesIn } from './pem.ts';
import { rotationFiles } from './renew-files.ts';

interface Pair {
  readonly certificate: string;
  readonly key: string;
  /** Whether the key may be kept elsewhere. */
  readonly keyMayBeAway: boolean;
}

/** Others may not read it, and none but the owner may write it; a group may read (key group). */
export const FORBIDDEN_KEY_MODE = 0o027;

/** What is wrong with the private keys: missing, not the certificate's, open to others. */
export async function pairProblems(layout: Layout): Promise<Problem[]> {
  const { nextCertificate, nextKey } = rotationFiles(layout);
  const at = (certificate: string, key: string, keyMayBeAway: boolean): Pair => {
    return { certificate, key, keyMayBeAway };
  };
  const pairs = [
    at(pathOf(layout, 'clientCertificate'), pathOf(layout, 'clientKey'), false),
    at(pathOf(layout, 'serverCertificate'), pathOf(layout, 'serverKey'), false),
    at(pathOf(layout, 'caCertificate'), pathOf(layout, 'caKey'), true),
    at(nextCertificate, nextKey, true),
  ];
  return (await Promise.all(pairs.map(pairProblem))).flat();
}

async function pairProblem({ certificate, key, keyMayBeAway }: Pair): Promise<Problem[]> {
  const certificateFile = await readIfThere(certificate);
  const keyFile = await readIfThere(key);
  if (keyFile === undefined) {
    if (certificateFile === undefined || keyMayBeAway) return [];
    return [{ file: key, message: `expected the key of ${certificate}, got nothing` }];
  }
  if ('problem' in keyFile) return [keyFile.problem];
  const problems = modeProblems(key, keyFile.mode);
  if (certificateFile === undefined) {
    return [...problems, { file: certificate, message: `expected it beside ${key}, got nothing` }];
  }
  // A certificate that cannot be read is told with the certificates.
  if ('problem' in certificateFile) return problems;
  return [...problems, ...mismatch({ certificate, key }, certificateFile.text, keyFile.text)];
}

function modeProblems(file: string, mode: number): Problem[] {
  if ((mode & FORBIDDEN_KEY_MODE) === 0) return [];
  const got = (mode & 0o777).toString(8).padStart(4, '0');
  const message = `expected a private key with mode 0600, got ${got}`;
  return [{ file, message, hint: `run: chmod 600 ${file}` }];
}

function mismatch(
  files: { readonly certificate: string; readonly key: string },
  certificateText: string,
  keyText: string,
): Problem[] {
  const certificate = firstCertificate(certificateText);
  if (certificate === undefined) return [];
  try {
    if (certificate.checkPrivateKey(createPrivateKey(keyText))) return [];
    return [{ file: files.key, message: `expected the key of ${files.certificate}, got another` }];
  } catch {
    // The library's message says nothing about the file and might quote from it.
    return [{ file: files.key, message: 'expected a PEM private key without a passphrase' }];
  }
}

function firstCertificate(text: string): X509Certificate | undefined {
  try {
    return certificatesIn(text)[0];
  } catch {
    return undefined;
  }
}

type ReadFile =
  { readonly text: string; readonly mode: number } | { readonly problem: Problem } | undefined;

async function readIfThere(file: string): Promise<ReadFile> {
  try {
    const handle = await open(file, 'r');
    try {
      return { text: await handle.readFile('utf8'), mode: (await handle.stat()).mode };
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    const message = `cannot be read: ${systemMessage(thrown)}`;
    const hint = 'run it as a user who may read it, such as root';
    return { problem: { file, message, hint } };
  }
}
