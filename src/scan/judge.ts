import { useBreakGlass } from '../decide/break-glass.ts';
import { decideReview } from '../decide/decide-review.ts';
import type { BreakGlassUse, Violation } from '../decide/decision.ts';
import { judgeImage, violationsOf } from '../decide/judge-image.ts';
import type { Policy } from '../rules/policy.ts';
import type { Answers } from './answers.ts';
import type { FoundPod, ImageField } from './pod.ts';
import { mayRun, verdictOf } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** What a policy says about one image field of a pod. */
export interface Judged {
  /** Undefined when it is about a pod without containers. */
  readonly field: ImageField | undefined;
  readonly verdict: Verdict;
  readonly violations: readonly Violation[];
  /** What has to be said beside the verdict. */
  readonly note: string | undefined;
}

/** Judges the images of pods that live in a namespace. */
export type Judge = (pod: FoundPod, namespace: string) => readonly Judged[];

const NEVER_SENT = 'the plugin never sends these';

/** A service's limit on containers is its own; here there is room for all. */
const LIMITS = { containers: Number.MAX_SAFE_INTEGER };

/**
 * A judge that remembers: clusters run the same images over and over.
 *
 * @param answers what registries say; without them what needs a registry is not checked
 */
export function createJudge(policy: Policy, answers?: Answers): Judge {
  const known = new Map<string, Map<string, readonly Violation[]>>();

  const violationsFor = (image: string, namespace: string): readonly Violation[] => {
    let inNamespace = known.get(namespace);
    if (inNamespace === undefined) {
      inNamespace = new Map<string, readonly Violation[]>();
      known.set(namespace, inNamespace);
    }
    let violations = inNamespace.get(image);
    if (violations === undefined) {
      const found =
        answers?.violationsOf(image, namespace) ??
        violationsOf(judgeImage(image, namespace, policy), policy);
      violations = found.toSorted(byRule);
      inNamespace.set(image, violations);
    }
    return violations;
  };

  return (pod, namespace) => {
    const review = { images: [], annotations: pod.annotations, namespace, spec: undefined };
    const breakGlass = useBreakGlass(policy.breakGlass, review);
    const judged = pod.images.map((field) =>
      judgeField(field, violationsFor(field.image, namespace), breakGlass),
    );
    if (pod.images.some(({ sent }) => sent)) return judged;
    const { violations } = decideReview(review, policy, LIMITS);
    return violations.length === 0 ? judged : [...judged, judgePod(violations, breakGlass)];
  };
}

/** The order of rules means nothing: by their names, results can be compared. */
function byRule({ rule: one }: Violation, { rule: other }: Violation): number {
  return (one?.name ?? '').localeCompare(other?.name ?? '', 'en');
}

function judgeField(
  field: ImageField,
  violations: readonly Violation[],
  breakGlass: BreakGlassUse | undefined,
): Judged {
  if (field.sent) return { ...judgePod(violations, breakGlass), field };
  const verdict = verdictOf(violations, undefined);
  // Nobody asks, so nobody denies: all that is left is to warn.
  return {
    field,
    verdict: mayRun(verdict) ? verdict : 'warned',
    violations,
    note: NEVER_SENT,
  };
}

function judgePod(violations: readonly Violation[], breakGlass: BreakGlassUse | undefined): Judged {
  const verdict = verdictOf(violations, breakGlass);
  const overridden = verdict !== verdictOf(violations, undefined) && breakGlass !== undefined;
  const note = overridden ? `break-glass ${breakGlass.ticket} overrides the rules` : undefined;
  return { field: undefined, verdict, violations, note };
}
