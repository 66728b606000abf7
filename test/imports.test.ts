import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

/*
 * The import rules of the house, over the real import statements of src. Areas are the folders of
 * src, and its files that lie in no folder. Who wants to import something new says so here.
 */

const WIRING = ['check-image', 'config', 'errors', 'files', 'record', 'rules', 'transport'];

/** Whom the files of an area may import, beside their own area. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | 'everything'>> = {
  errors: [],
  version: [],
  parse: ['errors'],
  files: ['errors'],
  config: ['errors', 'files'],
  rules: ['errors', 'files', 'parse', 'predicate'],
  // What the predicates of attestations are asked: pure.
  predicate: ['errors', 'parse'],
  decide: ['errors', 'parse'],
  respond: ['errors', 'parse', 'decide'],
  record: ['errors'],
  // The client of OCI registries.
  registry: ['errors', 'files', 'parse'],
  // What `pin` does: images in manifests, and the digests of their tags.
  pin: ['errors', 'files', 'parse', 'scan', 'manifest', 'registry'],
  // What `pull-secret` does.
  'pull-secret': ['errors', 'files', 'parse', 'registry'],
  // Checks of what registries hold: signatures, attestations, digests, ages.
  verify: ['errors', 'parse', 'registry'],
  'check-image': ['errors', 'parse', 'decide', 'respond', 'record'],
  transport: ['errors', 'files'],
  setup: ['errors', 'files', 'manifest'],
  // The manifest of kube-apiserver: pure text to text.
  manifest: ['errors'],
  kubeconf: ['errors', 'files'],
  // What `scan` does: objects from manifests, held against rules.
  scan: ['errors', 'files', 'parse', 'decide'],
  // The client of `check --server`.
  ask: ['errors', 'parse'],
  // A small client of kube-apiserver.
  kube: ['errors'],
  // What `enable` and `disable` do.
  enable: ['ask', 'doctor', 'errors', 'files', 'kube', 'kubeconf', 'manifest', 'scan'],
  // What `test` does: policy unit tests.
  'policy-test': ['errors', 'files', 'parse', 'rules', 'decide', 'scan'],
  // What `doctor` does: it looks at the files of all the others.
  doctor: [
    ...['errors', 'files', 'parse', 'rules', 'decide', 'config'],
    ...['manifest', 'setup', 'kubeconf', 'ask', 'registry', 'version'],
  ],
  // Registries and who asks them, by the config.
  registries: ['config', 'errors', 'registry', 'verify'],
  service: [...WIRING, 'reviews'],
  reviews: [...WIRING, 'registries', 'reload', 'reloader', 'version'],
  // The service in several processes.
  workers: [...WIRING, 'reviews', 'service'],
  reload: [...WIRING, 'reloader'],
  reloader: WIRING,
  cli: 'everything',
  main: ['cli'],
};

/** Whose types, and only types, the files of an area may import beside that. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = {
  // What a compiled rule is; how a file becomes one is no business of a decision.
  decide: ['rules'],
  record: ['parse', 'decide'],
  // What is asked is compiled in the rules, and how it is answered is declared in decide.
  verify: ['rules', 'decide'],
  registry: ['config'],
  predicate: ['rules'],
  'check-image': ['rules'],
  transport: ['check-image', 'record', 'config'],
  scan: ['rules'],
};

/** The areas, or the one file, in which a library may be imported. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  re2js: ['rules', 'predicate'],
  '@bufbuild/cel': ['predicate'],
  '@bufbuild/protobuf': ['predicate'],
  yaml: ['files', 'setup', 'manifest', 'scan', 'pin', 'pull-secret'],
  zod: ['files', 'rules', 'verify', 'config', 'ask', 'enable', 'policy-test', 'kubeconf', 'doctor'],
  'lru-cache': ['registry', 'verify'],
  commander: ['cli'],
  express: ['transport'],
  helmet: ['transport'],
  winston: ['record/logger.ts'],
  'prom-client': ['record'],
  'node-forge': ['setup/der.ts'],
  '@noble/curves': ['verify/key-signature.ts'],
  '@sigstore/bundle': ['verify/keyless.ts'],
  '@sigstore/core': ['verify/certificate-parts.ts'],
  '@sigstore/protobuf-specs': ['verify/keyless.ts', 'rules/trust-material.ts'],
  '@sigstore/verify': ['verify/keyless.ts', 'rules/trust-material.ts'],
};

/** The network: the service that is asked, and the one client that asks it. */
const NETWORK = ['node:http', 'node:https', 'node:http2', 'node:dgram', 'node:dns', 'node:tls'];
const NETWORK_HOMES = ['transport', 'ask', 'registry', 'kube'];

const MAX_LINES = 250;

