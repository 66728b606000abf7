import { parse } from 'yaml';
import { renderAdmissionConfiguration } from './admission-configuration.ts';
import { renderFirstRules } from './first-rules.ts';
import { renderKubeconf } from './kubeconf.ts';
import type { Target } from './layout.ts';
import { renderServiceConfig } from './service-config.ts';

export interface DocumentValues {
  /** The admission folder as kube-apiserver sees it. */
  readonly mounted: string;
  /** Where kube-apiserver finds the service. */
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
}

/** Every file that is no PEM, by target. */
export function renderDocuments(values: DocumentValues): Map<Target, string> {
  return new Map<Target, string>([
    ['rules', renderFirstRules()],
    ['serviceConfig', renderServiceConfig(values)],
    ['kubeconf', renderKubeconf(values)],
    ['admissionConfiguration', renderAdmissionConfiguration(values)],
  ]);
}

/** `listen.port` of a config file, which may be broken otherwise: that is for `serve` to say. */
export function portOf(configText: string): number | undefined {
  try {
    const listen = entry(parse(configText), 'listen');
    const port = entry(listen, 'port');
    return typeof port === 'number' && Number.isInteger(port) ? port : undefined;
  } catch {
    return undefined;
  }
}

function entry(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
