import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { freePort } from '../../bench/peer.ts';
import type { Driver } from '../../drivers/driver.ts';
import hl7Driver from '../../drivers/hl7-listener/index.ts';
import { openDriver } from '../drivers/driver-house.ts';

const run = promisify(execFile);
// Debian's own: another python3 on the PATH does not see Debian's packages.
const debianPython = '/usr/bin/python3';

/** python3-hl7's MLLP client: sends the same report so often, and prints what it read of each answer. */
const script = `
import sys, hl7
from hl7.client import MLLPClient
text = sys.stdin.buffer.read().decode('utf-8')
with MLLPClient('127.0.0.1', int(sys.argv[1]), encoding='utf-8') as client:
    for n in range(int(sys.argv[2])):
        answer = client.send_message(hl7.parse(text.replace('@', str(n))))
        read = hl7.parse(answer.decode('utf-8').strip('\\x0b\\x1c\\r') + '\\r')
        print(read.segment('MSA')[1], read.segment('MSA')[2], read.segment('MSH')[9])
`;

test("python3-hl7's client gets its answers, and its values arrive once each", async () => {
  const bind = { address: '127.0.0.1', port: await freePort() };
  const driver = hl7Driver as unknown as Driver;
  await using house = await openDriver(driver, {
    bind,
    key: { application: 'CENTRAL', location: 'ICU^1^3' },
  });
  const stamp = `${new Date().toISOString().replace(/[-:T]/g, '').slice(0, 14)}+0000`;
  const text = [
    `MSH|^~\\&|CENTRAL|WARD|EMR|HIS|${stamp}||ORU^R01^ORU_R01|msg@|P|2.6||||||UNICODE UTF-8`,
    'PID|||P-17^^^Hospital^PI||王^小明^^^^^L',
    'PV1||I|ICU^1^3',
    `OBR|1||1^MON|69837^MDC_DEV_METER_PHYSIO_MULTI_PARAM_MDS^MDC|||${stamp}`,
    'OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|9@|262688^MDC_DIM_PERCENT^MDC|||||R',
    '',
  ].join('\r');
  const child = run(debianPython, ['-c', script, String(bind.port), '5'], { timeout: 30_000 });
  child.child.stdin?.end(text);
  const { stdout } = await child;
  expect(stdout.trim().split('\n')).toEqual([0, 1, 2, 3, 4].map((n) => `AA msg${n} ACK^R01^ACK`));
  expect(house.observations('MDC_PULS_OXIM_SAT_O2').map((seen) => 'value' in seen && seen.value)).toEqual([
    90, 91, 92, 93, 94,
  ]);
  // Who the patient is goes nowhere.
  expect(JSON.stringify(house.emitted)).not.toMatch(/P-17|王|小明/);
});
