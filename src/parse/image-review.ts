import { ImageCheckerError, messageOf } from '../errors.ts';
import { isObject } from './json-object.ts';

/*
 * imagepolicy.k8s.io/v1alpha1 ImageReview as kube-apiserver sends it (measured on v1.20 and
 * v1.36): `containers`, `annotations` and `namespace` are left out when empty, only annotations
 * whose key holds `.image-policy.k8s.io/` arrive, and fields that we do not know are let through,
 * as Kubernetes' API conventions ask of a reader.
 */

export const API_VERSION = 'imagepolicy.k8s.io/v1alpha1';
export const KIND = 'ImageReview';

/** The real thing nests four deep; what goes further was made to hurt. */
const MAX_DEPTH = 32;

/** A review as asked for. */
export interface ImageReview {
  /** As written; the empty string where `image` was absent or null. */
  readonly images: readonly string[];
  readonly annotations: ReadonlyMap<string, string>;
  /** Empty when none was sent. */
  readonly namespace: string;
  /** `spec` as received, to be sent back. */
  readonly spec: unknown;
}

/**
 * Reads the body of a review.
 *
 * @throws {ImageCheckerError} `review-invalid` when the body is no ImageReview
 */
export function parseImageReview(body: Uint8Array): ImageReview {
  const review = readObject(parseJson(body), 'the body');
  expectText(review, 'apiVersion', API_VERSION);
  expectText(review, 'kind', KIND);
  const spec = readObject(own(review, 'spec'), 'spec');
  return {
    images: readContainers(own(spec, 'containers')),
    annotations: readAnnotations(own(spec, 'annotations')),
    namespace: readNamespace(own(spec, 'namespace')),
    spec,
  };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseJson(body: Uint8Array): unknown {
  if (hasManyBrackets(body) && exceedsDepth(body, MAX_DEPTH)) {
    throw invalid(`expected JSON nested at most ${MAX_DEPTH} deep`);
  }
  try {
    return JSON.parse(UTF8.decode(body));
  } catch (thrown) {
    throw invalid(`expected a JSON object, got something else: ${messageOf(thrown)}`);
  }
}

/** Whether more brackets open, in strings or not, than may stand within each other: quick to say. */
function hasManyBrackets(body: Uint8Array): boolean {
  let opening = 0;
  // One bit is all that `[` and `{` differ in.
  for (let at = 0; at < body.length && opening <= MAX_DEPTH; at++) {
    opening += ((body[at] ?? 0) & 0xdf) === 0x5b ? 1 : 0;
  }
  return opening > MAX_DEPTH;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Counts brackets outside strings, over the bytes: before anything recursive sees the body. */
function exceedsDepth(body: Uint8Array, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index];
    if (byte === QUOTE) inString = !inString;
    else if (inString) index += byte === BACKSLASH ? 1 : 0;
    else depth += depthStep(byte);
    if (depth > limit) return true;
  }
  return false;
}

function depthStep(byte: number | undefined): number {
  if (byte === 0x5b || byte === 0x7b) return 1;
  return byte === 0x5d || byte === 0x7d ? -1 : 0;
}

function expectText(review: object, key: string, expected: string): void {
  const got = own(review, key);
  if (got !== expected) throw invalid(`expected ${key} to be ${expected}, got ${show(got)}`);
}

function readContainers(containers: unknown): string[] {
  if (containers === undefined) return [];
  if (!Array.isArray(containers)) throw wrongType('spec.containers', 'an array', containers);
  return containers.map((container: unknown, index) => {
    if (!isObject(container)) throw wrongType(`spec.containers[${index}]`, 'an object', container);
    const image = own(container, 'image') ?? '';
    if (typeof image !== 'string') {
      throw wrongType(`spec.containers[${index}].image`, 'a string', image);
    }
    return image;
  });
}

function readAnnotations(annotations: unknown): ReadonlyMap<string, string> {
  if (annotations === undefined) return new Map();
  const entries = Object.entries(readObject(annotations, 'spec.annotations'));
  return new Map(
    entries.map(([key, value]: [string, unknown]) => {
      if (typeof value === 'string') return [key, value];
      throw wrongType(`spec.annotations[${show(key)}]`, 'a string', value);
    }),
  );
}

function readNamespace(namespace: unknown): string {
  if (namespace === undefined) return '';
  if (typeof namespace !== 'string') throw wrongType('spec.namespace', 'a string', namespace);
  return namespace;
}

function readObject(value: unknown, name: string): object {
  if (isObject(value)) return value;
  throw wrongType(name, 'an object', value);
}

/** Never what an object inherits: a key may be called `constructor`. */
function own(holder: object, key: string): unknown {
  return Object.hasOwn(holder, key) ? (holder as Record<string, unknown>)[key] : undefined;
}

function wrongType(name: string, expected: string, got: unknown): ImageCheckerError {
  return invalid(`expected ${name} to be ${expected}, got ${show(got)}`);
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

function invalid(message: string): ImageCheckerError {
  return new ImageCheckerError('review-invalid', { message });
}
