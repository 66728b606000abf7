import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('fixtures/', import.meta.url);

export const FIXTURES: readonly string[] = readdirSync(FOLDER).filter((name) => /^\w/.test(name));

export function fixture(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

export const FOLDERS = {
  admission: '/etc/kubernetes/admission',
  mounted: '/etc/kubernetes/admission',
  configFile: '/etc/kubernetes/admission/admission_config.yaml',
};
