import { readdirSync, readFileSync } from 'node:fs';
import { fuzz as admission } from './targets/admission.ts';
import { fuzz as artefact } from './targets/artefact.ts';
import { fuzz as base64 } from './targets/base64.ts';
import { fuzz as bundle } from './targets/bundle.ts';
import { fuzz as cel } from './targets/cel.ts';
import { fuzz as challenge } from './targets/challenge.ts';
import { fuzz as config } from './targets/config.ts';
import { fuzz as dockerConfig } from './targets/docker-config.ts';
import { fuzz as imageManifest } from './targets/image-manifest.ts';
import { fuzz as kubeconf } from './targets/kubeconf.ts';
import { fuzz as manifest } from './targets/manifest.ts';
import { fuzz as pattern } from './targets/pattern.ts';
import { fuzz as policy } from './targets/policy.ts';
import { fuzz as predicate } from './targets/predicate.ts';
import { fuzz as publicKey } from './targets/public-key.ts';
import { fuzz as reference } from './targets/reference.ts';
import { fuzz as review } from './targets/review.ts';
import { fuzz as rules } from './targets/rules.ts';
import { fuzz as signature } from './targets/signature.ts';
import { fuzz as statement } from './targets/statement.ts';
import { fuzz as time } from './targets/time.ts';
import { fuzz as token } from './targets/token.ts';

/** What reads foreign bytes; each throws when it breaks its promise over an input. */
export const TARGETS = {
  ...{ reference, pattern, review, policy, rules, artefact },
  ...{ config, kubeconf, manifest, admission },
  ...{ 'docker-config': dockerConfig, challenge, token },
  ...{ base64, 'public-key': publicKey, time },
  ...{ 'image-manifest': imageManifest, bundle, statement, signature },
  ...{ predicate, cel },
} as const satisfies Record<string, (data: Uint8Array) => void | Promise<void>>;

export type TargetName = keyof typeof TARGETS;

export const TARGET_NAMES = Object.keys(TARGETS) as TargetName[];

const CORPUS = new URL('corpus/', import.meta.url);

/** The inputs that are kept for a target: seeds, what the fuzzer found its way by, crashes. */
export function corpusOf(name: TargetName): { readonly file: string; readonly data: Buffer }[] {
  const folder = new URL(`${name}/`, CORPUS);
  return readdirSync(folder).map((file) => ({ file, data: readFileSync(new URL(file, folder)) }));
}
