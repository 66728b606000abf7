import type { Command } from 'commander';
import type { Question } from '../ask/review.ts';
import { ImageCheckerError } from '../errors.ts';
import { isSent, SENT_INFIX } from '../parse/sent-annotations.ts';
import { Evidence } from '../verify/evidence.ts';
import { checkByServer, expectServer } from './check-by-server.ts';
import type { ServerFlags } from './check-by-server.ts';
import { renderCheckJson } from './check-json.ts';
import { checkOffline, checkWithRegistries, explainChecks, isDenied } from './check-result.ts';
import type { CheckResult } from './check-result.ts';
import { renderCheckText } from './check-text.ts';
import { EXIT } from './context.ts';
import type { CommandContext } from './context.ts';
import { writeProblems } from './messages.ts';
import { collectAnnotation, outputOption, readNamespace } from './options.ts';
import { Output } from './output.ts';
import { paintFor } from './paint.ts';
import { DEFAULT_RULES, readRules } from './read-rules.ts';
import { addVerifyOptions, expectVerify, openForCommand, warnOfUnasked } from './verify.ts';
import type { VerifyFlags } from './verify.ts';

const HELP = `
All images together are one review, as those of one pod. For each the normalised reference is
shown, every rule that covers it with pass, exempt or what it violates, and the verdict.

With --server a running service is asked instead, as kube-apiserver asks it; with --server and
--rules both answer, and the last line says whether they agree.

What only a registry can answer (signatures and the like) is not asked without --verify: then the
verdict is unknown, unless another rule denies. With --verify registries are asked as the service
asks them, by the settings of its --config or else with the credentials of docker's config.json. Then
each signature and attestation that was found is listed below the rule that asks for one: where it
lies, who made it, and whether it counts or why not.

-o json writes
  {"namespace","annotations","policy":{"name","hash"},"allowed","reason","breakGlass",
   "images":[{"image","normalized","verdict","refused",
              "rules":[{"rule","mode","result","violations","digest",
                        "signatures":[entry],"attestations":[entry]}]}]}
with digest, signatures and attestations only where a rule asks for them, and an entry being
  {"expected","found":[{"counts","why","signers":[{"name","keySha256" or "issuer"}],
                        "form","place","way","predicateType"}],"failures"}
where why is null for what counts, form is "simple signing", "envelope" or "bundle", way is "tag",
"referrers API" or "fallback tag", and either is null for what could not be read or was not looked at.
A verdict that is unknown is "allowed":false,"verdict":"unknown". With --server there is
"server":{"url","allowed","reason","auditAnnotations"}, and with --rules beside it "agree".

Exit code 0 when the review would be allowed, 1 when it would be denied or is unknown, 2 when it cannot
be told.

Examples:
  image-checker check nginx:1.27 --rules rules.yaml
  image-checker check docker.io/nginx ghcr.io/team/app:1.2 -n prod-shop --rules rules.yaml -o json
  image-checker check nginx --rules rules.yaml \\
    --annotation image-checker.image-policy.k8s.io/break-glass=INC-42
  image-checker check ghcr.io/team/app:1.2 --rules rules.yaml --verify
  image-checker check nginx --server https://127.0.0.1:1234 \\
    --cert /etc/kubernetes/admission/apiserver-client-cert.pem \\
    --key /etc/kubernetes/admission/apiserver-client-key.pem \\
    --ca /etc/kubernetes/admission/external-cert.pem
`;

interface Flags extends ServerFlags, VerifyFlags {
  readonly namespace: string;
  readonly annotation?: ReadonlyMap<string, string>;
  readonly rules?: string;
  readonly output: 'text' | 'json';
}

export function addCheckCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('check')
    .description('tells what would be answered about images, and why')
    .argument('<image...>', 'images as they would be written in a pod')
    .option('-n, --namespace <name>', 'namespace of the pod', readNamespace, 'default')
    .option('--annotation <key=value>', 'annotation of the pod, repeatable', collectAnnotation)
    .option('--rules <file>', `the rules file (default without --server: ${DEFAULT_RULES})`)
    .option('--server <url>', 'a running service to ask: https://host:port')
    .option('--cert <file>', 'with --server: certificate of the client')
    .option('--key <file>', 'with --server: private key of the client')
    .option('--ca <file>', 'with --server: CA that verifies the service')
    .addOption(outputOption(['text', 'json']));
  addVerifyOptions(command)
    .addHelpText('after', HELP)
    .action((images: readonly string[], flags: Flags) => check(images, flags, context));
}

async function check(
  images: readonly string[],
  flags: Flags,
  context: CommandContext,
): Promise<void> {
  expectVerify(flags);
  expectServer(flags);
  expectRules(flags);
  const annotations = sentAnnotations(flags.annotation ?? new Map(), context);
  const question: Question = { images, annotations, namespace: flags.namespace };
  const result: CheckResult = {
    question,
    offline: await checkByRules(question, flags, context),
    server: await checkByServer(question, flags, context.cwd),
  };
  if (isDenied(result)) context.exitCode = EXIT.finding;
  const text =
    flags.output === 'json' ? renderCheckJson(result) : renderCheckText(result, paintFor(context));
  await new Output(context.stdout).write(text);
  if (result.offline?.verdict === 'unknown') warnOfUnasked(context);
}

/** With a service alone, nobody here has anything to ask a registry. */
function expectRules({ rules, server, verify }: Flags): void {
  if (verify !== true || server === undefined || rules !== undefined) return;
  const message =
    'expected --rules beside --server and --verify, got none: the service asks registries by itself';
  throw new ImageCheckerError('usage', { message });
}

async function checkByRules(
  question: Question,
  flags: Flags,
  context: CommandContext,
): Promise<CheckResult['offline']> {
  const { rules, server, verify } = flags;
  if (rules === undefined && server !== undefined) return undefined;
  const policy = await readRules(rules ?? DEFAULT_RULES, context.cwd);
  if (verify !== true) return checkOffline(question, policy);
  const evidence = new Evidence();
  const registries = await openForCommand(flags, context, { examined: evidence.add });
  try {
    const checked = await checkWithRegistries(question, policy, registries.inspector);
    return await explainChecks(checked, evidence);
  } finally {
    registries.close();
  }
}

function sentAnnotations(
  annotations: ReadonlyMap<string, string>,
  context: CommandContext,
): ReadonlyMap<string, string> {
  const unsent = [...annotations.keys()].filter((key) => !isSent(key));
  for (const key of unsent) {
    const message = `annotation ${JSON.stringify(key)} is left out: kube-apiserver sends only those whose key holds ${SENT_INFIX}`;
    writeProblems(context, 'warning', [{ message }]);
  }
  return new Map([...annotations].filter(([key]) => !unsent.includes(key)));
}
