import type { PredicateCheck } from '../rules/registry-requirement.ts';
import { list } from './json.ts';
import type { ForbiddenPackages, ListedPackage } from './packages.ts';

/** The packages of an SBOM; a text says why it cannot be read. */
export type SbomReader = (predicate: unknown) => readonly ListedPackage[] | string;

/** An SBOM that can be read and lists something. */
export function sbomCheck(readSbom: SbomReader): PredicateCheck {
  return {
    source: 'sbom',
    refusal: (predicate) => {
      const packages = readSbom(predicate);
      if (typeof packages === 'string') return packages;
      return packages.length === 0 ? 'the SBOM lists no packages' : undefined;
    },
  };
}

/** None of its packages is one of these. */
export function forbiddenPackagesCheck(
  readSbom: SbomReader,
  forbidden: ForbiddenPackages,
): PredicateCheck {
  return {
    source: 'forbiddenPackages',
    refusal: (predicate) => {
      const packages = readSbom(predicate);
      if (typeof packages === 'string') return packages;
      const hits = [...new Set(packages.flatMap((each) => forbidden.find(each) ?? []))];
      return hits.length === 0 ? undefined : `the SBOM lists ${list(hits)}`;
    },
  };
}
