import { addItem } from './add-entry.ts';
import type { EnableOptions, EnableStep } from './enable.ts';
import { replaceFlagValue, sourceOf } from './flags.ts';
import type { Flag } from './flags.ts';
import { CONFIG_FLAG, DISABLE_FLAG, ENABLE_FLAG, flagsNamed, PLUGIN } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { flagWithPlugin, withoutPlugin, withPlugin } from './plugin-list.ts';
import type { ChangedWord, ManifestRecord } from './record.ts';

/** kube-apiserver does not start with a plugin that is both enabled and disabled. */
export function takeOutOfDisabled(manifest: Manifest): EnableStep | undefined {
  const { yaml } = manifest;
  const flag = flagWithPlugin(yaml, flagsNamed(manifest, DISABLE_FLAG), PLUGIN);
  if (flag === undefined) return undefined;
  const text = withoutPlugin(yaml, flag, PLUGIN);
  const message = `take ${PLUGIN} out of --${DISABLE_FLAG}`;
  const record = { words: [changedWord(manifest, flag, text)] };
  return { text, change: { kind: 'plugin-no-longer-disabled', message }, record };
}

export function addPlugin(manifest: Manifest): EnableStep | undefined {
  const { yaml } = manifest;
  const flags = flagsNamed(manifest, ENABLE_FLAG);
  if (flagWithPlugin(yaml, flags, PLUGIN) !== undefined) return undefined;
  const flag = flags.at(-1);
  if (flag === undefined) {
    const message = `add --${ENABLE_FLAG} with ${PLUGIN}`;
    return {
      ...addFlag(manifest, { name: ENABLE_FLAG, value: PLUGIN }),
      change: { kind: 'plugin-added', message },
    };
  }
  const text = withPlugin(yaml, flag, PLUGIN);
  const message = `add ${PLUGIN} to --${ENABLE_FLAG}`;
  const record = { words: [changedWord(manifest, flag, text)] };
  return { text, change: { kind: 'plugin-added', message }, record };
}

/** A file that is named already stays: it may configure other plugins. */
export function nameConfigFile(
  manifest: Manifest,
  { configFile }: EnableOptions,
): EnableStep | undefined {
  const flag = flagsNamed(manifest, CONFIG_FLAG).at(-1);
  if (flag !== undefined && flag.value !== '') return undefined;
  const message = `add --${CONFIG_FLAG} with ${configFile}`;
  const change = { kind: 'config-file-added', message } as const;
  if (flag === undefined) {
    return { ...addFlag(manifest, { name: CONFIG_FLAG, value: configFile }), change };
  }
  const text = replaceFlagValue(manifest.yaml, flag, configFile);
  return { text, change, record: { words: [changedWord(manifest, flag, text)] } };
}

/** Beside the other flag of ours when there is one, else behind all others. */
function addFlag(
  manifest: Manifest,
  { name, value }: { readonly name: string; readonly value: string },
): { text: string; record: Partial<ManifestRecord> } {
  const { list, index } = flagsNamed(manifest, ENABLE_FLAG).at(-1)?.valueWord ?? manifest.lastWord;
  const text = addItem(manifest.yaml, list, `--${name}=${value}`, index);
  return { text, record: { flags: [{ name, value }] } };
}

function changedWord(manifest: Manifest, flag: Flag, text: string): ChangedWord {
  const { yaml } = manifest;
  const { node } = flag.valueWord;
  const before = sourceOf(yaml, node);
  // The text before the word has not changed, nor has the text behind it.
  const end = node.range[1] + text.length - yaml.text.length;
  return {
    flag: flag.name,
    occurrence: flagsNamed(manifest, flag.name).indexOf(flag),
    written: { before, after: text.slice(node.range[0], end) },
  };
}
