import type { RuleResult } from '../decide/judge-image.ts';
import { agreementOf, byName, reasonOf } from './check-result.ts';
import type { CheckedImage, CheckResult, OfflineCheck } from './check-result.ts';

/** What was found out, for programs. */
export function renderCheckJson(result: CheckResult): string {
  const { question, offline, server } = result;
  const answer = {
    namespace: question.namespace,
    annotations: Object.fromEntries(question.annotations),
    ...(offline && offlineJson(offline)),
    ...(server && { server: { ...server, reason: server.reason ?? null } }),
    ...(offline && server && { agree: agreementOf(result) }),
  };
  return `${JSON.stringify(answer, undefined, 2)}\n`;
}

function offlineJson({ policy, decision, images }: OfflineCheck): object {
  return {
    policy: { name: policy.name, hash: policy.hash },
    allowed: decision.allowed,
    reason: decision.allowed ? null : reasonOf(decision).join('\n'),
    breakGlass: decision.breakGlass ?? null,
    images: images.map(imageJson),
  };
}

function imageJson({ judgement, verdict }: CheckedImage): object {
  const { written: image, refused } = judgement;
  if (refused !== undefined) return { image, normalized: null, verdict, refused, rules: [] };
  const rules = byName(judgement.covering).map(ruleJson);
  return { image, normalized: judgement.reference.normalized, verdict, refused: null, rules };
}

function ruleJson({ rule, exempt, violations }: RuleResult): object {
  const met = exempt ? 'exempt' : 'pass';
  const result = violations.length > 0 ? 'violated' : met;
  return { rule: rule.name, mode: rule.mode, result, violations };
}
