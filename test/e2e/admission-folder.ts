import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credential } from '../../src/setup/pki.ts';

/** How the plugin is configured otherwise than `setup` does it. */
export interface PluginChanges {
  readonly defaultAllow?: true;
  /** No answer is remembered. */
  readonly noCache?: true;
  /** The client certificate in place of the one that `setup` made. */
  readonly client?: Credential;
}

/** What --admission-control-config-file names. */
export function configurationIn(admissionFolder: string): string {
  return join(admissionFolder, 'admission_config.yaml');
}

/** Copies an admission folder, whose files name each other by absolute paths, with changes. */
export async function copyAdmissionFolder(
  from: string,
  to: string,
  { defaultAllow, noCache, client }: PluginChanges,
): Promise<void> {
  await cp(from, to, { recursive: true });
  await edit(join(to, 'kubeconf'), { [from]: to });
  await edit(configurationIn(to), {
    [from]: to,
    ...(defaultAllow && { 'defaultAllow: false': 'defaultAllow: true' }),
    ...(noCache && { 'allowTTL: 50': 'allowTTL: -1', 'denyTTL: 50': 'denyTTL: -1' }),
  });
  if (client === undefined) return;
  await writeFile(join(to, 'apiserver-client-cert.pem'), client.certificate);
  await writeFile(join(to, 'apiserver-client-key.pem'), client.key);
}

async function edit(file: string, changes: Readonly<Record<string, string>>): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const [old, replacement] of Object.entries(changes)) {
    if (!text.includes(old)) throw new Error(`expected ${old} in ${file}`);
    text = text.replaceAll(old, replacement);
  }
  await writeFile(file, text);
}
