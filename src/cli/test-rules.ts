import type { Command } from 'commander';
import { settleAll } from '../errors.ts';
import { loadPolicyTest } from '../policy-test/load.ts';
import { runCase } from '../policy-test/run-case.ts';
import { EXIT } from './context.ts';
import type { CommandContext } from './context.ts';
import { outputOption } from './options.ts';
import { Output, writeAll } from './output.ts';
import { paintFor } from './paint.ts';
import { readSource } from './read-rules.ts';
import { renderTests } from './test-report.ts';
import type { FileResult, TestFormat } from './test-report.ts';

const HELP = `
A file of tests names a rules file, relative to itself, and cases:

  apiVersion: image-checker/v1
  kind: PolicyTest
  rules: rules.yaml
  cases:
    - name: an official image is allowed
      image: docker.io/nginx:1.27
      expect: allowed
    - name: production wants digests
      images: [docker.io/nginx:1.27, docker.io/redis:8]
      namespace: prod-shop             # absent: default
      annotations: {}                  # those that kube-apiserver sends
      expect: denied
      rule: production-is-pinned       # or a list: each has to be violated
    - name: a tag that moves is spoken of
      image: docker.io/nginx:latest
      expect: warned
    - name: a review as it was recorded
      review: { spec: { containers: [{ image: nginx }], namespace: default } }
      expect: denied

What may be expected:
  allowed   the pod may run, whether rules warn or not
  warned    the pod may run, and a rule with mode warn is violated
  denied    the pod may not run
  unknown   allowed but for what a registry has to say: no test asks one

Exit code 0 when all cases pass, 1 when one fails, 2 when a file cannot be used.

Examples:
  image-checker test rules.test.yaml
  image-checker test policies/*.test.yaml -o junit > report.xml
`;

interface Flags {
  readonly output: TestFormat;
}

export function addTestCommand(program: Command, context: CommandContext): void {
  program
    .command('test')
    .description('runs policy unit tests')
    .argument('<file...>', 'files of tests')
    .addOption(outputOption(['text', 'json', 'junit']))
    .addHelpText('after', HELP)
    .action((files: readonly string[], flags: Flags) => testRules(files, flags, context));
}

async function testRules(
  files: readonly string[],
  { output }: Flags,
  context: CommandContext,
): Promise<void> {
  const read = (file: string) => readSource(file, context.cwd, 'name a file of policy tests');
  const tests = await settleAll(
    'rules-invalid',
    files.map((file) => loadPolicyTest(file, read, context.cwd)),
  );
  const results = tests.map(({ file, policy, cases }): FileResult => ({
    file,
    cases: cases.map((one) => runCase(one, policy)),
  }));
  const passed = results.every(({ cases }) => cases.every((one) => one.passed));
  if (!passed) context.exitCode = EXIT.finding;
  await writeAll(new Output(context.stdout), renderTests(results, output, paintFor(context)));
}
