import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { RULES as SERVICE_RULES, startTestService } from '../support/service.ts';
import type { TestService } from '../support/service.ts';
import { call, newFolder, removeFolder } from './call.ts';
import type { Called } from './call.ts';

let folder: string;
let pki: TestPki;
let service: TestService;
let other: Server | undefined;

beforeAll(async () => {
  pki = await newTestPki();
  service = await startTestService(pki);
  folder = await newFolder({
    'cert.pem': pki.client.certificate,
    'key.pem': pki.client.key,
    'ca.pem': pki.authority.certificate,
    'other-ca.pem': pki.otherAuthority.certificate,
    'same.yaml': SERVICE_RULES,
    'other.yaml': SERVICE_RULES.replace('docker.io', 'quay.io'),
  });
});

afterEach(() => {
  other?.closeAllConnections();
  other?.close();
  other = undefined;
});

afterAll(async () => {
  await service.end();
  await removeFolder(folder);
});

function check(args: readonly string[], port = service.port, ca = 'ca.pem'): Promise<Called> {
  const client = ['--cert', 'cert.pem', '--key', 'key.pem', '--ca', ca];
  const server = ['--server', `https://127.0.0.1:${port}`];
  return call(['check', ...server, ...client, ...args], { cwd: folder });
}

/** A server with our certificate that answers everything alike. */
async function answering(status: number, body: string): Promise<number> {
  other = createServer(
    { cert: pki.server.certificate, key: pki.server.key },
    (_request, response) => {
      response.writeHead(status).end(body);
    },
  );
  const server = other;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('image-checker check --server', () => {
  it('shows the answer of a running service, with reason and audit annotations', async () => {
    const { code, stdout, stderr } = await check(['docker.io/nginx', 'nginx', '-n', 'shop']);
    expect([code, stderr]).toEqual([EXIT.finding, '']);
    expect(stdout).toContain(`https://127.0.0.1:${service.port}/check-image: denied\n`);
    expect(stdout).toContain(
      '  nginx: the registry is not written out, write docker.io/nginx (rule trusted-registries): not trusted image!\n',
    );
    expect(stdout).toMatch(
      /\n {2}decision [0-9a-f-]{36}\n {2}audit annotations:\n {4}decision-id: /,
    );
    expect(stdout).toContain('    violated-rules: trusted-registries\n');
  });

  it('ends with 0 when the service allows', async () => {
    const { code, stdout } = await check(['docker.io/nginx', '-o', 'json']);
    expect(code).toBe(EXIT.ok);
    expect(JSON.parse(stdout)).toEqual({
      namespace: 'default',
      annotations: {},
      server: {
        url: `https://127.0.0.1:${service.port}/check-image`,
        allowed: true,
        reason: null,
        auditAnnotations: {
          'decision-id': expect.any(String),
          policy: expect.stringMatching(/^test-policy@/),
        },
      },
    });
  });

  it('says that a rules file and the service agree', async () => {
    const { code, stdout } = await check(['docker.io/nginx', '--rules', 'same.yaml']);
    expect(code).toBe(EXIT.ok);
    expect(stdout).toMatch(/\nthe rules file and the service agree\n$/);
  });

  it('says that they do not agree, and that other rules are in force', async () => {
    const { code, stdout } = await check(['docker.io/nginx', '--rules', 'other.yaml']);
    expect(code).toBe(EXIT.finding);
    expect(stdout).toMatch(
      /\nthe rules file and the service do not agree; the service has other rules in force: test-policy@\w{12}, not test-policy@\w{12}\n$/,
    );
    const json = await check(['docker.io/nginx', '--rules', 'other.yaml', '-o', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      allowed: false,
      server: { allowed: true },
      agree: false,
    });
  });

  it.each([
    ['a server of another CA', [], 'other-ca.pem', /expected an answer, got .*certificate/],
    [
      'a path that is not served',
      ['--server', 'PATH'],
      'ca.pem',
      /got status 404: image-checker: expected POST/,
    ],
  ])('cannot tell with %s', async (_title, args, ca, message) => {
    const url = `https://127.0.0.1:${service.port}/other`;
    const { code, stdout, stderr } = await check(
      ['nginx', ...args.map((arg) => (arg === 'PATH' ? url : arg))],
      service.port,
      ca,
    );
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toMatch(message);
  });

  it.each([
    ['a refusal', 403, '{"kind":"Status","message":"not you"}', 'got status 403: not you'],
    ['a page', 200, '<html>', 'got something that is no ImageReview with a status'],
    ['a status without a verdict', 200, '{"status":{}}', 'got something that is no ImageReview'],
    ['an error', 500, '', 'got status 500'],
    ['too much', 200, ' '.repeat(9 * 1024 * 1024), 'got an answer of more than'],
  ])('cannot tell when it gets %s', async (_title, status, body, message) => {
    const { code, stdout, stderr } = await check(['nginx'], await answering(status, body));
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain(message);
  });

  it('cannot tell when nobody is there', async () => {
    const port = await answering(200, '');
    await new Promise((resolve) => other?.close(resolve));
    const { code, stderr } = await check(['nginx'], port);
    expect([code, stderr]).toEqual([EXIT.usage, expect.stringContaining('ECONNREFUSED')]);
  });

  it('has no use for --verify without --rules', async () => {
    const { code, stdout, stderr } = await check(['docker.io/nginx', '--verify']);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain('expected --rules beside --server and --verify, got none');
  });

  it('names a client file that is not there', async () => {
    await writeFile(join(folder, 'empty.pem'), '');
    const { code, stderr } = await check(['nginx', '--key', 'nope.pem']);
    expect([code, stderr]).toEqual([
      EXIT.usage,
      expect.stringContaining('nope.pem: cannot be read'),
    ]);
  });
});
