import { z } from 'zod';
import type { Manifest } from '../registry/registry.ts';
import { parseBoundedJson } from './bounded-json.ts';

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string(),
  size: z.number().int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** What a manifest of cosign's is read for (OCI image specification 1.1, manifest.md). */
const manifestSchema = z.object({
  subject: z.object({ digest: z.string() }).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  layers: z.array(descriptor),
});

export type ArtefactManifest = z.output<typeof manifestSchema>;
export type Layer = ArtefactManifest['layers'][number];

/** The manifest as what holds signatures; undefined when it cannot be that. */
export function readArtefactManifest({ bytes }: Manifest): ArtefactManifest | undefined {
  return manifestSchema.safeParse(parseBoundedJson(bytes)).data;
}
