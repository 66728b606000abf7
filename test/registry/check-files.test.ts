import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ImageCheckerError } from '../../src/errors.ts';
import { checkRegistryFiles } from '../../src/registry/check-files.ts';
import type { RegistrySettings } from '../../src/registry/parts.ts';
import { issueLeaf } from '../../src/setup/pki.ts';
import { newKeyPair, ports } from '../support/certificates.ts';
import { newRegistryWorld } from '../support/registry-server.ts';
import type { RegistryWorld } from '../support/registry-server.ts';

let world: RegistryWorld;
beforeAll(async () => {
  world = await newRegistryWorld();
});
afterAll(() => world.close());

async function problems(settings: Partial<RegistrySettings>): Promise<string[]> {
  const whole = { credentials: [], hosts: {}, ...settings };
  const thrown: unknown = await checkRegistryFiles(whole, Date.now).catch(
    (error: unknown) => error,
  );
  if (thrown === undefined) return [];
  expect(thrown).toMatchObject({ code: 'config-invalid' });
  return thrown instanceof ImageCheckerError
    ? thrown.problems.map(({ file, message }) => `${file ?? ''}: ${message}`)
    : [];
}

describe('the files for registries', () => {
  it('may be none, or good ones', async () => {
    expect(await problems({})).toEqual([]);
    const leaf = await issueLeaf(world.authority, { kind: 'client', name: 'x' }, ports);
    const host = {
      ca: world.ca,
      clientCertificate: await world.file('c.pem', leaf.certificate),
      clientKey: await world.file('k.pem', leaf.key),
      plainHttp: false,
    };
    const credentials = [await world.file('good.json', '{}')];
    expect(
      await problems({ credentials, hosts: { 'a.test': host, 'b.test': { plainHttp: true } } }),
    ).toEqual([]);
  });

  it('are told of all at once when they cannot be used', async () => {
    const broken = await world.file('broken.json', 'hunter2');
    const authority = await world.file('ca-broken.pem', 'hunter2');
    const told = await problems({
      credentials: ['/absent.json', broken],
      hosts: {
        'a.test': { ca: authority, plainHttp: false },
        'b.test': { ca: '/absent.pem', plainHttp: false },
      },
    });
    expect(told).toEqual([
      '/absent.json: cannot be read: no such file',
      `${broken}: expected JSON, in the format of docker's config.json`,
      expect.stringContaining(`${authority}: expected certificates and keys in PEM format`),
      '/absent.pem: cannot be read: no such file',
    ]);
    expect(told.join()).not.toContain('hunter2');
  });

  it('are not good when a key is of another certificate', async () => {
    const leaf = await issueLeaf(world.authority, { kind: 'client', name: 'x' }, ports);
    const host = {
      clientCertificate: await world.file('c2.pem', leaf.certificate),
      clientKey: await world.file('k2.pem', newKeyPair().privateKey),
      plainHttp: false,
    };
    expect(await problems({ hosts: { 'a.test': host } })).toEqual([
      expect.stringContaining('expected certificates and keys in PEM format'),
    ]);
  });
});
