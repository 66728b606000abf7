import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { newSigningKey, signTagged } from '../support/cosign.ts';
import { newMemoryRegistry, pushImage } from '../support/memory-registry.ts';
import { servedBy } from '../support/memory-server.ts';
import { newRegistryWorld } from '../support/registry-server.ts';
import type { RegistryWorld, TestServer } from '../support/registry-server.ts';
import { call } from './call.ts';
import type { Called } from './call.ts';

const KEY = newSigningKey();
const PEM = KEY.trusted.key.export({ type: 'spki', format: 'pem' }).toString();
const BREAK_GLASS = 'image-checker.image-policy.k8s.io/break-glass';

let world: RegistryWorld;
let server: TestServer;
/** A signed image and one that is not, both by digest. */
let signed: string;
let unsigned: string;

beforeAll(async () => {
  world = await newRegistryWorld();
  const registry = newMemoryRegistry();
  server = await world.serve(servedBy(registry, () => server.host));
  const repository = `${server.host}/team/app`;
  const { digest } = await pushImage(registry, repository, 'signed');
  signTagged(registry, { key: KEY, repository, digest });
  signed = `${repository}@${digest}`;
  const other = await pushImage(registry, repository, 'unsigned');
  unsigned = `${repository}@${other.digest}`;
  await world.file('rules.yaml', rules('enforce'));
  await world.file('warning.yaml', rules('warn'));
  for (const onError of ['allow', 'warn']) {
    const excusing = rules('enforce').replace('"mode"', `"onError":"${onError}","mode"`);
    await world.file(`on-error-${onError}.yaml`, excusing);
  }
  await world.file(
    'on-error-warn-tagged.yaml',
    rules('warn').replace(
      '"mode":"warn","require":{',
      '"onError":"warn","mode":"warn","require":{"tags":["v*"],',
    ),
  );
  await world.file(
    'old.yaml',
    rules('enforce').replace(/"require":\{"signatures".*?\}\]\}/, '"match":{"images":["**"]}'),
  );
  await world.file('config.yaml', await config({ [server.host]: { ca: 'ca.pem' } }));
  await world.file('distrusting.yaml', await config({ [server.host]: {} }));
  const containers = [signed, unsigned, signed].map((image, at) => ({ name: `c${at}`, image }));
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers } };
  await writeFile(join(world.folder, 'pod.json'), JSON.stringify(pod));
});

afterAll(async () => {
  await world.close();
});

function rules(mode: string): string {
  const signatures = [{ keys: [PEM] }];
  return JSON.stringify({
    apiVersion: 'image-checker/v1',
    kind: 'ImagePolicy',
    metadata: { name: 'signed-images' },
    spec: {
      breakGlass: { annotation: BREAK_GLASS },
      rules: [
        { name: 'signed', mode, require: { signatures } },
        { name: 'no-beta', forbid: { tags: ['beta'] } },
      ],
    },
  });
}

async function config(hosts: object): Promise<string> {
  const tls = { certificate: 'c.pem', key: 'k.pem', clientCA: 'a.pem' };
  const head = { apiVersion: 'image-checker/v1', kind: 'ServiceConfig' };
  return Promise.resolve(
    JSON.stringify({ ...head, tls, rules: 'rules.yaml', registries: { hosts } }),
  );
}

function run(...args: readonly string[]): Promise<Called> {
  return call(args, { cwd: world.folder, env: { HOME: world.folder } });
}

function check(...args: readonly string[]): Promise<Called> {
  return run('check', '--rules', 'rules.yaml', ...args);
}

const HINT =
  'image-checker: warning: no registry was asked what rules want to know of it\n' +
  'image-checker: hint: ask with --verify\n';

describe('check without --verify', () => {
  it('does not know, and says so', async () => {
    const asked = server.requests.length;
    const { code, stdout, stderr } = await check(signed);
    expect([code, stderr]).toEqual([EXIT.finding, HINT]);
    expect(stdout).toContain(`${signed}: unknown\n`);
    expect(stdout).toContain('  unknown   signed: not checked: needs the registry\n');
    expect(stdout).toMatch(/verdict in namespace default, .*: unknown\n/);
    expect(server.requests).toHaveLength(asked);
  });

  it('tells programs that it is not allowed', async () => {
    const { code, stdout } = await check(signed, '-o', 'json');
    expect(code).toBe(EXIT.finding);
    expect(JSON.parse(stdout)).toMatchObject({
      allowed: false,
      verdict: 'unknown',
      images: [{ verdict: 'unknown', rules: [{ result: 'pass' }, { result: 'unknown' }] }],
    });
  });

  it('knows what another rule denies', async () => {
    const { code, stdout, stderr } = await check('a.com/x:beta');
    expect([code, stderr]).toEqual([EXIT.finding, '']);
    expect(stdout).toContain('a.com/x:beta: denied\n');
    expect(stdout).toMatch(/verdict in namespace default, .*: denied\n/);
  });

  it('knows what break-glass lets through', async () => {
    const { code, stdout } = await check(signed, '--annotation', `${BREAK_GLASS}=INC-1`);
    expect(code).toBe(EXIT.ok);
    expect(stdout).toMatch(/verdict in namespace default, .*: allowed\n/);
  });

  it('only warns where the rule does', async () => {
    const { code, stdout } = await run('check', '--rules', 'warning.yaml', signed);
    expect(code).toBe(EXIT.ok);
    expect(stdout).toContain(`${signed}: warned\n`);
    expect(stdout).toContain('  unknown   signed (warn): not checked: needs the registry\n');
  });

  it('takes no onError for an answer', async () => {
    expect((await run('check', '--rules', 'on-error-allow.yaml', signed)).code).toBe(EXIT.finding);
  });

  it.each(['check', 'scan'])('%s has no use for --config', async (command) => {
    const { code, stderr } = await run(command, 'pod.json', '--config', 'config.yaml');
    expect(code).toBe(EXIT.usage);
    expect(stderr).toContain('expected --verify beside --config');
  });
});

