import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import {
  exchange,
  headOf,
  openConnection,
  PATH,
  PROTOCOLS,
  readAll,
  reviewOf,
} from '../support/requests.ts';
import type { Answer, Question } from '../support/requests.ts';
import { startTestService } from '../support/service.ts';
import type { TestService } from '../support/service.ts';

const BODY_BYTES = 3 * 1024 * 1024;

let pki: TestPki;
let service: TestService;

beforeAll(async () => {
  pki = await newTestPki();
  service = await startTestService(pki);
});

afterAll(async () => {
  await service.end();
});

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
};

/** A refusal is a Status of Kubernetes, and nothing in it makes kube-apiserver wait. */
function expectRefusal({ status, headers, text }: Answer, code: number, message: RegExp): void {
  expect(JSON.parse(text)).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    reason: REASONS[code],
    message: expect.stringMatching(message),
  });
  expect(status).toBe(code);
  expect(headers).not.toHaveProperty('retry-after');
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
}

interface Review {
  readonly spec: unknown;
  readonly status: { readonly allowed: boolean; readonly reason?: string };
}

const readReview = ({ text }: Answer): Review => JSON.parse(text) as Review;

/** A review whose spec is this text. */
const withSpec = (spec: string): string =>
  `{"kind":"ImageReview","apiVersion":"imagepolicy.k8s.io/v1alpha1","spec":${spec}}`;
const withImage = (image: string): string => withSpec(`{"containers":[{"image":${image}}]}`);

describe.each(PROTOCOLS)('a body that is no ImageReview, over %s,', (protocol) => {
  const ask = (question?: Question): Promise<Answer> => service.ask({ ...question, protocol });

  const cases: [string, string | Uint8Array, RegExp][] = [
    ['is empty', '', /expected a JSON object/],
    ['is blank', ' \n', /expected a JSON object/],
    ['is a form', 'kind=ImageReview', /expected a JSON object/],
    ['is YAML', 'kind: ImageReview\n', /expected a JSON object/],
    ['is cut off', reviewOf(['docker.io/nginx']).slice(0, 80), /expected a JSON object/],
    ['goes on after its end', `${reviewOf([])}{}`, /expected a JSON object/],
    ['begins with a BOM', `\uFEFF${reviewOf([])}`, /expected a JSON object/],
    ['is UTF-16', Buffer.from(reviewOf([]), 'utf16le'), /expected a JSON object/],
    [
      'is not UTF-8',
      Buffer.from(withImage('"docker.io/\xff"'), 'latin1'),
      /expected a JSON object.*not valid/,
    ],
    ['is an array', `[${reviewOf([])}]`, /expected the body to be an object, got an array/],
    ['is null', 'null', /expected the body to be an object, got null/],
    ['is a string', '"ImageReview"', /expected the body to be an object, got "ImageReview"/],
    ['is an empty object', '{}', /expected apiVersion to be imagepolicy.*, got nothing/],
    [
      'is an AdmissionReview',
      '{"apiVersion":"imagepolicy.k8s.io/v1alpha1","kind":"AdmissionReview"}',
      /expected kind to be ImageReview, got "AdmissionReview"/,
    ],
    ['has a kind in other case', reviewOf([]).replace('ImageReview', 'imagereview'), /kind/],
    ['has another version', reviewOf([]).replace('v1alpha1', 'v1'), /apiVersion.*v1alpha1/],
    ['has no apiVersion', reviewOf([]).replace('apiVersion', 'version'), /apiVersion/],
    [
      'has everything in __proto__',
      `{"__proto__":${reviewOf([])}}`,
      /expected apiVersion .* got nothing/,
    ],
    ['has no spec', reviewOf([]).replace('"spec"', '"Spec"'), /spec .* object, got nothing/],
    ['has a spec of null', withSpec('null'), /expected spec to be an object, got null/],
    ['has a spec that is an array', withSpec('[]'), /expected spec to be an object, got an array/],
    ['has a spec that is a string', withSpec('"x"'), /expected spec to be an object, got "x"/],
    ...['{}', 'null', '"x"', '1', 'false'].map((value): [string, string, RegExp] => [
      `has containers that are ${value}`,
      withSpec(`{"containers":${value}}`),
      /expected spec.containers to be an array, got /,
    ]),
    ...['null', '"docker.io/nginx"', '[]', '1'].map((value): [string, string, RegExp] => [
      `has a container that is ${value}`,
      withSpec(`{"containers":[{"image":"docker.io/nginx"},${value}]}`),
      /expected spec.containers\[1\] to be an object, got /,
    ]),
    ...['1', '0', '{}', '[]', '["docker.io/nginx"]', 'true', 'false'].map(
      (value): [string, string, RegExp] => [
        `has an image that is ${value}`,
        withImage(value),
        /expected spec.containers\[0\].image to be a string, got /,
      ],
    ),
    ...['1', 'null', '{}', '[]', 'true'].map((value): [string, string, RegExp] => [
      `has an annotation that is ${value}`,
      withSpec(`{"annotations":{"a":"b","c":${value}}}`),
      /expected spec.annotations\["c"\] to be a string, got /,
    ]),
    ['has annotations in an array', withSpec('{"annotations":[]}'), /annotations to be an object/],
    ['has a namespace that is a number', withSpec('{"namespace":7}'), /namespace to be a string/],
    ['nests 3 MiB deep', Buffer.alloc(BODY_BYTES, '['), /nested at most 32 deep/],
    ['nests 33 deep', withSpec(`${'{"a":'.repeat(32)}1${'}'.repeat(32)}`), /at most 32 deep/],
  ];

  it.each(cases)('is refused when it %s', async (_title, body, message) => {
    expectRefusal(await ask({ body }), 400, message);
  });

  it('is not quoted at length', async () => {
    const answer = await ask({ body: withImage(`[${'"x",'.repeat(10_000)}1]`) });
    const kind = await ask({ body: reviewOf([]).replace('ImageReview', 'x'.repeat(9999)) });
    const noise = await ask({ body: 'x'.repeat(100_000) });
    for (const { status, text } of [answer, kind, noise]) {
      expect(status).toBe(400);
      expect(text.length).toBeLessThan(500);
    }
  });
});

