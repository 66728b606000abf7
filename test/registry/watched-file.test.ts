import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPlain } from '../../src/files/read-plain-file.ts';
import { WatchedFile } from '../../src/registry/watched-file.ts';

const DENIED = 'cannot be read: permission denied';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-checker-watched-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file of JSON, and one who looks at it. */
async function watched(name: string, text: string) {
  const file = join(folder, name);
  await writeFile(file, text);
  /** Whether the system refuses to open it, for whatever does not show in the file. */
  const system = { refuses: false, now: 0 };
  const warnings: string[] = [];
  const parsed: string[] = [];
  const parse = (read: string): unknown => {
    parsed.push(read);
    return JSON.parse(read);
  };
  const read: typeof readPlain = (path, maxBytes) => {
    if (!system.refuses) return readPlain(path, maxBytes);
    return Promise.reject(Object.assign(new Error('open'), { code: 'EACCES' }));
  };
  const deps = {
    now: () => system.now,
    warn: ({ message }: { readonly message: string }) => warnings.push(message),
  };
  const it = new WatchedFile(file, parse, deps, read);
  return {
    ...{ file, system, warnings, parsed },
    /** A second later. */
    look: () => {
      system.now += 1000;
      return it.read();
    },
    again: () => it.read(),
  };
}

describe('a file that is watched', () => {
  it('is read once it can be, though it is the same', async () => {
    const { system, look, again, warnings } = await watched('refused.json', '1');
    system.refuses = true;
    await expect(look()).rejects.toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringContaining(DENIED),
    });
    system.refuses = false;
    await expect(again()).rejects.toThrow(DENIED);
    expect(await look()).toBe(1);
    expect(warnings).toEqual([]);
  });

  it('is told of once for as long as it cannot be read, and its new text is taken then', async () => {
    const { file, system, look, warnings } = await watched('rotated.json', '1');
    expect(await look()).toBe(1);
    system.refuses = true;
    await writeFile(file, '22');
    expect([await look(), await look(), await look()]).toEqual([1, 1, 1]);
    expect(warnings).toEqual([DENIED]);
    system.refuses = false;
    expect(await look()).toBe(22);
    system.refuses = true;
    await writeFile(file, '333');
    expect(await look()).toBe(22);
    expect(warnings).toEqual([DENIED, DENIED]);
  });

  it('is parsed once, whether it is good or not', async () => {
    const { file, look, warnings, parsed } = await watched('parsed.json', '1');
    for (let round = 0; round < 3; round++) expect(await look()).toBe(1);
    await writeFile(file, 'broken');
    for (let round = 0; round < 3; round++) expect(await look()).toBe(1);
    expect(parsed).toEqual(['1', 'broken']);
    expect(warnings).toHaveLength(1);
  });

  it('is what was there before when it goes and comes back', async () => {
    const { file, look, warnings } = await watched('gone.json', '1');
    await look();
    await rm(file);
    expect([await look(), await look()]).toEqual([1, 1]);
    await writeFile(file, '22');
    expect(await look()).toBe(22);
    expect(warnings).toEqual(['cannot be read: no such file']);
  });

  it('has changed when another text has its size and its time', async () => {
    const { file, look } = await watched('same.json', '1');
    await utimes(file, 1000, 1000);
    expect(await look()).toBe(1);
    const { ctimeNs } = await stat(file, { bigint: true });
    // The clock of a file system ticks some hundred times a second.
    while ((await stat(file, { bigint: true })).ctimeNs === ctimeNs) {
      await writeFile(file, '2');
      await utimes(file, 1000, 1000);
    }
    expect(await look()).toBe(2);
  });
});
