import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/**
 * What the kubelet would read as manifests: every file whose name does not begin with a dot,
 * whatever it ends with, and no folder.
 */
export function readManifests(folder) {
  return namesIn(folder)
    .filter((name) => !name.startsWith('.'))
    .map((name) => join(folder, name))
    .flatMap((file) => {
      try {
        return statSync(file).isFile() ? [{ file, text: readFileSync(file, 'utf8') }] : [];
      } catch (error) {
        if (error.code === 'ENOENT') return []; // gone since it was listed
        throw error;
      }
    });
}

function namesIn(folder) {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * The pod of a manifest, with the id that a kubelet would give it: another file or another text is
 * another pod.
 *
 * @throws {Error} when the kubelet would not take it
 */
export function parseStaticPod({ file, text }, nodeName) {
  const pod = parse(text);
  expectThat(isObject(pod), 'expected an object');
  expectThat(pod.apiVersion === 'v1', `expected apiVersion v1, got ${pod.apiVersion}`);
  expectThat(pod.kind === 'Pod', `expected kind Pod, got ${pod.kind}`);
  const { metadata, spec } = pod;
  expectThat(isObject(metadata) && typeof metadata.name === 'string', 'expected metadata.name');
  expectThat(isObject(spec) && Array.isArray(spec.containers), 'expected spec.containers');
  expectThat(spec.containers.length === 1, 'expected one container: this stand-in knows no more');
  const uid = createHash('md5').update(`${nodeName}\0${file}\0${text}`).digest('hex');
  return {
    file,
    uid,
    name: `${metadata.name}-${nodeName}`,
    namespace: metadata.namespace ?? 'default',
    graceSeconds: spec.terminationGracePeriodSeconds ?? 30,
    container: readContainer(spec.containers[0]),
    mounts: readMounts(spec),
  };
}

function readContainer({ name, command, args = [] }) {
  expectThat(typeof name === 'string', 'expected a name of the container');
  expectThat(
    isListOfText(command) && command.length > 0 && isListOfText(args),
    'expected command and args as lists of strings',
  );
  return { name, program: command[0], args: [...command.slice(1), ...args] };
}

/** The volumeMounts of the container, each with the hostPath that it shows; outer ones first. */
function readMounts({ containers: [container], volumes = [] }) {
  const volumeOf = (name) => {
    const found = volumes.filter((volume) => volume.name === name);
    expectThat(found.length < 2, `expected one volume ${name}, got ${found.length}`);
    expectThat(found.length === 1, `volumeMount ${name}: there is no volume of that name`);
    expectThat(isObject(found[0].hostPath), `volume ${name}: expected a hostPath`);
    return found[0].hostPath;
  };
  const mounts = (container.volumeMounts ?? []).map(({ name, mountPath, readOnly, subPath }) => {
    expectThat(subPath === undefined, `volumeMount ${name}: subPath is not known here`);
    expectThat(String(mountPath).startsWith('/'), `volumeMount ${name}: expected a mountPath`);
    const { path, type = '' } = volumeOf(name);
    return { name, path, type, mountPath, readOnly: readOnly === true };
  });
  const places = mounts.map(({ mountPath }) => mountPath);
  const twice = places.find((place, index) => places.indexOf(place) !== index);
  expectThat(twice === undefined, `mountPath ${twice} is there twice`);
  return mounts.sort((a, b) => a.mountPath.length - b.mountPath.length);
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOfText(value) {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function expectThat(holds, message) {
  if (!holds) throw new Error(message);
}
