/** An object as it is written: every member, also one whose name is there twice. */
export type Members = readonly (readonly [name: string, value: unknown])[];

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** The members of an object in JSON that `JSON.parse` takes; objects within it become members too. */
export function membersOf(text: string): Members {
  const tokens = text.match(TOKEN) ?? [];
  let at = 0;
  const read = (): unknown => {
    const token = tokens[at++] ?? 'null';
    if (token === '[') return listOf(']', read);
    if (token !== '{') return JSON.parse(token) as unknown;
    return listOf('}', () => {
      const name = JSON.parse(tokens[at++] ?? '""') as string;
      at++; // the colon
      return [name, read()] as const;
    });
  };
  const listOf = <T>(end: string, next: () => T): T[] => {
    const items: T[] = [];
    while (tokens[at] !== end) {
      items.push(next());
      if (tokens[at] === ',') at++;
    }
    at++;
    return items;
  };
  return read() as Members;
}

/** Go's encoding/json takes a name for a field in any case, and two letters beyond ASCII with it. */
export function isGoField(name: string, field: string): boolean {
  const fold = (text: string): string =>
    text.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase();
  return fold(name) === fold(field);
}
