import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The types of a hostPath volume, and what has to be there for each. */
const IS_RIGHT = {
  Directory: (found) => found.isDirectory(),
  DirectoryOrCreate: (found) => found.isDirectory(),
  File: (found) => found.isFile(),
  FileOrCreate: (found) => found.isFile(),
  Socket: (found) => found.isSocket(),
  CharDevice: (found) => found.isCharacterDevice(),
  BlockDevice: (found) => found.isBlockDevice(),
};

/**
 * Checks a hostPath as the kubelet does before it starts a container, and makes what its type asks
 * to be made. Without a type nothing is checked, and the container runtime makes a folder.
 *
 * @throws {Error} worded as the kubelet's event (FailedMount)
 */
export function prepareHostPath({ name, path, type }) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (type === '') {
    if (found === undefined) mkdirSync(path, { recursive: true });
    return;
  }
  if (!Object.hasOwn(IS_RIGHT, type))
    throw new Error(`volume ${name}: unknown hostPath type ${type}`);
  if (found === undefined && type.endsWith('OrCreate')) {
    if (type === 'DirectoryOrCreate') mkdirSync(path, { recursive: true });
    else createFile(path);
    return;
  }
  if (found === undefined || !IS_RIGHT[type](found)) {
    throw new Error(
      `MountVolume.SetUp failed for volume "${name}" : hostPath type check failed: ${path} is not a ${type.replace('OrCreate', '').toLowerCase()}`,
    );
  }
}

/** The kubelet makes the file alone, not its folder. */
function createFile(path) {
  if (statSync(dirname(path), { throwIfNoEntry: false }) === undefined) {
    throw new Error(`expected the folder ${dirname(path)} for the file ${path}`);
  }
  writeFileSync(path, '', { mode: 0o644, flag: 'wx' });
}
