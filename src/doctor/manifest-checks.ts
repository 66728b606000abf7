import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { nearest } from '../files/nearest.ts';
import type { Flag } from '../manifest/flags.ts';
import {
  CONFIG_FLAG,
  DISABLE_FLAG,
  ENABLE_FLAG,
  flagsNamed,
  OLD_FLAG,
  PLUGIN,
  readManifest,
} from '../manifest/manifest.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { pluginsOf } from '../manifest/plugin-list.ts';
import { readDisk } from './disk.ts';
import type { Findings } from './finding.ts';
import type { GivenFile } from './options.ts';

/** Flags of kube-apiserver that look like those of admission, so that none is taken for a slip. */
const LOOK_ALIKES = [
  ...['enable-aggregator-routing', 'enable-bootstrap-token-auth', 'enable-garbage-collector'],
  ...['enable-priority-and-fairness', 'enable-logs-handler', 'enable-swagger-ui'],
  ...['enable-inflight-quota-handler', 'disabled-metrics', 'audit-policy-file', 'config'],
  ...['authentication-config', 'authorization-config', 'egress-selector-config-file'],
  ...['encryption-provider-config', 'tracing-config-file', 'audit-webhook-config-file'],
  ...['authentication-token-webhook-config-file', 'authorization-webhook-config-file'],
];
const OURS = [ENABLE_FLAG, DISABLE_FLAG, CONFIG_FLAG, OLD_FLAG];

/** @returns undefined when it is not kube-apiserver's static pod */
export async function checkManifest(
  given: GivenFile,
  findings: Findings,
): Promise<Manifest | undefined> {
  const { file } = given;
  const read = given.text === undefined ? await readDisk(file) : { text: given.text };
  if ('problem' in read) {
    findings.fail('manifest-readable', read.problem);
    return undefined;
  }
  const manifest = attempt(findings, () => readManifest(read.text, file));
  if (manifest === undefined) return undefined;
  findings.ok('manifest-readable', "is kube-apiserver's static pod", file);
  checkSpelling(manifest, file, findings);
  checkPlugin(manifest, file, findings);
  checkConfigFlag(manifest, file, findings);
  return manifest;
}

function attempt<T>(findings: Findings, action: () => T): T | undefined {
  try {
    return action();
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    for (const problem of thrown.problems) findings.fail('manifest-readable', problem);
    return undefined;
  }
}

function checkSpelling(manifest: Manifest, file: string, findings: Findings): void {
  for (const { value, node } of manifest.words) {
    const written = /^([-\u2010-\u2015\u2212]+)([^=]*)/.exec(value);
    if (written === null) continue;
    const [, dashes = '', rest = ''] = written;
    const name = rest.replaceAll('_', '-');
    const meant = nearest(name, [...OURS, ...LOOK_ALIKES]);
    const isSlip = dashes === '--' ? !OURS.includes(name) : rest.length > 1;
    if (meant === undefined || !OURS.includes(meant) || !isSlip) continue;
    const message = `expected --${meant}, got ${dashes}${rest}`;
    const hint = `write --${meant}: kube-apiserver does not start with a flag that it does not know`;
    findings.fail('manifest-flag-spelling', manifest.yaml.problem(node.range[0], message, hint));
  }
  const message = 'the flags of admission are spelled right';
  findings.okUnlessFound('manifest-flag-spelling', message, file);
}

function checkPlugin(manifest: Manifest, file: string, findings: Findings): void {
  const enabled = listed(manifest, ENABLE_FLAG, findings);
  const disabled = listed(manifest, DISABLE_FLAG, findings);
  if (enabled === undefined || disabled === undefined) return;
  const ours = enabled.filter(({ plugin }) => plugin === PLUGIN);
  const [first, again] = ours;
  if (first === undefined) {
    const isTold = findings.has('manifest-flag-spelling');
    if (!isTold) findings.fail('manifest-plugin-enabled', notEnabled(manifest, enabled));
  } else findings.ok('manifest-plugin-enabled', `--${ENABLE_FLAG} names ${PLUGIN}`, file);
  if (again !== undefined) {
    const message = `expected ${PLUGIN} once, got it ${ours.length} times`;
    findings.warn('manifest-plugin-once', at(manifest, again.flag, message, 'take one out'));
  }
  const off = disabled.find(({ plugin }) => plugin === PLUGIN);
  if (off !== undefined) {
    const message = `expected ${PLUGIN} not to be disabled, got it in --${DISABLE_FLAG}`;
    const hint = 'take it out there: kube-apiserver does not start with both';
    findings.fail('manifest-plugin-not-disabled', at(manifest, off.flag, message, hint));
  }
}

interface Listed {
  readonly plugin: string;
  readonly flag: Flag;
}

function listed(manifest: Manifest, name: string, findings: Findings): Listed[] | undefined {
  return attempt(findings, () =>
    flagsNamed(manifest, name).flatMap((flag) =>
      pluginsOf(manifest.yaml, flag).map((plugin) => ({ plugin, flag })),
    ),
  );
}

function notEnabled(manifest: Manifest, enabled: readonly Listed[]): Problem {
  const old = flagsNamed(manifest, OLD_FLAG)[0];
  if (old !== undefined) {
    const message = `expected --${ENABLE_FLAG}, got --${OLD_FLAG}, which excludes it`;
    return at(manifest, old, message, 'write what differs from the default list');
  }
  const slip = enabled.find(({ plugin }) => nearest(plugin, [PLUGIN]) !== undefined);
  if (slip !== undefined) {
    const message = `expected ${PLUGIN}, got ${slip.plugin}`;
    return at(manifest, slip.flag, message, `write ${PLUGIN}`);
  }
  const flag = enabled.at(-1)?.flag;
  const message = `expected --${ENABLE_FLAG} to name ${PLUGIN}, got a list without it`;
  const hint = '`image-checker enable` adds it';
  return flag === undefined
    ? manifest.yaml.problem(manifest.container.range[0], message, hint)
    : at(manifest, flag, message, hint);
}

function checkConfigFlag(manifest: Manifest, file: string, findings: Findings): void {
  const flags = flagsNamed(manifest, CONFIG_FLAG);
  const last = flags.at(-1);
  if (last === undefined || last.value === '') {
    if (findings.has('manifest-flag-spelling')) return;
    const message = `expected --${CONFIG_FLAG}, got none`;
    const hint = '`image-checker enable` adds it';
    const { range } = last?.valueWord.node ?? manifest.container;
    findings.fail('manifest-config-flag', manifest.yaml.problem(range[0], message, hint));
    return;
  }
  if (!last.value.startsWith('/')) {
    const message = `--${CONFIG_FLAG}: expected an absolute path, got ${last.value}`;
    const hint = 'it would be relative to where kube-apiserver was started';
    findings.fail('manifest-config-flag', at(manifest, last, message, hint));
    return;
  }
  findings.ok('manifest-config-flag', `--${CONFIG_FLAG} names ${last.value}`, file);
  if (flags.length < 2) return;
  const message = `expected --${CONFIG_FLAG} once, got it ${flags.length} times`;
  const hint = 'kube-apiserver reads the last one alone: take the others out';
  findings.fail('manifest-config-flag-once', at(manifest, last, message, hint));
}

function at({ yaml }: Manifest, flag: Flag, message: string, hint: string): Problem {
  return yaml.problem(flag.valueWord.node.range[0], message, hint);
}
