import { createInterface } from 'node:readline/promises';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { readApiServerLog } from '../enable/apiserver-log.ts';
import { openCluster } from '../enable/open-cluster.ts';
import type { SwitchOptions } from '../enable/options.ts';
import type { SwitchPlan } from '../enable/plan.ts';
import type { SwitchPorts } from '../enable/ports.ts';
import { ImageCheckerError } from '../errors.ts';
import { colourDiff } from '../manifest/colour-diff.ts';
import { unifiedDiff } from '../manifest/unified-diff.ts';
import type { CommandContext } from './context.ts';
import { writeProblems } from './messages.ts';
import { Output } from './output.ts';
import { hasColour, isTerminal } from './paint.ts';
import { SwitchProgress } from './switch-progress.ts';

/** Lines around a change in the diff. */
const CONTEXT = 3;

/** How the result is written; with `json` what is shown to be confirmed goes to standard error. */
export type SwitchFormat = 'text' | 'json';

/** The world of enable and disable: this machine, and whoever called. */
export function switchPorts(
  context: CommandContext,
  { options, output }: { readonly options: SwitchOptions; readonly output: SwitchFormat },
  signal: AbortSignal,
): SwitchPorts {
  const progress = new SwitchProgress(context.stderr);
  return {
    openCluster,
    readLog: (since) => readApiServerLog(options.podLogs, since),
    showPlan: (plan) =>
      showPlan(plan, output === 'json' ? context.stderr : context.stdout, context),
    confirm: (plan) => confirm(plan, options, context, signal),
    report: (report) => {
      if (report.kind === 'wait') progress.wait(report.progress);
      else progress.clear();
      if (report.kind === 'step') progress.step(report.message);
      if (report.kind === 'warning') writeProblems(context, 'warning', [report.problem]);
    },
    now: Date.now,
    sleep: async (milliseconds, until) => {
      await sleep(milliseconds, undefined, { signal: until }).catch((thrown: unknown) => {
        until.throwIfAborted();
        throw thrown;
      });
    },
    signal,
  };
}

/** One diff for each file, in the order in which they are written. */
async function showPlan(
  { edits }: SwitchPlan,
  stream: Writable,
  context: CommandContext,
): Promise<void> {
  const colour = hasColour(context);
  const output = new Output(stream);
  for (const edit of edits) {
    const diff = diffOf(edit);
    await output.write(colour ? colourDiff(diff) : diff);
  }
}

/** In unified format, as `diff -u` writes it. */
export function diffOf({ file, before, after }: SwitchPlan['edits'][number]): string {
  return unifiedDiff(before, after, { oldName: file, newName: file, context: CONTEXT });
}

async function confirm(
  { restarts, command }: SwitchPlan,
  { yes }: SwitchOptions,
  context: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  if (yes) return;
  if (!isTerminal(context.stdin) || !isTerminal(context.stderr)) {
    const message = `${command}: expected somebody to confirm it, got no terminal`;
    throw new ImageCheckerError('usage', { message, hint: 'say --yes, or --dry-run to look only' });
  }
  const restart = restarts ? ', which restarts kube-apiserver' : '';
  const terminal = createInterface({
    input: context.stdin,
    output: context.stderr,
    terminal: true,
  });
  try {
    // In raw mode a terminal sends no signal: Ctrl-C comes as a key.
    const cancelled = new AbortController();
    terminal.on('SIGINT', () => {
      cancelled.abort();
    });
    terminal.on('close', () => {
      cancelled.abort();
    });
    const until = AbortSignal.any([signal, cancelled.signal]);
    const answer = await terminal.question(`apply this${restart}? [y/N] `, { signal: until });
    if (/^y(?:es)?$/i.test(answer.trim())) return;
  } catch (thrown) {
    if (!isAbort(thrown)) throw thrown;
  } finally {
    terminal.close();
  }
  throw new ImageCheckerError('enable-refused', { message: 'not confirmed: nothing was touched' });
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