describe.each(PROTOCOLS)('a body that is too long, over %s,', (protocol) => {
  const ask = (question?: Question): Promise<Answer> => service.ask({ ...question, protocol });

  const tooLong = `${' '.repeat(BODY_BYTES)}{}`;
  const cases: [string, Question][] = [
    ['with its length in front', { body: tooLong }],
    [
      'in chunks',
      {
        body: tooLong,
        headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' },
      },
    ],
  ];

  it.each(cases)('is refused %s', async (_title, question) => {
    expectRefusal(
      await ask(question),
      413,
      new RegExp(`expected a body of at most ${BODY_BYTES} bytes`),
    );
  });

  it('is accepted up to the last byte', async () => {
    const review = reviewOf(['docker.io/nginx']);
    const answer = await ask({ body: review.padEnd(BODY_BYTES) });
    expect(readReview(answer).status.allowed).toBe(true);
  });
});

describe.each(PROTOCOLS)('a request for something else, over %s,', (protocol) => {
  const ask = (question?: Question): Promise<Answer> => service.ask({ ...question, protocol });

  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'])(
    'is refused when it is a %s',
    async (method) => {
      const answer = await ask({ method });
      expectRefusal(
        answer,
        405,
        new RegExp(`^image-checker: expected POST /check-image, got ${method}$`),
      );
      expect(answer.headers.allow).toBe('POST');
    },
  );

  it('is refused without a body when it is a HEAD', async () => {
    const { status, headers, text } = await ask({ method: 'HEAD' });
    expect([status, headers.allow, text]).toEqual([405, 'POST', '']);
  });

  it('finds no way past the method by a header', async () => {
    const headers = { 'Content-Type': 'application/json', 'X-HTTP-Method-Override': 'POST' };
    expectRefusal(await ask({ method: 'PUT', headers }), 405, /got PUT/);
  });

  it.each([
    '/',
    '/check-image/',
    '/Check-Image',
    '//check-image',
    '/check-image%2f',
    '/check%2Dimage',
    '/check-image/../check-image',
    '/./check-image',
    '/check-image;a=b',
    '/check-images',
    '/api/check-image',
    '/%',
    '/%00',
    '/check-image%',
    '*',
    '/__proto__',
    '/healthz',
    '/readyz',
    '/metrics',
  ])('is refused when its path is %s', async (path) => {
    // HTTP/2 knows it for OPTIONS alone: what is else breaks the protocol.
    if (path === '*' && protocol === 'HTTP/2') return;
    for (const method of ['POST', 'PUT']) {
      expectRefusal(await ask({ method, path }), 404, /expected POST \/check-image/);
    }
  });
});

