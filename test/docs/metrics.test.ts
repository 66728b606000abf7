import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { expect, it } from '@jest/globals';
import { format } from 'prettier';
import { metricsPage } from './metrics-page.ts';

const page = new URL('../../docs/metrics.md', import.meta.url);

it('docs/metrics.md is what `npm run docs:metrics` writes', async () => {
  const text = await format(metricsPage(), { parser: 'markdown', printWidth: 100 });
  if (process.env['WRITE_DOCS'] === '1') writeFileSync(page, text);
  expect(readFileSync(page, 'utf8')).toBe(text);
});
