/** What lies at a path of own keys. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  const own = Object.entries(value ?? {}).find(([name]) => name === key);
  return own && at(own[1], ...rest);
}

/** Wherever a version of SLSA's provenance names its source. */
export function sourcesOf(predicate: unknown, version: '0.2' | '1'): readonly unknown[] {
  const parameters = at(predicate, 'buildDefinition', 'externalParameters');
  const source = at(parameters, 'source');
  const places =
    version === '0.2'
      ? [at(predicate, 'invocation', 'configSource', 'uri')]
      : [
          at(parameters, 'workflow', 'repository'),
          at(parameters, 'configSource', 'uri'),
          typeof source === 'string' ? source : at(source, 'uri'),
        ];
  return places.filter((place) => place !== undefined);
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** The severities of a report of Trivy or Grype; undefined for any other. */
export function findings(report: unknown): readonly unknown[] | undefined {
  const isTrivy = at(report, 'SchemaVersion') === 2;
  const matches = at(report, 'matches');
  if (isTrivy === (matches !== undefined)) return undefined;
  return isTrivy
    ? items(at(report, 'Results'))
        .flatMap((result) => items(at(result, 'Vulnerabilities')))
        .map((found) => at(found, 'Severity'))
    : items(matches).map((match) => at(match, 'vulnerability', 'severity'));
}

export interface DocumentPackage {
  readonly name: string;
  readonly version: string | undefined;
  readonly urls: readonly string[];
}

/** The packages of an SBOM, as far as they have names. */
export function documentPackages(
  format: 'spdx' | 'cyclonedx',
  predicate: unknown,
): readonly DocumentPackage[] {
  if (format === 'cyclonedx') return componentsOf(predicate).flatMap(packageOf);
  if (typeof predicate !== 'string') return items(at(predicate, 'packages')).flatMap(packageOf);
  try {
    return documentPackages(format, Object(JSON.parse(predicate)));
  } catch {
    return [...predicate.matchAll(/^\s*PackageName\s*:(.*)$/gm)].map(([, name = '']) => ({
      name: name.trim(),
      version: undefined,
      // What is said of it behind its name is not looked at here.
      urls: ['pkg:'],
    }));
  }
}

function componentsOf(of: unknown): readonly unknown[] {
  const components = items(at(of, 'components'));
  return [...components, ...components.flatMap(componentsOf)];
}

function packageOf(item: unknown): DocumentPackage[] {
  const name = at(item, 'name');
  if (typeof name !== 'string') return [];
  const references = items(at(item, 'externalRefs'))
    .filter((each) => at(each, 'referenceType') === 'purl')
    .map((each) => at(each, 'referenceLocator'));
  const version = at(item, 'versionInfo') ?? at(item, 'version');
  return [
    {
      name,
      version: typeof version === 'string' ? version : undefined,
      urls: [...references, at(item, 'purl')].filter((url) => typeof url === 'string'),
    },
  ];
}
