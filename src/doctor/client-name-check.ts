import { altNamesOf, subjectOf } from '../setup/pem.ts';
import type { Findings } from './finding.ts';
import type { CertificateFile } from './pem-file.ts';
import type { ServiceView } from './service-checks.ts';

/** The service lets in whom it knows by name, not all whom its CA knows. */
export function checkClientName(
  { file, certificates }: CertificateFile,
  { config }: ServiceView,
  findings: Findings,
): void {
  if (config === undefined) return;
  const [leaf] = certificates;
  const commonNames = subjectOf(leaf)
    .split(', ')
    .filter((part) => part.startsWith('CN='))
    .map((part) => part.slice('CN='.length));
  const names = [...(commonNames.length === 1 ? commonNames : []), ...altNamesOf(leaf)];
  const { allowedClients } = config.tls;
  if (names.some((name) => allowedClients.includes(name))) {
    findings.ok('service-client-name', 'the service lets this client in', file);
    return;
  }
  const message = `expected a client named ${allowedClients.join(' or ')}, got ${names.join(', ')}`;
  const hint =
    'add the name to tls.allowedClients of config.yaml, or have the certificate issued anew';
  findings.fail('service-client-name', { file, message, hint });
}
