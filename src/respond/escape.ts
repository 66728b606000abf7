/** What a terminal or a log could take for something else than text, line breaks above all. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** What nearly every text is made of, and quick to look for. */
const PLAIN = /^[\x20-\x7e]*$/;

/** Makes foreign text safe to show: unprintable characters as `\u{..}`, cut at `limit` characters. */
export function printable(text: string, limit: number): string {
  if (text.length <= limit && PLAIN.test(text)) return text;
  const escaped = text.slice(0, limit + 1).replace(UNPRINTABLE, escapeCharacter);
  return escaped.length > limit ? `${escaped.slice(0, limit).replace(HALF_PAIR, '')}...` : escaped;
}

/** What a cut may leave of a character beyond the Basic Multilingual Plane. */
const HALF_PAIR = /[\ud800-\udbff]$/;

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
