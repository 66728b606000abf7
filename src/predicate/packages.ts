/** A package as an SBOM lists it. */
export interface ListedPackage {
  /** Alone, and behind its group where it has one. */
  readonly names: readonly string[];
  readonly version: string | undefined;
  readonly urls: readonly PackageUrl[];
}

/**
 * A package URL (github.com/package-url/purl-spec), in lower case but for the version: what is
 * forbidden is forbidden in every spelling.
 */
export interface PackageUrl {
  /** `type/namespace/name` */
  readonly path: string;
  /** Undefined: every version. */
  readonly version: string | undefined;
}

/** More than the specification's own examples need by far; UTF-16 units. */
const MAX_URL_LENGTH = 2048;

/** Undefined for what is no package URL. */
export function parsePackageUrl(text: string): PackageUrl | undefined {
  if (text.length > MAX_URL_LENGTH || !/^pkg:/i.test(text)) return undefined;
  const [path = ''] = text.slice('pkg:'.length).split(/[?#]/);
  const at = path.lastIndexOf('@');
  // An unescaped @ before a slash begins a namespace, such as npm's scopes, as some write it.
  const end = at > path.lastIndexOf('/') + 1 ? at : path.length;
  const parts = path
    .slice(0, end)
    .split('/')
    .filter((part) => part !== '');
  if (parts.length < 2) return undefined;
  const version = path.slice(end + 1);
  return {
    path: parts.map(decode).join('/').toLowerCase(),
    version: version === '' ? undefined : decode(version),
  };
}

/** Those that can be read. */
export function packageUrlsOf(texts: readonly string[]): PackageUrl[] {
  return texts.map(parsePackageUrl).filter((url) => url !== undefined);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Packages that no SBOM may list: names, or package URLs with or without a version. */
export class ForbiddenPackages {
  readonly #names = new Map<string, string>();
  readonly #urls = new Map<string, Entry[]>();
  /** By what else the package of a URL may be called, for lists that have no URLs. */
  readonly #urlNames = new Map<string, Entry[]>();
  readonly #pythonNames = new Map<string, Entry[]>();

  /** @param sources each a name, or what `parsePackageUrl` takes */
  constructor(sources: readonly string[]) {
    for (const source of sources) {
      const url = parsePackageUrl(source);
      if (url === undefined) this.#names.set(source.toLowerCase(), source);
      else this.#add({ source, ...url });
    }
  }

  #add(entry: Entry): void {
    const [, ...path] = entry.path.split('/');
    append(this.#urls, keyOf(entry.path), entry);
    if (isPython(entry.path)) append(this.#pythonNames, pythonName(path.join('/')), entry);
    for (const name of new Set([path.join('/'), path.at(-1) ?? ''])) {
      append(this.#urlNames, name, entry);
    }
  }

  /** By which entry a package is forbidden, as it was written; undefined when it is not. */
  find({ names, version, urls }: ListedPackage): string | undefined {
    const lower = names.map((name) => name.toLowerCase());
    const byName = lower
      .map((name) => this.#names.get(name))
      .find((source) => source !== undefined);
    if (byName !== undefined) return byName;
    const byUrl = urls.flatMap((url) => hits(this.#urls.get(keyOf(url.path)), url.version));
    const byUrlName = urls.length > 0 ? [] : lower.flatMap((name) => this.#called(name, version));
    return [...byUrl, ...byUrlName][0]?.source;
  }

  /** The entries whose package may be called that. */
  #called(name: string, version: string | undefined): readonly Entry[] {
    return [this.#urlNames.get(name), this.#pythonNames.get(pythonName(name))].flatMap((entries) =>
      hits(entries, version),
    );
  }
}

interface Entry extends PackageUrl {
  readonly source: string;
}

function keyOf(path: string): string {
  return isPython(path) ? pythonName(path) : path;
}

function isPython(path: string): boolean {
  return path.startsWith('pypi/');
}

/** Names that differ in these characters alone are the same to Python (PEP 503). */
function pythonName(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-');
}

function append(map: Map<string, Entry[]>, key: string, entry: Entry): void {
  map.set(key, [...(map.get(key) ?? []), entry]);
}

/** A package of an unknown version may be the forbidden one. */
function hits(
  entries: readonly Entry[] | undefined,
  version: string | undefined,
): readonly Entry[] {
  return (entries ?? []).filter(
    (entry) => entry.version === undefined || version === undefined || entry.version === version,
  );
}
