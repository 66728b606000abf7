import type { KubeConnection } from './connection.ts';
import { askKube, unreachable } from './request.ts';
import { parse, readStatus } from './status.ts';

/** Pods of one answer: some megabytes at most. */
const PAGE = 250;
/** Pages: more pods than Kubernetes is built for (150,000). */
const MAX_PAGES = 1000;

/**
 * Every pod of the cluster, as it came, a page at a time.
 *
 * @throws {ImageCheckerError} `kube-unreachable`
 */
export async function* listPods(
  connection: KubeConnection,
  signal: AbortSignal,
): AsyncGenerator<readonly unknown[]> {
  let next = '';
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = new URLSearchParams({ limit: String(PAGE), ...(next && { continue: next }) });
    const list = await readPage(connection, `/api/v1/pods?${query.toString()}`, signal);
    yield list.items;
    next = list.next;
    if (next === '') return;
  }
  throw unreachable(connection, `expected at most ${MAX_PAGES} pages of pods, got more`);
}

interface Page {
  readonly items: readonly unknown[];
  readonly next: string;
}

async function readPage(
  connection: KubeConnection,
  path: string,
  signal: AbortSignal,
): Promise<Page> {
  const { status, body } = await askKube(connection, { path, timeLimit: 30_000, signal });
  const value = status === 200 ? parse(body) : undefined;
  if (!isList(value)) {
    const told = readStatus(body).message;
    throw unreachable(connection, `expected the pods, got status ${status}: ${told}`);
  }
  const { metadata } = value as { metadata?: { continue?: unknown } };
  const next = metadata?.continue;
  return { items: value.items, next: typeof next === 'string' ? next : '' };
}

function isList(value: unknown): value is { readonly items: readonly unknown[] } {
  return (
    typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)
  );
}

/** What kube-apiserver says to a pod that it is asked to take, but not to keep. */
export type DryRunAnswer =
  | { readonly kind: 'accepted' }
  /** `message` is the one that `kubectl` would show. */
  | { readonly kind: 'refused'; readonly status: number; readonly message: string };

export interface DryRunPod {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
}

/**
 * Asks for a pod by a server-side dry run: admission decides, nothing is created.
 *
 * @throws {ImageCheckerError} `kube-unreachable`
 */
export async function dryRunPod(
  connection: KubeConnection,
  pod: DryRunPod,
  signal: AbortSignal,
): Promise<DryRunAnswer> {
  const path = `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods?dryRun=All`;
  const question = { method: 'POST', path, body: manifestOf(pod), timeLimit: 40_000 } as const;
  const { status, body } = await askKube(connection, { ...question, signal });
  if (status === 200 || status === 201 || status === 202) return { kind: 'accepted' };
  return { kind: 'refused', status, message: readStatus(body).message };
}

/** As modest as a pod can be, so that no other plugin has a reason to refuse it. */
function manifestOf({ name, namespace, image }: DryRunPod): object {
  const amounts = { cpu: '1m', memory: '1Mi' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'probe',
          image,
          resources: { requests: amounts, limits: amounts },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
