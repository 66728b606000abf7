import { appendFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * The log of one run of a container, where a container runtime would write it and in its format:
 * `TIME STREAM F LINE`, in /var/log/pods, with a link in /var/log/containers.
 */
export function openContainerLog({ namespace, name, uid, container }, containerId, attempt) {
  const folder = join('/var/log/pods', `${namespace}_${name}_${uid}`, container.name);
  const links = '/var/log/containers';
  const file = join(folder, `${attempt}.log`);
  mkdirSync(folder, { recursive: true });
  mkdirSync(links, { recursive: true });
  const link = join(links, `${name}_${namespace}_${container.name}-${containerId}.log`);
  appendFileSync(file, '');
  symlinkSync(file, link);
  return {
    take(stream, streamName) {
      createInterface({ input: stream }).on('line', (line) => {
        // The runtime writes nanoseconds.
        const time = new Date().toISOString().replace('Z', '000000Z');
        appendFileSync(file, `${time} ${streamName} F ${line}\n`);
      });
    },
    /** The kubelet keeps one run before the current one. */
    removeWithLink() {
      rmSync(link, { force: true });
      rmSync(file, { force: true });
    },
  };
}
