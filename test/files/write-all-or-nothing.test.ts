import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ImageCheckerError } from '../../src/errors.ts';
import { writeAllOrNothing } from '../../src/files/write-all-or-nothing.ts';
import type { WritePlan } from '../../src/files/write-plan.ts';
import { findTemporaryFiles } from '../../src/files/write-temporary.ts';
import type { WritePorts } from '../../src/files/write-transaction.ts';
import { rejection, snapshot, watchedFs } from '../setup/support.ts';

let root: string;
let plan: WritePlan;
const OLD = 'the old content';

beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'image-checker-write-'));
  await fs.mkdir(join(root, 'there'));
  await fs.writeFile(join(root, 'there/replaced'), OLD, { mode: 0o640 });
  await fs.chmod(join(root, 'there/replaced'), 0o640);
  const { uid, gid } = await fs.stat(join(root, 'there/replaced'));
  plan = {
    folders: [
      { path: join(root, 'there'), mode: 0o755 },
      { path: join(root, 'deep/new'), mode: 0o700 },
    ],
    files: [
      { path: join(root, 'there/replaced'), mode: 0o644, content: 'new', replaces: { uid, gid } },
      { path: join(root, 'there/secret'), mode: 0o600, content: 'secret' },
      { path: join(root, 'deep/new/file'), mode: 0o644, content: Buffer.from('bytes') },
    ],
  };
});

afterEach(async () => {
  await fs.rm(root, { recursive: true });
});

function write(ports: Partial<WritePorts> = {}): ReturnType<typeof writeAllOrNothing> {
  const token = randomBytes(8).toString('hex');
  return writeAllOrNothing(plan, { fs, signal: new AbortController().signal, token, ...ports });
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

const DONE = {
  deep: 'folder 755',
  'deep/new': 'folder 700',
  'deep/new/file': 'file 644 bytes',
  there: 'folder 755',
  'there/replaced': 'file 644 new',
  'there/secret': 'file 600 secret',
};

describe('writing all files', () => {
  it('leaves them, their folders, and nothing else', async () => {
    expect(await write()).toEqual([]);
    expect(await snapshot(root)).toEqual(DONE);
  });

  it('never has a secret open to others', async () => {
    const seen: string[] = [];
    const watched = watchedFs(async () => {
      const tree = Object.entries(await snapshot(root));
      seen.push(...tree.filter(([name]) => name.includes('secret')).map(([, text]) => text));
    });
    await write({ fs: watched });
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.filter((text) => !text.startsWith('file 600 '))).toEqual([]);
  });

  it('never has a replaced file missing or half there', async () => {
    const seen = new Set<string>();
    const watched = watchedFs(async () => {
      seen.add(await fs.readFile(join(root, 'there/replaced'), 'utf8'));
    });
    await write({ fs: watched });
    expect([...seen]).toEqual([OLD, 'new']);
  });

  it('works where there are no hard links', async () => {
    const link = (): Promise<void> => Promise.reject(failure('EPERM'));
    await write({ fs: { ...fs, link } });
    expect(await snapshot(root)).toEqual(DONE);
  });

  it('works where a folder cannot be synced', async () => {
    const open: typeof fs.open = async (path, flags, mode) => {
      const handle = await fs.open(path, flags, mode);
      if (flags === 'r') handle.sync = () => Promise.reject(failure('EINVAL'));
      return handle;
    };
    await write({ fs: { ...fs, open } });
    expect(await snapshot(root)).toEqual(DONE);
  });

  it('is not confused by what a killed run left', async () => {
    const left = [
      join(root, 'there/.secret.image-checker-0011223344556677.new'),
      join(root, 'there/.replaced.image-checker-0011223344556677.old'),
    ];
    for (const file of left) await fs.writeFile(file, 'left');
    expect((await findTemporaryFiles([join(root, 'there'), join(root, 'none')])).sort()).toEqual(
      left.toSorted(),
    );
    await write();
    expect(await snapshot(root)).toMatchObject(DONE);
  });
});

describe('writing nothing', () => {
  /** Runs with a disturbance before the nth call, for every n until the run gets through. */
  async function disturbEach(disturb: (ports: AbortController) => void): Promise<number> {
    const before = await snapshot(root);
    for (let nth = 1; ; nth += 1) {
      const controller = new AbortController();
      const watched = watchedFs((call) => {
        if (call === nth) disturb(controller);
        return Promise.resolve();
      });
      const thrown = await write({ fs: watched, signal: controller.signal }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (thrown === undefined) return nth;
      expect(thrown).toBeInstanceOf(ImageCheckerError);
      expect(await snapshot(root)).toEqual(before);
    }
  }

  it('is what is left of a run in which any one call fails', async () => {
    const survived = await disturbEach(() => {
      throw failure('EIO');
    });
    // Everything is in place when only the tidying is left.
    expect(survived).toBeGreaterThan(30);
    expect(await snapshot(root)).toMatchObject(DONE);
    expect(await findTemporaryFiles([join(root, 'there')])).toHaveLength(1);
  });

  it('is what is left of a run that is interrupted at any call', async () => {
    const survived = await disturbEach((controller) => {
      controller.abort(new ImageCheckerError('setup-refused', { message: 'interrupted' }));
    });
    expect(survived).toBeGreaterThan(30);
    expect(await snapshot(root)).toEqual(DONE);
  });

  it('is what is left where there are no hard links and any one call fails', async () => {
    const before = await snapshot(root);
    for (let nth = 1; nth < 30; nth += 1) {
      let others = 0;
      const watched = watchedFs((_call, name) => {
        if (name === 'link') throw failure('EPERM');
        others += 1;
        if (others === nth) throw failure('ENOSPC');
        return Promise.resolve();
      });
      await rejection(write({ fs: watched }));
      expect(await snapshot(root)).toEqual(before);
    }
  });

  it('happens when a file appears in the place of a new one', async () => {
    const watched = watchedFs(async (_call, name) => {
      if (name === 'rename') await fs.writeFile(join(root, 'there/secret'), 'of somebody else');
    });
    expect(await rejection(write({ fs: watched }))).toMatchObject({ code: 'file-unwritable' });
    expect(await snapshot(root)).toEqual({
      there: 'folder 755',
      'there/replaced': `file 640 ${OLD}`,
      'there/secret': 'file 644 of somebody else',
    });
  });

  it('happens when a link appears in the place of a new file', async () => {
    await fs.symlink('replaced', join(root, 'there/secret'));
    expect(await rejection(write())).toMatchObject({ code: 'file-unwritable' });
    expect(await fs.readFile(join(root, 'there/replaced'), 'utf8')).toBe(OLD);
  });

  it('names the file, the reason, and what could not be undone', async () => {
    const watched = watchedFs((_call, name) => {
      if (name === 'link' || name === 'rmdir') throw failure('EIO');
      return Promise.resolve();
    });
    const thrown = await rejection(write({ fs: watched }));
    expect(thrown).toMatchObject({ code: 'file-unwritable' });
    expect((thrown as ImageCheckerError).problems.map(({ file }) => file)).toEqual([
      expect.stringMatching(/there\/\.replaced\..*\.old$/),
      join(root, 'deep/new'),
      join(root, 'deep'),
    ]);
  });
});