describe.each(PROTOCOLS)('a content type, over %s,', (protocol) => {
  const ask = (question?: Question): Promise<Answer> => service.ask({ ...question, protocol });

  const review = reviewOf(['docker.io/nginx']);
  const refused: [string, Record<string, string>, RegExp][] = [
    ...[
      'text/plain',
      'application/yaml',
      'application/jsonx',
      'application/json-patch+json',
      'application/vnd.kubernetes.protobuf',
      'application/x-www-form-urlencoded',
      'text/plain; application/json',
      'json',
      '*/*',
      ' ',
    ].map((type): [string, Record<string, string>, RegExp] => [
      JSON.stringify(type),
      { 'Content-Type': type },
      /^image-checker: expected Content-Type: application\/json$/,
    ]),
    ['left out', {}, /^image-checker: expected Content-Type: application\/json$/],
    ...['gzip', 'deflate', 'br', 'x'].map((coding): [string, Record<string, string>, RegExp] => [
      `of JSON that is ${coding}`,
      { 'Content-Type': 'application/json', 'Content-Encoding': coding },
      /^image-checker: expected a body without Content-Encoding$/,
    ]),
  ];

  it.each(refused)('%s is refused', async (_title, headers, message) => {
    expectRefusal(await ask({ headers, body: review }), 415, message);
  });

  it.each(['application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8'])(
    '%s is accepted',
    async (type) => {
      const answer = await ask({ headers: { 'Content-Type': type }, body: review });
      expect([answer.status, readReview(answer).status.allowed]).toEqual([200, true]);
    },
  );
});

describe.each(PROTOCOLS)('a review, over %s,', (protocol) => {
  const ask = (question?: Question): Promise<Answer> => service.ask({ ...question, protocol });

  it('is answered as kube-apiserver asks it', async () => {
    const response = await supertest
      .agent(`https://127.0.0.1:${service.port}`, {
        ca: pki.authority.certificate,
        cert: pki.client.certificate,
        key: pki.client.key,
      })
      .post(PATH)
      .set('Content-Type', 'application/json')
      .set('Accept', 'application/json, */*')
      .set('Accept-Encoding', 'gzip')
      .set('User-Agent', 'Go-http-client/2.0')
      .send(reviewOf(['docker.io/nginx']))
      .expect(200)
      .expect('Content-Type', 'application/json; charset=utf-8')
      .expect('X-Content-Type-Options', 'nosniff')
      .expect('Content-Security-Policy', /default-src 'none'/)
      .expect('Strict-Transport-Security', /max-age=/);
    expect(response.body).toEqual({
      kind: 'ImageReview',
      apiVersion: 'imagepolicy.k8s.io/v1alpha1',
      spec: { containers: [{ image: 'docker.io/nginx' }], namespace: 'default' },
      status: {
        allowed: true,
        auditAnnotations: {
          'decision-id': expect.stringMatching(/^[-0-9a-f]{36}$/),
          policy: expect.stringMatching(/^test-policy@[0-9a-f]+$/),
        },
      },
    });
    for (const name of ['x-powered-by', 'etag', 'retry-after', 'set-cookie', 'content-encoding']) {
      expect(response.headers).not.toHaveProperty(name);
    }
  });

  it.each([
    '/check-image',
    '/check-image?',
    '/check-image?timeout=30s',
    '/check-image?a[b][__proto__]=c&a=1&%',
    `/check-image?${'x'.repeat(8000)}`,
  ])('may be asked for at %s', async (path) => {
    expect((await ask({ path })).status).toBe(200);
  });

  it.each(['nginx', 'quay.io/x', 'docker.io.example.com/x'])('of %s is denied', async (image) => {
    const answer = await ask({ body: reviewOf(['docker.io/nginx', image]) });
    const { allowed, reason } = readReview(answer).status;
    expect([answer.status, allowed]).toEqual([200, false]);
    expect(reason).toMatch(/not trusted image!/);
    expect(reason).toContain(`${image}: `);
    expect(reason).not.toContain('docker.io/nginx:');
  });

  it.each([
    ['no reference', '"docker.io/NGINX"'],
    ['empty', '""'],
    ['absent', 'null'],
    ['blank', '" "'],
    ['a line break', '"docker.io/nginx\\n"'],
    ['a NUL', '"docker.io/nginx\\u0000"'],
    ['half a character', '"docker.io/\\ud800"'],
    ['a local image id', `"sha256:${'a'.repeat(64)}"`],
    ['as long as the body may be', `"${'a'.repeat(BODY_BYTES - 200)}"`],
  ])('whose image is %s is denied, and no error', async (_title, image) => {
    const answer = await ask({ body: withImage(image) });
    expect(answer.status).toBe(200);
    expect(readReview(answer).status.allowed).toBe(false);
  });

  it.each([
    ['no containers', '{"namespace":"default"}'],
    ['containers in __proto__ alone', '{"__proto__":{"containers":[{"image":"docker.io/a"}]}}'],
    ['an image in __proto__ alone', '{"containers":[{"__proto__":{"image":"docker.io/a"}}]}'],
    ['1001 containers', `{"containers":[${'{"image":"docker.io/a"},'.repeat(1000)}{}]}`],
  ])('with %s is denied', async (_title, spec) => {
    const answer = await ask({ body: withSpec(spec) });
    expect([answer.status, readReview(answer).status.allowed]).toEqual([200, false]);
  });

  const CONTAINERS = '"containers":[{"image":"docker.io/nginx"}]';
  it.each([
    ['annotations', `{${CONTAINERS},"annotations":{"x.image-policy.k8s.io/y":"z"},"namespace":""}`],
    [
      'annotations named as what objects inherit',
      `{${CONTAINERS},"annotations":{"__proto__":"a","constructor":"b","toString":"c","toJSON":"d"}}`,
    ],
    ['fields that nobody knows', `{${CONTAINERS},"podName":"x","constructor":{"prototype":[1]}}`],
    ['an object in __proto__', `{${CONTAINERS},"__proto__":{"allowed":true,"polluted":true}}`],
    ['text beyond ASCII', `{${CONTAINERS},"annotations":{"a":"\u00e9 \u{1f41f} \u2028"}}`],
    ['half a character', `{${CONTAINERS},"annotations":{"a":"\\ud83d"}}`],
    ['as much nesting as is let in', `{${CONTAINERS},"a":${'['.repeat(30)}${']'.repeat(30)}}`],
    ['more fields of a container', '{"containers":[{"image":"docker.io/nginx","name":"x"}]}'],
  ])('comes back with the spec that was sent: %s', async (_title, spec) => {
    const answer = await ask({ body: withSpec(spec) });
    expect(readReview(answer).status.allowed).toBe(true);
    const echoed = /"spec":(.*),"status":/s.exec(answer.text)?.[1];
    expect(echoed).toBe(spec);
    expect({}).not.toHaveProperty('polluted');
    expect(Object.prototype).not.toHaveProperty('allowed');
  });
});

