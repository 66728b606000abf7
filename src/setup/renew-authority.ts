import { dirname } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import { shellWord } from '../files/shell-word.ts';
import { pathOf } from './layout.ts';
import type { PkiPorts } from './pki.ts';
import type { Change } from './renew-change.ts';
import { readCertificatesIfThere, rotationFiles } from './renew-files.ts';
import type { Installation } from './renew-files.ts';
import type { RenewOptions } from './renew-options.ts';
import { nextStep } from './renew-state.ts';
import type { RotationState } from './renew-state.ts';
import { changeOver, forgetOld, trustBoth } from './renew-steps.ts';

/**
 * The next step of a change to another CA. Which one it is, the files say: the call may be repeated,
 * and what was begun is gone on with.
 *
 * @throws ImageCheckerError `setup-refused` where reviews would fail
 */
export async function renewAuthority(
  installation: Installation,
  options: RenewOptions,
  ports: PkiPorts,
): Promise<Change> {
  const state = await readState(installation);
  const rotation = { installation, options, ports, state };
  const next = nextStep(state);
  if (next.step === 'trust-both') return trustBoth(rotation, next.to);
  if (next.step === 'change-over') return changeOver(rotation, next.to);
  return forgetOld(rotation, next.old);
}

async function readState(installation: Installation): Promise<RotationState> {
  const { layout, server, client, clientCa, externalCa } = installation;
  const { nextCertificate, previousCertificate } = rotationFiles(layout);
  const file = pathOf(layout, 'caCertificate');
  const current = await readCertificatesIfThere(file);
  if (current === undefined) {
    const message = 'expected the certificate of the CA in force, got nothing';
    const restore = `mkdir -p -m 700 ${shellWord(dirname(file))} && cp ${shellWord(pathOf(layout, 'externalCa'))} ${shellWord(file)}`;
    const hint = `bring it back, its key may stay away; where it is lost, there is a copy: ${restore}`;
    throw new ImageCheckerError('setup-refused', { file, message, hint });
  }
  return {
    current,
    next: await readCertificatesIfThere(nextCertificate),
    previous: await readCertificatesIfThere(previousCertificate),
    leaves: [server, client],
    bundles: [clientCa, externalCa],
  };
}
