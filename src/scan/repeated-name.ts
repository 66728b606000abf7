/** A string, or a mark of those that tell where names stand. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;

const OPENING = ['{', '['];
const CLOSING = ['}', ']'];

export interface RepeatedName {
  readonly name: string;
  /** In characters from the beginning of the text. */
  readonly offset: number;
}

/** The first name that an object within has for the second time. */
export function findRepeatedName(json: string): RepeatedName | undefined {
  const open: Set<string>[] = [];
  let before: RegExpExecArray | undefined;
  for (const token of json.matchAll(TOKEN)) {
    const [mark] = token;
    if (OPENING.includes(mark)) open.push(new Set());
    else if (CLOSING.includes(mark)) open.pop();
    else if (mark === ':' && before !== undefined) {
      const names = open.at(-1) ?? new Set();
      const name = String(JSON.parse(before[0]));
      if (names.has(name)) return { name, offset: before.index };
      names.add(name);
    }
    before = token;
  }
  return undefined;
}
