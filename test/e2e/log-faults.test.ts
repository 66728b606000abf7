import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, reviewOf } from '../support/requests.ts';
import type { Caller } from '../support/requests.ts';
import { samplesOf } from '../support/samples.ts';
import { setUp } from './built-service.ts';
import type { Installation } from './built-service.ts';
import { callerOf } from './caller.ts';
import { eventually } from './eventually.ts';

/*
 * What becomes of reviews when the log of the service cannot be written. Each line of a denial is some
 * kilobytes long, so that a few hundred fill what there is.
 */

const MAIN = join(import.meta.dirname, '../../dist/main.js');
const ALLOWED = reviewOf(['docker.io/nginx:1']);
const DENIED = reviewOf(
  Array.from(
    { length: 20 },
    (_, at) => `quay.io/${String(at).padStart(3, '0')}/${'x'.repeat(200)}`,
  ),
);

let folder: string;
let installation: Installation;
let caller: Caller;
let child: ChildProcess;
let stderr = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'image-checker-log-'));
  installation = await setUp(folder);
  caller = await callerOf(installation);
});

afterEach(() => {
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Runs `serve` below another program, which has to become it, and waits until it is ready. */
async function start(command: readonly string[], stdout: 'ignore' | 'pipe'): Promise<void> {
  const config = join(installation.serviceFolder, 'config.yaml');
  const serve = [process.execPath, MAIN, 'serve', '--config', config];
  child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command, ...serve], {
    stdio: ['ignore', stdout, 'pipe'],
  });
  stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  await eventually('a service that is ready', async () => {
    if (child.exitCode !== null) throw new Error(`serve ended\n${stderr}`);
    return (await metricsText().catch(() => undefined)) ?? undefined;
  });
}

async function metricsText(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${installation.adminPort}/metrics`)).text();
}

/** One sample of a metric, or the sum of all. */
async function metric(name: string): Promise<number> {
  return Object.values(samplesOf(await metricsText(), name)).reduce((sum, value) => sum + value, 0);
}

/** Asks both questions by turns, so many times, and expects the right answers. */
async function review(count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const work = async (): Promise<void> => {
    while (count > 0) {
      count -= 2;
      const [allowed, denied] = [
        await ask(caller, { body: ALLOWED, agent }),
        await ask(caller, { body: DENIED, agent }),
      ];
      expect([allowed.status, denied.status]).toEqual([200, 200]);
      expect(allowed.text).toContain('"allowed":true');
      expect(denied.text).toContain('"allowed":false');
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  agent.destroy();
}

interface Line {
  readonly message: string;
  readonly lost?: number;
}

/** The lines of a log; of what is torn, where it says so, there is nothing. */
function linesOf(log: string): Line[] {
  return log.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });
}

/** How many reviews a log has, and how many lines it says to have lost. */
function accountOf(lines: readonly Line[]): { decided: number; lost: number; tellings: number } {
  const losses = lines.flatMap(({ lost }) => lost ?? []);
  return {
    decided: lines.filter(({ message }) => message === 'image review decided').length,
    lost: losses.reduce((sum, lost) => sum + lost, 0),
    tellings: losses.length,
  };
}

async function end(): Promise<number | null> {
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
  return child.exitCode;
}

describe('a log on a disk that is full', () => {
  const MOUNT = `mount -t tmpfs -o size=4m tmpfs "$0" && head -c 3900000 /dev/zero >"$0/filler" &&
    exec "$@" >>"$0/log"`;

  it('costs lines, which are told when there is room again, and no review', async () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    await start(
      ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', MOUNT, disk],
      'ignore',
    );
    const inside = `/proc/${child.pid ?? 0}/root${disk}`;
    await review(200);
    expect(await metric('image_checker_log_lines_lost_total')).toBeGreaterThan(10);
    rmSync(`${inside}/filler`);
    // A line that is lost is told with the next one.
    await eventually('a log that has or tells of every line', async () => {
      await review(2);
      const { decided, lost } = accountOf(linesOf(readFileSync(`${inside}/log`, 'utf8')));
      const isWhole =
        lost === (await metric('image_checker_log_lines_lost_total')) &&
        decided + lost === (await metric('image_checker_reviews_total'));
      return isWhole || undefined;
    });
    expect(await end()).toBe(0);
    expect(stderr).toBe('');
  });
});

describe('a log whose reader has gone', () => {
  it.each([1, 2])('costs lines, and no review, with %d workers', async (workers) => {
    const config = join(installation.serviceFolder, 'config.yaml');
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace('\nworkers: 1\n', `\nworkers: ${workers}\n`));
    await start([], 'pipe');
    child.stdout?.destroy();
    await review(200);
    await eventually('a count of the lines that are lost', async () => {
      return (await metric('image_checker_log_lines_lost_total')) >= 200 || undefined;
    });
    expect(await metric('image_checker_reviews_total')).toBe(200);
    expect(await end()).toBe(0);
    expect(stderr).toBe('');
  });
});

describe('a log whose reader has stopped', () => {
  const ROUNDS = 3000;

  it('costs lines beyond some megabytes, which are told when it reads again, and no review', async () => {
    await start([], 'pipe');
    const before = await metric('process_resident_memory_bytes');
    await review(ROUNDS);
    expect(await metric('image_checker_log_lines_lost_total')).toBeGreaterThan(100);
    expect((await metric('process_resident_memory_bytes')) - before).toBeLessThan(150_000_000);
    let log = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => (log += part));
    const reviewed = await eventually('a log that tells of every lost line', async () => {
      await review(2);
      const account = accountOf(linesOf(log));
      const isWhole = account.lost === (await metric('image_checker_log_lines_lost_total'));
      return isWhole ? metric('image_checker_reviews_total') : undefined;
    });
    expect(await end()).toBe(0);
    const { decided, lost: told, tellings } = accountOf(linesOf(log));
    expect(decided + told).toBe(reviewed);
    expect(tellings).toBeLessThan(20);
    expect(stderr).toBe('');
  });
});
