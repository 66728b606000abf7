import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load-config.ts';
import type { RegistriesConfig } from '../../src/config/registries.ts';
import { ImageCheckerError } from '../../src/errors.ts';

const HEAD = `apiVersion: image-checker/v1
kind: ServiceConfig
tls: { certificate: c.pem, key: k.pem, clientCA: ca.pem }
rules: rules.yaml
`;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registries-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** @param text what is under `registries:`, in flow style */
async function load(text: string): Promise<RegistriesConfig> {
  const file = join(folder, 'config.yaml');
  await writeFile(file, `${HEAD}registries: ${text}\n`);
  return (await loadConfig(file)).registries;
}

async function mistakes(text: string): Promise<string[]> {
  const thrown: unknown = await load(text).catch((error: unknown) => error);
  if (!(thrown instanceof ImageCheckerError)) throw new Error('expected an error');
  expect(thrown.code).toBe('config-invalid');
  return thrown.problems.map(({ message }) => message);
}

describe('the registries of a config file', () => {
  it('have defaults', async () => {
    expect(await load('{}')).toEqual({
      credentials: [],
      reviewDeadline: 8000,
      cache: { positive: 600_000, negative: 30_000, bytes: 67_108_864 },
      hosts: {},
    });
  });

  it('may say everything, with files relative to the config file', async () => {
    const host =
      '{ ca: a.pem, clientCertificate: c.pem, clientKey: /k.pem, mirror: "m.test:1/hub" }';
    const text = `
  credentials: [docker.json, /run/secrets/.dockerconfigjson]
  reviewDeadline: 1500ms
  cache: { positive: 1h, negative: 0s, bytes: 0 }
  hosts: { 'registry.test:5000': ${host}, 'local.test': { plainHttp: true }, '[::1]:5000': {} }`;
    expect(await load(text)).toEqual({
      credentials: [join(folder, 'docker.json'), '/run/secrets/.dockerconfigjson'],
      reviewDeadline: 1500,
      cache: { positive: 3_600_000, negative: 0, bytes: 0 },
      hosts: {
        'registry.test:5000': {
          ca: join(folder, 'a.pem'),
          clientCertificate: join(folder, 'c.pem'),
          clientKey: '/k.pem',
          mirror: 'm.test:1/hub',
          plainHttp: false,
        },
        'local.test': { plainHttp: true },
        '[::1]:5000': { plainHttp: false },
      },
    });
  });

  it.each([
    [
      'a deadline beyond what kube-apiserver waits',
      '{ reviewDeadline: 30s }',
      'reviewDeadline: expected a time from 100ms to 25s, such as 8s',
    ],
    ['a deadline of nothing', '{ reviewDeadline: 0s }', 'reviewDeadline: expected a time from'],
    ['a time without a unit', '{ reviewDeadline: "8" }', 'reviewDeadline: expected a time from'],
    [
      'a time that is a number',
      '{ reviewDeadline: 8 }',
      'reviewDeadline: expected a string, got 8',
    ],
    ['a time with a fraction', '{ cache: { positive: 1.5h } }', 'cache.positive: expected a time'],
    [
      'a negative answer kept for a day',
      '{ cache: { negative: 24h } }',
      'cache.negative: expected a time',
    ],
    ['an unknown key', '{ credential: [a] }', 'unknown key "credential"'],
    [
      'an unknown key of a host',
      '{ hosts: { a.test: { insecure: true } } }',
      'unknown key "insecure"',
    ],
    [
      'a host with a scheme',
      '{ hosts: { "https://a.test": {} } }',
      'hosts.https://a.test: expected a host',
    ],
    ['a host with a path', '{ hosts: { a.test/x: {} } }', 'hosts.a.test/x: expected a host'],
    ['a host in upper case', '{ hosts: { A.test: {} } }', 'hosts.A.test: expected a host'],
    ['a wildcard', '{ hosts: { "*.test": {} } }', 'hosts.*.test: expected a host'],
    [
      'a mirror with a scheme',
      '{ hosts: { a.test: { mirror: "http://m.test" } } }',
      'mirror: expected a host',
    ],
    [
      'a mirror that climbs',
      '{ hosts: { a.test: { mirror: "m.test/../x" } } }',
      'mirror: expected a host',
    ],
    [
      'a mirror with a query',
      '{ hosts: { a.test: { mirror: "m.test/x?y" } } }',
      'mirror: expected a host',
    ],
    [
      'a certificate without its key',
      '{ hosts: { a.test: { clientCertificate: c } } }',
      'clientCertificate: expected clientKey',
    ],
    [
      'a key without its certificate',
      '{ hosts: { a.test: { clientKey: k } } }',
      'clientKey: expected clientCertificate',
    ],
    [
      'an authority for plain http',
      '{ hosts: { a.test: { plainHttp: true, ca: c } } }',
      'plainHttp: expected no certificates',
    ],
  ])('are refused for %s', async (_title, text, message) => {
    expect(await mistakes(text)).toEqual([expect.stringContaining(message)]);
  });
});
