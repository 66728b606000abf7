import type { Failure } from './failure.ts';
import type { Answer } from './wire.ts';

/** Milliseconds that a server may make us wait before a second attempt. */
const MAX_RETRY_AFTER_MS = 3000;

interface Meaning {
  readonly says: string;
  readonly transient: boolean;
}

const NOBODY: Meaning = { says: 'it wants credentials', transient: false };
const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [400, { says: 'it takes the request for a wrong one', transient: false }],
  [401, { says: 'it does not take the credentials', transient: false }],
  [403, { says: 'whoever the credentials are of may not read it', transient: false }],
  [429, { says: 'it has had too many requests', transient: true }],
  [500, { says: 'it has a fault', transient: true }],
  [502, { says: 'what is behind it does not answer', transient: true }],
  [503, { says: 'it is not available', transient: true }],
  [504, { says: 'what is behind it does not answer in time', transient: true }],
]);

/** Whose credentials were sent. */
export interface Sender {
  readonly isAnonymous: boolean;
  /** For the one who was refused. */
  readonly hint: string;
}

/** What a status that is no success says, in words. */
export function describeStatus(answer: Answer, sender: Sender): Failure {
  const { host, request, status } = answer;
  const meaning = status === 401 && sender.isAnonymous ? NOBODY : MEANINGS.get(status);
  const reason = [meaning?.says, errorCodeOf(answer)].filter((part) => part !== undefined);
  const failed = `${host}: expected 200 for ${request}, got ${[status, ...reason].join(', ')}`;
  const delay = retryAfterOf(answer);
  const isLong = delay !== undefined && delay > MAX_RETRY_AFTER_MS;
  return {
    failed,
    ...(status === 401 || status === 403 ? { hint: sender.hint } : {}),
    transient: meaning?.transient === true && !isLong,
    ...(delay === undefined ? {} : { retryAfter: delay }),
  };
}

/** Such as `DENIED`, of the distribution specification; nothing else of what the server writes is repeated. */
function errorCodeOf({ body }: Answer): string | undefined {
  const [, code] = /"code"\s*:\s*"([A-Z_]{1,40})"/.exec(Buffer.from(body).toString('latin1')) ?? [];
  return code;
}

/** Milliseconds; a date is not understood. */
function retryAfterOf({ headers }: Answer): number | undefined {
  const written = headers['retry-after'] ?? '';
  return /^[0-9]{1,6}$/.test(written) ? Number(written) * 1000 : undefined;
}
