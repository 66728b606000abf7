import { apply } from './apply.ts';
import { locked } from './lock.ts';
import type { EnableOptions } from './options.ts';
import { planEnabling } from './plan-enable.ts';
import type { SwitchPlan } from './plan.ts';
import type { EnablePorts } from './ports.ts';
import { preflight } from './preflight.ts';
import { prove } from './prove.ts';
import { makeStateFolder } from './record-file.ts';

/** How a run ended that did not fail. */
export interface SwitchResult {
  readonly outcome: 'unchanged' | 'planned' | 'done';
  readonly plan: SwitchPlan;
  /** The folder of the backup, when something was done. */
  readonly backup?: string;
}

/**
 * Switches the plugin on, on a control-plane node.
 *
 * @throws {ImageCheckerError} `enable-refused` with nothing touched; `enable-failed` after rolling
 *   back; `manifest-invalid`, `file-unreadable`, `kube-unreachable`, `usage`
 */
export async function enable(options: EnableOptions, ports: EnablePorts): Promise<SwitchResult> {
  if (options.dryRun) return enableAlone(options, ports);
  await makeStateFolder(options.stateFolder);
  return locked(options.stateFolder, () => enableAlone(options, ports));
}

async function enableAlone(options: EnableOptions, ports: EnablePorts): Promise<SwitchResult> {
  const plan = await planEnabling(options);
  if (plan.edits.length === 0) return { outcome: 'unchanged', plan };
  const checked = await preflight(plan, options, ports);
  await ports.showPlan(plan);
  if (options.dryRun || checked.cluster === undefined) return { outcome: 'planned', plan };
  await ports.confirm(plan);
  const { cluster } = checked;
  const backup = await apply({ plan, cluster, ports, options }, () =>
    prove({ ...checked, cluster }, options, ports),
  );
  return { outcome: 'done', plan, backup };
}
