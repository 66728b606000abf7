import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { ask, PROTOCOLS } from '../support/requests.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { newPlace, start } from './service-process.ts';
import type { Place, ServiceProcess } from './service-process.ts';

/** MiB of JavaScript heap: a body of a million containers takes 165 of it. */
const HEAP = 192;
/** The default of limits.bodyBytes. */
const BODY_BYTES = 3 * 1024 * 1024;
/** Their bodies together are more than half of what the service holds of bodies. */
const CLIENTS = 12;

/** Instead of an answer. */
const CUT = { status: 0, text: '' };

const head = '{"kind":"ImageReview","apiVersion":"imagepolicy.k8s.io/v1alpha1","spec":';

/** A body of nearly the largest size, made of as many pieces as fit. */
function filledWith(before: string, piece: string, after: string): string {
  const room = BODY_BYTES - before.length - after.length - 16;
  return before + piece.repeat(Math.floor(room / piece.length)) + after;
}

const BODIES: readonly [string, string, number][] = [
  ['a million containers', filledWith(`${head}{"containers":[{}`, ',{}', ']}}'), 200],
  [
    'one long image',
    filledWith(`${head}{"containers":[{"image":"evil.example/`, 'a', '"}]}}'),
    200,
  ],
  ['a long annotation', filledWith(`${head}{"annotations":{"a":"`, '\\u202e', '"}}}'), 200],
  ['many numbers', filledWith(`${head}{"x":[0`, ',1e1', ']}}'), 200],
  ['brackets', filledWith(`${head}{"x":`, '[', '}'), 400],
  ['no JSON', filledWith('"', 'x', ''), 400],
];

describe(`with a heap of ${HEAP} MiB`, () => {
  let pki: TestPki;
  let place: Place;
  let service: ServiceProcess;
  let load: Load;
  beforeAll(async () => {
    pki = await newTestPki();
  });
  beforeEach(async () => {
    place = await newPlace(pki);
    service = await start(place, { node: [`--max-old-space-size=${HEAP}`] });
    load = startLoad(place.caller);
  });
  afterEach(async () => {
    await load.stop();
    await service.stop();
    await place.remove();
  });

  it.each(BODIES)(
    `answers others rightly while ${CLIENTS} clients send %s`,
    async (_title, body, status) => {
      const answers = await Promise.all(
        Array.from({ length: CLIENTS }, (_, index) =>
          ask(place.caller, { body, protocol: PROTOCOLS[index % 2] ?? 'HTTP/2' }).catch(() => CUT),
        ),
      );
      // On a machine that is too busy the time for a body runs out.
      const strange = answers.filter(
        (answer) => ![status, 429, CUT.status].includes(answer.status),
      );
      expect(strange).toEqual([]);
      expect(answers.filter(({ text }) => text.includes('"allowed":true'))).toEqual([]);
      await load.more(20);
      const { wrong, failures } = await load.stop();
      expect(wrong).toEqual([]);
      expect([...failures.keys()]).toEqual([]);
      expect(await service.stop()).toBe(0);
    },
  );
});
