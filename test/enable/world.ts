import { setTimeout as pause } from 'node:timers/promises';
import { readApiServerLog } from '../../src/enable/apiserver-log.ts';
import { examine } from '../../src/enable/examine.ts';
import { openCluster } from '../../src/enable/open-cluster.ts';
import { openService } from '../../src/enable/open-service.ts';
import { readEnableFlags } from '../../src/enable/options.ts';
import type { EnableFlags, EnableOptions } from '../../src/enable/options.ts';
import type { EnablePorts, Report } from '../../src/enable/ports.ts';
import type { FakeNode } from './fake-node.ts';

/** What a run has, and what it said. */
export interface World {
  readonly options: EnableOptions;
  readonly ports: EnablePorts;
  readonly reports: Report[];
  readonly interrupt: (reason: Error) => void;
  readonly messages: () => string[];
  shown: number;
  confirmed: number;
}

/** The real thing over a fake node; its clock goes by as it sleeps. */
export function worldOf(node: FakeNode, flags: EnableFlags = {}): World {
  const controller = new AbortController();
  const reports: Report[] = [];
  let now = Date.UTC(2026, 10, 25, 12);
  const options = readEnableFlags(
    {
      manifest: 'manifests/kube-apiserver.yaml',
      dir: 'admission',
      kubeconfig: 'admin.conf',
      podLogs: 'pods',
      timeout: '60s',
      yes: true,
      ...flags,
    },
    node.folder,
  );
  const world: World = {
    options,
    reports,
    shown: 0,
    confirmed: 0,
    interrupt: (reason) => {
      controller.abort(reason);
    },
    messages: () =>
      reports.flatMap((report) => {
        if (report.kind === 'step') return [report.message];
        return report.kind === 'warning' ? [`warning: ${report.problem.message}`] : [];
      }),
    ports: {
      openCluster,
      openService,
      examine: (plan) => examine(plan, options),
      readLog: () => readApiServerLog(options.podLogs, new Date(0)),
      showPlan: () => {
        world.shown += 1;
        return Promise.resolve();
      },
      confirm: () => {
        world.confirmed += 1;
        return Promise.resolve();
      },
      report: (report) => {
        reports.push(report);
      },
      now: () => now,
      sleep: async (milliseconds, signal) => {
        now += milliseconds;
        await node.tick();
        await pause(1);
        signal.throwIfAborted();
      },
      signal: controller.signal,
    },
  };
  return world;
}
