import { posix } from 'node:path';
import type { Problem } from '../errors.ts';
import { describeIssues } from '../files/issue.ts';
import type { DescribedIssue } from '../files/issue.ts';
import { nearest } from '../files/nearest.ts';
import { parseYaml } from '../files/document.ts';
import type { PlacedDocument, SourceText } from '../files/document.ts';
import type { Inspected, Kubeconf, KubeconfIssue, KubeconfIssueId } from './kubeconf.ts';
import { readCluster } from './read-cluster.ts';
import { readUser } from './read-user.ts';
import { KNOWN_KEYS, kubeconfigSchema } from './schema.ts';
import type { ClusterEntry, KubeconfigDocument, UserEntry } from './schema.ts';

/** Where issues are gathered, each with its place in the text. */
export class KubeconfIssues {
  readonly found: KubeconfIssue[] = [];
  readonly #document: PlacedDocument;

  constructor(document: PlacedDocument) {
    this.#document = document;
  }

  add(id: KubeconfIssueId, issue: DescribedIssue, harmless = false): void {
    this.found.push({ id, problem: this.#document.problemOf(issue), harmless });
  }

  addAll(id: KubeconfIssueId, problems: readonly Problem[]): void {
    this.found.push(...problems.map((problem) => ({ id, problem, harmless: false })));
  }
}

/**
 * Reads a kubeconfig as client-go does and reports all that is wrong with it. Pure.
 *
 * @param folder what relative paths are relative to: the folder of the file, as its reader sees it
 */
export function inspectKubeconf(
  source: SourceText,
  folder = posix.dirname(source.file),
): Inspected {
  const document = parseYaml(source);
  const issues = new KubeconfIssues(document);
  issues.addAll('syntax', document.problems);
  if (document.problems.length > 0) return { issues: issues.found, kubeconf: undefined };
  const parsed = kubeconfigSchema.safeParse(document.value);
  if (!parsed.success) {
    const described = describeIssues(parsed.error.issues, document.value, kubeconfigSchema);
    for (const issue of described) issues.add('syntax', issue);
    return { issues: issues.found, kubeconf: undefined };
  }
  checkKind(parsed.data, issues);
  checkKeys(document.value, KNOWN_KEYS.root, [], issues);
  return { kubeconf: readCurrent(parsed.data, folder, issues), issues: issues.found };
}

/** client-go takes both for granted when they are left out. */
function checkKind({ apiVersion, kind }: KubeconfigDocument, issues: KubeconfIssues): void {
  if ((apiVersion ?? '') !== '' && apiVersion !== 'v1') {
    const message = `apiVersion: expected v1, got ${JSON.stringify(apiVersion)}`;
    issues.add('kind', { path: ['apiVersion'], message });
  }
  if ((kind ?? '') !== '' && kind !== 'Config') {
    const message = `kind: expected Config, got ${JSON.stringify(kind)}`;
    issues.add('kind', { path: ['kind'], message });
  }
}

/** current-context -> context -> cluster and user. */
function readCurrent(
  config: KubeconfigDocument,
  folder: string,
  issues: KubeconfIssues,
): Kubeconf | undefined {
  const context = currentContext(config, issues);
  if (context === undefined) return undefined;
  const { index, value } = context;
  const path = ['contexts', index, 'context'] as const;
  checkKeys(value, KNOWN_KEYS.context, path, issues);
  const cluster = find(config.clusters, { id: 'cluster', name: value.cluster, path }, issues);
  const user = find(config.users, { id: 'user', name: value.user, path }, issues);
  if (cluster === undefined || user === undefined) return undefined;
  const clusterPath = ['clusters', cluster.index, 'cluster'] as const;
  const userPath = ['users', user.index, 'user'] as const;
  const clusterEntry: ClusterEntry = cluster.item.cluster ?? {};
  const userEntry: UserEntry = user.item.user ?? {};
  checkKeys(clusterEntry, KNOWN_KEYS.cluster, clusterPath, issues);
  checkKeys(userEntry, KNOWN_KEYS.user, userPath, issues);
  const server = readCluster(clusterEntry, { path: clusterPath, folder }, issues);
  const credentials = readUser(userEntry, { path: userPath, folder }, issues);
  if (server === undefined) return undefined;
  return { context: config['current-context'] ?? '', ...server, ...credentials };
}

interface CurrentContext {
  readonly index: number;
  readonly value: { readonly cluster?: string | null; readonly user?: string | null };
}

function currentContext(
  config: KubeconfigDocument,
  issues: KubeconfIssues,
): CurrentContext | undefined {
  const name = config['current-context'] ?? '';
  if (name === '') {
    const names = (config.contexts ?? []).map((context) => context.name);
    const hint = names.length === 0 ? 'write one' : `there are: ${names.join(', ')}`;
    const message = 'current-context is missing: expected the name of a context';
    issues.add('current-context', { path: ['current-context'], message, hint });
    return undefined;
  }
  const found = find(config.contexts, { id: 'context', name, path: ['current-context'] }, issues);
  if (found === undefined) return undefined;
  const value = found.item.context ?? {};
  return {
    index: found.index,
    value: { ...value, cluster: value.cluster ?? '', user: value.user ?? '' },
  };
}

interface Wanted {
  readonly id: 'context' | 'cluster' | 'user';
  readonly name: string | null | undefined;
  /** Where the name stands. */
  readonly path: readonly PropertyKey[];
}

/** Of entries with the same name client-go takes the last. */
function find<T extends { readonly name: string }>(
  list: readonly T[] | null | undefined,
  { id, name, path }: Wanted,
  issues: KubeconfIssues,
): { readonly item: T; readonly index: number } | undefined {
  const items = list ?? [];
  const index = items.findLastIndex((item) => item.name === name);
  const item = items[index];
  if (item !== undefined) return { item, index };
  const at = id === 'context' ? path : [...path, id];
  if ((name ?? '') === '') {
    issues.add(id, { path: at, message: `${id} is missing: expected the name of a ${id}` });
    return undefined;
  }
  const names = items.map((each) => each.name);
  const meant = nearest(name ?? '', names);
  const known = names.length === 0 ? `there is no ${id}` : `there are: ${names.join(', ')}`;
  const hint = meant === undefined ? known : `did you mean "${meant}"?`;
  const message = `expected a ${id} named ${JSON.stringify(name)}, got none`;
  issues.add(id, { path: at, message, hint });
  return undefined;
}

function checkKeys(
  value: unknown,
  known: readonly string[],
  path: readonly PropertyKey[],
  issues: KubeconfIssues,
): void {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const meant = nearest(key, known);
    const hint = meant === undefined ? 'take it out' : `did you mean "${meant}"?`;
    const message = `unknown key ${JSON.stringify(key)}, which is passed over`;
    issues.add('unknown-key', { path: [...path, key], atKey: true, message, hint }, true);
  }
}
