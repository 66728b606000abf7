import { describe, expect, it } from '@jest/globals';
import type { Inspection, OpenCheck } from '../../src/decide/inspection.ts';
import { ImageCheckerError } from '../../src/errors.ts';
import { parseImageReference } from '../../src/parse/image-reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { RegistryRequirement } from '../../src/rules/registry-requirement.ts';
import { createInspector } from '../../src/verify/inspector.ts';
import type { InspectorDeps } from '../../src/verify/inspector.ts';
import type { ResolvedImage, VerifyContext } from '../../src/verify/resolved-image.ts';
import { verifyImage } from '../../src/verify/verify-image.ts';
import { newMemoryRegistry, pushImage } from '../support/memory-registry.ts';
import { policyOf } from '../support/policy.ts';
import { requirementOf } from '../support/registry-rules.ts';

const [RULE] = policyOf({ rules: [{ name: 'signed', match: { images: ['**'] } }] }).candidates(
  referenceOf('a.com/x'),
  'default',
);

function referenceOf(image: string) {
  const parsed = parseImageReference(image);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.reference;
}

function checkOf(image: string, given: Partial<RegistryRequirement> = {}): OpenCheck {
  if (RULE === undefined) throw new Error('expected a rule');
  return { image, reference: referenceOf(image), rule: RULE, requirement: requirementOf(given) };
}

/** What an image is held against in place of real signatures. */
type Verify = (
  image: ResolvedImage,
  context: VerifyContext,
) => readonly string[] | Promise<readonly string[]>;

/** An inspector over a registry with `a.com/x:v1`, and what happened in it. */
async function scene(verify: Verify, given: Partial<InspectorDeps> = {}) {
  const registry = newMemoryRegistry();
  const { digest } = await pushImage(registry, 'a.com/x');
  const manifest: Registry['manifest'] = (...asked) =>
    asked[1] === 'hangs' ? new Promise(() => undefined) : registry.manifest(...asked);
  registry.requests.length = 0;
  const clock = { now: 1_000_000 };
  const sources: string[] = [];
  const verified: string[] = [];
  const failures: unknown[] = [];
  const inspector = createInspector({
    registry: { ...registry, manifest },
    verifyImage: async (image, _requirement, context) => {
      verified.push(image.reference.normalized);
      return verify(image, context);
    },
    cache: { positive: 600_000, negative: 30_000, bytes: 1_000_000 },
    isNamed: () => true,
    reviewDeadline: 10_000,
    mostWaiting: 1000,
    now: () => clock.now,
    answeredBy: (source) => sources.push(source),
    failed: (thrown) => failures.push(thrown),
    ...given,
  });
  /** One review, of one or more checks. */
  const review = async (...checks: readonly OpenCheck[]): Promise<readonly Inspection[]> => {
    const session = inspector.open();
    try {
      return await Promise.all(checks.map((check) => session.inspect(check)));
    } finally {
      session.close();
    }
  };
  return { inspector, registry, digest, clock, sources, verified, failures, review };
}

