import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { registriesSchema } from '../../src/config/registries.ts';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { startHostileProxy } from '../support/hostile-proxy.ts';
import type { HostileProxy, ProxyMode } from '../support/hostile-proxy.ts';
import { startRegistryLab } from '../support/registry-lab.ts';
import type { RegistryLab } from '../support/registry-lab.ts';
import { reviewOf } from '../support/requests.ts';
import { samplesOf } from '../support/samples.ts';
import { startTestService } from '../support/service.ts';
import type { TestService } from '../support/service.ts';

/*
 * The service, asked as kube-apiserver asks it, with rules that want signatures: a real registry
 * with a password, real cosign, and a proxy between the service and the registry. What a hostile one
 * may do is in hostile-registry.test.ts.
 */

/** For what is to be answered, on a machine that is busy. */
const DEADLINE = '8s';

let pki: TestPki;
let lab: RegistryLab;
let proxy: HostileProxy;
/** Image references by digest, as the registry itself is called. */
let signed2: string;
let signed3: string;
let unsigned: string;
const services: TestService[] = [];

beforeAll(async () => {
  pki = await newTestPki();
  lab = await startRegistryLab('basic');
  proxy = await startHostileProxy(lab);
  for (const name of ['k', 'other']) {
    await lab.cosign('3.1', 'generate-key-pair', '--output-key-prefix', lab.file(name));
  }
  [signed2 = ''] = await lab.image('--content', '2', 'team/app:two');
  [signed3 = ''] = await lab.image('--content', '3', 'team/app:three');
  [unsigned = ''] = await lab.image('--content', '0', 'team/app:none');
  const sign = ['sign', '--key', lab.file('k.key'), '--tlog-upload=false', '-y'];
  await lab.cosign('2.5', ...sign, signed2);
  await lab.cosign('3.1', ...sign, '--use-signing-config=false', signed3);
});

afterEach(async () => {
  meddle('honest');
  for (const service of services.splice(0)) await service.end();
});

afterAll(async () => {
  await proxy.close();
  await lab.stop();
});

/** From now on the registry does so. */
function meddle(mode: ProxyMode): void {
  proxy.mode = mode;
  proxy.requests.length = 0;
}

interface Scene {
  readonly key?: string;
  readonly onError?: string;
  readonly reviewDeadline?: string;
  readonly cache?: object;
}

async function rulesOf({ key = 'k', onError = 'deny' }: Scene): Promise<string> {
  const pem = await readFile(lab.file(`${key}.pub`), 'utf8');
  return JSON.stringify({
    apiVersion: 'image-checker/v1',
    kind: 'ImagePolicy',
    metadata: { name: 'signed-images' },
    spec: { rules: [{ name: 'signed', onError, require: { signatures: [{ keys: [pem] }] } }] },
  });
}

/** A service that asks the registry through the proxy, and what it counts. */
async function serve(scene: Scene = {}) {
  const password = (await readFile(lab.file('puller.password'), 'utf8')).trim();
  const auth = Buffer.from(`puller:${password}`).toString('base64');
  await writeFile(lab.file('proxy.json'), JSON.stringify({ auths: { [proxy.host]: { auth } } }));
  const registry = new Registry();
  const service = await startTestService(pki, {
    registry,
    rules: await rulesOf(scene),
    registries: registriesSchema.parse({
      credentials: [lab.file('proxy.json')],
      reviewDeadline: scene.reviewDeadline ?? DEADLINE,
      ...(scene.cache && { cache: scene.cache }),
      hosts: { [lab.host]: { ca: lab.file('ca.pem'), mirror: proxy.host } },
    }),
  });
  services.push(service);
  const review = async (...images: readonly string[]) => {
    const { status, text } = await service.ask({ body: reviewOf(images) });
    expect(status).toBe(200);
    return (JSON.parse(text) as Answered).status;
  };
  const counted = async (metric: string) => samplesOf(await registry.metrics(), metric);
  return { service, review, counted };
}

