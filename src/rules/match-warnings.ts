import { patternsDisjoint, registriesApart, selectorsDisjoint, tagsApart } from './disjoint.ts';
import { allDisjoint } from './containment.ts';
import type { RuleSpec } from './schema.ts';
import type { RulesWarning } from './warnings.ts';

/** What the match of a rule decides by itself, if anything. */
export function warnOfMatch(rule: RuleSpec, path: RulesWarning['path']): RulesWarning[] {
  const never = impossibility(rule);
  if (never !== undefined) {
    const message = `the rule can never be met: what its match takes ${never}`;
    const hint = 'mend one of the two; to deny all that match takes, say why in `message`';
    return [{ path, message, hint }];
  }
  const warnings = idleExemptions(rule).map((index) => ({
    path: [...path, 'except', index],
    message: 'nobody is ever exempt by this: its match takes nothing of what this takes',
    hint: 'mend one of the two, or drop the exemption',
  }));
  if (!canNeverHit(rule)) return warnings;
  const message = 'the rule can never be violated: what it forbids, its match never takes';
  const hint = 'widen match, or drop the rule';
  return [...warnings, { path: [...path, 'forbid'], message, hint }];
}

/** Why nothing that match takes can be what is required; who says a message means to deny it. */
function impossibility({ match, require, message }: RuleSpec): string | undefined {
  if (match?.images === undefined || require === undefined || message !== undefined) {
    return undefined;
  }
  const { images, registries, tags } = require;
  if (registriesApart(match.images, registries)) return 'is of none of the required registries';
  if (images !== undefined && allDisjoint(match.images, images, patternsDisjoint)) {
    return 'is none of the required images';
  }
  return tagsApart(match.images, tags) ? 'has none of the required tags' : undefined;
}

function idleExemptions({ match, except = [] }: RuleSpec): number[] {
  return except.flatMap((entry, index) => (selectorsDisjoint(match, entry) ? [index] : []));
}

/** Whether each key that is forbidden hits other images alone than those that match takes. */
function canNeverHit({ match, require, forbid }: RuleSpec): boolean {
  if (match?.images === undefined || require !== undefined || forbid === undefined) return false;
  const { registries, images, tags } = forbid;
  return (
    (registries === undefined || registriesApart(match.images, registries)) &&
    (images === undefined || allDisjoint(match.images, images, patternsDisjoint)) &&
    (tags === undefined || tagsApart(match.images, tags))
  );
}
