import { pathOf, TARGETS } from './layout.ts';
import type { Target } from './layout.ts';
import { ownAuthority, readAuthority } from './authority.ts';
import type { AuthorityFiles } from './authority.ts';
import { bundleOf, certificatesIn, isSame } from './pem.ts';
import { makeAuthority } from './pki.ts';
import type { Credential, PkiPorts } from './pki.ts';
import type { Change } from './renew-change.ts';
import { rotationFiles } from './renew-files.ts';
import type { Installation } from './renew-files.ts';
import { makeLeaves } from './renew-leaves.ts';
import type { RenewOptions } from './renew-options.ts';
import {
  refuseKeyAlone,
  refuseOther,
  refuseSame,
  refuseUnconfirmed,
  refuseUnsettled,
} from './renew-refusals.ts';
import { holds } from './renew-state.ts';
import type { Certificates, RotationState } from './renew-state.ts';

/** A change to another CA that has come as far as `state` says. */
export interface Rotation {
  readonly installation: Installation;
  readonly options: RenewOptions;
  readonly ports: PkiPorts;
  readonly state: RotationState;
}

/**
 * Step 1: both sides trust the new CA beside the old one. It has signed nothing yet, so whoever has
 * not heard of it misses nothing.
 *
 * @param begun the new CA, where it is made already
 */
export async function trustBoth(rotation: Rotation, begun?: Certificates): Promise<Change> {
  const { installation, options, ports, state } = rotation;
  refuseKeyAlone(options);
  const named = await readNamed(rotation);
  refuseSame(named, state.current[0], options);
  if (begun !== undefined) {
    refuseOther(named, begun[0], options);
    return { step: 'trust-both', contents: addTo(installation, begun), files: [], remove: [] };
  }
  const made = named ?? (await makeAuthority(ports));
  const { nextKey, nextCertificate } = rotationFiles(options.layout);
  const { mode } = TARGETS.caCertificate;
  const certificate = { path: nextCertificate, mode, content: made.certificate };
  const key = { path: nextKey, mode: TARGETS.caKey.mode, content: made.key };
  return {
    step: 'trust-both',
    contents: addTo(installation, certificatesIn(made.certificate)),
    // A key that somebody keeps elsewhere is not multiplied.
    files: named === undefined ? [key, certificate] : [certificate],
    remove: [],
  };
}

function addTo(
  { clientCa, externalCa }: Installation,
  authority: Installation['clientCa'],
): Map<Target, string> {
  return new Map<Target, string>([
    ['clientCa', bundleOf([...clientCa, ...authority])],
    ['externalCa', bundleOf([...externalCa, ...authority])],
  ]);
}

/** Step 2: new keys and certificates; from here on, who does not trust the new CA is cut off. */
export async function changeOver(rotation: Rotation, to: Certificates): Promise<Change> {
  const { installation, options, ports, state } = rotation;
  const { layout, authorityKey } = options;
  const { nextKey, nextCertificate, previousCertificate } = rotationFiles(layout);
  refuseOther(await readNamed(rotation), to[0], options);
  refuseUnconfirmed(options);
  const isInPlace = isSame(state.current[0], to[0]); // a step before was cut short
  const authority = await readAuthority(filesOf(rotation, isInPlace), ports.now());
  const contents = await makeLeaves(installation, authority, ports);
  contents.set('caCertificate', authority.certificate);
  if (authorityKey === undefined) contents.set('caKey', authority.key);
  const old = (isInPlace ? state.previous : undefined) ?? state.current;
  const { mode } = TARGETS.caCertificate;
  return {
    step: 'change-over',
    contents,
    files: [{ path: previousCertificate, mode, content: bundleOf(old) }],
    // The key of the old CA must not lie beside the certificate of the new one.
    remove: [nextCertificate, nextKey, ...(contents.has('caKey') ? [] : [pathOf(layout, 'caKey')])],
  };
}

function filesOf({ options }: Rotation, isInPlace: boolean): AuthorityFiles {
  const { layout, authorityKey } = options;
  const { nextCertificate, nextKey } = rotationFiles(layout);
  const hint = 'name the key of the CA to change to with --ca-key';
  const files = isInPlace
    ? ownAuthority(layout, hint)
    : { certificate: nextCertificate, key: nextKey, hint };
  return authorityKey === undefined ? files : { ...files, key: authorityKey };
}

/** Step 3: the old CA is trusted no more. */
export async function forgetOld(
  rotation: Rotation,
  old: Installation['clientCa'],
): Promise<Change> {
  const { installation, options, ports, state } = rotation;
  refuseKeyAlone(options);
  refuseOther(await readNamed(rotation), state.current[0], options);
  await refuseUnsettled(options, ports.now());
  const without = (bundle: Installation['clientCa']): string =>
    bundleOf(bundle.filter((one) => !holds(old, one)));
  const { previousCertificate, nextCertificate, nextKey } = rotationFiles(options.layout);
  return {
    step: 'forget-old',
    contents: new Map<Target, string>([
      ['clientCa', without(installation.clientCa)],
      ['externalCa', without(installation.externalCa)],
    ]),
    files: [],
    remove: [previousCertificate, nextCertificate, nextKey],
  };
}

/** The CA to change to, where the caller names one. */
async function readNamed({ options, ports }: Rotation): Promise<Credential | undefined> {
  const { authorityCertificate: certificate, authorityKey: key } = options;
  if (certificate === undefined || key === undefined) return undefined;
  const hint = '--ca-cert and --ca-key name the CA to change to, unencrypted PEM';
  return readAuthority({ certificate, key, hint }, ports.now());
}
