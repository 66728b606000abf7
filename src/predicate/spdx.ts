import { parseBoundedJson } from '../parse/bounded-json.ts';
import { listAt, textAt } from './json.ts';
import { packageUrlsOf } from './packages.ts';
import type { ListedPackage, PackageUrl } from './packages.ts';

export const SPDX = 'https://spdx.dev/Document';

const MALFORMED = 'the SBOM is no SPDX 2 document';
const VERSION = 'SPDX-2.';

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

/** Line by line: what stands within a text of several lines is read too, which can only deny. */
function readTags(text: string): readonly ListedPackage[] | string {
  const tags = text.split('\n').map(readTag);
  const isSpdx2 = tags.some(({ tag, value }) => tag === 'SPDXVersion' && value.startsWith(VERSION));
  return isSpdx2 ? packagesOf(tags) : MALFORMED;
}

function readTag(line: string): TagValue {
  const colon = Math.max(line.indexOf(':'), 0);
  return { tag: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() };
}

/** What follows a package's name is said of that package. */
function packagesOf(tags: readonly TagValue[]): readonly ListedPackage[] {
  const packages: { names: string[]; version: string | undefined; urls: PackageUrl[] }[] = [];
  for (const { tag, value } of tags) {
    if (tag === 'PackageName') packages.push({ names: [value], version: undefined, urls: [] });
    const last = packages.at(-1);
    if (last === undefined) continue;
    if (tag === 'PackageVersion') last.version = value;
    if (tag === 'ExternalRef') last.urls.push(...packageUrlsOf([locatorOf(value)]));
  }
  return packages;
}

/** `PACKAGE-MANAGER purl pkg:npm/left-pad@1.3.0` */
function locatorOf(reference: string): string {
  const [, type, locator = ''] = reference.split(/\s+/, 3);
  return type === 'purl' ? locator : '';
}
