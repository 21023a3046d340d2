import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import type { BedsideOptions, Opened } from '../simulators/bedside.ts';
import { seededChance } from '../simulators/chance.ts';
import { mischiefKinds, type MischiefKind, type MischiefOptions } from '../simulators/mischief.ts';
import { playPatient } from '../simulators/patient.ts';
import { loadRecording, recordingNames } from '../simulators/recording.ts';
import { openSerialLine, type SerialLine } from '../simulators/serial-line.ts';

const simulators = ['masimo', 'modbus', 'opcua', 'wearable'];

const help = `Usage: npm run simulate -- NAME [options]

A simulated device that replays recorded patients. Not for clinical use. Ends with Ctrl-C.

NAME
  masimo     oximeter, ASCII1 lines once a second (9600 8N1)
  modbus     vital-sign module, Modbus TCP; each --recording is a unit id: 1, 2, …
  opcua      monitors, OPC UA; each --recording is a monitor: monitor1, monitor2, …
  wearable   speaks the device contract over MQTT

Options
  --port P          masimo: a serial port (/dev/ttyUSB0), a path where a PTY shall appear (needs socat), or a TCP
                    port (4001 or tcp://127.0.0.1:4001); absent: a PTY or any free TCP port, printed
                    modbus, opcua: the TCP port; absent: any free one, printed
  --url U           wearable: the broker, default mqtt://127.0.0.1:1883
  --id I            wearable: the device's id
  --secret S        wearable: its secret; or the environment's VIGIL_SECRET, which no process list shows
  --recording R     default icu_b21_1s; again for more patients (modbus, opcua)
  --offset S        start so many seconds into the recording; default 0
  --speed F         recorded seconds a second; default 1
  --seed N          same seed, same made-up parts and mischief; default 1
  --demo            modbus, opcua: the device says that it is in demo mode
  --mischief M      ${mischiefKinds.join(' | ')}, with options, and again for more:
                    cut:forMs=5000   delay:delayMs=3000   garble:rate=0.02   repeat:times=2   flood:perS=100
                    afterMs=… begins it later; forMs=… ends it
  --list            print the recordings' names
  --help            this

Registers, node ids and line forms: simulators/README.md.
`;

const { positionals, values } = readArguments();
if (values.help || (positionals.length === 0 && !values.list)) leave(values.help ? 0 : 2, help);
if (values.list) leave(0, `${recordingNames().join('\n')}\n`);

const clock = systemClock();
const chance = seededChance(numberOf('seed', values.seed, 1));
const folder = mkdtempSync(join(tmpdir(), 'vigil-simulate-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const planned = (values.mischief ?? []).map(readMischief);
try {
  const opened = await open(positionals[0] ?? '');
  let ending = false;
  // Ctrl-C reaches this process twice, from the terminal and from npm; the second must not break off the farewell.
  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    await opened.close();
    process.exit(0);
  };
  process.on('SIGINT', () => void end());
  process.on('SIGTERM', () => void end());
  for (const { bed, recording, driver, settings } of opened.beds) {
    console.log(JSON.stringify({ bed, recording, driver, settings }));
  }
  for (const { kind, afterMs, options } of planned) {
    const wires = new Set(opened.wires.values());
    clock.after(afterMs, () => wires.forEach((wire) => wire.begin(kind, options)));
  }
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  leave(2, `${error.message}. ${error.whatToDo}\n`);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        port: { type: 'string' },
        url: { type: 'string' },
        id: { type: 'string' },
        secret: { type: 'string' },
        recording: { type: 'string', multiple: true },
        offset: { type: 'string' },
        speed: { type: 'string' },
        seed: { type: 'string' },
        demo: { type: 'boolean' },
        mischief: { type: 'string', multiple: true },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return leave(2, `${(error as Error).message}\n\n${help}`);
  }
}

async function open(name: string): Promise<Opened> {
  const replay = {
    speed: numberOf('speed', values.speed, 1),
    offsetMs: numberOf('offset', values.offset, 0) * 1_000,
  };
  const places = (values.recording ?? ['icu_b21_1s']).map((recording, index) => ({
    bed: String(index + 1).padStart(2, '0'),
    recording,
    patient: playPatient(loadRecording(recording), { clock, ...replay }),
  }));
  const [first] = places;
  if (!first || !simulators.includes(name)) return leave(2, `there is no simulator ${name}\n\n${help}`);
  const secret = values.secret ?? process.env.VIGIL_SECRET;
  if (name === 'wearable' && (values.id === undefined || secret === undefined)) {
    leave(2, 'wearable needs --id and --secret\n');
  }
  const given: BedsideOptions = { clock, chance, folder, demo: values.demo, port: tcpPort(values.port) };
  // Only now: the OPC UA server alone takes longer to load than all the rest to answer a slip of the pen.
  const bedside = await import('../simulators/bedside.ts');
  if (name === 'masimo') return bedside.openMasimoBed(first, { ...given, line: await serialLine() });
  if (name === 'modbus') return bedside.openModbusBeds(places, given);
  if (name === 'opcua') return bedside.openOpcuaBeds(places, given);
  const opened = bedside.openWearableBed(first, given);
  const url = values.url ?? 'mqtt://127.0.0.1:1883';
  for (const { wear } of opened.beds) wear?.({ url, clientId: values.id ?? '', secret: secret ?? '' });
  return opened;
}

/** The serial port, PTY or TCP port that --port names; undefined lets the oximeter make its own. */
async function serialLine(): Promise<SerialLine | undefined> {
  const { port } = values;
  if (port === undefined) return undefined;
  if (tcpPort(port) !== undefined)
    return openSerialLine({ folder, name: 'line', kind: 'tcp', port: tcpPort(port) });
  if (existsSync(port)) return (await import('../simulators/serial-device.ts')).openSerialDevice(port);
  return openSerialLine({ folder: dirname(port), name: basename(port), kind: 'pty' });
}

function tcpPort(text: string | undefined): number | undefined {
  const digits = /^(?:tcp:\/\/127\.0\.0\.1:|opc\.tcp:\/\/127\.0\.0\.1:)?(\d{1,5})$/.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function numberOf(option: string, text: string | undefined, standard: number): number {
  const value = Number(text ?? standard);
  if (text === '' || !Number.isFinite(value) || value < 0)
    leave(2, `--${option} takes a number, not "${text}"\n`);
  return value;
}

interface Planned {
  readonly kind: MischiefKind;
  readonly afterMs: number;
  readonly options: MischiefOptions;
}

function readMischief(text: string): Planned {
  const [word = '', list = ''] = text.split(':', 2);
  const kind = mischiefKinds.find((known) => known === word);
  if (!kind) leave(2, `--mischief ${word}: one of ${mischiefKinds.join(', ')}\n`);
  const settings: Record<string, number> = {};
  for (const pair of list.split(',').filter((part) => part !== '')) {
    const [name = '', value] = pair.split('=', 2);
    if (!['forMs', 'afterMs', 'delayMs', 'rate', 'times', 'perS'].includes(name)) {
      leave(2, `--mischief ${kind} knows no ${name}\n`);
    }
    settings[name] = numberOf(`mischief ${kind}:${name}`, value ?? '', 0);
  }
  const { afterMs = 0, ...options } = settings;
  return { kind, afterMs, options };
}

/** Prints and exits: what was asked for on standard output, what is wrong on standard error. */
function leave(code: number, text: string): never {
  (code === 0 ? process.stdout : process.stderr).write(text);
  process.exit(code);
}
