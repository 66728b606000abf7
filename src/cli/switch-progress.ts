import type { Writable } from 'node:stream';
import type { WaitProgress } from '../enable/wait.ts';
import { isTerminal } from './paint.ts';

const CLEAR = '\r\u001b[K';
/** Milliseconds between two plain lines that say the same. */
const REPEAT = 15_000;

const STAGES: Readonly<Record<WaitProgress['stage'], string>> = {
  'not-restarted': 'waiting for the kubelet to restart kube-apiserver',
  down: 'kube-apiserver is down',
  unready: 'kube-apiserver is not ready yet',
  settling: 'kube-apiserver is ready, seeing whether it stays so',
  done: 'kube-apiserver is ready',
};

/** How far the wait is: one line that changes on a terminal, a line for each change elsewhere. */
export class SwitchProgress {
  readonly #stream: Writable;
  readonly #onTerminal: boolean;
  #shown = false;
  #last: WaitProgress | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    this.#onTerminal = isTerminal(stream);
  }

  step(message: string): void {
    this.clear();
    this.#stream.write(`image-checker: ${message}\n`);
  }

  wait(progress: WaitProgress): void {
    if (progress.stage === 'done') this.clear();
    else if (this.#onTerminal) this.#update(progress);
    else this.#line(progress);
  }

  clear(): void {
    if (this.#shown) this.#stream.write(CLEAR);
    this.#shown = false;
    this.#last = undefined;
  }

  #update(progress: WaitProgress): void {
    this.#shown = true;
    this.#stream.write(`${CLEAR}${describe(progress)}`);
  }

  #line(progress: WaitProgress): void {
    const last = this.#last;
    const isNew = last?.stage !== progress.stage;
    if (!isNew && progress.elapsed - last.elapsed < REPEAT) return;
    this.#last = progress;
    this.#stream.write(`image-checker: ${describe(progress)}\n`);
  }
}

function describe({ stage, elapsed, timeout }: WaitProgress): string {
  return `${STAGES[stage]} (${Math.floor(elapsed / 1000)} s of ${timeout / 1000} s)`;
}
