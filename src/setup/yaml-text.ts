/** Paths, URLs and flags with a path that need no quotes in a YAML block: `: `, ` #` and a leading mark cannot occur. */
const PLAIN = /^(?:https:\/|(?:--[a-z-]+=)?\/)[\w/.@+[\]:-]*[\w/\]-]$/;

/** What JSON leaves as it is and YAML does not: DEL, C1, the Unicode line ends, the byte order mark. */
const NOT_PRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff]/g;

/** A string as a YAML scalar on one line; quoted (JSON's quotes are YAML's) unless it needs none. */
export function yamlText(value: string): string {
  if (PLAIN.test(value)) return value;
  return JSON.stringify(value).replace(NOT_PRINTABLE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
