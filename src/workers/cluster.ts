import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { isSea } from 'node:sea';
import type { Readable } from 'node:stream';
import { isFromWorker } from './messages.ts';
import type { WorkerProcess } from './supervisor.ts';

/** Whether this process is one that `createFork` has started. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/** How many workers a config asks for. */
export function workerCount(workers: number | 'auto'): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

/**
 * A way to start processes of this very program, which listen together.
 *
 * @param args of the program
 * @param onOutput gets what each writes to its standard output
 */
export function createFork(
  args: readonly string[],
  onOutput: (output: Readable) => void,
): () => WorkerProcess {
  // Each worker accepts for itself. Handed over by this process, a connection whose worker is killed
  // before it has it would hang until its client gives up, after half a minute.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  // The program in one file begins with its arguments: there is no script to name.
  const [exec, ...rest] = isSea() ? args : [process.argv[1] ?? '', ...args];
  cluster.setupPrimary({
    ...(exec === undefined ? {} : { exec }),
    args: rest,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  return () => {
    const worker = cluster.fork();
    if (worker.process.stdout !== null) onOutput(worker.process.stdout);
    return handleOf(worker);
  };
}

function handleOf(worker: Worker): WorkerProcess {
  // A message to one that has just gone fails, and its end is told anyway.
  worker.on('error', () => undefined);
  return {
    pid: worker.process.pid,
    send(message) {
      if (worker.isConnected()) worker.send(message);
    },
    kill(signal) {
      worker.process.kill(signal);
    },
    onMessage(handler) {
      worker.on('message', (message: unknown) => {
        if (isFromWorker(message)) handler(message);
      });
    },
    onExit(handler) {
      worker.once('exit', handler);
    },
  };
}
