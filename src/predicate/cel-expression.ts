import type { CelEnv, parse } from '@bufbuild/cel';
import { RE2JS } from 're2js';
import { messageOf } from '../errors.ts';
import { APPEND, RANGE } from './cel-cost.ts';

/** An expression of CEL, parsed (cel.expr.Expr). */
export type Expression = ReturnType<typeof parse>['expr'];
type Kind<Case> = Extract<Expression['exprKind'], { case: Case }>;
type Call = Kind<'callExpr'>['value'];
type Comprehension = Kind<'comprehensionExpr'>['value'];

/** What the planner knows beside the functions. */
const OPERATORS: ReadonlySet<string> = new Set([
  ...['_?_:_', '_&&_', '_||_', '_[_]', '@not_strictly_false'],
]);
const TYPES: ReadonlySet<string> = new Set([
  ...['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint'],
]);

/** What an expression names that there is not, or may not do. */
export interface ExpressionMistake {
  readonly message: string;
  readonly hint: string;
}

/** Goes over a parsed expression, finds mistakes, and rewrites comprehensions to have a price. */
export class Review {
  readonly mistakes: ExpressionMistake[] = [];
  /** The variables that are read. */
  readonly variables = new Set<string>();
  readonly #env: CelEnv;
  readonly #known: readonly string[];

  constructor(env: CelEnv, variables: readonly string[]) {
    this.#env = env;
    this.#known = variables;
  }

  visit(expression: Expression | undefined, scope: readonly string[] = []): void {
    const kind = expression?.exprKind;
    switch (kind?.case) {
      case 'identExpr': {
        this.#visitName(kind.value.name, scope);
        return;
      }
      case 'comprehensionExpr': {
        this.#visitComprehension(kind.value, scope);
        return;
      }
      case 'callExpr': {
        this.#visitCall(kind.value, scope);
        return;
      }
      case 'structExpr': {
        this.#visitStruct(kind.value, scope);
        return;
      }
      case 'selectExpr': {
        this.visit(kind.value.operand, scope);
        return;
      }
      case 'listExpr': {
        this.#visitAll(kind.value.elements, scope);
        return;
      }
      default:
        return undefined;
    }
  }

  #visitAll(expressions: readonly Expression[], scope: readonly string[]): void {
    for (const each of expressions) this.visit(each, scope);
  }

  #visitName(name: string, scope: readonly string[]): void {
    if (scope.includes(name) || TYPES.has(name)) return;
    if (this.#known.includes(name)) {
      this.variables.add(name);
      return;
    }
    const message = `unknown name ${JSON.stringify(name)}`;
    this.mistakes.push({ message, hint: `known are ${this.#known.join(' and ')}` });
  }

  #visitCall(call: Call, scope: readonly string[]): void {
    if (!OPERATORS.has(call.function) && this.#env.funcs.find(call.function) === undefined) {
      const message = `unknown function ${JSON.stringify(call.function)}`;
      this.mistakes.push({ message, hint: 'the functions and macros of CEL, without extensions' });
    }
    if (call.function === 'matches') this.#checkPattern(call.args[0]);
    this.visit(call.target, scope);
    this.#visitAll(call.args, scope);
  }

  #checkPattern(pattern: Expression | undefined): void {
    const kind = pattern?.exprKind;
    if (kind?.case !== 'constExpr' || kind.value.constantKind.case !== 'stringValue') return;
    try {
      RE2JS.compile(kind.value.constantKind.value);
    } catch (thrown) {
      const message = `not a regular expression: ${messageOf(thrown)}`;
      const hint = 'RE2 syntax: no look-around and no back-references';
      this.mistakes.push({ message, hint });
    }
  }

  #visitStruct({ messageName, entries }: Kind<'structExpr'>['value'], scope: readonly string[]) {
    if (messageName !== '') {
      const message = `unknown type ${JSON.stringify(messageName)}`;
      this.mistakes.push({ message, hint: 'a predicate is made of maps, lists and scalars' });
    }
    for (const { keyKind, value } of entries) {
      if (keyKind.case === 'mapKey') this.visit(keyKind.value, scope);
      this.visit(value, scope);
    }
  }

  #visitComprehension(comprehension: Comprehension, scope: readonly string[]): void {
    const { iterVar, accuVar, iterRange, accuInit, loopCondition, loopStep, result } =
      comprehension;
    const inner = [...scope, iterVar, accuVar];
    this.visit(iterRange, scope);
    this.visit(accuInit, scope);
    for (const part of [loopCondition, loopStep, result]) this.visit(part, inner);
    if (iterRange !== undefined) comprehension.iterRange = callOf(RANGE, iterRange);
    appendInstead(loopStep, accuVar);
  }
}

function callOf(name: string, argument: Expression): Expression {
  const value: Call = { $typeName: 'cel.expr.Expr.Call', function: name, args: [argument] };
  return { $typeName: 'cel.expr.Expr', id: argument.id, exprKind: { case: 'callExpr', value } };
}

/** `map` and `filter` step by `accu + [item]`, beneath a condition or not. */
function appendInstead(step: Expression | undefined, accuVar: string): void {
  if (step?.exprKind.case !== 'callExpr') return;
  const call = step.exprKind.value;
  if (call.function === '_?_:_') {
    appendInstead(call.args[1], accuVar);
    return;
  }
  const [accu, items] = call.args;
  if (call.function !== '_+_' || items?.exprKind.case !== 'listExpr') return;
  if (accu?.exprKind.case === 'identExpr' && accu.exprKind.value.name === accuVar) {
    call.function = APPEND;
  }
}
