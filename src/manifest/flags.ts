import { asString, listOf } from './nodes.ts';
import type { ScalarNode } from './nodes.ts';
import { renderScalar } from './render.ts';
import type { Quote, ScalarValue } from './render.ts';
import { applySplices } from './splice.ts';
import { quoteOf } from './style.ts';
import type { MapNode, SeqNode, YamlText } from './yaml-text.ts';

/** One item of a container's `command` or `args`. */
export interface Word {
  readonly value: string;
  readonly node: ScalarNode;
  readonly list: SeqNode;
  readonly key: 'command' | 'args';
  readonly index: number;
}

/** One `--name=value` or `--name value`, as Go's flag parser takes the words. */
export interface Flag {
  /** Without dashes; underscores are hyphens, as kube-apiserver has it. */
  readonly name: string;
  readonly value: string;
  /** The word with the value: the same as the first one, or the one behind it. */
  readonly valueWord: Word;
  readonly words: readonly Word[];
}

/** What `command` and `args` amount to. */
export function readWords(yaml: YamlText, container: MapNode): Word[] {
  return (['command', 'args'] as const).flatMap((key) => {
    const list = listOf(yaml, container, key);
    if (list === undefined) return [];
    return list.items.map((item, index): Word => {
      const node = asString(yaml, item, `${key}[${index}]`);
      return { value: node.value, node, list, key, index };
    });
  });
}

/** The flags of the given names, in order; what stands behind `--` is none. */
export function readFlags(
  yaml: YamlText,
  words: readonly Word[],
  names: ReadonlySet<string>,
): Flag[] {
  const flags: Flag[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    if (word === undefined) break;
    const flag = readFlag(yaml, word, words[index + 1], names);
    if (flag === undefined) continue;
    flags.push(flag);
    index += flag.words.length - 1;
  }
  return flags;
}

function readFlag(
  yaml: YamlText,
  word: Word,
  next: Word | undefined,
  names: ReadonlySet<string>,
): Flag | undefined {
  const match = /^--([^=]+)(?:=([^]*))?$/.exec(word.value);
  const name = match?.[1]?.replaceAll('_', '-') ?? '';
  if (match === null || !names.has(name)) return undefined;
  if (match[2] !== undefined) return { name, value: match[2], valueWord: word, words: [word] };
  const valueWord = wordBehind(yaml, name, word, next);
  return { name, value: valueWord.value, valueWord, words: [word, valueWord] };
}

/** The word that holds the value of a flag without `=`. */
function wordBehind(yaml: YamlText, name: string, word: Word, next: Word | undefined): Word {
  if (next === undefined || next.value.startsWith('--')) {
    const got = next === undefined ? 'nothing' : next.value;
    throw yaml.refusal(word.node.range[0], `--${name}: expected a value behind it, got ${got}`);
  }
  if (next.list !== word.list) {
    const message = `--${name}: expected its value in ${word.key} too, got it in ${next.key}`;
    throw yaml.refusal(next.node.range[0], message, `write --${name}=${next.value}`);
  }
  return next;
}

/** A text in which a flag has another value; the form and the quotes stay where they can. */
export function replaceFlagValue(yaml: YamlText, flag: Flag, value: string, quote?: Quote): string {
  const { node, list } = flag.valueWord;
  const written = flag.valueWord.value;
  const prefix = flag.words.length === 1 ? written.slice(0, written.indexOf('=') + 1) : '';
  return replaceScalar(yaml, node, prefix + value, {
    flow: list.flow === true,
    quote: quote ?? quoteOf(yaml, node),
  });
}

/** A text in which a scalar has another value. */
export function replaceScalar(
  yaml: YamlText,
  node: ScalarNode,
  value: ScalarValue,
  { flow, quote }: { readonly flow: boolean; readonly quote: Quote },
): string {
  const [start, end] = node.range;
  if (node.srcToken?.type === 'block-scalar' || sourceOf(yaml, node).includes('\n')) {
    throw yaml.refusal(start, 'expected a value on one line, got several', 'write it on one line');
  }
  const text = renderScalar(value, quote, flow);
  return applySplices(yaml.text, [{ start, end, text }]);
}

/** A text in which a scalar is written as given. */
export function restoreScalar({ text }: YamlText, node: ScalarNode, source: string): string {
  const [start, end] = node.range;
  return applySplices(text, [{ start, end, text: source }]);
}

/** A scalar as it is written, quotes included. */
export function sourceOf({ text }: YamlText, node: ScalarNode): string {
  return text.slice(node.range[0], node.range[1]);
}
