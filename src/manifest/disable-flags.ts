import { addItem } from './add-entry.ts';
import type { Change } from './change.ts';
import { restoreScalar, sourceOf } from './flags.ts';
import type { Flag } from './flags.ts';
import { CONFIG_FLAG, DISABLE_FLAG, ENABLE_FLAG, flagsNamed, PLUGIN } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { flagWithPlugin, pluginsOf, withoutPlugin, withPlugin } from './plugin-list.ts';
import type { ChangedWord, ManifestRecord } from './record.ts';
import type { Quote } from './render.ts';
import { removeItems } from './remove-entry.ts';
import type { Step } from './steps.ts';

const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  [ENABLE_FLAG, { kind: 'plugin-removed', message: `take ${PLUGIN} out of --${ENABLE_FLAG}` }],
  [
    DISABLE_FLAG,
    { kind: 'plugin-disabled-again', message: `put ${PLUGIN} back into --${DISABLE_FLAG}` },
  ],
  [CONFIG_FLAG, { kind: 'config-file-removed', message: `empty --${CONFIG_FLAG} again` }],
]);

/** A word that nobody has touched since becomes what it was, to the byte. */
export function restoreWord(
  manifest: Manifest,
  { flag, occurrence, written }: ChangedWord,
): Step | undefined {
  const change = CHANGES.get(flag);
  if (written === undefined || change === undefined) return undefined;
  const found = flagsNamed(manifest, flag)[occurrence];
  if (found === undefined || sourceOf(manifest.yaml, found.valueWord.node) !== written.after) {
    return undefined;
  }
  return { text: restoreScalar(manifest.yaml, found.valueWord.node, written.before), change };
}

/** Takes the plugin out of the next flag that names it; a flag of ours goes when it is empty then. */
export function takeOutPlugin(manifest: Manifest, record: ManifestRecord): Step | undefined {
  const { yaml } = manifest;
  const flag = flagWithPlugin(yaml, flagsNamed(manifest, ENABLE_FLAG), PLUGIN);
  if (flag === undefined) return undefined;
  const kind = 'plugin-removed';
  if (flag.value === PLUGIN && record.flags.some(({ name }) => name === ENABLE_FLAG)) {
    const message = `take out --${ENABLE_FLAG}`;
    return { text: removeFlag(manifest, flag), change: { kind, message } };
  }
  const message = `take ${PLUGIN} out of --${ENABLE_FLAG}`;
  const text = withoutPlugin(yaml, flag, PLUGIN, quoteBefore(record));
  return { text, change: { kind, message } };
}

/** In brackets, the comma before our plugin had asked for quotes. */
function quoteBefore({ words }: ManifestRecord): Quote | undefined {
  const word = words.find(({ flag }) => flag === ENABLE_FLAG)?.written;
  return word !== undefined && /^["']/.test(word.after) && !/^["']/.test(word.before)
    ? ''
    : undefined;
}

/** For a list of disabled plugins that was edited since. */
export function disableAgain(
  manifest: Manifest,
  { words }: ManifestRecord,
  { occurrence, written }: ChangedWord,
): Step | undefined {
  const { yaml, lastWord } = manifest;
  const change = CHANGES.get(DISABLE_FLAG);
  const flags = flagsNamed(manifest, DISABLE_FLAG);
  const naming = flags.filter((flag) => pluginsOf(yaml, flag).includes(PLUGIN));
  const wanted = words.filter(({ flag }) => flag === DISABLE_FLAG);
  if (change === undefined || naming.length >= wanted.length) return undefined;
  const flag = [flags[occurrence], flags.at(-1)].find(
    (one) => one !== undefined && !naming.includes(one),
  );
  if (flag !== undefined) {
    return { text: withPlugin(yaml, flag, PLUGIN, namesBehind(written?.before)), change };
  }
  const text = addItem(yaml, lastWord.list, `--${DISABLE_FLAG}=${PLUGIN}`, lastWord.index);
  return { text, change };
}

/** The plugins that stood behind ours. */
function namesBehind(written = ''): string[] {
  const [, behind = ''] = written.split(`${PLUGIN},`);
  return behind.split(/[,"']/);
}

export function takeOutConfigFile(manifest: Manifest, record: ManifestRecord): Step | undefined {
  const added = record.flags.find(({ name }) => name === CONFIG_FLAG);
  const flag = flagsNamed(manifest, CONFIG_FLAG).find(({ value }) => value === added?.value);
  if (flag === undefined) return undefined;
  const message = `take out --${CONFIG_FLAG}`;
  return { text: removeFlag(manifest, flag), change: { kind: 'config-file-removed', message } };
}

function removeFlag({ yaml }: Manifest, { words }: Flag): string {
  const [first] = words;
  if (first === undefined) return yaml.text;
  return removeItems(yaml, first.list, first.index, words.length);
}
