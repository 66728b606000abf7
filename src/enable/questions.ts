import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Question } from '../ask/review.ts';
import { readTextFile } from '../files/read-text-file.ts';
import type { FoundObject } from '../scan/found-object.ts';
import type { FoundPod } from '../scan/pod.ts';
import { readWorkloads } from '../scan/workload.ts';
import { readYamlObjects } from '../scan/yaml-objects.ts';

/** A review that kube-apiserver would send, and the pods that it would send it for. */
export interface PodQuestion extends Question {
  /** `namespace/name` of each. */
  readonly pods: readonly string[];
}

export const SYSTEM_NAMESPACE = 'kube-system';

/** Gathers pods; those that are alike to the plugin are one question. */
export class PodQuestions {
  readonly #questions = new Map<string, PodQuestion & { readonly pods: string[] }>();

  add(pod: FoundPod): void {
    const namespace = pod.namespace ?? 'default';
    // Ephemeral containers are sent on their own, and only when somebody adds one.
    const sent = pod.images.filter(
      ({ sent: isSent, path }) => isSent && !path.includes('ephemeralContainers'),
    );
    const images = sent.map(({ image }) => image);
    if (images.length === 0) return;
    const key = JSON.stringify([namespace, images, [...pod.annotations]]);
    const known = this.#questions.get(key);
    const name = `${namespace}/${pod.name}`;
    if (known === undefined) {
      const { annotations } = pod;
      this.#questions.set(key, { images, annotations, namespace, pods: [name] });
    } else if (!known.pods.includes(name)) known.pods.push(name);
  }

  list(): readonly PodQuestion[] {
    return [...this.#questions.values()];
  }
}

/** Files that the kubelet reads; the doctor says what is wrong with what is no pod. */
export async function addStaticPods(manifest: string, questions: PodQuestions): Promise<void> {
  const folder = dirname(manifest);
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory());
  for (const { name } of files) {
    const text = await readTextFile(join(folder, name), 'run it as root');
    readYamlObjects(text, {
      object: (found) => {
        addWorkloads(found, questions);
      },
      problem: () => undefined,
    });
  }
}

/** Phases in which a pod runs no more. */
const OVER = ['Succeeded', 'Failed'];

/** The pods of one page of the API's list, which do not say that they are pods. */
export function addRunningPods(pods: readonly unknown[], questions: PodQuestions): void {
  for (const value of pods) {
    const { status } = value as { status?: { phase?: unknown } };
    if (typeof status?.phase === 'string' && OVER.includes(status.phase)) continue;
    addWorkloads(
      { value: { kind: 'Pod', apiVersion: 'v1', ...(value as object) }, ...NOWHERE },
      questions,
    );
  }
}

const NOWHERE = { kind: undefined, apiVersion: undefined, locate: () => ({}) };

function addWorkloads(found: FoundObject, questions: PodQuestions): void {
  readWorkloads(found, {
    pod: (pod) => {
      questions.add(pod);
    },
    skipped: () => undefined,
    foreign: () => undefined,
    misspelt: () => undefined,
    invalid: () => undefined,
  });
}
