/** Deep enough for SBOMs and scan reports; what walks a value by recursion is safe below it. */
const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Of the four brackets. */
const DEPTH_CHANGE: Readonly<Record<number, number>> = { 0x5b: 1, 0x7b: 1, 0x5d: -1, 0x7d: -1 };

/** What JSON in UTF-8 says; undefined for anything else, and for what is nested too deeply. */
export function parseBoundedJson(bytes: Uint8Array): unknown {
  if (isTooDeep(bytes)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

/** One pass over the bytes: in UTF-8 none of the marks is a part of another character. */
function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (inText && byte === BACKSLASH) at++;
    else if (byte === QUOTE) inText = !inText;
    else if (!inText) depth += DEPTH_CHANGE[byte] ?? 0;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}
