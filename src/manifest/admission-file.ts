import { isScalar } from 'yaml';
import { asMap, kindOf, mapOf, mapsOf, stringOf, valueOf } from './nodes.ts';
import { PLUGIN } from './manifest.ts';
import type { ScalarValue } from './render.ts';
import { readYamlText } from './yaml-text.ts';
import type { MapNode, YamlText } from './yaml-text.ts';

/** The values of our plugin: `kubeConfigFile`, `allowTTL` and so on. */
export type ImagePolicy = Readonly<Record<string, ScalarValue>>;

/** What kube-apiserver takes for an AdmissionConfiguration; the old one boots to this day. */
const API_VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'];
const KIND = 'AdmissionConfiguration';

export interface AdmissionFile {
  readonly yaml: YamlText;
  /** The part of our plugin, when there is one. */
  readonly entry: AdmissionEntry | undefined;
  /** The plugins that the file names, ours included. */
  readonly plugins: readonly string[];
}

export interface AdmissionEntry {
  /** Among the plugins. */
  readonly index: number;
  /** Undefined when the entry configures it in a file of its own, or not at all. */
  readonly imagePolicy: MapNode | undefined;
  readonly node: MapNode;
}

/** @throws ImageCheckerError `manifest-invalid` unless the text is an AdmissionConfiguration. */
export function readAdmissionFile(text: string, file?: string): AdmissionFile {
  const yaml = readYamlText(text, file);
  expectOneOf(yaml, 'kind', [KIND]);
  expectOneOf(yaml, 'apiVersion', API_VERSIONS);
  const items = mapsOf(yaml, yaml.root, 'plugins');
  const plugins = items.map((item) => stringOf(yaml, item, 'name') ?? '');
  const index = plugins.indexOf(PLUGIN);
  const again = items[plugins.indexOf(PLUGIN, index + 1)];
  if (index !== -1 && again !== undefined) {
    const hint = 'kube-apiserver reads the first one alone: take the other one out';
    throw yaml.refusal(again.range[0], `expected ${PLUGIN} once, got it again`, hint);
  }
  const node = items[index];
  const entry =
    node === undefined ? undefined : { index, node, imagePolicy: findImagePolicy(yaml, node) };
  return { yaml, entry, plugins };
}

/**
 * The values of our plugin in an admission configuration.
 *
 * @throws ImageCheckerError `manifest-invalid` when there are none
 */
export function readImagePolicy(text: string, file?: string): ImagePolicy {
  const { yaml, entry } = readAdmissionFile(text, file);
  if (entry === undefined) throw yaml.refusal(yaml.root.range[0], `expected ${PLUGIN}, got none`);
  const map = inlineImagePolicy(yaml, entry);
  const keys = map.items.map(({ key }) => (isScalar(key) ? String(key.value) : ''));
  return Object.fromEntries(keys.map((key) => [key, scalarOf(yaml, map, key)]));
}

/** @throws ImageCheckerError `manifest-invalid` when the values are not in the file itself */
export function inlineImagePolicy(yaml: YamlText, { imagePolicy, node }: AdmissionEntry): MapNode {
  if (imagePolicy !== undefined) return imagePolicy;
  const path = stringOf(yaml, node, 'path');
  throw yaml.refusal(
    node.range[0],
    `${PLUGIN}: expected configuration.imagePolicy, got ${path === undefined ? 'none' : `path: ${path}`}`,
    'move what it holds below configuration:, or take the entry out to have ours in its place',
  );
}

export function scalarOf(yaml: YamlText, map: MapNode, key: string): ScalarValue {
  const node = valueOf(yaml, map, key);
  const value: unknown = isScalar(node) ? node.value : undefined;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  const got = node === undefined ? 'null' : kindOf(node);
  const at = node?.range[0] ?? map.range[0];
  throw yaml.refusal(at, `${key}: expected a single value, got ${got}`);
}

function findImagePolicy(yaml: YamlText, entry: MapNode): MapNode | undefined {
  const configuration = valueOf(yaml, entry, 'configuration');
  if (configuration === undefined) return undefined;
  return mapOf(yaml, asMap(yaml, configuration, 'configuration'), 'imagePolicy');
}

function expectOneOf(yaml: YamlText, key: string, expected: readonly string[]): void {
  const got = stringOf(yaml, yaml.root, key);
  if (got !== undefined && expected.includes(got)) return;
  const at = valueOf(yaml, yaml.root, key)?.range[0] ?? yaml.root.range[0];
  throw yaml.refusal(at, `${key}: expected ${expected.join(' or ')}, got ${got ?? 'nothing'}`);
}
