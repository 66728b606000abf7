/**
 * A pattern in which `*` stands for any run of characters, the empty one included; anchored at
 * both ends, everything else is literal.
 */
export interface Glob {
  readonly source: string;
  matches(text: string): boolean;
}

/** Compiles a glob; which characters it may hold is the caller's business. */
export function compileGlob(source: string): Glob {
  const [first = '', ...rest] = source.split('*');
  const last = rest.pop();
  if (last === undefined) return { source, matches: (text) => text === source };
  const minimum = source.length - rest.length - 1;
  return {
    source,
    matches: (text) =>
      text.length >= minimum &&
      text.startsWith(first) &&
      text.endsWith(last) &&
      holdsInOrder(text.slice(first.length, text.length - last.length), rest),
  };
}

/** Whether the parts stand in the text one after the other; the leftmost place is always best. */
function holdsInOrder(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const found = text.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return true;
}
