import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createSupervisor } from '../../src/workers/supervisor.ts';
import type { Supervisor, WorkerProcess } from '../../src/workers/supervisor.ts';
import type { FromWorker, ToWorker } from '../../src/workers/messages.ts';
import type { Reading } from '../../src/record/worker-metrics.ts';
import { memoryLog } from '../support/service.ts';
import type { MemoryLog } from '../support/service.ts';

/** As a registry with one counter holds it. */
function reading(value: number): Reading {
  const metric = { name: 'counted_total', help: '-', type: 'counter', aggregator: 'sum' };
  return [{ ...metric, values: [{ value, labels: {} }] }] as unknown as Reading;
}

function sumOf(readings: readonly Reading[]): number {
  const values = readings.flat().flatMap((metric) => metric.values);
  return values.reduce((sum, { value }) => sum + value, 0);
}

/** A process as the test moves it. */
class FakeProcess implements WorkerProcess {
  readonly pid: number;
  readonly told: string[] = [];
  killed = false;
  #onMessage: (message: FromWorker) => void = () => undefined;
  #onExit: (code: number | null, signal: string | null) => void = () => undefined;

  constructor(pid: number) {
    this.pid = pid;
  }

  send({ imageChecker }: ToWorker): void {
    this.told.push(imageChecker);
  }

  kill(): void {
    this.killed = true;
  }

  onMessage(handler: (message: FromWorker) => void): void {
    this.#onMessage = handler;
  }

  onExit(handler: (code: number | null, signal: string | null) => void): void {
    this.#onExit = handler;
  }

  serve(lost = 0): void {
    const readiness = { ready: true, reasons: [], policy: 'p@1', failedReloads: [] };
    this.#onMessage({ imageChecker: 'state', readiness, lost });
    this.#onMessage({ imageChecker: 'serving', port: 1234 });
  }

  /** Answers with what it has counted. */
  count(value: number): void {
    this.#onMessage({ imageChecker: 'metrics', reading: reading(value) });
  }

  end(): void {
    this.#onExit(null, 'SIGKILL');
  }
}

interface Scene {
  readonly supervisor: Supervisor;
  readonly processes: FakeProcess[];
  readonly log: MemoryLog;
  readonly losses: () => number;
}

