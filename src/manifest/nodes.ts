import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { ParsedNode, Scalar } from 'yaml';
import type { MapNode, SeqNode, YamlText } from './yaml-text.ts';

export type ScalarNode = Scalar.Parsed;

/** The value of a key, undefined when there is none (null counts as none, as Kubernetes has it). */
export function valueOf(yaml: YamlText, map: MapNode, key: string): ParsedNode | undefined {
  refuseMergeKey(yaml, map);
  const value = pairOf(map, key)?.value ?? undefined;
  if (value === undefined) return undefined;
  refuseSharing(yaml, value, key);
  return isScalar(value) && value.value === null ? undefined : value;
}

/** The list of a key, undefined when there is none. */
export function listOf(yaml: YamlText, map: MapNode, key: string): SeqNode | undefined {
  const value = valueOf(yaml, map, key);
  if (value === undefined || isSeq(value)) return value;
  throw yaml.refusal(value.range[0], `${key}: expected a list, got ${kindOf(value)}`);
}

/** The mapping of a key, undefined when there is none. */
export function mapOf(yaml: YamlText, map: MapNode, key: string): MapNode | undefined {
  const value = valueOf(yaml, map, key);
  return value === undefined ? undefined : asMap(yaml, value, key);
}

/** The text of a key, undefined when there is none. */
export function stringOf(yaml: YamlText, map: MapNode, key: string): string | undefined {
  const value = valueOf(yaml, map, key);
  return value === undefined ? undefined : asString(yaml, value, key).value;
}

/** Every item of the list of a key as a mapping; none when there is no list. */
export function mapsOf(yaml: YamlText, map: MapNode, key: string): MapNode[] {
  const items = listOf(yaml, map, key)?.items ?? [];
  return items.map((item, index) => asMap(yaml, item, `${key}[${index}]`));
}

export function asMap(yaml: YamlText, node: ParsedNode, what: string): MapNode {
  refuseSharing(yaml, node, what);
  if (isMap(node)) return node;
  throw yaml.refusal(node.range[0], `${what}: expected a mapping, got ${kindOf(node)}`);
}

export function asString(
  yaml: YamlText,
  node: ParsedNode,
  what: string,
): ScalarNode & { value: string } {
  refuseSharing(yaml, node, what);
  if (isString(node)) return node;
  const hint = isScalar(node) ? 'put it in quotes' : undefined;
  throw yaml.refusal(node.range[0], `${what}: expected a string, got ${kindOf(node)}`, hint);
}

export function isString(node: unknown): node is ScalarNode & { value: string } {
  return isScalar(node) && typeof node.value === 'string';
}

export function pairOf(map: MapNode, key: string): MapNode['items'][number] | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

/** What an anchor shares is changed in every place at once, so none is edited. */
function refuseSharing(yaml: YamlText, node: ParsedNode, what: string): void {
  const hint = 'write the value out in each place';
  if (isAlias(node)) {
    throw yaml.refusal(
      node.range[0],
      `${what}: expected a value, got the alias *${node.source}`,
      hint,
    );
  }
  if (node.anchor === undefined) return;
  throw yaml.refusal(
    node.range[0],
    `${what}: expected a value, got the anchor &${node.anchor}`,
    hint,
  );
}

function refuseMergeKey(yaml: YamlText, map: MapNode): void {
  const merge = pairOf(map, '<<');
  if (merge === undefined) return;
  const hint = 'write the merged keys out';
  throw yaml.refusal(merge.key.range[0], 'expected keys, got the merge key <<', hint);
}

export function kindOf(node: ParsedNode): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node)) return 'an alias';
  return node.value === null ? 'null' : JSON.stringify(node.value);
}
