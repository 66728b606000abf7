/*
 * The Go library distribution/reference, put into JavaScript word by word: regexp.go,
 * normalize.go (ParseNormalizedNamed, splitDockerDomain), reference.go (Parse, TagNameOnly as the
 * kubelet calls it) and digest.go of opencontainers/go-digest. It backtracks; it is for tests only,
 * and shares no line with the parser that it is held against.
 */

const alphanumeric = '[a-z0-9]+';
const separator = '(?:[._]|__|[-]+)';
const domainNameComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domainName = `${domainNameComponent}(?:\\.${domainNameComponent})*`;
const ipv6address = '\\[(?:[a-fA-F0-9:]+)\\]';
const domainAndPort = `(?:${domainName}|${ipv6address})(?::[0-9]+)?`;
const pathComponent = `${alphanumeric}(?:${separator}${alphanumeric})*`;
const remoteName = `${pathComponent}(?:/${pathComponent})*`;
const namePattern = `(?:${domainAndPort}/)?${remoteName}`;
const tagPattern = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const digestPattern = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*[:][0-9A-Fa-f]{32,}';

const referenceRegexp = new RegExp(
  `^(?<name>${namePattern})(?::(?<tag>${tagPattern}))?(?:@(?<digest>${digestPattern}))?$`,
);
const anchoredNameRegexp = new RegExp(`^(?:(?<domain>${domainAndPort})/)?(?<path>${remoteName})$`);
const anchoredIdentifierRegexp = /^[a-f0-9]{64}$/;
const digestRegexpAnchored = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

const defaultDomain = 'docker.io';
const legacyDefaultDomain = 'index.docker.io';
const officialRepoPrefix = 'library/';

export type OracleResult =
  | { readonly ok: false; readonly error: string }
  | {
      readonly ok: true;
      readonly registry: string;
      readonly repository: string;
      readonly tag: string | undefined;
      readonly digest: string | undefined;
    };

export function oracleParse(image: string): OracleResult {
  if (anchoredIdentifierRegexp.test(image)) {
    return fail(`invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`);
  }
  const [domain, remainder] = splitDockerDomain(image);
  const remote = remainder.split(':', 1)[0] ?? '';
  if (toLower(remote) !== remote) {
    return fail(`invalid reference format: repository name (${remote}) must be lowercase`);
  }
  return parse(`${domain}/${remainder}`);
}

function splitDockerDomain(name: string): [domain: string, remoteName: string] {
  const slash = name.indexOf('/');
  if (slash === -1) return [defaultDomain, officialRepoPrefix + name];
  const maybeDomain = name.slice(0, slash);
  let domain = maybeDomain;
  let remoteName = name.slice(slash + 1);
  if (maybeDomain === legacyDefaultDomain) {
    domain = defaultDomain;
  } else if (!isDomain(maybeDomain)) {
    domain = defaultDomain;
    remoteName = name;
  }
  if (domain === defaultDomain && !remoteName.includes('/')) {
    remoteName = officialRepoPrefix + remoteName;
  }
  return [domain, remoteName];
}

function isDomain(maybeDomain: string): boolean {
  return (
    maybeDomain === 'localhost' || /[.:]/.test(maybeDomain) || toLower(maybeDomain) !== maybeDomain
  );
}

function parse(text: string): OracleResult {
  const groups = referenceRegexp.exec(text)?.groups;
  if (groups === undefined) {
    const uppercase = referenceRegexp.test(toLower(text));
    return fail(uppercase ? 'repository name must be lowercase' : 'invalid reference format');
  }
  return fromMatch(groups);
}

function fromMatch(groups: Readonly<Record<string, string | undefined>>): OracleResult {
  const { name = '', tag, digest } = groups;
  const [registry, repository] = splitName(name);
  if (repository.length > 255) {
    return fail('repository name must not be more than 255 characters');
  }
  const error = digest === undefined ? undefined : validateDigest(digest);
  if (error !== undefined) return fail(error);
  const effectiveTag = digest === undefined ? (tag ?? 'latest') : tag;
  return { ok: true, registry, repository, tag: effectiveTag, digest };
}

function splitName(name: string): [domain: string, path: string] {
  const parts = anchoredNameRegexp.exec(name)?.groups;
  return [parts?.['domain'] ?? '', parts?.['path'] ?? name];
}

function validateDigest(digest: string): string | undefined {
  const [algorithm = '', encoded = ''] = digest.split(':', 2);
  const sizes: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };
  const size = Object.hasOwn(sizes, algorithm) ? sizes[algorithm] : undefined;
  if (size === undefined) {
    return digestRegexpAnchored.test(digest)
      ? 'unsupported digest algorithm'
      : 'invalid checksum digest format';
  }
  if (encoded.length !== size) return 'invalid checksum digest length';
  return /^[a-f0-9]*$/.test(encoded) ? undefined : 'invalid checksum digest format';
}

/** Rune by rune, by the simple mapping: U+0130 is the one rune whose full mapping differs. */
function toLower(text: string): string {
  return Array.from(text, (rune) => (rune === '\u0130' ? 'i' : rune.toLowerCase())).join('');
}

function fail(error: string): OracleResult {
  return { ok: false, error };
}
