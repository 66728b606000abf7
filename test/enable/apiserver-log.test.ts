import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readApiServerLog } from '../../src/enable/apiserver-log.ts';

const SINCE = new Date('2026-11-28T04:00:00Z');
const OLD_POD = 'kube-system_kube-apiserver-cp-1_aaaa';
const NEW_POD = 'kube-system_kube-apiserver-cp-1_bbbb';

let podLogs: string;
beforeEach(async () => {
  podLogs = await mkdtemp(join(tmpdir(), 'image-checker-pods-'));
});
afterEach(() => rm(podLogs, { recursive: true }));

/** A file as the kubelet's runtimes write it; lines are `SECONDS MESSAGE`, counted from SINCE. */
async function log(pod: string, run: number, lines: readonly string[]): Promise<void> {
  const stamped = lines.map((line) => {
    const [seconds = '', ...message] = line.split(' ');
    return { time: new Date(SINCE.getTime() + 1000 * Number(seconds)), text: message.join(' ') };
  });
  const path = join(podLogs, pod, 'kube-apiserver', `${run}.log`);
  await mkdir(dirname(path), { recursive: true });
  const written = stamped.map(({ time, text }) => `${time.toISOString()} stderr F ${text}\n`);
  await writeFile(path, written.join(''));
  const last = stamped.at(-1)?.time ?? SINCE;
  await utimes(path, last, last);
}

describe('what kube-apiserver said', () => {
  it('is what the run that failed said, although the next one writes already', async () => {
    await log(NEW_POD, 0, ['1 I1128 Version: v1.20.2', '21 F1128 context deadline exceeded']);
    await log(NEW_POD, 1, ['23 I1128 Version: v1.20.2']);
    expect(await readApiServerLog(podLogs, SINCE)).toEqual(['F1128 context deadline exceeded']);
  });

  it('is nothing of before', async () => {
    await log(OLD_POD, 0, ['-9 E1128 of yesterday', '2 I1128 shutting down']);
    await log(NEW_POD, 0, ['-5 E1128 also older']);
    await log('kube-system_etcd-cp-1_cccc', 0, ['3 E1128 of another pod']);
    expect(await readApiServerLog(podLogs, SINCE)).toEqual(['I1128 shutting down']);
  });

  it('is what the old server says where the new one has written nothing yet', async () => {
    await log(OLD_POD, 0, ['2 I1128 shutting down']);
    await log(NEW_POD, 0, []);
    expect(await readApiServerLog(podLogs, SINCE)).toEqual(['I1128 shutting down']);
  });

  it('is told oldest first, ten lines at most, of any run', async () => {
    await log(OLD_POD, 0, ['1 E1128 first']);
    await log(
      NEW_POD,
      0,
      Array.from({ length: 9 }, (_, at) => `${at + 2} E1128 then ${at}`),
    );
    await log(NEW_POD, 1, ['20 E1128 last']);
    const told = await readApiServerLog(podLogs, SINCE);
    expect(told).toHaveLength(10);
    expect([told[0], told[9]]).toEqual(['E1128 then 0', 'E1128 last']);
  });
});