interface Answered {
  readonly status: {
    readonly allowed: boolean;
    readonly reason?: string;
    readonly auditAnnotations: Readonly<Record<string, string>>;
  };
}

describe('rules that want signatures', () => {
  it('let pass what cosign 2.5 and 3.1 signed, by digest and by tag', async () => {
    const { review } = await serve();
    expect(await review(signed2, signed3)).toMatchObject({ allowed: true });
    const tagged = `${lab.host}/team/app:two`;
    expect(await review(tagged)).toMatchObject({
      allowed: true,
      auditAnnotations: { 'judged-digests': `${tagged}@${signed2.replace(/.*@/, '')}` },
    });
  });

  it.each([
    ['is not signed', 'k', () => unsigned],
    ['is signed by somebody else', 'other', () => signed2],
    ['is not there', 'k', () => `${lab.host}/team/app:nothing`],
    ['is one of several, the others signed', 'k', () => [signed2, unsigned, signed3].join(' ')],
  ])('refuse what %s', async (_title, key, images) => {
    const { review } = await serve({ key });
    const { allowed, reason = '' } = await review(...images().split(' '));
    expect(allowed).toBe(false);
    expect(reason).toContain('(rule signed)');
    expect(reason).not.toContain('could not check');
  });

  it('still know an image while the registry is down, and no other', async () => {
    const { review } = await serve();
    await review(signed2);
    meddle('a connection that is reset');
    expect(await review(signed2)).toMatchObject({ allowed: true });
    expect(proxy.requests).toEqual([]);
    expect(await review(signed3)).toMatchObject({ allowed: false });
  });

  it('forget what other keys made of an image when they change', async () => {
    const { service, review } = await serve();
    expect((await review(signed2)).allowed).toBe(true);
    await writeFile(service.config.rules, await rulesOf({ key: 'other' }));
    await service.reload();
    expect((await review(signed2)).allowed).toBe(false);
    await writeFile(service.config.rules, await rulesOf({}));
    await service.reload();
    meddle('honest');
    expect((await review(signed2)).allowed).toBe(true);
    expect(proxy.requests).toEqual([]);
  });

  it('cause one verification for many reviews of the same image at once', async () => {
    const { review, counted } = await serve({ reviewDeadline: '20s' });
    const images = [signed2, signed3];
    const reviews = Array.from({ length: 40 }, (_, at) => review(images[at % 2] ?? ''));
    expect((await Promise.all(reviews)).every(({ allowed }) => allowed)).toBe(true);
    expect(await counted('image_checker_verifications_total')).toMatchObject({
      'source="verification"': 2,
    });
  });

  it('deny what waits for a registry when the service stops, in time to say so', async () => {
    const { service, review } = await serve({ reviewDeadline: '25s' });
    meddle('no answer');
    const waiting = review(signed2);
    while (proxy.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const stopped = service.stop();
    expect(await waiting).toMatchObject({ allowed: false });
    await stopped;
  });
});

describe('a registry that gives no answer', () => {
  it.each([
    ['deny', false, {}],
    ['warn', true, { 'unchecked-rules': 'signed', 'warned-rules': 'signed' }],
    ['allow', true, { 'unchecked-rules': 'signed' }],
  ])('onError %s: allowed is %s, on record', async (onError, allowed, annotations) => {
    const { service, review, counted } = await serve({ onError });
    meddle('nothing but 500');
    const status = await review(signed2);
    expect(status).toMatchObject({ allowed, auditAnnotations: annotations });
    expect(service.logged('image review decided')).toMatchObject([
      { registryChecks: [{ rule: 'signed', outcome: 'unchecked' }] },
    ]);
    expect(await counted('image_checker_unchecked_excused_total')).toEqual({
      'on_error="warn"': onError === 'warn' ? 1 : 0,
      'on_error="allow"': onError === 'allow' ? 1 : 0,
    });
  });

  it('onError allow: what is refused stays refused', async () => {
    const { review } = await serve({ onError: 'allow' });
    expect((await review(unsigned)).allowed).toBe(false);
  });
});