describe('a request that breaks off', () => {
  const body = reviewOf(['docker.io/nginx']);
  const whole = Buffer.byteLength(body);

  it.each([
    ['is announced longer than it is', headOf(whole + 1) + body],
    ['has a chunk of no length', chunked(`zz\r\n${body}\r\n`)],
    ['ends before its last chunk', chunked(`${whole.toString(16)}\r\n${body}\r\n`)],
    ['has two lengths', headOf(whole).replace('Host', 'Content-Length: 0\r\nHost') + body],
    [
      'has a length and chunks',
      headOf(whole).replace('Host', 'Transfer-Encoding: chunked\r\nHost') + body,
    ],
    ['has no host', headOf(whole).replace('Host: localhost\r\n', '') + body],
    ['has a line without a colon', headOf(whole).replace('Host', 'x\r\nHost') + body],
    ['has a bare line feed', headOf(whole).replace('Host', 'a: b\nHost') + body],
    ['is of no known method', headOf(whole).replace('POST', 'ASK') + body],
    ['wants another protocol', headOf(whole).replace('HTTP/1.1', 'HTTP/3.0') + body],
    ['wants a tunnel', headOf(whole).replace('POST', 'CONNECT') + body],
    ['expects what nobody does', headOf(whole).replace('Host', 'Expect: x\r\nHost') + body],
  ])('gets no review when it %s', async (_title, text) => {
    const before = service.logged('image review decided').length;
    const socket = await openConnection(service.as(pki.client));
    const all = readAll(socket);
    socket.end(text);
    expect(await all).not.toMatch(/^HTTP\/1.1 [23]|Retry-After|allowed/i);
    expect(service.logged('image review decided')).toHaveLength(before);
  });

  function chunked(rest: string): string {
    return headOf(0).replace('Content-Length: 0', 'Transfer-Encoding: chunked') + rest;
  }

  it.each([
    ['a header of 20 KB', `X: ${'a'.repeat(20_000)}\r\n`],
    ['headers of 20 KB together', 'X: aaaa\r\n'.repeat(4000)],
    ['a path of 20 KB', ''],
  ])('is cut short for %s', async (title, headers) => {
    const path = title.startsWith('a path') ? `${PATH}${'x'.repeat(20_000)}` : PATH;
    const text = headOf(2).replace(PATH, path).replace('Host', `${headers}Host`);
    expect(await exchange(service.as(pki.client), `${text}{}`)).toMatch(/^HTTP\/1.1 431 /);
  });

  it('is named in the log without what the peer wrote taking over the line', async () => {
    await service.ask({ path: `/${'x'.repeat(9000)}?secret` });
    const { path, cause, code } = service.logged('request refused').at(-1) ?? {};
    expect([path, code]).toEqual([`/${'x'.repeat(199)}`, 404]);
    expect(cause).toBe('expected POST /check-image, there is nothing else here');
  });
});
