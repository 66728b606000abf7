import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { corpusOf, TARGET_NAMES, TARGETS } from './targets.ts';

const GUIDED_RUN = fileURLToPath(new URL('../../scripts/fuzz/run.js', import.meta.url));

describe.each(TARGET_NAMES)('the kept inputs of %s', (name) => {
  it.each(corpusOf(name))('break no promise: $file', ({ data }) => {
    TARGETS[name](data);
  });
});

it('every target is fuzzed, here and by the guided run', () => {
  const files = readdirSync(new URL('targets/', import.meta.url));
  const targets = files.map((file) => file.replace('.ts', '')).toSorted();
  expect(TARGET_NAMES.toSorted()).toEqual(targets);
  const help = execFileSync(process.execPath, [GUIDED_RUN, '--help'], { encoding: 'utf8' });
  expect(/^Targets: (.*)$/m.exec(help)?.[1]?.split(', ').toSorted()).toEqual(targets);
});
