import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startScene } from './scene.ts';
import type { Scene } from './scene.ts';

const KEY = 'image-checker.image-policy.k8s.io/break-glass';
const RULES = {
  breakGlass: { annotation: KEY, ticket: 'INC-[0-9]+', namespaces: ['prod-*'] },
  rules: [
    {
      name: 'trusted-registries',
      require: { registries: ['docker.io'] },
      message: 'not trusted image!',
    },
  ],
};

describe('break-glass', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await startScene(RULES);
    const { code } = await scene.kubectl(['create', 'namespace', 'prod-shop']);
    expect(code).toBe(0);
  });
  afterAll(() => scene.end());

  const withTicket = (name: string, image: string, ticket: string) =>
    scene.createPod({ name, image, namespace: 'prod-shop', annotations: { [KEY]: ticket } });

  it('admits with a valid ticket what the rules refuse, and records both', async () => {
    const image = 'quay.io/shop/hotfix:1';
    expect(await withTicket('hotfix', image, 'INC-4711')).toMatchObject({ code: 0 });
    expect(await scene.auditAnnotations('hotfix')).toMatchObject({
      'break-glass': 'INC-4711',
      'violated-rules': 'trusted-registries',
    });
    expect(await scene.reviewsOf(image)).toMatchObject([
      {
        level: 'warn',
        verdict: 'allowed',
        breakGlass: { accepted: true, ticket: 'INC-4711' },
        violations: [{ rule: 'trusted-registries', image }],
      },
    ]);
  });

  it('is recorded where nothing was violated', async () => {
    expect((await withTicket('needless', 'docker.io/shop/needless:1', 'INC-1')).code).toBe(0);
    const annotations = await scene.auditAnnotations('needless');
    expect(annotations).toMatchObject({ 'break-glass': 'INC-1' });
    expect(annotations).not.toHaveProperty('violated-rules');
  });

  it('admits an update that the rules refuse too', async () => {
    const pod = { name: 'kept', image: 'quay.io/shop/kept:1', namespace: 'prod-shop' };
    expect((await withTicket(pod.name, pod.image, 'INC-5')).code).toBe(0);
    const annotate = (ticket: string) =>
      scene.kubectl([
        ...['annotate', 'pod', pod.name, '--namespace', pod.namespace],
        ...['--overwrite', `${KEY}=${ticket}`],
      ]);
    expect((await annotate('INC-6')).code).toBe(0);
    const refused = await annotate('none');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`${pod.image}: registry quay.io is none of docker.io`);
  });

  it.each([
    { name: 'a-word', ticket: 'please', why: 'the ticket does not match INC-[0-9]+' },
    { name: 'half-of-one', ticket: 'INC-', why: 'the ticket does not match INC-[0-9]+' },
    { name: 'one-among-words', ticket: 'see INC-1', why: 'the ticket does not match INC-[0-9]+' },
    { name: 'two-lines', ticket: 'INC-1\nINC-2', why: 'the ticket does not match INC-[0-9]+' },
    { name: 'nothing', ticket: '', why: 'the ticket is empty' },
  ])('does not take $name for a ticket', async ({ name, ticket, why }) => {
    const image = `quay.io/shop/${name}:1`;
    const { code, stderr } = await withTicket(name, image, ticket);
    expect(code).toBe(1);
    expect(stderr).toContain(`${image}: registry quay.io is none of docker.io`);
    expect(stderr).toContain(`break-glass refused: ${why}`);
    expect(await scene.auditAnnotations(name)).not.toHaveProperty('break-glass');
  });

  it('is refused in a namespace that the rules do not name', async () => {
    const { code, stderr } = await scene.createPod({
      name: 'elsewhere',
      image: 'quay.io/shop/elsewhere:1',
      annotations: { [KEY]: 'INC-4711' },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('not trusted image!');
    expect(stderr).toContain('break-glass refused: there is none in namespace default');
  });

  it.each([
    { name: 'no-annotation', annotations: {} },
    { name: 'not-sent', annotations: { 'break-glass': 'INC-4711' } },
    { name: 'other-key', annotations: { 'other.image-policy.k8s.io/break-glass': 'INC-4711' } },
    { name: 'longer-key', annotations: { [`${KEY}-please`]: 'INC-4711' } },
  ])('does not begin without its annotation ($name)', async ({ name, annotations }) => {
    const image = `quay.io/shop/${name}:1`;
    const { code, stderr } = await scene.createPod({
      ...{ name, image, annotations },
      namespace: 'prod-shop',
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`${image}: registry quay.io is none of docker.io`);
    expect(stderr).not.toContain('break-glass');
  });

  it('does not admit an image that no runtime can read', async () => {
    const image = 'docker.io/Shop/Unreadable';
    const { code, stderr } = await withTicket('unreadable', image, 'INC-4711');
    expect(code).toBe(1);
    expect(stderr).toContain(`${image}: `);
  });
});
