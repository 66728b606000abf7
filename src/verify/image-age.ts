import { describeDays, staleness } from '../parse/time.ts';
import { fetchConfig, fetchConfigOf } from './image-config.ts';
import type { ImageConfig } from './image-config.ts';
import { readImageManifest } from './image-manifest.ts';
import { describePlatform } from './platforms.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';
import { settle } from './settle.ts';

/**
 * Whether an image was created at most `maxAge` days ago, as its config says; each image of an
 * index is asked. Messages of refusal, none when it was. Who makes an image can write any time
 * into it: this finds what was forgotten, not what was forged.
 *
 * @throws {ImageCheckerError} `registry-unavailable` when nothing is known to be too old and
 * something could not be fetched; `registry-corrupt`
 */
export async function checkAge(
  image: ResolvedImage,
  maxAge: number,
  context: VerifyContext,
): Promise<readonly string[]> {
  const read = readImageManifest(image.manifest);
  if (read.kind === 'malformed') return [`expected an image, got ${read.reason}`];
  const now = context.now();
  const refusalOf = (config: ImageConfig): string | undefined => {
    const expected = `expected an image created at most ${describeDays(maxAge)} ago`;
    if (!config.ok) return `${expected}, got ${config.reason}`;
    const got = staleness(config.created, maxAge, now);
    return got && `${expected}, got one ${got}`;
  };
  if (read.kind === 'image') {
    const refusal = refusalOf(await fetchConfig(image.reference, read.config, context));
    return refusal === undefined ? [] : [refusal];
  }
  const findings = read.images.map(async ({ digest, platform }) => {
    const config = await fetchConfigOf(image.reference, digest, context);
    const named = platform ?? (config.ok ? config.platform : undefined);
    return {
      refusal: refusalOf(config),
      image: named === undefined ? digest : describePlatform(named),
    };
  });
  const isRefused = (found: readonly Finding[]) =>
    found.some(({ refusal }) => refusal !== undefined);
  return groupRefusals(await settle(findings, isRefused));
}

interface Finding {
  readonly refusal: string | undefined;
  readonly image: string;
}

/** One message for all images of which the same is said. */
function groupRefusals(findings: readonly Finding[]): readonly string[] {
  const images = new Map<string, string[]>();
  for (const { refusal, image } of findings) {
    if (refusal !== undefined) images.set(refusal, [...(images.get(refusal) ?? []), image]);
  }
  return [...images].map(([refusal, [first = '', ...others]]) => {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return `${refusal} for ${first}${more}`;
  });
}