const unavailable = new ImageCheckerError('registry-unavailable', { message: 'status 503' });
const limited = (message: string): Error => new ImageCheckerError('registry-limited', { message });
const passes: Verify = () => [];
/** Asks a registry that does not answer. */
function hang({ reference }: ResolvedImage, { registry, signal }: VerifyContext): Promise<never> {
  return registry.manifest(reference, 'hangs', signal) as Promise<never>;
}
const never: Verify = (image, context) =>
  new Promise((_resolve, reject) => {
    const { signal } = context;
    void hang(image, context);
    const end = (): void => {
      reject(unavailable);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });

describe('an inspector', () => {
  it('resolves a tag, and says which digest it judged', async () => {
    const { review, registry, digest } = await scene(passes);
    expect(await review(checkOf('a.com/x:v1'))).toEqual([{ outcome: 'passed', digest }]);
    expect(registry.requests).toEqual(['manifest v1']);
  });

  it('judges the digest that is written, and asks no tag', async () => {
    const { review, registry, digest } = await scene(passes);
    const result = await review(checkOf(`a.com/x:v9@${digest}`));
    expect(result).toEqual([{ outcome: 'passed', digest }]);
    expect(registry.requests).toEqual([`manifest ${digest}`]);
  });

  it('refuses with all that is wrong', async () => {
    const { review, digest } = await scene(() => ['one', 'two']);
    const reasons = ['one', 'two'];
    expect(await review(checkOf('a.com/x:v1'))).toEqual([{ outcome: 'refused', digest, reasons }]);
  });

  it.each(['a.com/x:v2', 'a.com/y:v1', `a.com/x@sha256:${'0'.repeat(64)}`])(
    'refuses %s, which is not in its registry',
    async (image) => {
      const { review, verified } = await scene(passes);
      expect(await review(checkOf(image))).toMatchObject([
        {
          outcome: 'refused',
          reasons: [
            'expected the image in its registry, got none there (or none that may be read)',
          ],
        },
      ]);
      expect(verified).toEqual([]);
    },
  );

  it('speaks of one digest in all checks of a review, though the tag moves meanwhile', async () => {
    const { inspector, registry, digest } = await scene(passes);
    const session = inspector.open();
    const first = await session.inspect(checkOf('a.com/x:v1'));
    const other = await pushImage(registry, 'a.com/x', 'another');
    const second = await session.inspect(checkOf('a.com/x:v1', { hash: 'other' }));
    session.close();
    expect(other.digest).not.toBe(digest);
    expect([first, second]).toEqual([
      { outcome: 'passed', digest },
      { outcome: 'passed', digest },
    ]);
    const later = inspector.open();
    expect(await later.inspect(checkOf('a.com/x:v1'))).toMatchObject({ digest: other.digest });
    later.close();
  });

  it('says that nothing is known when the tag cannot be resolved', async () => {
    const { review, registry } = await scene(passes);
    registry.fail('v1');
    expect(await review(checkOf('a.com/x:v1'), checkOf('a.com/x:v1'))).toEqual([
      { outcome: 'unchecked', digest: undefined, why: 'no v1' },
      { outcome: 'unchecked', digest: undefined, why: 'no v1' },
    ]);
    expect(registry.requests).toEqual(['manifest v1']);
  });

  it.each<[string, Error, object]>([
    ['nothing known', unavailable, { outcome: 'unchecked', why: 'status 503' }],
    [
      'a limit of ours',
      new ImageCheckerError('registry-limited', { message: 'too large' }),
      { outcome: 'refused', reasons: ['too large'] },
    ],
    [
      'evidence',
      new ImageCheckerError('registry-corrupt', { message: 'other bytes' }),
      { outcome: 'refused', reasons: ['other bytes'] },
    ],
  ])('takes what a check throws for %s', async (_title, thrown, expected) => {
    const { review, digest, failures } = await scene(() => Promise.reject(thrown));
    expect(await review(checkOf('a.com/x:v1'))).toEqual([{ ...expected, digest }]);
    expect(failures).toEqual([]);
  });

  it('passes a fault of its own on, and tells of it', async () => {
    const fault = new TypeError('x is not a function');
    const { review, failures } = await scene(() => Promise.reject(fault));
    await expect(review(checkOf('a.com/x:v1'))).rejects.toBe(fault);
    expect(failures).toEqual([fault]);
  });
});

describe('the time of a review', () => {
  it('ends, and what is asked by then is unchecked, with what it was waiting for', async () => {
    const { review, digest } = await scene(never, { reviewDeadline: 20 });
    const why = 'status 503';
    expect(await review(checkOf('a.com/x:v1'))).toEqual([{ outcome: 'unchecked', digest, why }]);
  });

  it('ends for whoever waits, though a check takes no notice', async () => {
    const { inspector } = await scene(() => new Promise(() => undefined), { reviewDeadline: 20 });
    const session = inspector.open();
    void session.inspect(checkOf('a.com/x:v1'));
    await new Promise((resolve) => {
      session.signal.addEventListener('abort', resolve);
    });
    expect(session.signal.reason).toEqual(new Error('no answer from the registry within 0.02 s'));
  });

  it('ends when the service stops, for all reviews under way and any that come', async () => {
    const { inspector } = await scene(never);
    const before = inspector.open();
    const inspected = before.inspect(checkOf('a.com/x:v1'));
    inspector.stop();
    const after = inspector.open();
    expect([before.signal.reason, after.signal.reason]).toEqual(
      Array(2).fill(limited('the service is stopping, try again')),
    );
    const reasons = ['the service is stopping, try again'];
    const late = await after.inspect(checkOf('a.com/x:v1'));
    expect([await inspected, late]).toMatchObject(Array(2).fill({ outcome: 'refused', reasons }));
  });

  it('ends for one review without ending for another that waits for the same', async () => {
    const held: ((refusals: string[]) => void)[] = [];
    const { inspector, digest, verified } = await scene((...asked) =>
      Promise.race([hang(...asked), new Promise<string[]>((resolve) => held.push(resolve))]),
    );
    const image = `a.com/x@${digest}`;
    const [hasty, patient] = [inspector.open(), inspector.open()];
    const hastily = hasty.inspect(checkOf(image));
    const patiently = patient.inspect(checkOf(image));
    await new Promise(setImmediate);
    hasty.close();
    expect(await hastily).toMatchObject({ outcome: 'unchecked' });
    for (const resolve of held) resolve([]);
    expect(await patiently).toEqual({ outcome: 'passed', digest });
    patient.close();
    expect(verified).toHaveLength(1);
  });

  it.each<[string, Verify]>([
    ['that says so', never],
    ['that takes no notice', hang],
  ])('is not cut short by that of a review that came earlier, %s', async (_what, first) => {
    const answers: Verify[] = [first, passes];
    const verify: Verify = (...given) => (answers.shift() ?? passes)(...given);
    const { inspector, digest, verified } = await scene(verify, { reviewDeadline: 1000 });
    const check = checkOf(`a.com/x@${digest}`);
    const earlier = inspector.open();
    const inspected = earlier.inspect(check);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const later = inspector.open();
    const joined = later.inspect(check);
    expect(await inspected).toMatchObject({ outcome: 'unchecked' });
    expect(await joined).toEqual({ outcome: 'passed', digest });
    expect(verified).toHaveLength(2);
    for (const session of [earlier, later]) session.close();
  });

  it.each<[string, Verify, Inspection['outcome']]>([
    ['is the registry’s fault where it has not answered', hang, 'unchecked'],
    ['is ours where it has, and nothing excuses it', () => new Promise(() => undefined), 'refused'],
  ])('%s, whoever else waits for the same', async (_what, verify, outcome) => {
    const { inspector, digest } = await scene(verify, { reviewDeadline: 100 });
    const check = checkOf(`a.com/x@${digest}`);
    const sessions = [inspector.open(), inspector.open()];
    const inspected = await Promise.all(sessions.map((session) => session.inspect(check)));
    expect(inspected).toMatchObject([{ outcome }, { outcome }]);
    for (const session of sessions) session.close();
  });

  it('takes a verification with it that nobody waits for any more', async () => {
    let aborted = 0;
    const { inspector, digest } = await scene((image, context) => {
      context.signal.addEventListener('abort', () => aborted++);
      return never(image, context);
    });
    const sessions = [inspector.open(), inspector.open()];
    const all = sessions.map((session) => session.inspect(checkOf(`a.com/x@${digest}`)));
    await new Promise(setImmediate);
    for (const session of sessions) session.close();
    expect(await Promise.all(all)).toMatchObject(Array(2).fill({ outcome: 'unchecked' }));
    expect(aborted).toBe(1);
  });
});

describe('what is known of an image', () => {
  it('is not asked again: neither a verification nor, for a digest, any request', async () => {
    const { review, digest, verified, registry, sources } = await scene(passes);
    const check = checkOf(`a.com/x@${digest}`);
    const first = await review(check);
    registry.requests.length = 0;
    expect(await review(check)).toEqual(first);
    expect(verified).toHaveLength(1);
    expect(registry.requests).toEqual([]);
    expect(sources).toEqual(['verification', 'cache']);
  });

  it('is told without a review, of a digest', async () => {
    const { inspector, review, digest } = await scene(passes);
    const check = checkOf(`a.com/x:v1@${digest}`);
    expect(inspector.known(check)).toBeUndefined();
    await review(check);
    expect(inspector.known(check)).toEqual({ outcome: 'passed', digest });
    expect(inspector.known(checkOf('a.com/x:v1'))).toBeUndefined();
    expect(
      inspector.known(checkOf(`a.com/x:v1@${digest}`, { digestMatchesTag: true })),
    ).toBeUndefined();
  });

  it('holds for every tag of the digest, and where a tag points is asked each time', async () => {
    const { review, digest, verified, registry } = await scene(passes);
    await review(checkOf(`a.com/x:v7@${digest}`));
    registry.requests.length = 0;
    await review(checkOf('a.com/x:v1'));
    await review(checkOf('a.com/x:v1'));
    expect(verified).toEqual([`a.com/x@${digest}`]);
    expect(registry.requests).toEqual(['manifest v1', 'manifest v1']);
  });

  it.each<[string, string, Partial<RegistryRequirement>]>([
    ['repository', 'a.com/y', {}],
    ['registry', 'b.com/x', {}],
    ['requirement', 'a.com/x', { hash: '1'.repeat(64) }],
  ])('says nothing of another %s', async (_title, repository, given) => {
    const { review, digest, verified, registry } = await scene(passes);
    await pushImage(registry, repository);
    await review(checkOf(`a.com/x@${digest}`));
    await review(checkOf(`${repository}@${digest}`, given));
    expect(verified).toEqual([`a.com/x@${digest}`, `${repository}@${digest}`]);
  });

  it.each<[string, readonly string[], number]>([
    ['passed', [], 600_000],
    ['was refused', ['no'], 30_000],
  ])('when it %s, is forgotten after its time', async (_title, refusals, lifetime) => {
    const { review, clock, digest, verified } = await scene(() => refusals);
    const check = checkOf(`a.com/x@${digest}`);
    for (const [passed, count] of [
      [0, 1],
      [lifetime - 1, 1],
      [1, 2],
    ] as const) {
      clock.now += passed;
      await review(check);
      expect(verified).toHaveLength(count);
    }
  });

  it('is nothing when it could not be checked', async () => {
    const answers: Verify[] = [() => Promise.reject(unavailable), passes];
    const { review, digest } = await scene((...given) => (answers.shift() ?? passes)(...given));
    const check = checkOf(`a.com/x@${digest}`);
    expect(await review(check)).toMatchObject([{ outcome: 'unchecked' }]);
    expect(await review(check)).toMatchObject([{ outcome: 'passed' }]);
  });

  it('is nothing when the clock has been put back', async () => {
    const { review, clock, digest, verified } = await scene(passes);
    await review(checkOf(`a.com/x@${digest}`));
    clock.now -= 1;
    await review(checkOf(`a.com/x@${digest}`));
    expect(verified).toHaveLength(2);
  });

  it.each([
    ['bytes', { positive: 600_000, negative: 30_000, bytes: 0 }],
    ['time', { positive: 0, negative: 0, bytes: 1_000_000 }],
  ])('is nothing where there is no %s to keep it', async (_title, cache) => {
    const { review, digest, verified } = await scene(passes, { cache });
    await review(checkOf(`a.com/x@${digest}`));
    await review(checkOf(`a.com/x@${digest}`));
    expect(verified).toHaveLength(2);
  });

  it('gives way to newer things when there is much of it', async () => {
    const cache = { positive: 600_000, negative: 30_000, bytes: 2_000 };
    const { review, digest, verified } = await scene(passes, { cache });
    const hashes = ['a', 'b', 'c', 'd', 'e', 'f', 'a', 'f'];
    for (const hash of hashes) await review(checkOf(`a.com/x@${digest}`, { hash }));
    // The last one alone is still known.
    expect(verified).toHaveLength(7);
  });
});

describe('what passes for a time', () => {
  const required = { maxAge: 1 };

  it.each([
    ['is remembered when it will still pass at the end of the time', 600_000, 1],
    ['is not remembered when it will not', 599_999, 2],
  ])('%s', async (_title, passesFor, count) => {
    const from = 1_000_000;
    const verify: Verify = (_image, { now }) => (now() <= from + passesFor ? [] : ['too old']);
    const { review, digest, sources } = await scene(verify);
    await review(checkOf(`a.com/x@${digest}`, required));
    await review(checkOf(`a.com/x@${digest}`, required));
    expect(sources.filter((source) => source === 'verification')).toHaveLength(count);
  });

  it('is held against its future without asking the registry again', async () => {
    const { review, digest, registry } = await scene(async ({ reference }, context) => {
      const manifest = await context.registry.manifest(reference, digest, context.signal);
      return manifest === undefined ? ['gone'] : [];
    });
    await review(checkOf(`a.com/x@${digest}`, required));
    expect(registry.requests).toEqual([`manifest ${digest}`]);
  });

  it('is not remembered when its future would have to be asked for', async () => {
    let asked = 0;
    const { review, digest, verified } = await scene(async ({ reference }, context) => {
      await context.registry.manifest(reference, `v${++asked}`, context.signal);
      return [];
    });
    await review(checkOf(`a.com/x@${digest}`, required));
    await review(checkOf(`a.com/x@${digest}`, required));
    expect(verified).toHaveLength(4);
  });

  it('is refused by a fault that only its future shows, and that is told', async () => {
    const fault = new TypeError('x is not a function');
    const verify: Verify = (_image, { now }) => (now() > 1_000_000 ? Promise.reject(fault) : []);
    const { review, digest, failures } = await scene(verify);
    await expect(review(checkOf(`a.com/x@${digest}`, required))).rejects.toBe(fault);
    expect(failures).toEqual([fault]);
  });

  it.each(['registry-corrupt', 'registry-limited'] as const)(
    'is not remembered where its future says %s',
    async (code) => {
      const thrown = new ImageCheckerError(code, { message: 'x' });
      const verify: Verify = (_image, { now }) => (now() > 1_000_000 ? Promise.reject(thrown) : []);
      const { review, digest, sources } = await scene(verify);
      const check = checkOf(`a.com/x@${digest}`, required);
      for (const inspections of [await review(check), await review(check)]) {
        expect(inspections).toEqual([{ outcome: 'passed', digest }]);
      }
      expect(sources).toEqual(['verification', 'verification']);
    },
  );

  it('is an image that is young enough', async () => {
    const registry = newMemoryRegistry();
    const created = '1970-01-01T00:10:00Z';
    const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', created }));
    const mediaType = 'application/vnd.oci.image.config.v1+json';
    const digest = registry.putManifest('a.com/x', {
      schemaVersion: 2,
      config: { mediaType, ...registry.putBlob('a.com/x', config) },
      layers: [],
    });
    const { review, clock } = await scene(passes, { registry, verifyImage });
    const check = checkOf(`a.com/x@${digest}`, required);
    const day = 24 * 60 * 60 * 1000;
    const outcomes: string[] = [];
    for (const now of [1_000_000, 600_000 + day, 600_001 + day]) {
      clock.now = now;
      outcomes.push(...(await review(check)).map(({ outcome }) => outcome));
    }
    expect(outcomes).toEqual(['passed', 'passed', 'refused']);
  });
});

describe('a burst of reviews', () => {
  it('has some wait and no more, whether or not something is known of the image', async () => {
    const { inspector, digest } = await scene(passes, { mostWaiting: 2 });
    const sessions = Array.from({ length: 3 }, () => inspector.open());
    const reasons = sessions.map(({ signal }) => signal.reason as unknown);
    const tooMany = limited('more than 2 reviews wait for registries, try again');
    expect(reasons).toEqual([undefined, undefined, tooMany]);
    const refused = await sessions[2]?.inspect(checkOf(`a.com/x@${digest}`));
    expect(refused).toMatchObject({ outcome: 'refused', reasons: [tooMany.message] });
    for (const session of sessions) session.close();
    const session = inspector.open();
    expect(await session.inspect(checkOf(`a.com/x@${digest}`))).toMatchObject({ digest });
    session.close();
  });

  it('of 200 about 50 images causes 50 verifications', async () => {
    const { review, registry, verified, sources } = await scene(async () => {
      await new Promise(setImmediate);
      return [];
    });
    const pushed = Array.from({ length: 50 }, (_, at) => pushImage(registry, `a.com/x${at}`));
    const digests = (await Promise.all(pushed)).map(({ digest }) => digest);
    const images = digests.map((digest, at) => `a.com/x${at}@${digest}`);
    const reviews = Array.from({ length: 200 }, (_, at) => review(checkOf(images[at % 50] ?? '')));
    const results = (await Promise.all(reviews)).flat();
    expect(results.every(({ outcome }) => outcome === 'passed')).toBe(true);
    expect(verified).toHaveLength(50);
    expect(sources.filter((source) => source === 'verification')).toHaveLength(50);
  });

  it('about one registry leaves room for another', async () => {
    let running = 0;
    const most = new Map<string, number>();
    const { inspector, registry } = await scene(async ({ reference }, context) => {
      running++;
      most.set(reference.registry, Math.max(most.get(reference.registry) ?? 0, running));
      return reference.registry === 'a.com' ? never({ reference } as ResolvedImage, context) : [];
    });
    const session = inspector.open();
    const hanging: Promise<Inspection>[] = [];
    for (let at = 0; at < 50; at++) {
      const { digest } = await pushImage(registry, `a.com/x${at}`);
      hanging.push(session.inspect(checkOf(`a.com/x${at}@${digest}`)));
    }
    const { digest } = await pushImage(registry, 'b.com/x');
    const other = inspector.open();
    const result = await other.inspect(checkOf(`b.com/x@${digest}`));
    expect(result).toEqual({ outcome: 'passed', digest });
    expect(most.get('a.com')).toBe(8);
    session.close();
    const outcomes = (await Promise.all(hanging)).map(({ outcome }) => outcome);
    // What never had its turn is not the registry's silence.
    expect(outcomes).toEqual([
      ...Array<string>(8).fill('unchecked'),
      ...Array<string>(42).fill('refused'),
    ]);
  });

  it('about registries that nobody named leaves room for one that is named', async () => {
    let running = 0;
    const verify: Verify = (image, context) => {
      if (image.reference.registry === 'named.com') return [];
      running++;
      return never(image, context);
    };
    const isNamed = (registry: string): boolean => registry === 'named.com';
    const { inspector, registry } = await scene(verify, { isNamed });
    const checkPushed = async (repository: string): Promise<OpenCheck> => {
      const { digest } = await pushImage(registry, repository);
      return checkOf(`${repository}@${digest}`);
    };
    const session = inspector.open();
    const hanging: Promise<Inspection>[] = [];
    for (let at = 0; at < 80; at++) {
      hanging.push(session.inspect(await checkPushed(`${at % 5}.com/x${at}`)));
    }
    const other = inspector.open();
    expect(await other.inspect(await checkPushed('named.com/x'))).toMatchObject({
      outcome: 'passed',
    });
    expect(running).toBe(16);
    const late = other.inspect(await checkPushed('other.com/x'));
    for (const each of [session, other]) each.close();
    expect(await late).toMatchObject({ outcome: 'refused' });
    await Promise.all(hanging);
  });

  it('refuses what has no turn before the deadline, whoever else waits for the same', async () => {
    const { inspector, registry } = await scene(never);
    const hanging = inspector.open();
    for (let at = 0; at < 8; at++) {
      const { digest } = await pushImage(registry, `a.com/x${at}`);
      void hanging.inspect(checkOf(`a.com/x${at}@${digest}`));
    }
    const { digest } = await pushImage(registry, 'a.com/y');
    const [hasty, patient] = [inspector.open(), inspector.open()];
    const all = [hasty, patient].map((each) => each.inspect(checkOf(`a.com/y@${digest}`)));
    await new Promise(setImmediate);
    for (const session of [hasty, patient, hanging]) session.close();
    expect(await Promise.all(all)).toMatchObject(Array(2).fill({ outcome: 'refused' }));
  });
});

describe('a check that never ends', () => {
  const asking: Verify = async ({ reference, digest }, context) => {
    await context.registry.referrers(reference, digest, context.signal);
    return [];
  };

  it.each<[string, number, number]>([
    ['of one registry', 1, 8],
    ['of many registries', 10, 32],
  ])('gives its place back after the deadline: %s', async (_title, registries, begun) => {
    const memory = newMemoryRegistry();
    let hangs = true;
    const registry: Registry = {
      ...memory,
      referrers: (...asked) => (hangs ? new Promise(() => undefined) : memory.referrers(...asked)),
    };
    const { review } = await scene(asking, { registry, reviewDeadline: 1000 });
    const images = Array.from({ length: 80 }, (_each, at) => `${at % registries}.com/y${at}`);
    for (const image of images) await pushImage(memory, image);
    const checks = images.map((image) => checkOf(`${image}:v1`));
    const hung = await review(...checks);
    expect(hung.filter(({ outcome }) => outcome === 'unchecked')).toHaveLength(begun);
    expect(hung.filter(({ outcome }) => outcome === 'passed')).toEqual([]);
    hangs = false;
    const after = await review(...checks);
    expect(new Set(after.map(({ outcome }) => outcome))).toEqual(new Set(['passed']));
  });
});

describe('digestMatchesTag', () => {
  const required = { digestMatchesTag: true };

  it('is asked in each review, and what else is known is not', async () => {
    const { review, digest, registry, verified } = await scene(passes);
    const check = checkOf(`a.com/x:v1@${digest}`, required);
    expect(await review(check)).toEqual([{ outcome: 'passed', digest }]);
    await pushImage(registry, 'a.com/x', 'another');
    expect(await review(check)).toMatchObject([{ outcome: 'refused', digest }]);
    expect(verified).toHaveLength(1);
  });

  it('refuses beside what else is wrong', async () => {
    const { review, digest } = await scene(() => ['unsigned']);
    const [result] = await review(checkOf(`a.com/x:v2@${digest}`, required));
    expect(result).toMatchObject({ outcome: 'refused', reasons: ['unsigned', expect.any(String)] });
  });

  it('refuses though nothing else could be found out', async () => {
    const { review, digest } = await scene(() => Promise.reject(unavailable));
    const [result] = await review(checkOf(`a.com/x:v2@${digest}`, required));
    expect(result).toMatchObject({ outcome: 'refused' });
  });

  it('is unchecked when the tag cannot be asked for', async () => {
    const { review, digest, registry } = await scene(passes);
    registry.fail('v1');
    const [result] = await review(checkOf(`a.com/x:v1@${digest}`, required));
    expect(result).toEqual({ outcome: 'unchecked', digest, why: 'no v1' });
  });
});
