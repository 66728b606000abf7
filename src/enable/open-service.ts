import { askService } from '../ask/ask-service.ts';
import { ImageCheckerError } from '../errors.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { loadPem, readKubeconf } from '../kubeconf/read-kubeconf.ts';
import type { Kubeconf, PemSource } from '../kubeconf/kubeconf.ts';
import { readManifest } from '../manifest/manifest.ts';
import { hostPathOf, readMounts, readVolumes } from '../manifest/mounts.ts';
import type { Enabling } from './plan-enable.ts';
import type { AskService } from './ports.ts';

/**
 * The service that the plugin is going to ask: by the kubeconf that the admission configuration
 * names, with every path looked up through the mounts that kube-apiserver is going to have.
 *
 * @throws {ImageCheckerError} `enable-refused`, `file-unreadable`, `kubeconfig-invalid`
 */
export async function openService(plan: Enabling): Promise<AskService> {
  const place = hostPlaces(plan);
  const named = kubeconfOf(plan);
  const file = place(named);
  const text = await readTextFile(file, 'kubeConfigFile of the admission configuration names it');
  // Relative paths are relative to the kubeconf as kube-apiserver sees it.
  const kubeconf = readKubeconf(text, file, named.slice(0, Math.max(1, named.lastIndexOf('/'))));
  refuseUnsupported(kubeconf, file);
  const [ca, certificate, key] = await Promise.all([
    load(kubeconf.ca, 'certificate-authority', file, place),
    load(kubeconf.clientCertificate, 'client-certificate', file, place),
    load(kubeconf.clientKey, 'client-key', file, place),
  ]);
  const { server: url, tlsServerName: serverName } = kubeconf;
  const address = { url, ...(serverName !== undefined && { serverName }), ca, certificate, key };
  return (question) => askService(address, question);
}

type Place = (path: string) => string;

/** Where on this machine a path of the container is. @throws `enable-refused` for one that is not */
function hostPlaces({ manifest: { text, file } }: Enabling): Place {
  const manifest = readManifest(text, file);
  const mounts = readMounts(manifest, readVolumes(manifest));
  return (path) => {
    const found = hostPathOf(mounts, path);
    if (found !== undefined) return found;
    const message = `expected ${path} in a folder that kube-apiserver mounts from the host, got none`;
    throw refusal(file, message, 'put it into the admission folder, or mount its folder');
  };
}

function kubeconfOf({ imagePolicy, admissionConfiguration: { file } }: Enabling): string {
  const named = imagePolicy['kubeConfigFile'];
  if (typeof named === 'string' && named.startsWith('/')) return named;
  const message = `kubeConfigFile: expected an absolute path, got ${JSON.stringify(named)}`;
  throw refusal(file, message, 'write the path as kube-apiserver sees it');
}

/** What kube-apiserver can, and this cannot; or what it had better not. */
function refuseUnsupported(
  { server, insecureSkipTlsVerify, proxyUrl }: Kubeconf,
  file: string,
): void {
  if (server.protocol !== 'https:') {
    throw refusal(
      file,
      `server: expected https, got ${server.href}`,
      'the plugin takes https alone',
    );
  }
  if (insecureSkipTlsVerify) {
    const hint = 'name the CA of the service as certificate-authority';
    throw refusal(file, 'expected a verified service, got insecure-skip-tls-verify', hint);
  }
  if (proxyUrl !== undefined) {
    throw refusal(
      file,
      'expected no proxy-url, got one',
      'let kube-apiserver ask the service itself',
    );
  }
}

async function load(
  source: PemSource | undefined,
  key: string,
  file: string,
  place: Place,
): Promise<string> {
  if (source !== undefined) return loadPem(source, place);
  throw refusal(file, `expected ${key}, got none`, 'the service answers over mutual TLS alone');
}

function refusal(file: string, message: string, hint: string): ImageCheckerError {
  return new ImageCheckerError('enable-refused', { file, message, hint });
}
