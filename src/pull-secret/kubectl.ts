import { execFile } from 'node:child_process';
import { ImageCheckerError, systemCode } from '../errors.ts';

export interface Kubectl {
  readonly kubeconfig: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Milliseconds for one call. */
const TIME_LIMIT = 60_000;
/** In characters: the end of what kubectl says. */
const MAX_MESSAGE = 500;

/**
 * One call of kubectl; returns what it writes.
 *
 * @throws {ImageCheckerError} `kube-unreachable` when it is not there or fails
 */
export function callKubectl(
  { kubeconfig, env }: Kubectl,
  args: readonly string[],
  input = '',
): Promise<string> {
  const all = [...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]), ...args];
  const options = { timeout: TIME_LIMIT, env: { ...env } };
  return new Promise((resolve, reject) => {
    const child = execFile('kubectl', all, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(failureOf(args[0] ?? '', error, stderr));
    });
    child.stdin?.on('error', () => undefined); // it may end without reading
    child.stdin?.end(input);
  });
}

function failureOf(verb: string, error: Error, stderr: string): ImageCheckerError {
  if (systemCode(error) === 'ENOENT') {
    const message = 'expected kubectl in PATH, got none';
    const hint = 'without --apply it is not needed';
    return new ImageCheckerError('kube-unreachable', { message, hint });
  }
  const said = stderr.trim().slice(-MAX_MESSAGE) || 'no word';
  const message = `expected kubectl ${verb} to succeed, got ${said}`;
  return new ImageCheckerError('kube-unreachable', { message });
}
