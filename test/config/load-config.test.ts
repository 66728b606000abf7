import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Config } from '../../src/config/schema.ts';
import { ImageCheckerError } from '../../src/errors.ts';

const HEAD = 'apiVersion: image-checker/v1\nkind: ServiceConfig\n';
const TLS = 'tls: { certificate: c.pem, key: k.pem, clientCA: ca.pem }\n';
/** Four lines: what a test adds begins on line 5. */
const MINIMAL = `${HEAD}${TLS}rules: rules.yaml\n`;

let folder = '';
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function writeConfig(text: string): Promise<string> {
  const file = join(folder, `config-${++count}.yaml`);
  await writeFile(file, text);
  return file;
}

async function load(text: string): Promise<Config> {
  return loadConfig(await writeConfig(text));
}

/** The mistakes as `line:column message [hint]`. */
async function mistakes(text: string): Promise<string[]> {
  const file = await writeConfig(text);
  const thrown: unknown = await loadConfig(file).catch((error: unknown) => error);
  if (!(thrown instanceof ImageCheckerError)) throw new Error('expected an error');
  expect(thrown.code).toBe('config-invalid');
  expect(thrown.problems.every((problem) => problem.file === file)).toBe(true);
  return thrown.problems.map(({ line, column, message, hint }) => {
    const at = `${line ?? '?'}:${column ?? '?'} ${message}`;
    return hint === undefined ? at : `${at} [${hint}]`;
  });
}

describe('a config file', () => {
  it('gets a default wherever it says nothing', async () => {
    expect(await load(MINIMAL)).toMatchObject({
      listen: { host: '0.0.0.0', port: 1234 },
      admin: { host: '127.0.0.1', port: 9090 },
      tls: { allowedClients: ['api-server'], minVersion: 'TLSv1.2' },
      limits: { bodyBytes: 3_145_728, inFlight: 512, containers: 1000 },
      logging: { level: 'info', format: 'json', sampleAllowed: 1 },
      pluginCacheSeconds: 1800,
    });
  });

  it('gets a default for each key by itself', async () => {
    const text = `${MINIMAL}listen: { port: 8443 }\nadmin: { host: "::1" }\nlimits: { inFlight: 2 }\nlogging: { format: pretty }\n`;
    expect(await load(text)).toMatchObject({
      listen: { host: '0.0.0.0', port: 8443 },
      admin: { host: '::1', port: 9090 },
      limits: { bodyBytes: 3_145_728, inFlight: 2, containers: 1000 },
      logging: { level: 'info', format: 'pretty', sampleAllowed: 1 },
    });
  });

  it('may say everything', async () => {
    const text = `${HEAD}
listen: { host: 127.0.0.1, port: 0 }
admin: { host: localhost, port: 65535 }
tls:
  certificate: /etc/tls/server.pem
  key: /etc/tls/server-key.pem
  clientCA: /etc/tls/ca.pem
  allowedClients: [api-server, front-proxy]
  minVersion: TLSv1.3
rules: /etc/rules.yaml
pluginCacheSeconds: 0
limits: { bodyBytes: 1024, inFlight: 1, containers: 1 }
logging: { level: debug, format: pretty, sampleAllowed: 100 }
`;
    expect(await load(text)).toMatchObject({
      listen: { host: '127.0.0.1', port: 0 },
      admin: { host: 'localhost', port: 65535 },
      tls: {
        certificate: '/etc/tls/server.pem',
        key: '/etc/tls/server-key.pem',
        clientCA: '/etc/tls/ca.pem',
        allowedClients: ['api-server', 'front-proxy'],
        minVersion: 'TLSv1.3',
      },
      rules: '/etc/rules.yaml',
      limits: { bodyBytes: 1024, inFlight: 1, containers: 1 },
      logging: { level: 'debug', format: 'pretty', sampleAllowed: 100 },
      pluginCacheSeconds: 0,
    });
  });

  it('names its files relative to itself, wherever it is called from', async () => {
    const deep = join(folder, 'a', 'b');
    await mkdir(deep, { recursive: true });
    const file = join(deep, 'config.yaml');
    await writeFile(
      file,
      `${HEAD}tls: { certificate: tls/c.pem, key: ../k.pem, clientCA: /abs/ca.pem }\nrules: ./rules.yaml\n`,
    );
    const expected = {
      rules: join(deep, 'rules.yaml'),
      tls: {
        certificate: join(deep, 'tls/c.pem'),
        key: join(folder, 'a', 'k.pem'),
        clientCA: '/abs/ca.pem',
      },
    };
    expect(await loadConfig(file)).toMatchObject(expected);
    expect(await loadConfig(relative(process.cwd(), file))).toMatchObject(expected);
  });

  it('may be JSON', async () => {
    const tls = { certificate: 'c', key: 'k', clientCA: 'a' };
    const text = JSON.stringify({
      apiVersion: 'image-checker/v1',
      kind: 'ServiceConfig',
      tls,
      rules: 'r',
    });
    expect((await load(text)).rules).toBe(join(folder, 'r'));
  });
});