function open(count: number): Scene {
  const processes: FakeProcess[] = [];
  const log = memoryLog();
  let losses = 0;
  const supervisor = createSupervisor({
    count,
    fork: () => {
      const process = new FakeProcess(100 + processes.length);
      processes.push(process);
      return process;
    },
    log,
    now: () => Date.now(),
    onLoss: () => losses++,
  });
  return { supervisor, processes, log, losses: () => losses };
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('workers that start', () => {
  it('serve when all of them do, on one port', async () => {
    const { supervisor, processes } = open(2);
    let port = 0;
    void supervisor.port.then((got) => (port = got));
    processes[0]?.serve();
    await jest.advanceTimersByTimeAsync(1);
    expect([port, supervisor.serving()]).toEqual([0, 1]);
    processes[1]?.serve();
    await jest.advanceTimersByTimeAsync(1);
    expect([port, supervisor.serving()]).toEqual([1234, 2]);
    expect(supervisor.readiness()).toMatchObject({ ready: true, policy: 'p@1' });
  });

  it('do not serve when one of them ends before', async () => {
    const { supervisor, processes } = open(2);
    processes[0]?.serve();
    processes[1]?.end();
    await expect(supervisor.port).rejects.toThrow('worker 2 ended before it served (SIGKILL)');
  });
});

describe('a worker that ends', () => {
  it('is replaced at once and told of, and nobody else is touched', async () => {
    const { supervisor, processes, log, losses } = open(2);
    for (const process of processes) process.serve();
    processes[1]?.end();
    expect(supervisor.readiness().ready).toBe(true);
    await jest.advanceTimersByTimeAsync(1);
    expect([processes.length, losses(), processes[0]?.told]).toEqual([3, 1, []]);
    expect(log.lines).toMatchObject([
      { level: 'error', fields: { worker: 2, pid: 101, signal: 'SIGKILL', delayMs: 0 } },
    ]);
    processes[2]?.serve();
    expect(supervisor.serving()).toBe(2);
  });

  it('again and again is replaced ever later, and makes the service unready', async () => {
    const { supervisor, processes, log } = open(2);
    for (const process of processes) process.serve();
    const delays = [0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    const ready: boolean[] = [];
    for (const delay of delays) {
      processes.at(-1)?.end();
      const before = processes.length;
      await jest.advanceTimersByTimeAsync(Math.max(0, delay - 1));
      expect(processes).toHaveLength(delay === 0 ? before + 1 : before);
      await jest.advanceTimersByTimeAsync(1);
      expect(processes).toHaveLength(before + 1);
      for (const process of [processes[0], processes.at(-1)]) process?.serve();
      ready.push(supervisor.readiness().ready);
    }
    expect(log.lines.map(({ fields }) => fields['delayMs'])).toEqual(delays);
    expect(ready).toEqual([true, true, false, false, false, false, false, false]);
  });

  it('is forgiven when it ran for long', async () => {
    const { supervisor, processes, log } = open(1);
    for (let turn = 0; turn < 5; turn++) {
      processes.at(-1)?.serve();
      await jest.advanceTimersByTimeAsync(60_001);
      processes.at(-1)?.end();
      await jest.advanceTimersByTimeAsync(1);
    }
    processes.at(-1)?.serve();
    expect(log.lines.map(({ fields }) => fields['delayMs'])).toEqual([0, 0, 0, 0, 0]);
    expect(supervisor.readiness().ready).toBe(true);
  });
});

describe('the lines that workers lost', () => {
  it('are counted once, and stay counted when their worker is replaced', async () => {
    const { supervisor, processes } = open(2);
    processes[0]?.serve(3);
    processes[1]?.serve(4);
    processes[1]?.serve(6);
    expect(supervisor.lost()).toBe(9);
    processes[1]?.end();
    await jest.advanceTimersByTimeAsync(1);
    expect(supervisor.lost()).toBe(9);
    processes[2]?.serve(1);
    expect(supervisor.lost()).toBe(10);
  });
});

describe('what workers have counted', () => {
  it('is asked of those that serve, and stays when one of them ends', async () => {
    const { supervisor, processes } = open(3);
    for (const process of processes.slice(0, 2)) process.serve();
    const first = supervisor.readings();
    expect(processes.map(({ told }) => told)).toEqual([['metrics'], ['metrics'], []]);
    processes[0]?.count(3);
    processes[1]?.count(4);
    expect(sumOf(await first)).toBe(7);
    processes[2]?.serve();
    processes[1]?.end();
    const second = supervisor.readings();
    processes[0]?.count(5);
    processes[2]?.count(0);
    expect(sumOf(await second)).toBe(9);
  });

  it('is what it said last of one that does not answer, for one that ends meanwhile too', async () => {
    const { supervisor, processes } = open(3);
    for (const process of processes) process.serve();
    const first = supervisor.readings();
    for (const process of processes) process.count(1);
    await first;
    const second = supervisor.readings();
    processes[0]?.count(10);
    processes[1]?.end();
    await jest.advanceTimersByTimeAsync(1999);
    let sum = 0;
    void second.then((got) => (sum = sumOf(got)));
    await jest.advanceTimersByTimeAsync(0);
    expect(sum).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(sum).toBe(12);
  });

  it('is asked once for all who want it at the same time', async () => {
    const { supervisor, processes } = open(1);
    processes[0]?.serve();
    const both = [supervisor.readings(), supervisor.readings()];
    expect(processes[0]?.told).toEqual(['metrics']);
    processes[0]?.count(2);
    expect((await Promise.all(both)).map(sumOf)).toEqual([2, 2]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is nothing before any serves', async () => {
    const { supervisor } = open(1);
    expect(sumOf(await supervisor.readings())).toBe(0);
  });
});

describe('what is said to the workers', () => {
  it('is said to each', () => {
    const { supervisor, processes } = open(3);
    supervisor.reload();
    expect(processes.map(({ told }) => told)).toEqual([['reload'], ['reload'], ['reload']]);
  });
});

describe('workers that are to stop', () => {
  it('are waited for, and none is replaced', async () => {
    const { supervisor, processes, log } = open(2);
    for (const process of processes) process.serve();
    const stopped = supervisor.stop(12_000);
    expect(processes.map(({ told }) => told)).toEqual([['stop'], ['stop']]);
    for (const process of processes) process.end();
    await jest.advanceTimersByTimeAsync(100);
    await stopped;
    expect([processes.length, log.lines, processes.map(({ killed }) => killed)]).toEqual([
      2,
      [],
      [false, false],
    ]);
  });

  it('are not waited for where they have ended before', async () => {
    const { supervisor, processes, log } = open(2);
    for (const process of processes) process.serve();
    // The second time, it is replaced later.
    for (let turn = 0; turn < 2; turn++) {
      processes.at(-1)?.end();
      await jest.advanceTimersByTimeAsync(1);
    }
    const stopped = supervisor.stop(12_000);
    expect(supervisor.readiness().reasons).toContain('the service is stopping');
    processes[0]?.end();
    await stopped;
    expect(jest.getTimerCount()).toBe(0);
    await jest.advanceTimersByTimeAsync(30_000);
    expect([processes.length, log.lines.length]).toEqual([3, 2]);
    expect(processes.map(({ killed }) => killed)).toEqual([false, false, false]);
  });

  it('are ended when they take too long', async () => {
    const { supervisor, processes } = open(2);
    for (const process of processes) process.serve();
    const stopped = supervisor.stop(12_000);
    processes[0]?.end();
    await jest.advanceTimersByTimeAsync(11_900);
    expect(processes[1]?.killed).toBe(false);
    await jest.advanceTimersByTimeAsync(200);
    await stopped;
    expect(processes.map(({ killed }) => killed)).toEqual([false, true]);
  });
});
