/** What somebody may write where a predicate is expected; none of it fulfils anything. */
export const HOSTILE: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['true', true],
  ['a number', 1],
  ['an empty text', ''],
  ['a text', 'predicate'],
  ['an empty list', []],
  ['a list of lists', [[[]]]],
  ['an empty object', {}],
  ['an object of nulls', { builder: null, scanner: null, metadata: null, packages: null }],
  ['an object of numbers', { builder: 1, scanner: 1, metadata: 1, packages: 1, components: 1 }],
  [
    'an object of lists',
    { builder: [], runDetails: [], scanner: [], metadata: [], packages: [[]] },
  ],
  ['an inherited answer', JSON.parse(`{"__proto__":${JSON.stringify(good())}}`)],
  ['what is wrapped in a list', [good()]],
  ['what is wrapped in an object', { predicate: good() }],
  ['what is wrapped in a text', JSON.stringify(good()).replace('{', '{,')],
];

function good(): object {
  return {
    builder: { id: 'https://builder.example.com' },
    invocation: { configSource: { uri: 'https://git.example.com/a' } },
    scanner: { result: { SchemaVersion: 2 } },
    metadata: { scanFinishedOn: '2026-11-27T00:00:00Z' },
    spdxVersion: 'SPDX-2.3',
    packages: [{ name: 'a' }],
    bomFormat: 'CycloneDX',
    components: [{ name: 'a' }],
  };
}
