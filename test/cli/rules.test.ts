import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { call, newFolder, removeFolder, RULES } from './call.ts';
import type { Called, Surroundings } from './call.ts';

let folder: string;

const BROKEN = `apiVersion: image-checker/v1
kind: ImagePolicy
metadata: { name: x }
spec:
  rules:
    - name: a
      requires: { registries: [docker.io] }
      match: { images: ["*.example.com"] }
\t- name: b
`.replace('\t', '    ');

const DOUBTFUL = `apiVersion: image-checker/v1
kind: ImagePolicy
metadata: { name: x }
spec:
  rules:
    - name: a
      match: { images: [registry.k8s.io] }
`;

beforeAll(async () => {
  folder = await newFolder({
    'good.yaml': RULES,
    'broken.yaml': BROKEN,
    'doubtful.yaml': DOUBTFUL,
    'no-yaml.yaml': 'a: [\n',
    'odd.yaml': `# ${'x'.repeat(300)}\nkind: "\\u001b[31m${'y'.repeat(200)}"\n\u001b: 1\n`,
  });
});

afterAll(async () => {
  await removeFolder(folder);
});

function rules(args: readonly string[], surroundings: Surroundings = {}): Promise<Called> {
  return call(['rules', ...args], { cwd: folder, ...surroundings });
}

describe('image-checker rules validate', () => {
  it('says that a file is valid', async () => {
    expect(await rules(['validate', 'good.yaml'])).toEqual({
      code: EXIT.ok,
      stdout: 'good.yaml: valid, 4 rules\n',
      stderr: '',
    });
  });

  it('shows every mistake with its place, its line and a hint', async () => {
    const { code, stdout, stderr } = await rules(['validate', 'broken.yaml']);
    expect([code, stderr]).toEqual([EXIT.finding, '']);
    expect(stdout).toContain(
      [
        'broken.yaml:7:7: error: unknown key "requires"',
        '  7 |       requires: { registries: [docker.io] }',
        '    |       ^',
        '  hint: did you mean "require"?',
        '',
        'broken.yaml:8:25: error: spec.rules[0].match.images[0]: "*.example.com" names no path',
        '  8 |       match: { images: ["*.example.com"] }',
        '    |                         ^',
        '  hint: write *.example.com/** for all its images',
      ].join('\n'),
    );
    expect(stdout).toMatch(/\n\d mistakes, 0 warnings\n$/);
  });

  it('shows where a file is no YAML', async () => {
    const { code, stdout } = await rules(['validate', 'no-yaml.yaml']);
    expect(code).toBe(EXIT.finding);
    expect(stdout).toMatch(/^no-yaml\.yaml:2:1: error: not YAML: /);
    expect(stdout).toMatch(/\n {2}2 \| .*\n {4}\| \^\n {2}hint: .*\n\n1 mistake, 0 warnings\n$/);
  });

  it.each([
    ['as such', [], EXIT.ok],
    ['as mistakes with --strict', ['--strict'], EXIT.finding],
  ])('counts warnings %s', async (_title, flags, expected) => {
    const { code, stdout } = await rules(['validate', 'doubtful.yaml', ...flags]);
    expect(code).toBe(expected);
    expect(stdout).toBe(
      [
        'doubtful.yaml:7:25: warning: spec.rules[0].match.images[0]: "registry.k8s.io" is the image docker.io/library/registry.k8s.io, not the registry',
        '  7 |       match: { images: [registry.k8s.io] }',
        '    |                         ^',
        '  hint: write registry.k8s.io/** for its images',
        '',
        '0 mistakes, 1 warning',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['good.yaml', [], { valid: true, errors: 0, warnings: 0 }],
    ['doubtful.yaml', [], { valid: true, errors: 0, warnings: 1 }],
    ['doubtful.yaml', ['--strict'], { valid: false, errors: 0, warnings: 1 }],
    ['no-yaml.yaml', [], { valid: false, errors: 1, warnings: 0 }],
  ])('says it as JSON: %s %j', async (file, flags, expected) => {
    const { code, stdout } = await rules(['validate', file, ...flags, '-o', 'json']);
    const found = JSON.parse(stdout) as { valid: boolean; errors: unknown[]; warnings: unknown[] };
    const { valid, errors, warnings } = found;
    expect({ valid, errors: errors.length, warnings: warnings.length }).toEqual(expected);
    expect(found).toMatchObject({ file });
    expect(code).toBe(valid ? EXIT.ok : EXIT.finding);
  });

  it('shows a part of a long line, and nothing that a terminal would obey', async () => {
    const { stdout } = await rules(['validate', 'odd.yaml']);
    expect(stdout).not.toContain('\u001b');
    expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThan(300);
  });

  it('colours on a terminal', async () => {
    const { stdout } = await rules(['validate', 'broken.yaml'], { terminal: true });
    expect(stdout).toContain('\u001b[31merror\u001b[39m');
  });

  it('cannot tell about a file that is not there', async () => {
    const { code, stdout, stderr } = await rules(['validate', 'nope.yaml']);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain('error: nope.yaml: cannot be read: no such file\n');
  });

  it.each([['validate'], ['schema']])('explains rules %s with --help', async (command) => {
    const { stdout } = await rules([command, '--help']);
    expect(stdout).toContain(`Examples:\n  image-checker rules ${command}`);
  });
});
