import { isPathComponent } from '../parse/reference-grammar.ts';
import { asksRegistry } from './on-error-schema.ts';
import { prohibitionConflict, requirementConflict } from './conflicts.ts';
import { selectorContains } from './containment.ts';
import { warnOfMatch } from './match-warnings.ts';
import { warnBesideOthers } from './rule-pairs.ts';
import type { ImagePolicy, RuleSpec } from './schema.ts';
import { asksSomething } from './shadows.ts';

/** Something in a valid rules file that can hardly be meant. */
export interface RulesWarning {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint: string;
}

/** Beyond this many rules they are not held against each other: the cost grows with the square. */
const MAX_COMPARED_RULES = 300;

/** All warnings about a rules file. What is reported is certain; not all is found. */
export function findWarnings({ spec }: ImagePolicy): readonly RulesWarning[] {
  const ownWarnings = spec.rules.map((rule, index) => warnOfRule(rule, ['spec', 'rules', index]));
  return [
    ...warnOfPolicy(spec),
    ...ownWarnings.flat(),
    ...spec.rules.flatMap((rule, index) => warnOfPatterns(rule, ['spec', 'rules', index])),
    ...spec.rules.flatMap((rule, index) =>
      warnOfMovingTags(rule, spec.rules, ['spec', 'rules', index]),
    ),
    ...spec.rules.flatMap((rule, index) =>
      warnOfExcuse(rule, spec.rules, ['spec', 'rules', index]),
    ),
    ...warnOfPairs(
      spec,
      spec.rules.filter((_rule, index) => ownWarnings[index]?.length === 0),
    ),
  ];
}

type Spec = ImagePolicy['spec'];
type Path = RulesWarning['path'];

function warnOfPolicy({ rules, unmatchedImages, breakGlass }: Spec): RulesWarning[] {
  const warnings: RulesWarning[] = [];
  if (rules.length === 0 && unmatchedImages === 'deny') {
    const message = 'no rule covers any image, so every image is denied';
    const hint = 'add a rule, or write `unmatchedImages: allow`';
    warnings.push({ path: ['spec', 'rules'], message, hint });
  }
  if (breakGlass !== undefined && breakGlass.ticket === undefined) {
    const message = 'any non-empty value of the annotation overrides every rule';
    const hint = 'say what a ticket looks like, such as `ticket: "INC-[0-9]+"`';
    warnings.push({ path: ['spec', 'breakGlass'], message, hint });
  }
  return warnings;
}

/** A rule that has been warned of does not take part: what it loses, it loses by itself. */
function warnOfPairs({ rules, unmatchedImages }: Spec, sound: readonly RuleSpec[]): RulesWarning[] {
  if (rules.length > MAX_COMPARED_RULES) return [];
  return sound.flatMap((rule) =>
    warnBesideOthers(rule, sound, unmatchedImages).map((warning) => ({
      path: ['spec', 'rules', rules.indexOf(rule)],
      ...warning,
    })),
  );
}

function warnOfRule(rule: RuleSpec, path: Path): RulesWarning[] {
  const never = impossibility(rule);
  if (never !== undefined) {
    const message = `the rule can never be met: ${never}`;
    return [{ path, message, hint: 'take one of the two out' }];
  }
  return [
    ...(rule.except === undefined ? [] : warnOfExcept(rule, [...path, 'except'])),
    ...warnOfMatch(rule, path),
  ];
}

/** A review cannot change the pod: by a tag the node may pull what nobody has judged. */
function warnOfMovingTags(rule: RuleSpec, rules: readonly RuleSpec[], path: Path): RulesWarning[] {
  if (rules.length > MAX_COMPARED_RULES || !asksRegistry(rule.require)) return [];
  if (requiresDigest(rule) || rules.some((other) => pins(other, rule))) return [];
  const message =
    'what the tag points at is judged, and the node may pull another image by it later';
  const hint =
    'add `digest: true` beside it, and write the digest behind the tag: name:tag@sha256:...';
  return [{ path: [...path, 'require'], message, hint }];
}

function requiresDigest({ require }: RuleSpec): boolean {
  return require?.digest === true;
}

/** Whether the other rule lets nothing run without a digest of all that this one covers. */
function pins(other: RuleSpec, rule: RuleSpec): boolean {
  const isStrict = other.mode === 'enforce' && other.except === undefined;
  return (
    isStrict && requiresDigest(other) && selectorContains(other.match, rule.match, 'as-written')
  );
}

/** Whoever creates a pod names the registry: one of their own need not answer. */
function warnOfExcuse(rule: RuleSpec, rules: readonly RuleSpec[], path: Path): RulesWarning[] {
  const { mode, onError = 'deny' } = rule;
  if (mode !== 'enforce' || onError === 'deny' || !takesEveryRegistry(rule.match?.images)) {
    return [];
  }
  if (namesRegistries(rule) || rules.some((other) => isOverAll(other) && namesRegistries(other))) {
    return [];
  }
  const message =
    'the rule covers every registry: whoever names one that gives no answer, or makes one give none, gets past it';
  const hint =
    'write `onError: deny`, or name the registries that you would trust without the rule: in its match.images, or in require.registries of a rule over everything';
  return [{ path: [...path, 'onError'], message, hint }];
}

type Patterns = NonNullable<RuleSpec['match']>['images'];

const takesEveryRegistry = (patterns: Patterns): boolean =>
  patterns === undefined || patterns.some(({ registry }) => registry.kind === 'any');

function isOverAll({ mode, match, except }: RuleSpec): boolean {
  return mode === 'enforce' && match === undefined && except === undefined;
}

/** Whether all that it covers has to come from registries that are named. */
function namesRegistries({ require }: RuleSpec): boolean {
  return require?.registries !== undefined || !takesEveryRegistry(require?.images);
}

/** Why the rule's own keys exclude each other. */
function impossibility({ require, forbid }: RuleSpec): string | undefined {
  if (require === undefined) return undefined;
  return requirementConflict(require, require) ?? (forbid && prohibitionConflict(require, forbid));
}

function warnOfExcept(rule: RuleSpec, path: Path): RulesWarning[] {
  if (!asksSomething(rule)) {
    const message = 'the rule asks nothing, so there is nothing to be exempt from';
    return [{ path, message, hint: 'an exempt image is covered all the same: drop except' }];
  }
  const all = rule.except?.findIndex((entry) => selectorContains(entry, rule.match, 'as-proof'));
  if (all === undefined || all < 0) return [];
  const message = 'this takes everything that match takes, so the rule can never be violated';
  return [{ path: [...path, all], message, hint: 'narrow the exemption, or drop the rule' }];
}

/** What ends like a host of the internet: official images of Docker Hub have no such names. */
const LIKE_A_HOST = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}$/;

function warnOfPatterns(rule: RuleSpec, path: Path): RulesWarning[] {
  const lists: readonly (readonly [Path, Patterns])[] = [
    [['match', 'images'], rule.match?.images],
    ...(rule.except ?? []).map(
      ({ images }, index) => [['except', index, 'images'], images] as const,
    ),
    [['require', 'images'], rule.require?.images],
    [['forbid', 'images'], rule.forbid?.images],
  ];
  return lists.flatMap(([key, patterns]) =>
    (patterns ?? []).flatMap(({ source }, index) => {
      const name = source.replace(/[:@].*$/s, '');
      if (!LIKE_A_HOST.test(name) || !isPathComponent(name)) return [];
      const message = `${JSON.stringify(source)} is the image docker.io/library/${name}, not the registry`;
      return [{ path: [...path, ...key, index], message, hint: `write ${name}/** for its images` }];
    }),
  );
}
