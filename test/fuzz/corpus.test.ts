import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { corpusOf, TARGET_NAMES, TARGETS } from './targets.ts';
import { trustedIn } from './trusted-layer.ts';

const GUIDED_RUN = fileURLToPath(new URL('../../scripts/fuzz/run.js', import.meta.url));

describe.each(TARGET_NAMES)('the kept inputs of %s', (name) => {
  it.each(corpusOf(name))('break no promise: $file', async ({ data }) => {
    await TARGETS[name](data);
  });
});

describe('of the layers that are signed', () => {
  it.each(corpusOf('signature').filter(({ file }) => file.startsWith('seed-')))(
    'those by somebody trusted count, for the image that they are about: $file',
    async ({ file, data }) => {
      const [, how, isAttestation, digest] =
        /^seed-(key|certificate|keyless)(-attestation)?(?:-simple|-bundle)?(?:-(image|other))?$/.exec(
          file,
        ) ?? [];
      const speaks = isAttestation === undefined && digest !== 'other';
      const found = await trustedIn(data);
      expect(found).toEqual(how === undefined ? [] : [{ how, speaks, hash: expect.any(String) }]);
    },
  );
});

it('every target is fuzzed, here and by the guided run', () => {
  const files = readdirSync(new URL('targets/', import.meta.url));
  const targets = files.map((file) => file.replace('.ts', '')).toSorted();
  expect(TARGET_NAMES.toSorted()).toEqual(targets);
  const help = execFileSync(process.execPath, [GUIDED_RUN, '--help'], { encoding: 'utf8' });
  expect(/^Targets: (.*)$/m.exec(help)?.[1]?.split(', ').toSorted()).toEqual(targets);
});
