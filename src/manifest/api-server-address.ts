import { readFlags } from './flags.ts';
import { readManifest } from './manifest.ts';

/** kube-apiserver's own default. */
const DEFAULT_PORT = 6443;
/** Every address of the machine. */
const WILDCARDS = ['', '0.0.0.0', '::'];

/**
 * Where the kube-apiserver of a manifest listens, as seen from its own machine.
 *
 * @throws {ImageCheckerError} `manifest-invalid`
 */
export function apiServerAddress(
  text: string,
  file?: string,
): { readonly host: string; readonly port: number } | undefined {
  const { yaml, words } = readManifest(text, file);
  const names = new Set(['bind-address', 'advertise-address', 'secure-port']);
  const flags = new Map(readFlags(yaml, words, names).map(({ name, value }) => [name, value]));
  const addresses = [flags.get('bind-address') ?? '', flags.get('advertise-address') ?? ''];
  const host = addresses.find((address) => !WILDCARDS.includes(address)) ?? '127.0.0.1';
  const port = Number(flags.get('secure-port') ?? DEFAULT_PORT);
  return Number.isInteger(port) && port > 0 && port < 65536 ? { host, port } : undefined;
}
