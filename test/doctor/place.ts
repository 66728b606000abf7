import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runDoctor } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import type { DoctorOptions, DoctorPorts } from '../../src/doctor/options.ts';
import { systemDoctorPorts } from '../../src/doctor/system-ports.ts';
import { newPlace, setUp } from '../setup/support.ts';
import type { Place } from '../setup/support.ts';
import type { SetupFlags } from '../../src/setup/options.ts';

/** A control-plane node in a folder: what setup made, and kubeadm's manifests with the plugin on. */
export interface Node extends Place {
  readonly manifests: string;
  readonly manifest: string;
}

export const VERSION = 'v1.30.4';

export async function newNode(flags: SetupFlags = {}): Promise<Node> {
  const place = await newPlace();
  await setUp(place, flags, { now: () => new Date() });
  const manifests = join(place.root, 'manifests');
  await mkdir(manifests);
  const node = { ...place, manifests, manifest: join(manifests, 'kube-apiserver.yaml') };
  await writeFile(node.manifest, manifestOf(place.dir));
  const others = [
    ['etcd', 'registry.k8s.io/etcd:3.5.12-0'],
    ['kube-scheduler', `registry.k8s.io/kube-scheduler:${VERSION}`],
  ] as const;
  for (const [name, image] of others) {
    await writeFile(join(manifests, `${name}.yaml`), podOf(name, image));
  }
  return node;
}

/** As kubeadm v1.30 writes it, the plugin switched on. */
export function manifestOf(dir: string): string {
  return `apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: 192.168.0.10:6443
  labels:
    component: kube-apiserver
    tier: control-plane
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=192.168.0.10
    - --allow-privileged=true
    - --authorization-mode=Node,RBAC
    - --client-ca-file=/etc/kubernetes/pki/ca.crt
    - --enable-admission-plugins=NodeRestriction,ImagePolicyWebhook
    - --admission-control-config-file=${dir}/admission_config.yaml
    - --enable-bootstrap-token-auth=true
    - --etcd-servers=https://127.0.0.1:2379
    - --secure-port=6443
    image: registry.k8s.io/kube-apiserver:${VERSION}
    name: kube-apiserver
    volumeMounts:
    - mountPath: /etc/kubernetes/pki
      name: k8s-certs
      readOnly: true
    - mountPath: ${dir}
      name: image-checker-admission
      readOnly: true
  hostNetwork: true
  priorityClassName: system-node-critical
  volumes:
  - hostPath:
      path: /etc/kubernetes/pki
      type: DirectoryOrCreate
    name: k8s-certs
  - hostPath:
      path: ${dir}
      type: Directory
    name: image-checker-admission
`;
}

export function podOf(name: string, image: string): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: kube-system }
spec:
  containers:
  - { name: ${name}, image: "${image}" }
`;
}

export function testPorts(ports: Partial<DoctorPorts> = {}): DoctorPorts {
  return { ...systemDoctorPorts(), node: 'node-1', ...ports };
}

/** Everything but the service is looked at, unless the options say so. */
export function examineNode(
  node: Node,
  options: Partial<DoctorOptions> = {},
  ports: Partial<DoctorPorts> = {},
): Promise<readonly Finding[]> {
  const { dir, serviceDir } = node;
  const manifest = { file: node.manifest };
  return runDoctor({ dir, serviceDir, manifest, live: false, ...options }, testPorts(ports));
}

/** The checks that found something, each once. */
export function faultsOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.filter(({ status }) => status !== 'ok').map(({ id }) => id))];
}

/** Replaces something in a file, and insists that it was there. */
export async function edit(file: string, what: string | RegExp, by: string): Promise<void> {
  const before = await readFile(file, 'utf8');
  const after = before.replace(what, () => by);
  if (after === before) throw new Error(`expected ${String(what)} in ${file}, got none`);
  await writeFile(file, after);
}
