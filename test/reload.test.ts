import { writeFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createReloader } from '../src/reloader.ts';
import { startService } from '../src/service.ts';
import type { Service } from '../src/service.ts';
import { issueLeaf } from '../src/setup/pki.ts';
import { systemPkiPorts } from '../src/setup/system-pki-ports.ts';
import { newSigningKey } from './support/cosign.ts';
import { newTestPki } from './support/certificates.ts';
import type { TestPki } from './support/certificates.ts';
import { ask, outcome, reviewOf } from './support/requests.ts';
import type { Caller } from './support/requests.ts';
import { memoryLog, newServiceFolder, RULES } from './support/service.ts';
import type { MemoryLog, ServiceFolder } from './support/service.ts';

const QUAY = RULES.replace('docker.io', 'quay.io');
const BROKEN = RULES.replace('registries:', 'registry:');
const SIGNED = RULES.replace('explicitRegistry: true', 'signatures: [{ keys: [a.pub] }]');
const NOW = Date.parse('2026-11-23T12:00:00Z');

let pki: TestPki;

beforeAll(async () => {
  pki = await newTestPki();
});

describe('a service whose files change', () => {
  let folder: ServiceFolder;
  let service: Service;
  let log: MemoryLog;
  let onLine: (message: string) => void;

  const start = async (change?: (folder: ServiceFolder) => Promise<void>) => {
    onLine = () => undefined;
    folder = await newServiceFolder(pki);
    await change?.(folder);
    const plain = memoryLog();
    log = {
      ...plain,
      info: (message, fields) => {
        plain.info(message, fields);
        onLine(message);
      },
    };
    service = await startService(folder.config, log, Date.now, new Registry());
  };
  const caller = (): Caller => ({
    port: service.port,
    ca: pki.authority.certificate,
    credential: pki.client,
  });
  const allows = async (image: string): Promise<boolean> => {
    const { text } = await ask(caller(), { body: reviewOf([image]) });
    return (JSON.parse(text) as { status: { allowed: boolean } }).status.allowed;
  };
  const logged = (message: string): number =>
    log.lines.filter((line) => line.message === message).length;
  const ready = async (): Promise<{ status: number; body: string }> => {
    const response = await fetch(`http://127.0.0.1:${service.adminPort}/readyz`);
    return { status: response.status, body: await response.text() };
  };

  afterEach(async () => {
    await service.stop();
    await folder.remove();
  });

  it.each([
    ['is written over', (file: string) => writeFile(file, QUAY)],
    [
      'is replaced by a rename, as editors do',
      async (file: string) => {
        await writeFile(`${file}.new`, QUAY);
        await rename(`${file}.new`, file);
      },
    ],
    [
      'goes and comes back',
      async (file: string) => {
        await unlink(file);
        await writeFile(file, QUAY);
      },
    ],
  ])('goes by the new rules when the file %s', async (_how, change) => {
    await start();
    expect([await allows('docker.io/a'), await allows('quay.io/a')]).toEqual([true, false]);
    await change(folder.config.rules);
    await until(() => logged('rules reloaded') === 1);
    expect([await allows('docker.io/a'), await allows('quay.io/a')]).toEqual([false, true]);
  });

  it('goes by the new rules when a ConfigMap mount swaps its folder', async () => {
    await start(async ({ folder: root, config }) => {
      await mkdir(join(root, '..2026_1'));
      await writeFile(join(root, '..2026_1', 'rules.yaml'), RULES);
      await symlink('..2026_1', join(root, '..data'));
      await rm(config.rules);
      await symlink(join('..data', 'rules.yaml'), config.rules);
    });
    await mkdir(join(folder.folder, '..2026_2'));
    await writeFile(join(folder.folder, '..2026_2', 'rules.yaml'), QUAY);
    await symlink('..2026_2', join(folder.folder, '..data_tmp'));
    await rename(join(folder.folder, '..data_tmp'), join(folder.folder, '..data'));
    await until(() => logged('rules reloaded') === 1);
    expect([await allows('docker.io/a'), await allows('quay.io/a')]).toEqual([false, true]);
  });

  it('goes by a new key when the file changes that the rules name', async () => {
    await start(({ config }) => writeFile(join(config.rules, '..', 'a.pub'), newPem()));
    const keyFile = join(folder.folder, 'a.pub');
    await writeFile(folder.config.rules, SIGNED);
    await until(() => logged('rules reloaded') === 1);
    await writeFile(keyFile, newPem());
    await until(() => logged('rules reloaded') === 2);
    await writeFile(keyFile, 'no key');
    await until(() => logged('rules: not reloaded, the old state stays in force') === 1);
    await writeFile(folder.config.rules, RULES);
    await until(() => logged('rules reloaded') === 3);
    expect(await allows('docker.io/a')).toBe(true);
  });

  it.each([
    ['the rules', 'rules.yaml', () => QUAY],
    ['a key that only these name', 'a.pub', newPem],
  ])('misses no change of %s while it takes rules that name other files', async (...row) => {
    const [, name, newText] = row;
    await start(({ config }) => writeFile(join(config.rules, '..', 'a.pub'), newPem()));
    // At this line all has been read, and nobody has looked at the key since.
    onLine = (message) => {
      if (message !== 'rules reloaded') return;
      onLine = () => undefined;
      writeFileSync(join(folder.folder, name), newText());
    };
    await writeFile(folder.config.rules, SIGNED);
    await until(() => logged('rules reloaded') === 2);
    expect(await allows('quay.io/a')).toBe(name === 'rules.yaml');
  });

  it.each([
    ['has a mistake', (file: string) => writeFile(file, BROKEN), 'unknown key "registry"'],
    ['is empty', (file: string) => writeFile(file, ''), 'expected a mapping'],
    ['is deleted', (file: string) => unlink(file), 'no such file'],
    [
      'is a folder',
      async (file: string) => {
        await unlink(file);
        await mkdir(file);
      },
      'it is a folder',
    ],
  ])('keeps the old rules, stays ready and says so when the file %s', async (_how, change, why) => {
    await start();
    await change(folder.config.rules);
    await until(() => logged('rules: not reloaded, the old state stays in force') === 1);
    await service.reload();
    expect(logged('rules: not reloaded, the old state stays in force')).toBe(1);
    expect([await allows('docker.io/a'), await allows('quay.io/a')]).toEqual([true, false]);
    const { status, body } = await ready();
    expect(status).toBe(200);
    expect(body).toContain('"what":"rules"');
    expect(JSON.parse(body)).toMatchObject({
      failedReloads: [{ problems: [expect.stringContaining(why)] }],
    });
  });

  it('warns when there are fewer rules than before: the file may have been cut off', async () => {
    const more =
      '    - { name: more, match: { images: [quay.io/x] }, require: { digest: true } }\n';
    await start(({ config }) => writeFile(config.rules, RULES + more));
    await writeFile(folder.config.rules, RULES);
    await service.reload();
    const { level, fields } = log.lines.find(({ message }) => message === 'rules reloaded') ?? {};
    expect([level, fields?.['note']]).toEqual(['warn', 'fewer rules than before']);
  });

  it('says until when old answers may come from a cache', async () => {
    await start();
    const before = Date.now();
    await writeFile(folder.config.rules, QUAY);
    await service.reload();
    const line = log.lines.find(({ message }) => message === 'rules reloaded');
    const until = Date.parse(String(line?.fields['oldAnswersForgottenBy']));
    expect(until - before).toBeGreaterThanOrEqual(50_000);
    expect(until - before).toBeLessThan(60_000);
  });

  it('reads nothing into a reload that changes nothing', async () => {
    await start();
    await service.reload();
    expect(log.lines).toEqual([]);
  });

  it('takes a new certificate without dropping a connection', async () => {
    await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await ask(caller(), { agent });
    await replacePair(folder, pki);
    await until(() => logged('certificates reloaded') === 1);
    const second = await ask(caller(), { agent });
    expect([second.status, second.reused, second.headers.connection]).toEqual([200, true, 'close']);
    const third = await ask(caller(), { agent });
    expect([third.status, third.reused]).toEqual([200, false]);
    agent.destroy();
  });

  it('takes another client CA: who was let in by the old one comes in no more', async () => {
    await start();
    const other = await issueLeaf(
      pki.otherAuthority,
      { kind: 'client', name: 'api-server' },
      systemPkiPorts,
    );
    const asOther = (): Caller => ({ ...caller(), credential: other });
    expect(await outcome(asOther())).toBe('no answer');
    await writeFile(folder.config.tls.clientCA, pki.otherAuthority.certificate);
    await service.reload();
    expect([await outcome(asOther()), await outcome(caller())]).toEqual([200, 'no answer']);
  });

  it.each([
    ['half-written', (f: ServiceFolder) => writeFile(f.config.tls.certificate, '-----BEGIN CER')],
    ['readable by all', (f: ServiceFolder) => chmod(f.config.tls.key, 0o644)],
    ['of another pair', (f: ServiceFolder) => writeFile(f.config.tls.key, pki.client.key)],
  ])('keeps the old certificate when a file is %s', async (_how, change) => {
    await start();
    await change(folder);
    await service.reload();
    expect(logged('certificates: not reloaded, the old state stays in force')).toBe(1);
    expect(await allows('docker.io/a')).toBe(true);
    expect((await ready()).status).toBe(200);
  });
});

