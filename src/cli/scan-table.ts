import { printable } from '../respond/escape.ts';
import type { Scan, ScanResult } from '../scan/scan.ts';
import type { Counts, ScanSummary } from '../scan/summary.ts';
import { mayRun } from '../scan/verdict.ts';
import { violationLine } from '../scan/violation-text.ts';
import { paintVerdict } from './paint.ts';
import type { Paint } from './paint.ts';

/** In characters of each foreign text. */
const MAX_TEXT = 500;
/** Lines of each part of the summary. */
const MAX_LINES = 10;

/** A scan for people: what was found, workload by workload, then the numbers. */
export function* scanTable({ results, summary }: Scan, paint: Paint): Generator<string> {
  yield* describeResults(results, paint);
  const { byNamespace, byRule, byImage } = summary;
  const noteworthy = [...byNamespace].filter(
    ([, { denied, warned, unknown }]) => denied + warned + unknown > 0,
  );
  yield* describeCounts('namespace', new Map(noteworthy), paint);
  yield* describeCounts('rule', byRule, paint);
  yield* describeCounts('image', byImage, paint);
  yield describeTotal(summary, paint);
}

/** The changes that a scan found, for people. */
export function* diffTable({ changes, summary }: Scan, paint: Paint): Generator<string> {
  const denied = changes.filter(({ after }) => !mayRun(after.verdict));
  const allowed = changes.filter(({ after }) => mayRun(after.verdict));
  if (denied.length > 0) yield `${paint.bold('newly denied')}\n`;
  yield* describeResults(
    denied.map(({ after }) => after),
    paint,
  );
  if (allowed.length > 0) yield `${paint.bold('newly allowed, and why it was not before')}\n`;
  yield* describeResults(
    allowed.map(({ before, after }) => ({ ...after, violations: before.violations })),
    paint,
  );
  const { pods, images } = summary.total;
  yield `${count(pods, 'pod')}, ${count(images, 'image')}: `;
  yield `${denied.length} newly denied, ${allowed.length} newly allowed\n`;
}

function* describeResults(results: readonly ScanResult[], paint: Paint): Generator<string> {
  let last: ScanResult | undefined;
  for (const result of results) {
    if (last === undefined || !isSameObject(result, last)) {
      yield `${last === undefined ? '' : '\n'}${paint.bold(titleOf(result))}\n`;
    }
    last = result;
    yield* describeResult(result, paint);
  }
  if (last !== undefined) yield '\n';
}

/** As far as one can tell: without a name there may be several. */
function isSameObject(one: ScanResult, other: ScanResult): boolean {
  return (['source', 'kind', 'namespace', 'name'] as const).every((key) => one[key] === other[key]);
}

/** `prod/Deployment/web (web.yaml:3)` */
function titleOf({ namespace, kind, name, source, line }: ScanResult): string {
  const place = line === undefined ? source : `${source}:${line}`;
  return printable(`${namespace}/${kind}/${name} (${place})`, MAX_TEXT);
}

function* describeResult(result: ScanResult, paint: Paint): Generator<string> {
  const { verdict, image, field, violations, note } = result;
  const shown = printable(image, MAX_TEXT) || '""';
  const margin = ' '.repeat(8 - verdict.length);
  yield `  ${paintVerdict(paint, verdict)}${margin}${shown}  ${paint.dim(printable(field, MAX_TEXT))}\n`;
  for (const violation of violations) {
    yield `          ${printable(violationLine(violation), MAX_TEXT)}\n`;
  }
  if (note !== undefined) yield `          ${paint.yellow(printable(note, MAX_TEXT))}\n`;
}

function* describeCounts(
  title: string,
  counts: ReadonlyMap<string, Counts>,
  paint: Paint,
): Generator<string> {
  if (counts.size === 0) return;
  yield `${paint.bold(`by ${title}`.padEnd(12))}  images  denied  warned\n`;
  const worst = [...counts].sort(([, a], [, b]) => b.denied - a.denied || b.warned - a.warned);
  for (const [name, { images, denied, warned }] of worst.slice(0, MAX_LINES)) {
    const numbers = [images, denied, warned].map((number) => String(number).padStart(8)).join('');
    yield `${' '.repeat(12)}${numbers}  ${printable(name, MAX_TEXT) || '""'}\n`;
  }
  if (worst.length > MAX_LINES) yield `${' '.repeat(38)}and ${worst.length - MAX_LINES} more\n`;
  yield '\n';
}

function describeTotal({ total, deniedPods, skipped }: ScanSummary, paint: Paint): string {
  const { pods, images, denied, warned, unknown } = total;
  const verdicts = [
    denied > 0 ? paint.red(`${denied} denied`) : '0 denied',
    warned > 0 ? paint.yellow(`${warned} warned`) : '0 warned',
    ...(unknown > 0 ? [paint.yellow(`${unknown} unknown`)] : []),
  ];
  const refused = deniedPods > 0 ? ` (${deniedPods} would not run)` : '';
  const numbers = `${count(pods, 'pod')}${refused}, ${count(images, 'image')}`;
  return `${numbers}: ${verdicts.join(', ')}\n${describeSkipped(skipped)}`;
}

function describeSkipped(skipped: ReadonlyMap<string, number>): string {
  if (skipped.size === 0) return '';
  const kinds = [...skipped].sort(([, a], [, b]) => b - a);
  const all = kinds.reduce((sum, [, number]) => sum + number, 0);
  const shown = kinds
    .slice(0, MAX_LINES)
    .map(([kind, number]) => `${printable(kind, MAX_TEXT)} ${number}`);
  const more = kinds.length > MAX_LINES ? ', ...' : '';
  return `skipped ${count(all, 'object')} of other kinds: ${shown.join(', ')}${more}\n`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
