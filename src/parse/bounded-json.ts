/** Deep enough for SBOMs and scan reports; what walks a value by recursion is safe below it. */
const MAX_DEPTH = 64;

/** Commas and brackets. A large SBOM has half as many; in memory each takes many times the bytes it is written in. */
const MAX_PARTS = 1_000_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
/** Of the four brackets. */
const DEPTH_CHANGE: Readonly<Record<number, number>> = { 0x5b: 1, 0x7b: 1, 0x5d: -1, 0x7d: -1 };

/**
 * What JSON in UTF-8 says; undefined for anything else, and for what is nested too deeply or has too
 * many parts.
 */
export function parseBoundedJson(bytes: Uint8Array, maxParts = MAX_PARTS): unknown {
  if (isTooMuch(bytes, maxParts)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Whether an object within JSON has two members of one name: the last of them is what is read
 * here, and others may take the first, or something of both.
 *
 * @param json as it was read from the bytes
 */
export function hasRepeatedNames(bytes: Uint8Array, json: unknown): boolean {
  return countColons(bytes) > countNames(json);
}

/** How many members the objects within have, all in all, however deep. */
export function countNames(json: unknown): number {
  let count = 0;
  const open = [json];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    const values: readonly unknown[] = Object.values(value);
    if (!Array.isArray(value)) count += values.length;
    for (const each of values) open.push(each);
  }
  return count;
}

/** Each stands behind the name of a member. */
function countColons(bytes: Uint8Array): number {
  let count = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) inText = !inText;
    else if (inText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COLON) count++;
  }
  return count;
}

/** One pass over the bytes: in UTF-8 none of the marks is a part of another character. */
function isTooMuch(bytes: Uint8Array, maxParts: number): boolean {
  let depth = 0;
  let parts = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) inText = !inText;
    else if (inText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA) parts++;
    else if (DEPTH_CHANGE[byte] !== undefined) {
      depth += DEPTH_CHANGE[byte];
      parts++;
    }
    if (depth > MAX_DEPTH || parts > maxParts) return true;
  }
  return false;
}
