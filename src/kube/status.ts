/** meta/v1 Status: what kube-apiserver says when it does not do what was asked. */
export interface KubeStatus {
  readonly reason: string;
  readonly message: string;
}

/** Characters of a body that is no Status. */
const MAX_QUOTE = 200;

export function readStatus(body: string): KubeStatus {
  const value = parse(body);
  if (typeof value !== 'object' || value === null) return { reason: '', message: quote(body) };
  const { reason, message } = value as { reason?: unknown; message?: unknown };
  return {
    reason: typeof reason === 'string' ? reason : '',
    message: typeof message === 'string' ? message : quote(body),
  };
}

/** The value of a JSON text, undefined for any other text. */
export function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function quote(body: string): string {
  return body.trim().slice(0, MAX_QUOTE);
}
