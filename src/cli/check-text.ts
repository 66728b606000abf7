import type { Decision } from '../decide/decision.ts';
import { printable } from '../respond/escape.ts';
import { agreementOf, reasonOf, ruleVerdicts } from './check-result.ts';
import type { CheckedImage, CheckResult, OfflineCheck, RuleVerdict } from './check-result.ts';
import { explanationLines } from './explanation.ts';
import { paintVerdict } from './paint.ts';
import type { Paint } from './paint.ts';

/** In characters of each foreign text. */
const MAX_TEXT = 500;

/** What was found out, for people. */
export function renderCheckText(result: CheckResult, paint: Paint): string {
  const { offline, server, question } = result;
  const sections: string[] = [];
  if (offline !== undefined) sections.push(describeOffline(offline, question.namespace, paint));
  if (server !== undefined) sections.push(describeServer(server, paint));
  const agreement = describeAgreement(result, paint);
  return [...sections, ...(agreement === undefined ? [] : [agreement])].join('\n');
}

function describeOffline(offline: OfflineCheck, namespace: string, paint: Paint): string {
  const { policy, decision, images } = offline;
  const verdict = decision.allowed ? 'allowed' : offline.verdict;
  const reason = reasonOf(decision).map((line) => `  ${line}\n`);
  return [
    ...images.map((image) => `${describeImage(image, policy.unmatchedImages, paint)}\n`),
    describeBreakGlass(decision, paint),
    `${paint.bold('verdict')} in namespace ${namespace}, by ${policy.label}: `,
    `${paintVerdict(paint, verdict)}\n`,
    ...reason,
  ].join('');
}

function describeImage(
  checked: CheckedImage,
  unmatchedImages: 'deny' | 'allow',
  paint: Paint,
): string {
  const { judgement, verdict } = checked;
  const written = printable(judgement.written, MAX_TEXT) || '""';
  const head = `${paint.bold(written)}: ${paintVerdict(paint, verdict)}\n`;
  if (judgement.refused !== undefined) {
    return `${head}  ${paint.red('refused')}  ${printable(judgement.refused, MAX_TEXT)}\n`;
  }
  const rules = ruleVerdicts(checked).map((found) => describeRule(found, paint));
  if (rules.length === 0) {
    rules.push(`  no rule covers it: unmatchedImages: ${unmatchedImages}\n`);
  }
  return `${head}  is ${judgement.reference.normalized}\n${rules.join('')}`;
}

function describeRule(verdict: RuleVerdict, paint: Paint): string {
  const found = verdict.explanation && explanationLines(verdict.explanation, paint);
  return [describeVerdict(verdict, paint), ...(found ?? []).map((line) => `    ${line}\n`)].join(
    '',
  );
}

function describeVerdict({ rule, result, messages, digest }: RuleVerdict, paint: Paint): string {
  const mode = rule.mode === 'enforce' ? '' : ` (${rule.mode})`;
  const name = `${rule.name}${mode}`;
  if (result === 'exempt') return `  ${paint.dim('exempt')}    ${name}\n`;
  if (result === 'pass') {
    const of = rule.require.registry === undefined ? '' : `: ${digest ?? 'not checked'}`;
    return `  ${paint.green('pass')}      ${name}${of}\n`;
  }
  const enforced = result === 'violated' && rule.mode === 'enforce';
  const mark = (enforced ? paint.red : paint.yellow)(result) + ' '.repeat(10 - result.length);
  return messages.map((message) => `  ${mark}${name}: ${printable(message, MAX_TEXT)}\n`).join('');
}

function describeBreakGlass({ breakGlass }: Decision, paint: Paint): string {
  if (breakGlass === undefined) return '';
  const ticket = printable(breakGlass.ticket, MAX_TEXT);
  return breakGlass.accepted
    ? `${paint.yellow('break-glass')} with ticket ${ticket}: overrides what the rules deny\n\n`
    : `${paint.red('break-glass refused')}: ${printable(breakGlass.why, MAX_TEXT)}\n\n`;
}

function describeServer(server: NonNullable<CheckResult['server']>, paint: Paint): string {
  const verdict = paintVerdict(paint, server.allowed ? 'allowed' : 'denied');
  const reason = (server.reason ?? '').split('\n').filter((line) => line !== '');
  const audit = Object.entries(server.auditAnnotations).map(([key, value]) => `${key}: ${value}`);
  return [
    `${paint.bold(server.url)}: ${verdict}\n`,
    ...reason.map((line) => `  ${printable(line, 2 * MAX_TEXT)}\n`),
    ...(audit.length > 0 ? ['  audit annotations:\n'] : []),
    ...audit.map((line) => `    ${printable(line, MAX_TEXT)}\n`),
  ].join('');
}

function describeAgreement(result: CheckResult, paint: Paint): string | undefined {
  const agree = agreementOf(result);
  if (agree === undefined) return undefined;
  const word = agree ? paint.green('agree') : paint.red('do not agree');
  return `the rules file and the service ${word}${describeOtherRules(result)}\n`;
}

function describeOtherRules({ offline, server }: CheckResult): string {
  const ours = offline?.policy.label;
  const theirs = server?.auditAnnotations['policy'];
  if (ours === undefined || theirs === undefined || ours === theirs) return '';
  return `; the service has other rules in force: ${printable(theirs, MAX_TEXT)}, not ${ours}`;
}
