import { parseBoundedJson } from '../parse/bounded-json.ts';
import { listAt, textAt } from './json.ts';
import { packageUrlsOf } from './packages.ts';
import type { ListedPackage, PackageUrl } from './packages.ts';

export const SPDX = 'https://spdx.dev/Document';

const MALFORMED = 'the SBOM is no SPDX 2 document';
const VERSION = 'SPDX-2.';
/** Of a value that may go on over several lines. */
const TEXT = '<text>';

/** SPDX 2: JSON, or with cosign's `--type spdx` the text of a file, JSON or tag and value. */
export function readSpdx(predicate: unknown): readonly ListedPackage[] | string {
  if (typeof predicate !== 'string') return readJson(predicate);
  return predicate.trimStart().startsWith('{')
    ? readJson(parseBoundedJson(Buffer.from(predicate)))
    : readTags(predicate);
}

function readJson(document: unknown): readonly ListedPackage[] | string {
  const packages = listAt(document, 'packages');
  const isSpdx2 = textAt(document, 'spdxVersion')?.startsWith(VERSION) === true;
  if (!isSpdx2 || packages === undefined) return MALFORMED;
  const read = packages.map(readPackage);
  return read.every((each) => each !== undefined) ? read : MALFORMED;
}

function readPackage(item: unknown): ListedPackage | undefined {
  const name = textAt(item, 'name');
  const references = listAt(item, 'externalRefs');
  if (name === undefined || references === undefined) return undefined;
  const urls = references
    .filter((each) => textAt(each, 'referenceType') === 'purl')
    .map((each) => textAt(each, 'referenceLocator') ?? '');
  return { names: [name], version: textAt(item, 'versionInfo'), urls: packageUrlsOf(urls) };
}

/** `Tag: value` */
interface TagValue {
  readonly tag: string;
  readonly value: string;
}

/**
 * Line by line: what follows a package's name is said of that package. What stands within a text of
 * several lines is read too, as one cannot be sure where it ends.
 */
function readTags(text: string): readonly ListedPackage[] | string {
  const packages: TaggedPackage[] = [];
  let isSpdx2 = false;
  for (const [line] of text.matchAll(/[^\n]+/g)) {
    const { tag, value } = readTag(line);
    if (tag === 'SPDXVersion' && value.startsWith(VERSION)) isSpdx2 = true;
    if (tag === 'PackageName') packages.push(new TaggedPackage(value));
    else packages.at(-1)?.read(tag, value);
  }
  return isSpdx2 ? packages.flatMap((each) => each.listed()) : MALFORMED;
}

function readTag(line: string): TagValue {
  const colon = Math.max(line.indexOf(':'), 0);
  return { tag: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() };
}

/**
 * Texts come from whoever made the package, who may go on in one as if it were the document. So
 * what is said of a package behind the beginning of one takes nothing back: not its version, nor
 * that it is known by its name alone.
 */
class TaggedPackage {
  readonly #name: string;
  readonly #urls: PackageUrl[] = [];
  readonly #doubtfulUrls: PackageUrl[] = [];
  #version: string | undefined;
  #isDoubtful = false;

  constructor(name: string) {
    this.#name = name;
  }

  read(tag: string, value: string): void {
    if (tag === 'PackageVersion') this.#version = this.#isDoubtful ? undefined : value;
    if (tag === 'ExternalRef') {
      const urls = this.#isDoubtful ? this.#doubtfulUrls : this.#urls;
      urls.push(...packageUrlsOf([locatorOf(value)]));
    }
    if (value.includes(TEXT)) this.#isDoubtful = true;
  }

  listed(): readonly ListedPackage[] {
    const own = { names: [this.#name], version: this.#version, urls: this.#urls };
    return [own, { names: [], version: undefined, urls: this.#doubtfulUrls }];
  }
}

/** `PACKAGE-MANAGER purl pkg:npm/left-pad@1.3.0` */
function locatorOf(reference: string): string {
  const [, type, locator = ''] = reference.split(/\s+/, 3);
  return type === 'purl' ? locator : '';
}
