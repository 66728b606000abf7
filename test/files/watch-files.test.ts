import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { watchFiles } from '../../src/files/watch-files.ts';

let folder: string;
let unwatch: (() => void) | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'image-checker-watch-'));
});
afterEach(() => {
  unwatch?.();
  rmSync(folder, { recursive: true });
});

/** Puts a text into place in one step, so that no look is between two. */
function put(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
  return file;
}

describe('files that are watched', () => {
  it.each([
    ['is another', () => put('a', 'two')],
    [
      'has other permissions',
      (file: string) => {
        chmodSync(file, 0o600);
      },
    ],
    [
      'is gone',
      (file: string) => {
        rmSync(file);
      },
    ],
  ])('have changed when one %s, however early', async (_title, change) => {
    const files = [put('a', 'one'), put('b', 'same')];
    let calls = 0;
    unwatch = await watchFiles(
      () => files,
      () => calls++,
    );
    change(join(folder, 'a'));
    await until(() => calls === 1);
  });

  it('have changed when they are others, once for each list', async () => {
    // As rules name their keys: what is read decides which files are watched.
    const rules = put('rules', 'a');
    let named = 'a';
    const read: string[] = [];
    const load = (): void => {
      named = readFileSync(rules, 'utf8');
      read.push(named);
    };
    unwatch = await watchFiles(() => [rules, join(folder, named)], load);
    put('rules', 'b');
    await until(() => read.length === 2);
    put('rules', 'a');
    await until(() => read.length === 4);
    put('a', 'a key');
    await until(() => read.length === 5);
    expect(read).toEqual(['b', 'b', 'a', 'a', 'a']);
  });
});

/** Waits for a condition, with a bound that only a broken watch meets. */
async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 400; round++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('waited for 20 s in vain');
}
