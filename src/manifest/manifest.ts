import { posix } from 'node:path';
import { readFlags, readWords } from './flags.ts';
import type { Flag, Word } from './flags.ts';
import { mapOf, mapsOf, stringOf, valueOf } from './nodes.ts';
import { readYamlText } from './yaml-text.ts';
import type { MapNode, YamlText } from './yaml-text.ts';

export const PLUGIN = 'ImagePolicyWebhook';
export const ENABLE_FLAG = 'enable-admission-plugins';
export const DISABLE_FLAG = 'disable-admission-plugins';
export const CONFIG_FLAG = 'admission-control-config-file';
/** The list of plugins before v1.10, which excludes the two flags of today. */
export const OLD_FLAG = 'admission-control';

const FLAG_NAMES = new Set([ENABLE_FLAG, DISABLE_FLAG, CONFIG_FLAG, OLD_FLAG]);

/** What may stand before kube-apiserver in a command: it starts what is behind its own flags. */
const LAUNCHERS = new Set(['go-runner', 'hyperkube', 'tini', 'dumb-init']);

/** kube-apiserver's static pod. */
export interface Manifest {
  readonly yaml: YamlText;
  readonly spec: MapNode;
  readonly container: MapNode;
  /** Every word of the container's command line. */
  readonly words: readonly Word[];
  /** The flags that concern admission. */
  readonly flags: readonly Flag[];
  /** Behind which a flag may be added. */
  readonly lastWord: Word;
}

/** @throws ImageCheckerError `manifest-invalid` unless the text is kube-apiserver's static pod. */
export function readManifest(text: string, file?: string): Manifest {
  const yaml = readYamlText(text, file);
  expectValue(yaml, 'kind', 'Pod');
  expectValue(yaml, 'apiVersion', 'v1');
  const spec = mapOf(yaml, yaml.root, 'spec');
  if (spec === undefined) throw yaml.refusal(yaml.root.range[0], 'spec is missing');
  const { container, words, first } = findContainer(yaml, spec);
  const end = words.findIndex(({ value }, index) => index >= first && value === '--');
  const flagWords = words.slice(first, end === -1 ? words.length : end);
  const lastWord = flagWords.at(-1) ?? words[first - 1];
  if (lastWord === undefined)
    throw yaml.refusal(container.range[0], 'expected a command, got none');
  const flags = readFlags(yaml, flagWords, FLAG_NAMES);
  return { yaml, spec, container, words, flags, lastWord };
}

export function flagsNamed({ flags }: Manifest, name: string): Flag[] {
  return flags.filter((flag) => flag.name === name);
}

function expectValue(yaml: YamlText, key: string, expected: string): void {
  const got = stringOf(yaml, yaml.root, key);
  if (got === expected) return;
  const at = valueOf(yaml, yaml.root, key)?.range[0] ?? yaml.root.range[0];
  const hint = "expected is kube-apiserver's static pod, usually kube-apiserver.yaml";
  throw yaml.refusal(at, `${key}: expected ${expected}, got ${got ?? 'nothing'}`, hint);
}

interface ApiServer {
  readonly container: MapNode;
  readonly words: readonly Word[];
  /** The index of the first word behind `kube-apiserver`. */
  readonly first: number;
}

function findContainer(yaml: YamlText, spec: MapNode): ApiServer {
  const candidates = mapsOf(yaml, spec, 'containers').map((container) => {
    return { container, words: readWords(yaml, container) };
  });
  const found = candidates.flatMap((candidate): ApiServer[] => {
    const first = firstFlagOf(candidate.words, stringOf(yaml, candidate.container, 'name'));
    return first === undefined ? [] : [{ ...candidate, first }];
  });
  const [server, another] = found;
  if (another !== undefined) {
    const at = another.container.range[0];
    throw yaml.refusal(at, 'expected one container that runs kube-apiserver, got another one');
  }
  if (server !== undefined) return server;
  const shell = candidates.find(({ words }) =>
    words.some(({ value }) => /kube-apiserver\s/.test(value)),
  );
  throw yaml.refusal(
    (shell?.container ?? spec).range[0],
    'expected a container with the command kube-apiserver, got none',
    shell === undefined
      ? "expected is kube-apiserver's static pod, usually kube-apiserver.yaml"
      : 'a command line within a shell is not edited: add the flags, the mount and the volume by hand',
  );
}

/** Where the flags begin; undefined when the words do not start kube-apiserver. */
function firstFlagOf(words: readonly Word[], name: string | undefined): number | undefined {
  const program = baseName(words[0]);
  if (program === 'kube-apiserver') return 1;
  // Without a command the image's entry point is started, and the words are its flags.
  if (name === 'kube-apiserver' && words[0]?.key === 'args' && program.startsWith('--')) return 0;
  if (!LAUNCHERS.has(program)) return undefined;
  const index = words.findIndex((word, at) => at > 0 && !word.value.startsWith('-'));
  return baseName(words[index]) === 'kube-apiserver' ? index + 1 : undefined;
}

function baseName(word: Word | undefined): string {
  if (word === undefined || word.value.startsWith('-')) return word?.value ?? '';
  return posix.basename(word.value);
}
