import type { AdmissionRecord } from '../manifest/admission-record.ts';

/**
 * What two runs did together to an admission configuration. A value that the second run changed
 * goes back to what it was before the first one; with an entry of ours its values go too.
 */
export function mergeAdmissionRecords(
  earlier: AdmissionRecord,
  later: AdmissionRecord,
): AdmissionRecord {
  if (later.entry !== undefined) return later;
  if (earlier.entry !== undefined) return earlier;
  const values = later.values.map((value) => {
    const first = earlier.values.find(({ key }) => key === value.key);
    if (first === undefined) return value;
    const { key, value: now } = value;
    const { before } = first;
    return { key, value: now, ...(before !== undefined && { before }) };
  });
  const untouched = earlier.values.filter(({ key }) => later.values.every((v) => v.key !== key));
  return { version: 1, values: [...untouched, ...values] };
}
