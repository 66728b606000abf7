import { refuseOverlap } from './refusals.ts';
import { renewAuthority } from './renew-authority.ts';
import { makeChange } from './renew-change.ts';
import type { RenewResult } from './renew-change.ts';
import { readInstallation } from './renew-files.ts';
import { renewLeaves } from './renew-leaves.ts';
import type { RenewOptions } from './renew-options.ts';
import { hintingAtAccess } from './setup.ts';
import type { SetupPorts } from './setup.ts';

/**
 * Renews what an installation has, while it is in use.
 *
 * @throws ImageCheckerError `setup-refused`, `file-unreadable`, `file-unwritable`; the signal's
 *   reason. Nothing is changed then.
 */
export async function renew(options: RenewOptions, ports: SetupPorts): Promise<RenewResult> {
  return hintingAtAccess(async () => {
    await refuseOverlap(options.layout);
    const installation = await readInstallation(options.layout);
    const change =
      options.what === 'leaves'
        ? await renewLeaves(installation, options, ports)
        : await renewAuthority(installation, options, ports);
    return makeChange(installation, change, ports);
  });
}
