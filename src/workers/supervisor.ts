import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../record/logger.ts';
import type { Reading } from '../record/worker-metrics.ts';
import type { Readiness } from '../transport/readiness.ts';
import { combineReadiness, STABLE_MS } from './combine-readiness.ts';
import type { WorkerState } from './combine-readiness.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { createReadings } from './readings.ts';

/** A process that serves reviews. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  send(message: ToWorker): void;
  kill(signal: 'SIGKILL'): void;
  onMessage(handler: (message: FromWorker) => void): void;
  onExit(handler: (code: number | null, signal: string | null) => void): void;
}

export interface SupervisorDeps {
  readonly count: number;
  readonly fork: () => WorkerProcess;
  readonly log: Log;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** Told of each worker that ended by itself. */
  readonly onLoss: () => void;
}

/** Keeps workers running. */
export interface Supervisor {
  /** The port on which all of them listen, once they do; rejects when one ends before. */
  readonly port: Promise<number>;
  /** As the workers see it, and as they are seen. */
  readonly readiness: () => Readiness;
  serving(): number;
  /** Lines of their logs that workers could not hand over, those included that have ended. */
  lost(): number;
  /** What the workers hold in their registries, and what those had counted that have ended. */
  readings(): Promise<readonly Reading[]>;
  reload(): void;
  /** Lets the workers finish what is in flight, and ends those that are left after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** The first is replaced at once, the next after this, doubled each time. */
const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 30_000;

interface Slot extends WorkerState {
  /** Undefined once it has ended, until another takes its place. */
  process: WorkerProcess | undefined;
  /** Lines of its log, as it last said. */
  lost: number;
  /** Once it has ended: what starts the other. */
  restart?: NodeJS.Timeout;
}

export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const { count, log, now } = deps;
  const slots = new Map<number, Slot>();
  let stopping = false;
  let lost = 0;
  const readings = createReadings<WorkerProcess>();
  const port = withResolvers<number>();
  const start = (number: number, losses: number): void => {
    const process = deps.fork();
    const slot: Slot = {
      number,
      process,
      startedAt: now(),
      losses,
      heardAt: 0,
      readiness: undefined,
      lost: 0,
    };
    slots.set(number, slot);
    process.onMessage((message) => {
      slot.heardAt = now();
      if (message.imageChecker === 'state') {
        slot.readiness = message.readiness;
        lost += message.lost - slot.lost;
        slot.lost = message.lost;
      } else if (message.imageChecker === 'metrics') {
        readings.told(process, message.reading);
      } else if ([...slots.values()].every(({ heardAt }) => heardAt > 0)) {
        port.resolve(message.port);
      }
    });
    process.onExit((code, signal) => {
      slot.process = undefined;
      slot.readiness = undefined;
      readings.ended(process);
      if (stopping) return;
      port.reject(new Error(`worker ${number} ended before it served (${signal ?? code ?? ''})`));
      deps.onLoss();
      const lived = now() - slot.startedAt;
      const again = lived > STABLE_MS ? 0 : losses;
      const delayMs = again === 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (again - 1), MAX_DELAY_MS);
      log.error('a worker ended, another takes its place', {
        ...{ worker: number, pid: process.pid, code, signal, livedMs: Math.round(lived), delayMs },
      });
      slot.losses = again + 1;
      slot.restart = setTimeout(start, delayMs, number, again + 1);
    });
  };
  for (let number = 1; number <= count; number++) start(number, 0);
  const running = (): WorkerProcess[] =>
    [...slots.values()].flatMap(({ process }) => process ?? []);
  const send = (message: ToWorker): void => {
    for (const process of running()) process.send(message);
  };
  const isServing = ({ readiness }: Slot): boolean => readiness !== undefined;
  const serving = (): Slot[] => [...slots.values()].filter(isServing);
  return {
    port: port.promise,
    readiness: () => combineReadiness([...slots.values()], now(), stopping),
    serving: () => serving().length,
    lost: () => lost,
    readings() {
      const workers = serving().flatMap(({ process }) => process ?? []);
      return readings.take(workers, (worker) => {
        worker.send({ imageChecker: 'metrics' });
      });
    },
    reload() {
      send({ imageChecker: 'reload' });
    },
    async stop(graceMs) {
      stopping = true;
      // None would start any more, but this process would wait for it.
      for (const { restart } of slots.values()) clearTimeout(restart);
      send({ imageChecker: 'stop' });
      const end = now() + graceMs;
      while (running().length > 0 && now() < end) await sleep(10);
      for (const process of running()) process.kill('SIGKILL');
    },
  };
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: Error) => void = () => undefined;
  const promise = new Promise<T>((...both) => {
    [resolve, reject] = both;
  });
  return { promise, resolve, reject };
}
