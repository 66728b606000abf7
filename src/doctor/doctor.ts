import { dirname, join } from 'node:path';
import { CONFIG_FLAG, flagsNamed } from '../manifest/manifest.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { normalPath, readMounts, readVolumes } from '../manifest/mounts.ts';
import type { Mount } from '../manifest/mounts.ts';
import { stringOf } from '../manifest/nodes.ts';
import { TARGETS } from '../setup/layout.ts';
import { checkAdmission } from './admission-checks.ts';
import { checkCertificates } from './certificate-checks.ts';
import type { Credentials } from './certificate-checks.ts';
import { checkClientName } from './client-name-check.ts';
import { checkExposedKey, checkServiceFolder } from './exposed-checks.ts';
import { CHECKS, Findings } from './finding.ts';
import type { CheckId, Finding } from './finding.ts';
import { compareNodes } from './compare-nodes.ts';
import { factsOf } from './facts.ts';
import type { Facts } from './facts.ts';
import { checkFolder } from './folder-checks.ts';
import { HostView } from './host-view.ts';
import type { ImagePolicyValues } from './image-policy-checks.ts';
import { checkKubeconf } from './kubeconf-checks.ts';
import type { KubeconfView } from './kubeconf-checks.ts';
import { checkLive } from './live-checks.ts';
import { checkRunningConfig } from './live-config-check.ts';
import { checkManifest } from './manifest-checks.ts';
import { checkMounts } from './mount-checks.ts';
import type { DoctorOptions, DoctorPorts, GivenFile } from './options.ts';
import { checkRules } from './rules-checks.ts';
import { systemImages } from './system-images.ts';
import { checkVersion } from './version-checks.ts';
import { checkPort, checkService, isLocal } from './service-checks.ts';
import type { ServiceView } from './service-checks.ts';

/** What came of it all. */
export interface Examination {
  readonly findings: readonly Finding[];
  readonly facts: Facts;
}

/** Looks at everything that is there; whatever is broken becomes a finding. */
export async function runDoctor(
  options: DoctorOptions,
  ports: DoctorPorts,
): Promise<readonly Finding[]> {
  return (await examine(options, ports)).findings;
}

/** The same, with what is to be alike on other nodes. */
export async function examine(options: DoctorOptions, ports: DoctorPorts): Promise<Examination> {
  const findings = new Findings();
  const apiserver = await lookAtApiserver(options, findings);
  const { kubeconf } = apiserver;
  const { serviceDir } = options;
  const service = serviceDir === undefined ? undefined : await checkService(serviceDir, findings);
  if (kubeconf !== undefined && service !== undefined) checkPort(kubeconf, service, findings);
  const credentials = await checkCertificates({ kubeconf, service }, ports, findings);
  await checkSecrets({ ...apiserver, service, credentials }, findings);
  const looking = { findings, now: ports.now };
  const images = await lookAtRules(options, { ...apiserver, service }, looking);
  if (options.live !== false) {
    await askService({ kubeconf, service, credentials, images }, ports, findings);
  }
  const rules = rulesIn(options, service);
  const facts = await factsOf({ ...apiserver, service, rules });
  if (options.compare !== undefined) {
    await compareNodes(options.compare, { node: ports.node, facts }, findings);
  }
  const all = findings.list();
  return { findings: options.strict === true ? all.map(harden) : all, facts };
}

interface Asked {
  readonly kubeconf: KubeconfView | undefined;
  readonly service: ServiceView | undefined;
  readonly credentials: Credentials;
  readonly images: readonly string[];
}

async function askService(
  { kubeconf, service, credentials, images }: Asked,
  ports: DoctorPorts,
  findings: Findings,
): Promise<void> {
  if (kubeconf !== undefined) {
    const own = service && isLocal(kubeconf) ? credentials.server : undefined;
    await checkLive(kubeconf, { own, images, ports, findings });
  }
  if (service !== undefined) await checkRunningConfig(service, ports, findings);
}

function rulesIn({ rules }: DoctorOptions, service: ServiceView | undefined): string | undefined {
  return rules ?? service?.rules;
}

interface Apiserver {
  readonly manifest: Manifest | undefined;
  readonly mounts: readonly Mount[];
  readonly imagePolicy: ImagePolicyValues | undefined;
  readonly kubeconf: KubeconfView | undefined;
  /** The images of the other static pods. */
  readonly images: readonly string[];
}

