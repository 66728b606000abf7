import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ImageCheckerError, messageOf } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { replaceFile } from '../files/replace-file.ts';
import { shellWord } from '../files/shell-word.ts';
import type { Applying, Progress } from './apply.ts';
import type { Backup } from './backup.ts';
import type { FileEdit } from './plan.ts';
import type { SwitchPorts } from './ports.ts';
import { writeRecord } from './record-file.ts';
import { anotherIsReady, oneStaysReady, waitFor } from './wait.ts';
import { waitPorts } from './wait-ports.ts';

/** Milliseconds: whoever was impatient with the edit wants to know how the way back went. */
const LEAST_TIME = 60_000;

/** Fires never: rolling back is not to be interrupted. */
const NEVER = new AbortController().signal;

/**
 * Puts every file back and waits until kube-apiserver is healthy.
 *
 * @returns the error to throw: why, what the server's log said, and how the way back went
 */
export async function rollBack(
  thrown: unknown,
  applying: Applying,
  progress: Progress,
): Promise<unknown> {
  const { ports, options, plan } = applying;
  if (!(await hasChanged(progress))) {
    await writeRecord(options.stateFolder, plan.earlier);
    return thrown;
  }
  const why = problemsOf(thrown);
  const log = await whatItSaid(ports, progress);
  if (isPastHelp(applying, progress)) return failure([...why, ...log, stays(progress.backup)]);
  ports.report({ kind: 'step', message: 'rolling back' });
  const notBack = await putBack(progress);
  if (notBack.length === 0) await writeRecord(options.stateFolder, plan.earlier);
  const health = notBack.length === 0 ? await waitForHealth(applying, progress) : [];
  return failure([...why, ...log, ...notBack, ...health]);
}

/** Whether any file is not as it was: a write may have failed before there was anything new. */
async function hasChanged({ begun }: Progress): Promise<boolean> {
  for (const { file, before } of begun) {
    const now = await readFile(file, 'utf8').catch(() => undefined);
    if (now !== before) return true;
  }
  return false;
}

function failure(problems: readonly Problem[]): ImageCheckerError {
  return new ImageCheckerError('enable-failed', problems);
}

/** Of a server that did not come up: the errors of one that did are about something else. */
async function whatItSaid(
  { readLog }: SwitchPorts,
  { since, after }: Progress,
): Promise<readonly Problem[]> {
  if (after !== undefined) return [];
  const lines = await readLog(since);
  return lines.map((line) => ({ message: `kube-apiserver said: ${line}` }));
}

function problemsOf(thrown: unknown): readonly Problem[] {
  return thrown instanceof ImageCheckerError ? thrown.problems : [{ message: messageOf(thrown) }];
}

/** A server that was down before `disable` is not helped by the plugin's coming back. */
function isPastHelp({ plan, ports }: Applying, { before }: Progress): boolean {
  return plan.command === 'disable' && before.state !== 'ready' && !ports.signal.aborted;
}

function stays({ folder }: Backup): Problem {
  const message = `kube-apiserver was not ready before either, so the plugin stays off; what was there is kept in ${folder}`;
  return { message, hint: '`image-checker doctor` and `crictl logs` say more' };
}

/** In the opposite order: see `SwitchPlan.edits`. */
async function putBack({ begun, backup }: Progress): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const edit of begun.toReversed()) {
    try {
      await putBackOne(edit);
    } catch (thrown) {
      problems.push({ message: messageOf(thrown), hint: byHand(edit, backup) });
    }
  }
  return problems;
}

async function putBackOne({ file, before, after, rights }: FileEdit): Promise<void> {
  const now = await readFile(file, 'utf8');
  if (now === before) return;
  if (now !== after) {
    throw new Error(`${file}: not put back: somebody has edited it in the meantime`);
  }
  await replaceFile(file, before, rights);
}

/** The commands that put a file back, in one rename as well. */
function byHand({ file, rights }: FileEdit, { copies }: Backup): string {
  const { mode, uid, gid } = rights;
  const copy = shellWord(copies.get(file) ?? '');
  const staged = shellWord(join(dirname(file), `.${basename(file)}.new`));
  const install = `install -m ${mode.toString(8)} -o ${uid} -g ${gid} ${copy} ${staged}`;
  return `put it back by hand: ${install} && mv ${staged} ${shellWord(file)}`;
}

/**
 * With the edit a server had become ready: then it is another one that is waited for. Else the
 * kubelet may have acted on the edit, on its being put back, on both or on neither.
 */
async function waitForHealth(
  { cluster, ports, options, plan }: Applying,
  { after, backup, begun }: Progress,
): Promise<readonly Problem[]> {
  if (!plan.restarts) return [{ message: 'rolled back' }];
  const criterion = after === undefined ? oneStaysReady() : anotherIsReady(after);
  const timeout = Math.max(options.timeout, LEAST_TIME);
  const waited = await waitFor(criterion, timeout, waitPorts(cluster, ports), NEVER);
  if (waited.stage === 'done') {
    return [{ message: 'rolled back: the files are as they were, and kube-apiserver is healthy' }];
  }
  const commands = begun.toReversed().map((edit) => byHand(edit, backup));
  const message = `rolled back, but kube-apiserver is not healthy after ${timeout / 1000} s: ${waited.last.detail || waited.stage}`;
  return [
    {
      message,
      hint: `the files are as they were; see \`journalctl -u kubelet\` and \`crictl ps -a\`. If in doubt, ${commands.join('; then ')}`,
    },
  ];
}
