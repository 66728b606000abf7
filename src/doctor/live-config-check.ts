import { stat } from 'node:fs/promises';
import { runningSince } from '../ask/running-since.ts';
import type { Findings } from './finding.ts';
import type { DoctorPorts } from './options.ts';
import type { ServiceView } from './service-checks.ts';

/** Milliseconds: the service tells its start to the second, and reads its config a little later. */
const TOLERANCE = 2000;

/** Whether the service that runs here has read the config that lies here, which it does once. */
export async function checkRunningConfig(
  { config, configFile: file }: ServiceView,
  { times }: DoctorPorts,
  findings: Findings,
): Promise<void> {
  if (config === undefined) return;
  const since = await runningSince(config.admin, times.connect);
  const found = await stat(file).catch(() => undefined);
  if (since === undefined || found === undefined) return;
  if (found.mtimeMs <= since + TOLERANCE) {
    findings.ok('live-config', 'is what the running service has read', file);
    return;
  }
  const message = `expected the config to be older than the service that runs since ${toText(since)}, got one of ${toText(found.mtimeMs)}`;
  const hint =
    'the service reads it when it starts alone: restart it, such as by `systemctl restart image-checker`';
  findings.warn('live-config', { file, message, hint });
}

function toText(time: number): string {
  return new Date(time).toISOString();
}
