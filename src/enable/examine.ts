import { runDoctor } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { systemDoctorPorts } from '../doctor/system-ports.ts';
import type { Problem } from '../errors.ts';
import type { EnableOptions } from './options.ts';
import type { Enabling } from './plan-enable.ts';
import type { Examination } from './ports.ts';

/** The doctor's checks on the manifest and the admission configuration as they are planned to be. */
export async function examine(plan: Enabling, options: EnableOptions): Promise<Examination> {
  const { manifest, admissionConfiguration } = plan;
  const { admission: dir, serviceFolder: serviceDir } = options;
  const findings = await runDoctor(
    { dir, manifest, admissionConfiguration, ...(serviceDir !== undefined && { serviceDir }) },
    systemDoctorPorts(),
  );
  return {
    failures: findings.filter(({ status }) => status === 'fail').map(problemOf),
    warnings: findings.filter(({ status }) => status === 'warn').map(problemOf),
  };
}

function problemOf({ id, message, fix, file, line, column }: Finding): Problem {
  return {
    message: `${message} (${id})`,
    ...(fix !== undefined && { hint: fix }),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
}
