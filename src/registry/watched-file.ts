import { stat } from 'node:fs/promises';
import { ImageCheckerError, messageOf } from '../errors.ts';
import { readPlain } from '../files/read-plain-file.ts';
import { systemMessage } from '../files/read-text-file.ts';
import type { RegistryDeps } from './deps.ts';

export type WatchDeps = Pick<RegistryDeps, 'now' | 'warn'>;

/** Milliseconds between two looks at a file, which are one stat call each. */
const LOOK_MS = 1000;
/** Bytes: a docker config or a bundle of certificates has some thousands. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * A file of the operator's that is read again when it changes. One that cannot be used any more
 * leaves the last good one in use, and is told once; one that never could be used is an error.
 */
export class WatchedFile<T> {
  readonly file: string;
  readonly #parse: (text: string) => T;
  readonly #deps: WatchDeps;
  #seen: string | undefined;
  #lookAgain = 0;
  #value: { readonly good: T } | undefined;
  #failure: unknown;
  #looking: Promise<void> | undefined;

  constructor(file: string, parse: (text: string) => T, deps: WatchDeps) {
    this.file = file;
    this.#parse = parse;
    this.#deps = deps;
  }

  /** @throws {ImageCheckerError} `registry-unavailable` when there is no good one */
  async read(): Promise<T> {
    if (this.#deps.now() >= this.#lookAgain) {
      this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    }
    await this.#looking;
    if (this.#value !== undefined) return this.#value.good;
    throw new ImageCheckerError('registry-unavailable', this.#problem(), { cause: this.#failure });
  }

  async #look(): Promise<void> {
    try {
      const { dev, ino, size, mtimeNs } = await stat(this.file, { bigint: true });
      await this.#readIf([dev, ino, size, mtimeNs].join('-'));
    } catch (thrown) {
      this.#fail(thrown, '');
    }
    this.#lookAgain = this.#deps.now() + LOOK_MS;
  }

  async #readIf(state: string): Promise<void> {
    if (state === this.#seen) return;
    try {
      this.#value = { good: this.#parse((await readPlain(this.file, MAX_FILE_BYTES)).text) };
      this.#seen = state;
    } catch (thrown) {
      this.#fail(thrown, state);
    }
  }

  #fail(thrown: unknown, state: string): void {
    const isNew = this.#seen !== state;
    this.#seen = state;
    this.#failure = thrown;
    if (isNew && this.#value !== undefined) {
      this.#deps.warn?.({ ...this.#problem(), hint: 'what was in it before stays in use' });
    }
  }

  #problem(): { readonly file: string; readonly message: string } {
    const thrown = this.#failure;
    const message =
      thrown instanceof ImageCheckerError
        ? messageOf(thrown)
        : `cannot be read: ${systemMessage(thrown)}`;
    return { file: this.file, message };
  }
}
