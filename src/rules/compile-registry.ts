import { createHash } from 'node:crypto';
import { compilePredicate } from './compile-predicate.ts';
import { asksRegistry, REGISTRY_KEYS } from './on-error-schema.ts';
import type {
  RegistryRequirement,
  SignatureRequirement,
  Signers,
  TrustedIdentity,
  TrustedKey,
} from './registry-requirement.ts';
import { isInline } from './rule-files.ts';
import type { RuleFiles } from './rule-files.ts';
import type { RuleSpec } from './schema.ts';
import type { SignatureSpec } from './signatures-schema.ts';
import type { IdentitySpec, SignersSpec } from './signers-schema.ts';
import { readChain, readKey, readTrustedRoot } from './trust-material.ts';
import type { Material } from './trust-material.ts';

type RequireSpec = NonNullable<RuleSpec['require']>;

/** What is asked of the registry; undefined for nothing. The files were found to be right. */
export function compileRegistryRequirement(
  require: RuleSpec['require'],
  files: RuleFiles,
): RegistryRequirement | undefined {
  if (require === undefined || !asksRegistry(require)) return undefined;
  return {
    signatures: (require.signatures ?? []).map((spec) => compileSignature(spec, files)),
    attestations: (require.attestations ?? []).map((spec) => ({
      ...compileSigners(spec, files),
      ...compilePredicate(spec),
    })),
    digestMatchesTag: require.digestMatchesTag === true,
    maxAge: require.maxAge,
    platforms: require.platforms ?? [],
    hash: hashOf(require, files),
  };
}

/** Over what is written, and over what the files hold that are named there. */
function hashOf(require: RequireSpec, files: RuleFiles): string {
  const written = JSON.stringify(REGISTRY_KEYS.map((key) => require[key] ?? null));
  const hash = createHash('sha256').update(written);
  for (const [name, { text = '' }] of files) {
    if (written.includes(JSON.stringify(name))) hash.update(JSON.stringify([name, text]));
  }
  return hash.digest('hex');
}

function compileSignature(spec: SignatureSpec, files: RuleFiles): SignatureRequirement {
  return {
    ...compileSigners(spec, files),
    annotations: new Map(Object.entries(spec.annotations ?? {})),
    repositories: spec.repositories ?? [],
    threshold: spec.threshold,
  };
}

function compileSigners(spec: SignersSpec, files: RuleFiles): Signers {
  const { certificateChain, identities = [], keyless } = spec;
  return {
    keys: (spec.keys ?? []).map((text, index) => compileKey(text, index, files)),
    certificates:
      certificateChain === undefined
        ? undefined
        : {
            ...must(readChain(textOf(certificateChain, files))),
            identities: identities.map(compileIdentity),
          },
    keyless: keyless && {
      trustedRoot: must(readTrustedRoot(textOf(keyless.trustedRoot, files))),
      identities: keyless.identities.map(compileIdentity),
    },
  };
}

function compileKey(text: string, index: number, files: RuleFiles): TrustedKey {
  const source = isInline(text) ? `inline key ${index + 1}` : text;
  return must(readKey(textOf(text, files), source));
}

function compileIdentity({ san, sanPattern, issuer }: IdentitySpec): TrustedIdentity {
  return {
    source: san ?? sanPattern?.source ?? '',
    matches: (name) => (sanPattern === undefined ? name === san : sanPattern.matches(name)),
    issuer,
  };
}

function textOf(text: string, files: RuleFiles): string {
  return isInline(text) ? text : (files.get(text)?.text ?? '');
}

/** What was right when the rules were checked is right now: these are the same bytes. */
function must<T>(material: Material<T>): T {
  if (material.ok) return material.value;
  throw new Error(material.error);
}
