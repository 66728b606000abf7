/** Where something is in a text; both 1-based, the column in bytes or characters. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** The place so many characters behind another one, where the text begins. */
export function advance(place: TextPlace, text: string, position: number): TextPlace {
  const before = text.slice(0, position);
  const breaks = before.split('\n').length - 1;
  if (breaks === 0) return { line: place.line, column: place.column + position };
  return { line: place.line + breaks, column: position - before.lastIndexOf('\n') };
}
