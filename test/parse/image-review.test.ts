import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseImageReview } from '../../src/parse/image-review.ts';
import type { ImageReview } from '../../src/parse/image-review.ts';
import { problemsOf } from '../support/policy.ts';

const HEAD = { apiVersion: 'imagepolicy.k8s.io/v1alpha1', kind: 'ImageReview' };

function parseText(text: string): ImageReview {
  return parseImageReview(Buffer.from(text));
}

function parseSpec(spec: unknown): ImageReview {
  return parseText(JSON.stringify({ ...HEAD, spec }));
}

function refusal(run: () => unknown): string {
  const problems = problemsOf('review-invalid', run);
  expect(problems).toHaveLength(1);
  return problems[0]?.message ?? '';
}

describe('a review', () => {
  it('is read as kube-apiserver v1.20 sends it', () => {
    const review = parseText(
      '{"kind":"ImageReview","apiVersion":"imagepolicy.k8s.io/v1alpha1","metadata":{"creationTimestamp":null},' +
        '"spec":{"containers":[{"image":"docker.io/nginx"},{"image":"busybox"}],' +
        '"annotations":{"x.image-policy.k8s.io/ticket-1":"break-glass"},"namespace":"default"},' +
        '"status":{"allowed":false}}\n',
    );
    expect(review).toMatchObject({
      images: ['docker.io/nginx', 'busybox'],
      namespace: 'default',
      spec: {
        containers: [{ image: 'docker.io/nginx' }, { image: 'busybox' }],
        annotations: { 'x.image-policy.k8s.io/ticket-1': 'break-glass' },
        namespace: 'default',
      },
    });
    expect([...review.annotations]).toEqual([['x.image-policy.k8s.io/ticket-1', 'break-glass']]);
  });

  it('may leave out what is empty', () => {
    expect(parseSpec({})).toEqual({ images: [], annotations: new Map(), namespace: '', spec: {} });
  });

  it('may hold fields that we do not know', () => {
    const spec = { containers: [{ image: 'a', name: 'b', x: 1 }], unknown: [{ deep: true }] };
    expect(parseSpec(spec)).toMatchObject({ images: ['a'], spec });
  });

  it.each([
    ['an absent image', {}],
    ['an image that is null', { image: null }],
    ['an empty image', { image: '' }],
  ])('has an empty image for %s', (_title, container) => {
    expect(parseSpec({ containers: [container] }).images).toEqual(['']);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])(
    'may have an annotation called %j',
    (key) => {
      const review = parseText(
        `{"apiVersion":"${HEAD.apiVersion}","kind":"ImageReview","spec":{"annotations":{"${key}":"x"}}}`,
      );
      expect(review.annotations.get(key)).toBe('x');
      expect(review.annotations.size).toBe(1);
      expect(JSON.stringify(review.spec)).toBe(`{"annotations":{"${key}":"x"}}`);
    },
  );

  it('keeps images as they were written', () => {
    const images = [
      ' nginx',
      'nginx\n',
      'NGINX',
      '%6eginx',
      '\u0000',
      'ａ',
      '\ud800',
      'a'.repeat(9),
    ];
    expect(parseSpec({ containers: images.map((image) => ({ image })) }).images).toEqual(images);
  });

  it.each(['', '"beside":[],'])('may nest 32 deep to the last: %s', (beside) => {
    const spec = `{${beside}"x":${'['.repeat(30)}${']'.repeat(30)}}`;
    const text = `{"apiVersion":"${HEAD.apiVersion}","kind":"ImageReview","spec":${spec}}`;
    expect(parseText(text).images).toEqual([]);
  });

  it('may hold many things side by side', () => {
    const containers = Array.from({ length: 100 }, (_, at) => ({ image: `a${at}`, args: [[]] }));
    expect(parseSpec({ containers }).images).toHaveLength(100);
  });

  it('may nest as deep as anything honest does, brackets in strings not counted', () => {
    const nested = `${'['.repeat(29)}${']'.repeat(29)}`;
    const text = `{"x":"\\"[[${'['.repeat(100)}\\\\","y":${nested}}`;
    expect(
      parseText(`{"apiVersion":"${HEAD.apiVersion}","kind":"ImageReview","spec":${text}}`).images,
    ).toEqual([]);
  });
});

