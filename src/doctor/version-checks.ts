import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../errors.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { stringOf } from '../manifest/nodes.ts';
import type { Findings } from './finding.ts';

export interface Version {
  readonly text: string;
  readonly minor: number;
  readonly patch: number;
}

/** Milliseconds: an apiserver that is up answers at once. */
const KUBECTL_MS = 10_000;
const MAX_OUTPUT = 1024 * 1024;

/** The patch from which each line asks for ephemeral containers too; lines after 1.27 always did. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [24, 15],
  [25, 11],
  [26, 6],
  [27, 3],
]);
const OLDEST_FIXED = 24;
const IMAGE_VOLUMES = 33;

/** What kube-apiserver runs, by itself or by the image that its manifest names. */
export async function checkVersion(
  { manifest, kubeconfig }: { readonly manifest?: Manifest; readonly kubeconfig?: string },
  findings: Findings,
): Promise<Version | undefined> {
  if (manifest === undefined && kubeconfig === undefined) return undefined;
  const asked = kubeconfig === undefined ? undefined : await askVersion(kubeconfig, findings);
  const image = manifest && stringOf(manifest.yaml, manifest.container, 'image');
  const version = asked ?? readVersion(image ?? '');
  if (version === undefined) {
    if (findings.has('version-known')) return undefined;
    const message = `expected an image with a version, got ${image ?? 'none'}`;
    findings.warn('version-known', { message, hint: 'name a kubeconfig with --kubeconfig' });
    return undefined;
  }
  findings.ok('version-known', `kube-apiserver ${version.text}`);
  checkEphemeral(version, findings);
  checkVolumes(version, findings);
  return version;
}

/** Of `registry/kube-apiserver:v1.30.4`, `v1.30.4+k3s1` and the like. */
function readVersion(text: string): Version | undefined {
  const match = /(?:^|:)v?1\.(\d{1,3})\.(\d{1,3})(?:[-+_.@]|$)/.exec(text);
  if (match === null) return undefined;
  const [, minor = '', patch = ''] = match;
  return { text: `v1.${minor}.${patch}`, minor: Number(minor), patch: Number(patch) };
}

async function askVersion(kubeconfig: string, findings: Findings): Promise<Version | undefined> {
  try {
    const args = ['version', '-o', 'json', '--request-timeout=5s', '--kubeconfig', kubeconfig];
    const options = { timeout: KUBECTL_MS, maxBuffer: MAX_OUTPUT };
    const { stdout } = await promisify(execFile)('kubectl', args, options);
    const told = /"serverVersion"[^}]{0,400}"gitVersion": *"([^"]{1,60})"/.exec(stdout)?.[1];
    if (told !== undefined) return readVersion(told);
    throw new Error('no version of the server');
  } catch (thrown) {
    const message = `expected the version from kubectl, got ${messageOf(thrown).slice(0, 300)}`;
    findings.warn('version-known', { file: kubeconfig, message });
    return undefined;
  }
}

function checkEphemeral({ text, minor, patch }: Version, findings: Findings): void {
  const id = 'version-cve-2023-2727';
  const fixed = FIXED.get(minor);
  const isFixed = fixed === undefined ? minor > OLDEST_FIXED : patch >= fixed;
  if (isFixed) {
    findings.ok(id, 'ephemeral containers are asked about');
    return;
  }
  const message = `expected a version with CVE-2023-2727 fixed, got ${text}: kubectl debug gets any image in`;
  const hint = 'upgrade to 1.24.15, 1.25.11, 1.26.6, 1.27.3 or newer';
  // Not a failure: what kube-apiserver lacks it lacks without the plugin as well.
  findings.warn(id, { message, hint });
}

function checkVolumes({ text, minor }: Version, findings: Findings): void {
  const id = 'version-image-volumes';
  if (minor < IMAGE_VOLUMES) {
    findings.ok(id, 'there are no image volumes');
    return;
  }
  const message = `the plugin does not ask about image volumes, which ${text} has`;
  const hint = 'refuse volumes[].image by a ValidatingAdmissionPolicy';
  findings.warn(id, { message, hint });
}
