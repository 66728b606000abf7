import fc from 'fast-check';

/** A change of a text: from a place on, so many bytes are taken out, and others put in. */
interface Edit {
  readonly at: number;
  readonly take: number;
  readonly put: Buffer;
}

/** What parsers stumble over, of whatever kind. */
const TOKENS = [
  ...['\n', '\r\n', '\t', ' ', '  ', '\0', '\ufeff', '\u2028', '\u202e', '\ud83d\ude00'],
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    ':',
    ',',
    '-',
    '- ',
    '#',
    '&a ',
    '*a',
    '<<: ',
    '|',
    '>',
    '!!str ',
  ],
  ...['---\n', '...\n', '%YAML 1.1\n', '? ', '~', 'null', 'true', '0x1f', '1e999', '-0', '.inf'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    '*',
    '**',
    '*.',
    '/',
    '//',
    '@',
    '@sha256:',
    '\\u0000',
  ],
].map((token) => Buffer.from(token));
/** Bytes that are no UTF-8. */
const BROKEN = [Buffer.from([0xff]), Buffer.from([0xc3]), Buffer.from([0xed, 0xa0, 0x80])];

/** Texts from a list with a few edits, also with pieces of one put into another. */
export function mutated(texts: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const piece = fc
    .tuple(fc.constantFrom(...texts), fc.nat(), fc.integer({ min: 1, max: 40 }))
    .map(([text, at, length]) => {
      const from = at % (text.length + 1);
      return text.subarray(from, from + length);
    });
  const edit = fc.record({
    at: fc.nat(),
    take: fc.oneof(fc.constant(0), fc.nat({ max: 3 }), fc.nat({ max: 60 })),
    put: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...TOKENS) },
      { weight: 4, arbitrary: piece },
      { weight: 2, arbitrary: fc.constant(Buffer.alloc(0)) },
      { weight: 1, arbitrary: fc.constantFrom(...BROKEN) },
    ),
  });
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([text, edits]) => edits.reduce(apply, text));
}

function apply(text: Buffer, { at, take, put }: Edit): Buffer {
  const from = at % (text.length + 1);
  return Buffer.concat([text.subarray(0, from), put, text.subarray(from + take)]);
}
