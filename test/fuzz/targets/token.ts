import assert from 'node:assert/strict';
import { validateHeaderValue } from 'node:http';
import { isFailure } from '../../../src/registry/failure.ts';
import { describeStatus } from '../../../src/registry/statuses.ts';
import { readToken } from '../../../src/registry/token-request.ts';

const ANSWER = {
  host: 'auth.a.test',
  origin: 'https://auth.a.test',
  request: 'GET /token',
  headers: {},
};
const SENDER = { isAnonymous: false, hint: 'the credentials are from config.json' };
const DAY_MS = 86_400_000;

/**
 * An answer of a token service is a token that can be sent, for a day at most, or a failure; and
 * of an answer that is a refusal nothing is repeated but a code.
 */
export function fuzz(body: Uint8Array): void {
  const refused = describeStatus({ ...ANSWER, status: 403, body }, SENDER);
  assert.match(
    refused.failed,
    /^auth\.a\.test: expected 200 for GET \/token, got 403, [a-z ]+(?:, [A-Z_]{1,40})?$/,
  );
  const token = readToken({ ...ANSWER, status: 200, body });
  const expected = tokenIn(body);
  if (isFailure(token)) {
    assert.ok(!isSendable(expected));
    assert.equal(token.failed, 'auth.a.test: expected a token of its token service, got none');
    return;
  }
  assert.equal(token.value, expected);
  assert.ok(isSendable(token.value));
  validateHeaderValue('authorization', `Bearer ${token.value}`);
  assert.ok(token.lifetime > 0 && token.lifetime <= DAY_MS);
}

function tokenIn(body: Uint8Array): unknown {
  try {
    const answer = Object(JSON.parse(Buffer.from(body).toString())) as Record<string, unknown>;
    return Object.hasOwn(answer, 'token') && answer['token'] !== null
      ? answer['token']
      : answer['access_token'];
  } catch {
    return undefined;
  }
}

/** Visible ASCII, and no longer than a header may be. */
function isSendable(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= 12 * 1024 &&
    Array.from(value).every((each) => each > ' ' && each <= '~')
  );
}
