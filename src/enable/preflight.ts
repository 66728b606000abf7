import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { askAll, describeDenial, inOneLine } from './denials.ts';
import type { Denial } from './denials.ts';
import type { EnableOptions } from './options.ts';
import type { Enabling } from './plan-enable.ts';
import type { AskService, Cluster, EnablePorts } from './ports.ts';
import { addRunningPods, addStaticPods, PodQuestions, SYSTEM_NAMESPACE } from './questions.ts';
import type { PodQuestion } from './questions.ts';
import { PROBE_NAMESPACE } from './prove.ts';

/** What pre-flight opened and found, for the proof afterwards. */
export interface Checked {
  readonly ask: AskService;
  /** Undefined in a dry run without a kubeconfig. */
  readonly cluster: Cluster | undefined;
  /** What runs now, as far as it is known. */
  readonly questions: readonly PodQuestion[];
}

/**
 * Everything that can be told before anything is touched: the doctor's checks on the files as they
 * are going to be, whether the service answers kube-apiserver, and what it would refuse.
 *
 * @throws {ImageCheckerError} `enable-refused`, `kube-unreachable`, and what the ports throw
 */
export async function preflight(
  plan: Enabling,
  options: EnableOptions,
  ports: EnablePorts,
): Promise<Checked> {
  step(ports, 'checking the files and the service');
  await examine(plan, ports);
  const ask = await ports.openService(plan);
  const cluster = await openCluster(plan, options, ports);
  const questions = await gather(options, cluster, ports);
  await expectReachable(ask);
  step(ports, `asking the service about ${countOf(questions.length)}`);
  const denials = await askAll(ask, questionsThatCount(questions, plan), ports.signal);
  expectAllowed(denials, options, ports);
  await expectProbes(ask, options);
  return { ask, cluster, questions };
}

function step({ report }: EnablePorts, message: string): void {
  report({ kind: 'step', message });
}

function countOf(number: number): string {
  return number === 1 ? '1 kind of pod that runs here' : `${number} kinds of pods that run here`;
}

async function examine(plan: Enabling, ports: EnablePorts): Promise<void> {
  const { failures, warnings } = await ports.examine(plan);
  for (const problem of warnings) ports.report({ kind: 'warning', problem });
  if (failures.length > 0) throw refusal(failures);
}

/** A dry run goes on without it; who touches the manifest has to see whether it comes back. */
async function openCluster(
  plan: Enabling,
  options: EnableOptions,
  ports: EnablePorts,
): Promise<Cluster | undefined> {
  try {
    const cluster = await ports.openCluster(options, plan.manifest.text, ports.signal);
    for (const problem of cluster.warnings) ports.report({ kind: 'warning', problem });
    const health = await cluster.look(ports.signal);
    if (health.state === 'ready') return cluster;
    const message = `expected kube-apiserver to be ready before anything is changed, got ${health.state}: ${health.detail}`;
    throw refusal([{ message, hint: 'mend that first' }]);
  } catch (thrown) {
    const isAbsent = thrown instanceof ImageCheckerError && thrown.code === 'file-unreadable';
    if (!options.dryRun || !options.isDefaultKubeconfig || !isAbsent) throw thrown;
    const message = 'the pods that run now are not asked about: there is no kubeconfig';
    ports.report({ kind: 'warning', problem: { message, hint: 'name one with --kubeconfig' } });
    return undefined;
  }
}

async function gather(
  { manifest }: EnableOptions,
  cluster: Cluster | undefined,
  { signal }: EnablePorts,
): Promise<readonly PodQuestion[]> {
  const questions = new PodQuestions();
  await addStaticPods(manifest, questions);
  if (cluster === undefined) return questions.list();
  for await (const pods of cluster.listPods(signal)) addRunningPods(pods, questions);
  return questions.list();
}

/** Whatever the verdict: that there is one is what counts. */
async function expectReachable(ask: AskService): Promise<void> {
  try {
    await answerTo(ask, 'docker.io/library/pause');
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    const hint =
      'start the service first: `image-checker doctor` says what keeps it from answering';
    throw refusal(thrown.problems.map((problem) => ({ hint, ...problem })));
  }
}

/** What is to be proven in the end has to be so now: two restarts would tell no more. */
async function expectProbes(
  ask: AskService,
  { probeDeny, probeAllow }: EnableOptions,
): Promise<void> {
  if (probeDeny !== undefined && (await answerTo(ask, probeDeny)).allowed) {
    const message = `--probe-deny: expected the rules to refuse ${probeDeny}, got it allowed`;
    throw refusal([{ message, hint: 'name another image, or refuse it in the rules' }]);
  }
  if (probeAllow === undefined) return;
  const { allowed, reason } = await answerTo(ask, probeAllow);
  if (allowed) return;
  const message = `--probe-allow: expected the rules to allow ${probeAllow}, got: ${inOneLine(reason ?? '')}`;
  throw refusal([{ message, hint: 'name another image, or allow it in the rules' }]);
}

function answerTo(ask: AskService, image: string): ReturnType<AskService> {
  return ask({ images: [image], annotations: new Map(), namespace: PROBE_NAMESPACE });
}

/** With `defaultAllow: true` the plugin is being tried out, and only kube-system counts. */
function questionsThatCount(
  questions: readonly PodQuestion[],
  { imagePolicy }: Enabling,
): readonly PodQuestion[] {
  const failsOpen = imagePolicy['defaultAllow'] === true;
  return questions.filter(({ namespace }) => !failsOpen || namespace === SYSTEM_NAMESPACE);
}

/** What kube-system needs may never be denied; anything else is the operator's to decide. */
function expectAllowed(
  denials: readonly Denial[],
  options: EnableOptions,
  ports: EnablePorts,
): void {
  const system = denials.filter(({ question }) => question.namespace === SYSTEM_NAMESPACE);
  const others = denials.filter(({ question }) => question.namespace !== SYSTEM_NAMESPACE);
  const listed = [...system, ...others].map(describeDenial);
  if (system.length > 0) throw refusal(withHint(listed, ALLOW_SYSTEM));
  if (others.length === 0) return;
  if (!options.acceptDenials) throw refusal(withHint(listed, ACCEPT));
  for (const problem of listed) ports.report({ kind: 'warning', problem });
}

const ALLOW_SYSTEM =
  'the cluster does not work without what kube-system runs: allow it in the rules';
const ACCEPT = 'allow it in the rules; with --accept-denials it is refused from now on';

/** Problems that are listed; the rest is counted. */
const MAX_LISTED = 50;

/** One hint at the end, for all of them. */
function withHint(problems: readonly Problem[], hint: string): Problem[] {
  const listed = problems.slice(0, MAX_LISTED);
  const rest = problems.length - listed.length;
  if (rest > 0) listed.push({ message: `and ${rest} more` });
  return listed.map((problem, index) =>
    index === listed.length - 1 ? { ...problem, hint } : problem,
  );
}

function refusal(problems: readonly Problem[]): ImageCheckerError {
  return new ImageCheckerError('enable-refused', problems);
}
