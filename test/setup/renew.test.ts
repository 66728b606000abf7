import fs from 'node:fs/promises';
import { Agent } from 'node:https';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { loadConfig } from '../../src/config/load-config.ts';
import type { ImageCheckerError } from '../../src/errors.ts';
import { startService } from '../../src/service.ts';
import type { Service } from '../../src/service.ts';
import { pathOf } from '../../src/setup/layout.ts';
import type { Target } from '../../src/setup/layout.ts';
import { altNamesOf, isIssuedBy } from '../../src/setup/pem.ts';
import type { SetupFlags } from '../../src/setup/options.ts';
import { outcome } from '../support/requests.ts';
import { memoryLog } from '../support/service.ts';
import type { MemoryLog } from '../support/service.ts';
import {
  apiserverAt,
  clientGo,
  certificateOf,
  layoutOf,
  livePorts,
  renewAt,
  textOf,
} from './renew-support.ts';
import { newPlace, rejection, removePlace, setUp, snapshot, watchedFs } from './support.ts';
import type { Place } from './support.ts';

const LEAVES = ['serverCertificate', 'serverKey', 'clientCertificate', 'clientKey'] as const;

let place: Place;
let service: Service | undefined;
let log: MemoryLog;

beforeEach(async () => {
  place = await newPlace();
});

afterEach(async () => {
  await service?.stop();
  service = undefined;
  await removePlace(place);
});

const make = (flags: SetupFlags = {}) => setUp(place, flags, livePorts());
const path = (target: Target): string => pathOf(layoutOf(place), target);

/** The service as its config file says, on ports of the system's choice. */
async function serve(): Promise<Service> {
  const config = await loadConfig(path('serviceConfig'));
  log = memoryLog();
  const listen = { host: '127.0.0.1', port: 0 };
  service = await startService({ ...config, listen, admin: listen }, log, Date.now, new Registry());
  return service;
}

const askNow = async (): Promise<number | 'no answer'> =>
  outcome(await apiserverAt(place, service?.port ?? 0));

/** Step 2 of a change of the CA refuses without it. */
const AFTER_RESTART = { ca: true, yes: true } as const;

