import { prohibitionConflict, requirementConflict } from './conflicts.ts';
import { selectorContains } from './containment.ts';
import type { ImagePolicy, RuleSpec } from './schema.ts';
import { asksSomething, isShadowedBy } from './shadows.ts';
import type { RulesWarning } from './warnings.ts';

type Spec = ImagePolicy['spec'];
type Warning = Omit<RulesWarning, 'path'>;

/** What a rule loses beside the others that can be met and violated, if anything. */
export function warnBesideOthers(
  rule: RuleSpec,
  rules: readonly RuleSpec[],
  unmatchedImages: Spec['unmatchedImages'],
): Warning[] {
  if (asksSomething(rule)) {
    const conflicts = warnOfConflict(rule, rules);
    return conflicts.length > 0 ? conflicts : warnOfShadow(rule, rules);
  }
  if (unmatchedImages === 'deny') return warnOfIdleMatch(rule, rules);
  const message = 'the rule does nothing: it asks nothing, and images on no rule are allowed';
  return [{ message, hint: 'add require or forbid, or write `unmatchedImages: deny`' }];
}

/** Another rule that is enforced, as wide and without exemption, and leaves nothing for this one. */
function warnOfConflict(rule: RuleSpec, rules: readonly RuleSpec[]): Warning[] {
  if (rule.mode !== 'enforce') return [];
  for (const other of rules) {
    if (other === rule || other.mode !== 'enforce' || other.except !== undefined) continue;
    if (!isWider(other, rule)) continue;
    // Of two that are equally wide the later is warned of what they both require.
    const why = conflictOf(
      rule,
      isFirstOfTwo(rule, other, rules) ? { forbid: other.forbid } : other,
    );
    if (why === undefined) continue;
    const message = `no image can meet what this rule and ${JSON.stringify(other.name)} ask: ${why}`;
    return [{ message, hint: 'narrow the match of one, so that they cover different images' }];
  }
  return [];
}

function isFirstOfTwo(rule: RuleSpec, other: RuleSpec, rules: readonly RuleSpec[]): boolean {
  const alike = rule.except === undefined && isWider(rule, other);
  return alike && rules.indexOf(rule) < rules.indexOf(other);
}

function isWider(other: RuleSpec, rule: RuleSpec): boolean {
  return selectorContains(other.match, rule.match, 'as-written');
}

function conflictOf(
  { require }: RuleSpec,
  other: Pick<RuleSpec, 'require' | 'forbid'>,
): string | undefined {
  if (require === undefined) return undefined;
  return (
    (other.require && requirementConflict(require, other.require)) ??
    (other.forbid && prohibitionConflict(require, other.forbid))
  );
}

function warnOfShadow(rule: RuleSpec, rules: readonly RuleSpec[]): Warning[] {
  const other = findOther(rule, rules, isShadowedBy);
  if (other === undefined) return [];
  const message = `the rule adds nothing: all that it asks, ${JSON.stringify(other.name)} asks too`;
  return [{ message, hint: 'drop the rule, or change what it asks' }];
}

/** A rule with match alone says which images are on the list that unmatchedImages goes by. */
function warnOfIdleMatch(rule: RuleSpec, rules: readonly RuleSpec[]): Warning[] {
  const other = findOther(rule, rules, (one, two) => isWider(two, one));
  if (other === undefined) return [];
  const name = JSON.stringify(other.name);
  const message = `the rule adds nothing: it asks nothing, and ${name} covers the same images`;
  const hint = asksSomething(other)
    ? 'being covered is all that unmatchedImages asks; list what is allowed under `require: { images }`'
    : 'drop the rule';
  return [{ message, hint }];
}

/** The first other rule with a relation to this one; of two that have it to each other, the later. */
function findOther(
  rule: RuleSpec,
  rules: readonly RuleSpec[],
  isBelow: (rule: RuleSpec, other: RuleSpec) => boolean,
): RuleSpec | undefined {
  const index = rules.indexOf(rule);
  return rules.find(
    (other, at) =>
      other !== rule &&
      isBelow(rule, other) &&
      (at < index || areUnlike(rule, other) || !isBelow(other, rule)),
  );
}

/** Whether only one of the two asks something: then only the one that does not can be idle. */
function areUnlike(rule: RuleSpec, other: RuleSpec): boolean {
  return asksSomething(rule) !== asksSomething(other);
}
