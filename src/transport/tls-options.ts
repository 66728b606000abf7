import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { TlsMaterial } from './tls-files.ts';

/** TLS 1.2 with forward secrecy and authenticated encryption; TLS 1.3 has nothing else. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export type SecureVersion = 'TLSv1.2' | 'TLSv1.3';

/** What may change while the server runs: a renewal hands all of it over again. */
export function secureOptions(
  material: TlsMaterial,
  minVersion: SecureVersion,
): SecureContextOptions {
  return {
    cert: material.certificate,
    key: material.key,
    ca: material.clientCA,
    minVersion,
    ciphers: CIPHERS,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}
