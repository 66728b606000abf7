import { decideReview } from '../decide/decide-review.ts';
import { parsePolicy } from '../rules/load.ts';
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
  findings: Findings,
): Promise<string | undefined> {
  const read = await readDisk(file);
  if ('problem' in read) {
    findings.fail('rules-valid', read.problem);
    return undefined;
  }
  const { text } = read;
  const { errors, warnings, ruleCount } = validate({ file, text });
  for (const problem of errors) findings.fail('rules-valid', problem);
  for (const problem of warnings) findings.warn('rules-warning', problem);
  if (errors.length > 0) return undefined;
  findings.ok('rules-valid', `${ruleCount} rules`, file);
  checkImages({ file, text }, images, findings);
  return text;
}

/** Without these no pod gets a network or a name. */
function checkImages(
  source: { readonly file: string; readonly text: string },
  images: readonly string[],
  findings: Findings,
): void {
  const policy = parsePolicy(source);
  const { file } = source;
  for (const image of images) {
    const review = {
      images: [image],
      annotations: new Map<string, string>(),
      namespace: NAMESPACE,
      spec: undefined,
    };
    const { allowed, violations } = decideReview(review, policy, LIMITS);
    if (allowed) continue;
    const why = violations.map(({ message }) => message).join('; ');
    const message = `expected ${NAMESPACE}'s own images to be allowed, got ${image} denied: ${why}`;
    const hint = `let a rule cover it, or exempt it by except: { namespaces: [${NAMESPACE}] }`;
    findings.fail('rules-kube-system', { file, message, hint });
  }
  if (images.length === 0) return;
  const message = `${images.length} images of ${NAMESPACE} are allowed`;
  findings.okUnlessFound('rules-kube-system', message, file);
}
