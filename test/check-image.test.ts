import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createCheckImage } from '../src/check-image.ts';
import type { CheckImage, CheckImageDeps } from '../src/check-image.ts';
import type { Inspector } from '../src/decide/inspection.ts';
import { createDecisionLog } from '../src/record/decision-log.ts';
import type { Log, LogFields } from '../src/record/logger.ts';
import type { ImageReviewResponse } from '../src/respond/image-review-response.ts';
import type { Policy } from '../src/rules/policy.ts';
import { ANNOTATION, DIGEST, policyOf, problemsOf } from './support/policy.ts';
import { askingRegistry, inspectorBy } from './support/registry-rules.ts';

const HEAD = { apiVersion: 'imagepolicy.k8s.io/v1alpha1', kind: 'ImageReview' };

const POLICY = policyOf({
  breakGlass: { annotation: ANNOTATION, ticket: 'INC-[0-9]+' },
  rules: [
    {
      name: 'trusted-registries',
      require: { registries: ['docker.io'], explicitRegistry: true },
      message: 'not trusted image!',
    },
    { name: 'pinned', mode: 'warn', require: { digest: true } },
  ],
});

interface Harness {
  readonly ask: (body: unknown) => ImageReviewResponse;
  /** The same where an answer may come later. */
  readonly answer: (body: unknown) => ReturnType<CheckImage>;
  /** What happened, in order: the calls of what was given, and the lines of the log. */
  readonly events: string[];
  readonly lines: LogFields[];
}

function harness(given: Partial<CheckImageDeps> = {}): Harness {
  const events: string[] = [];
  const lines: LogFields[] = [];
  let time = 1000;
  let count = 0;
  const line =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      events.push(`log ${level}`);
      lines.push({ level, message, ...fields });
    };
  const log: Log = {
    error: line('error'),
    warn: line('warn'),
    info: line('info'),
    debug: line('debug'),
    often: (level, message, fields) => {
      line(level)(message, fields);
    },
    writes: () => true,
  };
  const checkImage = createCheckImage({
    policy: () => {
      events.push('policy');
      return POLICY;
    },
    limits: { containers: 10 },
    inspector: {
      known: () => thrower(new Error('expected no registry to be asked')),
      open: () => thrower(new Error('expected no registry to be asked')),
    },
    record: createDecisionLog(log, 1),
    log,
    metrics: {
      decided: ({ allowed }) => {
        events.push(`count ${allowed ? 'allowed' : 'denied'}`);
      },
      failed: () => {
        events.push('count failure');
      },
    },
    newId: () => {
      events.push('id');
      return `id-${++count}`;
    },
    now: () => (time += 1.23456),
    ...given,
  });
  const answer = (body: unknown) => checkImage(Buffer.from(toText(body)), 'api-server');
  return {
    answer,
    ask: (body) => {
      const response = answer(body);
      if (response instanceof Promise) throw new Error('expected an answer at once');
      return response;
    },
    events,
    lines,
  };
}