describe('certs renew', () => {
  it('makes new keys and certificates that say what the old ones said', async () => {
    await make({ serverHost: ['checker.example.com', '2001:db8::1'] });
    const before = await Promise.all(LEAVES.map((target) => textOf(place, target)));
    const names = altNamesOf(await certificateOf(place, 'serverCertificate'));
    await renewAt(place);
    const after = await Promise.all(LEAVES.map((target) => textOf(place, target)));
    after.forEach((text, index) => {
      expect(text).not.toBe(before[index]);
    });
    const server = await certificateOf(place, 'serverCertificate');
    const client = await certificateOf(place, 'clientCertificate');
    expect(altNamesOf(server)).toEqual(names);
    expect([server.subject, client.subject]).toEqual(['CN=image-checker', 'CN=api-server']);
    const ca = await certificateOf(place, 'caCertificate');
    expect([isIssuedBy(server, ca), isIssuedBy(client, ca)]).toEqual([true, true]);
  });

  it('keeps a copy of what it replaced, and everything else as it was', async () => {
    await make();
    const before = await snapshot(place.root);
    const { backup } = await renewAt(place);
    const after = await snapshot(place.root);
    const folder = `service/${(backup ?? '').split('/').at(-1)}`;
    for (const target of LEAVES) {
      const name = path(target).slice(place.root.length + 1);
      expect(after[`${folder}/${name}`]).toBe(before[name]);
      expect(after[name]).not.toBe(before[name]);
    }
    const renewed = LEAVES.map((target) => path(target).slice(place.root.length + 1));
    const rest = (tree: Record<string, string>): unknown =>
      Object.entries(tree).filter(([name]) => !name.startsWith(folder) && !renewed.includes(name));
    expect(rest(after)).toEqual(rest(before));
  });

  it.each([
    ['a key that a group may read', 'serverKey', 0o640, 0o640],
    ["a certificate that is the owner's alone", 'clientCertificate', 0o600, 0o600],
    ['a key that everybody may read, which is closed', 'clientKey', 0o644, 0o600],
  ] as const)('keeps the mode of %s', async (_title, target, mode, expected) => {
    await make();
    await fs.chmod(path(target), mode);
    await renewAt(place);
    expect((await fs.stat(path(target))).mode & 0o777).toBe(expected);
  });

  it('renews the half of a pair that a crash has left', async () => {
    await make();
    const old = await textOf(place, 'serverKey');
    await renewAt(place);
    await fs.writeFile(path('serverKey'), old);
    await renewAt(place);
    await serve();
    expect(await askNow()).toBe(200);
  });

  it('puts everything back when it fails on the way', async () => {
    await make();
    const before = await snapshot(place.root);
    let total = 0;
    await renewAt(place, {}, { fs: watchedFs((call) => Promise.resolve(void (total = call))) });
    await removePlace(place);
    await make();
    const now = await snapshot(place.root);
    expect(Object.keys(now)).toEqual(Object.keys(before));
    for (let nth = 1; nth <= total - 8; nth += 7) {
      const failing = watchedFs((call) =>
        call === nth
          ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
          : Promise.resolve(),
      );
      expect(await rejection(renewAt(place, {}, { fs: failing }))).toMatchObject({
        code: 'file-unwritable',
      });
      expect(await snapshot(place.root)).toEqual(now);
    }
  });

  it('takes a key of the CA that is kept elsewhere', async () => {
    await make();
    const elsewhere = join(place.root, 'ca-key.pem');
    await fs.rename(path('caKey'), elsewhere);
    expect(await rejection(renewAt(place))).toMatchObject({
      code: 'file-unreadable',
      problems: [{ hint: expect.stringContaining('--ca-key') as unknown }],
    });
    await renewAt(place, { caKey: elsewhere });
    await serve();
    expect(await askNow()).toBe(200);
  });

  it('takes a CA of which all is kept elsewhere, and says how', async () => {
    await make();
    const kept = join(place.root, 'kept');
    await fs.rename(join(place.serviceDir, 'pki'), kept);
    expect(await rejection(renewAt(place))).toMatchObject({
      problems: [
        {
          message: 'expected to read it, got no such file',
          hint: expect.stringMatching(
            /--ca-key FILE.*--ca-cert FILE.*certs renew --ca`/,
          ) as unknown,
        },
      ],
    });
    await renewAt(place, { caCert: join(kept, 'ca-cert.pem'), caKey: join(kept, 'ca-key.pem') });
    await serve();
    expect(await askNow()).toBe(200);
  });

  it('changes a CA that is lost by the command that it says', async () => {
    await make();
    await fs.rm(join(place.serviceDir, 'pki'), { recursive: true });
    const refusal = await rejection(renewAt(place, { ca: true }));
    expect(refusal).toMatchObject({ code: 'setup-refused' });
    const [problem] = (refusal as ImageCheckerError).problems;
    expect(problem?.message).toBe('expected the certificate of the CA in force, got nothing');
    execFileSync('sh', ['-c', /there is a copy: (.*)$/.exec(problem?.hint ?? '')?.[1] ?? 'false']);
    await renewAt(place, { ca: true });
    const pki = await fs.readdir(join(place.serviceDir, 'pki'));
    expect(pki).toEqual(['ca-cert.pem', 'next-ca-cert.pem', 'next-ca-key.pem']);
    await serve();
    expect(await askNow()).toBe(200);
  });

  it.each<[string, (at: (target: Target) => string) => Promise<void>, RegExp]>([
    [
      'a missing certificate',
      (at) => fs.rm(at('serverCertificate')),
      /server-cert.pem: expected a file, got nothing/,
    ],
    [
      'a link that something else renews',
      async (at) => {
        await fs.rename(at('clientKey'), `${at('clientKey')}.1`);
        await fs.symlink(`${at('clientKey')}.1`, at('clientKey'));
      },
      /apiserver-client-key.pem: expected a file, got a symbolic link/,
    ],
    [
      'a CA that the other side does not trust',
      (at) => trustAnother(at('externalCa')),
      /external-cert.pem: expected the CA that signs/,
    ],
    [
      'a certificate that is none',
      (at) => fs.writeFile(at('clientCertificate'), 'x'),
      /expected PEM certificates, got none/,
    ],
  ])('refuses %s and changes nothing', async (_title, spoil, message) => {
    await make();
    await spoil(path);
    const before = await snapshot(place.root);
    const thrown = await rejection(renewAt(place));
    expect(thrown).toMatchObject({ code: 'setup-refused' });
    expect(String(thrown)).toMatch(message);
    expect(await snapshot(place.root)).toEqual(before);
  });

  async function trustAnother(file: string): Promise<void> {
    const other = await newPlace();
    await setUp(other, {}, livePorts());
    await fs.copyFile(pathOf(layoutOf(other), 'caCertificate'), file);
    await removePlace(other);
  }

  it('is taken up by a running service without one failed review', async () => {
    await make();
    const { port } = await serve();
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const readCaller = clientGo(place, port);
    const outcomes: (number | 'no answer')[] = [];
    let going = true;
    const reviewing = Array.from({ length: 4 }, async () => {
      while (going) {
        const caller = await readCaller();
        outcomes.push(await outcome(caller, { agent }));
        outcomes.push(await outcome(caller));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    });
    await renewAt(place);
    await untilReloads(1);
    going = false;
    await Promise.all(reviewing);
    agent.destroy();
    expect(outcomes.length).toBeGreaterThan(50);
    expect(outcomes.filter((each) => each !== 200)).toEqual([]);
  }, 20_000);
});

async function untilReloads(count: number): Promise<void> {
  for (let round = 0; round < 400; round++) {
    if (log.lines.filter(({ message }) => message === 'certificates reloaded').length >= count)
      return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('waited for 10 s in vain');
}

describe('certs renew --ca', () => {
  const subjects = async (target: Target): Promise<number> =>
    (await textOf(place, target)).match(/BEGIN/g)?.length ?? 0;

  const age = async (): Promise<void> => {
    const before = new Date(Date.now() - 6 * 60 * 1000);
    for (const target of LEAVES) await fs.utimes(path(target), before, before);
  };

  it('leads to a new CA in three steps, with reviews at every moment', async () => {
    await make();
    const running = await serve();
    const oldCa = await textOf(place, 'caCertificate');
    /** A kube-apiserver before v1.36: the CA as it was when it started. */
    let startedWith = await textOf(place, 'externalCa');
    const asked = async (): Promise<number | 'no answer'> =>
      outcome({ ...(await apiserverAt(place, running.port)), ca: startedWith });

    expect(await renewAt(place, { ca: true })).toMatchObject({ step: 'trust-both' });
    expect([await subjects('clientCa'), await subjects('externalCa')]).toEqual([2, 2]);
    expect(await textOf(place, 'caCertificate')).toBe(oldCa);
    expect(await asked()).toBe(200);
    await running.reload();
    expect(await asked()).toBe(200);

    startedWith = await textOf(place, 'externalCa'); // restarted
    expect(await asked()).toBe(200);
    expect(await renewAt(place, AFTER_RESTART)).toMatchObject({ step: 'change-over' });
    expect(await textOf(place, 'caCertificate')).not.toBe(oldCa);
    expect(await asked()).toBe(200); // the service still has the old certificate
    await running.reload();
    expect(await asked()).toBe(200);

    await age();
    expect(await renewAt(place, { ca: true })).toMatchObject({ step: 'forget-old' });
    const ca = await textOf(place, 'caCertificate');
    expect([await textOf(place, 'clientCa'), await textOf(place, 'externalCa')]).toEqual([ca, ca]);
    expect(await asked()).toBe(200);
    await running.reload();
    startedWith = await textOf(place, 'externalCa');
    expect(await asked()).toBe(200);
    expect(await fs.readdir(join(place.serviceDir, 'pki'))).toEqual(['ca-cert.pem', 'ca-key.pem']);
  });

  it('lets nobody in any more whom the old CA has signed', async () => {
    await make();
    const old = await apiserverAt(place, 0);
    await renewAt(place, { ca: true });
    await renewAt(place, AFTER_RESTART);
    await renewAt(place, AFTER_RESTART);
    const { port } = await serve();
    expect(await askNow()).toBe(200);
    const ca = await textOf(place, 'externalCa');
    expect(await outcome({ ...old, port, ca })).toBe('no answer');
  });

  it('refuses step 2 until kube-apiserver was restarted, and says how', async () => {
    await make();
    await renewAt(place, { ca: true });
    const before = await snapshot(place.root);
    const thrown = await rejection(renewAt(place, { ca: true }));
    expect(thrown).toMatchObject({
      code: 'setup-refused',
      problems: [
        { hint: expect.stringMatching(/restart every kube-apiserver .* v1\.36/) as unknown },
      ],
    });
    expect(await snapshot(place.root)).toEqual(before);
  });

  it('refuses step 3 while the new certificates are fresh', async () => {
    await make();
    await renewAt(place, { ca: true });
    await renewAt(place, AFTER_RESTART);
    expect(String(await rejection(renewAt(place, { ca: true })))).toMatch(
      /in use for 5 minutes .* got \d s/,
    );
    await age();
    expect(await renewAt(place, { ca: true })).toMatchObject({ step: 'forget-old' });
  });

  it('can be followed by another change', async () => {
    await make();
    for (const step of ['trust-both', 'change-over', 'forget-old', 'trust-both', 'change-over']) {
      expect(await renewAt(place, AFTER_RESTART)).toMatchObject({ step });
    }
    await serve();
    expect(await askNow()).toBe(200);
  });

  it('leaves other CAs alone that either side trusts', async () => {
    await make();
    const other = await newPlace();
    await setUp(other, {}, livePorts());
    const monitoring = await textOf(other, 'caCertificate');
    await removePlace(other);
    await fs.appendFile(path('clientCa'), monitoring);
    for (let call = 1; call <= 3; call++) await renewAt(place, AFTER_RESTART);
    const clientCa = await textOf(place, 'clientCa');
    expect(clientCa).toContain(monitoring);
    expect(clientCa).toContain(await textOf(place, 'caCertificate'));
    expect(await subjects('clientCa')).toBe(2);
  });

  it.each<[string, string]>([
    ['from the CA in force between steps 1 and 2', 'trust-both'],
    ['from the new CA between steps 2 and 3', 'change-over'],
  ])('lets leaves be renewed %s', async (_title, last) => {
    await make();
    await renewAt(place, { ca: true });
    if (last === 'change-over') await renewAt(place, AFTER_RESTART);
    const ca = await certificateOf(place, 'caCertificate');
    await renewAt(place);
    expect(isIssuedBy(await certificateOf(place, 'serverCertificate'), ca)).toBe(true);
    await serve();
    expect(await askNow()).toBe(200);
  });

  it('goes on where a machine has died in the middle of step 2', async () => {
    await make();
    await renewAt(place, { ca: true });
    const pki = join(place.serviceDir, 'pki');
    // As far as it had come: the CA was in its place, the leaves were not.
    await fs.copyFile(join(pki, 'ca-cert.pem'), join(pki, 'previous-ca-cert.pem'));
    await fs.copyFile(join(pki, 'next-ca-cert.pem'), join(pki, 'ca-cert.pem'));
    await fs.copyFile(join(pki, 'next-ca-key.pem'), join(pki, 'ca-key.pem'));
    expect(await renewAt(place, AFTER_RESTART)).toMatchObject({ step: 'change-over' });
    expect(await renewAt(place, AFTER_RESTART)).toMatchObject({ step: 'forget-old' });
    await serve();
    expect(await askNow()).toBe(200);
    expect(await subjects('clientCa')).toBe(1);
  });

  it('adds the new CA again where a bundle has lost it', async () => {
    await make();
    await renewAt(place, { ca: true });
    const next = await fs.readFile(join(place.serviceDir, 'pki', 'next-ca-cert.pem'), 'utf8');
    await fs.copyFile(path('caCertificate'), path('externalCa'));
    expect(await renewAt(place, AFTER_RESTART)).toMatchObject({ step: 'trust-both' });
    expect(await textOf(place, 'externalCa')).toContain(next);
  });

  it('needs the certificate of the CA in force, not its key, for the first step', async () => {
    await make();
    await fs.rm(path('caKey'));
    expect(await renewAt(place, { ca: true })).toMatchObject({ step: 'trust-both' });
    await fs.rm(path('caCertificate'));
    expect(String(await rejection(renewAt(place, { ca: true })))).toMatch(
      /ca-cert.pem: expected the certificate of the CA in force, got nothing/,
    );
  });
});
