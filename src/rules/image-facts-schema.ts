import { z } from 'zod';
import { nearest } from '../files/nearest.ts';
import { refuse } from './refuse.ts';
import type { Refinement } from './refuse.ts';
import type { Platform } from './registry-requirement.ts';

/** As Go names them (GOOS and GOARCH), of those that containers are made for. */
const SYSTEMS = ['linux', 'windows', 'freebsd', 'darwin', 'wasip1'];
const ARCHITECTURES = [
  ...['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64', 'mips64le'],
  ...['ppc64', 'ppc64le', 'riscv64', 's390x', 'wasm'],
];
/** What other tools call them. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['aarch64', 'arm64'],
  ['i386', '386'],
  ['armhf', 'arm'],
]);
const VARIANT = /^[a-z0-9.]{1,16}$/;
/** A hundred years: what is longer asks nothing. */
const MAX_DAYS = 36_500;

function parsePlatform(text: string, context: Refinement): Platform {
  const [os = '', architecture = '', variant, ...rest] = text.split('/');
  const isWhole = architecture !== '' && rest.length === 0;
  if (!isWhole || (variant !== undefined && !VARIANT.test(variant))) {
    return refuse(
      context,
      `expected os/architecture or os/architecture/variant, got ${JSON.stringify(text)}`,
      'write something like linux/amd64 or linux/arm/v7',
    );
  }
  if (!SYSTEMS.includes(os)) {
    return refuse(context, `unknown system ${JSON.stringify(os)}`, meant(os, SYSTEMS));
  }
  if (!ARCHITECTURES.includes(architecture)) {
    const message = `unknown architecture ${JSON.stringify(architecture)}`;
    return refuse(context, message, meant(architecture, ARCHITECTURES));
  }
  return { os, architecture, variant };
}

function meant(got: string, known: readonly string[]): string {
  const close = ALIASES.get(got) ?? nearest(got, known);
  return close === undefined ? `known are ${known.join(', ')}` : `did you mean "${close}"?`;
}

export const platformsSchema = z
  .array(z.string().transform(parsePlatform))
  .min(1)
  .max(16)
  .describe('Platforms for which there has to be an image, such as `linux/arm64`: all of them.');

export const maxAgeSchema = z
  .int()
  .min(1)
  .max(MAX_DAYS)
  .describe('Days since the image was created, as it says itself; every image of an index.');

export const digestMatchesTagSchema = z
  .literal(true)
  .describe('The tag beside a digest points at it now; a digest without a tag does not do.');
