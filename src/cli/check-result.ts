import type { ServiceAnswer } from '../ask/answer.ts';
import type { Question } from '../ask/review.ts';
import { decideReview, examineReview } from '../decide/decide-review.ts';
import type { Decision, RegistryCheck, Violation } from '../decide/decision.ts';
import type { Inspector } from '../decide/inspection.ts';
import { judgeImage, violationsOf } from '../decide/judge-image.ts';
import type { ImageJudgement, RuleResult } from '../decide/judge-image.ts';
import { settleReview, uncheckedMessage } from '../decide/settle-review.ts';
import type { Policy, Rule } from '../rules/policy.ts';
import type { Evidence } from '../verify/evidence.ts';
import type { Explanation } from '../verify/explain.ts';
import { reasonFor } from '../respond/reason.ts';
import { verdictOf } from '../scan/verdict.ts';
import type { Verdict } from '../scan/verdict.ts';

/** What either way of asking said; at least one is there. */
export interface CheckResult {
  readonly question: Question;
  readonly offline: OfflineCheck | undefined;
  readonly server: (ServiceAnswer & { readonly url: string }) | undefined;
}

/** What a rules file says about a question. */
export interface OfflineCheck {
  readonly policy: Policy;
  readonly decision: Decision;
  /** Over all images together. */
  readonly verdict: Verdict;
  readonly images: readonly CheckedImage[];
}

export interface CheckedImage {
  readonly judgement: ImageJudgement;
  /** Over this image alone: one that is denied denies the review. */
  readonly verdict: Verdict;
  /** What was found against it. */
  readonly violations: readonly Violation[];
  /** What rules asked its registry, and what came of it. */
  readonly checks: readonly RegistryCheck[];
  /** What lay beside it, by the names of the rules that asked. */
  readonly explanations: ReadonlyMap<string, Explanation>;
}

/** The command line has no service's limits, and room for fewer images than this. */
const LIMITS = { containers: Number.MAX_SAFE_INTEGER };

/** Decides as the service would but for what it asks registries, and keeps why. */
export function checkOffline(question: Question, policy: Policy): OfflineCheck {
  return explain(decideReview({ ...question, spec: undefined }, policy, LIMITS), question, policy);
}

/** Decides as the service would, and keeps why. */
export async function checkWithRegistries(
  question: Question,
  policy: Policy,
  inspector: Inspector,
): Promise<OfflineCheck> {
  const examination = examineReview({ ...question, spec: undefined }, policy, LIMITS);
  return explain(await settleReview(examination, inspector), question, policy);
}

/** Adds what the verdicts of registries were found by. */
export async function explainChecks(
  checked: OfflineCheck,
  evidence: Evidence,
): Promise<OfflineCheck> {
  const images: CheckedImage[] = [];
  for (const image of checked.images) {
    images.push({ ...image, explanations: await explanationsOf(image, evidence) });
  }
  return { ...checked, images };
}

async function explanationsOf(
  { judgement, checks }: CheckedImage,
  evidence: Evidence,
): Promise<ReadonlyMap<string, Explanation>> {
  const found = new Map<string, Explanation>();
  if (judgement.refused !== undefined) return found;
  const { reference, covering } = judgement;
  for (const { rule, digest } of checks) {
    const requirement = covering.find((each) => each.rule.name === rule)?.rule.require.registry;
    if (digest === undefined || requirement === undefined) continue;
    const explanation = await evidence.explain({ reference, digest }, requirement);
    if (explanation !== undefined) found.set(rule, explanation);
  }
  return found;
}

function explain(decision: Decision, question: Question, policy: Policy): OfflineCheck {
  const { violations, breakGlass } = decision;
  const images = question.images.map((image) =>
    explainImage(judgeImage(image, question.namespace, policy), decision, policy),
  );
  return { policy, decision, verdict: verdictOf(violations, breakGlass), images };
}

function explainImage(
  judgement: ImageJudgement,
  { violations: all, breakGlass, checks: made }: Decision,
  policy: Policy,
): CheckedImage {
  const name = judgement.refused === undefined ? judgement.reference.normalized : undefined;
  const checks = made.filter(({ image }) => image === name);
  const asked = checks.some(({ outcome }) => outcome !== 'unasked');
  const violations = asked
    ? all.filter(({ image }) => image === judgement.written)
    : violationsOf(judgement, policy);
  const verdict = verdictOf(violations, breakGlass);
  return { judgement, verdict, violations, checks, explanations: new Map() };
}

export function isDenied({ offline, server }: CheckResult): boolean {
  return offline?.decision.allowed === false || server?.allowed === false;
}

/** Whether both ways of asking came to the same; undefined when one came to nothing. */
export function agreementOf({ offline, server }: CheckResult): boolean | undefined {
  if (offline === undefined || server === undefined || offline.verdict === 'unknown')
    return undefined;
  return offline.decision.allowed === server.allowed;
}

/** The lines that the service would answer with, but for the decision id that only it can give. */
export function reasonOf(decision: Decision): readonly string[] {
  return decision.allowed ? [] : reasonFor(decision, '').split('\n').slice(0, -1);
}

/** In an order, which the rules themselves have none of. */
function byName(covering: readonly RuleResult[]): readonly RuleResult[] {
  return covering.toSorted((a, b) => (a.rule.name < b.rule.name ? -1 : 1));
}

/** One rule that covers an image, and what it comes to with the registry's answer. */
export interface RuleVerdict {
  readonly rule: Rule;
  /** `excused`: it could not be checked, which its `onError` says not to deny for. */
  readonly result: 'exempt' | 'pass' | 'violated' | 'unknown' | 'excused';
  readonly messages: readonly string[];
  /** Of what was asked about. */
  readonly digest: string | undefined;
  /** What lay beside the image; undefined where the rule asked for nothing there, or nobody did. */
  readonly explanation: Explanation | undefined;
}

/** In an order, which the rules themselves have none of. */
export function ruleVerdicts(checked: CheckedImage): readonly RuleVerdict[] {
  const { judgement } = checked;
  if (judgement.refused !== undefined) return [];
  return byName(judgement.covering).map((covering) => ruleVerdict(covering, checked));
}

function ruleVerdict(
  { rule, exempt }: RuleResult,
  { violations, checks, explanations }: CheckedImage,
): RuleVerdict {
  const check = checks.find(({ rule: name }) => name === rule.name);
  const common = { rule, digest: check?.digest, explanation: explanations.get(rule.name) };
  if (exempt) return { ...common, result: 'exempt', messages: [] };
  const excuse = excuseOf(check);
  const own = violations.filter(
    ({ rule: of, message }) => of?.name === rule.name && message !== excuse?.message,
  );
  const messages = [...own.map(({ message }) => message), ...(excuse ? [excuse.named] : [])];
  if (own.length > 0) {
    const unasked = own.every((violation) => violation.unasked);
    return { ...common, result: unasked ? 'unknown' : 'violated', messages };
  }
  return { ...common, result: excuse === undefined ? 'pass' : 'excused', messages };
}

interface Excuse {
  /** Of the violation that is there too, where `onError` is `warn`. */
  readonly message: string;
  readonly named: string;
}

function excuseOf(check: RegistryCheck | undefined): Excuse | undefined {
  if (check?.excused === undefined) return undefined;
  const message = uncheckedMessage(check.why ?? '');
  return { message, named: `${message} (onError: ${check.excused})` };
}
