import type { ReviewText } from '../support/policy.ts';

/** Deeper than this nothing is read. */
const MAX_DEPTH = 32;

/**
 * A body read once more by what the design says of the wire, value by value after JSON has been
 * parsed whole; undefined when it is no ImageReview.
 */
export function readReviewText(body: Uint8Array): ReviewText | undefined {
  const value = parse(body);
  if (depthOf(value) > MAX_DEPTH || !isPlain(value)) return undefined;
  const { apiVersion, kind, spec } = value;
  if (apiVersion !== 'imagepolicy.k8s.io/v1alpha1' || kind !== 'ImageReview') return undefined;
  return isPlain(spec) ? readSpec(spec) : undefined;
}

function parse(body: Uint8Array): unknown {
  try {
    const text = Buffer.from(body).toString('utf8');
    return Buffer.from(text).equals(body) ? (JSON.parse(text) as unknown) : undefined;
  } catch {
    return undefined;
  }
}

type Plain = Readonly<Record<string, unknown>>;

/** With nothing inherited, so that what is not written is undefined. */
function isPlain(value: unknown): value is Plain {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  Object.setPrototypeOf(value, null);
  return true;
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Object.values(value).reduce<number>((most, one) => Math.max(most, depthOf(one)), 0);
}

function readSpec({ containers = [], annotations = {}, namespace = '' }: Plain) {
  if (!Array.isArray(containers) || typeof namespace !== 'string') return undefined;
  const images = containers.map(imageOf);
  if (!images.every((image) => typeof image === 'string') || !isPlain(annotations))
    return undefined;
  const values = Object.values(annotations);
  if (!values.every((text) => typeof text === 'string')) return undefined;
  return { images, annotations: annotations as Record<string, string>, namespace };
}

function imageOf(container: unknown): unknown {
  return isPlain(container) ? (container['image'] ?? '') : undefined;
}
