export type Quote = '' | '"' | "'";

export type ScalarValue = string | number | boolean;

/** What is written into a document. */
export type Tree = ScalarValue | readonly Tree[] | { readonly [key: string]: Tree };

/** How a document, or a part of it, is written. */
export interface Style {
  /** Around strings that would need none. */
  readonly quote: Quote;
  readonly keyQuote: Quote;
  /** What a nested line is indented by. */
  readonly unit: string;
  /** What the dashes of a list are indented by under the key of the list. */
  readonly listIndent: string;
  /** Between a brace and its content on one line. */
  readonly padding: string;
  /** Behind commas and colons on one line. */
  readonly gap: string;
}

/** Texts that need no quotes, in brackets neither: flags, paths, names. */
const PLAIN = /^(?:--[a-z][\w-]*(?:=[\w/.@+=-]*)?|\/[\w/.@+=-]*|[A-Za-z][\w/.-]*)$/;
/** The same with commas, which end a text in brackets. */
const PLAIN_IN_BLOCK = /^(?:--[a-z][\w-]*(?:=[\w/.@+=,-]*)?|\/[\w/.@+=,-]*|[A-Za-z][\w/.,-]*)$/;
/** Words that are no text to YAML 1.1, which Kubernetes reads. */
const NO_TEXT = /^(?:y|yes|n|no|on|off|true|false|null)$/i;

/** What JSON leaves as it is and YAML does not: DEL, C1, the Unicode line ends, the byte order mark. */
const NOT_PRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff]/g;

/** A scalar on one line, in the wanted quotes where they suffice. */
export function renderScalar(value: ScalarValue, quote: Quote, flow: boolean): string {
  if (typeof value !== 'string') return String(value);
  const plain = flow ? PLAIN : PLAIN_IN_BLOCK;
  if (quote === '' && plain.test(value) && !NO_TEXT.test(value)) return value;
  if (quote === "'" && /^[\x20-\x7e]*$/.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return JSON.stringify(value).replace(NOT_PRINTABLE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The lines of a value as a block, to be indented by the caller. */
export function renderBlock(value: Tree, style: Style): string[] {
  if (typeof value !== 'object') return [renderScalar(value, style.quote, false)];
  if (isList(value)) return value.flatMap((item) => under('- ', renderBlock(item, style)));
  return Object.entries(value).flatMap(([key, inner]) => renderBlockField(key, inner, style));
}

/** The lines of a key with its value. */
export function renderBlockField(key: string, value: Tree, style: Style): string[] {
  const name = renderScalar(key, style.keyQuote, false);
  const lines = renderBlock(value, style);
  if (typeof value !== 'object') return [`${name}: ${lines.join('')}`];
  const indent = isList(value) ? style.listIndent : style.unit;
  return [`${name}:`, ...lines.map((line) => indent + line)];
}

/** The first line behind a mark, the others as deep as the first. */
export function under(mark: string, [first = '', ...rest]: readonly string[]): string[] {
  const indent = ' '.repeat(mark.length);
  return [mark + first, ...rest.map((line) => (line === '' ? line : indent + line))];
}

/** The value in brackets and braces, on one line. */
export function renderFlow(value: Tree, style: Style): string {
  if (typeof value !== 'object') return renderScalar(value, style.quote, true);
  const { gap, padding } = style;
  if (isList(value)) {
    return `[${value.map((item) => renderFlow(item, style)).join(`,${gap}`)}]`;
  }
  const fields = Object.entries(value).map(([key, inner]) =>
    flowField(key, renderFlow(inner, style), style),
  );
  return `{${padding}${fields.join(`,${gap}`)}${padding}}`;
}

/** The value in brackets and braces, one entry a line; the lines to be indented by the caller. */
export function renderFlowLines(value: Tree, style: Style): string[] {
  if (typeof value !== 'object') return [renderFlow(value, style)];
  const spaced = { ...style, gap: ' ' };
  const entries = isList(value)
    ? value.map((item) => renderFlowLines(item, style))
    : Object.entries(value).map(([key, inner]) => {
        const [first = '', ...rest] = renderFlowLines(inner, style);
        return [flowField(key, first, spaced), ...rest];
      });
  const [open, close] = isList(value) ? '[]' : '{}';
  const lines = entries.flatMap((entry, index) => {
    return index === entries.length - 1 ? entry : [...entry.slice(0, -1), `${entry.at(-1) ?? ''},`];
  });
  return [open ?? '', ...lines.map((line) => style.unit + line), close ?? ''];
}

/** A colon needs no blank behind it only where the key is in quotes. */
export function flowField(key: string, value: string, { keyQuote, gap }: Style): string {
  return `${renderScalar(key, keyQuote, true)}:${keyQuote === '' ? ' ' : gap}${value}`;
}

function isList(value: Tree): value is readonly Tree[] {
  return Array.isArray(value);
}
