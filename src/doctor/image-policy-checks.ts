import type { CheckId } from './finding.ts';
import { hasSlipOf, show } from './placed.ts';
import type { Mapping, Placed } from './placed.ts';

/** What the plugin was told, as far as it can be read. */
export interface ImagePolicyValues {
  /** As kube-apiserver sees it. */
  readonly kubeConfigFile: string | undefined;
  readonly values: Mapping;
}

const KEYS = ['kubeConfigFile', 'allowTTL', 'denyTTL', 'retryBackoff', 'defaultAllow'];

interface Range {
  readonly id: CheckId;
  readonly unit: string;
  readonly max: number;
}

/** As the plugin checks them; outside, kube-apiserver does not start. */
const RANGES: ReadonlyMap<string, Range> = new Map([
  ['allowTTL', { id: 'image-policy-allow-ttl', unit: 'seconds', max: 30 * 60 }],
  ['denyTTL', { id: 'image-policy-deny-ttl', unit: 'seconds', max: 30 * 60 }],
  ['retryBackoff', { id: 'image-policy-retry-backoff', unit: 'milliseconds', max: 5 * 60 * 1000 }],
]);

type Path = readonly PropertyKey[];

export function checkImagePolicy(policy: Mapping, path: Path, check: Placed): ImagePolicyValues {
  check.keys('image-policy-unknown-key', policy, { path, known: KEYS });
  if (!check.findings.has('image-policy-unknown-key')) {
    check.ok('image-policy-unknown-key', 'every key of imagePolicy is known');
  }
  for (const [key, range] of RANGES) checkRange(policy[key] ?? 0, [...path, key], range, check);
  checkDefaultAllow(policy['defaultAllow'] ?? false, [...path, 'defaultAllow'], check);
  return { kubeConfigFile: checkKubeconfFile(policy, path, check), values: policy };
}

function checkRange(value: unknown, path: Path, { id, unit, max }: Range, check: Placed): void {
  const key = String(path.at(-1));
  if (typeof value === 'number' && Number.isInteger(value) && value >= -1 && value <= max) {
    check.ok(id, value === 0 ? `${key}: kube-apiserver's own` : `${key}: ${value}`);
    return;
  }
  const message = `${key}: expected a whole number of ${unit} from 1 to ${max}, 0 or -1, got ${show(value)}`;
  check.fail(id, path, message, 'kube-apiserver does not start with another');
}

function checkDefaultAllow(value: unknown, path: Path, check: Placed): void {
  const id = 'image-policy-default-allow';
  if (value === false) {
    check.ok(id, 'defaultAllow: false');
    return;
  }
  if (value === true) {
    const message = 'defaultAllow: true admits every image while the service cannot be asked';
    check.warn(id, path, message, 'write defaultAllow: false once the service is proven');
    return;
  }
  check.fail(id, path, `defaultAllow: expected true or false, got ${show(value)}`);
}

function checkKubeconfFile(policy: Mapping, path: Path, check: Placed): string | undefined {
  const id = 'image-policy-kubeconfig-file';
  const value = policy['kubeConfigFile'];
  if (typeof value === 'string' && value.startsWith('/')) {
    check.ok(id, `kubeConfigFile: ${value}`);
    return value;
  }
  if (value === undefined && hasSlipOf(policy, 'kubeConfigFile', KEYS)) return undefined;
  const message = `kubeConfigFile: expected an absolute path, got ${show(value)}`;
  check.fail(
    id,
    [...path, 'kubeConfigFile'],
    message,
    'as kube-apiserver sees it in its container',
  );
  return undefined;
}
