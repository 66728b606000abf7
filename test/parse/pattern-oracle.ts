/*
 * What the design says of image patterns, written down once more without any regard for speed and
 * without a line of the code that it is held against. For patterns that are known to be good.
 */

/** A reference as the reference oracle yields it. */
export interface OracleReference {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

interface PatternText {
  readonly registry: string;
  readonly path: readonly string[];
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** @param proof whether a tag beside a digest counts for nothing */
export function oracleTakes(pattern: string, image: OracleReference, proof: boolean): boolean {
  const parts = split(pattern);
  return (
    oracleTakesRegistry(parts.registry, image.registry) &&
    takesPath(parts.path, image.repository.split('/')) &&
    takesVersion(parts, image, proof)
  );
}

/** `*` stands for any run of characters. */
export function oracleGlob(glob: string, text: string): boolean {
  const escaped = glob.replace(/[^a-zA-Z0-9*]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`, 's').test(text);
}

export function oracleTakesRegistry(pattern: string, registry: string): boolean {
  if (pattern === '**') return true;
  if (!pattern.startsWith('*.')) return registry === pattern;
  return registry.endsWith(pattern.slice(1)) && registry.length >= pattern.length;
}

function split(pattern: string): PatternText {
  const [, name = '', tag, digest] = /^(.*?)(?::([^:/@]*))?(?:@(.*))?$/.exec(pattern) ?? [];
  return { ...splitName(name.split('/')), tag, digest };
}

function splitName(components: readonly string[]): Pick<PatternText, 'registry' | 'path'> {
  const [first = '', ...rest] = components;
  if (first === '**') return { registry: '**', path: components };
  const named = rest.length > 0 && (/[.:]|[A-Z]/.test(first) || first === 'localhost');
  if (named && first !== 'docker.io') return { registry: first, path: rest };
  const path = named ? rest : components;
  const official = path.length === 1 && path[0] !== '**';
  return { registry: 'docker.io', path: official ? ['library', ...path] : path };
}

function takesPath(pattern: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first === '**') {
    const tails = Array.from({ length: path.length + 1 }, (_, at) => path.slice(at));
    return tails.some((tail) => takesPath(rest, tail));
  }
  const [head, ...tail] = path;
  return head !== undefined && oracleGlob(first, head) && takesPath(rest, tail);
}

function takesVersion(pattern: PatternText, image: OracleReference, proof: boolean): boolean {
  if (pattern.digest !== undefined && pattern.digest !== image.digest) return false;
  if (pattern.tag === undefined) return true;
  if (proof && image.digest !== undefined && pattern.digest === undefined) return false;
  return image.tag !== undefined && oracleGlob(pattern.tag, image.tag);
}
