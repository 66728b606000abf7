#!/usr/bin/env node
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runPod } from './kubelet/pod-worker.js';
import { parseStaticPod, readManifests } from './kubelet/static-pod.js';

const USAGE = `usage: scripts/lab/kubelet.js --bin FOLDER [--manifests FOLDER] [--node-name NAME]

A stand-in for the kubelet, as far as static pods go: runs the pod of every file in the manifests
folder whose name does not begin with a dot. A file that changes, breaks or goes takes its pod
down; a file that is new or another one starts one. A container that ends is started again, after a
pause that doubles from 1 s to 30 s.

--bin FOLDER         programs by name, in place of images: kube-apiserver for a command
                     that begins with kube-apiserver
--manifests FOLDER   default /etc/kubernetes/manifests
--node-name NAME     what is appended to the pods' names (default: the host name)

A container sees its hostPath volumes and nothing else. hostPaths are checked by their type, and
volumeMounts for their volumes. Logs are where a container runtime writes them, /var/log/pods, with
links in /var/log/containers. It needs root, and writes to /run, /var/log and whatever a volume of
type DirectoryOrCreate names: run it in scripts/lab/node.sh, not on a machine that you care for.

TERM or INT ends the containers and then the stand-in.
`;

/** The kubelet is told by inotify; it takes it about as long. */
const LOOK_EVERY_MS = 500;

function readArguments() {
  try {
    const text = { type: 'string' };
    const options = { bin: text, manifests: text, 'node-name': text, help: { type: 'boolean' } };
    return parseArgs({ options }).values;
  } catch (error) {
    return { mistake: error.message };
  }
}

function say(message) {
  console.error(`kubelet: ${message}`);
}

/** The pods that should run, by file; what is no manifest is named once for each text. */
function wanted({ folder, nodeName, complaints }) {
  const pods = new Map();
  for (const manifest of readManifests(folder)) {
    try {
      pods.set(manifest.file, parseStaticPod(manifest, nodeName));
    } catch (error) {
      const complaint = `${manifest.file}: no pod: ${error.message}`;
      if (complaints.get(manifest.file) !== complaint) say(complaint);
      complaints.set(manifest.file, complaint);
    }
  }
  return pods;
}

async function run({ bin, folder, nodeName, end }) {
  const workers = new Map();
  const complaints = new Map();
  while (!end.isNear) {
    const pods = wanted({ folder, nodeName, complaints });
    for (const [file, worker] of workers) {
      if (pods.get(file)?.uid === worker.uid) continue;
      say(`${file} changed or went: its pod ends`);
      await worker.stop();
      workers.delete(file);
    }
    for (const [file, pod] of pods) {
      if (!workers.has(file)) workers.set(file, runPod({ pod, bin, say }));
    }
    await setTimeout(LOOK_EVERY_MS);
  }
  await Promise.all([...workers.values()].map((worker) => worker.stop()));
}

async function main() {
  const given = readArguments();
  if (given.help) {
    console.log(USAGE);
    return 0;
  }
  const mistake = given.mistake ?? (given.bin === undefined ? 'expected --bin FOLDER' : undefined);
  if (mistake !== undefined) {
    console.error(`lab: error: ${mistake}\nlab: hint: --help shows the usage`);
    return 2;
  }
  const end = { isNear: false };
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => (end.isNear = true));
  await run({
    bin: given.bin,
    folder: given.manifests ?? '/etc/kubernetes/manifests',
    nodeName: given['node-name'] ?? hostname(),
    end,
  });
  return 0;
}

process.exitCode = await main();
