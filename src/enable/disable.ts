import { apply } from './apply.ts';
import type { SwitchResult } from './enable.ts';
import { locked } from './lock.ts';
import type { SwitchOptions } from './options.ts';
import { planDisabling } from './plan-disable.ts';
import type { SwitchPorts } from './ports.ts';
import { proveDisabled } from './prove.ts';
import { readEditedFile } from './edited-file.ts';
import { makeStateFolder } from './record-file.ts';

/**
 * Undoes what enable did, on files that may have been edited since.
 *
 * @throws {ImageCheckerError} as `enable` does
 */
export async function disable(options: SwitchOptions, ports: SwitchPorts): Promise<SwitchResult> {
  if (options.dryRun) return disableAlone(options, ports);
  await makeStateFolder(options.stateFolder);
  return locked(options.stateFolder, () => disableAlone(options, ports));
}

async function disableAlone(options: SwitchOptions, ports: SwitchPorts): Promise<SwitchResult> {
  const plan = await planDisabling(options);
  for (const problem of plan.warnings) ports.report({ kind: 'warning', problem });
  if (plan.edits.length === 0) return { outcome: 'unchanged', plan };
  await ports.showPlan(plan);
  if (options.dryRun) return { outcome: 'planned', plan };
  const { text } = await readEditedFile(options.manifest, '');
  const cluster = await ports.openCluster(options, text, ports.signal);
  for (const problem of cluster.warnings) ports.report({ kind: 'warning', problem });
  await ports.confirm(plan);
  const isOff = plan.warnings.length === 0;
  const backup = await apply({ plan, cluster, ports, options }, () =>
    isOff ? proveDisabled(cluster, ports) : Promise.resolve(),
  );
  return { outcome: 'done', plan, backup };
}