function toText(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function review(...images: readonly string[]): object {
  const containers = images.map((image) => ({ image }));
  return { ...HEAD, spec: { containers, namespace: 'default' } };
}

const ALWAYS = { policy: `test-policy@${POLICY.hash}` };

describe('checking the images of a review', () => {
  it('allows, and records it', () => {
    const { ask, lines } = harness();
    const body = review(`docker.io/nginx@${DIGEST}`);
    expect(ask(body)).toEqual({
      ...body,
      status: { allowed: true, auditAnnotations: { ...ALWAYS, 'decision-id': 'id-1' } },
    });
    expect(lines).toEqual([
      {
        level: 'info',
        message: 'image review decided',
        decisionId: 'id-1',
        verdict: 'allowed',
        namespace: 'default',
        images: [`docker.io/nginx@${DIGEST}`],
        violations: [],
        policy: ALWAYS.policy,
        client: 'api-server',
        durationMs: 1.235,
      },
    ]);
  });

  it('denies with the same decision id in reason, annotation and log', () => {
    const { ask, lines } = harness();
    const body = review('nginx');
    expect(ask(body)).toEqual({
      ...body,
      status: {
        allowed: false,
        reason:
          'nginx: the registry is not written out, write docker.io/nginx (rule trusted-registries): not trusted image!\n' +
          'decision id-1',
        auditAnnotations: {
          ...ALWAYS,
          'decision-id': 'id-1',
          'violated-rules': 'trusted-registries',
          'warned-rules': 'pinned',
        },
      },
    });
    expect(lines).toMatchObject([{ level: 'warn', verdict: 'denied', decisionId: 'id-1' }]);
  });

  it.each([
    ['an image that cannot be parsed', 'Nginx:::'],
    ['an empty image', ''],
    ['a local id', 'sha256:abc'],
    ['an image of several lines', 'docker.io/nginx\n'],
  ])('denies %s, and does not fail', (_title, image) => {
    expect(harness().ask(review(image)).status.allowed).toBe(false);
  });

  it('denies a review without containers', () => {
    expect(harness().ask({ ...HEAD, spec: {} }).status).toMatchObject({
      allowed: false,
      reason: 'review: the review names no containers (emptyReviews: deny)\ndecision id-1',
    });
  });

  it('denies a review with more containers than are looked at', () => {
    const images = Array.from({ length: 11 }, (_, at) => `docker.io/x${at}`);
    expect(harness().ask(review(...images)).status.allowed).toBe(false);
    expect(harness().ask(review(...images.slice(1))).status.allowed).toBe(true);
  });

  it.each([
    ['INC-1', true],
    ['INC-', false],
    ['', false],
  ])('with the ticket %j of break-glass: allowed is %s', (ticket, allowed) => {
    const body = {
      ...HEAD,
      spec: { containers: [{ image: 'nginx' }], annotations: { [ANNOTATION]: ticket } },
    };
    const { status } = harness().ask(body);
    expect(status.allowed).toBe(allowed);
    expect(status.auditAnnotations['break-glass']).toBe(allowed ? ticket : undefined);
  });

  it('sends the spec back as it came, whatever is in it', () => {
    const spec =
      '{"containers":[{"image":"nginx","__proto__":{"x":1}}],' +
      '"annotations":{"__proto__":"a","constructor":"b"},"namespace":"default","new":[{"a":null}]}';
    const body = `{"kind":"ImageReview","apiVersion":"${HEAD.apiVersion}","spec":${spec}}`;
    expect(JSON.stringify(harness().ask(body).spec)).toBe(spec);
  });

  it('asks once for an id and once for the policy, and records last', () => {
    const { ask, events } = harness();
    ask(review('nginx', 'redis'));
    expect(events).toEqual(['id', 'policy', 'count denied', 'log warn']);
  });

  it('holds each review against the policy in force', () => {
    const open = policyOf({ unmatchedImages: 'allow', rules: [] });
    const policies = [POLICY, open];
    const { ask } = harness({ policy: () => policies.shift() ?? open });
    expect(ask(review('nginx')).status.allowed).toBe(false);
    expect(ask(review('nginx')).status).toEqual({
      allowed: true,
      auditAnnotations: { 'decision-id': 'id-2', policy: `test-policy@${open.hash}` },
    });
  });
});

describe('a policy whose evaluation throws', () => {
  const broken: Policy = {
    ...POLICY,
    candidates: () => {
      throw new Error('secret detail');
    },
  };

  it('gives a denial, with the fault in the log alone', () => {
    const { ask, lines } = harness({ policy: () => broken });
    expect(ask(review(`docker.io/nginx@${DIGEST}`)).status).toEqual({
      allowed: false,
      reason: 'review: image-checker failed to decide, see its log\ndecision id-1',
      auditAnnotations: { ...ALWAYS, 'decision-id': 'id-1' },
    });
    expect(lines).toMatchObject([
      { level: 'error', error: 'secret detail' },
      { level: 'warn', verdict: 'denied', decisionId: 'id-1' },
    ]);
  });

  it('gives a denial under break-glass, too', () => {
    const annotations = { [ANNOTATION]: 'INC-1' };
    const body = { ...HEAD, spec: { containers: [{ image: 'nginx' }], annotations } };
    expect(harness({ policy: () => broken }).ask(body).status.allowed).toBe(false);
  });

  it.each([
    [
      'break-glass',
      {
        breakGlass: {
          annotation: ANNOTATION,
          namespaces: undefined,
          ticket: { source: 'x', matches: thrower },
        },
      },
    ],
    ['a thing that is no error', { candidates: () => thrower('text') }],
  ])('gives a denial wherever it throws: %s', (_title, given) => {
    const policy = { ...POLICY, ...given };
    const annotations = { [ANNOTATION]: 'INC-1' };
    const body = { ...HEAD, spec: { containers: [{ image: 'docker.io/x' }], annotations } };
    expect(harness({ policy: () => policy }).ask(body).status.allowed).toBe(false);
  });
});

describe('a review about which a registry is asked', () => {
  const asking = askingRegistry(
    policyOf({ rules: [{ name: 'signed', match: { images: ['**'] } }] }),
    {
      signed: 'deny',
    },
  );

  function askLater(given: Partial<CheckImageDeps>, ...images: readonly string[]) {
    const { answer, events, lines } = harness({ policy: () => asking, ...given });
    return { response: answer(review(...images)), events, lines };
  }

  it('is answered later, and recorded with how long it took', async () => {
    const inspector = inspectorBy(() => ({ outcome: 'passed', digest: DIGEST }));
    const { response, events, lines } = askLater({ inspector }, 'nginx:1');
    expect(events).toEqual(['id']);
    expect((await response).status).toMatchObject({
      allowed: true,
      auditAnnotations: { 'judged-digests': `docker.io/library/nginx:1@${DIGEST}` },
    });
    expect(lines).toMatchObject([{ level: 'info', verdict: 'allowed', durationMs: 1.235 }]);
  });

  it.each<[string, Inspector, string]>([
    [
      'what the registry holds',
      inspectorBy(() => ({ outcome: 'refused', digest: DIGEST, reasons: ['no signature'] })),
      'nginx: no signature (rule signed)',
    ],
    [
      'a registry that gives no answer',
      inspectorBy(() => ({ outcome: 'unchecked', digest: undefined, why: 'status 503' })),
      'nginx: could not check: status 503 (rule signed)',
    ],
    [
      'a fault of ours',
      { known: () => undefined, open: () => thrower(new Error('secret detail')) },
      'review: image-checker failed to decide, see its log',
    ],
  ])('is denied for %s', async (_title, inspector, reason) => {
    const { response, lines } = askLater({ inspector }, 'nginx');
    expect((await response).status).toMatchObject({
      allowed: false,
      reason: `${reason}\ndecision id-1`,
    });
    expect(lines.at(-1)).toMatchObject({ level: 'warn', verdict: 'denied', decisionId: 'id-1' });
  });

  it('is answered at once where it is denied anyway', () => {
    const inspector = inspectorBy(() => ({ outcome: 'passed', digest: DIGEST }));
    const { response } = askLater({ inspector }, 'Nginx:::', 'nginx');
    expect(response).not.toBeInstanceOf(Promise);
    expect(inspector.asked).toEqual([]);
  });
});

function thrower(what: unknown): never {
  throw what;
}

describe('a body that is no review', () => {
  const good = { containers: [{ image: 'docker.io/nginx' }], namespace: 'default' };
  const bodies: readonly (readonly [title: string, body: unknown])[] = [
    ['nothing', ''],
    ['no JSON', 'x'],
    ['an array', []],
    ['null', 'null'],
    ['another kind', { ...HEAD, kind: 'AdmissionReview', spec: good }],
    ['another apiVersion', { ...HEAD, apiVersion: 'imagepolicy.k8s.io/v1', spec: good }],
    ['no spec', HEAD],
    ['a spec that is null', { ...HEAD, spec: null }],
    ...[null, {}, 'x', 1, true].map(
      (containers) =>
        [`containers ${JSON.stringify(containers)}`, withSpec({ containers })] as const,
    ),
    ...[null, [], 'x', 1, true].map(
      (container) =>
        [
          `a container ${JSON.stringify(container)}`,
          withSpec({ containers: [container] }),
        ] as const,
    ),
    ...[[], {}, 1, 0, true, false].map(
      (image) =>
        [`an image ${JSON.stringify(image)}`, withSpec({ containers: [{ image }] })] as const,
    ),
    ...[null, [], 'x', 1, false].map(
      (annotations) =>
        [`annotations ${JSON.stringify(annotations)}`, withSpec({ annotations })] as const,
    ),
    ...[null, [], {}, 1, false].map(
      (value) =>
        [
          `an annotation ${JSON.stringify(value)}`,
          withSpec({ annotations: { k: value } }),
        ] as const,
    ),
    ...[null, [], {}, 1, false].map(
      (namespace) => [`a namespace ${JSON.stringify(namespace)}`, withSpec({ namespace })] as const,
    ),
  ];

  function withSpec(spec: object): object {
    return { ...HEAD, spec: { ...good, ...spec } };
  }

  it.each(bodies)('is an error of the caller, without a decision: %s', (_title, body) => {
    const { ask, events } = harness();
    const [problem] = problemsOf('review-invalid', () => ask(body));
    expect(problem?.message).toMatch(/^expected /);
    expect(events).toEqual([]);
  });

  it.each(bodies)('is one under the loosest policy: %s', (_title, body) => {
    const policy = policyOf({ unmatchedImages: 'allow', emptyReviews: 'allow', rules: [] });
    const { ask } = harness({ policy: () => policy });
    expect(problemsOf('review-invalid', () => ask(body))).toHaveLength(1);
  });
});

describe('the recorded image strings', () => {
  const fixture = new URL('fixtures/image-references.jsonl', import.meta.url);
  const rows = readFileSync(fixture, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { input: string; ok: boolean; registry?: string });
  const open = policyOf({ unmatchedImages: 'allow', rules: [] });

  it('are allowed by the loosest policy only where a node reads them as a name', () => {
    const { ask } = harness({ policy: () => open });
    for (const { input, ok, registry } of rows) {
      const readable = ok && registry !== '' && !/^sha(256|384|512):[0-9a-fA-F]*$/.test(input);
      expect({ input, ...ask(review(input)).status }).toMatchObject({ input, allowed: readable });
    }
  });

  it('are each answered with a reason of 1 KiB at most that ends in the decision id', () => {
    const { ask } = harness();
    for (const { input } of rows) {
      const { allowed, reason = '' } = ask(review(input)).status;
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(1024);
      expect(allowed || /\ndecision id-\d+$/.test(reason)).toBe(true);
    }
  });
});
