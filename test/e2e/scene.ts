import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '../support/lab.ts';
import type { AuditEvent, Ended, Lab } from '../support/lab.ts';
import { rulesFile } from '../support/policy.ts';
import { configurationIn, copyAdmissionFolder } from './admission-folder.ts';
import type { PluginChanges } from './admission-folder.ts';
import { serve, setUp } from './built-service.ts';
import type { BuiltService, Installation, LogEntry } from './built-service.ts';
import { eventually } from './eventually.ts';

/** What the plugin puts before each audit annotation of an answer. */
const AUDIT_PREFIX = 'imagepolicywebhook.image-policy.k8s.io/';

/** A pod to create; every case has images of its own, since the plugin remembers answers. */
export interface PodText {
  readonly name: string;
  readonly image: string;
  readonly initImage?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly namespace?: string;
}

/** The built service, and a kube-apiserver that asks it, by the files that `setup` made. */
export interface Scene extends Installation {
  readonly kubectl: Lab['kubectl'];
  createPod(pod: PodText): Promise<Ended>;
  /** The plugin's annotations on the audit event of a pod's creation, without their prefix. */
  auditAnnotations(pod: string): Promise<Record<string, string>>;
  /** The service's log lines with this message so far. */
  logged(message: string): readonly LogEntry[];
  /** The log lines of the reviews that named an image, once there are so many. */
  reviewsOf(image: string, count?: number): Promise<readonly LogEntry[]>;
  /** Replaces the rules file by one with this `spec`. */
  writeRules(spec: object): Promise<void>;
  /** Replaces the rules file and waits until the running service has noticed by itself. */
  changeRules(spec: object): Promise<void>;
  startService(): Promise<void>;
  /** Returns the service's exit code. */
  stopService(): Promise<number | null>;
  /** Restarts the kube-apiserver with what `setup` made, but for the changes. */
  changePlugin(changes: PluginChanges): Promise<void>;
  end(): Promise<void>;
}

/** @param rules the `spec` of the rules file, in place of the one that `setup` made */
export async function startScene(rules?: object): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'image-checker-e2e-'));
  const services: BuiltService[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(services.map((service) => service.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const installation = await setUp(folder);
    if (rules !== undefined) await writeRules(installation, rules);
    services.push(await serve(installation));
    const lab = await startLab(configurationIn(installation.admissionFolder));
    return sceneOf(installation, services, lab, async () => {
      await lab.stop();
      await end();
    });
  } catch (thrown) {
    await end();
    throw thrown;
  }
}

function sceneOf(
  installation: Installation,
  services: BuiltService[],
  lab: Lab,
  end: () => Promise<void>,
): Scene {
  const logged = (message: string): LogEntry[] =>
    services.flatMap(({ log }) => log).filter((entry) => entry.message === message);
  let copies = 0;
  return {
    ...installation,
    kubectl: lab.kubectl,
    createPod: (pod) => lab.kubectl(['create', '-f', '-'], JSON.stringify(manifestOf(pod))),
    auditAnnotations: async (pod) => annotationsOf(await auditEventOf(lab, pod)),
    logged,
    reviewsOf: (image, count = 1) =>
      eventually(`${count} reviews of ${image}`, () => {
        const reviews = logged('image review decided').filter(
          ({ images }) => Array.isArray(images) && images.includes(image),
        );
        return reviews.length >= count ? reviews : undefined;
      }),
    writeRules: (spec) => writeRules(installation, spec),
    async changeRules(spec) {
      const before = logged('rules reloaded').length;
      await writeRules(installation, spec);
      await eventually('a reload of the rules', () => logged('rules reloaded')[before]);
    },
    async startService() {
      services.push(await serve(installation));
    },
    async stopService() {
      return (await services.at(-1)?.stop()) ?? null;
    },
    async changePlugin(changes) {
      const copy = `${installation.admissionFolder}-${++copies}`;
      await copyAdmissionFolder(installation.admissionFolder, copy, changes);
      await lab.restartApiserver(configurationIn(copy));
    },
    end,
  };
}

async function writeRules({ serviceFolder }: Installation, spec: object): Promise<void> {
  const file = join(serviceFolder, 'rules.yaml');
  await writeFile(`${file}.new`, rulesFile(spec));
  await rename(`${file}.new`, file);
}

function manifestOf({ name, image, initImage, annotations, namespace }: PodText): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: namespace ?? 'default', annotations },
    spec: {
      containers: [{ name: 'app', image }],
      ...(initImage !== undefined && { initContainers: [{ name: 'init', image: initImage }] }),
    },
  };
}

/** kube-apiserver writes it when the request is over, which kubectl may know first. */
function auditEventOf(lab: Lab, pod: string): Promise<AuditEvent> {
  return eventually(`an audit event of the creation of pod ${pod}`, async () =>
    (await lab.auditEvents()).find(
      ({ verb, objectRef }) => verb === 'create' && objectRef?.name === pod,
    ),
  );
}

function annotationsOf({ annotations = {} }: AuditEvent): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations)
      .filter(([key]) => key.startsWith(AUDIT_PREFIX))
      .map(([key, value]) => [key.slice(AUDIT_PREFIX.length), value]),
  );
}
