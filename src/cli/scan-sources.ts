import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { unreadable } from '../files/read-text-file.ts';
import type { CommandContext } from './context.ts';

/** Something to be scanned. */
export interface Source {
  /** As the user knows it. */
  readonly name: string;
  /** Bytes; 0 when not known. */
  readonly size: number;
  /** Whether it lies in a folder that was named, among what may be no manifest at all. */
  readonly among: boolean;
  /** @throws {ImageCheckerError} `file-unreadable`, from the chunks */
  readonly open: () => AsyncIterable<Buffer>;
}

const STDIN = 'stdin';
const HINT = 'name a file, a folder, or - for stdin';
const MANIFEST = /\.(?:ya?ml|json)$/i;
/** Bytes read at a time. */
const CHUNK_SIZE = 256 * 1024;

/**
 * Files as they are, the manifests below folders, stdin once.
 *
 * @throws {ImageCheckerError} `file-unreadable`
 */
export async function findSources(
  names: readonly string[],
  context: CommandContext,
): Promise<readonly Source[]> {
  const sources: Source[] = [];
  for (const name of new Set(names)) {
    if (name === '-')
      sources.push({ name: STDIN, size: 0, among: false, open: () => bytesOf(context.stdin) });
    else sources.push(...(await findFiles(name, context.cwd)));
  }
  return sources;
}

async function findFiles(name: string, cwd: string): Promise<readonly Source[]> {
  try {
    const info = await stat(resolve(cwd, name));
    if (!info.isDirectory()) return [await fileSource(name, cwd, false)];
    const files = await listManifests(resolve(cwd, name));
    return await Promise.all(files.map((file) => fileSource(join(name, file), cwd, true)));
  } catch (thrown) {
    throw unreadable(name, thrown, HINT);
  }
}

/** Relative to the folder, in order; nothing below a folder whose name begins with a dot (.git). */
async function listManifests(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => MANIFEST.test(entry.name) && !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((file) => !dirname(file).split(sep).some(isHidden))
    .sort();
}

function isHidden(folder: string): boolean {
  return folder.startsWith('.') && folder !== '.';
}

/** A file that is gone again, or a link to nowhere, is found out when it is read. */
async function fileSource(name: string, cwd: string, among: boolean): Promise<Source> {
  const path = resolve(cwd, name);
  const size = await stat(path).then(
    (info) => info.size,
    () => 0,
  );
  return { name, size, among, open: () => readFile(name, path) };
}

async function* readFile(name: string, path: string): AsyncGenerator<Buffer> {
  try {
    yield* bytesOf(createReadStream(path, { highWaterMark: CHUNK_SIZE }));
  } catch (thrown) {
    throw unreadable(name, thrown, HINT);
  }
}

async function* bytesOf(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
  }
}
