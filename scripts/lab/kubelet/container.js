import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { openContainerLog } from './container-log.js';
import { prepareHostPath } from './host-path.js';

/**
 * Builds a root of its own and becomes the program in it. Arguments: the program's file, the name
 * under which the container knows it, `MODE PATH MOUNTPATH` for each mount, `--`, and the program's
 * arguments. Nothing is visible but what is mounted here: a path that no volume brings in is not
 * there, as in a real container.
 */
const ENTER = `
set -eu
program=$1 name=$2
shift 2
root=/run/lab-kubelet/root
mkdir -p "$root"
mount -t tmpfs -o mode=0755 lab-kubelet "$root"
mkdir -p "$root/dev" "$root/etc" "$root/proc" "$root/tmp" "$root/usr/local/bin"
chmod 1777 "$root/tmp"
show() { # MODE FROM TO
  if [ -d "$2" ]; then mkdir -p "$root$3"; else mkdir -p "$(dirname "$root$3")"; [ -e "$root$3" ] || : >"$root$3"; fi
  mount --rbind "$2" "$root$3"
  [ "$1" = rw ] || mount -o remount,bind,ro "$root$3"
}
show rw /dev /dev
show ro "$program" "/usr/local/bin/$name"
for file in hosts resolv.conf; do [ ! -e "/etc/$file" ] || show ro "/etc/$file" "/etc/$file"; done
while [ "$1" != -- ]; do show "$1" "$2" "$3"; shift 3; done
shift
mount -t proc proc "$root/proc"
exec chroot "$root" "/usr/local/bin/$name" "$@"
`;

/** A program is the name of an executable in `bin`: images cannot be pulled here. */
function programOf(bin, { program }) {
  const name = program.split('/').at(-1);
  const file = join(bin, name);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new Error(`ErrImagePull: the stand-in has no program ${name}`);
  }
  return { name, file };
}

/**
 * Starts the container of a static pod. `onExit` is called with what it ended with.
 *
 * @throws {Error} what the kubelet would report when it cannot start it
 */
export function startContainer({ pod, bin, attempt, onExit }) {
  for (const mount of pod.mounts) prepareHostPath(mount);
  const { name, file } = programOf(bin, pod.container);
  const id = randomBytes(32).toString('hex');
  const mounts = pod.mounts.flatMap(({ readOnly, path, mountPath }) => [
    ...[readOnly ? 'ro' : 'rw', path, mountPath],
  ]);
  const enter = ['sh', '-c', ENTER, 'container', file, name, ...mounts, '--'];
  const child = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', ...enter, ...pod.container.args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH } },
  );
  const log = openContainerLog(pod, id, attempt);
  log.take(child.stdout, 'stdout');
  log.take(child.stderr, 'stderr');
  child.on('close', (code, signal) => onExit(signal ?? `code ${code}`));
  child.on('error', (error) => onExit(error.message));
  return { id, log, kill: (signal) => child.kill(signal) };
}
