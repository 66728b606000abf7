import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const docs = new URL('../../docs/', import.meta.url);
const page = readFileSync(new URL('reliability.md', docs), 'utf8');
/** Behind it there are figures. */
const [faults = ''] = page.split('\n## A long time\n');

/** Each row of a table that has a fault in it: its first cell and its last. */
const rows = faults
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:fault|-+) /.test(line))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .map((cells) => [cells[1] ?? '', cells.at(-2) ?? ''] as const);

describe('docs/reliability.md', () => {
  it('has rows', () => {
    expect(rows.length).toBeGreaterThan(15);
  });

  it.each(rows)('names the test of: %s', (_fault, cell) => {
    const named = [...cell.matchAll(/\[`([^`]+)`\]\(([^)]+)\)/g)];
    expect(named.length).toBeGreaterThan(0);
    for (const [, title = '', file = ''] of named) {
      const path = new URL(file, docs);
      expect([file, existsSync(path)]).toEqual([file, true]);
      expect(readFileSync(path, 'utf8')).toContain(title);
    }
  });
});