describe('a body that is no review', () => {
  it.each([
    ['nothing at all', ''],
    ['no JSON', 'nginx'],
    ['a cut body', '{"apiVersion":"imagepolicy.k8s.io/v1alpha1","kind":"Ima'],
    ['a string', '"ImageReview"'],
    ['a number', '1'],
    ['null', 'null'],
    ['an array', '[]'],
    ['an array with a review in it', `[${JSON.stringify({ ...HEAD, spec: {} })}]`],
    ['two reviews', `${JSON.stringify({ ...HEAD, spec: {} })}{}`],
    ['a byte order mark', `\ufeff${JSON.stringify({ ...HEAD, spec: {} })}`],
    ['a comment', `{/* x */}`],
    ['YAML', 'kind: ImageReview'],
    ['single quotes', "{'kind':'ImageReview'}"],
    ['a trailing comma', '{"kind":"ImageReview",}'],
  ])('is refused: %s', (_title, text) => {
    expect(refusal(() => parseText(text))).toContain('expected');
  });

  it.each([
    ['no apiVersion', { kind: 'ImageReview', spec: {} }, 'apiVersion', 'nothing'],
    ['another apiVersion', { ...HEAD, apiVersion: 'v1', spec: {} }, 'apiVersion', '"v1"'],
    [
      'an array for apiVersion',
      { ...HEAD, apiVersion: ['v1'], spec: {} },
      'apiVersion',
      'an array',
    ],
    ['no kind', { apiVersion: HEAD.apiVersion, spec: {} }, 'kind', 'nothing'],
    ['another kind', { ...HEAD, kind: 'AdmissionReview', spec: {} }, 'kind', '"AdmissionReview"'],
    ['kind in lower case', { ...HEAD, kind: 'imagereview', spec: {} }, 'kind', '"imagereview"'],
    ['no spec', { ...HEAD }, 'spec', 'nothing'],
    ['spec null', { ...HEAD, spec: null }, 'spec', 'null'],
    ['an array for spec', { ...HEAD, spec: [] }, 'spec', 'an array'],
    ['a string for spec', { ...HEAD, spec: 'x' }, 'spec', '"x"'],
    [
      'an object for containers',
      { ...HEAD, spec: { containers: {} } },
      'spec.containers',
      'an object',
    ],
    ['a string for containers', { ...HEAD, spec: { containers: 'x' } }, 'spec.containers', '"x"'],
    ['containers null', { ...HEAD, spec: { containers: null } }, 'spec.containers', 'null'],
    ['a string for a container', withContainer('nginx'), 'spec.containers[1]', '"nginx"'],
    ['a container that is null', withContainer(null), 'spec.containers[1]', 'null'],
    ['an array for a container', withContainer(['a']), 'spec.containers[1]', 'an array'],
    ['a number for an image', withContainer({ image: 5 }), 'spec.containers[1].image', '5'],
    ['false for an image', withContainer({ image: false }), 'spec.containers[1].image', 'false'],
    [
      'an array for an image',
      withContainer({ image: ['a'] }),
      'spec.containers[1].image',
      'an array',
    ],
    [
      'an object for an image',
      withContainer({ image: {} }),
      'spec.containers[1].image',
      'an object',
    ],
    [
      'an array for annotations',
      { ...HEAD, spec: { annotations: [] } },
      'spec.annotations',
      'an array',
    ],
    [
      'a string for annotations',
      { ...HEAD, spec: { annotations: 'x' } },
      'spec.annotations',
      '"x"',
    ],
    ['annotations null', { ...HEAD, spec: { annotations: null } }, 'spec.annotations', 'null'],
    ['a number for an annotation', withAnnotation(1), 'spec.annotations["k"]', '1'],
    ['null for an annotation', withAnnotation(null), 'spec.annotations["k"]', 'null'],
    ['true for an annotation', withAnnotation(true), 'spec.annotations["k"]', 'true'],
    ['an object for an annotation', withAnnotation({}), 'spec.annotations["k"]', 'an object'],
    ['a number for the namespace', { ...HEAD, spec: { namespace: 1 } }, 'spec.namespace', '1'],
    ['the namespace null', { ...HEAD, spec: { namespace: null } }, 'spec.namespace', 'null'],
    [
      'an array for the namespace',
      { ...HEAD, spec: { namespace: ['a'] } },
      'spec.namespace',
      'an array',
    ],
  ])('is refused with what was expected: %s', (_title, body, field, got) => {
    const message = refusal(() => parseText(JSON.stringify(body)));
    expect(message).toMatch(/^expected /);
    expect(message).toContain(`expected ${field} to be `);
    expect(message.endsWith(`, got ${got}`)).toBe(true);
  });

  it('is not one by what its prototype would be', () => {
    const text = `{"__proto__":${JSON.stringify({ ...HEAD, spec: {} })}}`;
    expect(refusal(() => parseText(text))).toContain('apiVersion');
  });

  it('is refused when it is not UTF-8', () => {
    const body = Buffer.from(JSON.stringify({ ...HEAD, spec: { namespace: 'x' } }));
    body[body.indexOf('"x"') + 1] = 0xff;
    expect(refusal(() => parseImageReview(body))).toContain('expected a JSON object');
  });

  it.each([
    ['arrays', `{"apiVersion":${'['.repeat(100_000)}`],
    ['objects', '{"a":'.repeat(100_000)],
    ['arrays that close', `{"x":${'['.repeat(40)}${']'.repeat(40)}}`],
    ['one deeper than may be', `{"x":${'['.repeat(32)}${']'.repeat(32)}}`],
  ])('is refused when it nests too deep: %s', (_title, text) => {
    expect(refusal(() => parseText(text))).toContain('nested at most 32 deep');
  });

  it.each([
    ['whole when it has 100 characters', 98, `"${'x'.repeat(98)}"`],
    ['cut when it has 101', 99, `"${'x'.repeat(99)}...`],
    ['cut when it has many', 10_000, `"${'x'.repeat(99)}...`],
  ])('is shown %s', (_title, length, shown) => {
    expect(refusal(() => parseSpec({ containers: 'x'.repeat(length) }))).toBe(
      `expected spec.containers to be an array, got ${shown}`,
    );
  });

  it.each([
    ['[]', 'expected the body to be an object, got an array'],
    ['{"kind":"ImageReview"}', `expected apiVersion to be ${HEAD.apiVersion}, got nothing`],
    [JSON.stringify({ ...HEAD, kind: 'Pod' }), 'expected kind to be ImageReview, got "Pod"'],
    [JSON.stringify(HEAD), 'expected spec to be an object, got nothing'],
    [JSON.stringify(withContainer(1)), 'expected spec.containers[1] to be an object, got 1'],
    [
      JSON.stringify(withContainer({ image: 1 })),
      'expected spec.containers[1].image to be a string, got 1',
    ],
    [JSON.stringify(withAnnotation(1)), 'expected spec.annotations["k"] to be a string, got 1'],
    [
      JSON.stringify({ ...HEAD, spec: { annotations: 1 } }),
      'expected spec.annotations to be an object, got 1',
    ],
    [
      JSON.stringify({ ...HEAD, spec: { namespace: 1 } }),
      'expected spec.namespace to be a string, got 1',
    ],
  ])('is refused, as %s, in these words', (text, message) => {
    expect(refusal(() => parseText(text))).toBe(message);
  });

  it('is shown in little when it is long', () => {
    expect(refusal(() => parseSpec({ containers: 'x'.repeat(10_000) })).length).toBeLessThan(200);
    expect(
      refusal(() => parseSpec({ annotations: { ['k'.repeat(10_000)]: 1 } })).length,
    ).toBeLessThan(200);
  });

  it('is a review or refused as such, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json().map((text) => Buffer.from(text)),
          fc.uint8Array(),
        ),
        (body) => {
          expect(refusal(() => parseImageReview(body))).not.toBe('');
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('is refused for any spec that has a wrong type in it, and read otherwise', () => {
    const text = fc.string();
    const container = fc.oneof(fc.record({ image: fc.oneof(text, fc.integer()) }), text);
    const spec = fc.record(
      {
        containers: fc.oneof(fc.array(container), text),
        annotations: fc.dictionary(text, fc.oneof(text, fc.boolean())),
        namespace: fc.oneof(text, fc.constant(null)),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(spec, (given) => {
        if (isSound(given))
          expect(parseSpec(given).spec).toEqual(JSON.parse(JSON.stringify(given)));
        else expect(refusal(() => parseSpec(given))).not.toBe('');
      }),
      { numRuns: 1_000 },
    );
  });
});

function withContainer(container: unknown): object {
  return { ...HEAD, spec: { containers: [{ image: 'nginx' }, container] } };
}

function withAnnotation(value: unknown): object {
  return { ...HEAD, spec: { annotations: { k: value } } };
}

function isSound(spec: {
  containers?: unknown;
  annotations?: object;
  namespace?: unknown;
}): boolean {
  const { containers = [], annotations = {}, namespace = '' } = spec;
  return (
    Array.isArray(containers) &&
    containers.every(
      (container: unknown) =>
        typeof container === 'object' &&
        container !== null &&
        'image' in container &&
        typeof container.image === 'string',
    ) &&
    Object.values(annotations).every((value) => typeof value === 'string') &&
    typeof namespace === 'string'
  );
}
