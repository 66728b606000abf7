import { celType, isCelError, parse, plan } from '@bufbuild/cel';
import type { CelResult } from '@bufbuild/cel';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { messageOf } from '../errors.ts';
import type { PredicateCheck } from '../rules/registry-requirement.ts';
import { Meter, meteredEnv } from './cel-cost.ts';
import { Review } from './cel-expression.ts';
import type { ExpressionMistake } from './cel-expression.ts';
import { JsonValues } from './cel-values.ts';

export type CompiledCel =
  | { readonly ok: true; readonly check: PredicateCheck }
  | { readonly ok: false; readonly mistakes: readonly ExpressionMistake[] };

/** UTF-16 units; what is longer belongs into several expressions. */
const MAX_EXPRESSION = 2048;
/** An expression of this length says what it is; in messages. */
const MAX_SHOWN = 120;
const VARIABLES = ['predicate', 'now'];

/**
 * Compiles an expression of CEL over `predicate`, the predicate of an attestation, and `now`, the
 * time of the review. Anything but true is a refusal, errors of the evaluation included.
 */
export function compileCel(source: string): CompiledCel {
  if (source.length > MAX_EXPRESSION) {
    const message = `expected at most ${MAX_EXPRESSION} characters, got ${source.length}`;
    return refuse({ message, hint: 'split it: every expression of the list has to be true' });
  }
  try {
    return compile(source);
  } catch (thrown) {
    const message = `not CEL: ${parseMessage(thrown)}`;
    return refuse({ message, hint: 'the language is described at https://cel.dev' });
  }
}

function compile(source: string): CompiledCel {
  const { expr } = parse(source);
  const meter = new Meter();
  const env = meteredEnv(meter);
  const review = new Review(env, VARIABLES);
  review.visit(expr);
  if (review.mistakes.length > 0) return refuse(...review.mistakes);
  if (!review.variables.has('predicate')) {
    const message = 'the expression does not read the predicate';
    return refuse({ message, hint: 'write something like predicate.builder.id == "..."' });
  }
  const evaluate = plan(env, expr);
  const refusal = (predicate: unknown, now: number): string | undefined => {
    meter.start();
    const values = { predicate: new JsonValues().of(predicate), now: timestampFromMs(now) };
    const result = withoutStacks(() => evaluate(values));
    return meter.isExceeded ? 'costs too much to evaluate' : refusalOf(result);
  };
  return { ok: true, check: { source: shown(source), refusal: orRefuse(refusal) } };
}

/** Errors are values in CEL, one for each item of a list it may be, and their stacks are the dear part. */
function withoutStacks<T>(evaluate: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return evaluate();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function refusalOf(result: CelResult): string | undefined {
  if (result === true) return undefined;
  if (result === false) return 'is not true';
  if (isCelError(result)) return `cannot be evaluated: ${shown(result.message)}`;
  return `expected true or false, got ${celType(result).name}`;
}

/** A fault of the library's, or of ours, is no verdict in favour of anybody. */
function orRefuse(refusal: PredicateCheck['refusal']): PredicateCheck['refusal'] {
  return (predicate, now) => {
    try {
      return refusal(predicate, now);
    } catch (thrown) {
      return `cannot be evaluated: ${shown(messageOf(thrown))}`;
    }
  };
}

function shown(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}...` : line;
}

/** The library calls the expression `<input>` and lists all that might have followed. */
function parseMessage(thrown: unknown): string {
  const [place = ''] = messageOf(thrown)
    .replace(/^<input>:/, '')
    .split(' but expecting ');
  return shown(place);
}

function refuse(...mistakes: readonly ExpressionMistake[]): CompiledCel {
  return { ok: false, mistakes };
}
