import { parseBoundedJson } from '../parse/bounded-json.ts';
import { isObject } from '../parse/json-object.ts';
import type { Descriptor } from './registry.ts';
import { isDigest } from './digest.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The descriptors that an OCI index lists under `manifests`; undefined when the bytes are no index.
 * What is no whole descriptor is left out: nothing could be fetched by it.
 */
export function readIndex(bytes: Uint8Array): readonly Descriptor[] | undefined {
  const index = fieldsOf(parseBoundedJson(bytes));
  const list: unknown = index?.['manifests'];
  if (!Array.isArray(list)) return undefined;
  return (list as unknown[]).flatMap((entry) => descriptorOf(fieldsOf(entry)) ?? []);
}

function descriptorOf(entry: Fields | undefined): Descriptor | undefined {
  const content = contentOf(entry ?? {});
  if (content === undefined) return undefined;
  const artifactType = entry?.['artifactType'];
  const annotations = annotationsOf(fieldsOf(entry?.['annotations']));
  const platform = platformOf(fieldsOf(entry?.['platform']));
  return {
    ...content,
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform }),
  };
}

function contentOf(entry: Fields): Pick<Descriptor, 'mediaType' | 'digest' | 'size'> | undefined {
  const { mediaType, digest, size } = entry;
  if (typeof mediaType !== 'string') return undefined;
  if (typeof digest !== 'string' || !isDigest(digest)) return undefined;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
  return { mediaType, digest, size };
}

function annotationsOf(fields: Fields | undefined): Readonly<Record<string, string>> | undefined {
  if (fields === undefined) return undefined;
  const texts = Object.entries(fields).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  );
  return Object.fromEntries(texts);
}

function platformOf(fields: Fields | undefined): Descriptor['platform'] | undefined {
  const { os, architecture, variant } = fields ?? {};
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, ...(typeof variant === 'string' ? { variant } : {}) };
}

function fieldsOf(value: unknown): Fields | undefined {
  return isObject(value) ? value : undefined;
}
