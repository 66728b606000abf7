import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readPlainFile } from '../../src/files/read-plain-file.ts';

describe('a file that is read while the service runs', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-checker-files-'));
    file = join(folder, 'file');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('comes with its mode', async () => {
    await writeFile(file, 'text', { mode: 0o600 });
    const { text, mode } = await readPlainFile(file, '');
    expect([text, mode & 0o777]).toEqual(['text', 0o600]);
  });

  it('may be named by a link', async () => {
    await writeFile(file, 'text');
    await symlink('file', join(folder, 'link'));
    expect((await readPlainFile(join(folder, 'link'), '')).text).toBe('text');
  });

  it.each([
    ['nothing', () => undefined, 'no such file'],
    ['a folder', () => mkdir(file), 'it is a folder'],
    ['a device', () => symlink('/dev/zero', file), 'it is no ordinary file'],
    ['a pipe without a writer', () => execFileSync('mkfifo', [file]), 'it is no ordinary file'],
    ['a file that never ends', hugeFile, 'it has more than 16777216 bytes'],
  ])('is not %s', async (_title, make, message) => {
    await make();
    await expect(readPlainFile(file, 'the hint')).rejects.toMatchObject({
      code: 'file-unreadable',
      problems: [{ file, message: `cannot be read: ${message}`, hint: 'the hint' }],
    });
  });

  /** Without a byte on the disk. */
  async function hugeFile(): Promise<void> {
    await writeFile(file, '');
    await truncate(file, 2 ** 40);
  }
});
