import { probeTls } from '../ask/probe.ts';
import type { Handshake } from '../ask/probe.ts';
import { messageOf } from '../errors.ts';
import { isSame } from '../setup/pem.ts';
import type { Live } from './live-checks.ts';
import { isNamed } from './x509.ts';

/** @returns whether there is any use in asking further */
export async function checkHandshake(live: Live): Promise<boolean> {
  const { target, client, ports, findings } = live;
  const { href: file } = target.url;
  const options = client && { cert: client.certificate, key: client.key };
  try {
    const shown = await probeTls(target, options ?? {}, ports.times.connect);
    findings.ok('live-tls', `speaks ${shown.protocol}`, file);
    checkCertificate(live, shown);
    return true;
  } catch (thrown) {
    const message = `expected a TLS handshake, got ${messageOf(thrown)}`;
    const hint = 'is it the service that listens there? Its log says more';
    findings.fail('live-tls', { file, message, hint });
    return false;
  }
}

function checkCertificate(live: Live, { certificate, distrust }: Handshake): void {
  const { target, own, findings } = live;
  const { href: file, hostname } = target.url;
  if (certificate === undefined) return;
  const host = target.serverName ?? hostname;
  const problem =
    distrust === undefined
      ? isNamed(certificate, host) || `one for ${certificate.subjectAltName ?? 'no name'}`
      : `one that does not lead there: ${distrust}`;
  if (problem !== true) {
    const message = `expected a certificate for ${host} by the CA of the kubeconf, got ${problem}`;
    const hint =
      'certificate-authority of the kubeconf has to be the CA that issued the certificate of the service';
    findings.fail('live-certificate', { file, message, hint });
    return;
  }
  if (own !== undefined && !isSame(own.certificates[0], certificate)) {
    const message = `expected the service to show the certificate of ${own.file}, got another`;
    const hint =
      'reload it (`systemctl reload image-checker`): its log says why it kept the old one';
    findings.warn('live-certificate', { file, message, hint });
    return;
  }
  findings.ok('live-certificate', `shows a certificate for ${host} that is trusted`, file);
}

/** Nothing that kube-apiserver speaks: whoever still takes it takes a downgrade. */
export async function checkOldTls({ target, client, ports, findings }: Live): Promise<void> {
  const { href: file } = target.url;
  const options = {
    ...(client && { cert: client.certificate, key: client.key }),
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    // OpenSSL offers these versions at its lowest level alone.
    ciphers: 'DEFAULT@SECLEVEL=0',
  } as const;
  const protocol = await probeTls(target, options, ports.times.connect).then(
    (shown) => shown.protocol,
    () => undefined,
  );
  if (protocol === undefined) {
    findings.ok('live-tls-old', 'refuses what is older than TLS 1.2', file);
    return;
  }
  const message = `expected TLS 1.2 or newer alone, got ${protocol} taken`;
  findings.fail('live-tls-old', { file, message, hint: 'set its lowest version to TLS 1.2' });
}
