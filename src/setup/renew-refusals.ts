import { X509Certificate } from 'node:crypto';
import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { pathOf } from './layout.ts';
import { isSame } from './pem.ts';
import type { Credential } from './pki.ts';
import { lookFor } from './renew-files.ts';
import type { RenewOptions } from './renew-options.ts';

/**
 * For how long after new certificates the old CA stays trusted: kube-apiserver looks at its client
 * certificate every 5 minutes, and until then may hold connections that began with the old one.
 */
const SETTLED_MS = 5 * 60 * 1000;

export function refuseSame(
  named: Credential | undefined,
  current: X509Certificate,
  { authorityCertificate: file = '' }: RenewOptions,
): void {
  if (named === undefined || !isSame(new X509Certificate(named.certificate), current)) return;
  refuse({ file, message: 'expected another CA than the one in force, got that one' });
}

export function refuseOther(
  named: Credential | undefined,
  wanted: X509Certificate,
  { authorityCertificate: file = '' }: RenewOptions,
): void {
  if (named === undefined || isSame(new X509Certificate(named.certificate), wanted)) return;
  const message = 'expected the CA that the change has begun to, got another';
  const hint = 'go on without --ca-cert; when this change is through, begin the next one';
  refuse({ file, message, hint });
}

export function refuseKeyAlone({ authorityCertificate, authorityKey }: RenewOptions): void {
  if (authorityKey === undefined || authorityCertificate !== undefined) return;
  const message = 'expected --ca-cert with --ca-key in this step, got the key alone';
  refuse({ message, hint: 'the key alone belongs to step 2 of 3' });
}

/** Whether a kube-apiserver trusts the new CA cannot be seen from outside. */
export function refuseUnconfirmed({ layout, confirmed }: RenewOptions): void {
  if (confirmed) return;
  const message = `expected kube-apiserver to trust the new CA in ${pathOf(layout, 'externalCa')} before certificates come from it, and --yes to say so`;
  const hint =
    'restart every kube-apiserver that uses it (from v1.36 on 5 minutes since step 1 are enough), ' +
    "see 'certificates reloaded' in the service's log, and run this again with --yes";
  refuse({ message, hint });
}

export async function refuseUnsettled(
  { layout, confirmed }: RenewOptions,
  now: Date,
): Promise<void> {
  if (confirmed) return;
  for (const target of ['serverCertificate', 'clientCertificate'] as const) {
    const file = pathOf(layout, target);
    const found = await lookFor(file);
    const age = now.getTime() - (found?.mtimeMs ?? 0);
    if (age >= SETTLED_MS) continue;
    const message = `expected it in use for 5 minutes before the old CA is forgotten, got ${Math.floor(age / 1000)} s`;
    const hint =
      "wait, or see 'certificates reloaded' in the service's log and run this again with --yes";
    refuse({ file, message, hint });
  }
}

function refuse(problem: Problem): never {
  throw new ImageCheckerError('setup-refused', problem);
}