interface Import {
  /** As written. */
  readonly specifier: string;
  readonly typesOnly: boolean;
}

interface Source {
  /** Relative to src, with slashes. */
  readonly file: string;
  readonly text: string;
}

interface Scanned extends Source {
  readonly imports: readonly Import[];
  /** Statements that no file may have. */
  readonly forbidden: readonly string[];
}

function scan({ file, text }: Source): Scanned {
  const imports: Import[] = [];
  const forbidden: string[] = [];
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== undefined) imports.push(found);
    const mistake = forbiddenStatement(node);
    if (mistake !== undefined) forbidden.push(`${file}: ${mistake}`);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return { file, text, imports, forbidden };
}

function importOf(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node)) {
    const typesOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { specifier: textOf(node.moduleSpecifier), typesOnly };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { specifier: textOf(node.moduleSpecifier), typesOnly: node.isTypeOnly };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: textOf(node.argument.literal), typesOnly: true };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return { specifier: textOf(node.arguments[0]), typesOnly: false };
  }
  return undefined;
}

/** A specifier that is put together at run time is taken for one that nobody may import. */
function textOf(node: ts.Node | undefined): string {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : '(computed)';
}

function forbiddenStatement(node: ts.Node): string | undefined {
  if (isDefaultExport(node)) return 'export default';
  if (ts.isExportDeclaration(node) && !isNamed(node)) return 'export *';
  if (ts.isImportEqualsDeclaration(node)) return 'import =';
  return requireOf(node);
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node)) return node.name.text === 'default';
  return node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent);
}

function requireOf(node: ts.Node): string | undefined {
  if (!ts.isIdentifier(node)) return undefined;
  if (node.text === 'createRequire') return node.text;
  const called = ts.isCallExpression(node.parent) && node.parent.expression === node;
  return called && node.text === 'require' ? 'require' : undefined;
}

function isNamed({ exportClause }: ts.ExportDeclaration): boolean {
  return exportClause !== undefined && ts.isNamedExports(exportClause);
}

/** `rules` of `rules/load.ts`, `service` of `service.ts`. */
function areaOf(file: string): string {
  return (file.split('/')[0] ?? '').replace(/\.ts$/, '');
}

/** The file of src that is imported, or undefined for a library. */
function targetOf(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return normalize(join(dirname(file), specifier))
    .split(sep)
    .join('/');
}

function findMistakes(sources: readonly Source[]): string[] {
  const scanned = sources.map(scan);
  const files = new Set(scanned.map(({ file }) => file));
  return [
    ...scanned.flatMap(({ forbidden }) => forbidden),
    ...scanned
      .filter(({ text }) => lineCount(text) > MAX_LINES)
      .map(({ file, text }) => {
        return `${file}: ${lineCount(text)} lines`;
      }),
    ...scanned.flatMap(({ file, imports }) =>
      imports
        .filter((each) => !isAllowed(file, each, files))
        .map(({ specifier }) => `${file} imports ${specifier}`),
    ),
    ...findCycles(scanned),
  ];
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

function isAllowed(file: string, { specifier, typesOnly }: Import, files: Set<string>): boolean {
  const target = targetOf(file, specifier);
  if (target === undefined) return mayImportLibrary(file, specifier, typesOnly);
  const [from, to] = [areaOf(file), areaOf(target)];
  if (!files.has(target)) return false;
  if (from === to) return true;
  const allowed = MAY_IMPORT[from];
  if (allowed === 'everything' || allowed?.includes(to) === true) return true;
  return typesOnly && MAY_IMPORT_TYPES[from]?.includes(to) === true;
}

function mayImportLibrary(file: string, specifier: string, typesOnly: boolean): boolean {
  const isHome = (home: string): boolean => home === file || home === areaOf(file);
  if (NETWORK.includes(specifier)) return typesOnly || NETWORK_HOMES.some(isHome);
  if (specifier.startsWith('node:')) return true;
  const scope = specifier.startsWith('@') ? 2 : 1;
  const name = specifier.split('/').slice(0, scope).join('/');
  return Object.hasOwn(HOMES, name) && HOMES[name]?.some(isHome) === true;
}

/**
 * Files that import each other in a circle. Imports of types are left out: they are gone when the
 * code runs, and a type may well stand in the file that makes its values.
 */
function findCycles(scanned: readonly Scanned[]): string[] {
  const edges = new Map(
    scanned.map(({ file, imports }) => [
      file,
      imports
        .filter(({ typesOnly }) => !typesOnly)
        .flatMap(({ specifier }) => targetOf(file, specifier) ?? []),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) cycles.push(`a circle: ${[...way.slice(start), file].join(' -> ')}`);
    if (start >= 0 || done.has(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...way, file]);
    done.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  return cycles;
}

const root = fileURLToPath(new URL('../src/', import.meta.url));

function readSources(): Source[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { file: relative(root, path).split(sep).join('/'), text: readFileSync(path, 'utf8') };
    });
}

describe('the sources', () => {
  const sources = readSources();

  it('import nothing that they may not, in no circle, and keep to the rules of exports and length', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(findMistakes(sources)).toEqual([]);
  });

  it('lie in areas of which it is said whom they may import', () => {
    const areas = new Set(sources.map(({ file }) => areaOf(file)));
    expect([...areas].filter((area) => !Object.hasOwn(MAY_IMPORT, area))).toEqual([]);
  });
});

