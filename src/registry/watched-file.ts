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
 * A file of the operator's that is read again when it changes, and at each look while it cannot be
 * read: what was the reason (permissions, no file handles left) passes without a change of it. One
 * that cannot be used any more leaves the last good one in use, and is told once; one that never
 * could be used is an error.
 */
export class WatchedFile<T> {
  readonly file: string;
  readonly #parse: (text: string) => T;
  readonly #deps: WatchDeps;
  readonly #readPlain: typeof readPlain;
  /** Of the text that was parsed last, whether it is good or not. */
  #state: string | undefined;
  #lookAgain = 0;
  #value: { readonly good: T } | undefined;
  /** Of the last look; undefined when it was a success. */
  #failure: { readonly message: string; readonly cause: unknown } | undefined;
  #looking: Promise<void> | undefined;

  constructor(file: string, parse: (text: string) => T, deps: WatchDeps, read = readPlain) {
    this.file = file;
    this.#parse = parse;
    this.#deps = deps;
    this.#readPlain = read;
  }

  /** @throws {ImageCheckerError} `registry-unavailable` when there is no good one */
  async read(): Promise<T> {
    if (this.#deps.now() >= this.#lookAgain) {
      this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    }
    await this.#looking;
    if (this.#value !== undefined) return this.#value.good;
    const { message = '', cause } = this.#failure ?? {};
    throw new ImageCheckerError('registry-unavailable', { file: this.file, message }, { cause });
  }

  async #look(): Promise<void> {
    try {
      await this.#readIfChanged();
    } catch (thrown) {
      this.#state = undefined;
      this.#fail(thrown);
    }
    this.#lookAgain = this.#deps.now() + LOOK_MS;
  }

  async #readIfChanged(): Promise<void> {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(this.file, { bigint: true });
    // The time of change tells of what was put there with an older file's size and time, too.
    const state = [dev, ino, size, mtimeNs, ctimeNs].join('-');
    if (state === this.#state) return;
    const { text } = await this.#readPlain(this.file, MAX_FILE_BYTES);
    this.#state = state;
    try {
      this.#value = { good: this.#parse(text) };
      this.#failure = undefined;
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #fail(cause: unknown): void {
    const message =
      cause instanceof ImageCheckerError
        ? messageOf(cause)
        : `cannot be read: ${systemMessage(cause)}`;
    const isNew = message !== this.#failure?.message;
    this.#failure = { message, cause };
    if (isNew && this.#value !== undefined) {
      const hint = 'what was in it before stays in use';
      this.#deps.warn?.({ file: this.file, message, hint });
    }
  }
}
