import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { decideReview } from '../../src/decide/decide-review.ts';
import type { Decision } from '../../src/decide/decision.ts';
import { parsePolicy } from '../../src/rules/load.ts';
import type { Policy } from '../../src/rules/policy.ts';

const page = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8');
const ANNOTATION = 'image-checker.image-policy.k8s.io/break-glass';
/** In a table: a review that names no containers. */
const NO_IMAGE = '(none)';

interface Row {
  readonly image: string;
  readonly namespace: string;
  readonly 'break-glass'?: string;
  readonly verdict: string;
}

interface Example {
  readonly title: string;
  readonly text: string;
  readonly rows: readonly Row[];
}

/** A rules file whole, a list of rules, or what stands under `spec`. */
function wholeFile(block: string): string {
  if (block.includes('apiVersion:')) return block;
  const spec = block.startsWith('- ') ? `rules:\n${indent(block)}` : block;
  return `apiVersion: image-checker/v1\nkind: ImagePolicy\nmetadata: { name: example }\nspec:\n${indent(spec)}`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function readTable(lines: readonly string[]): Row[] {
  const [header = [], , ...rows] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return rows.map(
    (cells) => Object.fromEntries(header.map((key, index) => [key, cells[index]])) as never,
  );
}

const examples = page
  .split(/^#+ /m)
  .slice(1)
  .flatMap((section): Example[] => {
    const block = /```yaml\n(?<yaml>[^`]*)```/.exec(section)?.groups?.['yaml'];
    if (block === undefined) return [];
    const rows = readTable(section.split('\n').filter((line) => line.startsWith('|')));
    return [{ title: section.split('\n')[0] ?? '', text: wholeFile(block), rows }];
  });

function decide(policy: Policy, row: Row): Decision {
  const ticket = row['break-glass'] ?? '';
  return decideReview(
    {
      images: row.image === NO_IMAGE ? [] : [row.image],
      namespace: row.namespace,
      annotations: new Map(ticket === '' ? [] : [[ANNOTATION, ticket]]),
      spec: {},
    },
    policy,
    { containers: 1000 },
  );
}

/** The strongest thing that happened. */
function verdict({ allowed, violations }: Decision): string {
  if (!allowed) return 'denied';
  const severities = new Set(violations.map(({ severity }) => severity));
  if (severities.has('warn')) return 'warned';
  return severities.has('audit') ? 'audited' : 'allowed';
}

describe('docs/rules.md', () => {
  it('has an example for every key, and ten policies', () => {
    expect(examples.length).toBeGreaterThanOrEqual(21);
    expect(page.match(/^## \d+\. /gm)).toHaveLength(10);
    const keys = 'mode match except registries images tags digest explicitRegistry forbid message';
    for (const key of [...keys.split(' '), 'unmatchedImages', 'breakGlass', 'emptyReviews']) {
      expect(page).toContain(key);
    }
  });

  it('has a row for reviews without images that are allowed, and for some that are not', () => {
    const empty = examples.flatMap(({ rows }) => rows).filter(({ image }) => image === NO_IMAGE);
    expect(new Set(empty.map(({ verdict: expected }) => expected))).toEqual(
      new Set(['allowed', 'denied']),
    );
  });

  it.each(examples)('$title: is a valid rules file', ({ title, text }) => {
    expect(parsePolicy({ file: title, text }).name).not.toBe('');
  });

  const rows = examples.flatMap(({ title, text, rows: table }) =>
    table.map((row) => ({ title, text, row, ...row })),
  );

  it.each(rows)('$title: $image in $namespace is $verdict', ({ title, text, row }) => {
    expect(verdict(decide(parsePolicy({ file: title, text }), row))).toBe(row.verdict);
  });
});
