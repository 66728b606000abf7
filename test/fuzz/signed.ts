/*
 * Whom the seeds of `signature` are signed by, and all that these have ever signed: their private
 * keys were thrown away. What is signed by others is among the seeds too.
 */

export const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAECd4G1YM9G0OChE89nlI7q4hNDxr6
VMwtQ+RwcPuDHzTiN0LgS8gkb2Z4JFcwsySo10OzwMgF4Une6T2mS220ug==
-----END PUBLIC KEY-----
`;

/** Of `certificate`. */
export const AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBjjCCATSgAwIBAgIRQMdga+KPWVXqmQVfZrV8T+swCgYIKoZIzj0EAwIwFDES
MBAGA1UEAwwJYXV0aG9yaXR5MCIYDzIwMjAwMTAxMDAwMDAwWhgPMjA0OTAxMDEw
MDAwMDBaMBQxEjAQBgNVBAMMCWF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49
AwEHA0IABF5lmnb4kUkl86RuIERu3tpXF09EgEaeu3+tTPuVQIX0lqO2txtk7VbW
tkIrvKgiCc7RatZ8+HkXvqWC3kL+LvWjYzBhMA8GA1UdEwEB/wQFMAMBAf8wDgYD
VR0PAQH/BAQDAgIEMB0GA1UdDgQWBBTfH5Yj9NgcBvd0NGjJiwDDu03HUjAfBgNV
HSMEGDAWgBTfH5Yj9NgcBvd0NGjJiwDDu03HUjAKBggqhkjOPQQDAgNIADBFAiB/
wY7ejsbmHs6qX9/w5nkBGHvn0aoueoONRnux8gsp6wIhAPmeheCIsvWt2iiCzm4r
Bqdf6iRVmm10ubhx+Mov+f3f
-----END CERTIFICATE-----
`;

/** Of the signer, in its certificates. */
export const NAME =
  'https://git.example.com/team/app/.github/workflows/release.yml@refs/heads/main';

/** Of `keyless`. */
export const ISSUER = 'https://token.actions.example.com';

/** The text of a trusted root file. */
export const TRUSTED_ROOT = JSON.stringify({
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  tlogs: [
    {
      baseUrl: 'https://rekor.example.com',
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes:
          'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfvWYc2bX7HJd+MyMruxIS4Swgc6JvbRfh/nORbsFFdVvW0je16XHMND6s0YrxIUTARBXKOvoAlVlnbEqI+Nl4w==',
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        validFor: { start: '1970-01-01T00:00:00.000Z' },
      },
      logId: { keyId: 'B5k0uvLiDWB8wumKFEuGVdzUl6tqmnhVqf040j2sseU=' },
    },
  ],
  certificateAuthorities: [
    {
      subject: { organization: 'example', commonName: 'fulcio' },
      uri: 'https://fulcio.example.com',
      certChain: {
        certificates: [
          {
            rawBytes:
              'MIIBiTCCAS6gAwIBAgIRQMyjD1qNKZ7Wy0hAqUJ1rbswCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGZnVsY2lvMCIYDzIwMjYxMTI2MjA0NzI0WhgPMjAyNjExMjcyMTQ3MjRaMBExDzANBgNVBAMMBmZ1bGNpbzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABN8jNUCyK+fvdiH9YwZxvLNILhKdMKKDZ/IRcwC+aN+TGNcNmVCOBuKee7dOtwpZ77e49ZAvdP16h9WXhCDwCG+jYzBhMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMB0GA1UdDgQWBBRY8YSpodRnOzHli9P8cFqFegTEFDAfBgNVHSMEGDAWgBRY8YSpodRnOzHli9P8cFqFegTEFDAKBggqhkjOPQQDAgNJADBGAiEA34VplddYrbkJnzpvaPsoUylVtLFuYjMmn1MrhGtfGmgCIQChRpnmDDehLsNgXbO1G0kBGg2ks5DjlEzPR3CLDR/D6Q==',
          },
        ],
      },
      validFor: { start: '1970-01-01T00:00:00.000Z' },
    },
  ],
  ctlogs: [
    {
      baseUrl: 'https://rekor.example.com',
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes:
          'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvu/colxXNIMl6rzQddLTtRCAJ4d3oSCtbQUfH99/cVihuwwU6VktcZEYSfd40g4GZZdva/0mDhZfrKX1J9IxPg==',
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        validFor: { start: '1970-01-01T00:00:00.000Z' },
      },
      logId: { keyId: 'ruNfLE7xUHIlCJBYLV95O2okIbqaUoyiZNl/pdlVv8k=' },
    },
  ],
  timestampAuthorities: [],
});

/** SHA-256 of the bytes that were signed, by what they are trusted for. */
export const SIGNED = {
  key: [
    '20dd8e8e0cbb07092f1ee03ae46ec88890fb8be6cf67df22bb27133ef9a0d0bf',
    '5ee2944b653ebd4299da505e0cb34a6186fbd04e2e9dd2e199c5ed21ef1792fe',
    '4318af998a31bcbb462c19356fa993739560f20a9755fea6f322c5274de29ef8',
    '709ab90b6ea30c08883e093e70269da060a163c10eb15363c9a3ebdc22d8bce4',
    'a53694c6d1650a7eaa83c4e7f2897c4df3eca637c7777e5210331dc81f0a443e',
  ],
  certificate: [
    'd3e787edf5047bd80499ae43e9bfd5c74f218506fb5ba5f5cbf4fd80eea3252b',
    '6246bd9739a3fb4d823aa0d37d980375b72082eb3f106bf03daa49dcfae3e0a1',
    'e074b14d723eaced160ac32dabf73017eea667147e6cbf658881ef915e46e789',
  ],
  keyless: [
    '8303c258df02db6fd6017c3773a7d3557d7e74a4f7e88e76cb7e2cdce6a82466',
    'a014b1e1e8faed7d7c155eb78c05854edb4cfc115b6eaf42a61701725cdcaab8',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Those that are signatures of the image, by whomever. */
export const FOR_THE_IMAGE: readonly string[] = [
  '20dd8e8e0cbb07092f1ee03ae46ec88890fb8be6cf67df22bb27133ef9a0d0bf',
  '5ee2944b653ebd4299da505e0cb34a6186fbd04e2e9dd2e199c5ed21ef1792fe',
  'd3e787edf5047bd80499ae43e9bfd5c74f218506fb5ba5f5cbf4fd80eea3252b',
  '8303c258df02db6fd6017c3773a7d3557d7e74a4f7e88e76cb7e2cdce6a82466',
  'e074b14d723eaced160ac32dabf73017eea667147e6cbf658881ef915e46e789',
];
