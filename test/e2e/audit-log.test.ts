import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startScene } from './scene.ts';
import type { Scene } from './scene.ts';

const RULES = {
  rules: [
    { name: 'trusted', require: { registries: ['docker.io'] } },
    { name: 'written-out', require: { explicitRegistry: true } },
    { name: 'no-latest', mode: 'warn', forbid: { tags: ['latest'] } },
    { name: 'no-edge', mode: 'audit', forbid: { tags: ['edge'] } },
  ],
};
const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const POLICY = /^test-policy@[0-9a-f]+$/;

describe("kube-apiserver's audit log", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await startScene(RULES);
  });
  afterAll(() => scene.end());

  it.each([
    { name: 'clean', image: 'docker.io/shop/clean:1', code: 0, rules: {} },
    {
      name: 'warned',
      image: 'docker.io/shop/warned:latest',
      code: 0,
      rules: { 'warned-rules': 'no-latest' },
    },
    { name: 'audited', image: 'docker.io/shop/audited:edge', code: 0, rules: {} },
    {
      name: 'violated',
      image: 'quay.io/shop/violated:1',
      code: 1,
      rules: { 'violated-rules': 'trusted' },
    },
    {
      name: 'violated-and-warned',
      image: 'quay.io/shop/violated-and-warned',
      code: 1,
      rules: { 'violated-rules': 'trusted', 'warned-rules': 'no-latest' },
    },
    {
      name: 'violated-implied',
      image: 'shop-violated-implied:1',
      code: 1,
      rules: { 'violated-rules': 'written-out' },
    },
  ])('says by which policy $name was decided, and which rules spoke', async (given) => {
    expect((await scene.createPod(given)).code).toBe(given.code);
    expect(await scene.auditAnnotations(given.name)).toEqual({
      'decision-id': expect.stringMatching(ID),
      policy: expect.stringMatching(POLICY),
      ...given.rules,
    });
  });

  it('has the decision id that the user was shown, and the service logged', async () => {
    const image = 'quay.io/shop/followed:1';
    const { stderr } = await scene.createPod({ name: 'followed', image });
    const { 'decision-id': id } = await scene.auditAnnotations('followed');
    expect(id).toMatch(ID);
    expect(stderr).toContain(`\ndecision ${id ?? ''}`);
    expect(await scene.reviewsOf(image)).toMatchObject([{ decisionId: id, verdict: 'denied' }]);
  });
});
