/* What is given to `cosign attest`, as build tools and scanners write it, cut down. */

const SOURCE = 'https://git.example.com/team/app';
const BUILDER = { id: 'https://builder.example.com/v1' };

const SPDX = {
  spdxVersion: 'SPDX-2.3',
  dataLicense: 'CC0-1.0',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'app',
  packages: [
    {
      name: 'left-pad',
      SPDXID: 'SPDXRef-Package-1',
      versionInfo: '1.3.0',
      externalRefs: [
        {
          referenceCategory: 'PACKAGE-MANAGER',
          referenceType: 'purl',
          referenceLocator: 'pkg:npm/left-pad@1.3.0',
        },
      ],
    },
  ],
};

/** SPDX as tags and values. */
export const SPDX_TAGS = [
  'SPDXVersion: SPDX-2.3',
  'DataLicense: CC0-1.0',
  'SPDXID: SPDXRef-DOCUMENT',
  '',
  'PackageName: left-pad',
  'SPDXID: SPDXRef-Package-1',
  'PackageVersion: 1.3.0',
  'ExternalRef: PACKAGE-MANAGER purl pkg:npm/left-pad@1.3.0',
  '',
].join('\n');

const scan = (result: object, scanFinishedOn: string): object => ({
  invocation: { parameters: null, uri: '', event_id: '', 'builder.id': '' },
  scanner: { uri: 'https://scanner.example.com', version: '1', db: { uri: '' }, result },
  metadata: { scanStartedOn: scanFinishedOn, scanFinishedOn },
});

/** By name: what to attest, and the type that cosign is told. */
export const PREDICATES = {
  'provenance-02': {
    type: 'slsaprovenance',
    predicate: {
      builder: BUILDER,
      buildType: 'https://example.com/build',
      invocation: {
        configSource: { uri: `git+${SOURCE}@refs/heads/main`, entryPoint: 'build.yml' },
      },
      materials: [{ uri: `git+${SOURCE}@refs/heads/main`, digest: { sha1: 'abc' } }],
    },
  },
  'provenance-1': {
    type: 'slsaprovenance1',
    predicate: {
      buildDefinition: {
        buildType: 'https://actions.github.io/buildtypes/workflow/v1',
        externalParameters: { workflow: { repository: SOURCE, ref: 'refs/heads/main' } },
        resolvedDependencies: [{ uri: `git+${SOURCE}@refs/heads/main` }],
      },
      runDetails: { builder: BUILDER, metadata: { invocationId: 'https://example.com/1' } },
    },
  },
  'scan-by-trivy': {
    type: 'vuln',
    predicate: scan(
      {
        SchemaVersion: 2,
        ArtifactName: 'app',
        Results: [
          { Target: 'debian', Class: 'os-pkgs' },
          {
            Target: 'package-lock.json',
            Vulnerabilities: [
              { VulnerabilityID: 'CVE-2026-1', Severity: 'LOW' },
              { VulnerabilityID: 'CVE-2026-2', Severity: 'MEDIUM' },
            ],
          },
        ],
      },
      new Date().toISOString(),
    ),
  },
  'scan-by-grype': {
    type: 'vuln',
    predicate: scan(
      {
        matches: [{ vulnerability: { id: 'CVE-2026-3', severity: 'High' }, artifact: {} }],
        descriptor: { name: 'grype', version: '0.100.0' },
      },
      '2026-01-01T00:00:00Z',
    ),
  },
  'spdx-json': { type: 'spdxjson', predicate: SPDX },
  'spdx-text-of-json': { type: 'spdx', predicate: SPDX },
  'spdx-tags': { type: 'spdx', predicate: SPDX_TAGS },
  cyclonedx: {
    type: 'cyclonedx',
    predicate: {
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      metadata: { component: { type: 'container', name: 'app' } },
      components: [
        { type: 'library', name: 'left-pad', version: '1.3.0', purl: 'pkg:npm/left-pad@1.3.0' },
      ],
    },
  },
  'own-type': { type: 'https://example.com/review/v1', predicate: { approvals: 2 } },
} satisfies Readonly<Record<string, { type: string; predicate: unknown }>>;
