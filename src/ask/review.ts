import { API_VERSION, KIND } from '../parse/image-review.ts';

/** What is asked about: the images of one pod. */
export interface Question {
  readonly images: readonly string[];
  readonly annotations: ReadonlyMap<string, string>;
  readonly namespace: string;
}

/** The body that kube-apiserver sends: what is empty is left out. */
export function reviewOf({ images, annotations, namespace }: Question): object {
  return {
    kind: KIND,
    apiVersion: API_VERSION,
    metadata: {},
    spec: {
      containers: images.map((image) => ({ image })),
      ...(annotations.size > 0 && { annotations: Object.fromEntries(annotations) }),
      namespace,
    },
    status: { allowed: false },
  };
}
