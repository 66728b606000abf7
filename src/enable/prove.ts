import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import type { DryRunAnswer } from '../kube/pods.ts';
import type { EnableOptions } from './options.ts';
import type { AskService, Cluster, SwitchPorts } from './ports.ts';
import type { PodQuestion } from './questions.ts';

/** RFC 2606: no registry will ever have this name. */
const NOWHERE = 'image-checker.invalid/probe';
export const PROBE_NAMESPACE = 'default';
const NAME = 'image-checker-probe';

/** What the plugin begins with when our service has said no; see docs on the wire. */
const BY_IMAGE_POLICY = 'image policy webhook backend denied one or more images';

/** Milliseconds for which a server that has just started may know less than it will. */
const PATIENCE = 20_000;
const INTERVAL = 1000;

interface Proving {
  readonly ask: AskService;
  readonly cluster: Cluster;
  readonly questions: readonly PodQuestion[];
}

/**
 * Has kube-apiserver refuse one pod and allow another, by dry runs: that it is up says nothing
 * about whether it asks our service, and is answered.
 *
 * @throws {ImageCheckerError} `enable-failed`
 */
export async function prove(
  proving: Proving,
  options: EnableOptions,
  ports: SwitchPorts,
): Promise<void> {
  const { cluster } = proving;
  const denied = options.probeDeny ?? (await findDenied(proving, ports));
  const allowed = options.probeAllow ?? (await findAllowed(proving, ports));
  if (denied !== undefined) await expectAnswer('refused', denied, cluster, ports);
  if (allowed !== undefined) await expectAnswer('allowed', allowed, cluster, ports);
}

/** The plugin is off: nothing is refused by it any more. @throws as `prove` */
export async function proveDisabled(cluster: Cluster, ports: SwitchPorts): Promise<void> {
  await expectAnswer('allowed', NOWHERE, cluster, ports);
}

async function findDenied({ ask }: Proving, ports: SwitchPorts): Promise<string | undefined> {
  if (!(await isAllowed(ask, NOWHERE))) return NOWHERE;
  const message = `not proven that a pod is refused: the rules allow ${NOWHERE}`;
  warn(ports, { message, hint: 'name an image that they refuse with --probe-deny' });
  return undefined;
}

/** Images that are asked about before it is given up. */
const MAX_TRIES = 50;

async function findAllowed(
  { ask, questions }: Proving,
  ports: SwitchPorts,
): Promise<string | undefined> {
  const images = new Set(questions.flatMap((question) => question.images));
  for (const image of [...images].slice(0, MAX_TRIES)) {
    if (await isAllowed(ask, image)) return image;
  }
  const message = `not proven that a pod is allowed: the rules allow none of the images that run now in the namespace ${PROBE_NAMESPACE}`;
  warn(ports, { message, hint: 'name an image that they allow with --probe-allow' });
  return undefined;
}

async function isAllowed(ask: AskService, image: string): Promise<boolean> {
  const question = {
    images: [image],
    annotations: new Map<string, string>(),
    namespace: PROBE_NAMESPACE,
  };
  try {
    return (await ask(question)).allowed;
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    const hint = 'it answered before kube-apiserver was restarted: see its log';
    const problems = thrown.problems.map((problem) => ({ hint, ...problem }));
    throw new ImageCheckerError('enable-failed', problems, { cause: thrown });
  }
}

/** What a dry run shows of the plugin. */
type Shown = 'refused' | 'allowed' | 'unclear';

function shownBy(answer: DryRunAnswer): Shown {
  if (answer.kind === 'accepted') return 'allowed';
  return answer.message.includes(BY_IMAGE_POLICY) ? 'refused' : 'unclear';
}

async function expectAnswer(
  expected: 'refused' | 'allowed',
  image: string,
  cluster: Cluster,
  ports: SwitchPorts,
): Promise<void> {
  const begin = ports.now();
  const pod = { name: NAME, namespace: PROBE_NAMESPACE, image };
  let got: Error | DryRunAnswer | undefined;
  do {
    if (got !== undefined) await ports.sleep(INTERVAL, ports.signal);
    got = await cluster.dryRun(pod, ports.signal).catch(asError);
    if (!(got instanceof Error) && shownBy(got) === expected) {
      ports.report({ kind: 'step', message: `proven: a pod with ${image} is ${expected}` });
      return;
    }
  } while (ports.now() - begin < PATIENCE);
  if (expected === 'allowed' && isOthersRefusal(got)) {
    const message = `not proven that a pod with ${image} is allowed: something else refuses it: ${got.message}`;
    warn(ports, { message });
    return;
  }
  throw failure(expected, image, got);
}

function asError(thrown: unknown): Error {
  if (thrown instanceof ImageCheckerError) return thrown;
  throw thrown as Error;
}

/** What quotas, pod security, webhooks and policies say, which come behind our plugin. */
const BY_OTHERS =
  /exceeded quota|failed quota|violates PodSecurity|admission webhook "|ValidatingAdmissionPolicy/;

/** Anything that is not known to be theirs may be a failure of the plugin to reach us. */
function isOthersRefusal(got: Error | DryRunAnswer): got is DryRunAnswer & { kind: 'refused' } {
  if (got instanceof Error || got.kind === 'accepted') return false;
  return got.status === 403 && shownBy(got) === 'unclear' && BY_OTHERS.test(got.message);
}

function failure(
  expected: 'refused' | 'allowed',
  image: string,
  got: Error | DryRunAnswer,
): ImageCheckerError {
  const told = 'message' in got ? got.message : 'it was accepted';
  const message = `expected a pod with ${image} to be ${expected} by kube-apiserver, got: ${told}`;
  const hint =
    expected === 'refused'
      ? 'kube-apiserver does not ask the service; is another admission configuration in use?'
      : 'does kube-apiserver reach the service at the address in the kubeconf?';
  return new ImageCheckerError('enable-failed', { message, hint });
}

function warn({ report }: SwitchPorts, problem: Problem): void {
  report({ kind: 'warning', problem });
}