/** Manifest -> admission configuration -> kubeconf, each by the name that the one before has. */
async function lookAtApiserver(options: DoctorOptions, findings: Findings): Promise<Apiserver> {
  const { dir } = options;
  const given = options.manifest;
  const manifest = given === undefined ? undefined : await checkManifest(given, findings);
  const images = given === undefined ? [] : await checkFolder(given.file, findings);
  const mounts = manifest && readMounts(manifest, readVolumes(manifest));
  const view = new HostView(mounts, dir);
  const imagePolicy = await lookAtAdmission(options, { manifest, view, findings });
  const kubeconf = await lookAtKubeconf(imagePolicy?.kubeConfigFile, dir, { view, findings });
  if (given !== undefined && manifest !== undefined) {
    await checkMounts(manifest, view, findings, given.file);
  }
  return { manifest, mounts: mounts ?? [], imagePolicy, kubeconf, images };
}

async function lookAtKubeconf(
  named: string | undefined,
  dir: string | undefined,
  { view, findings }: Pick<Looking, 'view' | 'findings'>,
): Promise<KubeconfView | undefined> {
  const path = named ?? (dir && join(dir, TARGETS.kubeconf.name));
  return path === undefined ? undefined : checkKubeconf(path, view, findings);
}

interface Looking {
  readonly manifest: Manifest | undefined;
  readonly view: HostView;
  readonly findings: Findings;
}

async function lookAtAdmission(
  { dir, admissionConfiguration }: DoctorOptions,
  { manifest, view, findings }: Looking,
): Promise<ImagePolicyValues | undefined> {
  const named = manifest && flagsNamed(manifest, CONFIG_FLAG).at(-1)?.value;
  const inFolder = dir && join(dir, TARGETS.admissionConfiguration.name);
  const fallback = admissionConfiguration?.file ?? inFolder;
  const path = (named ?? '') === '' ? fallback : named;
  if (path === undefined) return undefined;
  const { host } = named === path ? await view.locate(path) : { host: path };
  const file = planned(host, admissionConfiguration);
  return checkAdmission({ ...file, path, view }, findings);
}

/** A text that is given stands for the file of its name alone. */
function planned(host: string, given: GivenFile | undefined): GivenFile {
  return given !== undefined && normalPath(given.file) === normalPath(host)
    ? given
    : { file: host };
}

/** Whether the cluster's own pods would still start. @returns their images, as far as known */
async function lookAtRules(
  options: DoctorOptions,
  { manifest, service, images }: Pick<Secrets, 'manifest' | 'service' | 'images'>,
  { findings, now }: { readonly findings: Findings } & Pick<DoctorPorts, 'now'>,
): Promise<readonly string[]> {
  const { kubeconfig } = options;
  const asking = { ...(manifest && { manifest }), ...(kubeconfig !== undefined && { kubeconfig }) };
  const version = await checkVersion(asking, findings);
  const own = (manifest && stringOf(manifest.yaml, manifest.container, 'image')) ?? '';
  const all = [...images, ...(own === '' ? [] : [own]), ...systemImages(own, version)];
  const file = rulesIn(options, service);
  if (file !== undefined) await checkRules(file, all, { findings, now });
  return all;
}

interface Secrets extends Apiserver {
  readonly service: ServiceView | undefined;
  readonly credentials: Credentials;
}

async function checkSecrets(
  { kubeconf, service, credentials, mounts }: Secrets,
  findings: Findings,
): Promise<void> {
  if (kubeconf !== undefined) {
    await checkExposedKey(dirname(kubeconf.file), credentials, findings);
  }
  if (service !== undefined && credentials.client !== undefined) {
    checkClientName(credentials.client, service, findings);
  }
  if (service !== undefined && mounts.length > 0) {
    checkServiceFolder(service.folder, mounts, findings);
  }
}

/** What nobody can do anything about here is no failure, however strict. */
const NOTED_ALONE = new Set<CheckId>(['version-image-volumes', 'version-known']);

function harden(finding: Finding): Finding {
  if (finding.status !== 'warn' || NOTED_ALONE.has(finding.id)) return finding;
  return { ...finding, group: CHECKS[finding.id], status: 'fail' };
}
