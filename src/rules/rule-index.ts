import { indexImagePatterns } from '../parse/image-pattern-set.ts';
import type { ImagePatternIndex } from '../parse/image-pattern-set.ts';
import type { ImagePattern } from '../parse/image-pattern.ts';
import type { ImageReference } from '../parse/image-reference.ts';
import type { Policy, Rule } from './policy.ts';
import type { SelectorSpec } from './schema.ts';

interface IndexedRule {
  readonly rule: Rule;
  readonly match: SelectorSpec | undefined;
}

/** Rules that are filed under the same namespace, or under none. */
interface Drawer {
  /** Those whose `match` names no images. */
  readonly every: Rule[];
  readonly byImage: (readonly [ImagePattern, Rule])[];
}

/**
 * Files each rule under the namespaces that its `match` spells out, and there under its images, so
 * that the cost of a decision grows with the rules that touch the image and not with all rules.
 */
export function indexRules(rules: readonly IndexedRule[]): Policy['candidates'] {
  const anywhere: Drawer = { every: [], byImage: [] };
  const byNamespace = new Map<string, Drawer>();
  for (const indexed of rules) {
    const names = literalNamespaces(indexed.match);
    if (names === undefined) file(anywhere, indexed);
    else for (const name of names) file(drawerOf(byNamespace, name), indexed);
  }
  const lookUpAnywhere = lookUp(anywhere);
  const lookUps = new Map([...byNamespace].map(([name, drawer]) => [name, lookUp(drawer)]));
  return (reference, namespace) => {
    const found = lookUpAnywhere(reference);
    const more = lookUps.get(namespace)?.(reference) ?? [];
    return more.length === 0 ? found : [...found, ...more];
  };
}

/** The names, each once; undefined when any namespace, or one with a wildcard, is meant. */
function literalNamespaces(match: SelectorSpec | undefined): Set<string> | undefined {
  const names = match?.namespaces?.map(({ source }) => source);
  return names === undefined || names.some((name) => name.includes('*'))
    ? undefined
    : new Set(names);
}

function drawerOf(drawers: Map<string, Drawer>, name: string): Drawer {
  const found = drawers.get(name) ?? { every: [], byImage: [] };
  drawers.set(name, found);
  return found;
}

function file(drawer: Drawer, { rule, match }: IndexedRule): void {
  if (match?.images === undefined) drawer.every.push(rule);
  else for (const pattern of match.images) drawer.byImage.push([pattern, rule]);
}

function lookUp({ every, byImage }: Drawer): (reference: ImageReference) => readonly Rule[] {
  const images = indexImagePatterns(byImage);
  return (reference) => (byImage.length === 0 ? every : [...every, ...taking(images, reference)]);
}

/** A rule may be filed under several patterns that take the same image: once is enough. */
function taking(images: ImagePatternIndex<Rule>, reference: ImageReference): Set<Rule> {
  const found = new Set<Rule>();
  images.some(reference, 'as-written', (rule) => {
    found.add(rule);
    return false;
  });
  return found;
}
