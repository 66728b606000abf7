import { execFile } from 'node:child_process';
import { ImageCheckerError, systemCode } from '../errors.ts';
import type { SecretPlan } from './pull-secret.ts';

export interface Kubectl {
  readonly kubeconfig: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Milliseconds for one call. */
const TIME_LIMIT = 60_000;
/** In characters: the end of what kubectl says. */
const MAX_MESSAGE = 500;

/**
 * Gives the plan to kubectl, and returns what it says, a line each. Secrets go through its standard input, and
 * by server-side apply, which keeps no second copy of them in an annotation.
 *
 * @throws {ImageCheckerError} `kube-unreachable` at the first call that fails
 */
export async function applyPlan(plan: SecretPlan, kubectl: Kubectl): Promise<readonly string[]> {
  const said: string[] = [];
  for (const secret of plan.secrets) {
    const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager=image-checker'];
    said.push(await call(kubectl, [...apply, '-f', '-'], JSON.stringify(secret)));
  }
  for (const { namespace, serviceAccount, patch } of plan.patches) {
    const place = ['--namespace', namespace, '--type', 'strategic'];
    const args = [
      'patch',
      'serviceaccount',
      serviceAccount,
      ...place,
      '--patch',
      JSON.stringify(patch),
    ];
    said.push(await call(kubectl, args, ''));
  }
  return said;
}

function call(
  { kubeconfig, env }: Kubectl,
  args: readonly string[],
  input: string,
): Promise<string> {
  const all = [...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]), ...args];
  return new Promise((resolve, reject) => {
    const child = execFile(
      'kubectl',
      all,
      { timeout: TIME_LIMIT, env: { ...env } },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout.trim());
        else reject(failureOf(args[0] ?? '', error, stderr));
      },
    );
    child.stdin?.on('error', () => undefined); // it may end without reading
    child.stdin?.end(input);
  });
}

function failureOf(verb: string, error: Error, stderr: string): ImageCheckerError {
  if (systemCode(error) === 'ENOENT') {
    const problem = {
      message: 'expected kubectl in PATH, got none',
      hint: 'without --apply it is not needed',
    };
    return new ImageCheckerError('kube-unreachable', problem);
  }
  const said = stderr.trim().slice(-MAX_MESSAGE) || 'no word';
  return new ImageCheckerError('kube-unreachable', {
    message: `expected kubectl ${verb} to succeed, got ${said}`,
  });
}