describe('the check of the sources', () => {
  /** The mistakes in one file beside some others that are good. */
  function check(file: string, text: string): string[] {
    const others = [
      'errors.ts',
      'check-image.ts',
      'parse/glob.ts',
      'files/document.ts',
      'rules/policy.ts',
      'decide/match.ts',
      'respond/reason.ts',
      'record/logger.ts',
      'setup/pki.ts',
      'cli/run.ts',
    ].filter((other) => other !== file);
    return findMistakes([{ file, text }, ...others.map((other) => ({ file: other, text: '' }))]);
  }

  it.each([
    ['decide/a.ts', "import type { Rule } from '../rules/policy.ts';"],
    ['decide/a.ts', "import { compileGlob } from '../parse/glob.ts';"],
    ['rules/a.ts', "import { RE2JS } from 're2js';"],
    ['rules/a.ts', "import { parse } from '../parse/glob.ts';\nimport { z } from 'zod';"],
    ['record/logger.ts', "import { createLogger } from 'winston';"],
    ['setup/der.ts', "import forge from 'node-forge';"],
    ['transport/a.ts', "import { createServer } from 'node:https';"],
    ['transport/a.ts', "import type { CheckImage } from '../check-image.ts';"],
    ['setup/a.ts', "import type { Server } from 'node:tls';"],
    ['cli/a.ts', "import { x } from '../setup/pki.ts';\nimport { Command } from 'commander';"],
    ['main.ts', "#!/usr/bin/env node\nimport { run } from './cli/run.ts';"],
    ['errors.ts', 'export const a = 1;'],
    ['decide/a.ts', 'export function f(require: number): number {\n  return require;\n}'],
    [
      'cli/a.ts',
      "const text = \"import x from 'express'\"; // import y from 'express'\nexport { text };",
    ],
    ['cli/a.ts', 'switch (1) {\n  default:\n}\nexport {};'],
    ['cli/a.ts', 'export const a = 1;\n'.repeat(250)],
  ])('lets %s be: %.60s', (file, text) => {
    expect(check(file, text)).toEqual([]);
  });

  it.each([
    [
      'decide/a.ts',
      "import { x } from '../rules/policy.ts';",
      'decide/a.ts imports ../rules/policy.ts',
    ],
    [
      'decide/a.ts',
      "import { type Rule } from '../rules/policy.ts';",
      'decide/a.ts imports ../rules/policy.ts',
    ],
    [
      'decide/a.ts',
      "export { x } from '../rules/policy.ts';",
      'decide/a.ts imports ../rules/policy.ts',
    ],
    ['decide/a.ts', "import '../rules/policy.ts';", 'decide/a.ts imports ../rules/policy.ts'],
    [
      'decide/a.ts',
      "const x = await import('../rules/policy.ts');",
      'decide/a.ts imports ../rules/policy.ts',
    ],
    ['decide/a.ts', 'const x = await import(`../rules/${y}`);', 'decide/a.ts imports (computed)'],
    ['decide/a.ts', "type T = import('../setup/pki.ts').T;", 'decide/a.ts imports ../setup/pki.ts'],
    [
      'decide/a.ts',
      "import type { T } from '../respond/reason.ts';",
      'decide/a.ts imports ../respond/reason.ts',
    ],
    [
      'decide/a.ts',
      "import { T } from '../files/document.ts';",
      'decide/a.ts imports ../files/document.ts',
    ],
    [
      'parse/a.ts',
      "import type { Rule } from '../rules/policy.ts';",
      'parse/a.ts imports ../rules/policy.ts',
    ],
    [
      'parse/a.ts',
      "import { x } from '../files/document.ts';",
      'parse/a.ts imports ../files/document.ts',
    ],
    [
      'rules/a.ts',
      "import { x } from '../decide/match.ts';",
      'rules/a.ts imports ../decide/match.ts',
    ],
    ['files/a.ts', "import { x } from '../parse/glob.ts';", 'files/a.ts imports ../parse/glob.ts'],
    [
      'record/a.ts',
      "import { x } from '../decide/match.ts';",
      'record/a.ts imports ../decide/match.ts',
    ],
    [
      'transport/a.ts',
      "import { x } from '../decide/match.ts';",
      'transport/a.ts imports ../decide/match.ts',
    ],
    [
      'transport/a.ts',
      "import { x } from '../record/logger.ts';",
      'transport/a.ts imports ../record/logger.ts',
    ],
    ['setup/a.ts', "import { x } from '../parse/glob.ts';", 'setup/a.ts imports ../parse/glob.ts'],
    ['main.ts', "import { x } from './errors.ts';", 'main.ts imports ./errors.ts'],
    ['errors.ts', "import { x } from './parse/glob.ts';", 'errors.ts imports ./parse/glob.ts'],
    ['newcomer/a.ts', "import { x } from '../errors.ts';", 'newcomer/a.ts imports ../errors.ts'],
    ['cli/a.ts', "import { x } from './absent.ts';", 'cli/a.ts imports ./absent.ts'],
    [
      'cli/a.ts',
      "import { x } from '../../test/support/policy.ts';",
      'cli/a.ts imports ../../test/support/policy.ts',
    ],
    ['parse/a.ts', "import { RE2JS } from 're2js';", 'parse/a.ts imports re2js'],
    ['cli/a.ts', "import { parse } from 'yaml';", 'cli/a.ts imports yaml'],
    ['cli/a.ts', "import type { Express } from 'express';", 'cli/a.ts imports express'],
    ['record/a.ts', "import { x } from 'winston';", 'record/a.ts imports winston'],
    ['setup/a.ts', "import forge from 'node-forge';", 'setup/a.ts imports node-forge'],
    [
      'setup/der.ts',
      "import x from 'node-forge/lib/x.js';\nimport y from 'lodash';",
      'setup/der.ts imports lodash',
    ],
    ['decide/a.ts', "import { get } from 'node:https';", 'decide/a.ts imports node:https'],
    ['decide/a.ts', "import { x } from 'constructor';", 'decide/a.ts imports constructor'],
    ['cli/a.ts', 'export default 1;', 'cli/a.ts: export default'],
    ['cli/a.ts', 'export default function a() {}', 'cli/a.ts: export default'],
    ['cli/a.ts', 'const a = 1;\nexport { a as default };', 'cli/a.ts: export default'],
    ['cli/a.ts', "export * from '../errors.ts';", 'cli/a.ts: export *'],
    ['cli/a.ts', "export * as errors from '../errors.ts';", 'cli/a.ts: export *'],
    ['cli/a.ts', "import errors = require('../errors.ts');", 'cli/a.ts: import ='],
    ['cli/a.ts', "const errors = require('../errors.ts');", 'cli/a.ts: require'],
    ['cli/a.ts', "import { createRequire } from 'node:module';", 'cli/a.ts: createRequire'],
    ['cli/a.ts', 'export const a = 1;\n'.repeat(251), 'cli/a.ts: 251 lines'],
  ])('finds the mistake in %s: %.60s', (file, text, mistake) => {
    expect(check(file, text)).toContain(mistake);
  });

  it.each([['import { b }'], ['import'], ['export { b }']])(
    'finds a circle that begins with %s',
    (statement) => {
      const from = statement === 'import' ? '' : ' from';
      const sources = [
        { file: 'parse/a.ts', text: `${statement}${from} './b.ts';` },
        { file: 'parse/b.ts', text: "import { c } from './c.ts';" },
        { file: 'parse/c.ts', text: "import { a } from './a.ts';" },
        { file: 'parse/d.ts', text: "import { a } from './a.ts';" },
      ];
      expect(findMistakes(sources)).toEqual([
        'a circle: parse/a.ts -> parse/b.ts -> parse/c.ts -> parse/a.ts',
      ]);
      expect(findMistakes(sources.filter(({ file }) => file !== 'parse/c.ts'))).toEqual([
        'parse/b.ts imports ./c.ts',
      ]);
    },
  );

  it('takes a circle that is one of types alone for none', () => {
    const sources = [
      { file: 'parse/a.ts', text: "import { b } from './b.ts';" },
      { file: 'parse/b.ts', text: "import type { A } from './a.ts';" },
    ];
    expect(findMistakes(sources)).toEqual([]);
  });

  it('takes no two ways to one file for a circle', () => {
    const sources = [
      { file: 'parse/a.ts', text: "import { b } from './b.ts';\nimport { c } from './c.ts';" },
      { file: 'parse/b.ts', text: "import { c } from './c.ts';" },
      { file: 'parse/c.ts', text: '' },
    ];
    expect(findMistakes(sources)).toEqual([]);
  });
});