describe('a mistake in a config file', () => {
  it.each([
    ['an empty file', '', ['1:1 the document: expected a mapping, got null']],
    [
      'the kind of another file',
      MINIMAL.replace('ServiceConfig', 'ImagePolicy'),
      [
        '2:7 kind: expected "ServiceConfig", got "ImagePolicy" [this is another kind of file, what else is in it was not checked]',
      ],
    ],
    ['no tls', `${HEAD}rules: r\n`, ['1:1 tls is missing: expected a mapping']],
    ['no rules', `${HEAD}${TLS}`, ['1:1 rules is missing: expected a string']],
    [
      'no files in tls',
      `${HEAD}tls: {}\nrules: r\n`,
      [
        '3:1 tls.certificate is missing: expected a string',
        '3:1 tls.key is missing: expected a string',
        '3:1 tls.clientCA is missing: expected a string',
      ],
    ],
    [
      'an empty path',
      MINIMAL.replace('rules.yaml', '""'),
      ['4:8 rules: expected at least 1 character, got ""'],
    ],
    ['no path', MINIMAL.replace('rules.yaml', ''), ['4:8 rules: expected a string, got null']],
    [
      'a client CA by another name',
      MINIMAL.replace('clientCA', 'clientCa'),
      [
        '3:1 tls.clientCA is missing: expected a string',
        '3:40 unknown key "clientCa" [did you mean "clientCA"?]',
      ],
    ],
    [
      'a switch for mutual TLS',
      MINIMAL.replace('ca.pem }', 'ca.pem, verifyClient: false }'),
      [
        '3:58 unknown key "verifyClient" [known here: certificate, key, clientCA, allowedClients, minVersion]',
      ],
    ],
    [
      'nobody allowed',
      MINIMAL.replace('ca.pem }', 'ca.pem, allowedClients: [] }'),
      ['3:58 tls.allowedClients: expected at least 1 item, got an empty list'],
    ],
    [
      'a client without a name',
      MINIMAL.replace('ca.pem }', 'ca.pem, allowedClients: [""] }'),
      ['3:75 tls.allowedClients[0]: expected at least 1 character, got ""'],
    ],
    [
      'one client that is no list',
      MINIMAL.replace('ca.pem }', 'ca.pem, allowedClients: api-server }'),
      ['3:74 tls.allowedClients: expected a list, got "api-server"'],
    ],
    [
      'an old TLS',
      MINIMAL.replace('ca.pem }', 'ca.pem, minVersion: TLSv1.1 }'),
      [
        '3:70 tls.minVersion: expected "TLSv1.2" or "TLSv1.3", got "TLSv1.1" [did you mean "TLSv1.2"?]',
      ],
    ],
    [
      'a port in quotes',
      `${MINIMAL}listen: { port: "1234" }\n`,
      ['5:17 listen.port: expected a number, got "1234" [write it without quotes]'],
    ],
    [
      'a port that there is not',
      `${MINIMAL}listen: { port: 65536 }\nadmin: { port: -1 }\n`,
      [
        '5:17 listen.port: expected at most 65535, got 65536',
        '6:16 admin.port: expected at least 0, got -1',
      ],
    ],
    [
      'a fraction of a port',
      `${MINIMAL}listen: { port: 1.5 }\n`,
      ['5:17 listen.port: expected a whole number, got 1.5'],
    ],
    [
      'no host',
      `${MINIMAL}listen: { host: "" }\nadmin: { host: 127 }\n`,
      [
        '5:17 listen.host: expected at least 1 character, got ""',
        '6:16 admin.host: expected a string, got 127 [put it in quotes]',
      ],
    ],
    ['nothing for a mapping', `${MINIMAL}listen:\n`, ['5:8 listen: expected a mapping, got null']],
    [
      'limits out of reach',
      `${MINIMAL}limits: { bodyBytes: 0, inFlight: 0, containers: 0 }\n`,
      [
        '5:22 limits.bodyBytes: expected at least 1024, got 0',
        '5:35 limits.inFlight: expected at least 1, got 0',
        '5:50 limits.containers: expected at least 1, got 0',
      ],
    ],
    [
      'limits beyond reason',
      `${MINIMAL}limits: { bodyBytes: 67108865, inFlight: 100001, containers: 100001 }\n`,
      [
        '5:22 limits.bodyBytes: expected at most 67108864, got 67108865',
        '5:42 limits.inFlight: expected at most 100000, got 100001',
        '5:62 limits.containers: expected at most 100000, got 100001',
      ],
    ],
    [
      'a cache longer than the plugin keeps one',
      `${MINIMAL}pluginCacheSeconds: 1801\n`,
      ['5:21 pluginCacheSeconds: expected at most 1800, got 1801'],
    ],
    [
      'a cache without a length',
      `${MINIMAL}pluginCacheSeconds: -1\n`,
      ['5:21 pluginCacheSeconds: expected at least 0, got -1'],
    ],
    [
      'a size with a unit',
      `${MINIMAL}limits: { bodyBytes: 3Mi }\n`,
      ['5:22 limits.bodyBytes: expected a number, got "3Mi"'],
    ],
    [
      'words that are near',
      `${MINIMAL}logging: { level: warning, format: prety }\n`,
      [
        '5:19 logging.level: expected "error" or "warn" or "info" or "debug", got "warning"',
        '5:36 logging.format: expected "json" or "pretty", got "prety" [did you mean "pretty"?]',
      ],
    ],
    [
      'a sample of none',
      `${MINIMAL}logging: { sampleAllowed: 0 }\n`,
      ['5:27 logging.sampleAllowed: expected at least 1, got 0'],
    ],
    [
      'a sample that is a part',
      `${MINIMAL}logging: { sampleAllowed: 0.1 }\n`,
      ['5:27 logging.sampleAllowed: expected a whole number, got 0.1'],
    ],
    [
      'unknown keys',
      `${MINIMAL}lisen: {}\n__proto__: {}\nlogging: { levl: info, constructor: x }\n`,
      [
        '5:1 unknown key "lisen" [did you mean "listen"?]',
        '6:1 unknown key "__proto__"',
        '7:12 unknown key "levl" [did you mean "level"?]',
        '7:24 unknown key "constructor" [known here: level, format, sampleAllowed]',
      ],
    ],
    [
      'a key twice',
      `${MINIMAL}rules: other.yaml\n`,
      ['5:1 expected each key once, got this one again'],
    ],
    [
      'a second document',
      `${MINIMAL}---\n${MINIMAL}`,
      ['5:1 expected one YAML document, got another one'],
    ],
    [
      'a tab',
      `${MINIMAL}listen:\n\tport: 1\n`,
      ['6:1 not YAML: tabs are not allowed as indentation'],
    ],
  ])('is told with its place: %s', async (_title, text, expected) => {
    const told = await mistakes(text);
    expect(told).toEqual(expected.map((each) => expect.stringContaining(each)));
  });

  it('does not hide another one', async () => {
    const told = await mistakes(
      'apiVersion: v1\nkind: ServiceConfig\ntls: { certificate: 1 }\nlisten: { port: x }\nrulez: r\n',
    );
    expect(told.map((each) => each.replace(/ .*/, ''))).toEqual([
      ...['1:1', '1:13', '3:1', '3:1', '3:21', '4:17', '5:1'],
    ]);
  });

  it('is a file that cannot be read', async () => {
    const file = join(folder, 'absent.yaml');
    await expect(loadConfig(file)).rejects.toMatchObject({
      code: 'file-unreadable',
      problems: [
        {
          file,
          message: 'cannot be read: no such file',
          hint: '`image-checker setup` writes a first config.yaml',
        },
      ],
    });
    await expect(loadConfig(folder)).rejects.toMatchObject({
      code: 'file-unreadable',
      problems: [{ message: 'cannot be read: it is a folder' }],
    });
  });
});
