import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import { systemMessage } from '../files/read-text-file.ts';
import { mapOf, mapsOf, stringOf } from '../manifest/nodes.ts';
import { readYamlText } from '../manifest/yaml-text.ts';
import { kindOf, readDisk } from './disk.ts';
import type { Findings } from './finding.ts';

/** A folder of static pods holds a handful of files. */
const MAX_FILES = 200;

/** The endings that editors, packages and people give to copies. */
const COPY = /(?:~|\.(?:bak|backup|old|orig|save|swp|rej|dpkg-old|rpmsave)|[.-]\d{4,}[\w:.-]*)$/i;

/** What of a static pod matters here. */
interface Pod {
  readonly name: string;
  readonly images: readonly string[];
}

/**
 * Looks at the other files in the folder of the manifest, each of which the kubelet reads unless its
 * name begins with a dot.
 *
 * @returns the images of the static pods in them
 */
export async function checkFolder(manifest: string, findings: Findings): Promise<string[]> {
  const folder = dirname(manifest);
  const names = await listFolder(folder, findings);
  const others = names.filter((name) => name !== basename(manifest) && !name.startsWith('.'));
  const images: string[] = [];
  const own = await readPod(manifest);
  const seen = new Map<string, string>([[own?.name ?? 'kube-apiserver', manifest]]);
  for (const name of others.slice(0, MAX_FILES)) {
    const file = join(folder, name);
    if ((await kindOf(file)) !== 'file') continue; // the kubelet passes it over
    const pod = await readPod(file);
    if (pod === undefined) strayFile(file, findings);
    else images.push(...judgePod(file, pod, seen, findings));
  }
  findings.okUnlessFound('manifest-folder-duplicates', 'no pod is there twice', folder);
  findings.okUnlessFound('manifest-folder-strays', 'every file is a static pod', folder);
  return images;
}

async function listFolder(folder: string, findings: Findings): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (thrown) {
    const message = `cannot be read: ${systemMessage(thrown)}`;
    findings.fail('manifest-folder-strays', { file: folder, message });
    return [];
  }
}

function strayFile(file: string, findings: Findings): void {
  if (COPY.test(basename(file))) {
    copyFound(file, 'got one that looks like a copy', findings);
    return;
  }
  const message = 'expected static pods alone, got a file that is none';
  const hint = 'move it out of the folder: the kubelet tries to read it again and again';
  findings.warn('manifest-folder-strays', { file, message, hint });
}

function judgePod(
  file: string,
  pod: Pod,
  seen: Map<string, string>,
  findings: Findings,
): readonly string[] {
  const first = seen.get(pod.name);
  if (first !== undefined) {
    copyFound(file, `got ${pod.name} in ${basename(first)} too`, findings);
    return [];
  }
  if (COPY.test(basename(file))) copyFound(file, 'got one that looks like a copy', findings);
  seen.set(pod.name, file);
  return pod.images;
}

function copyFound(file: string, got: string, findings: Findings): void {
  const message = `expected each static pod in one file, ${got}`;
  const hint = 'move it out of the folder: the kubelet starts what it finds in any file there';
  findings.fail('manifest-folder-duplicates', { file, message, hint });
}

async function readPod(file: string): Promise<Pod | undefined> {
  const read = await readDisk(file);
  if ('problem' in read) return undefined;
  try {
    const yaml = readYamlText(read.text, file);
    if (stringOf(yaml, yaml.root, 'kind') !== 'Pod') return undefined;
    const metadata = mapOf(yaml, yaml.root, 'metadata');
    const spec = mapOf(yaml, yaml.root, 'spec');
    if (spec === undefined) return undefined;
    const containers = ['initContainers', 'containers'].flatMap((key) => mapsOf(yaml, spec, key));
    const images = containers.flatMap((container) => stringOf(yaml, container, 'image') ?? []);
    const name = metadata === undefined ? undefined : stringOf(yaml, metadata, 'name');
    return { name: name ?? basename(file), images };
  } catch (thrown) {
    if (thrown instanceof ImageCheckerError) return undefined;
    throw thrown;
  }
}
