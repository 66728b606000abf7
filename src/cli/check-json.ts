import { agreementOf, reasonOf, ruleVerdicts } from './check-result.ts';
import { explanationJson } from './explanation.ts';
import type { CheckedImage, CheckResult, OfflineCheck, RuleVerdict } from './check-result.ts';
import { json } from './output.ts';

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
  return json(answer);
}

function offlineJson({ policy, decision, verdict, images }: OfflineCheck): object {
  return {
    policy: { name: policy.name, hash: policy.hash },
    allowed: decision.allowed,
    ...(verdict === 'unknown' && { verdict }),
    reason: decision.allowed ? null : reasonOf(decision).join('\n'),
    breakGlass: decision.breakGlass ?? null,
    images: images.map(imageJson),
  };
}

function imageJson(checked: CheckedImage): object {
  const { judgement, verdict } = checked;
  const { written: image, refused } = judgement;
  if (refused !== undefined) return { image, normalized: null, verdict, refused, rules: [] };
  const rules = ruleVerdicts(checked).map(ruleJson);
  return { image, normalized: judgement.reference.normalized, verdict, refused: null, rules };
}

function ruleJson({ rule, result, messages, digest, explanation }: RuleVerdict): object {
  return {
    rule: rule.name,
    mode: rule.mode,
    result,
    violations: messages,
    ...(rule.require.registry !== undefined && { digest: digest ?? null }),
    ...(explanation && explanationJson(explanation)),
  };
}
