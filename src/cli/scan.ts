import type { Command } from 'commander';
import { ImageCheckerError } from '../errors.ts';
import { readObjects } from '../scan/read-objects.ts';
import { Scan } from '../scan/scan.ts';
import { mayRun } from '../scan/verdict.ts';
import { EXIT } from './context.ts';
import type { CommandContext } from './context.ts';
import { writeProblems } from './messages.ts';
import { collect, outputOption, readNamespace } from './options.ts';
import { Output, writeAll } from './output.ts';
import { paintFor } from './paint.ts';
import { Progress } from './progress.ts';
import { DEFAULT_RULES, readRules } from './read-rules.ts';
import { renderScan } from './scan-render.ts';
import type { ScanView } from './scan-render.ts';
import { findSources } from './scan-sources.ts';
import type { Source } from './scan-sources.ts';
import { addVerifyOptions, expectVerify, openForCommand, warnOfUnasked } from './verify.ts';
import type { VerifyFlags } from './verify.ts';

const HELP = `
Reads Pod, PodTemplate, ReplicationController, ReplicaSet, Deployment, StatefulSet, DaemonSet, Job,
CronJob and lists of them, as YAML streams or JSON; of folders all *.yaml, *.yml and *.json below.
Other kinds are skipped and counted, and in folders what has no kind or apiVersion (a chart's values);
elsewhere that is an error with its place, as is what is broken, and a kind with a slip in it (Pdo).
So is what kubectl may read otherwise: << behind a key that it gives, or with a tag; lines of YAML
that end by a bare CR, U+0085, U+2028 or U+2029; a name that stands twice in an object of JSON.
The rest is scanned all the same.

Images are those of containers, init containers and ephemeral containers. Image volumes are looked
at too, but the plugin never sends these: they are never denied, only warned of.
Of the annotations of a pod only those that kube-apiserver sends count: break-glass.

In the summary, pods are pod specs (a Deployment is one), images are image fields, and denied and
warned count image fields: one denied image keeps its whole pod from running. Results are shown for
what is not simply allowed; an image that only violates audit rules, or that break-glass lets pass,
is allowed and shown. -o json writes
  {"summary":{"pods","images","denied","warned","unknown"},
   "results":[{"source","kind","namespace","name","field","image","verdict",
               "violations":[{"rule","mode","message"}]}]}
where unknown is there only above 0, rule is null for what has no rule, and a result may have a "note".

With --diff the changes alone are shown: what the rules newly deny and newly allow, compared to the
old ones. -o json then writes {"summary":{"pods","images","newlyDenied","newlyAllowed"},
"newlyDenied":[result],"newlyAllowed":[result]} with the results' new verdicts, and of the newly
allowed the old violations.

What only a registry can answer (signatures and the like) is not asked without --verify: such an image
is unknown, unless another rule denies it. With --verify registries are asked about each image once,
by the settings of the service's --config or else with the credentials of docker's config.json.

Exit code 0 when nothing would be denied (with --diff: newly denied), 1 when something would be or is
unknown, 2 when something could not be read.

Examples:
  kubectl get pods -A -o json | image-checker scan --rules rules.yaml -
  image-checker scan --rules rules.yaml -f manifests/ -f extra.yaml -n prod-shop -o sarif
  image-checker scan --rules new.yaml --diff rules.yaml -f cluster.json
  image-checker scan --verify --config /etc/image-checker/config.yaml --rules rules.yaml -f pods.json
`;

interface Flags extends ScanView, VerifyFlags {
  readonly rules: string;
  readonly filename?: readonly string[];
  readonly namespace: string;
  readonly all?: true;
}

export function addScanCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('scan')
    .description('tells which images of pods and workloads would be denied')
    .argument('[file...]', 'the same as -f')
    .option('-f, --filename <file>', 'file, folder or - for stdin, repeatable', collect)
    .option('--rules <file>', 'the rules file', DEFAULT_RULES)
    .option('-n, --namespace <name>', 'for objects that name none', readNamespace, 'default')
    .option('--all', 'show what is simply allowed, too (not with --diff or -o sarif)')
    .option('--diff <old-rules>', 'show what changes from these rules to --rules')
    .addOption(outputOption(['table', 'json', 'junit', 'sarif']));
  addVerifyOptions(command)
    .addHelpText('after', HELP)
    .action((files: readonly string[], flags: Flags) =>
      scan([...files, ...(flags.filename ?? [])], flags, context),
    );
}

