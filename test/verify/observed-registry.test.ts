import { describe, expect, it } from '@jest/globals';
import { ImageCheckerError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { observeRegistry } from '../../src/verify/observed-registry.ts';

const repository = { registry: 'a.com', repository: 'x' };
const { signal } = new AbortController();

function error(code: ErrorCode): () => Promise<never> {
  return () => Promise.reject(new ImageCheckerError(code, { message: code }));
}

describe('a registry that is observed', () => {
  it.each<[string, () => Promise<undefined>]>([
    ['missing', () => Promise.resolve(undefined)],
    ['unavailable', error('registry-unavailable')],
    ['limited', error('registry-limited')],
    ['corrupt', error('registry-corrupt')],
    ['failed', error('usage')],
    ['failed', () => Promise.reject(new TypeError('x'))],
  ])('gives the same, and is told as %s', async (expected, manifest) => {
    const told: string[] = [];
    const registry = { manifest } as unknown as Registry;
    const observed = observeRegistry(registry, (host, result) => told.push(`${host} ${result}`));
    const [given, got] = await Promise.allSettled([
      manifest(),
      observed.manifest(repository, 'v1', signal),
    ]);
    expect(got.status).toBe(given.status);
    expect(told).toEqual([`a.com ${expected}`]);
  });

  it('has all three questions answered by the registry itself', async () => {
    const asked: unknown[] = [];
    const told: string[] = [];
    const answer = (...question: readonly unknown[]) => {
      asked.push(question);
      return Promise.resolve([]);
    };
    const registry = { manifest: answer, blob: answer, referrers: answer } as unknown as Registry;
    const observed = observeRegistry(registry, (_host, result) => told.push(result));
    const blob = { digest: 'sha256:a', size: 1 };
    await observed.manifest(repository, 'v1', signal);
    await observed.blob(repository, blob, signal);
    expect(await observed.referrers(repository, 'sha256:b', signal)).toEqual([]);
    expect(asked).toEqual([
      [repository, 'v1', signal],
      [repository, blob, signal],
      [repository, 'sha256:b', signal],
    ]);
    expect(told).toEqual(['answered', 'answered', 'answered']);
  });
});
