import type * as promises from 'node:fs/promises';
import { ImageCheckerError, messageOf, systemCode } from '../errors.ts';
import type { Problem } from '../errors.ts';

/** What writing needs of node:fs/promises. */
export type WriteFileSystem = Pick<
  typeof promises,
  'chmod' | 'link' | 'mkdir' | 'open' | 'rename' | 'rmdir' | 'stat' | 'unlink'
>;

export interface WritePorts {
  readonly fs: WriteFileSystem;
  /** When it fires, the next step throws its reason. */
  readonly signal: AbortSignal;
  /** Hex digits that no other run uses. */
  readonly token: string;
}

interface Undo {
  readonly path: string;
  readonly action: () => Promise<void>;
}

/** Steps that were taken, each with the way back. */
export class WriteTransaction {
  readonly fs: WriteFileSystem;
  readonly token: string;
  readonly #signal: AbortSignal;
  readonly #undo: Undo[] = [];

  constructor(ports: WritePorts) {
    this.fs = ports.fs;
    this.token = ports.token;
    this.#signal = ports.signal;
  }

  /** @throws ImageCheckerError `file-unwritable` that names the path; the signal's reason. */
  async step<T>(path: string, action: () => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    return this.attempt(path, action);
  }

  /** A step that is taken although the signal has fired, such as closing a file. */
  async attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (thrown) {
      if (thrown instanceof ImageCheckerError) throw thrown;
      const message = `expected to write it, got ${messageOf(thrown)}`;
      throw new ImageCheckerError('file-unwritable', { file: path, message }, { cause: thrown });
    }
  }

  onRollBack(path: string, action: () => Promise<void>): void {
    this.#undo.push({ path, action });
  }

  /** Back to the state before, last step first; never throws. */
  async rollBack(): Promise<readonly Problem[]> {
    const problems: Problem[] = [];
    for (const { path, action } of this.#undo.reverse()) {
      try {
        await action();
      } catch (thrown) {
        problems.push({ file: path, message: `expected to undo it, got ${messageOf(thrown)}` });
      }
    }
    return problems;
  }
}

/** Runs an action on a file that may be gone already. */
export async function unlessGone(action: Promise<void>): Promise<void> {
  try {
    await action;
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  }
}
