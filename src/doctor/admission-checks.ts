import { posix } from 'node:path';
import { nearest } from '../files/nearest.ts';
import { PLUGIN } from '../manifest/manifest.ts';
import type { Findings } from './finding.ts';
import type { HostView } from './host-view.ts';
import { checkImagePolicy } from './image-policy-checks.ts';
import type { ImagePolicyValues } from './image-policy-checks.ts';
import type { GivenFile } from './options.ts';
import { hasSlipOf, isMapping, Placed, readPlaced, show } from './placed.ts';
import type { Mapping } from './placed.ts';

const API_VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'];
const KIND = 'AdmissionConfiguration';
const KEYS = ['apiVersion', 'kind', 'plugins'];
const PLUGIN_KEYS = ['name', 'path', 'configuration'];

/** Where the admission configuration is, as its two readers see it. */
export interface AdmissionPlace extends GivenFile {
  /** As kube-apiserver sees it. */
  readonly path: string;
  readonly view: HostView;
}

/** @returns undefined where the plugin's own values cannot be read */
export async function checkAdmission(
  place: AdmissionPlace,
  findings: Findings,
): Promise<ImagePolicyValues | undefined> {
  const document = await readPlaced(place, 'admission-readable', findings);
  const root = document?.value;
  if (document === undefined || !isMapping(root)) return undefined;
  findings.ok('admission-readable', 'can be read', place.file);
  const check = new Placed(document, place.file, findings);
  check.oneOf('admission-api-version', root, 'apiVersion', { expected: API_VERSIONS, known: KEYS });
  check.oneOf('admission-kind', root, 'kind', { expected: [KIND], known: KEYS });
  check.keys('admission-unknown-key', root, { path: [], known: KEYS });
  const entry = findEntry(root, check);
  if (entry === undefined) return undefined;
  check.keys('admission-unknown-key', entry.value, { path: entry.path, known: PLUGIN_KEYS });
  findings.okUnlessFound('admission-unknown-key', 'every key is known', place.file);
  return readEntry(entry, { place, check }, findings);
}

interface Entry {
  readonly value: Mapping;
  readonly path: readonly PropertyKey[];
}

function findEntry(root: Mapping, check: Placed): Entry | undefined {
  const plugins: unknown = root['plugins'];
  if (!Array.isArray(plugins)) {
    if (!hasSlipOf(root, 'plugins', KEYS)) {
      const message = `plugins: expected a list that names ${PLUGIN}, got ${show(plugins)}`;
      check.fail('admission-plugin', ['plugins'], message);
    }
    return undefined;
  }
  const entries = plugins.flatMap((value: unknown, index): Entry[] =>
    isMapping(value) ? [{ value, path: ['plugins', index] }] : [],
  );
  const [first, again] = entries.filter(({ value }) => value['name'] === PLUGIN);
  if (first === undefined) {
    noEntry(entries, check);
    return undefined;
  }
  check.ok('admission-plugin', `${PLUGIN} is configured`);
  if (again !== undefined) {
    const hint = 'kube-apiserver reads the first one alone: take the other one out';
    check.fail('admission-plugin-once', again.path, `expected ${PLUGIN} once, got it again`, hint);
  }
  return first;
}

function noEntry(entries: readonly Entry[], check: Placed): void {
  const slip = entries.find(({ value }) => {
    const name = value['name'];
    return typeof name === 'string' && nearest(name, [PLUGIN]) !== undefined;
  });
  if (slip === undefined) {
    check.fail('admission-plugin', ['plugins'], `expected ${PLUGIN} among the plugins, got none`);
    return;
  }
  const message = `expected ${PLUGIN}, got ${show(slip.value['name'])}`;
  check.fail('admission-plugin', [...slip.path, 'name'], message, `write ${PLUGIN}`);
}

/** The values stand in the entry itself, or in a file that it names. */
async function readEntry(
  { value, path }: Entry,
  { place, check }: { readonly place: AdmissionPlace; readonly check: Placed },
  findings: Findings,
): Promise<ImagePolicyValues | undefined> {
  const configuration = value['configuration'] ?? undefined;
  if (configuration !== undefined) {
    return readHolder(configuration, { path: [...path, 'configuration'], check });
  }
  const named = value['path'];
  if (typeof named !== 'string' || named === '') {
    if (hasSlipOf(value, 'configuration', PLUGIN_KEYS)) return undefined;
    if (hasSlipOf(value, 'path', PLUGIN_KEYS)) return undefined;
    const message = `${PLUGIN}: expected configuration: or path:, got neither`;
    check.fail('admission-configuration', path, message);
    return undefined;
  }
  const inContainer = posix.resolve(posix.dirname(place.path), named);
  const { host } = await place.view.locate(inContainer);
  const document = await readPlaced({ file: host }, 'admission-path-file', findings);
  if (document === undefined) return undefined;
  findings.ok('admission-path-file', 'holds the part of the plugin', host);
  return readHolder(document.value, { path: [], check: new Placed(document, host, findings) });
}

function readHolder(
  holder: unknown,
  { path, check }: { readonly path: readonly PropertyKey[]; readonly check: Placed },
): ImagePolicyValues | undefined {
  const policy = isMapping(holder) ? holder['imagePolicy'] : undefined;
  if (isMapping(policy)) {
    check.ok('admission-configuration', 'imagePolicy is there');
    return checkImagePolicy(policy, [...path, 'imagePolicy'], check);
  }
  const slip = isMapping(holder) ? Object.keys(holder)[0] : undefined;
  const message = `expected imagePolicy: with values below it, got ${slip ?? 'none'}`;
  check.fail('admission-configuration', path, message, 'write imagePolicy:');
  return undefined;
}
