import { z } from 'zod';

/** What a service said about a review. */
export interface ServiceAnswer {
  readonly allowed: boolean;
  readonly reason: string | undefined;
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** As any backend of the plugin may send it: what we do not know is left alone. */
const answerSchema = z.object({
  status: z.object({
    allowed: z.boolean(),
    reason: z.string().optional(),
    auditAnnotations: z.record(z.string(), z.string()).optional(),
  }),
});

/** meta/v1 Status: how a service says that it gives no verdict. */
const failureSchema = z.object({ kind: z.literal('Status'), message: z.string() });

/** @throws {Error} for anything that is no verdict, with what it is instead */
export function readAnswer(status: number, body: string): ServiceAnswer {
  const value = parseJson(body);
  if (status !== 200) {
    const failure = failureSchema.safeParse(value);
    const told = failure.success ? `: ${failure.data.message}` : '';
    throw new Error(`status ${status}${told}`);
  }
  const answer = answerSchema.safeParse(value);
  if (!answer.success) throw new Error('something that is no ImageReview with a status');
  const { allowed, reason, auditAnnotations } = answer.data.status;
  return { allowed, reason, auditAnnotations: auditAnnotations ?? {} };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
