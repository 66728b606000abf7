import { z } from 'zod';
import { isSent, SENT_INFIX } from '../parse/sent-annotations.ts';
import { uniqueNames } from '../rules/unique-names.ts';

const text = z.string();

const annotations = z
  .record(
    text.refine(isSent, {
      message: `kube-apiserver sends no annotation whose key lacks ${SENT_INFIX}`,
    }),
    text,
  )
  .describe('Annotations of the pod.');

const WHAT = ['image', 'images', 'review'] as const;

const policyCase = z
  .strictObject({
    name: text.min(1).describe('Unique; says what is expected.'),
    image: text.optional().describe('The one image of the pod.'),
    images: z.array(text).optional().describe('All images of the pod.'),
    review: z
      .looseObject({})
      .optional()
      .describe('A whole ImageReview; apiVersion and kind may be left out.'),
    namespace: text.optional().describe('Namespace of the pod; absent: default.'),
    annotations: annotations.optional(),
    expect: z
      .enum(['allowed', 'warned', 'denied', 'unknown'])
      .describe(
        'allowed: with warnings or without; warned: allowed with one at least; unknown: allowed but for what a registry has to say, which no test asks.',
      ),
    rule: z
      .union([text, z.array(text).min(1)])
      .optional()
      .describe('Rules of which each has to be violated.'),
  })
  .superRefine((value, context) => {
    const given = WHAT.filter((key) => value[key] !== undefined);
    if (given.length !== 1) {
      const message = `expected one of ${WHAT.join(', ')}, got ${given.join(' and ') || 'none'}`;
      context.addIssue({ code: 'custom', message });
    }
    const own = value.namespace ?? value.annotations;
    if (value.review !== undefined && own !== undefined) {
      const message = 'a review has its own namespace and annotations';
      context.addIssue({ code: 'custom', message, params: { hint: 'put them into review.spec' } });
    }
  });

/** A file of policy tests, format `image-checker/v1` `PolicyTest`. */
export const policyTestSchema = z.strictObject({
  apiVersion: z.literal('image-checker/v1'),
  kind: z.literal('PolicyTest'),
  rules: text.min(1).describe('The rules file, relative to this file.'),
  cases: z.array(policyCase).min(1).check(uniqueNames('case')),
});

export type PolicyTest = z.output<typeof policyTestSchema>;
export type PolicyCase = PolicyTest['cases'][number];
