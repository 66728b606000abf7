import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import type { CommandContext } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { headOf, openConnection, readAll, reviewOf } from '../support/requests.ts';
import { newServiceFolder, RULES } from '../support/service.ts';
import type { ServiceFolder } from '../support/service.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function textOf(stream: PassThrough): string {
  return String(stream.read() ?? '');
}

async function call(args: readonly string[], odd: Partial<CommandContext> = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await run(args, {
    stdin: new PassThrough(),
    stdout,
    stderr,
    env: {},
    cwd: ROOT,
    onSignal: () => () => undefined,
    exitCode: EXIT.ok,
    ...odd,
  });
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
}

/** The command that is called by these words, and all below it, as their help names them. */
async function commandsBelow(words: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await call([...words, '--help']);
  const [list = ''] = stdout.split('\nCommands:\n')[1]?.split('\n\n') ?? [];
  const names = [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name);
  const below = await Promise.all(
    names.filter((name) => name !== 'help').map((name) => commandsBelow([...words, name])),
  );
  return [words.join(' '), ...below.flat()];
}

/** Waits for something that a process does; a test that waits in vain fails by what it sees. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400 && !condition(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('image-checker', () => {
  it.each(['--help', '-h', 'help', 'serve --help', 'help serve'])(
    'shows its help on stdout for %s',
    async (args) => {
      const { code, stdout, stderr } = await call(args.split(' '));
      expect([code, stderr]).toEqual([EXIT.ok, '']);
      expect(stdout).toMatch(/^Usage: image-checker /);
    },
  );

  it.each([
    ['an unknown command', ['srve'], /unknown command 'srve'/],
    ['an unknown option', ['--insecure'], /unknown option '--insecure'/],
    ['an option before its command', ['--config', 'x', 'serve'], /unknown option '--config'/],
    ['a command named as what objects inherit', ['__proto__'], /unknown command '__proto__'/],
    ['a command named constructor', ['constructor'], /unknown command 'constructor'/],
  ])('refuses %s', async (_title, args, message) => {
    const { code, stdout, stderr } = await call(args);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toMatch(/^image-checker: error: /);
    expect(stderr).toMatch(message);
  });

  it.each([
    ['a slip in a command', 'srve', 'did you mean serve? See `image-checker --help`'],
    ['a slip in a subcommand', 'certs shw', 'did you mean show? See `image-checker certs --help`'],
    ['another command', 'frobnicate', 'see `image-checker --help`'],
    [
      'a slip in an option',
      'check nginx --rulse x',
      'did you mean --rules? See `image-checker check --help`',
    ],
    ['another option', 'rules validate x --frob', 'see `image-checker rules validate --help`'],
    ['an option without its value', 'scan --rules', 'see `image-checker scan --help`'],
    ['an output that there is none of', 'doctor -o xml', 'see `image-checker doctor --help`'],
    ['too much', 'serve --config x y', 'see `image-checker serve --help`'],
    [
      'no config',
      'serve',
      'such as `image-checker serve --config /etc/image-checker/config.yaml`; see `image-checker serve --help`',
    ],
    [
      'no image',
      'check',
      'such as `image-checker check nginx:1.27 --rules rules.yaml`; see `image-checker check --help`',
    ],
    [
      'no host',
      'registry login-check',
      'such as `image-checker registry login-check registry.example.com:5000 --config /etc/image-checker/config.yaml`; see `image-checker registry login-check --help`',
    ],
  ])('says what to do about %s', async (_title, args, hint) => {
    const { code, stdout, stderr } = await call(args.split(' '));
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    const [error, ...rest] = stderr.split('\n');
    expect(error).toMatch(/^image-checker: error: (?!error)/);
    expect(rest).toEqual([`image-checker: hint: ${hint}`, '']);
  });

  it('says exit codes and examples in the help of every command', async () => {
    const seen = await commandsBelow([]);
    expect(seen).toEqual(expect.arrayContaining(['', 'serve', 'certs', 'certs renew', 'rules']));
    for (const command of seen) {
      const { stdout } = await call([
        ...command.split(' ').filter((word) => word !== ''),
        '--help',
      ]);
      expect([command, stdout]).toEqual([command, expect.stringMatching(/^Exit code 0 .*\d/m)]);
      const examples = /^Examples:\n((?: {2}.*\n)+)/m.exec(stdout)?.[1];
      expect([command, examples]).toEqual([
        command,
        expect.stringContaining(`image-checker ${command}`),
      ]);
    }
  });

  it('refuses to do nothing, and says what it could do', async () => {
    const { code, stdout, stderr } = await call([]);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toMatch(/^Usage: image-checker /);
  });

  it('owns up to a fault of its own, with the place', async () => {
    const fault = new TypeError('stdout went away');
    const stdout = new PassThrough();
    stdout.write = () => {
      throw fault;
    };
    const { code, stderr } = await call(['--help'], { stdout });
    expect(code).toBe(EXIT.fault);
    expect(stderr).toMatch(
      /^image-checker: error: fault of image-checker itself: stdout went away\n/,
    );
    expect(stderr).toContain('run.test.ts');
  });

  it('owns up to a fault that is no error', async () => {
    const stdout = new PassThrough();
    stdout.write = () => {
      AbortSignal.abort('a string').throwIfAborted();
      return true;
    };
    const { code, stderr } = await call(['--help'], { stdout });
    expect([code, stderr]).toEqual([
      EXIT.fault,
      'image-checker: error: fault of image-checker itself: a string\n',
    ]);
  });
});

describe('the built program', () => {
  let build: string;
  let pki: TestPki;
  let place: ServiceFolder;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    pki = await newTestPki();
    place = await newServiceFolder(pki);
    // Inside the project: what is built looks for its dependencies in node_modules.
    const cache = join(ROOT, 'node_modules/.cache');
    await mkdir(cache, { recursive: true });
    build = await mkdtemp(join(cache, 'image-checker-'));
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    spawnSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', build], { cwd: ROOT });
  }, 30_000);

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  afterAll(async () => {
    await place.remove();
    await rm(build, { recursive: true, force: true });
  });

  /** A process of the program; `ended` is its exit code, or the signal that ended it. */
  function start(...args: readonly string[]) {
    const child = spawn(process.execPath, [join(build, 'main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (part: string) => (output.stdout += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (output.stderr += part));
    const ended = once(child, 'close').then(([code, signal]: unknown[]) => code ?? signal);
    return { child, output, ended };
  }

  async function startServing() {
    const started = start('serve', '--config', place.configFile);
    const { output } = started;
    // The whole line: what a pipe gives at a time may end within it.
    await until(() => /"serving".*\n/.test(output.stdout));
    const port = Number(/"listen":"127\.0\.0\.1:(\d+)"/.exec(output.stdout)?.[1]);
    return {
      ...started,
      port,
      as: { port, ca: pki.authority.certificate, credential: pki.client },
    };
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s', async (signal) => {
    const { child, output, ended, as } = await startServing();
    const idle = await openConnection(as);
    child.kill(signal);
    expect(await ended).toBe(0);
    expect(output.stdout).toContain('"stopped"');
    expect(output.stderr).toBe('');
    idle.destroy();
  });

  it('answers what is in flight on the first signal, and ends with 0', async () => {
    const { child, output, ended, as } = await startServing();
    const body = reviewOf(['docker.io/nginx']);
    const socket = await openConnection(as);
    const all = readAll(socket);
    socket.write(headOf(Buffer.byteLength(body)) + body.slice(0, 20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGTERM');
    await until(() => output.stdout.includes('"stopping"'));
    socket.write(body.slice(20));
    expect(await all).toMatch(/^HTTP\/1.1 200 .*"allowed":true/s);
    expect(await ended).toBe(0);
  });

  it('ends at once on a second signal', async () => {
    const { child, output, ended, as } = await startServing();
    const socket = await openConnection(as);
    socket.write(headOf(100));
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGTERM');
    await until(() => output.stdout.includes('"stopping"'));
    child.kill('SIGTERM');
    expect(await ended).toBe('SIGTERM');
    socket.destroy();
  });

  it('survives what peers do to their connections', async () => {
    const { child, output, ended, as } = await startServing();
    const large = reviewOf(['docker.io/nginx'], { filler: 'x'.repeat(2_900_000) });
    for (let turn = 0; turn < 10; turn++) {
      const socket = await openConnection(as);
      socket.write(
        (headOf(Buffer.byteLength(large)) + large).slice(0, turn % 2 ? 1000 : undefined),
      );
      if (turn % 2 === 0) await once(socket, 'data');
      socket.destroy();
      const stranger = await openConnection({ ...as, credential: pki.server });
      await readAll(stranger);
    }
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(output.stderr).toBe('');
    expect(output.stdout).not.toContain('"level":"error"');
  });

  it('ends with 2 and every mistake when it cannot start', async () => {
    const broken = await newServiceFolder(pki);
    await rm(broken.config.tls.key);
    await writeFile(broken.config.rules, RULES.replace('registries:', 'registry:'));
    const { output, ended } = start('serve', '--config', broken.configFile);
    expect(await ended).toBe(2);
    expect(output.stderr).toMatch(
      /^image-checker: error: .*server-key.pem: cannot be read: no such file\nimage-checker: hint: /,
    );
    expect(output.stderr).toMatch(/^image-checker: error: .*rules.yaml:7:18: /m);
    expect(output.stdout).toBe('');
    await broken.remove();
  });

  it.each([
    [2, ['srve'], 'stderr', /^image-checker: error: unknown command 'srve'/],
    [0, ['--help'], 'stdout', /^Usage: image-checker /],
  ] as const)('ends with %i for %j', async (code, args, stream, text) => {
    const { output, ended } = start(...args);
    expect(await ended).toBe(code);
    expect(output[stream]).toMatch(text);
  });
});
