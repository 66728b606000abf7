import assert from 'node:assert/strict';
import { createCheckImage } from '../../../src/check-image.ts';
import { createDecisionLog } from '../../../src/record/decision-log.ts';
import type { Log } from '../../../src/record/logger.ts';
import { oracleDecide } from '../../decide/policy-oracle.ts';
import { quickPolicyOf, ANNOTATION, LIMITS } from '../../support/policy.ts';
import type { SpecText } from '../../decide/policy-oracle.ts';
import { readReviewText } from '../review-oracle.ts';
import { readOrRefuse } from '../text.ts';

const SPEC: SpecText = {
  breakGlass: { annotation: ANNOTATION, namespaces: ['prod-*'] },
  rules: [
    { name: 'trusted', require: { registries: ['docker.io', '*.a.com'], explicitRegistry: true } },
    { name: 'no-latest', forbid: { tags: ['latest'], images: ['docker.io/evil/**'] } },
    {
      name: 'pinned',
      match: { namespaces: ['prod-*'] },
      except: [{ images: ['docker.io/library/*:v*'] }],
      require: { digest: true },
    },
    { name: 'old-tags', mode: 'warn', forbid: { tags: ['v1*'] } },
  ],
};

const log: Log = {
  error: failIfLogged,
  warn: ignore,
  info: ignore,
  debug: ignore,
  often: ignore,
  writes: () => true,
};
const checkImage = createCheckImage({
  policy: () => POLICY,
  limits: LIMITS,
  inspector: {
    known: () => undefined,
    open: () => failIfLogged('expected no registry to be asked'),
  },
  record: createDecisionLog(log, 1),
  log,
  metrics: {
    decided: ignore,
    failed: ignore,
  },
  newId: () => 'the-id',
  now: () => 0,
});
const POLICY = quickPolicyOf(SPEC);

/** A body goes the whole way of a review, and is answered as the design, written out, decides it. */
export function fuzz(body: Uint8Array): void {
  const review = readReviewText(body);
  const answer = readOrRefuse('review-invalid', () => checkImage(body, 'api-server'));
  assert.ok(!(answer instanceof Promise), 'no rule asks a registry, and an answer is late');
  assert.equal(answer === undefined, review === undefined);
  if (answer === undefined || review === undefined) return;
  const { allowed, reason } = answer.status;
  assert.equal(allowed, review.images.length <= 1000 && oracleDecide(SPEC, review).allowed);
  assert.equal(reason === undefined, allowed);
  expectOnTheWire(answer.status);
}

/** What kube-apiserver would drop or a terminal obey is not among what is sent. */
function expectOnTheWire(status: Awaited<ReturnType<typeof checkImage>>['status']): void {
  const { reason = '', auditAnnotations } = status;
  assert.ok(Buffer.byteLength(reason) <= 1024, 'the reason is longer than 1 KiB');
  // Line breaks stand between the lines of the reason, and nowhere else.
  assert.doesNotMatch(reason.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u);
  for (const [key, value] of Object.entries(auditAnnotations)) {
    assert.match(key, /^[a-z-]{1,63}$/);
    assert.doesNotMatch(value, /[\p{C}\p{Zl}\p{Zp}]/u);
  }
}

/** The one thing that the way of a review logs as an error is a fault of ours. */
function failIfLogged(message: string, fields: object = {}): never {
  throw new Error(`${message}: ${JSON.stringify(fields)}`);
}

function ignore(): void {
  // A review of any kind may be logged.
}
