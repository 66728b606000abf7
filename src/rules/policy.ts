import type { Glob } from '../parse/glob.ts';
import type { ImagePatternIndex } from '../parse/image-pattern-set.ts';
import type { ImageReference } from '../parse/image-reference.ts';
import type { RegistrySet } from '../parse/registry-pattern.ts';
import type { OnError, RegistryRequirement } from './registry-requirement.ts';
import type { TextPattern } from './text-pattern.ts';

/** What a violation of a rule does: `enforce` denies, `warn` allows and says so, `audit` logs. */
export type Mode = 'enforce' | 'warn' | 'audit';

/** Image patterns and how they were written. */
export interface ImageSet {
  readonly sources: readonly string[];
  readonly index: ImagePatternIndex<true>;
}

/** Takes an image when every key that is there does. */
export interface Selector {
  readonly namespaces: readonly Glob[] | undefined;
  readonly images: ImageSet | undefined;
}

export interface Requirement {
  readonly registries: RegistrySet | undefined;
  readonly images: ImageSet | undefined;
  readonly tags: readonly Glob[] | undefined;
  readonly digest: boolean;
  readonly explicitRegistry: boolean;
  /** What the registry alone can answer; undefined when nothing is asked of it. */
  readonly registry: RegistryRequirement | undefined;
}

/** Hosts in lower case: what is forbidden is forbidden in every spelling of the host. */
export interface Prohibition {
  readonly registries: RegistrySet | undefined;
  readonly images: ImageSet | undefined;
  readonly tags: readonly Glob[] | undefined;
}

export interface Rule {
  readonly name: string;
  readonly mode: Mode;
  /** What becomes of an image about which the registry could not be asked. */
  readonly onError: OnError;
  readonly message: string | undefined;
  /** Hosts in lower case: a rule asks its due of every spelling of a host. */
  readonly match: Selector;
  /** Hosts as written: what lets an image count as covered. */
  readonly exactMatch: Selector;
  readonly except: readonly Selector[];
  readonly require: Requirement;
  /** Undefined when nothing is forbidden. */
  readonly forbid: Prohibition | undefined;
}

export interface BreakGlass {
  readonly annotation: string;
  readonly ticket: TextPattern | undefined;
  readonly namespaces: readonly Glob[] | undefined;
}

/** A rules file, compiled. */
export interface Policy {
  readonly name: string;
  /** The first 12 hex digits of the SHA-256 of the file, and of the files that it names. */
  readonly hash: string;
  /** `name@hash`: what answers and log lines call it. */
  readonly label: string;
  /** Absolute paths of the files that it names: keys, certificates, trusted roots. */
  readonly files: readonly string[];
  readonly unmatchedImages: 'deny' | 'allow';
  readonly emptyReviews: 'deny' | 'allow';
  readonly breakGlass: BreakGlass | undefined;
  /** In the order of the file. */
  readonly rules: readonly Rule[];
  /**
   * The rules that may cover an image in a namespace: all that do, and few that do not. The order
   * means nothing. The registry of the reference is in lower case.
   */
  candidates(reference: ImageReference, namespace: string): readonly Rule[];
}
