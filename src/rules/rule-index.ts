import { indexImagePatterns } from '../parse/image-pattern-set.ts';
import type { ImagePattern } from '../parse/image-pattern.ts';
import type { ImageReference } from '../parse/image-reference.ts';
import type { Policy, Rule } from './policy.ts';
import type { SelectorSpec } from './schema.ts';

interface IndexedRule {
  readonly rule: Rule;
  readonly match: SelectorSpec | undefined;
}

/**
 * Files each rule under what its `match` names, images first and namespaces else, so that the cost
 * of a decision grows with the rules that touch the image and not with all rules.
 */
export function indexRules(rules: readonly IndexedRule[]): Policy['candidates'] {
  const byImage: (readonly [ImagePattern, Rule])[] = [];
  const byNamespace = new Map<string, Rule[]>();
  const everywhere: Rule[] = [];
  for (const { rule, match } of rules) {
    if (match?.images !== undefined) {
      for (const pattern of match.images) byImage.push([pattern, rule]);
    } else if (match?.namespaces?.every(({ source }) => !source.includes('*')) === true) {
      for (const name of new Set(match.namespaces.map(({ source }) => source))) {
        push(byNamespace, name, rule);
      }
    } else {
      everywhere.push(rule);
    }
  }
  const images = indexImagePatterns(byImage);
  return (reference, namespace) => [
    ...everywhere,
    ...(byNamespace.get(namespace) ?? []),
    ...rulesByImage(images, reference),
  ];
}

/** A rule may be filed under several patterns that take the same image: once is enough. */
function rulesByImage(
  images: ReturnType<typeof indexImagePatterns<Rule>>,
  reference: ImageReference,
): Iterable<Rule> {
  const found = new Set<Rule>();
  images.some(reference, 'as-written', (rule) => {
    found.add(rule);
    return false;
  });
  return found;
}

function push(map: Map<string, Rule[]>, key: string, rule: Rule): void {
  const filed = map.get(key);
  if (filed === undefined) map.set(key, [rule]);
  else filed.push(rule);
}
