import forge from 'node-forge';

/**
 * DER (ITU-T X.690), as far as certificates need it. forge's own certificates know RSA keys alone,
 * so only its ASN.1 is used: a public key of any kind goes in as it is, and node:crypto signs.
 */
export type DerNode = forge.asn1.Asn1;

const { asn1 } = forge;
const { Class, Type } = asn1;

/** The years of a UTCTime have two digits, from 1950 on (RFC 5280, 4.1.2.5). */
const FIRST_YEAR_BEYOND_UTC_TIME = 2050;

/** forge declares the number of a tag of ours as a universal type. */
const TAG = { 0: Type.NONE, 2: Type.INTEGER, 3: Type.BITSTRING, 7: Type.ODESC } as const;
type Tag = keyof typeof TAG;

export const sequence = (parts: readonly DerNode[]): DerNode =>
  asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...parts]);

export const setOf = (part: DerNode): DerNode =>
  asn1.create(Class.UNIVERSAL, Type.SET, true, [part]);

/** `[number]`, explicit: around other nodes. */
export const tagged = (number: Tag, parts: readonly DerNode[]): DerNode =>
  asn1.create(Class.CONTEXT_SPECIFIC, TAG[number], true, [...parts]);

/** `[number]`, implicit: in the place of the tag that the bytes would have. */
export const taggedBytes = (number: Tag, bytes: Uint8Array): DerNode =>
  asn1.create(Class.CONTEXT_SPECIFIC, TAG[number], false, binary(bytes));

/** Big-endian, and shorter than the sign bit allows for. */
export const integer = (bytes: Uint8Array): DerNode => primitive(Type.INTEGER, bytes);

export const octets = (bytes: Uint8Array): DerNode => primitive(Type.OCTETSTRING, bytes);

/** @param unused how many bits of the last byte do not count */
export const bits = (bytes: Uint8Array, unused = 0): DerNode =>
  primitive(Type.BITSTRING, Buffer.concat([Buffer.of(unused), bytes]));

export const utf8 = (text: string): DerNode => primitive(Type.UTF8, Buffer.from(text));

export const yes = (): DerNode => primitive(Type.BOOLEAN, Buffer.of(0xff));

export const nothing = (): DerNode => primitive(Type.NULL, Buffer.of());

export const objectId = (id: string): DerNode =>
  asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(id).getBytes());

/** Whole seconds, in the form that RFC 5280 asks for in that year. */
export function time(date: Date): DerNode {
  const [type, text] =
    date.getUTCFullYear() < FIRST_YEAR_BEYOND_UTC_TIME
      ? ([Type.UTCTIME, asn1.dateToUtcTime(date)] as const)
      : ([Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date)] as const);
  return asn1.create(Class.UNIVERSAL, type, false, text);
}

export function encode(node: DerNode): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'binary');
}

/** @throws Error for what is no DER */
export function decode(der: Uint8Array): DerNode {
  return asn1.fromDer(binary(der));
}

/** What a node is made of; nothing for one that holds bytes. */
export function partsOf(node: DerNode | undefined): readonly DerNode[] {
  return Array.isArray(node?.value) ? node.value : [];
}

/** Whether it is `[number]`, explicit. */
export function isTagged(node: DerNode, number: Tag): boolean {
  return node.tagClass === Class.CONTEXT_SPECIFIC && node.type === TAG[number];
}

/** The bytes of a node without tag and length. */
export function contentOf(node: DerNode): Buffer {
  const der = encode(node);
  const length = der[1] ?? 0;
  return der.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f));
}

/** Such as `2.5.29.15`; empty for what is no object identifier. */
export function objectIdOf({ type, value }: DerNode): string {
  return type === Type.OID && typeof value === 'string' ? asn1.derToOid(value) : '';
}

function primitive(type: forge.asn1.Type, bytes: Uint8Array): DerNode {
  return asn1.create(Class.UNIVERSAL, type, false, binary(bytes));
}

/** A string with a character a byte, which is how forge holds bytes. */
function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('binary');
}
