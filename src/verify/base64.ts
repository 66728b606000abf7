import { z } from 'zod';

/** Bytes in base64, with padding and nothing that does not belong to it. */
export const base64 = z.string().transform((text, context): Uint8Array => {
  const bytes = decodeBase64(text);
  if (bytes !== undefined) return bytes;
  context.addIssue({ code: 'custom', message: 'expected base64' });
  return z.NEVER;
});

/** Undefined for what is not base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
