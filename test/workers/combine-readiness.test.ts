import { describe, expect, it } from '@jest/globals';
import type { Readiness } from '../../src/transport/readiness.ts';
import { combineReadiness } from '../../src/workers/combine-readiness.ts';
import type { WorkerState } from '../../src/workers/combine-readiness.ts';

const NOW = 100_000;
const READY: Readiness = { ready: true, reasons: [], policy: 'p@1', failedReloads: [] };

function worker(given: Partial<WorkerState> = {}): WorkerState {
  return { number: 1, losses: 0, startedAt: NOW - 1000, heardAt: NOW, readiness: READY, ...given };
}

const late: Readiness = { ...READY, ready: false, reasons: ['the event loop is 900 ms late'] };

describe('the readiness of several workers', () => {
  it('is that of all of them', () => {
    expect(combineReadiness([worker(), worker({ number: 2 })], NOW, false)).toEqual(READY);
  });

  it('does not wait for one that is being replaced', () => {
    const gone = worker({ number: 2, losses: 1, readiness: undefined });
    expect(combineReadiness([worker(), gone], NOW, false).ready).toBe(true);
  });

  it('forgives one that has run for long since it was last replaced', () => {
    const good = worker({ losses: 5, startedAt: NOW - 60_000 });
    expect(combineReadiness([good], NOW, false).ready).toBe(true);
  });

  it.each<[string, WorkerState[], boolean, string[]]>([
    ['while it stops', [worker()], true, ['the service is stopping']],
    ['without a worker', [], false, ['no worker is serving']],
    [
      'while all are being replaced',
      [worker({ readiness: undefined })],
      false,
      ['no worker is serving'],
    ],
    [
      'with one that is not',
      [worker(), worker({ number: 2, readiness: late })],
      false,
      ['worker 2: the event loop is 900 ms late'],
    ],
    [
      'with one that is silent',
      [worker({ heardAt: NOW - 3001 }), worker({ number: 2 })],
      false,
      ['worker 1 does not answer'],
    ],
    [
      'with one that ends again and again, also between two lives',
      [worker({ losses: 3 }), worker({ number: 2, losses: 4, readiness: undefined })],
      false,
      [
        'worker 1 has ended 3 times in a row, see the log',
        'worker 2 has ended 4 times in a row, see the log',
      ],
    ],
  ])('is red %s', (_title, workers, stopping, reasons) => {
    const { ready, reasons: got } = combineReadiness(workers, NOW, stopping);
    expect({ ready, reasons: got }).toEqual({ ready: false, reasons });
  });

  it('names a failed reload once, however many workers met it', () => {
    const failure = {
      what: 'rules',
      at: '2026-01-01T00:00:00.000Z',
      problems: ['rules.yaml:1:1: x'],
    };
    const other = { ...failure, what: 'certificates' };
    const workers = [
      worker({ readiness: { ...READY, failedReloads: [failure] } }),
      worker({ number: 2, readiness: { ...READY, failedReloads: [failure, other] } }),
    ];
    const { ready, failedReloads } = combineReadiness(workers, NOW, false);
    expect([ready, failedReloads.map(({ what }) => what)]).toEqual([
      true,
      ['rules', 'certificates'],
    ]);
  });
});
