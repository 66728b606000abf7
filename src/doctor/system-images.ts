import type { Version } from './version-checks.ts';

/** CoreDNS as kubeadm of a minor version installs it. */
const COREDNS: ReadonlyMap<number, string> = new Map([
  [24, 'v1.8.6'],
  [25, 'v1.9.3'],
  [26, 'v1.9.3'],
  [27, 'v1.10.1'],
  [28, 'v1.10.1'],
  [29, 'v1.11.1'],
  [30, 'v1.11.1'],
  [31, 'v1.11.3'],
  [32, 'v1.11.3'],
  [33, 'v1.12.0'],
  [34, 'v1.12.1'],
]);

const REGISTRY = 'registry.k8s.io';

/** What kubeadm runs as ordinary pods, from where kube-apiserver's own image came. */
export function systemImages(apiserver: string, version: Version | undefined): string[] {
  if (version === undefined) return [];
  const from = /^(.+)\/kube-apiserver[:@]/.exec(apiserver)?.[1] ?? REGISTRY;
  // Below the default registry CoreDNS has a folder of its own, in a mirror it has none.
  const coredns = from === REGISTRY ? `${from}/coredns/coredns` : `${from}/coredns`;
  const tag = COREDNS.get(version.minor);
  return [
    `${from}/kube-proxy:${version.text}`,
    ...(tag === undefined ? [] : [`${coredns}:${tag}`]),
  ];
}
