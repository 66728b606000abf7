const RED = 31;
const GREEN = 32;
const CYAN = 36;
const DEFAULT_COLOUR = 39;
const BOLD = 1;
const NOT_BOLD = 22;

/** A unified diff with colours for a terminal. */
export function colourDiff(diff: string): string {
  const lines = diff.split('\n');
  const headerEnd = lines.findIndex((line) => line.startsWith('@@'));
  return lines
    .map((line, index) => (index < headerEnd ? paint(line, BOLD, NOT_BOLD) : colourLine(line)))
    .join('\n');
}

function colourLine(line: string): string {
  if (line.startsWith('@@')) return paint(line, CYAN, DEFAULT_COLOUR);
  if (line.startsWith('-')) return paint(line, RED, DEFAULT_COLOUR);
  return line.startsWith('+') ? paint(line, GREEN, DEFAULT_COLOUR) : line;
}

function paint(text: string, on: number, off: number): string {
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
