import { readAnswer } from '../ask/answer.ts';
import { probeAnswer } from '../ask/probe.ts';
import type { RawAnswer } from '../ask/probe.ts';
import { messageOf } from '../errors.ts';
import type { Live } from './live-checks.ts';

const NAMESPACE = 'kube-system';
/** Whatever the rules say of it: that there is a verdict is what counts. */
const ANY_IMAGE = 'registry.k8s.io/pause:3.9';
const ANONYMOUS_STATUS = [401, 403];

function questionOf(images: readonly string[]): Parameters<typeof probeAnswer>[2] {
  return { images, annotations: new Map<string, string>(), namespace: NAMESPACE };
}

/** Who has no certificate may learn nothing, and above all get no verdict. */
export async function checkAnonymous({ target, ports, findings }: Live): Promise<void> {
  const { href: file } = target.url;
  const question = questionOf([ANY_IMAGE]);
  const answer = await probeAnswer(target, undefined, question, ports.times.answer).catch(
    () => undefined,
  );
  if (answer === undefined || ANONYMOUS_STATUS.includes(answer.status)) {
    findings.ok('live-anonymous', 'refuses whoever has no certificate', file);
    return;
  }
  const message = `expected whoever has no certificate to be refused, got status ${answer.status}`;
  const hint = 'is it image-checker that listens there, or a proxy in front of it?';
  findings.fail('live-anonymous', { file, message, hint });
}

/** @returns whether it answers this client */
export async function checkClient(live: Live): Promise<boolean> {
  const { target, client, ports, findings } = live;
  const { href: file } = target.url;
  const begin = performance.now();
  let answer: RawAnswer;
  try {
    answer = await probeAnswer(target, client, questionOf([ANY_IMAGE]), ports.times.answer);
  } catch (thrown) {
    refusedClient(live, messageOf(thrown));
    return false;
  }
  if (ANONYMOUS_STATUS.includes(answer.status)) {
    refusedClient(live, `status ${answer.status}`);
    return false;
  }
  findings.ok('live-client', 'takes the client certificate of the kubeconf', file);
  checkTime(live, performance.now() - begin);
  checkClock(live, answer);
  return checkAnswer(live, answer);
}

function refusedClient({ target, findings }: Live, got: string): void {
  const message = `expected the client certificate of the kubeconf to be taken, got ${got}`;
  const hint =
    "its CA has to be tls.clientCA of the service's config.yaml, its name one of tls.allowedClients; the log of the service says which";
  findings.fail('live-client', { file: target.url.href, message, hint });
}

function checkTime({ target, ports, findings }: Live, milliseconds: number): void {
  const { href: file } = target.url;
  const { slow, answer } = ports.times;
  const time = `${Math.round(milliseconds)} ms`;
  if (milliseconds <= slow) {
    findings.ok('live-time', `answers in ${time}; kube-apiserver waits ${answer / 1000} s`, file);
    return;
  }
  const message = `expected an answer within ${slow / 1000} s, got one after ${time}`;
  const hint = `every pod waits for it, and kube-apiserver gives up after ${answer / 1000} s`;
  findings.warn('live-time', { file, message, hint });
}

/** Milliseconds: the Date header knows seconds, and certificates end to the minute. */
const MAX_SKEW = 60_000;

function checkClock({ target, ports, findings }: Live, { date }: RawAnswer): void {
  const { href: file } = target.url;
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return;
  const skew = Math.abs(theirs - ports.now().getTime());
  if (skew <= MAX_SKEW) {
    findings.ok('live-clock', 'its clock goes as the one here', file);
    return;
  }
  const message = `expected its clock to go as the one here, got ${Math.round(skew / 1000)} s of difference`;
  const hint = 'set both by NTP: certificates begin and end by them';
  findings.warn('live-clock', { file, message, hint });
}

function checkAnswer({ target, findings }: Live, { status, body }: RawAnswer): boolean {
  const { href: file } = target.url;
  try {
    readAnswer(status, body);
    findings.ok('live-answer', 'answers with an ImageReview', file);
    return true;
  } catch (thrown) {
    const message = `expected an ImageReview, got ${messageOf(thrown)}`;
    const hint = 'is it image-checker that listens there? Its log says more';
    findings.fail('live-answer', { file, message, hint });
    return false;
  }
}

/** Without these no pod gets a network or a name. */
export async function checkSystemPods(live: Live): Promise<void> {
  const { target, images, findings } = live;
  const { href: file } = target.url;
  for (const image of images) {
    const refusal = await refusalOf(image, live);
    if (refusal === undefined) continue;
    const message = `expected ${NAMESPACE}'s own images to be allowed, got ${image} denied: ${refusal}`;
    const hint = `let a rule cover it, or exempt it by except: { namespaces: [${NAMESPACE}] }`;
    findings.fail('live-kube-system', { file, message, hint });
  }
  if (images.length === 0) return;
  const message = `allows ${images.length} images of ${NAMESPACE}`;
  findings.okUnlessFound('live-kube-system', message, file);
}

async function refusalOf(
  image: string,
  { target, client, ports }: Live,
): Promise<string | undefined> {
  try {
    const answer = await probeAnswer(target, client, questionOf([image]), ports.times.answer);
    const { allowed, reason } = readAnswer(answer.status, answer.body);
    return allowed ? undefined : (reason?.split('\n')[0] ?? 'without a reason');
  } catch (thrown) {
    return messageOf(thrown);
  }
}
