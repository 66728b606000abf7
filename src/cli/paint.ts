import type { Readable, Writable } from 'node:stream';
import type { Verdict } from '../scan/verdict.ts';
import type { CommandContext } from './context.ts';

type Painter = (text: string) => string;

/** Colours for a terminal; elsewhere each returns the text as it is. */
export interface Paint {
  readonly red: Painter;
  readonly green: Painter;
  readonly yellow: Painter;
  readonly bold: Painter;
  readonly dim: Painter;
}

/** Colours for stdout: on a terminal alone, and not with NO_COLOR (no-color.org) or TERM=dumb. */
export function paintFor(context: CommandContext): Paint {
  const colour = hasColour(context);
  const painter = (on: number, off: number): Painter =>
    colour ? (text) => `\u001b[${on}m${text}\u001b[${off}m` : (text) => text;
  return {
    red: painter(31, 39),
    green: painter(32, 39),
    yellow: painter(33, 39),
    bold: painter(1, 22),
    dim: painter(2, 22),
  };
}

export function hasColour({ stdout, env }: CommandContext): boolean {
  return isTerminal(stdout) && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

export function isTerminal(stream: Readable | Writable): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}

/** Red for what is denied, green for what is simply allowed. */
export function paintVerdict(paint: Paint, verdict: Verdict): string {
  if (verdict === 'denied') return paint.red(verdict);
  return verdict === 'allowed' ? paint.green(verdict) : paint.yellow(verdict);
}
