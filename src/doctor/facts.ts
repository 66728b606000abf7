import { createHash } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { ImageCheckerError } from '../errors.ts';
import { CONFIG_FLAG, DISABLE_FLAG, ENABLE_FLAG, flagsNamed } from '../manifest/manifest.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { stringOf } from '../manifest/nodes.ts';
import { pluginsOf } from '../manifest/plugin-list.ts';
import { VERSION } from '../version.ts';
import { readDisk } from './disk.ts';
import type { ImagePolicyValues } from './image-policy-checks.ts';
import type { KubeconfView } from './kubeconf-checks.ts';
import type { ServiceView } from './service-checks.ts';

/** What has to be alike on every control-plane node, by name; what a node may have of its own is not here. */
export type Facts = Readonly<Record<string, string>>;

/** What was read of one node, as far as it could be. */
export interface Read {
  readonly manifest: Manifest | undefined;
  readonly imagePolicy: ImagePolicyValues | undefined;
  readonly kubeconf: KubeconfView | undefined;
  readonly service: ServiceView | undefined;
  readonly rules: string | undefined;
}

/** Certificates are not among them: each node may have a CA of its own. */
export async function factsOf(read: Read): Promise<Facts> {
  const { manifest, imagePolicy, kubeconf, service, rules } = read;
  return {
    'image-checker': VERSION,
    ...(manifest && manifestFacts(manifest)),
    ...(imagePolicy && policyFacts(imagePolicy)),
    ...(kubeconf && { 'address of the service': kubeconf.kubeconf.server.href }),
    ...(service?.config && configFacts(service.config)),
    ...(rules !== undefined && (await rulesFacts(rules))),
  };
}

function manifestFacts(manifest: Manifest): Facts {
  const { yaml, container } = manifest;
  const last = (name: string): string => flagsNamed(manifest, name).at(-1)?.value ?? 'none';
  return {
    'image of kube-apiserver': stringOf(yaml, container, 'image') ?? 'none',
    'enabled plugins': pluginsIn(manifest, ENABLE_FLAG),
    'disabled plugins': pluginsIn(manifest, DISABLE_FLAG),
    'admission configuration': last(CONFIG_FLAG),
  };
}

/** Their order is of no importance to kube-apiserver. */
function pluginsIn(manifest: Manifest, name: string): string {
  try {
    const flag = flagsNamed(manifest, name).at(-1);
    const plugins = flag === undefined ? [] : pluginsOf(manifest.yaml, flag);
    return plugins.length === 0 ? 'none' : plugins.sort().join(',');
  } catch (thrown) {
    if (thrown instanceof ImageCheckerError) return 'unreadable';
    throw thrown;
  }
}

const POLICY_KEYS = ['kubeConfigFile', 'allowTTL', 'denyTTL', 'retryBackoff', 'defaultAllow'];

function policyFacts({ values }: ImagePolicyValues): Facts {
  return Object.fromEntries(POLICY_KEYS.map((key) => [key, JSON.stringify(values[key] ?? null)]));
}

/** Without paths, which are a node's own. */
function configFacts({ listen, tls, limits, pluginCacheSeconds }: Config): Facts {
  return {
    listen: `${listen.host}:${listen.port}`,
    'lowest version of TLS': tls.minVersion,
    'allowed clients': tls.allowedClients.toSorted().join(','),
    limits: JSON.stringify(limits),
    pluginCacheSeconds: String(pluginCacheSeconds),
  };
}

async function rulesFacts(file: string): Promise<Facts> {
  const read = await readDisk(file);
  if ('problem' in read) return { rules: 'unreadable' };
  return { rules: `sha256:${createHash('sha256').update(read.text).digest('hex')}` };
}
