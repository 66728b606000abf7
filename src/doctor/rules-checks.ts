import { dirname } from 'node:path';
import { examineReview } from '../decide/decide-review.ts';
import { denies } from '../decide/decision.ts';
import type { ImageReview } from '../parse/image-review.ts';
import { parsePolicy } from '../rules/load.ts';
import type { Policy } from '../rules/policy.ts';
import { readRuleFiles } from '../rules/rule-files.ts';
import { validate } from '../rules/validate.ts';
import { readDisk } from './disk.ts';
import type { Findings } from './finding.ts';

/** Here there is room for all. */
const LIMITS = { containers: Number.MAX_SAFE_INTEGER };
const NAMESPACE = 'kube-system';

/** @returns the text of the rules, undefined when they cannot be used */
export async function checkRules(
  file: string,
  images: readonly string[],
  { findings, now }: { readonly findings: Findings; readonly now: () => Date },
): Promise<string | undefined> {
  const read = await readDisk(file);
  if ('problem' in read) {
    findings.fail('rules-valid', read.problem);
    return undefined;
  }
  const { text } = read;
  const files = await readRuleFiles({ file, text }, dirname(file));
  const { errors, warnings, ruleCount } = validate({ file, text }, { files, now: now().getTime() });
  for (const problem of errors) findings.fail('rules-valid', problem);
  for (const problem of warnings) findings.warn('rules-warning', problem);
  if (errors.length > 0) return undefined;
  findings.ok('rules-valid', ruleCount === 1 ? '1 rule' : `${ruleCount} rules`, file);
  checkImages(parsePolicy({ file, text }, files), { file, images }, findings);
  return text;
}

/** Without these no pod gets a network or a name. */
function checkImages(
  policy: Policy,
  { file, images }: { readonly file: string; readonly images: readonly string[] },
  findings: Findings,
): void {
  for (const image of images) {
    const { violations, open } = examineReview(reviewOf(image), policy, LIMITS);
    const denying = violations.filter((each) => denies(each, undefined));
    const hint = `let a rule cover it, or exempt it by except: { namespaces: [${NAMESPACE}] }`;
    const [asked] = open;
    if (denying.length > 0) {
      const why = denying.map(({ message }) => message).join('; ');
      const message = `expected ${NAMESPACE}'s own images to be allowed, got ${image} denied: ${why}`;
      findings.fail('rules-kube-system', { file, message, hint });
    } else if (asked !== undefined) {
      const message = `${image} needs what its registry holds (rule ${asked.rule.name}), which was not asked`;
      findings.warn('rules-kube-system', { file, message, hint });
    }
  }
  if (images.length === 0) return;
  const message = `${images.length} images of ${NAMESPACE} are allowed`;
  findings.okUnlessFound('rules-kube-system', message, file);
}

function reviewOf(image: string): ImageReview {
  return { images: [image], annotations: new Map(), namespace: NAMESPACE, spec: undefined };
}
