import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { Writable } from 'node:stream';
import { EXIT } from '../../src/cli/context.ts';
import type { CommandContext } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';

export interface Called {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd?: string;
  readonly stdin?: string | Readable;
  readonly env?: CommandContext['env'];
  /** Whether stdout and stderr are terminals. */
  readonly terminal?: boolean;
}

/** One call of the executable, as it is seen from outside. */
export async function call(
  args: readonly string[],
  { cwd = '/', stdin = '', env = {}, terminal = false }: Surroundings = {},
): Promise<Called> {
  const stdout = collector(terminal);
  const stderr = collector(terminal);
  const code = await run(args, {
    ...fakeContext(),
    stdin: typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    env,
    cwd,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

export function fakeContext(): CommandContext {
  return {
    stdin: Readable.from([]),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    env: {},
    cwd: '/',
    onSignal: () => () => undefined,
    exitCode: EXIT.ok,
  };
}

/** A stream whose reader is never slow. */
function collector(terminal: boolean): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY: terminal });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

/** A folder with files, by their path in it. */
export async function newFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'image-checker-cli-')));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** The rules file of DESIGN's example, with a rule that warns and one that only logs. */
export const RULES = `apiVersion: image-checker/v1
kind: ImagePolicy
metadata:
  name: cluster-policy
spec:
  unmatchedImages: deny
  breakGlass:
    annotation: image-checker.image-policy.k8s.io/break-glass
    ticket: "INC-[0-9]+"
    namespaces: ["prod-*"]
  rules:
    - name: trusted-registries
      match:
        namespaces: ["*"]
        images: ["**"]
      except:
        - namespaces: [kube-system]
          images: ["quay.io/cni/*"]
      require:
        registries: [docker.io, registry.k8s.io, "*.corp.example.com"]
      message: not trusted image!
    - name: no-latest
      mode: warn
      forbid: { tags: [latest] }
    - name: no-beta
      mode: audit
      forbid: { tags: ["*-beta"] }
    - name: production-is-pinned
      match: { namespaces: ["prod-*"] }
      require: { digest: true }
`;

export const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
