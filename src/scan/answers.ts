import { examineReview } from '../decide/decide-review.ts';
import type { Violation } from '../decide/decision.ts';
import type { Inspector } from '../decide/inspection.ts';
import { settleReview } from '../decide/settle-review.ts';
import type { Policy } from '../rules/policy.ts';
import type { FoundPod } from './pod.ts';

/** What is against images, with what registries say of them. */
export interface Answers {
  violationsOf(image: string, namespace: string): readonly Violation[] | undefined;
}

/** A pod, in the namespace where it would run. */
export interface PlacedPod {
  readonly pod: FoundPod;
  readonly namespace: string;
}

export interface AnswersOptions {
  readonly inspector: Inspector;
  /** Told after each image. */
  readonly progress: (done: number, all: number) => void;
}

/** Images about which is asked at a time: each has the time of a review, and hosts take few calls. */
const AT_A_TIME = 8;

/** Each image is decided by itself, as the review of a pod that has no other, and once. */
export async function findAnswers(
  pods: readonly PlacedPod[],
  policy: Policy,
  { inspector, progress }: AnswersOptions,
): Promise<Answers> {
  const keys = pods.flatMap(({ pod, namespace }) =>
    pod.images.map(({ image }) => keyOf(image, namespace)),
  );
  const open = new Set(keys);
  const all = open.size;
  const found = new Map<string, readonly Violation[]>();
  const work = async (): Promise<void> => {
    for (const key of open) {
      open.delete(key);
      const [namespace = '', image = ''] = JSON.parse(key) as string[];
      const review = { images: [image], annotations: new Map(), namespace, spec: undefined };
      const examination = examineReview(review, policy, { containers: 1 });
      found.set(key, (await settleReview(examination, inspector)).violations);
      progress(found.size, all);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return { violationsOf: (image, namespace) => found.get(keyOf(image, namespace)) };
}

function keyOf(image: string, namespace: string): string {
  return JSON.stringify([namespace, image]);
}