async function scan(
  names: readonly string[],
  flags: Flags,
  context: CommandContext,
): Promise<void> {
  if (names.length === 0) {
    const hint = 'kubectl get pods -A -o json | image-checker scan --rules rules.yaml -';
    throw new ImageCheckerError('usage', { message: 'expected -f FILE, -f FOLDER or -', hint });
  }
  expectVerify(flags);
  expectAllToShow(flags);
  const found = new Scan({
    policy: await readRules(flags.rules, context.cwd),
    oldPolicy:
      flags.diff === undefined ? undefined : await readRules(flags.diff, context.cwd, '--diff'),
    namespace: flags.namespace,
    all: flags.all === true || flags.output === 'junit',
    verify: flags.verify === true,
  });
  const bytes = await readAll(await findSources(names, context), found, context);
  await askRegistries(found, flags, context);
  if (bytes === 0 && found.problems.length === 0) throw nothingToScan(names);
  context.exitCode = exitCodeFor(found, flags.diff !== undefined);
  const pieces = renderScan(found, flags, paintFor(context));
  await writeAll(new Output(context.stdout), pieces);
  if (found.summary.total.unknown > 0) warnOfUnasked(context);
  writeProblems(context, 'error', found.problems);
}

/** Neither changes nor SARIF have a place for what is simply allowed. */
function expectAllToShow({ all, diff, output }: Flags): void {
  if (all !== true || (diff === undefined && output !== 'sarif')) return;
  const message =
    diff === undefined
      ? 'expected -o sarif or --all, got both: SARIF holds violations alone'
      : 'expected --diff or --all, got both: --diff shows changes alone';
  throw new ImageCheckerError('usage', { message });
}

async function askRegistries(found: Scan, flags: Flags, context: CommandContext): Promise<void> {
  if (flags.verify !== true) return;
  const registries = await openForCommand(flags, context, { pinned: true });
  const progress = new Progress(context.stderr, 0, () => performance.now());
  try {
    await found.ask({
      inspector: registries.inspector,
      progress(done, all) {
        progress.tell(`${done} of ${all} images asked about`);
      },
    });
  } finally {
    progress.clear();
    registries.close();
  }
}

/** @returns how many bytes there were */
async function readAll(
  sources: readonly Source[],
  found: Scan,
  { stderr }: CommandContext,
): Promise<number> {
  const bytes = sources.reduce((sum, { size }) => sum + size, 0);
  let read = 0;
  const progress = new Progress(stderr, bytes, () => performance.now());
  try {
    for (const { name, open, among } of sources) {
      const count = (): string => `${found.summary.total.pods} pods`;
      const text = counting(progress.watch(open(), count), (size) => (read += size));
      await readSource(text, found, { name, among });
    }
  } finally {
    progress.clear();
  }
  return read;
}

async function* counting(
  text: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): AsyncIterable<Buffer> {
  for await (const chunk of text) {
    count(chunk.length);
    yield chunk;
  }
}

/** A wrong folder, or a pipe whose first half failed: not the same as nothing to object to. */
function nothingToScan(names: readonly string[]): ImageCheckerError {
  const message = `expected objects in ${names.join(', ')}, got nothing at all`;
  const hint = 'name files or folders with *.yaml, *.yml or *.json, or pipe something in';
  return new ImageCheckerError('usage', { message, hint });
}

/** A source that cannot be read is a problem of its own: the others still can. */
async function readSource(
  text: AsyncIterable<Buffer>,
  found: Scan,
  { name, among }: Pick<Source, 'name' | 'among'>,
): Promise<void> {
  try {
    await readObjects(text, found.sinkFor(name, among));
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    found.problems.push(...thrown.problems);
  }
}

function exitCodeFor(
  { problems, summary, changes }: Scan,
  diff: boolean,
): CommandContext['exitCode'] {
  if (problems.length > 0) return EXIT.usage;
  const denied = diff
    ? changes.some(({ after }) => !mayRun(after.verdict))
    : summary.total.denied + summary.total.unknown > 0;
  return denied ? EXIT.finding : EXIT.ok;
}