describe('a reloader', () => {
  const log = memoryLog();
  afterAll(() => {
    log.lines.length = 0;
  });

  it('runs one load at a time, and one more for what was asked meanwhile', async () => {
    let running = 0;
    let most = 0;
    let loads = 0;
    const reloader = createReloader({
      what: 'rules',
      load: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
        return ++loads;
      },
      apply: () => undefined,
      log,
      clock: () => NOW,
    });
    await Promise.all([reloader.reload(), reloader.reload(), reloader.reload()]);
    expect([most, loads]).toEqual([1, 2]);
  });

  it('tells when a mistake is gone, and keeps what failed when applying throws', async () => {
    let mistake: string | undefined = 'first';
    const reloader = createReloader({
      what: 'rules',
      load: () => Promise.resolve(mistake),
      apply: (loaded) => {
        if (loaded !== undefined) throw new Error(loaded);
      },
      log,
      clock: () => NOW,
    });
    await reloader.reload();
    expect(reloader.failure()).toEqual({
      what: 'rules',
      at: '2026-11-23T12:00:00.000Z',
      problems: ['first'],
    });
    mistake = undefined;
    await reloader.reload();
    expect(reloader.failure()).toBeUndefined();
    expect(log.lines.at(-1)?.message).toBe('rules: the mistake is gone');
  });
});

/** A public key that nobody has seen before. */
function newPem(): string {
  return newSigningKey().trusted.key.export({ type: 'spki', format: 'pem' }).toString();
}

async function replacePair({ config }: ServiceFolder, { authority }: TestPki): Promise<void> {
  const hosts = [{ type: 'ip', value: '127.0.0.1' }] as const;
  const fresh = await issueLeaf(authority, { kind: 'server', hosts }, systemPkiPorts);
  await writeFile(config.tls.certificate, fresh.certificate);
  await writeFile(config.tls.key, fresh.key);
}

/** Waits for a condition, with a bound that only a broken service meets. */
async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 400; round++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('waited for 20 s in vain');
}
