import {
  foldRegistry,
  isLocalImageId,
  LOCAL_IMAGE_ID,
  parseImageReference,
} from '../parse/image-reference.ts';
import type { ImageReference } from '../parse/image-reference.ts';
import type { Policy, Rule } from '../rules/policy.ts';
import type { RegistryRequirement } from '../rules/registry-requirement.ts';
import { findViolations } from './conditions.ts';
import type { Violation } from './decision.ts';
import type { OpenCheck } from './inspection.ts';
import { covers, coversExactly, isExempt } from './match.ts';

/** A rule that covers an image, and what came of it. */
export interface RuleResult {
  readonly rule: Rule;
  /** An exempt image is covered, and nothing is asked of it. */
  readonly exempt: boolean;
  /** What is wrong, a message for each violated key; empty when the rule is met so far. */
  readonly violations: readonly string[];
  /** What the registry has yet to answer before the rule is met. */
  readonly open: RegistryRequirement | undefined;
}

/** All that was found about one image of a review. */
export type ImageJudgement =
  /** Denied whatever the rules say, and not to be overridden. */
  | { readonly written: string; readonly refused: string }
  | {
      readonly written: string;
      readonly refused: undefined;
      readonly reference: ImageReference;
      /** Whether some rule names the host as it is written; if not, `unmatchedImages` decides. */
      readonly covered: boolean;
      /** Every rule that covers the image, however its host is spelled; in no order. */
      readonly covering: readonly RuleResult[];
    };

/** Neither a registry nor a path that a node can pull is longer; in UTF-16 units. */
const MAX_IMAGE_LENGTH = 4096;

/** Holds one image, as written, against a policy. Pure. */
export function judgeImage(written: string, namespace: string, policy: Policy): ImageJudgement {
  const read = readImage(written);
  if (typeof read === 'string') return { written, refused: read };
  const folded = foldRegistry(read);
  const rules = policy
    .candidates(folded, namespace)
    .filter((rule) => covers(rule, folded, namespace));
  return {
    written,
    refused: undefined,
    reference: read,
    covered: rules.some((rule) => coversExactly(rule, read, namespace)),
    covering: rules.map((rule) => applyRule(rule, written, read, namespace)),
  };
}

/** The reference, or why nothing may override that the image is denied. */
function readImage(written: string): ImageReference | string {
  if (written === '') return 'expected an image, got an empty string';
  if (written.length > MAX_IMAGE_LENGTH) {
    return `expected at most ${MAX_IMAGE_LENGTH} characters, got ${written.length}`;
  }
  if (isLocalImageId(written)) return LOCAL_IMAGE_ID;
  const parsed = parseImageReference(written);
  if (!parsed.ok) return parsed.error;
  if (parsed.reference.registry === '') return 'the part before the first / is no valid registry';
  return parsed.reference;
}

function applyRule(
  rule: Rule,
  written: string,
  reference: ImageReference,
  namespace: string,
): RuleResult {
  if (isExempt(rule, reference, namespace)) {
    return { rule, exempt: true, violations: [], open: undefined };
  }
  const violations = findViolations(rule, { written, reference });
  return { rule, exempt: false, violations, open: rule.require.registry };
}

/** What a judgement has against its image, for whoever does not ask the registry. */
export function violationsOf(judgement: ImageJudgement, policy: Policy): readonly Violation[] {
  return [...foundViolations(judgement, policy), ...openChecksOf(judgement).map(unaskedViolation)];
}

/** What the registry has yet to answer about the image of a judgement. */
export function openChecksOf(judgement: ImageJudgement): readonly OpenCheck[] {
  if (judgement.refused !== undefined) return NONE;
  const { written: image, reference, covering } = judgement;
  if (!covering.some(({ open }) => open !== undefined)) return NONE;
  return covering.flatMap(({ rule, open: requirement }) =>
    requirement === undefined ? [] : [{ image, reference, rule, requirement }],
  );
}

/** What most images come to is not made anew for each. */
const NONE = [] as const;

/** A check that nobody makes is not passed. */
export function unaskedViolation(check: OpenCheck): Violation {
  return { ...violationOf(check, 'not checked: needs the registry'), unasked: true };
}

/** What an open check came to violate. */
export function violationOf({ image, rule }: OpenCheck, message: string): Violation {
  const { name, message: own } = rule;
  return { severity: rule.mode, image, message, rule: { name, message: own } };
}

/** What is against an image without the registry's answers. */
export function foundViolations(judgement: ImageJudgement, policy: Policy): readonly Violation[] {
  const image = judgement.written;
  if (judgement.refused !== undefined) {
    return [{ severity: 'absolute', image, message: judgement.refused, rule: undefined }];
  }
  const isClean = judgement.covering.every(({ violations }) => violations.length === 0);
  if (isClean && judgement.covered) return NONE;
  const ofRules = judgement.covering.flatMap(({ rule, violations }) =>
    violations.map((message) => ({
      severity: rule.mode,
      image,
      message,
      rule: { name: rule.name, message: rule.message },
    })),
  );
  return judgement.covered ? ofRules : [...uncovered(image, policy), ...ofRules];
}

function uncovered(image: string, policy: Policy): readonly Violation[] {
  if (policy.unmatchedImages === 'allow') return [];
  const message = 'no rule covers this image (unmatchedImages: deny)';
  return [{ severity: 'enforce', image, message, rule: undefined }];
}
