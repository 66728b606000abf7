import { ImageCheckerError } from '../errors.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { inspectKubeconf } from './inspect.ts';
import type { Kubeconf, PemSource } from './kubeconf.ts';

/**
 * What the current context of a kubeconfig comes to; paths come out absolute.
 *
 * @param folder what relative paths are relative to, where that is not the folder of the file
 * @throws {ImageCheckerError} `kubeconfig-invalid` with everything that keeps client-go from using it
 */
export function readKubeconf(text: string, file: string, folder?: string): Kubeconf {
  const { kubeconf, issues } = inspectKubeconf({ file, text }, folder);
  const problems = issues.filter(({ harmless }) => !harmless).map(({ problem }) => problem);
  if (problems.length > 0) throw new ImageCheckerError('kubeconfig-invalid', problems);
  if (kubeconf === undefined) throw new Error('expected a kubeconfig or an issue, got neither');
  return kubeconf;
}

/**
 * The PEM text of a source.
 *
 * @param hostPathOf where a path of the kubeconfig is on this machine
 * @throws {ImageCheckerError} `file-unreadable`
 */
export async function loadPem(
  source: PemSource,
  hostPathOf: (path: string) => string = (path) => path,
): Promise<string> {
  if ('pem' in source) return source.pem;
  return readTextFile(hostPathOf(source.file), 'the kubeconfig names it');
}
