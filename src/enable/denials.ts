import type { Problem } from '../errors.ts';
import type { AskService } from './ports.ts';
import type { PodQuestion } from './questions.ts';

/** What would be refused. */
export interface Denial {
  readonly question: PodQuestion;
  readonly reason: string;
}

/** Questions at a time: the service has other work to do. */
const AT_A_TIME = 8;

/** Asks every question; what would be refused comes back in the order of the questions. */
export async function askAll(
  ask: AskService,
  questions: readonly PodQuestion[],
  signal: AbortSignal,
): Promise<readonly Denial[]> {
  const denials = new Map<PodQuestion, Denial>();
  const left = questions.values();
  const worker = async (): Promise<void> => {
    for (const question of left) {
      signal.throwIfAborted();
      const { allowed, reason } = await ask(question);
      if (!allowed) denials.set(question, { question, reason: reason ?? '' });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return questions.flatMap((question) => denials.get(question) ?? []);
}

export function describeDenial({ question, reason }: Denial): Problem {
  const [first = '', ...others] = question.pods;
  const pods = others.length === 0 ? first : `${first} and ${others.length} more`;
  return { message: `${pods} would be refused: ${inOneLine(reason)}` };
}

/** Without the decision's id, which is of use in the service's log alone. */
export function inOneLine(reason: string): string {
  const lines = reason.split('\n').filter((line) => !/^decision [0-9a-f-]+$/.test(line));
  return lines.join('; ');
}
