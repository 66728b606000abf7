/** One replacement in a text; `start` and `end` are offsets into the text as it was. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Replaces, from the last place to the first; the places must not overlap. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  return splices
    .toSorted((a, b) => b.start - a.start)
    .reduce(
      (done, { start, end, text: put }) => done.slice(0, start) + put + done.slice(end),
      text,
    );
}

export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Behind the line break of the line that holds the offset, or the end of the text. */
export function nextLine(text: string, offset: number): number {
  const lineBreak = text.indexOf('\n', offset);
  return lineBreak === -1 ? text.length : lineBreak + 1;
}

/** Where the line break that ends right before the offset begins; the offset itself without one. */
export function beforeLineBreak(text: string, offset: number): number {
  if (text[offset - 1] !== '\n') return offset;
  return text[offset - 2] === '\r' ? offset - 2 : offset - 1;
}

/** The line break before an offset, else the first of the text, else that of Unix. */
export function lineBreakAt(text: string, offset: number): string {
  const start = beforeLineBreak(text, offset);
  if (start < offset) return text.slice(start, offset);
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

/** Columns before an offset; a byte order mark takes none. */
export function columnOf(text: string, offset: number): number {
  return text.slice(lineStart(text, offset), offset).replace('\ufeff', '').length;
}
