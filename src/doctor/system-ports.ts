import { hostname } from 'node:os';
import type { DoctorPorts } from './options.ts';

/** This machine and its clock. */
export function systemDoctorPorts(): DoctorPorts {
  return {
    now: () => new Date(),
    uid: process.getuid?.() ?? 0,
    node: hostname(),
    times: { connect: 5000, answer: 30_000, slow: 3000 },
  };
}
