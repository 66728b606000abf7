import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parsePolicy } from '../../src/rules/load.ts';
import type { RegistryRequirement } from '../../src/rules/registry-requirement.ts';
import type { RuleFiles } from '../../src/rules/rule-files.ts';
import { newSigningKey } from '../support/cosign.ts';

const page = readFileSync(new URL('../../docs/attestations.md', import.meta.url), 'utf8');
const NOW = Date.parse('2026-11-27T12:00:00Z');

const pem = newSigningKey().trusted.key.export({ type: 'spki', format: 'pem' }).toString();
const FILES: RuleFiles = new Map([
  ['cosign.pub', { path: '/etc/image-checker/cosign.pub', text: pem, mistake: undefined }],
]);

const indent = (text: string, by: number): string => text.replace(/^(?=.)/gm, ' '.repeat(by));

/** A whole rule, of one that says this: in full, its `require`, or an entry of `attestations`. */
function ruleOf(yaml: string): string {
  if (yaml.startsWith('- name:')) return yaml;
  const require = yaml.startsWith('require:')
    ? yaml
    : `require:\n  attestations:\n    -\n${indent(yaml, 6)}`;
  return `- name: example\n${indent(require, 2)}`;
}

function requirementOf(yaml: string): RegistryRequirement {
  const head =
    'apiVersion: image-checker/v1\nkind: ImagePolicy\nmetadata: { name: example }\nspec:\n  rules:\n';
  const text = `${head}${indent(ruleOf(yaml), 4)}`;
  const [rule] = parsePolicy({ file: 'rules.yaml', text }, FILES).rules;
  if (rule?.require.registry === undefined) throw new Error('nothing is asked of a registry');
  return rule.require.registry;
}

interface Statement {
  readonly predicateType: string;
  readonly predicate: unknown;
}

const examples = page.split(/^##+ /m).flatMap((section) => {
  const yaml = /```yaml\n([^`]*)```/.exec(section)?.[1];
  if (yaml === undefined) return [];
  const title = section.split('\n')[0] ?? '';
  const verdicts = section.matchAll(
    /^(?:(Passes)|Refused, `(?<why>.*)`):\n\n```json\n(?<json>[^`]*)```/gm,
  );
  const statements = [...verdicts].map(({ groups }) => ({
    why: groups?.['why'],
    statement: JSON.parse(groups?.['json'] ?? '') as Statement,
  }));
  return [{ title, yaml, statements }];
});

describe('docs/attestations.md', () => {
  it('has an example of every form, with what passes and what does not', () => {
    expect(examples.map(({ title }) => title)).toEqual([
      'Asking for one',
      ...['By expressions', 'Provenance', 'Vulnerabilities', 'Bills of materials'],
      'Ages, platforms and tags',
    ]);
    for (const { statements } of examples.slice(1, 5)) {
      expect(statements.some(({ why }) => why === undefined)).toBe(true);
      expect(statements.some(({ why }) => why !== undefined)).toBe(true);
    }
    expect(page.match(/```json/g)).toHaveLength(examples.flatMap((each) => each.statements).length);
  });

  it.each(examples)('$title: is a valid rule', ({ yaml }) => {
    expect(requirementOf(yaml).hash).not.toBe('');
  });

  const verdicts = examples.flatMap(({ title, yaml, statements }) =>
    statements.map((each, index) => ({ title, number: index + 1, yaml, ...each })),
  );

  it.each(verdicts)('$title, $number: is judged as it says', ({ yaml, why, statement }) => {
    const { predicateType, predicate } = statement;
    const checks = requirementOf(yaml).attestations[0]?.checks.get(predicateType) ?? [];
    const refusals = checks.flatMap((check) => {
      const refusal = check.refusal(predicate, NOW);
      return refusal === undefined ? [] : [`${check.source}: ${refusal}`];
    });
    expect(checks.length).toBeGreaterThan(0);
    expect(refusals.join('\n')).toEqual(why === undefined ? '' : expect.stringContaining(why));
  });
});
