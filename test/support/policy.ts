import { decideReview } from '../../src/decide/decide-review.ts';
import type { Decision } from '../../src/decide/decision.ts';
import { ImageCheckerError } from '../../src/errors.ts';
import type { Problem } from '../../src/errors.ts';
import type { ImageReview } from '../../src/parse/image-review.ts';
import { compilePolicy } from '../../src/rules/compile.ts';
import { parsePolicy } from '../../src/rules/load.ts';
import type { Policy } from '../../src/rules/policy.ts';
import { imagePolicySchema } from '../../src/rules/schema.ts';

/** A digest as a node would pull by. */
export const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
export const OTHER_DIGEST = `sha256:${'fedcba9876543210'.repeat(4)}`;
export const ANNOTATION = 'image-checker.image-policy.k8s.io/break-glass';
export const LIMITS = { containers: 1000 };

/** The text of a rules file with this `spec`; JSON, which YAML contains. */
export function rulesFile(spec: unknown): string {
  return JSON.stringify(document(spec));
}

function document(spec: unknown): object {
  const metadata = { name: 'test-policy' };
  return { apiVersion: 'image-checker/v1', kind: 'ImagePolicy', metadata, spec };
}

/** A policy from the `spec` of a rules file. */
export function policyOf(spec: unknown): Policy {
  return parsePolicy({ file: 'rules.yaml', text: rulesFile(spec) });
}

/** The same without YAML, which takes most of the time: for properties with thousands of runs. */
export function quickPolicyOf(spec: unknown): Policy {
  return compilePolicy(imagePolicySchema.parse(document(spec)), '');
}

/** A policy of one rule, called `the-rule`. */
export function policyOfRule(rule: object, spec: object = {}): Policy {
  return policyOf({ ...spec, rules: [{ name: 'the-rule', ...rule }] });
}

export interface ReviewText {
  readonly images: readonly string[];
  readonly namespace: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A review of `nginx` in the namespace `default`, but for what is given. */
export function reviewOf(given: Partial<ReviewText> = {}): ImageReview {
  const { images = ['nginx'], namespace = 'default', annotations = {} } = given;
  const containers = images.map((image) => ({ image }));
  return {
    images,
    namespace,
    annotations: new Map(Object.entries(annotations)),
    spec: { containers, annotations, namespace },
  };
}

export function decide(policy: Policy, given: Partial<ReviewText> = {}): Decision {
  return decideReview(reviewOf(given), policy, LIMITS);
}

/** The decision over one image in a namespace. */
export function decideImage(policy: Policy, image: string, namespace = 'default'): Decision {
  return decide(policy, { images: [image], namespace });
}

/** What is against one image, each as `rule: message` (or the message alone). */
export function objections(policy: Policy, image: string, namespace = 'default'): string[] {
  return decideImage(policy, image, namespace).violations.map(({ rule, message }) =>
    rule === undefined ? message : `${rule.name}: ${message}`,
  );
}

/** The problems of the error with this code that is thrown. */
export function problemsOf(code: string, run: () => unknown): readonly Problem[] {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ImageCheckerError && thrown.code === code) return thrown.problems;
    throw thrown;
  }
  throw new Error(`expected an error ${code}, got none`);
}
