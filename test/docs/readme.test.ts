import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parsePolicy } from '../../src/rules/load.ts';

const root = new URL('../../', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'admission/README.md',
  'scripts/lab/README.md',
  ...readdirSync(new URL('docs/', root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe.each(pages)('%s', (page) => {
  const text = read(page);

  it('links to nothing that is not there', () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, link]) => link);
    const broken = links.filter((link) => !existsSync(new URL(link ?? '', new URL(page, root))));
    expect(broken).toEqual([]);
  });

  it('names no npm script and no file under scripts/ that is not there', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name ?? ''))).toEqual([]);
    const files = [...text.matchAll(/(?<![\w/])scripts\/[\w./-]*\.sh/g)].map(([file]) => file);
    expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
  });
});

it('the rules file of the README is a valid one', () => {
  const rules = /```yaml\n(apiVersion: image-checker[^`]*)```/.exec(read('README.md'))?.[1] ?? '';
  expect(parsePolicy({ file: 'README.md', text: rules }).rules).toHaveLength(3);
});
