import { probeTcp, resolveHost } from '../ask/probe.ts';
import type { ProbeClient, ProbeTarget } from '../ask/probe.ts';
import { messageOf } from '../errors.ts';
import type { CertificateFile } from './pem-file.ts';
import type { Findings } from './finding.ts';
import type { KubeconfView } from './kubeconf-checks.ts';
import { checkAnonymous, checkClient, checkSystemPods } from './live-answer-checks.ts';
import { checkHandshake, checkOldTls } from './live-tls-checks.ts';
import type { DoctorPorts } from './options.ts';

/** What the live checks have in common. */
export interface Live {
  readonly target: ProbeTarget;
  readonly client: ProbeClient | undefined;
  /** The certificate on the disk, where the service is this machine's own. */
  readonly own: CertificateFile | undefined;
  /** Images that kube-system runs. */
  readonly images: readonly string[];
  readonly ports: DoctorPorts;
  readonly findings: Findings;
}

/** Asks the service that the kubeconf names, step by step: whoever does not listen is asked no more. */
export async function checkLive(
  { kubeconf, ca, clientCertificate, clientKey }: KubeconfView,
  rest: Pick<Live, 'own' | 'images' | 'ports' | 'findings'>,
): Promise<void> {
  const { server: url, tlsServerName: serverName } = kubeconf;
  if (url.protocol !== 'https:') return;
  const target = {
    url,
    ...(serverName !== undefined && { serverName }),
    ...(ca !== undefined && { ca: ca.text }),
  };
  const client = clientCertificate &&
    clientKey && { certificate: clientCertificate.text, key: clientKey.text };
  await askAll({ ...rest, target, client });
}

async function askAll(live: Live): Promise<void> {
  if (!(await checkName(live)) || !(await checkTcp(live))) return;
  if (!(await checkHandshake(live))) return;
  await checkOldTls(live);
  await checkAnonymous(live);
  if (live.client !== undefined && (await checkClient(live))) await checkSystemPods(live);
}

async function checkName({ target, ports, findings }: Live): Promise<boolean> {
  const { hostname, href: file } = target.url;
  try {
    const addresses = await resolveHost(target, ports.times.connect);
    findings.ok('live-name', `${hostname} is ${addresses.join(', ')}`, file);
    return true;
  } catch (thrown) {
    const message = `expected this machine to know ${hostname}, got ${messageOf(thrown)}`;
    const hint = /\.svc(?:\.|$)/.test(hostname)
      ? "kube-apiserver is on the host's network, which does not know the names of services: write an address, or a name in /etc/hosts"
      : 'write an address, or put the name into /etc/hosts';
    findings.fail('live-name', { file, message, hint });
    return false;
  }
}

async function checkTcp({ target, ports, findings }: Live): Promise<boolean> {
  const { href: file } = target.url;
  try {
    await probeTcp(target, ports.times.connect);
    findings.ok('live-tcp', 'somebody listens', file);
    return true;
  } catch (thrown) {
    const message = `expected the service to listen, got ${messageOf(thrown)}`;
    const hint =
      'start the service first (`systemctl status image-checker`); is it another port, or a firewall?';
    findings.fail('live-tcp', { file, message, hint });
    return false;
  }
}
