import { RE2JS } from 're2js';
import { messageOf } from '../errors.ts';
import { refuse } from './refuse.ts';
import type { Refinement } from './refuse.ts';

/** A regular expression over the whole of a text. */
export interface TextPattern {
  readonly source: string;
  matches(text: string): boolean;
}

/** For a transform. */
export function compileTextPattern(source: string, context: Refinement): TextPattern {
  try {
    const compiled = RE2JS.compile(source);
    return { source, matches: (text) => compiled.matcher(text).matches() };
  } catch (thrown) {
    const hint = 'RE2 syntax: no look-around and no back-references';
    return refuse(context, `not a regular expression: ${messageOf(thrown)}`, hint);
  }
}
