import { denies } from '../decide/decision.ts';
import type { Decision, Violation } from '../decide/decision.ts';
import { printable } from './escape.ts';

/** In bytes. The reason ends in an event, a terminal line and an audit log entry. */
const MAX_REASON_BYTES = 1024;
/** More than fit: what is behind them is counted, not written. */
const MAX_LINES = 64;
/** In characters, of the image as written. */
const MAX_IMAGE_LENGTH = 200;
/** In characters, of what is wrong: it may quote from outside. */
const MAX_MESSAGE_LENGTH = 300;

/**
 * The reason of a denial: a line for each violation that denies, as many as fit, and the decision
 * id by which the log line is found.
 */
export function reasonFor(decision: Decision, id: string): string {
  const denials = decision.violations.filter((each) => denies(each, decision.breakGlass));
  const lines = denials.slice(0, MAX_LINES).map(reasonLine);
  if (decision.breakGlass?.accepted === false) {
    lines.push(`break-glass refused: ${printable(decision.breakGlass.why, MAX_IMAGE_LENGTH)}`);
  }
  return fit(lines, Math.max(0, denials.length - MAX_LINES), `decision ${id}`);
}

/** `<image as written>: <what is wrong> (rule <name>): <the rule's message>` */
function reasonLine({ image, message, rule }: Violation): string {
  const subject = image === undefined ? 'review' : printable(image, MAX_IMAGE_LENGTH) || '""';
  const line = `${subject}: ${printable(message, MAX_MESSAGE_LENGTH)}`;
  if (rule === undefined) return line;
  const own = rule.message === undefined ? '' : `: ${rule.message}`;
  return `${line} (rule ${rule.name})${own}`;
}

/** As many lines as the limit leaves room for; the first one is cut rather than left out. */
function fit(lines: readonly string[], hidden: number, last: string): string {
  const whole = [...lines, last].join('\n');
  if (hidden === 0 && Buffer.byteLength(whole) <= MAX_REASON_BYTES) return whole;
  const room = MAX_REASON_BYTES - Buffer.byteLength(`\nand ${lines.length + hidden} more\n${last}`);
  let kept = cutBytes(lines[0] ?? '', room);
  let count = 1;
  for (const line of lines.slice(1)) {
    if (Buffer.byteLength(`${kept}\n${line}`) > room) break;
    kept = `${kept}\n${line}`;
    count++;
  }
  const rest = lines.length + hidden - count;
  return [kept, ...(rest > 0 ? [`and ${rest} more`] : []), last].join('\n');
}

/** The longest beginning of a text that is no longer in UTF-8, without half a character. */
function cutBytes(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}
