/** meta/v1 Status: how the Kubernetes API says that something failed. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason: string;
  readonly code: number;
}

/** metav1.StatusReason by HTTP status code. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [400, 'BadRequest'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [405, 'MethodNotAllowed'],
  [413, 'RequestEntityTooLarge'],
  [415, 'UnsupportedMediaType'],
  [429, 'TooManyRequests'],
]);

/**
 * A failure as the caller of a Kubernetes API expects it. kube-apiserver hands the message of a
 * Status to its user as it is, so it says whose it is.
 */
export function failureStatus(code: number, message: string): Status {
  const reason = REASONS.get(code) ?? 'InternalError';
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `image-checker: ${message}`,
    reason,
    code,
  };
}
