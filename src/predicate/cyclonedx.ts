import { isObject } from '../parse/json-object.ts';
import { listAt, textAt, valueAt } from './json.ts';
import { packageUrlsOf } from './packages.ts';
import type { ListedPackage } from './packages.ts';

export const CYCLONEDX = 'https://cyclonedx.org/bom';

const MALFORMED = 'the SBOM is no CycloneDX document in JSON';

/**
 * CycloneDX: components may hold components. The one that the document is about does not count, but
 * what it is made of does.
 */
export function readCycloneDx(predicate: unknown): readonly ListedPackage[] | string {
  if (textAt(predicate, 'bomFormat') !== 'CycloneDX') return MALFORMED;
  const packages: ListedPackage[] = [];
  const open = [predicate, ...nestedIn([valueAt(predicate, 'metadata', 'component')])];
  while (open.length > 0) {
    const components = listAt(open.pop(), 'components');
    const read = components?.map(readComponent) ?? [undefined];
    if (!read.every((each) => each !== undefined)) return MALFORMED;
    for (const each of read) packages.push(each);
    for (const each of nestedIn(components ?? [])) open.push(each);
  }
  return packages;
}

function nestedIn(components: readonly unknown[]): readonly unknown[] {
  return components.filter((each) => isObject(each) && Object.hasOwn(each, 'components'));
}

function readComponent(component: unknown): ListedPackage | undefined {
  const name = textAt(component, 'name');
  if (name === undefined) return undefined;
  const group = textAt(component, 'group') ?? '';
  const names = group === '' ? [name] : [name, `${group}/${name}`];
  const url = valueAt(component, 'purl');
  const urls = typeof url === 'string' ? packageUrlsOf([url]) : [];
  return { names, version: textAt(component, 'version'), urls };
}
