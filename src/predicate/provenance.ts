import type { PredicateCheck } from '../rules/registry-requirement.ts';
import { quote, textAt, valueAt } from './json.ts';

export const PROVENANCE_V02 = 'https://slsa.dev/provenance/v0.2';
export const PROVENANCE_V1 = 'https://slsa.dev/provenance/v1';

/** What a version of SLSA's provenance says, and where. */
export interface ProvenanceReader {
  builder(predicate: unknown): string | undefined;
  /** Every place that names the source; empty when none does. */
  sources(predicate: unknown): readonly unknown[];
}

/** https://slsa.dev/spec/v0.2/provenance: the source is where the build's configuration lies. */
export const provenanceV02: ProvenanceReader = {
  builder: (predicate) => textAt(predicate, 'builder', 'id'),
  sources: (predicate) => given(valueAt(predicate, 'invocation', 'configSource', 'uri')),
};

/**
 * https://slsa.dev/spec/v1.0/provenance leaves the parameters of a build to the builder: GitHub's
 * workflows, BuildKit and Google's Cloud Build write the source at these places.
 */
export const provenanceV1: ProvenanceReader = {
  builder: (predicate) => textAt(predicate, 'runDetails', 'builder', 'id'),
  sources: (predicate) => {
    const parameters = valueAt(predicate, 'buildDefinition', 'externalParameters');
    const source = valueAt(parameters, 'source');
    return [
      ...given(valueAt(parameters, 'workflow', 'repository')),
      ...given(valueAt(parameters, 'configSource', 'uri')),
      ...given(typeof source === 'string' ? source : valueAt(source, 'uri')),
    ];
  },
};

const given = (value: unknown): readonly unknown[] => (value === undefined ? [] : [value]);

/** The builder, by its exact id. */
export function builderCheck(reader: ProvenanceReader, id: string): PredicateCheck {
  return {
    source: `builder ${id}`,
    refusal: (predicate) => {
      const got = reader.builder(predicate);
      if (got === id) return undefined;
      return got === undefined ? 'the builder is not named' : `the builder is ${quote(got)}`;
    },
  };
}

/**
 * The source repository; every place that names it has to name this one.
 *
 * @param repository as `canonicalRepository` gives it
 */
export function sourceCheck(reader: ProvenanceReader, repository: string): PredicateCheck {
  return {
    source: `source ${repository}`,
    refusal: (predicate) => {
      const sources = reader.sources(predicate);
      if (sources.length === 0) return 'the source is not named';
      const other = sources.find((source) => canonicalRepository(source) !== repository);
      if (other === undefined) return undefined;
      return typeof other === 'string' ? `the source is ${quote(other)}` : 'the source is no text';
    },
  };
}

/** RFC 3986 has no limit; this is more than any repository needs. */
const MAX_URI_LENGTH = 2048;

/**
 * A repository without its revision: `https://host/path` of `git+https://host/path.git@ref` or
 * `https://host/path.git#ref`. Undefined for anything that is not one of https, and for one with
 * credentials or a query.
 */
export function canonicalRepository(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || uri.length > MAX_URI_LENGTH) return undefined;
  const [plain = ''] = uri.replace(/^git\+/, '').split('#');
  if (!URL.canParse(plain)) return undefined;
  const { protocol, username, password, host, pathname, search } = new URL(plain);
  const [path = ''] = pathname.split('@');
  const isPlain = protocol === 'https:' && `${username}${password}${search}` === '';
  return isPlain && path !== '/' ? `https://${host}${path.replace(/\.git$/, '')}` : undefined;
}
