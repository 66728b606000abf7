import type { ErrorCode } from 'yaml';

/** What to look at where a text is no YAML: of the library's words, what they mean to who wrote it. */
export function syntaxHint(code: ErrorCode, message: string): string {
  const row = HINTS.find(([of, words]) => of === code && words.test(message));
  return row?.[2] ?? 'look here and in the line above for a missing ":", quotes and indentation';
}

const COLUMN =
  'what belongs together, the keys of a mapping or the "-" of a list, begins at one column';
const QUOTE = 'put the whole text in quotes';

/** The first that fits counts. */
const HINTS: readonly (readonly [ErrorCode, RegExp, string])[] = [
  ['TAB_AS_INDENT', /^/, 'indent with spaces'],
  [
    'MULTILINE_IMPLICIT_KEY',
    /^/,
    'is a ":" with a space behind it missing here, or is the line below indented too far?',
  ],
  ['BLOCK_AS_IMPLICIT_KEY', /sequence/, COLUMN],
  [
    'BLOCK_AS_IMPLICIT_KEY',
    /^/,
    `where the text holds ": ", put it in quotes; else the line below is indented too far`,
  ],
  ['BAD_INDENT', /end with a/, 'close every { by } and every [ by ]'],
  ['MISSING_CHAR', /end with a/, 'close every { by } and every [ by ]'],
  ['BAD_INDENT', /^/, COLUMN],
  ['MISSING_CHAR', /closing/, 'close the text that begins here by the quote that it begins with'],
  ['MISSING_CHAR', /without - indicator/, COLUMN],
  ['MISSING_CHAR', /Missing ,/, 'part the items by commas'],
  ['MISSING_CHAR', /map values/, 'write a ":" and a space behind the key'],
  ['UNEXPECTED_TOKEN', /scalar at node end/, `${QUOTE}; a ' within '...' is written twice`],
  ['BAD_SCALAR_START', /^/, QUOTE],
  ['BAD_DQ_ESCAPE', /^/, 'write a backslash within "..." twice, or use \'...\''],
  [
    'TAG_RESOLVE_FAILED',
    /^/,
    'where a text begins with "!", put it in quotes; tags are not known here',
  ],
  ['NON_STRING_KEY', /^/, 'write a text before the ":"'],
];
