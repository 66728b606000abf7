import assert from 'node:assert/strict';
import { readCycloneDx } from '../../../src/predicate/cyclonedx.ts';
import { ForbiddenPackages } from '../../../src/predicate/packages.ts';
import {
  builderCheck,
  provenanceV02,
  provenanceV1,
  sourceCheck,
} from '../../../src/predicate/provenance.ts';
import { forbiddenPackagesCheck, sbomCheck } from '../../../src/predicate/sbom.ts';
import { readSpdx } from '../../../src/predicate/spdx.ts';
import { scanAgeCheck, severityCheck } from '../../../src/predicate/vulnerabilities.ts';
import { parseBoundedJson } from '../../../src/parse/bounded-json.ts';
import { at, documentPackages, findings, sourcesOf } from '../predicate-oracle.ts';
import type { DocumentPackage } from '../predicate-oracle.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const DAY_MS = 86_400_000;
const BUILDER = 'https://builder.example.com';
const SOURCE = 'https://git.example.com/team/app';
const FORBIDDEN = new ForbiddenPackages(['left-pad', 'pkg:npm/evil', 'pkg:npm/bad@1.0.0']);

/** Each check, and what has to be so of a predicate that it is content with. */
const CHECKS = [
  {
    check: builderCheck(provenanceV02, BUILDER),
    holds: (predicate: unknown) => at(predicate, 'builder', 'id') === BUILDER,
  },
  {
    check: builderCheck(provenanceV1, BUILDER),
    holds: (predicate: unknown) => at(predicate, 'runDetails', 'builder', 'id') === BUILDER,
  },
  {
    check: sourceCheck(provenanceV02, SOURCE),
    holds: (predicate: unknown) => areSource(sourcesOf(predicate, '0.2')),
  },
  {
    check: sourceCheck(provenanceV1, SOURCE),
    holds: (predicate: unknown) => areSource(sourcesOf(predicate, '1')),
  },
  {
    check: severityCheck('low'),
    holds: (predicate: unknown) => {
      const severities = findings(at(predicate, 'scanner', 'result'));
      return severities?.every((each) => /^(?:negligible|low)$/i.test(String(each))) === true;
    },
  },
  {
    check: scanAgeCheck(7),
    holds: (predicate: unknown) => {
      const age = NOW - Date.parse(String(at(predicate, 'metadata', 'scanFinishedOn')));
      return age >= -DAY_MS && age <= 7 * DAY_MS;
    },
  },
  ...(['spdx', 'cyclonedx'] as const).flatMap((format) => {
    const read = format === 'spdx' ? readSpdx : readCycloneDx;
    const packages = (predicate: unknown) => documentPackages(format, predicate);
    return [
      {
        check: sbomCheck(read),
        holds: (predicate: unknown) => packages(predicate).length > 0,
      },
      {
        check: forbiddenPackagesCheck(read, FORBIDDEN),
        holds: (predicate: unknown) => !packages(predicate).some(isForbidden),
      },
    ];
  }),
];

/** A check is content with what it asks for alone, and says of anything else briefly what is wrong. */
export function fuzz(bytes: Uint8Array): void {
  const predicate = parseBoundedJson(bytes);
  for (const { check, holds } of CHECKS) {
    const refusal = check.refusal(predicate, NOW);
    if (refusal === undefined) assert.ok(holds(predicate), check.source);
    else assert.ok(refusal !== '' && refusal.length <= 500, refusal);
  }
}

function areSource(sources: readonly unknown[]): boolean {
  return sources.length > 0 && sources.every(isSource);
}

function isSource(source: unknown): boolean {
  const { protocol, host, username, password, pathname } = new URL(
    String(source).replace(/^git\+/, ''),
  );
  const isPlain = protocol === 'https:' && `${username}${password}` === '';
  return isPlain && host === 'git.example.com' && /^\/team\/app(?:\.git)?(?:@|$)/.test(pathname);
}

function isForbidden({ name, urls, version }: DocumentPackage): boolean {
  const lower = name.toLowerCase();
  if (lower === 'left-pad') return true;
  if (
    urls.some((url) => /^pkg:npm\/(?:evil(?:$|[@?#])|bad(?:$|[?#]|@1\.0\.0(?:$|[?#])))/i.test(url))
  )
    return true;
  const isNamed = lower === 'evil' || (lower === 'bad' && (version ?? '1.0.0') === '1.0.0');
  return isNamed && urls.every((url) => !/^pkg:/i.test(url));
}
