import { z } from 'zod';
import { parseBoundedJson } from '../parse/bounded-json.ts';
import { isDigest } from '../registry/digest.ts';
import type { Manifest } from '../registry/registry.ts';

/** Bytes: annotations with a signature, its certificates and log entry for every layer. */
const MAX_BYTES = 1024 * 1024;
/** Commas and brackets: a layer of cosign's has about fifteen. */
const MAX_PARTS = 10_000;
const MAX_LAYERS = 64;

/**
 * Whether what lies beside an image may have this digest. cosign writes no other; a registry that
 * does not know an algorithm gives no answer, and whoever may push could have that excused.
 */
export function isArtefactDigest(text: string): boolean {
  return text.startsWith('sha256:') && isDigest(text);
}

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string().refine(isArtefactDigest),
  size: z.number().int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** What a manifest of cosign's is read for (OCI image specification 1.1, manifest.md). */
const manifestSchema = z.object({
  subject: z.object({ digest: z.string() }).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  layers: z.array(descriptor),
});

const withList = z.object({ layers: z.array(z.unknown()) });

export type ArtefactManifest = z.output<typeof manifestSchema>;
export type Layer = ArtefactManifest['layers'][number];

/** The manifest as what holds signatures, or what it is instead. */
export function readArtefactManifest({ bytes }: Manifest): ArtefactManifest | string {
  if (bytes.length > MAX_BYTES) return `too large a manifest (${bytes.length} bytes)`;
  const json = parseBoundedJson(bytes, MAX_PARTS);
  // Counted before they are looked at: zod keeps an issue for each that is wrong.
  const count = withList.safeParse(json).data?.layers.length ?? 0;
  if (count > MAX_LAYERS) return `too many layers (${count})`;
  return manifestSchema.safeParse(json).data ?? 'no manifest with layers';
}
