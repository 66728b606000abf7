import { canonicalRegistry, namesRegistry } from './image-reference.ts';
import { isRegistry } from './reference-grammar.ts';

/*
 * registry-pattern = registry | "*." suffix
 *
 * `registry` is host or host:port and compared exactly; `*.suffix` takes one or more labels before
 * the suffix. No port written means no port in the reference.
 */

/** `exact`: the registry itself; `suffix`: what stands behind the `*`, with its leading dot. */
export type RegistryPattern =
  | { readonly kind: 'exact'; readonly registry: string }
  | { readonly kind: 'suffix'; readonly suffix: string };

export type ParsedPattern<T> =
  | { readonly ok: true; readonly pattern: T }
  | { readonly ok: false; readonly error: string; readonly hint: string };

const HINT = 'write a host (registry.example.com), host:port, or *. and a suffix (*.example.com)';
const PATH_HINT =
  'a registry has no path: write it among `images`, with /** behind it for all that is below';

/** Reads one registry pattern; `index.docker.io` is `docker.io`, as in a reference. */
export function parseRegistryPattern(text: string): ParsedPattern<RegistryPattern> {
  const quoted = JSON.stringify(text);
  if (text === '*' || text === '**') {
    return refuse(`expected a registry, got ${quoted}, which would take every one`);
  }
  if (text.startsWith('*.')) {
    const valid = isRegistry(text.slice(2)) && !text.startsWith('*.[');
    return valid
      ? { ok: true, pattern: { kind: 'suffix', suffix: text.slice(1) } }
      : refuse(`expected a suffix of a registry after "*.", got ${quoted}`, hintOf(text));
  }
  if (!isRegistry(text)) return refuse(`expected a registry, got ${quoted}`, hintOf(text));
  if (!namesRegistry(text)) {
    return refuse(
      `no image has the registry ${quoted}: the first part of an image is a registry ` +
        'only when it is localhost or holds a dot, a port or an uppercase letter',
    );
  }
  return { ok: true, pattern: { kind: 'exact', registry: canonicalRegistry(text) } };
}

function refuse(error: string, hint = HINT): ParsedPattern<never> {
  return { ok: false, error, hint };
}

function hintOf(text: string): string {
  if (text.includes('://')) return `leave the scheme out, ${HINT}`;
  return text.includes('/') ? PATH_HINT : HINT;
}

/** Many registry patterns, asked at once; the cost does not grow with their number. */
export interface RegistrySet {
  has(registry: string): boolean;
  readonly sources: readonly string[];
}

/** Compiles registry patterns; hosts are compared exactly. */
export function compileRegistrySet(patterns: readonly RegistryPattern[]): RegistrySet {
  const exact = new Set<string>();
  const suffixes = new Set<string>();
  for (const pattern of patterns) {
    if (pattern.kind === 'exact') exact.add(pattern.registry);
    else suffixes.add(pattern.suffix);
  }
  return {
    sources: patterns.map(describeRegistryPattern),
    has: (registry) =>
      exact.has(registry) ||
      (suffixes.size > 0 && someSuffix(registry, (suffix) => suffixes.has(suffix))),
  };
}

function describeRegistryPattern(pattern: RegistryPattern): string {
  return pattern.kind === 'exact' ? pattern.registry : `*${pattern.suffix}`;
}

/** The pattern with its host in lower case. */
export function foldRegistryPattern(pattern: RegistryPattern): RegistryPattern {
  const name = pattern.kind === 'exact' ? pattern.registry : pattern.suffix;
  if (name === name.toLowerCase()) return pattern;
  return pattern.kind === 'exact'
    ? { kind: 'exact', registry: canonicalRegistry(pattern.registry.toLowerCase()) }
    : { kind: 'suffix', suffix: pattern.suffix.toLowerCase() };
}

/** Calls `test` with each `.suffix` of a host that has at least one label before it. */
export function someSuffix(registry: string, test: (suffix: string) => boolean): boolean {
  for (let dot = registry.indexOf('.', 1); dot >= 0; dot = registry.indexOf('.', dot + 1)) {
    if (test(registry.slice(dot))) return true;
  }
  return false;
}
