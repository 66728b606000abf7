/**
 * One way to fail, stable enough for a test or a caller to hold on to.
 *
 * - `usage`: the call on the command line is wrong
 * - `config-invalid`: the service's config file, or a file that it names, cannot be used
 * - `rules-invalid`: the rules file cannot be used
 * - `review-invalid`: a body is no ImageReview
 * - `reference-invalid`: a string is no image reference
 * - `port-unavailable`: a listener could not be opened
 * - `manifest-invalid`: a manifest, kube-apiserver's for one, or an admission configuration cannot be edited safely
 * - `kubeconfig-invalid`: a kubeconfig cannot be used
 * - `setup-refused`: setup would overwrite something, or lacks what it needs
 * - `file-unreadable`: a file could not be read
 * - `file-unwritable`: a file could not be written
 * - `kube-unreachable`: kube-apiserver gives no answer that can be used
 * - `enable-refused`: pre-flight found a reason not to touch the control plane; nothing was touched
 * - `enable-failed`: the control plane was touched and did not become what it was to become
 * - `registry-unavailable`: a registry gives no answer that can be used: nothing is known
 * - `registry-limited`: a limit of ours was in the way of a question or of its answer: nothing is known, and no registry is to blame
 * - `registry-corrupt`: a registry's answer is not what was asked for: its bytes have another digest
 */
export type ErrorCode =
  | 'usage'
  | 'config-invalid'
  | 'rules-invalid'
  | 'review-invalid'
  | 'reference-invalid'
  | 'port-unavailable'
  | 'manifest-invalid'
  | 'kubeconfig-invalid'
  | 'setup-refused'
  | 'file-unreadable'
  | 'file-unwritable'
  | 'kube-unreachable'
  | 'enable-refused'
  | 'enable-failed'
  | 'registry-unavailable'
  | 'registry-limited'
  | 'registry-corrupt';

/** A single finding about some input: what is wrong, where, and what to do about it. */
export interface Problem {
  readonly message: string;
  readonly hint?: string;
  /** The file as the user named it. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
}

/** The one error class: everything that is thrown on purpose is one of these. */
export class ImageCheckerError extends Error {
  readonly code: ErrorCode;
  /** Every finding, never empty; `message` holds the first alone when there is only one. */
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, problems: Problem | readonly Problem[], options?: ErrorOptions) {
    const list: readonly Problem[] = 'message' in problems ? [problems] : problems;
    super(list.map(describeProblem).join('\n'), options);
    this.name = 'ImageCheckerError';
    this.code = code;
    this.problems = list;
  }
}

/** `file:line:column: message`, as far as the place is known; without the hint. */
export function describeProblem(problem: Problem): string {
  const { file, line, column, message } = problem;
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return place === '' ? message : `${place}: ${message}`;
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  // By its shape, not its class: an error of another realm is no instance of this realm's Error.
  if (typeof thrown !== 'object' || thrown === null || !('message' in thrown))
    return String(thrown);
  return String(thrown.message);
}

/** The code of a system error, such as `ENOENT`; empty for anything else. */
export function systemCode(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  return String(thrown.code);
}

/**
 * Waits for every step and returns their values; when some fail on purpose, throws one error with
 * the problems of all of them, each once where steps share a promise. Any other failure is passed
 * on as it is.
 */
export async function settleAll<T extends readonly unknown[]>(
  code: ErrorCode,
  steps: { readonly [Index in keyof T]: Promise<T[Index]> },
): Promise<T> {
  const settled = await Promise.allSettled(steps);
  const rejected = settled.flatMap((step): unknown[] =>
    step.status === 'rejected' ? [step.reason] : [],
  );
  const failures = [...new Set(rejected)];
  const unexpected = failures.find((failure) => !(failure instanceof ImageCheckerError));
  if (unexpected !== undefined) throw unexpected as Error;
  const problems = failures.flatMap((failure) => (failure as ImageCheckerError).problems);
  if (problems.length > 0) throw new ImageCheckerError(code, problems);
  return settled.map((step) => (step as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
