import { readFile } from 'node:fs/promises';
import { ImageCheckerError } from '../errors.ts';
import { replaceFile } from '../files/replace-file.ts';
import type { Health } from '../kube/health.ts';
import { backUp } from './backup.ts';
import type { Backup } from './backup.ts';
import type { SwitchOptions } from './options.ts';
import type { FileEdit, SwitchPlan } from './plan.ts';
import type { Cluster, SwitchPorts } from './ports.ts';
import { writeRecord } from './record-file.ts';
import { rollBack } from './roll-back.ts';
import { anotherIsReady, waitFor } from './wait.ts';
import type { Waited } from './wait.ts';
import { waitPorts } from './wait-ports.ts';

/** What is done to which server, and by what means. */
export interface Applying {
  readonly plan: SwitchPlan;
  readonly cluster: Cluster;
  readonly ports: SwitchPorts;
  readonly options: SwitchOptions;
}

/** How far it has come, for the way back. */
export interface Progress {
  readonly backup: Backup;
  /** The server before anything was touched. */
  readonly before: Health;
  readonly since: Date;
  /** Edits that were begun, in order. */
  readonly begun: FileEdit[];
  /** The server with the edits, once it was ready. */
  after: Health | undefined;
}

/**
 * Backup, edits, wait, proof; whatever fails on the way, or interrupts it, everything is put back.
 *
 * @returns the folder of the backup
 * @throws {ImageCheckerError} `enable-failed` after rolling back
 */
export async function apply(applying: Applying, prove: () => Promise<void>): Promise<string> {
  const { plan, cluster, ports, options } = applying;
  const { signal } = ports;
  const since = new Date(ports.now());
  const backup = await backUp(plan, options.stateFolder, since);
  const before = await cluster.look(signal);
  const progress: Progress = { backup, before, since, begun: [], after: undefined };
  try {
    // Before the edit: whatever happens behind it, `disable` finds what there is to undo.
    if (plan.record !== undefined) await writeRecord(options.stateFolder, plan.record);
    for (const edit of plan.edits) await write(edit, progress, ports);
    if (plan.restarts) await waitForRestart(applying, progress);
    else warnOfRestart(ports);
    if (plan.restarts) await prove();
    await writeRecord(options.stateFolder, plan.record);
    return backup.folder;
  } catch (thrown) {
    throw await rollBack(thrown, applying, progress);
  }
}

async function write(edit: FileEdit, { begun }: Progress, ports: SwitchPorts): Promise<void> {
  ports.signal.throwIfAborted();
  await expectUnchanged(edit);
  begun.push(edit);
  await replaceFile(edit.file, edit.after, edit.rights);
  ports.report({ kind: 'step', message: `wrote ${edit.file}` });
}

/** Somebody may have edited it while the plan was being read. */
async function expectUnchanged({ file, before }: FileEdit): Promise<void> {
  if ((await readFile(file, 'utf8')) === before) return;
  const message = 'expected the file as it was when the plan was made, got a changed one';
  throw new ImageCheckerError('enable-failed', { file, message, hint: 'run it again' });
}

async function waitForRestart(
  { cluster, ports, options, plan }: Applying,
  progress: Progress,
): Promise<void> {
  const criterion = anotherIsReady(progress.before);
  const waited = await waitFor(criterion, options.timeout, waitPorts(cluster, ports), ports.signal);
  if (waited.stage !== 'done') throw notBack(waited, options.timeout, plan);
  progress.after = waited.last;
  ports.report({ kind: 'step', message: 'kube-apiserver is ready again' });
}

function notBack({ stage, last }: Waited, timeout: number, plan: SwitchPlan): ImageCheckerError {
  const time = `${timeout / 1000} s`;
  if (stage === 'not-restarted') {
    return new ImageCheckerError('enable-failed', {
      message: `expected the kubelet to restart kube-apiserver, got the same process after ${time}`,
      hint: 'does the kubelet run, and read this manifest? `systemctl status kubelet`, `journalctl -u kubelet`',
    });
  }
  const detail = last.detail === '' ? stage : last.detail;
  return new ImageCheckerError('enable-failed', {
    message: `expected kube-apiserver to be ready within ${time} of the ${plan.command}, got: ${detail}`,
    hint: 'a slow machine may need a longer --timeout',
  });
}

function warnOfRestart({ report }: SwitchPorts): void {
  const message =
    'kube-apiserver takes the admission configuration up when it starts next: the manifest stays as it is, so the kubelet does not restart it';
  const hint = 'restart it with `crictl stop $(crictl ps -q --name kube-apiserver)`';
  report({ kind: 'warning', problem: { message, hint } });
}
