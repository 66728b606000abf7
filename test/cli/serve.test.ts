import { writeFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import type { CommandContext } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { ask, reviewOf } from '../support/requests.ts';
import type { Caller } from '../support/requests.ts';
import { newServiceFolder, RULES } from '../support/service.ts';
import type { ServiceFolder } from '../support/service.ts';

let pki: TestPki;
let place: ServiceFolder;

beforeAll(async () => {
  pki = await newTestPki();
});

beforeEach(async () => {
  place = await newServiceFolder(pki);
});

afterEach(async () => {
  await place.remove();
});

/** A call of `serve`, with the signals that it has asked for. */
function serve(...args: readonly string[]) {
  const handlers = new Map<NodeJS.Signals, () => void>();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let written = '';
  stdout.setEncoding('utf8').on('data', (part: string) => (written += part));
  const context: CommandContext = {
    stdin: new PassThrough(),
    stdout,
    stderr,
    env: {},
    cwd: place.folder,
    onSignal: (signal, handler) => {
      handlers.set(signal, handler);
      return () => handlers.delete(signal);
    },
    exitCode: EXIT.ok,
  };
  const done = run(['serve', ...args], context);
  const log = (): Record<string, unknown>[] =>
    written
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    done,
    handlers,
    log,
    written: () => written,
    errors: () => String(stderr.read() ?? ''),
    /** Waits for a line of the log. */
    async line(message: string): Promise<Record<string, unknown>> {
      for (let turn = 0; turn < 6000; turn++) {
        const found = log().find((line) => line['message'] === message);
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      throw new Error(`expected the log line ${message}, got ${written}`);
    },
  };
}

function callerAt(listen: unknown): Caller {
  const port = Number(String(listen).replace('127.0.0.1:', ''));
  return { port, ca: pki.authority.certificate, credential: pki.client };
}

describe('image-checker serve', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('serves until %s, and ends well', async (signal) => {
    const call = serve('--config', place.configFile);
    const { listen } = await call.line('serving');
    expect((await ask(callerAt(listen))).status).toBe(200);
    expect([...call.handlers.keys()].sort()).toEqual(['SIGHUP', 'SIGINT', 'SIGTERM']);
    call.handlers.get(signal)?.();
    // A second signal finds no handler, so it ends the process at once.
    expect([...call.handlers.keys()]).not.toContain(signal);
    expect(await call.done).toBe(EXIT.ok);
    expect(call.log().map(({ message }) => message)).toEqual([
      'serving',
      'image review decided',
      'stopping',
      'stopped',
    ]);
    expect(await call.line('stopping')).toMatchObject({ signal, level: 'info' });
    expect([call.errors(), call.handlers.size]).toEqual(['', 0]);
  });

  it('reads the config file where it is, with the paths in it relative to it', async () => {
    const { tls, ...config } = place.config;
    const relative = { ...tls, certificate: 'server-cert.pem', key: './server-key.pem' };
    const rules = '././rules.yaml';
    const text = JSON.stringify({ ...config, tls: relative, rules, registries: undefined });
    await writeFile(place.configFile, text);
    const call = serve('--config', place.configFile);
    expect(await call.line('serving')).toMatchObject({ rules: place.config.rules });
    call.handlers.get('SIGTERM')?.();
    expect(await call.done).toBe(EXIT.ok);
  });

  it('loads the rules anew on SIGHUP', async () => {
    const call = serve('--config', place.configFile);
    await call.line('serving');
    await writeFile(place.config.rules, RULES.replace('docker.io', 'quay.io'));
    call.handlers.get('SIGHUP')?.();
    expect(await call.line('rules reloaded')).toMatchObject({ level: 'info' });
    call.handlers.get('SIGTERM')?.();
    expect(await call.done).toBe(EXIT.ok);
  });

  it.each(['json', 'pretty'] as const)(
    'keeps what comes from outside on its line of the %s log',
    async (format) => {
      const config = {
        ...place.config,
        logging: { level: 'info', format },
        registries: undefined,
      };
      await writeFile(place.configFile, JSON.stringify(config));
      const call = serve('--config', place.configFile);
      for (let turn = 0; turn < 6000 && !call.written().includes('serving'); turn++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const [, listen] = /listen"?[=:]"(127\.0\.0\.1:\d+)/.exec(call.written()) ?? [];
      const forged = 'x\n{"level":"error","message":"forged"}\r\u2028\u001b[2J\u009b2J';
      const body = reviewOf([forged], { annotations: { [forged]: forged } });
      await ask(callerAt(listen), { body: body.replace('"default"', JSON.stringify(forged)) });
      await ask(callerAt(listen), { body: JSON.stringify({ apiVersion: forged }) });
      call.handlers.get('SIGTERM')?.();
      await call.done;
      const lines = call.written().trimEnd().split('\n');
      expect(lines).toHaveLength(5);
      expect(call.written()).not.toMatch(/[^\P{Cc}\n]/u);
      const forgeries = format === 'json' ? call.log() : [];
      expect(forgeries.filter(({ message }) => message === 'forged')).toEqual([]);
    },
  );
});

describe('the log of image-checker serve', () => {
  it('has no header, no annotation but the ticket, no part of a body that is no review, and no key', async () => {
    const config = {
      ...place.config,
      logging: { level: 'debug', format: 'json' },
      registries: undefined,
    };
    await writeFile(place.configFile, JSON.stringify(config));
    const call = serve('--config', place.configFile);
    const caller = callerAt((await call.line('serving'))['listen']);
    const headers = {
      'Content-Type': 'application/json',
      Authorization: 'Bearer hush-1',
      Cookie: 'hush-2',
      'X-Hush-3': 'hush-3',
    };
    const annotations = { 'hush-4': 'hush-5' };
    await ask(caller, { headers, body: reviewOf(['docker.io/nginx'], { annotations }) });
    await ask(caller, { headers, body: reviewOf(['quay.io/nginx'], { annotations }) });
    await ask(caller, { headers, body: '{"kind":"hush-6","password":"hush-7"' });
    await ask(caller, { headers, body: '{"kind":"ImageReview","spec":"hush-8"}' });
    await ask(caller, { headers, path: '/check-image?token=hush-9', method: 'GET' });
    call.handlers.get('SIGTERM')?.();
    await call.done;
    expect(call.log().filter(({ message }) => message === 'image review decided')).toHaveLength(2);
    expect(call.log().filter(({ message }) => message === 'request refused')).toHaveLength(3);
    expect(call.written().toLowerCase()).not.toMatch(/hush|private key|certificate-----/);
  });
});

describe('image-checker serve, called wrongly', () => {
  const calls: [string, string[], string][] = [
    ['without a config file', [], "required option '--config <file>' not specified"],
    ['with an empty option', ['--config'], "option '--config <file>' argument missing"],
    ['with an unknown option', ['--config', 'x', '--insecure'], "unknown option '--insecure'"],
    ['with an argument', ['--config', 'x', 'y'], 'too many arguments'],
    ['with a file that is not there', ['--config', 'x'], 'x: cannot be read: no such file'],
    ['with a folder', ['--config', '.'], '.: cannot be read: it is a folder'],
  ];

  it.each(calls)('says so %s', async (_title, args, message) => {
    const call = serve(...args);
    expect(await call.done).toBe(EXIT.usage);
    const errors = call.errors();
    expect(errors).toMatch(/^image-checker: error: /);
    expect(errors).toContain(message);
    expect(call.written()).toBe('');
  });

  it('tells every mistake of a config file with its place', async () => {
    await writeFile(
      place.configFile,
      [
        'apiVersion: image-checker/v1',
        'kind: ServiceConfig',
        'listen: { port: 70000 }',
        'tls:',
        '  certificate: a',
        '  key: b',
        '  clientCA: c',
        '  clientAuth: optional',
        '  minVersion: TLSv1.1',
        '  allowedClients: []',
        'rules: d',
      ].join('\n'),
    );
    const call = serve('--config', place.configFile);
    expect(await call.done).toBe(EXIT.usage);
    const places = [...call.errors().matchAll(/^image-checker: error: (\S+): /gm)];
    expect(places.map(([, at]) => at)).toEqual([
      `${place.configFile}:3:17`,
      `${place.configFile}:8:3`,
      `${place.configFile}:9:15`,
      `${place.configFile}:10:3`,
    ]);
  });

  it('tells everything that keeps the service from starting, each with a way out', async () => {
    await writeFile(place.config.tls.key, 'hush');
    await writeFile(place.config.tls.clientCA, pki.client.certificate);
    await writeFile(place.config.rules, RULES.replace('registries:', 'registry:'));
    const call = serve('--config', place.configFile);
    expect(await call.done).toBe(EXIT.usage);
    const lines = call.errors().trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('image-checker: error: '))).toEqual([
      `image-checker: error: ${place.config.tls.key}: expected a PEM private key without a passphrase`,
      `image-checker: error: ${place.config.tls.clientCA}: expected CA certificates, got CN=api-server, which is none`,
      expect.stringContaining(`image-checker: error: ${place.config.rules}:7:18: `),
    ]);
    expect(lines.filter((line) => line.startsWith('image-checker: hint: '))).toHaveLength(3);
    expect(lines).toHaveLength(6);
    expect(call.written()).toBe('');
  });
});
