import { MANIFEST, startNode } from '../support/node.ts';
import type { ControlPlaneNode, Running } from '../support/node.ts';
import type { Ended } from '../support/lab.ts';
import { eventually } from './eventually.ts';

export const ADMISSION = '/etc/kubernetes/admission';
export const BACKUPS = '/etc/kubernetes/image-checker-backup';
const SERVE = ['image-checker', 'serve', '--config', '/etc/image-checker/config.yaml'];

/** A control-plane node where `setup` has run and the service answers. */
export interface ServedNode extends ControlPlaneNode {
  /** Kubeadm's manifest, before anything. */
  readonly manifest: string;
  /** `image-checker ARGS` to its end. */
  run(...args: readonly string[]): Promise<Ended>;
  kubectl(...args: readonly string[]): Promise<Ended>;
  startService(): Promise<void>;
  stopService(): Promise<void>;
  /** Replaces a text that has to be there. */
  edit(path: string, old: string, replacement: string): Promise<void>;
  /** In one rename, as whoever edits a manifest should. */
  replace(path: string, text: string): Promise<void>;
  list(folder: string): Promise<readonly string[]>;
  /** The processes of kube-apiserver: another one is a restart. */
  apiserver(): Promise<string>;
  isReady(): Promise<boolean>;
}

export async function startServedNode(
  options: { readonly manifest?: string } = {},
): Promise<ServedNode> {
  const node = await startNode(options);
  try {
    const served = serve(node, await node.read(MANIFEST));
    const { code, stderr } = await served.run('setup');
    if (code !== 0) throw new Error(`setup ended with ${code}\n${stderr}`);
    await served.startService();
    return served;
  } catch (thrown) {
    await node.end();
    throw thrown;
  }
}

function serve(node: ControlPlaneNode, manifest: string): ServedNode {
  let service: Running | undefined;
  const replace: ServedNode['replace'] = async (path, text) => {
    const staged = path.replace(/[^/]+$/, '.$&.new');
    await node.write(staged, text);
    await node.exec(['mv', staged, path]);
  };
  return {
    ...node,
    manifest,
    run: (...args) => node.exec(['image-checker', ...args]),
    kubectl: (...args) => node.exec(['kubectl', ...args]),
    async startService() {
      service = node.spawn(SERVE);
      const { ended } = service;
      const failed = ended.then(({ stderr }) => Promise.reject(new Error(stderr)));
      failed.catch(() => undefined);
      const url = 'http://127.0.0.1:9090/readyz';
      const isUp = async (): Promise<true | undefined> =>
        (await node.exec(['curl', '-sf', '--max-time', '2', url])).code === 0 || undefined;
      await Promise.race([failed, eventually('a service that is ready', isUp)]);
    },
    async stopService() {
      await service?.kill('TERM');
      await service?.ended;
    },
    async edit(path, old, replacement) {
      const text = await node.read(path);
      if (!text.includes(old)) throw new Error(`expected ${old} in ${path}`);
      await replace(path, text.replace(old, replacement));
    },
    replace,
    list: async (folder) =>
      (await node.exec(['ls', '-A', folder])).stdout.split('\n').filter((name) => name !== ''),
    apiserver: async () => (await node.exec(['pgrep', '-x', 'kube-apiserver'])).stdout,
    isReady: async () =>
      (await node.exec(['kubectl', 'get', '--raw', '/readyz', '--request-timeout=2s'])).stdout ===
      'ok',
  };
}
