import { isCollection, isMap, isScalar, isSeq, visit } from 'yaml';
import type { ParsedNode } from 'yaml';
import { isString } from './nodes.ts';
import type { ScalarNode } from './nodes.ts';
import { outlineOf } from './outline.ts';
import type { Quote, Style } from './render.ts';
import { columnOf } from './splice.ts';
import type { MapNode, SeqNode, YamlText } from './yaml-text.ts';

/** Spaces for each level where the document shows none of its own. */
const DEFAULT_INDENT = '  ';

/** How to write something beside its sibling; what the sibling does not show, the document does. */
export function styleBeside(yaml: YamlText, sibling: ParsedNode | undefined): Style {
  const example = sibling ?? yaml.root;
  const text = yaml.text.slice(example.range[0], example.range[1]);
  const value = firstString(example) ?? firstString(yaml.root);
  const key = firstKey(example) ?? firstKey(yaml.root);
  return {
    quote: value === undefined ? '' : quoteOf(yaml, value),
    keyQuote: key === undefined ? '' : quoteOf(yaml, key),
    unit: yaml.root.flow === true ? flowUnit(yaml) : blockUnit(yaml),
    listIndent: listIndentOf(yaml),
    padding: /^\{ +\S/.test(text) ? ' ' : '',
    gap: /["'\]}],\S|(?<!\\)":\S/.test(text) ? '' : ' ',
  };
}

/** The quotes around a scalar as it is written. */
export function quoteOf({ text }: YamlText, node: ScalarNode): Quote {
  const mark = text[node.range[0]];
  return mark === '"' || mark === "'" ? mark : '';
}

function firstKey(node: ParsedNode): ScalarNode | undefined {
  if (isSeq(node)) return node.items[0] === undefined ? undefined : firstKey(node.items[0]);
  const key = isMap(node) ? node.items[0]?.key : undefined;
  return isScalar(key) ? key : undefined;
}

function firstString(node: ParsedNode): ScalarNode | undefined {
  let found: ScalarNode | undefined;
  visit(node, {
    Scalar(role, scalar) {
      if (role === 'key' || !isString(scalar)) return undefined;
      found = scalar;
      return visit.BREAK;
    },
  });
  return found;
}

/** The indentation of a mapping under its key, by the first one in the document. */
function blockUnit(yaml: YamlText): string {
  return ' '.repeat(firstIndent(yaml, isMap) ?? DEFAULT_INDENT.length);
}

/** The indentation of a list's dashes under its key, by the first list in the document. */
function listIndentOf(yaml: YamlText): string {
  return ' '.repeat(firstIndent(yaml, isSeq) ?? DEFAULT_INDENT.length);
}

function firstIndent(
  { text, root }: YamlText,
  isWanted: (node: unknown) => boolean,
): number | undefined {
  let indent: number | undefined;
  visit(root, {
    Pair(_role, { key, value }) {
      if (!isWanted(value) || !isCollection(value) || value.flow === true) return undefined;
      const first = outlineOf(text, value as MapNode | SeqNode).entries[0];
      if (first === undefined || !isScalar(key)) return undefined;
      const found = columnOf(text, first.start) - columnOf(text, (key as ScalarNode).range[0]);
      // Behind an explicit key (`? key`) it may even be to the left of the key.
      if (found < 0) return undefined;
      indent = found;
      return visit.BREAK;
    },
  });
  return indent;
}

/** What stands before the first key of a document in braces; tabs are possible. */
function flowUnit({ text, root }: YamlText): string {
  const { open, entries } = outlineOf(text, root);
  const before = text.slice(open, entries[0]?.start ?? open);
  return /\n([ \t]+)$/.exec(before)?.[1] ?? DEFAULT_INDENT;
}
