import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ImageCheckerError } from '../errors.ts';
import { readRights, replaceFile } from '../files/replace-file.ts';
import { readUtf8 } from '../files/utf8.ts';
import { readImageFields } from '../pin/image-fields.ts';
import type { ImageField } from '../pin/image-fields.ts';
import { expectImages, isPinned, pinImages } from '../pin/pin-images.ts';
import type { FoundImage } from '../pin/pin-images.ts';
import { pinText } from '../pin/pin-text.ts';
import { EXIT } from './context.ts';
import type { CommandContext } from './context.ts';
import { addRegistryOptions, openRegistry } from './open-registry.ts';
import type { RegistryFlags } from './open-registry.ts';
import { collect, outputOption } from './options.ts';
import { json, Output } from './output.ts';

const HELP = `
Asks the registry for the digest that each tag has now, and writes it behind the tag. An image that
has a digest stays as it is.

With -f the images of the workloads in a manifest are taken: Pods (kube-apiserver's own manifest as
well), Deployments, CronJobs and so on, of any number of documents. Everything else in the file
stays as it is, byte for byte. A file that is no UTF-8 is refused, and so is what is no object of
Kubernetes, a kind with a slip in it (Pdo), and what kubectl may read otherwise: << behind a key that
it gives, or with a tag; lines of YAML that end by a bare CR, U+0085, U+2028 or U+2029. When one image
cannot be pinned nothing is written, nor where the text of an image also says something else, by an
anchor, as in "x: &a nginx" with "image: *a".

--check asks no registry: it finds what has no digest, for CI.

Exit code 0 when it is done, 1 when --check finds something, 2 when the call, a file or an image is
wrong or a registry does not say.

Examples:
  image-checker pin nginx:1.27 ghcr.io/team/app:v2
  image-checker pin -f deployment.yaml > pinned.yaml
  image-checker pin -f deployment.yaml -f jobs/nightly.yaml --write
  image-checker pin -f deployment.yaml --check -o json
  image-checker pin registry.example.com/app:1 --config /etc/image-checker/config.yaml
`;

interface Flags extends RegistryFlags {
  readonly file?: readonly string[];
  readonly write?: boolean;
  readonly check?: boolean;
  readonly output: 'text' | 'json';
}

interface SourceFile {
  readonly file: string;
  readonly text: string;
  readonly fields: readonly ImageField[];
}

export function addPinCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('pin')
    .description('puts the digest of each image behind its tag')
    .argument('[image...]', 'images as they would be written in a pod')
    .option('-f, --file <file>', 'a manifest, repeatable', collect)
    .option('--write', 'with -f: writes the files instead of printing')
    .option('--check', 'only tells what has no digest');
  addRegistryOptions(command)
    .addOption(outputOption(['text', 'json']))
    .addHelpText('after', HELP)
    .action((images: readonly string[], flags: Flags) => pin(images, flags, context));
}

async function pin(
  images: readonly string[],
  flags: Flags,
  context: CommandContext,
): Promise<void> {
  refuseContradictions(images, flags);
  const files = await Promise.all((flags.file ?? []).map((file) => readSource(file, context.cwd)));
  const found = [...images.map((image) => ({ image })), ...files.flatMap(foundIn)];
  expectImages(found);
  const output = new Output(context.stdout);
  if (flags.check === true) {
    await output.write(check(found, flags, context));
    return;
  }
  refuseShared(files);
  const pinned = await resolveAll(found, flags, context);
  const toPrint = files.length > 0 && isPrintedWhole(flags);
  if (flags.write === true) await writeFiles(files, pinned, context.cwd);
  await output.write(
    toPrint
      ? files.map(({ text, fields }) => pinText(text, fields, pinned)).join('')
      : report(found, pinned, flags),
  );
}

function refuseContradictions(images: readonly string[], flags: Flags): void {
  const refusal = refusalOf(images.length, flags.file?.length ?? 0, flags);
  if (refusal === undefined) return;
  const [message, hint] = refusal;
  throw new ImageCheckerError('usage', { message, hint });
}

