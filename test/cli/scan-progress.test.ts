import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { Progress } from '../../src/cli/progress.ts';

/** What is shown while ten chunks of a megabyte come, one every so many milliseconds. */
async function watch(step: number, total: number, terminal = true): Promise<string> {
  const stream = Object.assign(new PassThrough(), { isTTY: terminal });
  let now = 0;
  const progress = new Progress(stream, total, () => now);
  function* chunks(): Generator<Buffer> {
    for (let count = 0; count < 10; count++) {
      now += step;
      yield Buffer.alloc(1e6);
    }
  }
  let pods = 0;
  for await (const chunk of progress.watch(Readable.from(chunks()), () => `${pods} pods`)) {
    pods += chunk.length / 1e6;
  }
  progress.clear();
  return String(stream.read() ?? '');
}

describe('the progress of a scan', () => {
  it('is not shown when it is quick', async () => {
    expect(await watch(50, 1e7)).toBe('');
  });

  it('is not shown but on a terminal', async () => {
    expect(await watch(1000, 1e7, false)).toBe('');
  });

  it('is a bar when the size is known, and is taken away at the end', async () => {
    const lines = (await watch(400, 1e7)).split('\r\u001b[K');
    expect(lines.slice(1)).toEqual([
      '[#######.................] 30% 3 MB, 3 pods',
      '[#########...............] 40% 4 MB, 4 pods',
      '[############............] 50% 5 MB, 5 pods',
      '[##############..........] 60% 6 MB, 6 pods',
      '[################........] 70% 7 MB, 7 pods',
      '[###################.....] 80% 8 MB, 8 pods',
      '[#####################...] 90% 9 MB, 9 pods',
      '[########################] 100% 10 MB, 10 pods',
      '',
    ]);
  });

  it('is a count when the size is not known, not more than ten times a second', async () => {
    const lines = (await watch(101, 0)).split('\r\u001b[K');
    expect(lines.slice(1)).toEqual(['10 MB, 10 pods', '']);
  });
});
