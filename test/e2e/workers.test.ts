import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, reviewOf } from '../support/requests.ts';
import type { Caller } from '../support/requests.ts';
import { rulesFile } from '../support/policy.ts';
import { serve, setUp } from './built-service.ts';
import type { BuiltService, Installation } from './built-service.ts';
import { callerOf } from './caller.ts';
import { eventually } from './eventually.ts';

const IMAGES = [
  { image: 'docker.io/nginx', allowed: true },
  { image: 'quay.io/evil/app', allowed: false },
];

type Outcome = 'right' | 'wrong' | 'none';

async function askOnce(caller: Caller, { image, allowed }: (typeof IMAGES)[number]) {
  try {
    const { status, text } = await ask(caller, { body: reviewOf([image]) });
    const { status: verdict } = JSON.parse(text) as { status: { allowed?: boolean } };
    return status === 200 && verdict.allowed === allowed ? 'right' : 'wrong';
  } catch {
    return 'none';
  }
}

/** Asks over and over, each time on a connection of its own, until it is told to stop. */
function load(caller: Caller): { count: (outcome: Outcome) => number; stop: () => Promise<void> } {
  const outcomes: Record<Outcome, number> = { right: 0, wrong: 0, none: 0 };
  let isOver = false;
  const work = async (index: number): Promise<void> => {
    for (let next = index; !isOver; next++) {
      const image = IMAGES[next % IMAGES.length];
      if (image !== undefined) outcomes[await askOnce(caller, image)] += 1;
    }
  };
  const workers = [0, 1, 2, 3].map(work);
  return {
    count: (outcome) => outcomes[outcome],
    async stop() {
      isOver = true;
      await Promise.all(workers);
    },
  };
}

