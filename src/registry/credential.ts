import { createHash } from 'node:crypto';

export interface Password {
  readonly kind: 'password';
  readonly username: string;
  readonly password: string;
}

/** Of OAuth 2: it is exchanged for tokens. */
export interface IdentityToken {
  readonly kind: 'identity';
  readonly token: string;
}

export type Secret = Password | IdentityToken;

/** What tells a registry who asks. */
export type Credential = Secret & {
  /** Where it was found, for messages: a file, and a helper. */
  readonly source: string;
};

export function basicHeader({ username, password }: Password): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Tells one credential from another, and does not give it away. */
export function fingerprintOf(credential: Credential | undefined): string {
  if (credential === undefined) return 'anonymous';
  const { kind } = credential;
  const parts =
    kind === 'identity'
      ? [kind, credential.token]
      : [kind, credential.username, credential.password];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
