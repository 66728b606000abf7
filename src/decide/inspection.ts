import type { ImageReference } from '../parse/image-reference.ts';
import type { RegistryRequirement } from '../rules/registry-requirement.ts';
import type { Rule } from '../rules/policy.ts';

/** What a rule that covers an image asks of it, and only its registry can answer. */
export interface OpenCheck {
  /** As written. */
  readonly image: string;
  readonly reference: ImageReference;
  readonly rule: Rule;
  readonly requirement: RegistryRequirement;
}

/** The answer to an open check. */
export type Inspection =
  | { readonly outcome: 'passed'; readonly digest: string }
  /** Looked at and found wanting, by evidence: never excused. */
  | {
      readonly outcome: 'refused';
      readonly digest: string | undefined;
      readonly reasons: readonly string[];
    }
  /** The registry gave no answer that could be used: the rule's `onError` decides. */
  | { readonly outcome: 'unchecked'; readonly digest: string | undefined; readonly why: string };

/** The asking for one review: whatever is asked in it speaks of the same digest for the same tag. */
export interface InspectionSession {
  /**
   * Rejects with `registry-unavailable` for what is unchecked; any other rejection refuses the
   * image, for whoever made the image may have found out how to provoke it.
   */
  inspect(check: OpenCheck): Promise<Inspection>;
  /**
   * Aborted, with the reason, when no time is left: what has no answer by then is unchecked; unless
   * the reason is an error with a code, which then counts as that of every check.
   */
  readonly signal: AbortSignal;
  /** Gives up what is still being asked. */
  close(): void;
}

/** Asks registries. */
export interface Inspector {
  /** What is known without asking; undefined when nothing is. */
  known(check: OpenCheck): Inspection | undefined;
  open(): InspectionSession;
}
