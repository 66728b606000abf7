import { mountOf, readMounts, readVolumes } from '../manifest/mounts.ts';
import type { Mount, Volume } from '../manifest/mounts.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { kindOf } from './disk.ts';
import type { Findings } from './finding.ts';
import type { HostView, Located } from './host-view.ts';
import { checkLinks } from './link-checks.ts';

/** What kube-apiserver reads must be mounted, from where the files are, and fit to be mounted. */
export async function checkMounts(
  manifest: Manifest,
  view: HostView,
  findings: Findings,
  file: string,
): Promise<void> {
  const volumes = readVolumes(manifest);
  const mounts = readMounts(manifest, volumes);
  const { located } = view;
  checkPresent(located, findings, file);
  checkSource(located, findings, file);
  await checkLinks(located, mounts, findings);
  checkValid({ manifest, volumes, mounts }, findings);
  const used = new Set(located.flatMap(({ path }) => mountOf(mounts, path) ?? []));
  const misplaced = located.filter(({ way }) => way === 'elsewhere').map(({ path }) => path);
  for (const mount of used) {
    checkReadOnly(manifest, mount, findings);
    const volume = volumes.find(({ name }) => name === mount.volume);
    const isTold = misplaced.some((path) => mountOf(mounts, path) === mount);
    if (volume !== undefined && !isTold) await checkType(manifest, { mount, volume }, findings);
  }
  if (used.size === 0) return;
  findings.okUnlessFound('mount-read-only', 'mounted read-only', file);
  findings.okUnlessFound('mount-type', 'the volumes are of the type of what lies there', file);
}

function checkPresent(located: readonly Located[], findings: Findings, file: string): void {
  const lacking = located.filter(({ way }) => way === 'unmounted').map(({ path }) => path);
  if (lacking.length === 0) {
    findings.ok('mount-present', `${located.length} paths are under mounts of the host`, file);
    return;
  }
  const message = `expected a hostPath volume to be mounted over ${lacking.join(', ')}, got none`;
  findings.fail('mount-present', {
    file,
    message,
    hint: '`image-checker enable` adds volume and mount; --mount-path tells it where, if not at the path of --dir',
  });
}

function checkSource(located: readonly Located[], findings: Findings, file: string): void {
  const moved = located.filter(({ way }) => way === 'elsewhere');
  const [first] = moved;
  if (first === undefined) return;
  findings.fail('mount-source', {
    file,
    message: `expected ${first.path} to be mounted from where ${first.host} lies, got a mount of something else`,
    hint: 'name the folder of the files in hostPath.path of the volume',
  });
}

interface Mounting {
  readonly manifest: Manifest;
  readonly volumes: readonly Volume[];
  readonly mounts: readonly Mount[];
}

/** What the kubelet refuses a pod for. */
function checkValid({ manifest, volumes, mounts }: Mounting, findings: Findings): void {
  const names = new Set(volumes.map(({ name }) => name));
  for (const [index, mount] of mounts.entries()) {
    const at = mount.node.range[0];
    if (!names.has(mount.volume)) {
      const message = `expected a volume named ${mount.volume}, got none`;
      findings.fail('mount-valid', manifest.yaml.problem(at, message, 'add it to spec.volumes'));
    }
    if (mounts.findIndex(({ mountPath }) => mountPath === mount.mountPath) === index) continue;
    const message = `expected ${mount.mountPath} to be mounted once, got it again`;
    findings.fail('mount-valid', manifest.yaml.problem(at, message, 'take one of the two out'));
  }
}

function checkReadOnly({ yaml }: Manifest, mount: Mount, findings: Findings): void {
  if (mount.readOnly) return;
  const message = `expected ${mount.mountPath} to be mounted read-only, got it writable`;
  const problem = yaml.problem(mount.node.range[0], message, 'add readOnly: true to the mount');
  findings.warn('mount-read-only', problem);
}

const FOLDER_TYPES = new Set(['Directory', 'DirectoryOrCreate']);
const FILE_TYPES = new Set(['File', 'FileOrCreate']);

async function checkType(
  { yaml }: Manifest,
  { mount, volume }: { readonly mount: Mount; readonly volume: Volume },
  findings: Findings,
): Promise<void> {
  const { path, type } = volume;
  if (path === undefined || type === '') return;
  const kind = await kindOf(path);
  if (kind === undefined) return; // the files in it are told to be missing
  const fits = kind === 'folder' ? FOLDER_TYPES.has(type) : kind === 'file' && FILE_TYPES.has(type);
  if (fits) return;
  const what = kind === 'other' ? 'neither file nor folder' : `a ${kind}`;
  const message = `volume ${volume.name}: expected the type of ${path}, which is ${what}, got ${type}`;
  const hint = `write type: ${kind === 'folder' ? 'Directory' : 'File'}: the container does not start otherwise`;
  findings.fail('mount-type', yaml.problem(mount.node.range[0], message, hint));
}
