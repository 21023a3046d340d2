import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Gateway } from '../../gateway/compose.ts';
import type { NewPerson } from '../../gateway/identity/identity.ts';
import type { Chance } from '../../model/ids.ts';
import type { Person, Role } from '../../model/person.ts';
import type { OpenOrder, SimulatedBed, WardAnswer, WearOrder } from './ward-process.ts';

export interface SignIn {
  readonly role: Role;
  readonly user: string;
  readonly password: string;
}

export const demoWard = 'demo-ward';

/** Who sets the demo up, in the audit. */
const stagehand: Person = { id: 'demo', user: 'demo', name: 'Demo', roles: ['admin'], wards: 'all' };

/** The patients' invented names: nobody's. */
const patients = [
  ['Wang Fang', '1955-03-02'],
  ['Li Qiang', '1948-11-19'],
  ['Zhang Min', '1962-07-08'],
  ['Liu Yang', '1971-01-25'],
  ['Chen Jing', '1939-09-14'],
  ['Yang Lei', '1980-05-30'],
  ['Zhao Xin', '1966-12-03'],
  ['Huang Lan', '1957-08-21'],
] as const;

/** What stands at the bed, and the wire it speaks. */
const makes: Readonly<Record<string, string>> = {
  masimo: 'Oximeter (serial)',
  modbus: 'Monitor (Modbus)',
  opcua: 'Monitor (OPC UA)',
  wearable: 'Wearable (MQTT)',
};

/** The simulated ward's process and how to end it. */
export interface WardProcess {
  readonly beds: readonly SimulatedBed[];
  wear(order: WearOrder['wear']): void;
  close(): Promise<void>;
}

export async function startWard(order: OpenOrder['open']): Promise<WardProcess> {
  const child = fork(fileURLToPath(new URL('./ward-process.ts', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const answer = await new Promise<WardAnswer>((resolve, reject) => {
    child.once('message', (message) => resolve(message as WardAnswer));
    child.once('exit', (code) => reject(new Error(`the simulated ward ended with ${code}`)));
    child.send({ open: order } satisfies OpenOrder);
  });
  if ('failed' in answer) throw new Error(`the simulated ward did not open: ${answer.failed}`);
  return {
    beds: answer.beds,
    wear: (wear) => void child.send({ wear } satisfies WearOrder),
    close: () => end(child),
  };
}

/** People of the demo: passwords are made at this start and shown once. */
export async function makePeople(gateway: Gateway, chance: Chance): Promise<readonly SignIn[]> {
  const signIns: SignIn[] = [];
  for (const [role, name] of [
    ['nurse', 'Demo nurse'],
    ['charge-nurse', 'Demo charge nurse'],
    ['biomed', 'Demo engineer'],
    ['admin', 'Demo administrator'],
  ] as const) {
    const wards = role === 'nurse' || role === 'charge-nurse' ? [demoWard] : 'all';
    const person = await makePerson(gateway, chance, { user: role, name, roles: [role], wards });
    signIns.push({ role, ...person });
  }
  return signIns;
}

/**
 * With a random password; the rules refuse one in a few hundred (a run of figures, a word in it): then another is drawn.
 * On kept data the name may be taken, and its password known to nobody any more: then a number is put behind it.
 */
async function makePerson(
  gateway: Gateway,
  chance: Chance,
  person: Omit<NewPerson, 'password'>,
): Promise<{ user: string; password: string }> {
  let user = person.user;
  for (let tries = 1; tries < 100; tries++) {
    const password = (chance.hex(64).match(/.{4}/g) ?? []).join('-');
    const made = await gateway.identity.addPerson(stagehand, { ...person, user, password });
    if (typeof made !== 'string') return { user, password };
    if (made === 'user-taken') user = `${person.user}-${tries + 1}`;
  }
  throw new Error(`the demo's ${person.user} could not be made`);
}

/** A ward with its beds, an admitted patient and an associated device each, by the same services people use. */
export async function setUpBeds(gateway: Gateway, ward: WardProcess): Promise<void> {
  const { census, devices } = gateway.services;
  await census.addWard(stagehand, { id: demoWard, name: 'Demo ward', profile: 'adult' });
  for (const [index, simulated] of ward.beds.entries()) {
    const bed = `bed-${simulated.bed}`;
    const device = `monitor-${simulated.bed}`;
    const [name, birthDate] = patients[index % patients.length] ?? ['Nobody', '1960-01-01'];
    await census.addBed(stagehand, { id: bed, ward: demoWard, label: simulated.bed });
    const registered = await devices.register(stagehand, {
      id: device,
      label: makes[simulated.driver ?? 'wearable'] ?? 'Monitor',
      ward: demoWard,
      driver: simulated.driver,
      settings: settingsOf(simulated),
    });
    // Kept data (--data): the same device at today's port.
    if (registered === 'id-taken') {
      await devices.change(stagehand, device, { driver: simulated.driver, settings: settingsOf(simulated) });
    } else if (typeof registered === 'string' || 'refused' in registered)
      throw new Error(`${device}: ${JSON.stringify(registered)}`);
    const encounter = await census.admit(stagehand, { ward: demoWard, bed, patient: { name, birthDate } });
    // Bed taken: the patient of the kept data still lies there, with the same device.
    if (typeof encounter !== 'string')
      await census.associate(stagehand, { device, bed, encounter: encounter.id });
    else if (encounter !== 'bed-taken') throw new Error(`${bed}: ${encounter}`);
    if (simulated.driver !== undefined) continue;
    const credentials = await devices.makeCredentials(stagehand, device);
    if (credentials === 'absent') throw new Error(`${device} is absent`);
    ward.wear({
      bed: simulated.bed,
      url: gateway.mqttUrl,
      clientId: credentials.clientId,
      secret: credentials.password,
    });
  }
}

/** The simulated OPC UA server signs its own certificate, which nobody vouches for; the wire is loopback. */
const settingsOf = ({ driver, settings }: SimulatedBed): SimulatedBed['settings'] =>
  driver === 'opcua' ? { ...settings, security: 'None' } : settings;

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
