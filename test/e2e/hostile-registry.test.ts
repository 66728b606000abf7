import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newTestPki } from '../support/certificates.ts';
import { dockerConfig } from '../support/registry-server.ts';
import { HOSTILE_MODES, startHostileProxy } from '../support/hostile-proxy.ts';
import type { HostileProxy, ProxyMode } from '../support/hostile-proxy.ts';
import { startRegistryLab } from '../support/registry-lab.ts';
import type { RegistryLab } from '../support/registry-lab.ts';
import { reviewOf } from '../support/requests.ts';
import { startTestService } from '../support/service.ts';
import type { TestService } from '../support/service.ts';

/*
 * A service with a rule that asks for signatures, a real registry, an image that real cosign has
 * signed, and in between somebody who is not to be trusted.
 */

const DEADLINE = 2000;
/** Milliseconds, a long way before kube-apiserver gives up. */
const IN_TIME = 10_000;
/** Bytes that a review may make the service hold on to. */
const MAX_GROWTH = 256 * 1024 * 1024;

const CAUSES: Readonly<Record<ProxyMode, string>> = {
  honest: '',
  'tampered bytes': 'the Docker-Content-Digest',
  'a digest in the header that is another one': 'the Docker-Content-Digest',
  'a body that is cut off': 'got a part of it, then a broken connection',
  'a body without end': 'expected at most 4194304 bytes',
  'a slow drip': 'bytes so far)',
  'a bomb of gzip': 'that is not packed, got a content-encoding',
  'no answer': 'got none before the deadline (nothing so far)',
  'a connection that is reset': 'got a broken connection',
  'a redirect in a circle': 'at most 5 redirects, got another one',
  'a redirect to http': 'a redirect to https, got one to http',
  'a redirect to a metadata service': 'got a link-local address, which is not asked',
  'a redirect to a thief': 'got 401',
  'nothing but 401': 'got 401, it does not take the credentials',
  'a 401 with a realm over http': 'a token service that is asked by https',
  'nothing but 403': 'got 403',
  'nothing but 429': 'got 429, it has had too many requests',
  'nothing but 500': 'got 500, it has a fault',
};

interface Status {
  readonly allowed: boolean;
  readonly reason?: string;
}

let lab: RegistryLab;
let proxy: HostileProxy;
let service: TestService;
let image = '';

beforeAll(async () => {
  lab = await startRegistryLab('basic');
  proxy = await startHostileProxy(lab);
  const [pushed = ''] = await lab.image('team/app:v1');
  const sign = ['sign', '--key', lab.file('k.key'), '--tlog-upload=false', '-y', pushed];
  await lab.cosign('2.5', 'generate-key-pair', '--output-key-prefix', lab.file('k'));
  await lab.cosign('2.5', ...sign);
  image = `${lab.host}/team/app:v1`;
  service = await startTestService(await newTestPki(), {
    rules: JSON.stringify({
      apiVersion: 'image-checker/v1',
      kind: 'ImagePolicy',
      metadata: { name: 'signed' },
      spec: {
        rules: [{ name: 'signed', require: { signatures: [{ keys: [lab.file('k.pub')] }] } }],
      },
    }),
    registries: {
      credentials: [await credentials()],
      reviewDeadline: DEADLINE,
      cache: { positive: 0, negative: 0, bytes: 0 },
      hosts: { [lab.host]: { mirror: proxy.host, ca: lab.file('ca.pem'), plainHttp: false } },
    },
  });
});
afterAll(async () => {
  await service.end();
  await proxy.close();
  await lab.stop();
});

/** The mirror has an account of its own. */
async function credentials(): Promise<string> {
  const password = await readFile(lab.file('puller.password'), 'utf8');
  await writeFile(lab.file('mirror.json'), dockerConfig(proxy.host, 'puller', password));
  return lab.file('mirror.json');
}

async function review(mode: ProxyMode, target = /./): Promise<Status> {
  proxy.mode = mode;
  proxy.target = target;
  proxy.requests.length = 0;
  const { status, text } = await service.ask({ body: reviewOf([image]) });
  expect(status).toBe(200);
  return (JSON.parse(text) as { readonly status: Status }).status;
}

/** A blob is known by its digest alone, whatever a header says. */
const BLOB_CAUSES: Readonly<Partial<Record<ProxyMode, string>>> = {
  'tampered bytes': 'expected bytes of sha256:',
  'a body without end': 'expected at most 8388608 bytes',
};
const BLOB_MODES = HOSTILE_MODES.filter((mode) => !mode.startsWith('a digest in the header'));

const TARGETS = [
  ['the manifest of the image', /manifests\/v1$/, HOSTILE_MODES, {}],
  ['the manifest of its signatures', /\.sig$/, HOSTILE_MODES, {}],
  ['what was signed', /\/blobs\//, BLOB_MODES, BLOB_CAUSES],
] as const;

const ROWS = TARGETS.flatMap(([what, target, modes, causes]) =>
  modes.map((mode) => ({ what, target, mode, cause: { ...CAUSES, ...causes }[mode] })),
);

describe('a review of a signed image', () => {
  it('is allowed when the registry is honest', async () => {
    expect(await review('honest')).toMatchObject({ allowed: true });
  });

  it.each(ROWS)('is denied, in time and with the cause, for $mode at $what', async (row) => {
    const begun = performance.now();
    const { allowed, reason = '' } = await review(row.mode, row.target);
    expect(performance.now() - begun).toBeLessThan(IN_TIME);
    expect(allowed).toBe(false);
    expect(reason).toContain(row.cause);
    expect(reason).not.toContain('script');
    expect(reason).not.toContain('\u001b');
  });

  it('tells nobody else who asks', async () => {
    await review('a redirect to a thief');
    expect(proxy.requests.filter((each) => each.startsWith('GET /thief'))).toEqual(['GET /thief']);
  });

  it('costs bounded memory, also forty at a time', async () => {
    proxy.mode = 'a body without end';
    proxy.target = /./;
    const before = process.memoryUsage().rss;
    const all = Array.from({ length: 40 }, () => service.ask({ body: reviewOf([image]) }));
    const answers = await Promise.all(all);
    expect(answers.every(({ text }) => text.includes('"allowed":false'))).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(MAX_GROWTH);
  });

  it('is allowed again when all is well again', async () => {
    expect(await review('honest')).toMatchObject({ allowed: true });
  });
});
