/** What a terminal or a log could take for something else than text, line breaks above all. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Makes foreign text safe to show: unprintable characters as `\u{..}`, cut at `limit` characters. */
export function printable(text: string, limit: number): string {
  const escaped = text.slice(0, limit + 1).replace(UNPRINTABLE, escapeCharacter);
  return escaped.length > limit ? `${escaped.slice(0, limit).replace(HALF_PAIR, '')}...` : escaped;
}

/** What a cut may leave of a character beyond the Basic Multilingual Plane. */
const HALF_PAIR = /[\ud800-\udbff]$/;

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
