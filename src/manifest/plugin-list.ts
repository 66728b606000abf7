import type { Flag } from './flags.ts';
import { replaceFlagValue } from './flags.ts';
import type { Quote } from './render.ts';
import type { YamlText } from './yaml-text.ts';

/** Names without blanks and quotes, with a comma between each two; or nothing. */
const LIST = /^(?:[^\s",]+(?:,[^\s",]+)*)?$/;

/** The plugins that a flag names. */
export function pluginsOf(yaml: YamlText, { name, value, valueWord }: Flag): string[] {
  if (!LIST.test(value)) {
    const message = `--${name}: expected names and single commas, got ${JSON.stringify(value)}`;
    throw yaml.refusal(
      valueWord.node.range[0],
      message,
      'write it as Name,Name without blanks and quotes',
    );
  }
  return value === '' ? [] : value.split(',');
}

/** A text in which a flag names a plugin too, before the first of the given others, else last. */
export function withPlugin(
  yaml: YamlText,
  flag: Flag,
  plugin: string,
  before: readonly string[] = [],
): string {
  const names = pluginsOf(yaml, flag);
  const index = names.findIndex((name) => before.includes(name));
  const at = index === -1 ? names.length : index;
  return replaceFlagValue(yaml, flag, names.toSpliced(at, 0, plugin).join(','));
}

/** A text in which a flag does not name a plugin; `quote` where the quotes are to change too. */
export function withoutPlugin(yaml: YamlText, flag: Flag, plugin: string, quote?: Quote): string {
  const others = pluginsOf(yaml, flag).filter((name) => name !== plugin);
  return replaceFlagValue(yaml, flag, others.join(','), quote);
}

/** The flag, of several of a name, that names a plugin: pflag gathers what each of them lists. */
export function flagWithPlugin(
  yaml: YamlText,
  flags: readonly Flag[],
  plugin: string,
): Flag | undefined {
  return flags.find((flag) => pluginsOf(yaml, flag).includes(plugin));
}