describe('a service of two workers', () => {
  let folder: string;
  let installation: Installation;
  let service: BuiltService;
  let caller: Caller;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-checker-e2e-'));
    installation = await setUp(folder);
    const config = join(installation.serviceFolder, 'config.yaml');
    const text = await readFile(config, 'utf8');
    await writeFile(config, text.replace('\nworkers: 1\n', '\nworkers: 2\n'));
    service = await serve(installation);
    caller = await callerOf(installation);
  });

  afterEach(async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const workers = (): number[] =>
    readFileSync(`/proc/${service.pid}/task/${service.pid}/children`, 'utf8')
      .split(' ')
      .map(Number)
      .filter((pid) => pid > 0);
  const admin = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${installation.adminPort}${path}`);
  const metric = async (line: string): Promise<number> => {
    const text = await (await admin('/metrics')).text();
    return Number(
      text
        .split('\n')
        .find((each) => each.startsWith(`${line} `))
        ?.split(' ')[1],
    );
  };
  const logged = (message: string) => service.log.filter((entry) => entry.message === message);
  const untilServing = (count: number): Promise<unknown> =>
    eventually(`${count} workers that serve`, async () =>
      (await metric('image_checker_workers')) === count ? true : undefined,
    );
  const rightAnswers = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) {
      for (const image of IMAGES) expect(await askOnce(caller, image)).toBe('right');
    }
  };

  it('shares the reviews, and counts and logs all of them', async () => {
    await rightAnswers(10);
    expect(workers()).toHaveLength(2);
    expect(await metric('image_checker_reviews_total{verdict="allowed",mode="none"}')).toBe(10);
    expect(await metric('image_checker_reviews_total{verdict="denied",mode="enforce"}')).toBe(10);
    expect(await metric('image_checker_ready')).toBe(1);
    const reviews = await eventually('a line for each review', () => {
      const lines = logged('image review decided');
      return lines.length >= 20 ? lines : undefined;
    });
    expect(reviews.filter(({ verdict }) => verdict === 'denied')).toHaveLength(10);
  });

  it('forgets nothing of what a worker has counted when it ends', async () => {
    await rightAnswers(10);
    const allowed = 'image_checker_reviews_total{verdict="allowed",mode="none"}';
    const durations = 'image_checker_review_duration_seconds_count';
    expect([await metric(allowed), await metric(durations)]).toEqual([10, 20]);
    for (const pid of workers()) {
      process.kill(pid, 'SIGKILL');
      await eventually('its end', () => (existsSync(`/proc/${pid}`) ? undefined : true));
      await untilServing(2);
    }
    expect([await metric(allowed), await metric(durations)]).toEqual([10, 20]);
    await rightAnswers(1);
    expect([await metric(allowed), await metric(durations)]).toEqual([11, 22]);
  });

  it('gives no wrong verdict while one worker after the other is killed, and replaces them', async () => {
    const asking = load(caller);
    for (let turn = 1; turn <= 2; turn++) {
      const [victim = 0] = workers();
      process.kill(victim, 'SIGKILL');
      await eventually(
        'a worker in its place',
        () => logged('a worker ended, another takes its place')[turn - 1],
      );
      await untilServing(2);
      expect(workers()).not.toContain(victim);
    }
    const before = asking.count('right');
    await eventually('more answers', () => asking.count('right') > before + 50 || undefined);
    await asking.stop();
    expect(asking.count('wrong')).toBe(0);
    expect(await metric('image_checker_worker_losses_total')).toBe(2);
    expect((await admin('/readyz')).status).toBe(200);
  });

  it('follows a change of the rules in each worker', async () => {
    const file = join(installation.serviceFolder, 'rules.yaml');
    const rules = {
      rules: [{ name: 'nothing', require: { registries: ['registry.example.com'] } }],
    };
    await writeFile(`${file}.new`, rulesFile(rules));
    await rename(`${file}.new`, file);
    process.kill(service.pid, 'SIGHUP');
    await eventually('two reloads', () => logged('rules reloaded').length >= 2 || undefined);
    for (let turn = 0; turn < 10; turn++) {
      expect(await askOnce(caller, { image: 'docker.io/nginx', allowed: false })).toBe('right');
    }
  });

  it('is ready by what all workers say, and says once what they could not load', async () => {
    await writeFile(join(installation.serviceFolder, 'rules.yaml'), 'kind: Nonsense\n');
    process.kill(service.pid, 'SIGHUP');
    const state = await eventually('a failed reload', async () => {
      const response = await admin('/readyz');
      const body = (await response.json()) as { ready: boolean; failedReloads: unknown[] };
      return body.failedReloads.length > 0 ? { ...body, status: response.status } : undefined;
    });
    expect(state).toMatchObject({ status: 200, ready: true });
    expect(state.failedReloads).toHaveLength(1);
    await rightAnswers(3);
  });

  it('goes on with one worker, and shows red, while the other cannot start', async () => {
    const certificate = join(installation.serviceFolder, 'server-cert.pem');
    await rename(certificate, `${certificate}.away`);
    process.kill(workers()[0] ?? 0, 'SIGKILL');
    const reasons = await eventually('a red readiness', async () => {
      const response = await admin('/readyz');
      const { reasons: got } = (await response.json()) as { reasons: string[] };
      return response.status === 503 ? got : undefined;
    });
    expect(reasons).toEqual([expect.stringMatching(/^worker \d has ended 3 times in a row/)]);
    expect(await metric('image_checker_ready')).toBe(0);
    await rightAnswers(3);
    await rename(`${certificate}.away`, certificate);
    await untilServing(2);
    await rightAnswers(3);
  });

  it('finishes what is in flight on SIGTERM, and leaves no process behind', async () => {
    const pids = workers();
    const asking = load(caller);
    await eventually('answers', () => asking.count('right') > 20 || undefined);
    expect(asking.count('none')).toBe(0);
    expect(await service.stop()).toBe(0);
    await asking.stop();
    expect(asking.count('wrong')).toBe(0);
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(service.log.at(-1)).toMatchObject({ message: 'stopped' });
  });

  it('ends its workers when the process over them is killed', async () => {
    const pids = workers();
    process.kill(service.pid, 'SIGKILL');
    await eventually('the end of the workers', () =>
      pids.every((pid) => !existsSync(`/proc/${pid}`)) ? true : undefined,
    );
  });
});