function refusalOf(
  images: number,
  files: number,
  flags: Flags,
): readonly [message: string, hint: string] | undefined {
  const [write, only] = [flags.write === true, flags.check === true];
  const isPrinted = isPrintedWhole(flags);
  const refusals: readonly (readonly [boolean, string, string])[] = [
    [images + files === 0, 'expected images or -f, got neither', 'pin --help shows examples'],
    [images > 0 && files > 0, 'expected images or -f, got both', 'call it twice'],
    [write && files === 0, 'expected -f beside --write, got none', 'there is no file to write'],
    [write && only, 'expected --write or --check, got both', '--check changes nothing'],
    [files > 1 && isPrinted, 'expected one file to print, got several', 'use --write or --check'],
  ];
  const [, ...refusal] = refusals.find(([applies]) => applies) ?? [];
  return refusal.length === 2 ? refusal : undefined;
}

/** The manifest itself is what comes out. */
function isPrintedWhole({ write, check: only, output }: Flags): boolean {
  return write !== true && only !== true && output === 'text';
}

async function readSource(file: string, cwd: string): Promise<SourceFile> {
  const text = await readUtf8(resolve(cwd, file), file, '-f takes a manifest');
  const { fields, problems } = readImageFields({ file, text });
  if (problems.length > 0) throw new ImageCheckerError('manifest-invalid', problems);
  return { file, text, fields };
}

/** Of what is to be changed; a text that has its digest stays as it is, whatever else it says. */
function refuseShared(files: readonly SourceFile[]): void {
  const problems = files.flatMap(({ file, fields }) =>
    fields
      .filter(({ image, isShared }) => isShared && !isPinned(image))
      .map(({ image, line }) => ({
        ...{ file, line, hint: 'write the image out where it is used' },
        message: `expected ${image} to be the text of images alone, got an anchor with other uses`,
      })),
  );
  if (problems.length > 0) throw new ImageCheckerError('manifest-invalid', problems);
}

function foundIn({ file, fields }: SourceFile): readonly FoundImage[] {
  return fields.map(({ image, line }) => ({ file, line, image }));
}

function check(found: readonly FoundImage[], flags: Flags, context: CommandContext): string {
  const unpinned = found.filter(({ image }) => !isPinned(image));
  if (unpinned.length > 0) context.exitCode = EXIT.finding;
  if (flags.output === 'json')
    return json(found.map((each) => ({ ...each, pinned: isPinned(each.image) })));
  return unpinned.map((each) => `${placeOf(each)}${each.image} has no digest\n`).join('');
}

async function resolveAll(
  found: readonly FoundImage[],
  flags: Flags,
  context: CommandContext,
): Promise<ReadonlyMap<string, string>> {
  const registry = await openRegistry(flags, context);
  try {
    return await pinImages(
      found.map(({ image }) => image),
      registry,
    );
  } finally {
    registry.close();
  }
}

async function writeFiles(
  files: readonly SourceFile[],
  pinned: ReadonlyMap<string, string>,
  cwd: string,
): Promise<void> {
  for (const { file, text, fields } of files) {
    const next = pinText(text, fields, pinned);
    if (next === text) continue;
    const place = await realpath(resolve(cwd, file));
    await replaceFile(place, next, await readRights(place));
  }
}

function report(
  found: readonly FoundImage[],
  pinned: ReadonlyMap<string, string>,
  flags: Flags,
): string {
  const results = found.map((each) => ({ ...each, pinned: pinned.get(each.image) ?? each.image }));
  if (flags.output === 'json') return json(results);
  return results.map((each) => `${placeOf(each)}${each.pinned}\n`).join('');
}

function placeOf({ file, line }: FoundImage): string {
  return file === undefined ? '' : `${file}:${line ?? 1}: `;
}
