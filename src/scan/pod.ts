import type { ObjectPath } from './found-object.ts';
import { isSent } from '../parse/sent-annotations.ts';

/** What would be asked about one pod, or about the pods of one workload. */
export interface FoundPod {
  readonly kind: string;
  readonly name: string;
  /** Undefined where the object names none. */
  readonly namespace: string | undefined;
  /** Those that kube-apiserver passes on. */
  readonly annotations: ReadonlyMap<string, string>;
  /** Leads to the pod's spec, from the workload as the images' paths do. */
  readonly specPath: ObjectPath;
  readonly images: readonly ImageField[];
}

export interface ImageField {
  readonly path: ObjectPath;
  /** As written; empty where it is absent or null. */
  readonly image: string;
  /** False for image volumes, which the plugin never sends. */
  readonly sent: boolean;
}

/** An object that is no pod although it says so. */
export class PodInvalid extends Error {
  readonly path: ObjectPath;

  constructor(path: ObjectPath, expected: string, got: unknown) {
    super(`expected ${nameOf(path)} to be ${expected}, got ${show(got)}`);
    this.name = 'PodInvalid';
    this.path = path;
  }
}

/** `spec.containers[0].image` */
export function nameOf(path: ObjectPath): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .slice(1);
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

/** Never what an object inherits: a key may be called `constructor`. */
export function own(holder: object, key: string): unknown {
  return Object.hasOwn(holder, key) ? (holder as Record<string, unknown>)[key] : undefined;
}

export function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws PodInvalid */
export function readMapping(value: unknown, path: ObjectPath): object {
  if (isMapping(value)) return value;
  throw new PodInvalid(path, 'a mapping', value);
}

/** @throws PodInvalid */
export function readAnnotations(pod: object, path: ObjectPath): ReadonlyMap<string, string> {
  const metadata = own(pod, 'metadata');
  const annotations = isMapping(metadata) ? own(metadata, 'annotations') : undefined;
  if (annotations === undefined || annotations === null) return NONE;
  const at = [...path, 'metadata', 'annotations'];
  const sent = Object.entries(readMapping(annotations, at)).filter(([key]) => isSent(key));
  return new Map(
    sent.map(([key, value]: [string, unknown]) => {
      if (typeof value === 'string') return [key, value];
      throw new PodInvalid([...at, key], 'a string', value);
    }),
  );
}

const NONE: ReadonlyMap<string, string> = new Map();

/** In the order in which the plugin sends them. */
const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'];

/** @throws PodInvalid */
export function readImages(spec: object, path: ObjectPath): readonly ImageField[] {
  const sent = CONTAINERS.flatMap((key) =>
    readList(spec, key, path).map(({ value, at }): ImageField => {
      const image = own(readMapping(value, at), 'image') ?? '';
      if (typeof image !== 'string') throw new PodInvalid([...at, 'image'], 'a string', image);
      return { path: [...at, 'image'], image, sent: true };
    }),
  );
  return [...sent, ...readVolumes(spec, path)];
}

/** A volume may leave its reference to whoever fills the template in. */
function readVolumes(spec: object, path: ObjectPath): readonly ImageField[] {
  return readList(spec, 'volumes', path).flatMap(({ value, at }) => {
    const source = own(readMapping(value, at), 'image') ?? undefined;
    if (source === undefined) return [];
    const image = own(readMapping(source, [...at, 'image']), 'reference') ?? undefined;
    if (image === undefined) return [];
    const imagePath = [...at, 'image', 'reference'];
    if (typeof image !== 'string') throw new PodInvalid(imagePath, 'a string', image);
    return [{ path: imagePath, image, sent: false }];
  });
}

function readList(
  spec: object,
  key: string,
  path: ObjectPath,
): readonly { readonly value: unknown; readonly at: ObjectPath }[] {
  const list = own(spec, key) ?? [];
  const at = [...path, key];
  if (!Array.isArray(list)) throw new PodInvalid(at, 'a list', list);
  return list.map((value: unknown, index) => ({ value, at: [...at, index] }));
}
