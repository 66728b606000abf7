import type { Signers } from '../../src/rules/registry-requirement.ts';
import type { SigningKey } from './cosign.ts';

/** Trust in these keys. */
export function trustKeys(...keys: readonly SigningKey[]): Signers {
  const trusted = keys.map((key) => key.trusted);
  return { keys: trusted, certificates: undefined, keyless: undefined };
}
