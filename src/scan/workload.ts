import { nearest } from '../files/nearest.ts';
import type { FoundObject, ObjectPath } from './found-object.ts';
import { isMapping, own, PodInvalid, readAnnotations, readImages, readMapping } from './pod.ts';
import type { FoundPod } from './pod.ts';

/** What is found in an object, which may be a list of many. */
export interface WorkloadVisitor {
  /** `path` leads from the object to the workload within, which the paths of its images begin at. */
  pod(pod: FoundPod, path: ObjectPath): void;
  /** Something of a kind without pods. */
  skipped(kind: string): void;
  invalid(message: string, path: ObjectPath): void;
  /** No object of Kubernetes. */
  foreign(message: string, path: ObjectPath, hint: string): void;
  /** Nearly the kind of a workload. */
  misspelt(message: string, path: ObjectPath, hint: string): void;
}

/** Where the pod of a workload is, and the API groups in which its kind is Kubernetes' own. */
interface Workload {
  readonly groups: readonly string[];
  readonly pod: readonly string[];
}

const TEMPLATE = ['spec', 'template'];
const WORKLOADS: ReadonlyMap<string, Workload> = new Map([
  ['Pod', { groups: [''], pod: [] }],
  ['PodTemplate', { groups: [''], pod: ['template'] }],
  ['ReplicationController', { groups: [''], pod: TEMPLATE }],
  ['ReplicaSet', { groups: ['apps', 'extensions'], pod: TEMPLATE }],
  ['Deployment', { groups: ['apps', 'extensions'], pod: TEMPLATE }],
  ['DaemonSet', { groups: ['apps', 'extensions'], pod: TEMPLATE }],
  ['StatefulSet', { groups: ['apps'], pod: TEMPLATE }],
  ['Job', { groups: ['batch'], pod: TEMPLATE }],
  ['CronJob', { groups: ['batch'], pod: ['spec', 'jobTemplate', 'spec', 'template'] }],
]);

/** Visits every workload in an object; a list at the top, or in `items`, holds objects. */
export function readWorkloads(found: FoundObject, visitor: WorkloadVisitor): void {
  visit(found.value, { ...found, kind: kindOfItems(found.kind), path: [] }, visitor);
}

/** Whether something of this kind has a pod of its own, whatever else it holds. */
export function isWorkload(kind: string | undefined): boolean {
  return WORKLOADS.has(kind ?? '');
}

/** What is known of an object from outside of it. */
interface Surroundings {
  readonly kind: string | undefined;
  readonly apiVersion: string | undefined;
  readonly path: ObjectPath;
}

function visit(value: unknown, around: Surroundings, visitor: WorkloadVisitor): void {
  if (isMapping(value)) visitObject(value, around, visitor);
  else if (Array.isArray(value)) visitEach(value, around, visitor);
  else if (value !== null && value !== undefined) {
    visitor.foreign(`expected a Kubernetes object, got a ${typeof value}`, around.path, HINT);
  }
}

function visitObject(value: object, around: Surroundings, visitor: WorkloadVisitor): void {
  const ownKind = textAt(value, 'kind');
  const kind = ownKind ?? around.kind;
  const apiVersion =
    textAt(value, 'apiVersion') ?? (ownKind === undefined ? around.apiVersion : undefined);
  const workload = WORKLOADS.get(kind ?? '');
  const items = own(value, 'items');
  if (Array.isArray(items)) {
    // kubectl takes whatever has items for a list, other clients go by the kind.
    const path = [...around.path, 'items'];
    visitEach(items, { kind: kindOfItems(kind), apiVersion, path }, visitor);
    if (workload === undefined) return;
  }
  if (kind !== undefined && workload !== undefined && isOwn(workload, apiVersion)) {
    visitPod(value, { kind, workload, path: around.path }, visitor);
  } else visitOther({ kind, apiVersion, path: around.path }, visitor);
}

const HINT = 'scan manifests, or what this writes: kubectl get pods -A -o json';

/** Skips only what holds no pods: not a workload whose kind has a slip in it, nor what is no object. */
function visitOther({ kind, apiVersion, path }: Surroundings, visitor: WorkloadVisitor): void {
  if (kind === undefined || apiVersion === undefined) {
    const key = kind === undefined ? 'kind' : 'apiVersion';
    visitor.foreign(`expected a Kubernetes object, got a mapping without ${key}`, path, HINT);
    return;
  }
  const meant = nearest(kind, [...WORKLOADS.keys()]);
  const workload = WORKLOADS.get(meant ?? '');
  if (meant === undefined || meant === kind || !workload || !isOwn(workload, apiVersion)) {
    visitor.skipped(kind);
  } else {
    const message = `expected a kind that ${apiVersion} has, got "${kind}"`;
    visitor.misspelt(message, [...path, 'kind'], `did you mean "${meant}"?`);
  }
}

/** A PodList holds pods that need not say so; a List holds anything. */
function kindOfItems(kind: string | undefined): string | undefined {
  const one = kind?.replace(/List$/, '');
  return one === '' ? undefined : one;
}

function visitEach(
  items: readonly unknown[],
  around: Surroundings,
  visitor: WorkloadVisitor,
): void {
  for (const [index, item] of items.entries()) {
    visit(item, { ...around, path: [...around.path, index] }, visitor);
  }
}

/** Other projects have kinds of the same names with something else in them. */
function isOwn({ groups }: Workload, apiVersion: string | undefined): boolean {
  if (apiVersion === undefined) return true;
  const slash = apiVersion.indexOf('/');
  return groups.includes(slash < 0 ? '' : apiVersion.slice(0, slash));
}

interface Place {
  readonly kind: string;
  readonly workload: Workload;
  readonly path: ObjectPath;
}

function visitPod(value: object, { kind, workload, path }: Place, visitor: WorkloadVisitor): void {
  const metadata = own(value, 'metadata');
  const name = textAt(metadata, 'name') ?? textAt(metadata, 'generateName') ?? '';
  const namespace = textAt(metadata, 'namespace');
  try {
    const pod = readMapping(descend(value, workload.pod), workload.pod);
    const specPath = [...workload.pod, 'spec'];
    const spec = readMapping(own(pod, 'spec'), specPath);
    const annotations = readAnnotations(pod, workload.pod);
    const images = readImages(spec, specPath);
    visitor.pod({ kind, name, namespace, annotations, specPath, images }, path);
  } catch (thrown) {
    if (!(thrown instanceof PodInvalid)) throw thrown;
    visitor.invalid(`${kind} ${name || '(no name)'}: ${thrown.message}`, [...path, ...thrown.path]);
  }
}

function descend(value: unknown, steps: readonly string[]): unknown {
  let current = value;
  for (const step of steps) current = isMapping(current) ? own(current, step) : undefined;
  return current;
}

/** Text that is not empty, which to Kubernetes is the same as none. */
function textAt(holder: unknown, key: string): string | undefined {
  const value = isMapping(holder) ? own(holder, key) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