describe('check --verify', () => {
  const verify = ['--verify', '--config', 'config.yaml'];

  it('allows what is signed, and says which digest is', async () => {
    const { code, stdout, stderr } = await check(signed, ...verify);
    expect([code, stderr]).toEqual([EXIT.ok, '']);
    expect(stdout).toContain(`${signed}: allowed\n`);
    expect(stdout).toContain(`  pass      signed: ${signed.replace(/.*@/, '')}\n`);
  });

  it('denies what is not', async () => {
    const { code, stdout, stderr } = await check(unsigned, ...verify);
    expect([code, stderr]).toEqual([EXIT.finding, '']);
    expect(stdout).toContain(`${unsigned}: denied\n`);
    expect(stdout).toMatch(/ {2}violated {2}signed: /);
  });

  it('denies a review with one of each, and tells them apart', async () => {
    const { code, stdout } = await check(signed, unsigned, ...verify, '-o', 'json');
    expect(code).toBe(EXIT.finding);
    expect(JSON.parse(stdout)).toMatchObject({
      allowed: false,
      images: [
        { verdict: 'allowed', rules: [{}, { result: 'pass', digest: signed.replace(/.*@/, '') }] },
        { verdict: 'denied', rules: [{}, { result: 'violated' }] },
      ],
    });
  });

  it('asks nothing about an image that is denied anyway', async () => {
    const asked = server.requests.length;
    const { code, stdout } = await check(`${server.host}/team/app:beta`, ...verify);
    expect(code).toBe(EXIT.finding);
    expect(stdout).toContain('  unknown   signed: not checked: needs the registry\n');
    expect(server.requests).toHaveLength(asked);
  });

  const distrusting = ['--verify', '--config', 'distrusting.yaml'];

  it.each([
    ['rules.yaml', EXIT.finding, / {2}violated {2}signed: could not check: (?!.*onError)/],
    ['on-error-allow.yaml', EXIT.ok, / {2}excused {3}signed: could not .* \(onError: allow\)\n/],
    ['on-error-warn.yaml', EXIT.ok, / {2}excused {3}signed: could not .* \(onError: warn\)\n/],
  ])('%s: does as onError says where it cannot check', async (file, code, line) => {
    const called = await run('check', '--rules', file, signed, ...distrusting);
    expect(called.code).toBe(code);
    expect(called.stdout).toMatch(line);
    expect(called.stdout.match(/could not check/g)).toHaveLength(code === EXIT.ok ? 1 : 2);
  });

  it('tells what it could not check from what it found', async () => {
    const args = ['--rules', 'on-error-warn-tagged.yaml', unsigned, ...distrusting, '-o', 'json'];
    const { code, stdout } = await run('check', ...args);
    expect(code).toBe(EXIT.ok);
    expect(JSON.parse(stdout)).toMatchObject({
      images: [
        {
          verdict: 'warned',
          rules: [
            {},
            {
              result: 'violated',
              violations: [
                expect.stringMatching(/^expected a tag/),
                expect.stringMatching(/^could not check: .* \(onError: warn\)$/),
              ],
            },
          ],
        },
      ],
    });
  });
});

describe('scan', () => {
  const scan = (...args: readonly string[]): Promise<Called> =>
    run('scan', '--rules', 'rules.yaml', 'pod.json', ...args);

  it('does not know without --verify, and says so', async () => {
    const { code, stdout, stderr } = await scan();
    expect([code, stderr]).toEqual([EXIT.finding, HINT]);
    expect(stdout).toContain('1 pod, 3 images: 0 denied, 0 warned, 3 unknown\n');
    expect(stdout).toContain('not checked: needs the registry (rule signed)');
  });

  it('shows in --diff what becomes unknown', async () => {
    const { code, stdout } = await scan('--diff', 'old.yaml', '-o', 'json');
    expect(code).toBe(EXIT.finding);
    expect(JSON.parse(stdout)).toMatchObject({ summary: { newlyDenied: 3, newlyAllowed: 0 } });
  });

  it.each(['junit', 'sarif'])('tells %s of it as of a failure', async (format) => {
    const { stdout } = await scan('-o', format);
    expect(stdout).toMatch(format === 'junit' ? /failures="3"/ : /"level": "error"/);
  });

  it('asks about each image once with --verify', async () => {
    const asked = server.requests.length;
    const { code, stdout, stderr } = await scan('--verify', '--config', 'config.yaml', '--all');
    expect([code, stderr]).toEqual([EXIT.finding, '']);
    expect(stdout).toContain('1 pod (1 would not run), 3 images: 1 denied, 0 warned\n');
    const digest = signed.replace(/.*@/, '');
    const fetched = server.requests.slice(asked).filter((line) => line.includes(digest));
    expect(fetched.filter((line) => line.includes(`/manifests/${digest}`))).toHaveLength(1);
  });
});

describe('test', () => {
  it.each([
    ['unknown', EXIT.ok],
    ['allowed', EXIT.finding],
    ['denied', EXIT.finding],
  ])('with expect: %s, of what only a registry can tell, ends with %s', async (expected, code) => {
    const cases = [{ name: 'a case', image: 'a.com/x:1', expect: expected }];
    const head = { apiVersion: 'image-checker/v1', kind: 'PolicyTest', rules: 'rules.yaml' };
    await world.file('a.test.yaml', JSON.stringify({ ...head, cases }));
    expect((await run('test', 'a.test.yaml')).code).toBe(code);
  });
});
