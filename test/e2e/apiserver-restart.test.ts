import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startScene } from './scene.ts';
import type { Scene } from './scene.ts';

/** Somebody who creates pods over and over, with an image that is allowed and one that is not in turn. */
function startCreating(scene: Scene) {
  const state = { isOver: false, count: 0, created: 0, refused: 0 };
  const wrong: string[] = [];
  const unserved: string[] = [];
  const createOne = async (): Promise<void> => {
    const number = state.count++;
    const isTrusted = number % 2 === 0;
    const image = `${isTrusted ? 'docker.io' : 'evil.example'}/shop/app-${number}`;
    const { code, stderr } = await scene.createPod({ name: `pod-${number}`, image });
    const isDenied = stderr.includes('image policy webhook backend denied');
    if (code === 0 ? !isTrusted : isDenied && isTrusted) wrong.push(`${image}: ${stderr}`);
    else if (code === 0) state.created++;
    else if (isDenied) state.refused++;
    else unserved.push(stderr);
  };
  const work = (async () => {
    while (!state.isOver) await createOne();
  })();
  return {
    ...{ wrong, unserved },
    /** Waits until so many more pods have been created, and so many refused. */
    async more(count: number): Promise<void> {
      const [created, refused] = [state.created + count, state.refused + count];
      while (state.created < created || state.refused < refused) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async stop(): Promise<void> {
      state.isOver = true;
      await work;
    },
  };
}

describe('pods that are created all the while', () => {
  let scene: Scene;
  let creating: ReturnType<typeof startCreating>;
  beforeAll(async () => {
    scene = await startScene();
    creating = startCreating(scene);
    await creating.more(2);
    expect(creating.unserved).toEqual([]);
  });
  afterAll(async () => {
    await creating.stop();
    await scene.end();
  });

  it('are admitted and refused rightly when kube-apiserver is restarted', async () => {
    await scene.changePlugin({});
    await creating.more(3);
    expect(creating.wrong).toEqual([]);
    // The service has nothing to say about a client that comes and goes.
    expect(scene.logged('a request failed')).toEqual([]);
  });

  it('are refused, whatever their image, while the service is away, and rightly judged after', async () => {
    await scene.stopService();
    const before = creating.unserved.length;
    while (creating.unserved.length < before + 4) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(creating.unserved.at(-1)).toMatch(/is forbidden: Post .*connection refused/);
    await scene.startService();
    await creating.more(3);
    expect(creating.wrong).toEqual([]);
  });
});
