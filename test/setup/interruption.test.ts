import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newPlace, rejection, removePlace, setUp, snapshot, watchedFs } from './support.ts';
import type { Place } from './support.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

let place: Place;

beforeEach(async () => {
  place = await newPlace();
});

afterEach(async () => {
  await removePlace(place);
});

describe('setup that fails while it writes', () => {
  /** Counts the calls of a whole run. */
  async function callsOf(force: boolean): Promise<number> {
    const elsewhere = await newPlace();
    let calls = 0;
    if (force) await setUp(elsewhere);
    const watched = watchedFs(() => Promise.resolve(void (calls += 1)));
    await setUp(elsewhere, { force }, { fs: watched });
    await removePlace(elsewhere);
    return calls;
  }

  // Every call is tried for the writer itself; here a sample is enough, as each run makes keys.
  it.each([
    ['in an empty place', false],
    ['with --force', true],
  ])('changes nothing %s', async (_title, force) => {
    if (force) await setUp(place);
    const before = await snapshot(place.root);
    const calls = await callsOf(force);
    const tidying = force ? 12 : 0;
    for (let nth = 1; nth <= calls - tidying; nth += 45) {
      const watched = watchedFs((call) => {
        if (call === nth) throw Object.assign(new Error('EIO'), { code: 'EIO' });
        return Promise.resolve();
      });
      expect(await rejection(setUp(place, { force }, { fs: watched }))).toMatchObject({
        code: 'file-unwritable',
      });
      expect(await snapshot(place.root)).toEqual(before);
    }
  });
});

describe('setup that is sent a signal', () => {
  let built: string;

  beforeAll(async () => {
    built = await fs.mkdtemp(join(tmpdir(), 'image-checker-built-'));
    await fs.symlink(join(checkout, 'node_modules'), join(built, 'node_modules'));
    await fs.writeFile(join(built, 'package.json'), '{"type":"module"}');
    await fs.writeFile(join(built, 'child.js'), childScript());
    const compiler = join(checkout, 'node_modules/.bin/tsc');
    // What it has to say of types is for the type check; it writes the code all the same.
    spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', built], {
      cwd: checkout,
    });
  });

  afterAll(async () => {
    await fs.rm(built, { recursive: true });
  });

  /** Sends itself the signal before the nth call, and goes on. */
  function childScript(): string {
    return `
      import fs from 'node:fs/promises';
      import { interruptible } from './setup/interruption.js';
      import { readSetupFlags } from './setup/options.js';
      import { setup } from './setup/setup.js';
      import { systemPkiPorts } from './setup/system-pki-ports.js';
      const [dir, serviceDir, nth, name, force] = process.argv.slice(2);
      let calls = 0;
      const watched = new Proxy(fs, {
        get: (target, key) => async (...args) => {
          calls += 1;
          if (calls === Number(nth)) {
            process.kill(process.pid, name);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          return target[key](...args);
        },
      });
      const options = readSetupFlags({ dir, serviceDir, force: force === 'force' }, '/');
      try {
        await interruptible((signal) => setup(options, { ...systemPkiPorts, fs: watched, signal }));
        process.stdout.write('done');
      } catch (thrown) {
        process.stdout.write(thrown.message);
      }
      setTimeout(() => {}, 10_000); // only the signal ends it sooner
    `;
  }

  it.each([
    ['SIGINT', 1, ''],
    ['SIGHUP', 30, ''],
    ['SIGTERM', 60, 'force'],
  ] as const)(
    '%s before call %i puts everything back, and ends by it %s',
    async (name, nth, force) => {
      if (force !== '') await setUp(place);
      const before = await snapshot(place.root);
      const child = spawn(
        process.execPath,
        [join(built, 'child.js'), place.dir, place.serviceDir, String(nth), name, force],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
      expect(output).toBe(`interrupted by ${name}: everything is as it was`);
      expect(signal).toBe(name);
      expect(await snapshot(place.root)).toEqual(before);
    },
  );
});
