import { z } from 'zod';
import { fetchConfig, fetchConfigOf } from './image-config.ts';
import type { ImageConfig } from './image-config.ts';
import { readImageManifest } from './image-manifest.ts';
import { describePlatform } from './platforms.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';
import { settle } from './settle.ts';

const DAY = 24 * 60 * 60 * 1000;
/** How far the clock of whoever made an image may be ahead of ours; milliseconds. */
const CLOCK_SKEW = 5 * 60 * 1000;

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
    const got = config.ok ? ageRefusal(config.created, maxAge, now) : config.reason;
    return got && `expected an image created at most ${days(maxAge)} ago, got ${got}`;
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

/** What there is instead of an image that is young enough; undefined when it is. */
function ageRefusal(created: string | undefined, maxAge: number, now: number): string | undefined {
  if (created === undefined) return 'one that does not say when';
  const time = parseTime(created);
  if (time === undefined) return 'one that does not say when in RFC 3339';
  if (time > now + CLOCK_SKEW) return `one of the future (${dateOf(time)})`;
  return now - time > maxAge * DAY ? `one of ${dateOf(time)}` : undefined;
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

const rfc3339 = z.iso.datetime({ offset: true });
/** With nanoseconds and an offset a time has 35 characters. */
const MAX_TIME_LENGTH = 64;

/** Milliseconds since 1970; undefined for what is no RFC 3339 time with seconds and an offset. */
export function parseTime(text: string): number | undefined {
  if (text.length > MAX_TIME_LENGTH || !rfc3339.safeParse(text).success) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

export function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

export function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}
