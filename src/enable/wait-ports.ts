import type { Cluster, SwitchPorts } from './ports.ts';
import type { WaitPorts } from './wait.ts';

/** The ports of waiting, over those of a switch. */
export function waitPorts(cluster: Cluster, { now, sleep, report }: SwitchPorts): WaitPorts {
  return {
    look: cluster.look,
    now,
    sleep,
    report: (progress) => {
      report({ kind: 'wait', progress });
    },
  };
}
